"""One path from any table to a `Signal`: names, labels, time, numbers, gaps, each step noted in a sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore.data.readers.messages import clean_names, count_of, list_names, quote
from aecore.data.readers.options import ReadOptions
from aecore.data.tables import labels
from aecore.data.tables import timezones as clocks
from aecore.data.tables.cells import to_float
from aecore.errors import DataError, TooFewRows, UnreadableFile

MAX_COLUMNS = 1_000  # beyond, reading is stopped before it starts
MAX_CELLS = 20_000_000  # 160 MB as float64
MAX_CHANNELS = 200  # more is a matrix, not a log; a windowed model of it would not fit a visitor's share
MIN_ROWS = 2  # below that there is no step; what a model needs beyond is the model's to say
LARGEST = float(np.finfo(np.float32).max)  # the models compute in float32: beyond, a value is as good as infinite

COUNTER_NAMES = re.compile(r"index|idx|id|row(_number)?|sample(_number)?|n|no|nr|number|#|unnamed:_0")


class Table(NamedTuple):
    """What a reader hands over: cells as they came, and how numbers are written where cells are text."""

    frame: pd.DataFrame  # columns 0..N-1
    names: tuple[str, ...]  # "" where the file names no column
    notes: tuple[str, ...] = ()
    decimal: str = "."
    thousands: str | None = None
    sample_rate: float | None = None  # Hz, where the file itself states it


class Roles(NamedTuple):
    """Which column played which part: what a visitor may put right by `ReadOptions`."""

    columns: tuple[str, ...]  # all of the file's, as they are called here
    time: str | None
    label: str | None


class Signal(NamedTuple):
    """A recording ready for a model.

    ``values`` float64 [T, C], finite, in the file's units; ``channels`` C names; ``time`` [T], datetime64[ns] (UTC
    where the file gives an offset) or float64 seconds, or None; ``sample_rate`` Hz, None unless the steps are regular;
    ``notes`` one sentence each; ``labels`` int8 [T] of 0 and 1, or None; ``missing`` bool [T], True in rows where a
    value was filled in, None where nobody looked; ``roles`` says which columns of the file these are.
    """

    values: NDArray[np.float64]
    channels: tuple[str, ...]
    time: NDArray[np.datetime64] | NDArray[np.float64] | None
    sample_rate: float | None
    notes: tuple[str, ...]
    labels: NDArray[np.int8] | None = None
    missing: NDArray[np.bool_] | None = None
    roles: Roles | None = None


def to_signal(name: str, table: Table, options: ReadOptions | None = None) -> Signal:
    """Turn a table into a signal; `name` is the file's, for messages; `options` outrank what is sniffed.

    Raises `UnreadableFile` where no column holds numbers, `DataError` above 200 channels and for options that name
    columns that are not there, `TooFewRows` below two rows.
    """
    options = options or ReadOptions()
    notes = list(table.notes)
    names = clean_names(table.names)
    _all_there(options, names)
    frame = _without_empty_tail(table.frame, notes)
    if len(frame) < MIN_ROWS:
        raise TooFewRows(
            f"{quote(name)} holds {count_of(len(frame), 'row')} of values; "
            f"a signal needs at least {MIN_ROWS}, so export a longer piece."
        )
    columns = {names[i]: frame.iloc[:, i] for i in range(frame.shape[1])}
    keep = options.channels or ()
    marked = labels.take(columns, notes, wanted=options.label, keep=(*keep, options.time))
    clock = clocks.take(columns, notes, named=any(table.names), wanted=options.time, unit=options.time_unit, keep=keep)
    roles = Roles(names, clock.name if clock else None, marked.name if marked else None)
    if not keep:
        _drop_counter(columns, dict(zip(names, table.names, strict=True)), notes)
    values, channels = _numbers(name, columns if not keep else {key: columns[key] for key in keep}, table, notes)
    if len(channels) < len(keep):
        lost = [key for key in keep if key not in channels]
        raise DataError(f"{quote(name)} holds no numbers in {list_names(lost)}; choose other channels.")
    values, missing = _fill(values, channels, notes)
    time, marks = clock.time if clock else None, marked.marks if marked else None
    if clock and clock.descending:
        values, missing = values[::-1], missing[::-1]
        marks = None if marks is None else marks[::-1]
    rate = table.sample_rate
    if options.sample_rate is not None:
        if clock:
            notes.append(f"Time in {quote(clock.name)} set aside: rows count at {options.sample_rate:g} Hz, as asked.")
        time, rate = None, options.sample_rate
    elif time is not None:
        rate = clocks.sample_rate(time, notes)
    return Signal(np.ascontiguousarray(values), channels, time, rate, tuple(notes), marks, missing, roles)


def bounded(name: str, rows: int, columns: int) -> None:
    """Refuse a table too large to hold, before it is read."""
    if columns > MAX_COLUMNS:
        raise UnreadableFile(
            f"{quote(name)} holds {columns:,} columns, and at most {MAX_CHANNELS} channels are taken; "
            "keep the columns that matter."
        )
    if rows * columns > MAX_CELLS:
        raise UnreadableFile(
            f"{quote(name)} holds about {rows:,} rows of {count_of(columns, 'column')}, "
            f"more than the {MAX_CELLS:,} cells that are taken; keep the columns that matter, or every n-th row."
        )


def _all_there(options: ReadOptions, names: Sequence[str]) -> None:
    """Refuse options that name columns which the file does not have: they were meant for another file."""
    asked = [key for key in (options.time, options.label, *(options.channels or ())) if key]
    unknown = [key for key in asked if key not in names]
    if unknown:
        raise DataError(
            f"No column is called {list_names(map(quote, unknown))}; the columns are {list_names(names, most=10)}, "
            "so choose among these."
        )


def _without_empty_tail(frame: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Cut rows with no cell filled off the end: spreadsheets leave them behind."""
    if len(frame) == 0 or not frame.iloc[-1].isna().all():
        return frame
    filled = np.flatnonzero(frame.notna().any(axis=1).to_numpy())
    kept = int(filled[-1]) + 1 if filled.size else 0
    notes.append(f"{count_of(len(frame) - kept, 'empty row')} at the end left out.")
    return frame.iloc[:kept]


