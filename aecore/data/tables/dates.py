"""Dates written as text, in the formats that loggers use, also several in one column."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pandas as pd

DATELIKE = r"[0-9]{1,4}[-/.](?:[0-9]{1,2}|[A-Za-z]{3})[-/.][0-9]{1,4}(?:[^0-9].*)?"
FORMATS = (  # tried in this order; of those that read equally many cells the one whose time runs forward wins
    "ISO8601",
    "%d.%m.%Y %H:%M:%S.%f",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%m/%d/%Y %H:%M:%S.%f",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y",
    "%d/%m/%Y %H:%M:%S.%f",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y",
    "%d-%m-%Y %H:%M:%S",
    "%d-%b-%Y %H:%M:%S",
    "%d-%b-%Y",
    "%Y/%m/%d %H:%M:%S.%f",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
)
ISO_ENOUGH = 0.9  # share of ISO dates in the sample from which on no other format is weighed against it
PROBE = 10  # cells that tell, cheaply, which formats are worth weighing
EARLIEST, LATEST = pd.Timestamp("1900-01-01"), pd.Timestamp("2200-01-01")  # outside, a date is a slip or a filler


def parse(text: pd.Series, sample: pd.Series) -> tuple[pd.Series, int]:
    """Return (datetime64[ns] [T], NaT where no format fits; how many formats were needed).

    The format that suits the sample best is tried first, and what it leaves goes to the next best.
    """
    formats: Sequence[str] = FORMATS
    if parse_as(sample, FORMATS[0]).notna().mean() < ISO_ENOUGH:
        probe = sample.iloc[:: max(1, len(sample) // PROBE)].tolist()
        suited = [form for form in FORMATS if any(_fits(cell, form) for cell in probe)]
        ranked = sorted(suited, key=lambda form: _merit(parse_as(sample, form)), reverse=True)
        formats = [*ranked, *(form for form in FORMATS if form not in suited)]
    dates = pd.Series(np.full(len(text), np.datetime64("NaT"), dtype="datetime64[ns]"), index=text.index)
    used = 0
    for form in formats:
        left = dates.isna() & text.notna()
        if not left.any():
            break
        found = parse_as(text[left], form)
        used += bool(found.notna().any())
        dates[left] = found
    return dates, used


def parse_as(text: pd.Series, form: str) -> pd.Series:
    """Parse as naive UTC dates, NaT where a cell does not fit the format."""
    return naive(pd.to_datetime(text, format=form, errors="coerce", utc=True))


def naive(dates: pd.Series) -> pd.Series:
    """Return datetime64[ns] in UTC without a zone, NaT outside 1900..2200."""
    if getattr(dates.dt, "tz", None) is not None:
        dates = dates.dt.tz_convert("UTC").dt.tz_localize(None)
    return dates.where((dates >= EARLIEST) & (dates < LATEST)).astype("datetime64[ns]")


def _fits(cell: str, form: str) -> bool:
    try:
        datetime.strptime(cell, form)
    except ValueError:
        return False
    return True


def _merit(dates: pd.Series) -> tuple[int, bool, float]:
    """Rank a reading: cells read, then whether time runs forward, then how little it moves."""
    steps = np.diff(dates.dropna().to_numpy()).astype(np.int64)
    return int(dates.notna().sum()), bool((steps >= 0).all()), -float(np.abs(steps).sum(dtype=np.float64))
