"""Excel workbooks (.xlsx, .xlsm) to a `Table`: the first sheet that holds rows of values."""

from __future__ import annotations

from typing import NamedTuple
from xml.parsers import expat

import numpy as np
import pandas as pd

from aecore.data.readers.archives import TORN, open_zip, within_limit
from aecore.data.readers.messages import count_of, list_names, quote
from aecore.data.readers.options import ReadOptions
from aecore.data.readers.sniffing import HEAD_ROWS, layout
from aecore.data.readers.workbook_parts import Cell, ReadingBudget, SheetCells, TooManyElements, Workbook
from aecore.data.tables.cells import encodable
from aecore.data.tables.table import MAX_COLUMNS, MIN_ROWS, Table, bounded
from aecore.errors import UnreadableFile

MAX_CELLS = 4_000_000  # that are read of all sheets, empty ones included: some ten seconds, and objects of 400 MB
DAMAGED = (*TORN, expat.ExpatError, TypeError, AttributeError, IndexError)  # workbooks that are torn or lie


class Chosen(NamedTuple):
    """The sheet to read, its title, and the titles of the others."""

    title: str
    sheet: SheetCells
    others: tuple[str, ...]


def read_workbook(name: str, data: bytes, options: ReadOptions) -> Table:
    """Read the first worksheet that holds rows of values; of formulas, the values stored with them.

    Names, units and lines above the table are told apart as in text.
    """
    title, sheet, others = _read(name, data)
    if len(sheet.rows) < MIN_ROWS and sheet.formulas:
        raise _only_formulas(name, _formula(sheet.formulas[0]))
    if not sheet.rows:
        raise UnreadableFile(f"{quote(name)} holds no worksheet with values in it; fill one, or export it as CSV.")
    head = [(number, _texts(cells)) for number, cells in sheet.rows[:HEAD_ROWS]]
    width = max(len(texts) for _, texts in head)
    found = layout(name, [(n, [*texts, *[""] * (width - len(texts))]) for n, texts in head], ";", options)
    last = sheet.rows[-1][0]
    bounded(name, last, max(sheet.widest, width))
    columns = _columns(sheet, found.skip, max(sheet.widest, width))
    names = [*found.names, *[""] * (len(columns) - width)]
    notes = []
    if others:
        notes.append(f"Worksheet {quote(title)} read, not {list_names(map(quote, others), most=3)}.")
    if found.preamble:
        notes.append(f"{count_of(found.preamble, 'line')} above the table skipped.")
    empty = {c for c, column in enumerate(columns, start=1) if all(cell is None for cell in column)}
    formulas = [place for place in sheet.formulas if place[1] in empty]
    if formulas:
        notes.append(f"Formulas without stored values taken as empty, {_formula(formulas[0])}.")
    frame = pd.DataFrame({c: _series(column) for c, column in enumerate(columns)}, copy=False)
    return Table(frame, tuple(names), tuple(notes), found.decimal, found.thousands)


def _read(name: str, data: bytes) -> Chosen:
    """Return the first worksheet that holds rows enough, else the first that holds any."""
    if not data.startswith(b"PK"):
        raise UnreadableFile(
            f"{quote(name)} is no Excel workbook by its content; if it is text, name it .csv, else save it as .xlsx."
        )
    try:
        with open_zip(name, data) as archive:
            within_limit(name, archive)
            book = Workbook(archive, ReadingBudget(MAX_CELLS))
            chosen = Chosen("", SheetCells(), ())
            for place in book.sheets:
                others = tuple(other.title for other in book.sheets if other is not place)
                found = Chosen(place.title, book.read(place, MAX_COLUMNS), others)
                if len(found.sheet.rows) >= MIN_ROWS:
                    return found
                chosen = chosen if chosen.sheet.rows or chosen.sheet.formulas else found
            return chosen
    except UnreadableFile:
        raise
    except TooManyElements as error:
        raise UnreadableFile(
            f"{quote(name)} holds more than the {MAX_CELLS:,} cells that are read of a workbook, empty ones included; "
            "export it as CSV or Parquet."
        ) from error
    except DAMAGED as error:
        raise UnreadableFile(
            f"{quote(name)} is a workbook that is damaged or oddly made; save it again as .xlsx, or export it as CSV."
        ) from error


def _columns(sheet: SheetCells, skip: int, width: int) -> list[list[Cell]]:
    """Return the cells below the first rows, column by column, None where there is none."""
    columns: list[list[Cell]] = [[None] * (sheet.rows[-1][0] - skip) for _ in range(width)]
    for number, cells in sheet.rows:
        if number > skip:
            for column, cell in zip(columns, cells, strict=False):
                column[number - skip - 1] = cell
    return columns


def _formula(place: tuple[int, int, str]) -> str:
    return f"such as {quote(place[2])} in row {place[0]}"


def _only_formulas(name: str, formulas: str) -> UnreadableFile:
    return UnreadableFile(
        f"{quote(name)} holds formulas without stored values, {formulas}; "
        "open it in a spreadsheet program, save it there and bring it again."
    )


def _texts(row: list[Cell]) -> list[str]:
    """Return cells as a text table would write them."""
    return ["" if cell is None else str(cell).strip() for cell in row]


def _series(column: list[Cell]) -> pd.Series:
    """Return a column of whatever type all its cells share, as objects where they share none."""
    cells = np.empty(len(column), dtype=object)
    cells[:] = [encodable(cell) if isinstance(cell, str) else cell for cell in column]
    return pd.Series(cells, dtype=object).infer_objects()
