"""Plain charts: where values lie, which numbers stand beside them, and what a reader hears."""

import base64
import re

import numpy as np
import pytest

from aecore.figures import plain
from aecore.figures.plain import ChartAxis, ChartLine, Word


def drawn(figure: str) -> str:
    return base64.b64decode(re.search('base64,([^"]+)', figure)[1]).decode()


def test_values_lie_where_their_scale_puts_them():
    room = 100 - 2 * plain.EDGE
    for axis, value, share in (
        (ChartAxis(0, 10), 2.5, 0.25), (ChartAxis(10, 0), 2.5, 0.75), (ChartAxis(1, 16, scale="log"), 4, 0.5),
        (ChartAxis(-np.e + 1, np.e - 1, scale="symlog"), 0, 0.5), (ChartAxis(0, 1), 7, 1.0), (ChartAxis(1, 0), 7, 0.0),
    ):  # fmt: skip
        assert axis.place(value) == pytest.approx(plain.EDGE + room * share), axis


@pytest.mark.parametrize(
    ("values", "ticks"),
    [((0.0084, 0.054), (0.0, 0.02, 0.04, 0.06)), ((0, 1), (0.0, 0.5, 1.0)), ((-3, 8), (-5.0, 0.0, 5.0, 10.0))],
)
def test_even_axes_end_at_round_numbers(values, ticks):
    axis = plain.linear(values, zero=True, count=3)
    np.testing.assert_allclose(axis.ticks, ticks)
    assert (axis.low, axis.high) == (ticks[0], ticks[-1])
    flat = plain.linear([2, 2])
    assert flat.low < 2 < flat.high


@pytest.mark.parametrize("values", [(0.1, 0.5), (1e-3, 1e4), (-1e7, 0.7), (-1e-9, 3), (5.0, 5.0)])
def test_axes_of_losses_hold_all_and_are_numbered_inside(values):
    axis = plain.losses(values)
    assert axis.low <= min(values) and axis.high >= max(values)
    assert 1 <= len(axis.ticks) <= 9
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks)


def test_a_chart_draws_its_lines_names_them_and_escapes_words():
    lines = [ChartLine([0, 1], [0, 1], "#123456", "<one>", dots=5), ChartLine([], [], "#654321")]
    figure = plain.chart(lines, ChartAxis(0, 1, "x", (0.0, 1.0)), ChartAxis(0, 1), 'a "b"', over=[Word(1, 1, "<end>")])
    assert 'aria-label="a &quot;b&quot;"' in figure
    assert "&lt;one&gt;" in figure and "&lt;end&gt;" in figure and "<end>" not in figure
    picture = drawn(figure)
    assert "M1.50 98.50L98.50 1.50" in picture and picture.count("h.001") == 2
    assert "#654321" not in picture
