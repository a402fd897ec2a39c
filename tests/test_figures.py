"""Figures as data: what they draw, not how; thinning that loses no spike; every chart a valid specification."""

import numpy as np
import pytest

from aecore.figures import sensors
from aecore.figures.home import kept_against_code_size
from aecore.figures.palette import DARK, LIGHT
from aecore.figures.thinning import extremes
from aecore.figures.training import falling_loss


@pytest.mark.parametrize("length", [1, 2, 1199, 1200, 1201, 100_003])
def test_thinning_keeps_ends_order_and_extremes(length):
    x = np.random.default_rng(length).normal(size=length)
    rows = extremes(x, 600)
    assert rows[0] == 0
    assert rows[-1] == length - 1
    assert (np.diff(rows) > 0).all()
    assert len(rows) <= max(length if length <= 1200 else 0, 2 * 600 + 4)
    assert x[rows].max() == x.max()
    assert x[rows].min() == x.min()


def test_a_spike_one_row_wide_survives():
    x = np.zeros(1_000_000)
    x[777_777] = 5
    assert 777_777 in extremes(x, 600)


def chart(clock, events=(), view=(0, 500), rebuilt=None):
    values = np.column_stack([np.sin(np.arange(500)), np.cos(np.arange(500))])
    scene = sensors.Scene(
        clock=clock, values=values, channels=["a", "<b>"], normal=(0, 100), view=view, events=events,
        filled=[(150, 160)], rebuilt=values * 0.9 if rebuilt else None,
    )  # fmt: skip
    strips = sensors.signal_strips(scene, LIGHT)
    return sensors.stacked(
        [*strips, sensors.score_strip(scene, np.linspace(0.1, 2, 500), 1.0, LIGHT)], brushes=["p", "q", "r"]
    )


def rows_with(spec, name):
    return [row[name] for rows in spec["datasets"].values() for row in rows if name in row]


@pytest.mark.parametrize(
    "time",
    [None, np.arange(500) / 10, np.datetime64("2026-01-01", "ns") + np.arange(500) * np.timedelta64(1, "s")],
)
@pytest.mark.parametrize("count", [0, 2])
def test_strips_are_valid_over_every_clock(time, count):
    spec = chart(sensors.Clock.of(time, 500), [(50, 60), (300, 310)][:count]).to_dict()
    assert len(spec["vconcat"]) == 3
    assert spec["resolve"] == {"scale": {"x": "shared"}}
    assert [drag["name"] for drag in spec["params"]] == ["p", "q", "r"]


def test_the_threshold_is_drawn_where_it_is():
    assert rows_with(chart(sensors.Clock.of(None, 500)).to_dict(), "y") == [1.0, 1.0]


def test_a_view_draws_its_rows_alone_and_cuts_bands_at_its_edges():
    spec = chart(sensors.Clock.of(None, 500), [(50, 60), (190, 400)], view=(155, 300)).to_dict()
    assert {min(rows_with(spec, "x")), max(rows_with(spec, "x"))} == {155, 299}
    assert max(rows_with(spec, "x2")) == 299
    assert 160 in rows_with(spec, "x2")
    assert 60 not in rows_with(spec, "x2")


def test_the_rebuilt_signal_is_drawn_when_close_up():
    near, without = (chart(sensors.Clock.of(None, 500), rebuilt=r).to_dict() for r in (True, False))
    assert len(rows_with(near, "value")) == 2 * len(rows_with(without, "value"))


def test_the_channels_that_stand_out_are_drawn():
    excess = np.ones((100, 20))
    excess[50, [3, 17]] = 9
    shown = sensors.standing_out(excess, np.arange(100) == 50)
    assert {3, 17} <= set(shown)
    assert len(shown) == sensors.MAX_STRIPS
    assert shown == sorted(shown)


def test_home_s_curve_says_its_numbers_in_words():
    kept, pca = np.array([-0.01, 0.3, 0.6]), np.array([0.0, 0.2, 0.4])
    chart, words = kept_against_code_size(kept, pca, 1, DARK)
    assert words.startswith("1 number keeps 30%")
    assert "20%" in words
    rows = [row for data in chart.to_dict()["datasets"].values() for row in data if "kept" in row]
    assert min(row["kept"] for row in rows) == 0  # a share below nothing is drawn as nothing


def test_the_loss_has_room_for_the_epochs_to_come():
    spec = falling_loss([3, 2, 1.5], 20, LIGHT).to_dict()
    assert spec["encoding"]["x"]["scale"]["domain"] == [1, 20]


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_colours_of_a_palette_differ(palette):
    assert len(set(palette)) == len(palette)
