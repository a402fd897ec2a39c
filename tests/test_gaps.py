import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aecore.data.readers import uploads
from aecore.data.tables import timezones as clocks
from aecore.data.tables.gaps import regular, runs
from aecore.data.tables.table import Signal


def line(time, labels=None, missing=None, rate=None):
    """Two channels that are straight lines in time, so that interpolation has one right answer."""
    seconds = clocks.seconds(np.asarray(time))
    values = np.column_stack([2.0 * seconds + 1.0, -seconds])
    return Signal(values, ("a", "b"), np.asarray(time), rate, ("Read.",), labels, missing)


def test_even_steps_come_back_untouched():
    given_ = line(np.arange(50.0), rate=1.0)
    found = regular(given_)
    np.testing.assert_array_equal(found.signal.values, given_.values)
    np.testing.assert_array_equal(found.place, np.arange(50))
    assert found.signal.notes == ("Read.",)
    assert found.signal.sample_rate == 1.0
    assert not found.filled.any()
    assert found.spans == ()


def test_jitter_is_not_resampled():
    time = np.arange(200.0) + np.random.default_rng(0).uniform(-0.2, 0.2, 200)
    found = regular(line(time))
    np.testing.assert_array_equal(found.signal.time, time)
    assert found.signal.sample_rate == pytest.approx(1.0, rel=0.01)


@pytest.mark.parametrize("dates", [False, True])
def test_gaps_are_filled_and_said(dates):
    kept = np.r_[0:10, 13:30, 31:40]
    time = kept * 0.5
    if dates:
        time = np.datetime64("2024-01-01", "ns") + (kept * 500_000_000).astype("timedelta64[ns]")
    found = regular(line(time))
    whole = line(np.arange(40) * 0.5)
    np.testing.assert_allclose(found.signal.values, whole.values, rtol=1e-12)
    np.testing.assert_allclose(clocks.seconds(found.signal.time), whole.time, rtol=1e-12)
    np.testing.assert_array_equal(found.signal.time[found.place], time)
    np.testing.assert_array_equal(found.place, kept)
    assert np.flatnonzero(found.filled).tolist() == [10, 11, 12, 30]
    assert found.spans == ((10, 12), (30, 30))
    assert found.signal.sample_rate == 2.0
    assert "2 gaps in time, the longest 2 s after row 9: 4 rows put in by straight lines." in found.signal.notes


def test_labels_across_a_gap_hold_only_where_both_ends_are_marked():
    kept = np.r_[0:10, 12:20, 23:30]
    labels = np.isin(np.arange(30), np.r_[8:16])[kept].astype(np.int8)
    labels[kept == 23] = 1
    found = regular(line(kept.astype(float), labels=labels))
    assert np.flatnonzero(found.signal.labels).tolist() == [*range(8, 16), 23]
    assert found.signal.labels.dtype == np.int8


def test_cells_filled_before_stay_marked():
    missing = np.arange(20) == 5
    kept = np.r_[0:10, 12:22]
    assert np.flatnonzero(regular(line(kept.astype(float), missing=missing)).filled).tolist() == [5, 10, 11]
    assert np.flatnonzero(regular(line(np.arange(20.0), missing=missing)).filled).tolist() == [5]


def test_a_night_off_is_drawn_shorter():
    time = np.r_[0:100, 100_000:100_100].astype(float)
    found = regular(line(time))
    assert len(found.filled) == 400
    assert found.spans == ((100, 299),)
    assert (np.diff(found.signal.time) > 0).all()
    assert "200 rows put in by straight lines (of 99,900 that would be" in found.signal.notes[-1]


def test_doubles_become_their_mean():
    signal = line(np.array([0.0, 1, 2, 3, 3, 4, 5, 6, 7, 8, 9]), labels=np.arange(11) == 3)
    signal.values[3, 0] += 6
    found = regular(signal)
    assert found.signal.values[:, 0].tolist() == [1, 3, 5, 10, 9, 11, 13, 15, 17, 19]
    assert found.place.tolist() == [0, 1, 2, 3, 3, 4, 5, 6, 7, 8, 9]
    assert np.flatnonzero(found.signal.labels).tolist() == [3]
    assert "1 row at the same time as another" in found.signal.notes[-1]


