"""Which column is time, what it counts, and how regular its steps are."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore.data.readers.messages import count_of, quote
from aecore.data.tables.times import CLOCK, Times, read, text_sample
from aecore.errors import DataError

UNITS = r"s|secs?|seconds|ms|us|µs|ns|min|h"
NAME = re.compile(  # "t" only in lower case: "T" is a temperature
    r"(?:time|timestamps?|time[ _]stamp|date[ _-]?time|date|(?-i:t|ts)|zeit|zeitstempel|datum|epoch|"
    rf"unix(?:[ _]?time)?|utc|elapsed(?:[ _]time)?|seconds|secs?)(?:[ _]*[\[(]({UNITS})[\])]|[ _/]+({UNITS}))?",
    re.IGNORECASE,
)
COUNTERS = {  # columns called by their unit alone, as small loggers do
    "ms": r"ms|msecs?|millis(?:econds?)?",
    "us": r"us|µs|usecs?|micros(?:econds?)?",
    "ns": r"ns|nsecs?|nanos(?:econds?)?",
}
DAY = r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}"
REGULAR = 0.8  # share of steps that must lie within half a median step of the median for a rate to mean something


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
        time, said = read(columns[name], own_unit, telling=telling, named=named or name == wanted, given=unit)
        if name == wanted and time is None:
            raise DataError(
                f"{quote(name)} does not run like a clock; choose another column as time, or give a sample rate."
            )
        if time is None or (len(columns) == 1 and name != wanted and not said.startswith("dates")):
            continue
        del columns[name]
        if clock is None:
            notes.append(f"{quote(name)} taken as time ({said}).")
            clock = _order(time, name, notes)
        else:
            notes.append(f"{quote(name)} counts time as well and is left out.")
    return clock or (_counter(columns, notes, unit, keep) if wanted is None else None)


def _counter(columns: dict[str, pd.Series], notes: list[str], unit: str | None, keep: Collection[str]) -> Clock | None:
    """Take the one column that is called by a unit of time alone, if it rises steadily: a delay in ms does not."""
    named = {
        name: own
        for name in columns
        for own, pattern in COUNTERS.items()
        if name not in keep and re.fullmatch(pattern, name.strip(), re.IGNORECASE)
    }
    if len(named) != 1 or len(columns) == 1:
        return None
    ((name, own),) = named.items()
    time, said = read(columns[name], own, telling=True, named=True, given=unit)
    if time is None:
        return None
    steps = np.diff(seconds(time))
    if not (steps > 0).all() or np.mean(np.abs(steps - np.median(steps)) <= 0.5 * np.median(steps)) < REGULAR:
        return None
    del columns[name]
    notes.append(f"{quote(name)} taken as time ({said}).")
    return _order(time, name, notes)


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
        notes.append(f"{count_of(long, 'longer step')} in time than usual, up to {forward.max():.4g} s.")
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
    texts = {name: text_sample(column) for name, column in columns.items() if name not in keep}
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


def _order(time: Times, name: str, notes: list[str]) -> Clock:
    """Turn a file round that runs backwards throughout; otherwise keep its order and say what is odd."""
    steps = np.diff(seconds(time))
    if steps.size and (steps <= 0).all() and (steps < 0).any():
        notes.append("Time runs backwards throughout, so the rows were turned round.")
        return Clock(time[::-1].copy(), True, name)
    back, same = int((steps < 0).sum()), int((steps == 0).sum())
    if back:
        notes.append(f"Time jumps back at {count_of(back, 'row')}; the file's order is kept.")
    if same:
        notes.append(f"Time stands still at {count_of(same, 'row')}; all are kept.")
    return Clock(time, False, name)
