"""Which column is time, what it counts, and how regular its steps are."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore.data import dates
from aecore.data.options import TIME_UNITS
from aecore.data.wording import counted, shown
from aecore.errors import DataError

UNITS = r"s|secs?|seconds|ms|us|µs|ns|min|h"
NAME = re.compile(  # "t" only in lower case: "T" is a temperature
    r"(?:time|timestamps?|time[ _]stamp|date[ _-]?time|date|(?-i:t|ts)|zeit|zeitstempel|datum|epoch|"
    rf"unix(?:[ _]?time)?|utc|elapsed(?:[ _]time)?|seconds|secs?)(?:[ _]*[\[(]({UNITS})[\])]|[ _/]+({UNITS}))?",
    re.IGNORECASE,
)
SECONDS = TIME_UNITS | {"µs": 1e-6}  # what else a unit is called counts seconds
CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?"
DAY = r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}"
SAMPLE = 200  # cells that decide what a column holds: enough to meet a day above 12 in most logs
EPOCHS = ((1.0, "seconds"), (1e3, "milliseconds"), (1e6, "microseconds"), (1e9, "nanoseconds"))
EARLIEST, LATEST = 631_152_000.0, 4_102_444_800.0  # 1990 and 2100 in Unix seconds: no log measures elapsed time so far
FURTHEST = 1e19  # no clock counts further, not even in nanoseconds
FIRST_WRITTEN_OUT, LAST_WRITTEN_OUT = 19_900_101_000_000, 21_000_101_000_000  # YYYYMMDDhhmmss
ENOUGH = 9  # even steps that tell time from chance
MOSTLY = 0.9  # share of cells that must read as time
REGULAR = 0.8  # share of steps that must lie within half a median step of the median for a rate to mean something

Times = NDArray[np.datetime64] | NDArray[np.float64]


class Clock(NamedTuple):
    """Time of each row, in the order that the rows should take."""

    time: Times  # [T] datetime64[ns] or float64 seconds
    descending: bool  # the file ran backwards throughout: its rows have to be turned round, as `time` already is
    name: str  # of the column


def take(
    columns: dict[str, pd.Series],
    notes: list[str],
    *,
    named: bool,
    wanted: str | None = None,
    unit: str | None = None,
    keep: Collection[str] = (),
) -> Clock | None:
    """Remove the time column from `columns`, if there is one, and return its clock.

    `named` says whether the file itself gives names: without them only the content can tell. `wanted` names the
    column ("": there is none, None: sniffed), `unit` what its numbers count; columns in `keep` are no time.
    """
    if wanted == "":
        return None
    joined = _join_day_and_clock(columns, keep)
    if wanted is not None and wanted not in columns:
        wanted = joined  # the other half of the pair
    clock = None
    candidates = [name for name in columns if name not in keep]
    for name in sorted(candidates, key=lambda name: (name != wanted, NAME.fullmatch(name) is None)):
        match = NAME.fullmatch(name)
        if clock is not None and match is None:
            break
        telling = name == wanted or match is not None or (not named and name == next(iter(columns)))
        own_unit = (match[1] or match[2]) if match else None
        time, said = _read(columns[name], own_unit, telling=telling, named=named or name == wanted, given=unit)
        if name == wanted and time is None:
            raise DataError(
                f"{shown(name)} does not run like a clock; choose another column as time, or give a sample rate."
            )
        if time is None or (len(columns) == 1 and name != wanted and not said.startswith("dates")):
            continue
        del columns[name]
        if clock is None:
            notes.append(f"{shown(name)} taken as time ({said}).")
            clock = _ordered(time, name, notes)
        else:
            notes.append(f"{shown(name)} counts time as well and is left out.")
    return clock


def sample_rate(time: Times, notes: list[str]) -> float | None:
    """Return the rate in Hz, or None (noted) where steps differ too much for a rate to mean anything.

    The mean of the ordinary steps, not their median: printed times are rounded, and the mean is not.
    """
    steps = np.diff(seconds(time))
    forward = steps[steps > 0]
    if forward.size == 0:
        return None
    median = float(np.median(forward))
    ordinary = forward[np.abs(forward - median) <= 0.5 * median]
    if ordinary.size < REGULAR * steps.size:
        notes.append(f"Steps in time are irregular (median {median:.4g} s), so no sample rate is given.")
        return None
    long = int((forward > 1.5 * median).sum())
    if long:
        notes.append(f"{counted(long, 'longer step')} in time than usual, up to {forward.max():.4g} s.")
    return rate_of(float(ordinary.mean()))


def rate_of(step: float) -> float | None:
    """Rows a second, to six digits, of steps of so many seconds; None where no number holds it."""
    with np.errstate(over="ignore", divide="ignore"):
        rate = float(np.float64(1.0) / step)
    return float(f"{rate:.6g}") if 0 < rate < np.inf else None


def seconds(time: Times) -> NDArray[np.float64]:
    """Time [T] as float64 seconds: since its first row for dates, as they are for seconds."""
    if np.issubdtype(time.dtype, np.datetime64):
        since: NDArray[np.int64] = (time - time[0]).astype("timedelta64[ns]").astype(np.int64)
        return np.asarray(since * 1e-9, dtype=np.float64)
    return time.astype(np.float64)


def _join_day_and_clock(columns: dict[str, pd.Series], keep: Collection[str]) -> str | None:
    """Join a column of days and one of clock times, as many loggers write them, and return its name."""
    texts = {name: _text_sample(column) for name, column in columns.items() if name not in keep}
    days = [name for name, text in texts.items() if text is not None and text.str.fullmatch(DAY).all()]
    clocks = [name for name, text in texts.items() if text is not None and text.str.fullmatch(CLOCK).all()]
    if not (days and clocks):
        return None
    text = columns[days[0]].astype("str") + " " + columns[clocks[0]].astype("str").str.replace(",", ".")
    pair = (days[0], clocks[0])
    joined = min(pair, key=list(columns).index)
    rest = {name: column for name, column in columns.items() if name not in pair}
    columns.clear()
    columns[joined] = text
    columns.update(rest)
    return joined


def _text_sample(column: pd.Series) -> pd.Series | None:
    """Return up to 200 filled cells, stripped, spread over the column; None where it is not text or empty."""
    if not (pd.api.types.is_string_dtype(column) or column.dtype == object):
        return None
    filled = column.iloc[:: max(1, len(column) // SAMPLE)].dropna()
    return filled.astype("str").str.strip() if len(filled) else None


def _read(
    column: pd.Series, unit: str | None, *, telling: bool, named: bool, given: str | None
) -> tuple[Times | None, str]:
    """Return (time [T], what it was read as), or (None, "") where the column is not time."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return _filled(dates.naive(column)), "dates"
    sample = _text_sample(column)
    if sample is not None:
        return _read_text(column, sample)
    if telling and pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
        return _read_numbers(numbers, unit, named=named) if given is None else _read_counted(numbers, given)
    return None, ""


