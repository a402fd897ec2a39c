"""Excel workbooks (.xlsx, .xlsm) to a `Table`, by openpyxl in its streaming mode."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from aecore.data.cells import encodable
from aecore.data.options import ReadOptions
from aecore.data.packing import TORN, open_zip, within_limit
from aecore.data.sniffing import HEAD_ROWS, layout
from aecore.data.tables import MIN_ROWS, Table, bounded
from aecore.data.wording import counted, listed, shown
from aecore.errors import UnreadableFile

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

MAX_CELLS = 4_000_000  # half a minute of reading, and objects of some 400 MB
MAX_ROWS = 2**20  # what a sheet may hold; torn files claim more
LOOK = 20  # rows in which formulas are looked for: a column of them begins with one
DAMAGED = (  # what openpyxl raises on workbooks that are torn or lie; a ParseError is a SyntaxError
    *TORN, SyntaxError, TypeError, AttributeError, IndexError, AssertionError, RecursionError, MemoryError,
)  # fmt: skip

Cells = tuple[Any, ...]


class Sheet(NamedTuple):
    """A worksheet's rows, each as long as it is filled, its title, and the titles of the others."""

    title: str
    rows: list[Cells]
    others: tuple[str, ...]


def read_workbook(name: str, data: bytes, options: ReadOptions) -> Table:
    """Read the first worksheet that holds rows of values; of formulas, the values stored with them.

    Names, units and lines above the table are told apart as in text.
    """
    sheet = _read(name, data, stored=True)
    if len(sheet.rows) <= MIN_ROWS and (formulas := _formulas(name, data)):
        raise _only_formulas(name, formulas)
    if not sheet.rows:
        raise UnreadableFile(f"{shown(name)} holds no worksheet with values in it; fill one, or export it as CSV.")
    head = list(islice(((n, _texts(row)) for n, row in enumerate(sheet.rows, start=1) if row), HEAD_ROWS))
    width = max(len(texts) for _, texts in head)
    found = layout(name, [(n, [*texts, *[""] * (width - len(texts))]) for n, texts in head], ";", options)
    columns = list(zip_longest(*sheet.rows[found.skip :]))
    columns += [(None,) * (len(sheet.rows) - found.skip)] * (width - len(columns))
    bounded(name, len(sheet.rows), len(columns))
    names = [*found.names, *[""] * (len(columns) - width)]
    notes = []
    if sheet.others:
        notes.append(f"Worksheet {shown(sheet.title)} read, not {listed(map(shown, sheet.others), most=3)}.")
    if found.preamble:
        notes.append(f"{counted(found.preamble, 'line')} above the table skipped.")
    empty = [c for c, column in enumerate(columns) if all(cell is None for cell in column)]
    if empty and (formulas := _formulas(name, data, empty)):
        notes.append(f"Formulas without stored values taken as empty, {formulas}.")
    frame = pd.DataFrame({c: _series(column) for c, column in enumerate(columns)})
    return Table(frame, tuple(names), tuple(notes), found.decimal, found.thousands)


def _read(name: str, data: bytes, *, stored: bool, most: int = MAX_ROWS) -> Sheet:
    """Return the first worksheet that holds rows enough, else the first; `stored`: values, not formulas."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    if not data.startswith(b"PK"):
        raise UnreadableFile(
            f"{shown(name)} is no Excel workbook by its content; if it is text, name it .csv, else save it as .xlsx."
        )
    with open_zip(name, data) as archive:
        within_limit(name, archive)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # remarks on styles and features that concern no value
            book = load_workbook(io.BytesIO(data), read_only=True, data_only=stored, keep_links=False)
            return _first_filled(name, book, most)
    except UnreadableFile:
        raise
    except (*DAMAGED, InvalidFileException) as error:
        raise UnreadableFile(
            f"{shown(name)} is a workbook that is damaged or oddly made; save it again as .xlsx, or export it as CSV."
        ) from error


def _first_filled(name: str, book: Workbook, most: int) -> Sheet:
    fallback = Sheet("", [], ())
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # what the file states of them is often wrong
        rows = list(_bounded_rows(name, sheet.iter_rows(values_only=True), most))
        while rows and not rows[-1]:
            rows.pop()
        others = tuple(str(other.title) for other in book.worksheets if other is not sheet)
        found = Sheet(str(sheet.title), rows, others)
        if sum(map(bool, rows)) >= MIN_ROWS:
            return found
        fallback = fallback if fallback.rows else found
    return fallback


def _bounded_rows(name: str, rows: Iterator[Cells], most: int) -> Iterator[Cells]:
    """Yield rows without the empty cells at their ends, up to what a sheet may hold."""
    cells = 0
    for number, row in enumerate(rows):
        if number >= most:
            return
        filled = len(row)
        while filled and row[filled - 1] is None:
            filled -= 1
        cells += filled
        if cells > MAX_CELLS:
            raise UnreadableFile(
                f"{shown(name)} holds more than the {MAX_CELLS:,} cells that are read of a workbook; "
                "export it as CSV or Parquet."
            )
        yield row[:filled]


def _formulas(name: str, data: bytes, columns: Sequence[int] | None = None) -> str:
    """Say where formulas stand among the first rows, in `columns` (None: anywhere); "" where there are none."""
    rows = _read(name, data, stored=False, most=LOOK).rows
    found = [
        f"such as {shown(cell)} in row {r + 1}"
        for r, row in enumerate(rows)
        for c, cell in enumerate(row)
        if isinstance(cell, str) and cell.startswith("=") and (columns is None or c in columns)
    ]
    return found[0] if found else ""


def _only_formulas(name: str, formulas: str) -> UnreadableFile:
    return UnreadableFile(
        f"{shown(name)} holds formulas without stored values, {formulas}; "
        "open it in a spreadsheet program, save it there and bring it again."
    )


def _texts(row: Cells) -> list[str]:
    """Return cells as a text table would write them."""
    return ["" if cell is None else str(cell).strip() for cell in row]


def _series(column: Cells) -> pd.Series:
    """Return a column of whatever type all its cells share, as objects where they share none."""
    cells = [encodable(cell) if isinstance(cell, str) else cell for cell in column]
    return pd.Series(cells, dtype=object).infer_objects()
