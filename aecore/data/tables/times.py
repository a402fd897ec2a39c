"""A column read as time: dates, clock times, Unix time, or seconds that went by."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore.data.readers.messages import count_of
from aecore.data.readers.options import TIME_UNITS
from aecore.data.tables import dates

SECONDS = TIME_UNITS | {"µs": 1e-6}  # what else a unit is called counts seconds
CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?"  # pandas reads no other digits
SAMPLE = 200  # cells that decide what a column holds: enough to meet a day above 12 in most logs
EPOCHS = ((1.0, "seconds"), (1e3, "milliseconds"), (1e6, "microseconds"), (1e9, "nanoseconds"))
EARLIEST, LATEST = 631_152_000.0, 4_102_444_800.0  # 1990 and 2100 in Unix seconds: no log measures elapsed time so far
FURTHEST = 1e19  # no clock counts further, not even in nanoseconds
FIRST_WRITTEN_OUT, LAST_WRITTEN_OUT = 19_900_101_000_000, 21_000_101_000_000  # YYYYMMDDhhmmss
ENOUGH = 9  # even steps that tell time from chance
MOSTLY = 0.9  # share of cells that must read as time
HALF = 0.5  # share of cells that must hold a date where the file itself says that the column holds dates

Times = NDArray[np.datetime64] | NDArray[np.float64]


def read(
    column: pd.Series, unit: str | None, *, telling: bool, named: bool, given: str | None
) -> tuple[Times | None, str]:
    """Return (time [T], what it was read as), or (None, "") where the column is not time.

    Numbers are only looked at where something else is `telling` (a name, a place, a choice), and must advance evenly
    where nothing is `named`. They count in `unit`, as the column's name has it, unless a unit was `given`.
    """
    if pd.api.types.is_datetime64_any_dtype(column):
        stamps = dates.naive(column)
        return _read_stamps(stamps) if stamps.notna().mean() > HALF else (None, "")
    sample = text_sample(column)
    if sample is not None:
        return _read_text(column, sample)
    if telling and pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
        return _read_numbers(numbers, unit, named=named) if given is None else _read_counted(numbers, given)
    return None, ""


def text_sample(column: pd.Series) -> pd.Series | None:
    """Return up to 200 filled cells, stripped, spread over the column; None where it is not text or empty."""
    if not (pd.api.types.is_string_dtype(column) or column.dtype == object):
        return None
    filled = column.iloc[:: max(1, len(column) // SAMPLE)].dropna()
    return filled.astype("str").str.strip() if len(filled) else None


def _read_stamps(stamps: pd.Series) -> tuple[Times, str]:
    lost = int(stamps.isna().sum())
    return _fill_times(
        stamps
    ), f"dates, {count_of(lost, 'cell')} without one filled by straight lines" if lost else "dates"


def _read_text(column: pd.Series, sample: pd.Series) -> tuple[Times | None, str]:
    if sample.str.fullmatch(CLOCK).mean() >= MOSTLY:
        text = column.astype("str").str.strip().str.replace(",", ".", regex=False)
        text = text.where(text.str.count(":") == 2, text + ":00")
        elapsed = pd.to_timedelta(text, errors="coerce").dt.total_seconds().to_numpy(dtype=np.float64)
        days = np.cumsum(np.diff(elapsed, prepend=elapsed[:1]) < -43_200.0)  # half a day back: it was midnight
        if np.isfinite(elapsed).mean() < MOSTLY:
            return None, ""
        return _fill_times(np.asarray(elapsed + 86_400.0 * days)), "clock times, in seconds since midnight"
    if sample.str.fullmatch(dates.DATELIKE).mean() < MOSTLY:
        return None, ""
    read, formats = dates.parse(column.astype("str").str.strip().where(column.notna()), sample)
    if read.notna().mean() < MOSTLY:
        return None, ""
    lost = int(read.isna().sum())
    said = "dates" if formats == 1 else f"dates in {formats} formats"
    return _fill_times(read), f"{said}, {count_of(lost, 'cell')} without one filled by straight lines" if lost else said


def _read_numbers(time: NDArray[np.float64], unit: str | None, *, named: bool) -> tuple[Times | None, str]:
    time = _within_reach(time)
    if np.isnan(time).mean() > 1.0 - MOSTLY:
        return None, ""
    for scale, word in EPOCHS:
        inside = (time >= EARLIEST * scale) & (time < LATEST * scale)
        if inside.mean() >= MOSTLY:
            return _from_unix(np.where(inside, time, np.nan), scale), f"dates, from Unix {word}"
    inside = (time >= FIRST_WRITTEN_OUT) & (time < LAST_WRITTEN_OUT)
    if inside.mean() >= MOSTLY:
        written = dates.parse_as(pd.Series(np.where(inside, time, 0).astype(np.int64)).astype("str"), "%Y%m%d%H%M%S")
        if written.notna().mean() >= MOSTLY:
            return _fill_times(written), "dates, written as one number"
    known = np.isfinite(time)
    steps = np.diff(time if known.all() else time[known])
    if not steps.any() or max((steps >= 0).mean(), (steps <= 0).mean()) < MOSTLY:
        return None, ""
    if not named and not _advances_evenly(steps):
        return None, ""
    factor = SECONDS.get((unit or "s").lower(), 1.0)
    scaled = np.asarray(time * factor, dtype=np.float64)
    return _fill_times(scaled), "elapsed seconds" if factor == 1.0 else f"elapsed, {unit} turned into seconds"


def _within_reach(time: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return numbers with those gone that no clock reaches; without such, the same array: columns may be long."""
    reached = (time <= FURTHEST) & (time >= -FURTHEST)
    return time if reached.all() else np.where(reached, time, np.nan)