def _read_text(column: pd.Series, sample: pd.Series) -> tuple[Times | None, str]:
    if sample.str.fullmatch(CLOCK).mean() >= MOSTLY:
        text = column.astype("str").str.strip().str.replace(",", ".", regex=False)
        text = text.where(text.str.count(":") == 2, text + ":00")
        elapsed = pd.to_timedelta(text, errors="coerce").dt.total_seconds().to_numpy(dtype=np.float64)
        days = np.cumsum(np.diff(elapsed, prepend=elapsed[:1]) < -43_200.0)  # half a day back: it was midnight
        return _filled(np.asarray(elapsed + 86_400.0 * days)), "clock times, in seconds since midnight"
    if sample.str.fullmatch(dates.DATELIKE).mean() < MOSTLY:
        return None, ""
    read, formats = dates.parse(column.astype("str").str.strip().where(column.notna()), sample)
    if read.notna().mean() < MOSTLY:
        return None, ""
    lost = int(read.isna().sum())
    said = "dates" if formats == 1 else f"dates in {formats} formats"
    return _filled(read), f"{said}, {counted(lost, 'cell')} without one filled by straight lines" if lost else said


def _read_numbers(time: NDArray[np.float64], unit: str | None, *, named: bool) -> tuple[Times | None, str]:
    time = np.where(np.abs(time) <= FURTHEST, time, np.nan)
    if np.isnan(time).mean() > 1.0 - MOSTLY:
        return None, ""
    for scale, word in EPOCHS:
        inside = (time >= EARLIEST * scale) & (time < LATEST * scale)
        if inside.mean() >= MOSTLY:
            return _from_unix(np.where(inside, time, np.nan), scale), f"dates, from Unix {word}"
    inside = (time >= FIRST_WRITTEN_OUT) & (time < LAST_WRITTEN_OUT)
    written = dates.parse_as(pd.Series(np.where(inside, time, 0).astype(np.int64)).astype("str"), "%Y%m%d%H%M%S")
    if written.notna().mean() >= MOSTLY:
        return _filled(written), "dates, written as one number"
    steps = np.diff(time[np.isfinite(time)])
    if not steps.any() or max((steps >= 0).mean(), (steps <= 0).mean()) < MOSTLY:
        return None, ""
    if not named and not _advances_evenly(steps):
        return None, ""
    factor = SECONDS.get((unit or "s").lower(), 1.0)
    scaled = np.asarray(time * factor, dtype=np.float64)
    return _filled(scaled), "elapsed seconds" if factor == 1.0 else f"elapsed, {unit} turned into seconds"


