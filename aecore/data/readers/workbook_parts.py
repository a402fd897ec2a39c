"""The parts of an Excel workbook, read by expat element by element: memory follows the cells that are there.

A sheet may claim a million rows of 16,384 columns in a few kilobytes, so nothing here is as large as a sheet claims to
be, and every element that is read counts against a limit. Layout: ECMA-376, part 1, chapter 18 (SpreadsheetML).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from datetime import datetime
from posixpath import join, normpath
from typing import Any, NamedTuple
from xml.parsers import expat

WORKBOOK, RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
MAX_ROWS, MAX_COLUMNS = 2**20, 2**14  # of a sheet; torn files claim more
MAX_TEXT = 200  # characters of a cell that are kept: no number, date or name needs more
MAX_FORMAT = 255  # characters of a number format, as in Excel
LOOK = 20  # rows in which formulas are looked for: a column of them begins with one
CHUNK = 1 << 16  # bytes

Attributes = dict[str, str]
Cell = Any  # str, int, float, bool, datetime, date, time, timedelta or None


class TooManyElements(Exception):
    """A workbook holds more elements than are read."""


class ReadingBudget:
    """What may still be read of a workbook, over all its parts."""

    def __init__(self, cells: int) -> None:
        self.cells, self.elements = cells, 4 * cells  # an ordinary cell is two or three elements

    def element(self, cells: int = 0) -> None:
        """Count an element, and the cells that it stands for."""
        self.elements -= 1
        self.cells -= cells
        if self.cells < 0 or self.elements < 0:
            raise TooManyElements


class Place(NamedTuple):
    """A sheet's title and the part that holds it."""

    title: str
    part: str


class Styles(NamedTuple):
    """Which cell styles show a number as a date, and which of these as a duration."""

    dates: frozenset[int]
    durations: frozenset[int]


class SheetCells:
    """Rows of a sheet that hold something: ``rows`` [(number from 1 on, cells up to the last filled one)].

    ``widest`` is the last filled column, also where it lies beyond those that are kept. ``formulas`` are those without
    a stored value in the first rows, as (row, column, formula).
    """

    def __init__(self) -> None:
        self.rows: list[tuple[int, list[Cell]]] = []
        self.widest = 0
        self.formulas: list[tuple[int, int, str]] = []


class Workbook:
    """A workbook's sheets, and what their cells refer to.

    Raises KeyError, ValueError, expat.ExpatError and what `zipfile` raises where the archive is torn or lies, and
    `TooManyElements` beyond the budget.
    """

    def __init__(self, archive: zipfile.ZipFile, budget: ReadingBudget) -> None:
        self.archive, self.budget = archive, budget
        archive.getinfo("[Content_Types].xml")  # an archive without it is no Office document
        targets: dict[str, str] = {}
        kinds: dict[str, str] = {}
        parts = set(archive.namelist())
        for name, given in self._elements(RELATIONS):
            if name == "Relationship":
                target = normpath(join("xl", given["Target"])).lstrip("/")
                targets[given["Id"]] = target
                kinds.setdefault(given["Type"].rpartition("/")[2], target)
        self.sheets: list[Place] = []
        self.epoch = datetime(1899, 12, 30)
        for name, given in self._elements(WORKBOOK):
            if name == "workbookPr" and given.get("date1904", "0") in ("1", "true"):
                self.epoch = datetime(1904, 1, 1)
            if name == "sheet":
                part = targets.get(next((v for k, v in given.items() if k.rpartition(":")[2] == "id"), ""), "")
                if part in parts and "chartsheet" not in part:
                    self.sheets.append(Place(given["name"], part))
        self.styles = (
            self._styles(kinds["styles"]) if kinds.get("styles") in parts else Styles(frozenset(), frozenset())
        )
        self.strings = self._strings(kinds["sharedStrings"]) if kinds.get("sharedStrings") in parts else []

    def read(self, place: Place, keep_columns: int) -> SheetCells:
        """Read the filled cells of a sheet's first columns."""
        reader = _SheetReader(self, keep_columns)
        self._parse(place.part, reader.start, reader.end, reader.text)
        return reader.sheet

    def _elements(self, part: str) -> list[tuple[str, Attributes]]:
        """Return name and attributes of each element of a small part, in order."""
        found: list[tuple[str, Attributes]] = []

        def start(name: str, given: Attributes) -> None:
            self.budget.element(cells=1)  # kept as an object, as a cell is
            found.append((name, given))

        self._parse(part, start, lambda name: None, None)
        return found

    def _styles(self, part: str) -> Styles:
        from openpyxl.styles.numbers import builtin_format_code, is_date_format, is_timedelta_format

        codes: dict[int, str] = {}
        cell_formats: list[int] = []
        inside = False

        def start(name: str, given: Attributes) -> None:
            nonlocal inside
            self.budget.element()
            if name == "numFmt" and "numFmtId" in given:
                codes[int(given["numFmtId"])] = given.get("formatCode", "")[:MAX_FORMAT]
            elif name == "cellXfs":
                inside = True
            elif name == "xf" and inside:
                self.budget.element(cells=1)
                cell_formats.append(int(given.get("numFmtId", "0")))

        def end(name: str) -> None:
            nonlocal inside
            inside = inside and name != "cellXfs"

        self._parse(part, start, end, None)
        known = {number: codes.get(number) or builtin_format_code(number) or "General" for number in set(cell_formats)}
        dates = {number for number, code in known.items() if is_date_format(code)}
        durations = {number for number, code in known.items() if is_timedelta_format(code)}
        return Styles(
            frozenset(i for i, number in enumerate(cell_formats) if number in dates),
            frozenset(i for i, number in enumerate(cell_formats) if number in durations),
        )

    def _strings(self, part: str) -> list[str]:
        strings: list[str] = []
        reader = _Text()

        def start(name: str, given: Attributes) -> None:
            self.budget.element(cells=name == "si")
            reader.start(name)

        def end(name: str) -> None:
            reader.end(name)
            if name == "si":
                strings.append(reader.take().replace("x005F_", ""))

        self._parse(part, start, end, reader.add)
        return strings

    def _parse(
        self, part: str, start: Callable[[str, Attributes], None], end: Callable[[str], None],
        text: Callable[[str], None] | None,
    ) -> None:  # fmt: skip
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = lambda name, given: start(name.rpartition(":")[2], given)
        parser.EndElementHandler = lambda name: end(name.rpartition(":")[2])
        parser.CharacterDataHandler = text
        parser.StartDoctypeDeclHandler = _refuse_doctype
        with self.archive.open(part) as source:
            while chunk := source.read(CHUNK):
                parser.Parse(chunk, False)
        parser.Parse(b"", True)


