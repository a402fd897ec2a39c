"""The strips' Python half: what travels is thinned, and shades what the detector finds, to a pixel."""

import json
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aecore.anomaly.events import close_dips, counts, merge_runs, runs
from aecore.anomaly.thresholds import LogScores, log_score_threshold
from aecore.figures.sensors import SCREEN_BINS, SensorScene, SignalAxis, TimeAxis, outline
from pages.ui.components import strips

SCORES = arrays(np.float32, st.integers(1, 60), elements=st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0]))


@settings(deadline=None, max_examples=200)
@given(SCORES, st.integers(0, 70))
def test_closed_scores_have_the_events_of_every_threshold(scores, gap):
    joined = close_dips(scores, gap)
    levels = np.array([-1, 0, 0.5, 1, 2, 3.5, 4, 5], np.float32)
    found = [merge_runs(runs(scores > level), gap) for level in levels]
    for level, events in zip(levels, found, strict=True):
        assert runs(joined > level) == events
    assert counts(joined, levels).tolist() == [len(events) for events in found]


def test_more_deviations_are_a_higher_threshold_and_the_same_one():
    scores = np.exp(np.random.default_rng(0).normal(size=500)) + np.linspace(0, 1, 500)
    for memory, kind in ((1, scores), (40, scores), (1, np.linspace(1, 2, 500))):  # the last one has no tail
        logs = LogScores.of(kind, memory)
        values = [logs.threshold(s) for s in np.arange(1, 10, 0.05)]
        assert (np.diff(values) > 0).all()
        assert logs.threshold(3.0) == log_score_threshold(kind, 3.0, memory=memory)


def sent(scene, levels=None, joined=None, bins=50):
    message = strips.pack(outline(scene, joined, bins), levels)
    (length,) = struct.unpack_from("<I", message)

    def array(part):
        kind = np.dtype(part["type"]).newbyteorder("<")
        return np.frombuffer(message, kind, int(np.prod(part["shape"])), 4 + length + part["at"])

    return json.loads(message[4 : 4 + length]), array, len(message)


@pytest.mark.parametrize("view", [(0, 4321), (1000, 1080), (4000, 4002)])
def test_a_bin_is_shaded_where_a_row_of_it_is_in_an_event(view):
    rng = np.random.default_rng(1)
    values, scores = rng.normal(size=(4321, 2)), np.exp(np.cumsum(rng.normal(size=4321)) / 9).astype(np.float32)
    joined = close_dips(scores, 12)
    levels = strips.Levels(
        np.quantile(scores, [0.2, 0.6, 0.9, 0.999]).astype(np.float32), np.zeros(4, int), list("abcd")
    )
    scene = SensorScene(
        clock=TimeAxis.of(None, 4321), values=values, channels=["a", "b"], normal=(0, 99), view=view,
        missing=(np.arange(4321) >= 50) & (np.arange(4321) <= 60), rebuilt=values, scores=scores,
    )  # fmt: skip
    header, array, _ = sent(scene, levels, joined)
    span = view[1] - view[0] - 1
    first, last = (np.rint(array(header[part]) * span).astype(int) + view[0] for part in ("from", "to"))
    assert (first[0], last[-1]) == (view[0], view[1] - 1)
    assert (first[1:] == last[:-1] + 1).all()
    for level in levels.values:
        inside = np.zeros(4321, bool)
        for a, b in merge_runs(runs(scores > level), 12):
            inside[a : b + 1] = True
        expected = [inside[a : b + 1].any() for a, b in zip(first, last, strict=True)]
        assert (array(header["score"]["joined"]) > level).tolist() == expected
    assert ("rebuilt" in header["channels"][0]) == (span < 100)
    filled = [any(50 <= row <= 60 for row in range(a, b + 1)) for a, b in zip(first, last, strict=True)]
    assert array(header["filled"]).tolist() == filled
    assert (header["x"]["low"], header["x"]["high"]) == (view[0], view[1] - 1)


def test_a_long_signal_takes_no_larger_message():
    sizes = []
    for length in (50_000, 400_000):
        time = np.datetime64("2026-01-01", "ns") + np.arange(length) * np.timedelta64(1, "s")
        values = np.random.default_rng(2).normal(size=(length, 3))
        scene = SensorScene(
            clock=TimeAxis.of(time, length), values=values, channels=["a", "b", "c"], normal=(0, 9), view=(0, length),
            rebuilt=values,
        )  # fmt: skip
        header, _, size = sent(scene, bins=SCREEN_BINS)
        sizes.append(size)
        assert "score" not in header
        assert header["x"]["high"] - header["x"]["low"] == 1000 * (length - 1)
    assert max(sizes) < 60_000
    assert abs(sizes[0] - sizes[1]) < 2_000


@pytest.mark.parametrize("length", [2, 7, 999, 1000, 1001, 54_321])
def test_a_stretch_of_the_axis_is_found_without_the_clock(length):
    """Against every row's own place, as the clock itself tells it."""
    rng = np.random.default_rng(length)
    clock = TimeAxis.of(np.cumsum(rng.exponential(size=length)), length)
    x, axis = clock.at(slice(None)), SignalAxis.of(clock)
    for start, end in np.sort(rng.uniform(x[0] - 1, x[-1] + 1, (200, 2))).tolist():
        first, last = np.searchsorted(x, [start, end])
        found = axis.percent(start, end)
        assert found == (first * 1000 // length / 10, -(-last * 1000 // length) / 10)