def _drop_counter(columns: dict[str, pd.Series], given: Mapping[str, str], notes: list[str]) -> None:
    """Drop a leading column that only counts the rows."""
    if len(columns) < 2:
        return
    name, column = next(iter(columns.items()))
    key = re.sub(r"\s+", "_", name.lower())
    telling = COUNTER_NAMES.fullmatch(key) or given[name].strip() == ""
    if telling and pd.api.types.is_integer_dtype(column) and (np.diff(column.to_numpy()) == 1).all():
        del columns[name]
        notes.append(f"{quote(name)} only counts the rows and is left out.")


def _numbers(
    file: str, columns: dict[str, pd.Series], table: Table, notes: list[str]
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return the numeric columns as float64 [T, C], NaN where a cell is missing, and their names."""
    rows = len(next(iter(columns.values()), ()))
    values = np.empty((rows, min(len(columns), MAX_CHANNELS)))  # filled in place: a copy of it would double the memory
    kept: list[str] = []
    text, empty, huge = [], [], 0
    for name, column in columns.items():
        numbers, spoilt = to_float(column, table.decimal, table.thousands)
        if numbers is None:
            text.append(name)
            continue
        if spoilt:
            notes.append(f"{count_of(spoilt, 'cell')} of {quote(name)} without a number, taken as gaps.")
        beyond = (numbers > LARGEST) | (numbers < -LARGEST)
        huge += int(beyond.sum())
        numbers[beyond] = np.nan
        if np.isnan(numbers).all():
            empty.append(name)
            continue
        if len(kept) < MAX_CHANNELS:
            values[:, len(kept)] = numbers
        kept.append(name)
        del numbers  # before the next column takes as much
    if text:
        notes.append(f"Without numbers, left out: {list_names(text)}.")
    if empty:
        notes.append(f"Without any value, left out: {list_names(empty)}.")
    if huge:
        notes.append(f"{count_of(huge, 'infinite or huge value')} (beyond 3.4e38) taken as gaps.")
    if not kept:
        raise UnreadableFile(
            f"{quote(file)} holds no column of numbers besides time and labels; "
            "export the measurements as numbers, one column a channel."
        )
    if len(kept) > MAX_CHANNELS:
        raise DataError(
            f"{quote(file)} holds {len(kept):,} channels, and at most {MAX_CHANNELS} are taken; "
            "keep the columns that matter."
        )
    return np.ascontiguousarray(values[:, : len(kept)]), tuple(kept)


def _fill(
    values: NDArray[np.float64], channels: Sequence[str], notes: list[str]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Fill gaps along each channel by straight lines, hold the ends, and return which rows had one."""
    gaps = np.isnan(values)  # [T, C]
    holes = [int(c) for c in np.flatnonzero(gaps.any(axis=0))]
    rows = np.arange(len(values) if holes else 0)
    for c in holes:
        known = ~gaps[:, c]
        values[~known, c] = np.interp(rows[~known], rows[known], values[known, c])
    missing = np.asarray(gaps.any(axis=1), dtype=np.bool_)
    if missing.any():
        holed = [f"{channels[c]} ({int(gaps[:, c].sum()):,})" for c in holes]
        notes.append(
            f"{count_of(int(gaps.sum()), 'gap')} in {count_of(int(missing.sum()), 'row')} filled by straight lines: "
            f"{list_names(holed)}."
        )
    still = [channel for channel, span in zip(channels, np.ptp(values, axis=0), strict=True) if span == 0]
    if still:
        notes.append(f"Constant throughout: {list_names(still)}.")
    return values, missing
