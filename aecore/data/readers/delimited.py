"""Text tables to a `Table`: sniffed from the head, parsed by pandas, leniently."""

from __future__ import annotations

import csv
import io
from itertools import islice
from typing import Final, Literal

import pandas as pd

from aecore.data.readers.encodings import as_utf8
from aecore.data.readers.messages import count_of, quote
from aecore.data.readers.options import DELIMITERS, ReadOptions
from aecore.data.readers.sniffing import MISSING, Layout, sniff
from aecore.data.tables.table import Table, bounded
from aecore.errors import UnreadableFile

QUOTES: Final = 0  # csv.QUOTE_MINIMAL and csv.QUOTE_NONE, as literals for the type checker
NO_QUOTES: Final = 3


def read_delimited(name: str, data: bytes, options: ReadOptions) -> Table:
    """Read CSV, TSV or other delimited text into a table; `options` outrank what is sniffed.

    Raises `UnreadableFile` for binary data, for text without rows, and for tables too large to hold.
    """
    text, notes = as_utf8(name, data, options.encoding)
    layout = sniff(name, text, options)
    width = len(layout.names)
    bounded(name, max(text.count(b"\n"), text.count(b"\r")), width)
    frame = _parse(name, text, layout, notes)
    said = f"Columns are separated by {DELIMITERS[layout.delimiter]}" if width > 1 else "One column"
    said += ", with a decimal comma" if layout.decimal == "," else ""
    said += "" if any(layout.names) else ", and have no names"
    notes.insert(0, f"{said}.")
    if layout.preamble:
        notes.append(f"{count_of(layout.preamble, 'line')} above the table skipped.")
    return Table(frame, layout.names, tuple(notes), layout.decimal, layout.thousands)


def _parse(name: str, text: bytes, layout: Layout, notes: list[str]) -> pd.DataFrame:
    """Parse leniently: short rows are padded, longer ones skipped, a quote that never closes is a letter."""
    quoting: Literal[0, 3] = NO_QUOTES if layout.delimiter == " " else QUOTES
    frame = _read_csv(text, layout, "error", quoting)
    if frame is None:
        frame = _read_csv(text, layout, "skip", quoting)
        if frame is not None:
            notes.append(_note_skipped(text, layout))
    if frame is None:
        frame = _read_csv(text, layout, "cut", NO_QUOTES)
        notes.append("A quotation mark is never closed, so all of them were read as letters.")
    if frame is None:
        raise UnreadableFile(f"{quote(name)} has rows that cannot be told apart; export it again as plain CSV.")
    return frame


def _note_skipped(text: bytes, layout: Layout) -> str:
    """Say how many rows were too long; counted only once there are some, as it takes a second pass."""
    width = len(layout.names)
    if layout.delimiter == " ":
        return "Rows with more cells than the others were skipped."
    source = io.StringIO(text.decode("utf-8", errors="replace"), newline="")
    try:
        rows = islice(csv.reader(source, delimiter=layout.delimiter), layout.skip, None)
        count = sum(len(row) > width for row in rows)
    except csv.Error:
        return "Rows with more cells than the others were skipped."
    return f"{count_of(count, 'row')} with more cells than the others skipped."


def _read_csv(
    text: bytes, layout: Layout, on_long: Literal["error", "skip", "cut"], quoting: Literal[0, 3]
) -> pd.DataFrame | None:
    """Parse, or return None where pandas cannot; `on_long` says what becomes of rows with too many cells."""
    columns = list(range(len(layout.names)))
    try:
        return pd.read_csv(
            io.BytesIO(text),
            sep=r"\s+" if layout.delimiter == " " else layout.delimiter,
            decimal=layout.decimal,
            header=None,
            names=columns,
            index_col=False,
            usecols=columns if on_long == "cut" else None,  # this makes pandas cut
            skiprows=layout.skip,
            skipinitialspace=True,
            na_values=list(MISSING),
            on_bad_lines="error" if on_long == "error" else "skip",
            quoting=quoting,
            encoding="utf-8",
            encoding_errors="replace",
            low_memory=False,  # one type a column, whatever its length
        )
    except pd.errors.ParserError:
        return None
    except pd.errors.EmptyDataError:
        return pd.DataFrame(columns=columns)