def test_late_rows_are_put_in_order():
    order = np.arange(40)
    order[[10, 14]] = order[[14, 10]]
    found = regular(line(order.astype(float)))
    np.testing.assert_array_equal(found.signal.time, np.arange(40.0))
    np.testing.assert_array_equal(found.signal.values, line(np.arange(40.0)).values)
    np.testing.assert_array_equal(found.place, order)
    assert "came late" in found.signal.notes[-1]


def test_joined_recordings_are_not_interleaved():
    signal = line(np.r_[0:30, 0:30].astype(float))
    found = regular(signal)
    np.testing.assert_array_equal(found.signal.values, signal.values)
    assert not found.filled.any()
    assert "as where recordings are joined" in found.signal.notes[-1]


def test_a_clock_coarser_than_the_rows_loses_none():
    found = regular(line(np.repeat(np.arange(20.0), 10)))
    assert len(found.signal.values) == 200
    assert found.signal.sample_rate == pytest.approx(199 / 19, rel=1e-5)
    assert "Stamps are coarser" in found.signal.notes[-1]


def test_irregular_time_is_resampled():
    time = np.cumsum(np.random.default_rng(0).exponential(size=400))
    found = regular(line(time))
    steps = np.diff(found.signal.time)
    np.testing.assert_allclose(steps, steps[0])
    assert found.signal.sample_rate == pytest.approx(1 / steps[0], rel=1e-5)
    np.testing.assert_allclose(found.signal.values, line(found.signal.time).values)
    assert np.abs(found.signal.time[found.place] - time).max() <= 0.5 * steps[0] + 1e-9
    far = np.abs(found.signal.time[:, None] - time).min(1) > steps[0]
    np.testing.assert_array_equal(found.filled, far)
    assert far.any()
    assert "resampled by straight lines" in found.signal.notes[-1]


def test_wild_time_does_not_outgrow_its_rows():
    found = regular(line(2.0 ** np.arange(40)))
    assert len(found.filled) <= 81
    assert np.isfinite(found.signal.values).all()


def test_without_time_nothing_is_done_and_that_is_said():
    signal = line(np.arange(5.0))._replace(time=None)
    assert regular(signal).signal.notes[-1] == "Without time, rows are taken as evenly spaced."
    assert regular(signal._replace(sample_rate=50.0)).signal.notes == ("Read.",)


def test_runs():
    assert runs(np.array([1, 1, 0, 0, 1, 0, 1], dtype=bool)) == ((0, 1), (4, 4), (6, 6))
    assert runs(np.zeros(3, dtype=bool)) == ()


def test_from_a_file():
    text = "time,v\n" + "".join(f"2024-01-01 00:00:{s:02d},{s}.5\n" for s in [*range(10), *range(15, 40)])
    found = regular(uploads.read("a.csv", text.encode()))
    np.testing.assert_allclose(found.signal.values[:, 0], np.arange(40) + 0.5)
    assert found.spans == ((10, 14),)


@example(time=[0.0, 2.2e-309], dates=False, tidy=False)  # a rate beyond all numbers
@settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
@given(
    time=st.lists(st.one_of(st.integers(0, 30).map(float), st.floats(-1e12, 1e12)), min_size=2, max_size=40),
    dates=st.booleans(),
    tidy=st.booleans(),
)
def test_any_time_at_all(time, dates, tidy):
    clock = np.array(sorted(time) if tidy else time)
    if dates:
        clock = np.datetime64("2024-01-01", "ns") + (clock % 1e6 * 1e9).astype(np.int64).astype("timedelta64[ns]")
    missing = np.arange(len(time)) % 7 == 3
    found = regular(line(clock, labels=missing.astype(np.int8), missing=missing))
    rows = len(found.signal.values)
    assert rows <= 2 * len(time) + 1
    assert np.isfinite(found.signal.values).all()
    assert len(found.filled) == len(found.signal.time) == len(found.signal.labels) == rows
    assert found.place.shape == (len(time),)
    assert found.place.min() >= 0
    assert found.place.max() < rows
    assert sum(last - first + 1 for first, last in found.spans) == found.filled.sum()
    assert found.signal.sample_rate is None or 0 < found.signal.sample_rate < np.inf
    assert all(note.endswith(".") for note in found.signal.notes)
