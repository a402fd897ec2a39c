"""Cells of a column, whatever they hold, to float64."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MOSTLY = 0.5  # share of a column's filled cells that must be numbers for it to count as numeric
LONGEST = 100  # characters of a cell that may be a number


def to_float(column: pd.Series, decimal: str, thousands: str | None) -> tuple[NDArray[np.float64] | None, int]:
    """Return (numbers [T] or None where the column is not numeric, how many filled cells held no number)."""
    if pd.api.types.is_timedelta64_dtype(column):
        return np.array(column.dt.total_seconds(), dtype=np.float64), 0
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf":
        return column.to_numpy().astype(np.float64), 0  # a copy, and no other
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


def encodable(text: str) -> str:
    """Return text with its lone surrogates, which no UTF-8 can hold, replaced by question marks."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
