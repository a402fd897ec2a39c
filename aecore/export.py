"""Results to bytes that people take away; knows no domain."""

import pandas as pd

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what makes a spreadsheet take a text cell for a formula


def csv(frame: pd.DataFrame) -> bytes:
    """UTF-8 CSV of a table; text that a spreadsheet would run as a formula is led by an apostrophe."""
    safe = frame.rename(columns=lambda name: _inert(str(name)))
    for position, kind in enumerate(safe.dtypes):
        if not (pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_datetime64_any_dtype(kind)):
            safe.isetitem(position, [_inert(str(cell)) for cell in safe.iloc[:, position]])
    return safe.to_csv(index=False, lineterminator="\n").encode()


def parquet(frame: pd.DataFrame) -> bytes:
    """Parquet of a table, types kept."""
    return frame.to_parquet(index=False)


def _inert(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
