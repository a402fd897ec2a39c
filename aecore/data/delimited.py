"""Text tables: encoding, delimiter, decimal mark and header sniffed from the head, parsed by pandas."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import pandas as pd

from aecore.data.encodings import as_utf8
from aecore.data.tables import Table, shown
from aecore.errors import UnreadableFile

HEAD = 2**18  # bytes that are sniffed: a hundred rows of a wide log
LONG_HEAD = 2**21  # where the first line alone is longer than that
HEAD_ROWS = 100  # rows that decide; more would only cost time
MAX_COLUMNS = 1_000  # beyond, parsing is stopped before it starts; `tables` has the limit on channels
MAX_CELLS = 50_000_000  # 400 MB as float64
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "blanks"}
MISSING = ("-", "--", "---", "?", ".", "n.a.", "NaN.", "#VALUE!", "#DIV/0!", "#REF!", "#NUM!", "Bad", "No Data")
NUMBER = re.compile(
    r"[+-]?(?:(?:\d{1,3}(?:[ '.,\u00a0\u202f]\d{3})+|\d+)(?:\.\d*|,\d+)?|[.,]\d+)(?:e[+-]?\d+)?"
    r"|[+-]?(?:nan|inf|infinity)",
    re.IGNORECASE,
)
WHEN = re.compile(
    r"\d{1,4}[-/.](?:\d{1,2}|[A-Za-z]{3})[-/.]\d{1,4}(?:[ T]\d{1,2}:\d{2}.*)?|\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?"
)
GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+")


QUOTES: Final = 0  # csv.QUOTE_MINIMAL and csv.QUOTE_NONE, as literals for the type checker
NO_QUOTES: Final = 3


class Layout(NamedTuple):
    """How a text table is written."""

    delimiter: str
    decimal: str
    thousands: str | None
    skip: int  # physical lines before the first row of values
    names: tuple[str, ...]  # one a column, "" where the file gives none
    preamble: int  # rows left out above the header


def read_delimited(name: str, data: bytes) -> Table:
    """Read CSV, TSV or other delimited text into a table.

    Raises `UnreadableFile` for binary data, for text without rows, and for tables too large to hold.
    """
    text, notes = as_utf8(name, data)
    layout = sniff(name, text)
    width = len(layout.names)
    lines = max(text.count(b"\n"), text.count(b"\r"))
    if width > MAX_COLUMNS or lines * width > MAX_CELLS:
        raise UnreadableFile(
            f"{shown(name)} holds about {lines:,} rows of {width:,} columns, more than can be taken in; "
            "keep the columns that matter, or every n-th row."
        )
    frame = _parse(name, text, layout, notes)
    said = f"Columns are separated by {DELIMITERS[layout.delimiter]}" if width > 1 else "One column"
    said += ", with a decimal comma" if layout.decimal == "," else ""
    said += "" if any(layout.names) else ", and have no names"
    notes.insert(0, f"{said}.")
    if layout.preamble:
        notes.append(f"{layout.preamble} lines above the table skipped.")
    return Table(frame, layout.names, tuple(notes), layout.decimal, layout.thousands)


def sniff(name: str, text: bytes) -> Layout:
    """Return how the table in `text` (UTF-8) is written, judged by its first rows."""
    head = text[:HEAD] if b"\n" in text[: HEAD // 2] or b"\r" in text[: HEAD // 2] else text[:LONG_HEAD]
    decoded = head.decode("utf-8", errors="ignore")
    if not decoded.strip():
        raise UnreadableFile(f"{shown(name)} holds nothing but blank lines; export it again and check its content.")
    named = re.match(r"sep=(.)\r?\n", decoded)  # a spreadsheet's own hint
    candidates = {d: _rows(decoded, d) for d in ([named[1]] if named and named[1] in DELIMITERS else DELIMITERS)}
    delimiter = max(candidates, key=lambda d: _fitness(candidates[d]))
    rows = candidates[delimiter]
    if len(text) > len(head) and len(rows) > 1:
        rows = rows[:-1]  # the head may end inside a row
    return _layout(name, rows, delimiter)


def _rows(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """Return the first rows with (number of the last physical line, cells), blank rows left out."""
    source = io.StringIO(text, newline="")
    rows: list[tuple[int, list[str]]] = []
    if delimiter == " ":
        found = ((number, line.split()) for number, line in enumerate(source, start=1))
    else:
        reader = csv.reader(source, delimiter=delimiter, skipinitialspace=True)
        found = ((reader.line_num, row) for row in reader)
    try:
        for number, row in found:
            cells = [cell.strip() for cell in row]
            if any(cells):
                rows.append((number, cells))
            if len(rows) == HEAD_ROWS:
                break
    except csv.Error:  # a cell beyond the csv module's limit: what came before it decides
        pass
    return rows


def _fitness(rows: Sequence[tuple[int, list[str]]]) -> tuple[bool, float]:
    """Rank a delimiter: several columns first, then rows alike in width and cells that are numbers or times."""
    body = [cells for _, cells in rows[1:]] or [cells for _, cells in rows]
    if not body:
        return False, 0.0
    width, alike = Counter(map(len, body)).most_common(1)[0]
    cells = [cell for row in body for cell in row if cell]
    values = sum(is_value(cell) for cell in cells) / max(1, len(cells))
    return width > 1, alike / len(body) * (0.1 + values)


def is_value(cell: str) -> bool:
    """Tell whether a cell is a number or a time, in any of the usual ways of writing one."""
    return NUMBER.fullmatch(cell) is not None or WHEN.fullmatch(cell) is not None


def _layout(name: str, rows: list[tuple[int, list[str]]], delimiter: str) -> Layout:
    if not rows:
        raise UnreadableFile(
            f"{shown(name)} holds no rows that can be told apart; export it as CSV with one row a line."
        )
    width = Counter(len(cells) for _, cells in rows).most_common(1)[0][0]
    header = _header_rows(rows, width)
    above = [cells for _, cells in rows[:header]]
    body = [cells for _, cells in rows[header:]]
    if not body:
        raise UnreadableFile(f"{shown(name)} holds a header but no rows under it; export it with its values.")
    names, preamble = _names(above, width)
    decimal, thousands = _number_style(body, delimiter)
    skip = rows[header - 1][0] if header else 0
    return Layout(delimiter, decimal, thousands, skip, names, preamble)


def _header_rows(rows: Sequence[tuple[int, list[str]]], width: int) -> int:
    """Return how many rows stand above the values: preamble, names and units."""
    for number, (_, cells) in enumerate(rows):
        filled = [cell for cell in cells if cell]
        values = sum(is_value(cell) for cell in filled)
        counted = cells[0] == "" and cells[1:] == [str(n) for n in range(len(cells) - 1)]  # ",0,1,2": a frame's names
        wide = len(cells) >= min(width, 2) and not cells[0].startswith(("#", "%"))
        if wide and values and not counted:
            # text beside numbers is a header only where the rows below hold numbers in its place
            below = [row[1] for row in rows[number + 1 : number + 6] if len(row[1]) == len(cells)]
            named = any(
                cell and not is_value(cell) and any(is_value(row[c]) for row in below) for c, cell in enumerate(cells)
            )
            return number if not (named and number == 0) else 1
    return 1


def _names(above: Sequence[list[str]], width: int) -> tuple[tuple[str, ...], int]:
    """Return (a name a column, rows of preamble) from what stands above the values."""
    cleaned = [[row[0].lstrip("#% "), *row[1:]] if row else row for row in above]
    fitting = [number for number, row in enumerate(cleaned) if len([c for c in row if c]) >= max(1, width - 1)]
    if not fitting:
        return ("",) * width, len(above)
    first = fitting[0]
    names = [*cleaned[first], *[""] * width][:width]
    if len(fitting) > 1 and fitting[1] == first + 1:
        units = [*cleaned[first + 1], *[""] * width][:width]
        names = [
            f"{name} [{unit.strip('[]()')}]" if name and unit else name for name, unit in zip(names, units, strict=True)
        ]
    return tuple(names), first


def _number_style(body: Sequence[list[str]], delimiter: str) -> tuple[str, str | None]:
    """Return (decimal mark, thousands mark or None) as the cells write them."""
    cells = [cell for row in body for cell in row if not WHEN.fullmatch(cell) and NUMBER.fullmatch(cell)]
    commas = [cell for cell in cells if "," in cell]
    if not commas:
        return (",", ".") if any(cell.count(".") > 1 for cell in cells) else (".", None)
    if any(0 <= cell.rfind(".") < cell.rfind(",") for cell in commas):
        return ",", "."
    grouped = all(GROUPED.fullmatch(cell.partition(".")[0]) for cell in commas)
    sure = delimiter == "," or any(cell.count(",") > 1 for cell in commas) or any("." in cell for cell in cells)
    return (".", ",") if grouped and sure else (",", None)


def _parse(name: str, text: bytes, layout: Layout, notes: list[str]) -> pd.DataFrame:
    """Parse leniently: short rows are padded, longer ones skipped, a quote that never closes is a letter."""
    frame = _read_csv(text, layout, "error", QUOTES)
    if frame is None:
        frame = _read_csv(text, layout, "skip", QUOTES)
        notes.append("Rows with more cells than the others were skipped.")
    if frame is None:
        frame = _read_csv(text, layout, "skip", NO_QUOTES)
        notes[-1] = "A quotation mark is never closed, so all of them were read as letters."
    if frame is None:
        raise UnreadableFile(f"{shown(name)} has rows that cannot be told apart; export it again as plain CSV.")
    return frame


def _read_csv(
    text: bytes, layout: Layout, on_bad: Literal["error", "skip"], quoting: Literal[0, 3]
) -> pd.DataFrame | None:
    try:
        return pd.read_csv(
            io.BytesIO(text),
            sep=r"\s+" if layout.delimiter == " " else layout.delimiter,
            decimal=layout.decimal,
            header=None,
            names=list(range(len(layout.names))),
            index_col=False,
            skiprows=layout.skip,
            skipinitialspace=True,
            na_values=list(MISSING),
            on_bad_lines=on_bad,
            quoting=quoting,
            encoding="utf-8",
            encoding_errors="replace",
            low_memory=False,  # one type a column, whatever its length
        )
    except pd.errors.ParserError:
        return None
    except pd.errors.EmptyDataError:
        return pd.DataFrame(columns=range(len(layout.names)))
