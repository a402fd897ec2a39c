"""JSON lines, and JSON arrays of records, to a `Table`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from aecore.data.cells import encodable
from aecore.data.encodings import as_utf8
from aecore.data.options import ReadOptions
from aecore.data.tables import MAX_CELLS, MAX_COLUMNS, Table, bounded
from aecore.data.wording import counted, listed, shown
from aecore.errors import UnreadableFile

TORN = (ValueError, RecursionError)  # what json raises: no JSON, an endless number, nesting without end
ENOUGH = 0.5  # share of lines that must hold a record: a log may break off, a text is no log


def read_json_lines(name: str, data: bytes, options: ReadOptions) -> Table:
    """Read one JSON object a line, or one array of objects; objects inside become columns ``outer.inner``.

    Lists inside are left out. Lines that hold no object are skipped and counted. Keys may differ between the lines,
    which is why columns are gathered here: as a matrix, few lines of ever new keys would outgrow any memory.
    """
    text, notes = as_utf8(name, data, options.encoding)
    columns: dict[str, dict[int, Any]] = {}
    skipped, rows, lists = 0, 0, dict[str, None]()
    for record in _records(text.decode("utf-8", errors="replace")):
        if not isinstance(record, Mapping):
            skipped += 1
            continue
        for key, value in _flat(record):
            if isinstance(value, list):
                lists[key] = None
            else:
                columns.setdefault(key, {})[rows] = value
        rows += 1
        if len(columns) > MAX_COLUMNS or rows * len(columns) > MAX_CELLS:
            bounded(name, rows, len(columns))
    if rows < ENOUGH * (rows + skipped) or not columns:
        raise UnreadableFile(f"{shown(name)} holds no JSON records; write one object a line, with a number a channel.")
    if lists:
        notes.append(f"Lists left out: {listed(lists)}.")
    if skipped:
        notes.append(f"{counted(skipped, 'line')} without a JSON object skipped.")
    frame = pd.DataFrame({n: _series(column, rows) for n, column in enumerate(columns.values())})
    return Table(frame, tuple(columns), tuple(notes), options.decimal or ".")


def _records(text: str) -> Iterator[Any]:
    """Yield what each line holds, None where it is no JSON; of an array, its items."""
    if text.lstrip()[:1] == "[":
        try:
            whole = json.loads(text)
        except TORN:
            whole = None
        if isinstance(whole, list) and any(isinstance(item, Mapping) for item in whole):
            yield from whole
            return
    for line in text.split("\n"):
        if line.strip():
            try:
                yield json.loads(line)
            except TORN:
                yield None


def _flat(record: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    """Yield the values of a record, those of objects inside by both keys; deeper ones are left out as lists are."""
    for key, value in record.items():
        if isinstance(value, dict):
            for inner, part in value.items():
                yield f"{key}.{inner}", [] if isinstance(part, dict) else part
        else:
            yield key, value


def _series(column: Mapping[int, Any], rows: int) -> pd.Series:
    """Return a column [T], gaps where a record lacked the key; integers beyond 64 bits become floats."""
    values = [column.get(row) for row in range(rows)]
    values = [encodable(value) if isinstance(value, str) else value for value in values]
    numeric = all(value is None or isinstance(value, (int, float)) for value in values)
    if numeric and any(isinstance(value, int) and abs(value) >= 2**63 for value in values):
        values = [float("inf") if value is not None and abs(value) > 1e300 else value for value in values]
        return pd.Series(values, dtype="float64")
    return pd.Series(values, dtype="float64" if numeric and None in values else None)
