"""One path from any table to a `Signal`: names, labels, time, numbers, gaps, each step noted in a sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore.data import clocks
from aecore.data.wording import clean_names, counted, listed, shown
from aecore.errors import DataError, TooFewRows, UnreadableFile

MAX_CHANNELS = 200  # more is a matrix, not a log; a windowed model of it would not fit a visitor's share
MIN_ROWS = 2  # below that there is no step; what a model needs beyond is the model's to say
MOSTLY = 0.5  # share of a column's filled cells that must be numbers for it to count as numeric
LONGEST = 100  # characters of a cell that may be a number
LARGEST = float(np.finfo(np.float32).max)  # the models compute in float32: beyond, a value is as good as infinite

LABEL_NAMES = re.compile(r"labels?|(is_?)?(anomal(y|ies|ous)|outliers?|fault|attack)|anomaly_label|ground_truth")
CHANGEPOINT_NAMES = re.compile(r"(is_?)?change_?points?")
COUNTER_NAMES = re.compile(r"index|idx|id|row(_number)?|sample(_number)?|n|no|nr|number|#|unnamed:_0")


class Table(NamedTuple):
    """What a reader hands over: cells as they came, and how numbers are written where cells are text."""

    frame: pd.DataFrame  # columns 0..N-1
    names: tuple[str, ...]  # "" where the file names no column
    notes: tuple[str, ...] = ()
    decimal: str = "."
    thousands: str | None = None


class Signal(NamedTuple):
    """A recording ready for a model.

    ``values`` float64 [T, C], finite, in the file's units; ``channels`` C names; ``time`` [T], datetime64[ns] (UTC
    where the file gives an offset) or float64 seconds, or None; ``sample_rate`` Hz, None unless the steps are regular;
    ``notes`` one sentence each; ``labels`` int8 [T] of 0 and 1, or None; ``missing`` bool [T], True in rows where a
    value was filled in, None where nobody looked.
    """

    values: NDArray[np.float64]
    channels: tuple[str, ...]
    time: NDArray[np.datetime64] | NDArray[np.float64] | None
    sample_rate: float | None
    notes: tuple[str, ...]
    labels: NDArray[np.int8] | None = None
    missing: NDArray[np.bool_] | None = None


def to_signal(name: str, table: Table) -> Signal:
    """Turn a table into a signal; `name` is the file's, for messages.

    Raises `UnreadableFile` where no column holds numbers, `DataError` above 200 channels, `TooFewRows` below two rows.
    """
    notes = list(table.notes)
    names = clean_names(table.names)
    frame = _without_empty_tail(table.frame, notes)
    if len(frame) < MIN_ROWS:
        raise TooFewRows(
            f"{shown(name)} holds {counted(len(frame), 'row')} of values; "
            f"a signal needs at least {MIN_ROWS}, so export a longer piece."
        )
    columns = {names[i]: frame.iloc[:, i] for i in range(frame.shape[1])}
    labels = _take_labels(columns, notes)
    clock = clocks.take(columns, named=any(table.names), notes=notes)
    _drop_counter(columns, table.names, notes)
    values, channels = _numbers(name, columns, table, notes)
    values, missing = _fill(values, channels, notes)
    time, backwards = (clock.time, clock.descending) if clock else (None, False)
    if backwards:
        values, missing = values[::-1], missing[::-1]
        labels = None if labels is None else labels[::-1]
    sample_rate = clocks.sample_rate(time, notes) if time is not None else None
    return Signal(np.ascontiguousarray(values), channels, time, sample_rate, tuple(notes), labels, missing)


def _without_empty_tail(frame: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Cut rows with no cell filled off the end: spreadsheets leave them behind."""
    if len(frame) == 0 or not frame.iloc[-1].isna().all():
        return frame
    filled = np.flatnonzero(frame.notna().any(axis=1).to_numpy())
    kept = int(filled[-1]) + 1 if filled.size else 0
    notes.append(f"{counted(len(frame) - kept, 'empty row')} at the end left out.")
    return frame.iloc[:kept]


def _take_labels(columns: dict[str, pd.Series], notes: list[str]) -> NDArray[np.int8] | None:
    """Take 0/1 columns of a telling name out of the values; the first that marks anomalies becomes the labels."""
    labels = None
    for name in list(columns):
        key = re.sub(r"[\s-]+", "_", name.lower())
        telling = LABEL_NAMES.fullmatch(key)
        if not (telling or CHANGEPOINT_NAMES.fullmatch(key)):
            continue
        marks, _ = _to_float(columns[name], ".", None)
        if marks is None or np.isnan(marks).all() or not np.isin(marks[~np.isnan(marks)], (0.0, 1.0)).all():
            continue
        del columns[name]
        if telling and labels is None:
            labels = np.nan_to_num(marks).astype(np.int8)
            notes.append(
                f"{shown(name)} taken as labels ({counted(int(labels.sum()), 'row')} marked), not as a channel."
            )
        else:
            notes.append(f"{shown(name)} holds marks, not measurements, and is left out.")
    return labels


