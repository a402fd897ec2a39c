"""JSON lines, and JSON arrays of records, to a `Table`; one record at a time, each of bounded length."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from aecore.data.readers.encodings import as_utf8
from aecore.data.readers.messages import count_of, list_names, quote
from aecore.data.readers.options import ReadOptions
from aecore.data.tables.cells import encodable
from aecore.data.tables.table import MAX_CELLS, MAX_COLUMNS, Table, bounded
from aecore.errors import UnreadableFile

TORN = (ValueError, RecursionError)  # what json raises: no JSON, an endless number, nesting without end
ENOUGH = 0.5  # share of lines that must hold a record: a log may break off, a text is no log
MAX_RECORD = 1 << 18  # bytes: a thousand columns need a tenth of it, and nested lists take thirtyfold memory
MAX_TEXT = 200  # characters of a cell that are kept: no number, date or name needs more
MAX_ITEMS = 10_000_000  # lines or items that are looked at, also those that hold nothing
BLANKS = re.compile(r"[ \t\r\n]*")
BLOCK = 1 << 14  # rows after which cells are packed into arrays: as Python's objects they take five times the memory


def read_json_lines(name: str, data: bytes, options: ReadOptions) -> Table:
    """Read one JSON object a line, or one array of objects; objects inside become columns ``outer.inner``.

    Lists inside are left out. Lines that hold no object are skipped and counted. Keys may differ between the lines,
    which is why columns are gathered here: as a matrix, few lines of ever new keys would outgrow any memory.
    """
    text, notes = as_utf8(name, data, options.encoding)
    columns = _Columns()
    skipped, lists = 0, dict[str, None]()
    for number, record in enumerate(_records(name, text)):
        if number >= MAX_ITEMS:
            raise UnreadableFile(f"{quote(name)} holds more than {MAX_ITEMS:,} lines or items; keep every n-th row.")
        if not isinstance(record, Mapping):
            skipped += 1
            continue
        for key, value in _flat(record):
            if isinstance(value, list):
                lists[key] = None
            else:
                columns.add(key, value)
        columns.next_row()
        if len(columns.names) > MAX_COLUMNS or columns.rows * len(columns.names) > MAX_CELLS:
            bounded(name, columns.rows, len(columns.names))
        if len(lists) > MAX_COLUMNS:
            bounded(name, columns.rows, len(lists))
    rows = columns.rows
    if rows < ENOUGH * (rows + skipped) or not columns.names:
        raise UnreadableFile(f"{quote(name)} holds no JSON records; write one object a line, with a number a channel.")
    if lists:
        notes.append(f"Lists left out: {list_names(lists)}.")
    if skipped:
        notes.append(f"{count_of(skipped, 'line')} without a JSON object skipped.")
    frame = pd.DataFrame(dict(enumerate(columns.series())), copy=False)
    return Table(frame, tuple(columns.names), tuple(notes), options.decimal or ".")


class _Columns:
    """Cells by column, packed into arrays block by block; a column begins where its key comes first."""

    def __init__(self) -> None:
        self.rows = 0
        self.names: dict[str, list[tuple[int, pd.Series]]] = {}  # blocks of each column, and the row each begins at
        self._block: dict[str, list[Any]] = {}

    def add(self, key: str, value: Any) -> None:
        """Put a value into the row that is being read."""
        self.names.setdefault(key, [])
        cells = self._block.setdefault(key, [])
        row = self.rows % BLOCK
        cells.extend([None] * (row + 1 - len(cells)))
        cells[row] = encodable(value[:MAX_TEXT]) if isinstance(value, str) else value

    def next_row(self) -> None:
        """End a row."""
        self.rows += 1
        if self.rows % BLOCK == 0:
            self._pack(self.rows - BLOCK)

    def series(self) -> Iterator[pd.Series]:
        """Yield each column [T], gaps where a record lacked the key."""
        self._pack(self.rows - self.rows % BLOCK)
        for blocks in self.names.values():
            yield _join_blocks(blocks, self.rows)

    def _pack(self, first: int) -> None:
        for key, cells in self._block.items():
            self.names[key].append((first, _series(cells)))
        self._block = {}


def _records(name: str, text: bytes) -> Iterator[Any]:
    """Yield what each line holds, None where it is no JSON; of an array, its items."""
    if text[:MAX_RECORD].lstrip()[:1] == b"[":
        items = _items(name, text, text.index(b"[") + 1)
        first = next(items, None)
        if isinstance(first, Mapping):
            yield first
            yield from items
            return
    for line in io.BytesIO(text):
        if len(line) > MAX_RECORD:
            raise _too_long(name)
        if line.strip():
            try:
                yield json.loads(line)
            except TORN:
                yield None


def _items(name: str, text: bytes, at: int) -> Iterator[Any]:
    """Yield the items of an array that begins before ``at``, one by one; None for what follows a tear, or its end."""
    decoder = json.JSONDecoder()
    end = False
    while not end:
        part = text[at : at + MAX_RECORD]
        window = part.decode("utf-8", errors="surrogateescape")
        last = at + len(part) >= len(text)
        place = 0
        while True:
            try:
                item, stop = decoder.raw_decode(window, _after_blanks(window, place))
            except TORN:
                break
            stop = _after_blanks(window, stop)
            mark = window[stop : stop + 1]
            if mark not in (",", "]"):
                break
            yield item
            place = stop + 1
            if mark == "]":
                end = True
                break
        consumed = len(window[:place].encode("utf-8", errors="surrogateescape"))
        at += consumed
        if not end and (last or consumed == 0):
            if not last:
                raise _too_long(name)
            if text[at:].strip(b" \t\r\n") != b"]":
                yield None  # it breaks off here
            return
    if text[at:].strip():
        yield None


def _after_blanks(text: str, at: int) -> int:
    match = BLANKS.match(text, at)
    return match.end() if match else at


def _too_long(name: str) -> UnreadableFile:
    return UnreadableFile(
        f"{quote(name)} holds a record of more than {MAX_RECORD >> 10} kB; write one object a line, with a number a "
        "channel."
    )


def _flat(record: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    """Yield the values of a record, those of objects inside by both keys; deeper ones are left out as lists are."""
    for key, value in record.items():
        if isinstance(value, dict):
            for inner, part in value.items():
                yield f"{key}.{inner}", [] if isinstance(part, dict) else part
        else:
            yield key, value


def _series(values: list[Any]) -> pd.Series:
    """Return cells as a column, None where a record lacked the key; integers beyond 64 bits become floats."""
    numeric = all(value is None or isinstance(value, (int, float)) for value in values)
    if numeric and any(isinstance(value, int) and abs(value) >= 2**63 for value in values):
        values = [float("inf") if value is not None and abs(value) > 1e300 else value for value in values]
        return pd.Series(values, dtype="float64")
    return pd.Series(values, dtype="float64" if numeric and None in values else None)


def _join_blocks(blocks: list[tuple[int, pd.Series]], rows: int) -> pd.Series:
    """Return blocks of cells as one column [T] of the type that they share, or of objects."""
    kinds = {series.dtype for _, series in blocks}
    dense = sum(len(series) for _, series in blocks) == rows
    if dense and len(kinds) == 1 and (kind := next(iter(kinds))).kind in "bi":
        column: Any = np.zeros(rows, kind)
    elif all(pd.api.types.is_numeric_dtype(kind) for kind in kinds):
        column = np.full(rows, np.nan)
    else:
        column = np.full(rows, None, dtype=object)
    for first, series in blocks:
        column[first : first + len(series)] = series.to_numpy()
    return pd.Series(column).infer_objects()