def _read_counted(time: NDArray[np.float64], unit: str) -> tuple[Times | None, str]:
    """Read numbers whose unit was given: dates where, since 1970, they reach our days, elapsed time otherwise."""
    factor = TIME_UNITS[unit]
    time = _within_reach(time)
    known = np.isfinite(time)
    steps = np.diff(time if known.all() else time[known])
    if np.isnan(time).mean() > 1.0 - MOSTLY or not steps.any():
        return None, ""
    if max((steps >= 0).mean(), (steps <= 0).mean()) < MOSTLY:
        return None, ""
    inside = (time * factor >= EARLIEST) & (time * factor < LATEST)
    if inside.mean() >= MOSTLY:
        return _from_unix(np.where(inside, time, np.nan), 1.0 / factor), f"dates, from Unix time in {unit}"
    return _fill_times(np.asarray(time * factor, dtype=np.float64)), f"elapsed, in {unit}"


def _from_unix(time: NDArray[np.float64], scale: float) -> Times:
    """Return dates from Unix time in units of 1 / scale s, exact where it is whole: floats of ns would not be."""
    filled = np.asarray(_fill_times(time), dtype=np.float64)
    whole = np.floor(filled)
    rest = np.round((filled - whole) * 1e9 / scale)
    return (whole.astype(np.int64) * round(1e9 / scale) + rest.astype(np.int64)).astype("datetime64[ns]")


def _advances_evenly(steps: NDArray[np.float64]) -> bool:
    """Tell whether a column without a name can only be time: steps all alike, and not those of a row counter."""
    if steps.size < ENOUGH or (steps <= 0).any() or (steps == 1).all():
        return False
    return bool(np.ptp(steps) < 0.2 * np.median(steps))


def _fill_times(time: pd.Series | NDArray[np.float64]) -> Times:
    """Put straight lines through missing times."""
    if isinstance(time, pd.Series):
        stamps = time.to_numpy(dtype="datetime64[ns]")
        known = ~np.isnat(stamps)
        ticks = stamps.astype(np.int64)
        if not known.all():
            rows = np.arange(len(ticks))
            ticks = np.where(known, ticks, np.interp(rows, rows[known], ticks[known]).astype(np.int64))
        return ticks.astype("datetime64[ns]")
    known = np.isfinite(time)
    if not known.all():
        rows = np.arange(len(time))
        time = np.where(known, time, np.interp(rows, rows[known], time[known]))
    return time