def _drop_counter(columns: dict[str, pd.Series], given: Sequence[str], notes: list[str]) -> None:
    """Drop a leading column that only counts the rows."""
    if len(columns) < 2:
        return
    name, column = next(iter(columns.items()))
    key = re.sub(r"\s+", "_", name.lower())
    telling = COUNTER_NAMES.fullmatch(key) or given[0].strip() == ""
    if telling and pd.api.types.is_integer_dtype(column) and (np.diff(column.to_numpy()) == 1).all():
        del columns[name]
        notes.append(f"{shown(name)} only counts the rows and is left out.")


def _numbers(
    file: str, columns: dict[str, pd.Series], table: Table, notes: list[str]
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return the numeric columns as float64 [T, C], NaN where a cell is missing, and their names."""
    kept: dict[str, NDArray[np.float64]] = {}
    text, empty, huge = [], [], 0
    for name, column in columns.items():
        numbers, spoilt = _to_float(column, table.decimal, table.thousands)
        if numbers is None:
            text.append(name)
            continue
        if spoilt:
            notes.append(f"{counted(spoilt, 'cell')} of {shown(name)} without a number, taken as gaps.")
        beyond = np.abs(numbers) > LARGEST
        huge += int(beyond.sum())
        numbers[beyond] = np.nan
        if np.isnan(numbers).all():
            empty.append(name)
        else:
            kept[name] = numbers
    if text:
        notes.append(f"Without numbers, left out: {listed(text)}.")
    if empty:
        notes.append(f"Without any value, left out: {listed(empty)}.")
    if huge:
        notes.append(f"{counted(huge, 'infinite or huge value')} (beyond 3.4e38) taken as gaps.")
    if not kept:
        raise UnreadableFile(
            f"{shown(file)} holds no column of numbers besides time and labels; "
            "export the measurements as numbers, one column a channel."
        )
    if len(kept) > MAX_CHANNELS:
        raise DataError(
            f"{shown(file)} holds {len(kept):,} channels, and at most {MAX_CHANNELS} are taken; "
            "keep the columns that matter."
        )
    return np.column_stack(list(kept.values())), tuple(kept)


def _to_float(column: pd.Series, decimal: str, thousands: str | None) -> tuple[NDArray[np.float64] | None, int]:
    """Return (numbers [T] or None where the column is not numeric, how many filled cells held no number)."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_complex_dtype(column):
        return column.to_numpy(dtype=np.float64, na_value=np.nan, copy=True), 0
    if column.isna().all():
        return np.full(len(column), np.nan), 0
    if not (pd.api.types.is_string_dtype(column) or column.dtype == object):
        return None, 0
    text = column.astype("str").str.strip().where(column.notna())
    numbers = parse_numbers(text, decimal, thousands)
    filled = int(text.notna().sum())
    found = int((~np.isnan(numbers)).sum())
    return (numbers, filled - found) if found >= MOSTLY * filled and found else (None, 0)


def parse_numbers(text: pd.Series, decimal: str, thousands: str | None) -> NDArray[np.float64]:
    """Return the numbers written in `text` [T] as float64, NaN where a cell holds none.

    Thousands are taken out only where they stand in groups of three; blanks and apostrophes always may.
    """
    text = text.where(text.str.len() <= LONGEST)
    marks = " '\u00a0\u202f" + (thousands or "")
    tail = rf"(?:{re.escape(decimal)}\d*)?(?:[eE][+-]?\d+)?"
    grouped = text.str.fullmatch(rf"[+-]?\d{{1,3}}(?:[{re.escape(marks)}]\d{{3}})+{tail}").fillna(False).astype(bool)
    if grouped.any():
        bare = text[grouped]
        for mark in marks:
            bare = bare.str.replace(mark, "", regex=False)
        text = text.where(~grouped, bare.reindex(text.index))
    if decimal != ".":
        text = text.str.replace(decimal, ".", regex=False)
    return np.array(pd.to_numeric(text, errors="coerce"), dtype=np.float64)  # a copy: pandas' own may be read-only


def _fill(
    values: NDArray[np.float64], channels: Sequence[str], notes: list[str]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Fill gaps along each channel by straight lines, hold the ends, and return which rows had one."""
    gaps = np.isnan(values)  # [T, C]
    holes = [int(c) for c in np.flatnonzero(gaps.any(axis=0))]
    rows = np.arange(len(values))
    for c in holes:
        known = ~gaps[:, c]
        values[~known, c] = np.interp(rows[~known], rows[known], values[known, c])
    missing = np.asarray(gaps.any(axis=1), dtype=np.bool_)
    if missing.any():
        holed = [f"{channels[c]} ({int(gaps[:, c].sum()):,})" for c in holes]
        notes.append(
            f"{counted(int(gaps.sum()), 'gap')} in {counted(int(missing.sum()), 'row')} filled by straight lines: "
            f"{listed(holed)}."
        )
    still = [channel for channel, span in zip(channels, np.ptp(values, axis=0), strict=True) if span == 0]
    if still:
        notes.append(f"Constant throughout: {listed(still)}.")
    return values, missing