def _refuse_doctype(*of_it: object) -> None:
    raise ValueError("a workbook has no document type: entities could be declared in it")


class _Text:
    """Collects the text inside ``t`` elements, phonetic hints left out."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length, self._inside, self._hints = 0, False, 0

    def start(self, name: str) -> None:
        self._inside = name == "t" and not self._hints
        self._hints += name == "rPh"

    def end(self, name: str) -> None:
        self._inside = False
        self._hints -= name == "rPh"

    def add(self, text: str) -> None:
        if self._inside and self._length < MAX_TEXT:
            self._pieces.append(text[: MAX_TEXT - self._length])
            self._length += len(text)

    def take(self) -> str:
        text = "".join(self._pieces)
        self._pieces.clear()
        self._length = 0
        return text


class _SheetReader:
    """Handlers of a sheet's elements."""

    def __init__(self, book: Workbook, keep_columns: int) -> None:
        from openpyxl.utils.datetime import from_excel, from_ISO8601

        self.from_serial, self.from_text = from_excel, from_ISO8601
        self.book, self.keep, self.sheet = book, keep_columns, SheetCells()
        self.row, self.column = 0, 0
        self.cells: list[Cell] = []
        self.kind, self.style = "n", 0
        self.inside = ""  # which of a cell's parts the text belongs to
        self.parts: dict[str, str] = {}
        self.inline = _Text()

    def start(self, name: str, given: Attributes) -> None:
        if name == "c":
            self.book.budget.element(cells=1)
            self._start_cell(given)
        elif name == "row":
            self.book.budget.element(cells=1)
            number = int(given["r"]) if "r" in given else self.row + 1
            if not self.row < number <= MAX_ROWS:
                raise ValueError("a row out of order, or beyond the last")
            self.row, self.column, self.cells = number, 0, []
        else:
            self.book.budget.element()
            if name in ("v", "f"):
                self.inside = name
                self.parts.setdefault(name, "")
            else:
                self.inside = "is"
                self.inline.start(name)

    def text(self, text: str) -> None:
        if self.inside == "is":
            self.inline.add(text)
        elif self.inside and len(self.parts[self.inside]) < MAX_TEXT:
            self.parts[self.inside] += text[:MAX_TEXT]

    def end(self, name: str) -> None:
        self.inside = ""
        if name == "c":
            self._end_cell()
        elif name == "row":
            if self.cells:
                self.sheet.rows.append((self.row, self.cells))
                self.cells = []
        elif name not in ("v", "f"):
            self.inline.end(name)

    def _start_cell(self, given: Attributes) -> None:
        self.column = _column(given["r"]) if "r" in given else self.column + 1
        if self.column > MAX_COLUMNS:
            raise ValueError("a column beyond the last")
        self.kind, self.style = given.get("t", "n"), int(given.get("s") or 0)
        self.parts = {}

    def _end_cell(self) -> None:
        stored = self.parts.get("v", "")
        inline = self.inline.take()
        value = inline if self.kind == "inlineStr" else self._value(stored) if stored else None
        if value is None or value == "":
            formula = self.parts.get("f")
            if formula and self.row <= LOOK:
                self.sheet.formulas.append((self.row, self.column, f"={formula}"))
            if value is None:
                return
        self.sheet.widest = max(self.sheet.widest, self.column)
        if self.column <= self.keep:
            self.cells.extend([None] * (self.column - len(self.cells)))
            self.cells[self.column - 1] = value

    def _value(self, stored: str) -> Cell:
        if self.kind == "n":
            number = float(stored) if re.search("[.eEn]", stored) else int(stored)
            if self.style not in self.book.styles.dates:
                return number
            try:
                return self.from_serial(number, self.book.epoch, timedelta=self.style in self.book.styles.durations)
            except (OverflowError, ValueError):
                return "#VALUE!"
        if self.kind == "s":
            index = int(stored)
            if index < 0:
                raise ValueError("a shared string before the first")
            return self.book.strings[index]
        if self.kind == "b":
            return bool(int(stored))
        return self.from_text(stored) if self.kind == "d" else stored


def _column(reference: str) -> int:
    """Return the number of the column in a reference such as B7, from 1 on."""
    number = 0
    for letter in reference[:4].rstrip("0123456789").upper():
        if not "A" <= letter <= "Z":
            raise ValueError("a reference without a column")
        number = 26 * number + ord(letter) - 64
    if not number:
        raise ValueError("a reference without a column")
    return number