def _read_counted(time: NDArray[np.float64], unit: str) -> tuple[Times | None, str]:
    """Read numbers whose unit was given: dates where, since 1970, they reach our days, elapsed time otherwise."""
    factor = TIME_UNITS[unit]
    time = np.where(np.abs(time) <= FURTHEST, time, np.nan)
    steps = np.diff(time[np.isfinite(time)])
    if np.isnan(time).mean() > 1.0 - MOSTLY or not steps.any():
        return None, ""
    if max((steps >= 0).mean(), (steps <= 0).mean()) < MOSTLY:
        return None, ""
    inside = (time * factor >= EARLIEST) & (time * factor < LATEST)
    if inside.mean() >= MOSTLY:
        return _from_unix(np.where(inside, time, np.nan), 1.0 / factor), f"dates, from Unix time in {unit}"
    return _filled(np.asarray(time * factor, dtype=np.float64)), f"elapsed, in {unit}"


def _from_unix(time: NDArray[np.float64], scale: float) -> Times:
    """Return dates from Unix time in units of 1 / scale s, exact where it is whole: floats of ns would not be."""
    filled = np.asarray(_filled(time), dtype=np.float64)
    whole = np.floor(filled)
    rest = np.round((filled - whole) * 1e9 / scale)
    return (whole.astype(np.int64) * round(1e9 / scale) + rest.astype(np.int64)).astype("datetime64[ns]")


def _advances_evenly(steps: NDArray[np.float64]) -> bool:
    """Tell whether a column without a name can only be time: steps all alike, and not those of a row counter."""
    if steps.size < ENOUGH or (steps <= 0).any() or (steps == 1).all():
        return False
    return bool(np.ptp(steps) < 0.2 * np.median(steps))


def _filled(time: pd.Series | NDArray[np.float64]) -> Times:
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


def _ordered(time: Times, name: str, notes: list[str]) -> Clock:
    """Turn a file round that runs backwards throughout; otherwise keep its order and say what is odd."""
    steps = np.diff(seconds(time))
    if steps.size and (steps <= 0).all() and (steps < 0).any():
        notes.append("Time runs backwards throughout, so the rows were turned round.")
        return Clock(time[::-1].copy(), True, name)
    back, same = int((steps < 0).sum()), int((steps == 0).sum())
    if back:
        notes.append(f"Time jumps back at {counted(back, 'row')}; the file's order is kept.")
    if same:
        notes.append(f"Time stands still at {counted(same, 'row')}; all are kept.")
    return Clock(time, False, name)
