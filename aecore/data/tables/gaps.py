"""Even steps for a model: late rows put in order, doubles merged, gaps filled and irregular time resampled, all said.

What is put in is interpolated so that a model can run across it, and masked so that nobody takes it for measured.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.data.readers.messages import count_of
from aecore.data.tables import timezones as clocks
from aecore.data.tables.table import Signal

COARSE = 0.2  # share of rows at the same time as the row before, from which on the clock is coarser than the rows
MOST_ADDED = 1.0  # rows put in, as a share of those there: a night off must not outgrow the day's log
MOST_RESAMPLED = 2.0  # rows after resampling, as a share of those before

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Regular(NamedTuple):
    """A signal in even steps and what was done to it.

    ``signal`` has T rows, its notes extended; ``filled`` bool [T] marks rows without a measurement of their own, to
    be kept out of events and metrics; ``place`` [rows given] is the row where each given row went; ``spans`` are the
    first and last rows of each filled stretch.
    """

    signal: Signal
    filled: Mask
    place: Rows
    spans: tuple[tuple[int, int], ...]


def regular(signal: Signal) -> Regular:
    """Bring a signal to even steps in time; one that has them comes back as it is, cells filled before marked.

    Mostly regular signals keep every measured row and gain rows in the gaps; irregular ones are resampled by straight
    lines at their median step. Without time, or with a clock that cannot be mended, rows count as even, which is said.
    """
    notes: list[str] = []
    if signal.time is None:
        if signal.sample_rate is None:
            notes.append("Without time, rows are taken as evenly spaced.")
        return _result(signal, _missing(signal), np.arange(len(signal.values)), notes)
    time = clocks.seconds(signal.time)
    steps = np.diff(time)
    if (steps == 0).mean() >= COARSE:
        return _take_as_even(signal, time, notes)
    order = np.argsort(time, kind="stable")
    late = int((np.maximum.accumulate(time) > time).sum())
    if late and not _mostly_regular(np.diff(time[order])):
        notes.append(
            f"Time jumps back and {count_of(late, 'row')} overlap with others, as where recordings are joined; "
            "the file's order is kept and its rows are taken as evenly spaced."
        )
        return _result(signal, _missing(signal), np.arange(len(time)), notes)
    if late:
        notes.append(f"{count_of(late, 'row')} came late and put in order of time.")
    signal, place = _merge_stamps(signal, time, order, notes)
    time = clocks.seconds(signal.time) if signal.time is not None else time
    even = _mostly_regular(np.diff(time))
    signal, filled, moved = _bridge(signal, time, notes) if even else _resample(signal, time, notes)
    return _result(signal, filled, moved[place], notes)


def runs(mask: Mask) -> tuple[tuple[int, int], ...]:
    """Return the first and last row of each stretch where `mask` [T] is set."""
    edges = np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8))
    firsts, lasts = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    return tuple((int(first), int(last)) for first, last in zip(firsts, lasts, strict=True))


def _mostly_regular(steps: Floats) -> bool:
    """Tell whether most steps are like their median, and few are none."""
    forward = steps[steps > 0]
    if forward.size == 0 or (steps == 0).mean() >= COARSE:
        return False
    median = np.median(forward)
    return bool((np.abs(forward - median) <= 0.5 * median).sum() >= clocks.REGULAR * steps.size)


def _take_as_even(signal: Signal, time: Floats, notes: list[str]) -> Regular:
    """Take rows as even where several share each stamp: merging them would throw measurements away."""
    span = float(time.max() - time.min())
    rate = clocks.rate_of(span / (len(time) - 1)) if (np.diff(time) >= 0).all() else None
    notes.append("Stamps are coarser than the rows, which are taken as evenly spaced between them.")
    rows = np.arange(len(time))
    return _result(signal._replace(sample_rate=rate or signal.sample_rate), _missing(signal), rows, notes)


def _merge_stamps(signal: Signal, time: Floats, order: Rows, notes: list[str]) -> tuple[Signal, Rows]:
    """Put rows in order and make one of those at the same time: the mean, marked if one of them is."""
    first = np.concatenate([[True], np.diff(time[order]) > 0])  # [rows given]
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.cumsum(first) - 1
    starts = np.flatnonzero(first)
    double = len(order) - len(starts)
    if double == 0 and (np.diff(order) == 1).all():
        return signal, place
    if double:
        notes.append(f"{count_of(double, 'row')} at the same time as another; such rows became their mean.")
    counts = np.diff(np.append(starts, len(order)))[:, None]
    values = np.add.reduceat(signal.values[order], starts, axis=0) / counts
    labels = None if signal.labels is None else np.maximum.reduceat(signal.labels[order], starts)
    missing = np.logical_and.reduceat(_missing(signal)[order], starts)
    assert signal.time is not None
    return signal._replace(values=values, time=signal.time[order][starts], labels=labels, missing=missing), place


def _bridge(signal: Signal, time: Floats, notes: list[str]) -> tuple[Signal, Mask, Rows]:
    """Put rows into steps longer than usual, as many as are missing; measured rows stay as they are."""
    steps = np.diff(time)
    usual = float(np.median(steps))
    extra = np.minimum(np.rint(steps / usual), 1e9).astype(np.int64).clip(1) - 1  # rows missing after each
    gaps, limit = int((extra > 0).sum()), int(MOST_ADDED * len(time))
    missing = int(extra.sum())
    if missing > limit:
        extra = np.minimum(extra, max(1, limit // gaps))
    place = np.arange(len(time)) + np.concatenate([[0], np.cumsum(extra)])
    filled = np.ones(len(time) + int(extra.sum()), dtype=np.bool_)
    filled[place] = _missing(signal)
    rate = signal.sample_rate or clocks.rate_of(float(steps[extra == 0].mean()))
    if not gaps:
        return signal._replace(sample_rate=rate), filled, place
    at = int(np.argmax(steps))
    short = "" if missing <= limit else f" (of {missing:,} that would be, so that long gaps are drawn shorter)"
    notes.append(
        f"{count_of(gaps, 'gap')} in time, the longest {steps[at]:,.4g} s after row {at:,}: "
        f"{count_of(int(extra.sum()), 'row')} put in by straight lines{short}."
    )
    rows = np.arange(len(filled), dtype=np.float64)
    return _between(signal, rows, place.astype(np.float64), place, rate), filled, place


def _resample(signal: Signal, time: Floats, notes: list[str]) -> tuple[Signal, Mask, Rows]:
    """Lay rows at the median step over the whole time; those further than it from any measured row count as filled."""
    span = float(time[-1] - time[0])
    step = max(float(np.median(np.diff(time))), span / (MOST_RESAMPLED * len(time)))
    grid = time[0] + step * np.arange(int(span / step + 1e-9) + 1)
    right = np.searchsorted(time, grid).clip(1, len(time) - 1)
    nearest = np.where(grid - time[right - 1] <= time[right] - grid, right - 1, right)
    filled = (np.abs(time[nearest] - grid) > step) | _missing(signal)[nearest]
    place = np.rint((time - time[0]) / step).astype(np.int64).clip(0, len(grid) - 1)
    notes.append(
        f"Steps in time differ too much to be taken as even: resampled by straight lines every {step:.4g} s, "
        f"{count_of(len(time), 'row')} to {len(grid):,}."
    )
    even = _between(signal, grid, time, None, clocks.rate_of(step))
    labels = None if signal.labels is None else signal.labels[nearest]
    return even._replace(labels=labels), np.asarray(filled), place


def _between(signal: Signal, x: Floats, known: Floats, place: Rows | None, rate: float | None) -> Signal:
    """Draw straight lines through values and time at `known` and read them at `x`, exact in the rows of `place`."""
    values = np.column_stack([np.interp(x, known, column) for column in signal.values.T])
    labels = None if signal.labels is None else (np.interp(x, known, signal.labels) == 1).astype(np.int8)
    assert signal.time is not None
    time = np.interp(x, known, clocks.seconds(signal.time))
    if np.issubdtype(signal.time.dtype, np.datetime64):
        stamps = signal.time[0] + np.rint(time * 1e9).astype("timedelta64[ns]")
        if place is not None:
            stamps[place] = signal.time
        return signal._replace(values=values, time=stamps, labels=labels, sample_rate=rate)
    if place is not None:
        time[place] = signal.time
    return signal._replace(values=values, time=time, labels=labels, sample_rate=rate)


def _missing(signal: Signal) -> Mask:
    return np.zeros(len(signal.values), dtype=np.bool_) if signal.missing is None else signal.missing


def _result(signal: Signal, filled: Mask, place: Rows, notes: list[str]) -> Regular:
    signal = signal._replace(missing=filled, notes=(*signal.notes, *notes))
    return Regular(signal, filled, place, runs(filled))
