"""A Parquet file too long to hold at once, in blocks of rows; its columns mean what `uploads.read` takes them for."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from aecore.data.readers import uploads
from aecore.data.readers.messages import clean_names, quote
from aecore.data.tables import timezones as clocks
from aecore.data.tables.cells import to_float
from aecore.data.tables.table import LARGEST
from aecore.errors import DataError, UnreadableFile

HEAD = 50_000  # rows that decide what the columns are
BLOCK = 1 << 18  # rows held at once: 8 MB for four channels
LONGEST_GAP = 1 << 20  # rows; a gap that is longer is filled with its last value, not by a line to its other end
_BROKEN = (pa.ArrowException, OSError, ValueError, TypeError, LookupError, OverflowError)


class ParquetBlocks:
    """Values and clock of a Parquet file, block by block.

    Attributes
    ----------
    rows : how many the file has.
    channels : names of the measurements, as `uploads.read` finds them in the first rows.
    sample_rate : Hz, of the first rows; None unless their steps are regular.
    notes : what was made of the columns, one sentence each.

    Raises
    ------
    UnreadableFile, DataError, TooFewRows
        For what is no Parquet file of measurements, and for time that cannot be told from one column, in order.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._open() as file:
            self.rows = file.metadata.num_rows
            names = [field.name for field in file.schema_arrow]
            head = next(file.iter_batches(HEAD), None)
        if head is None:
            raise UnreadableFile(f"{quote(path.name)} holds no rows; export it again and check its size.")
        kept = io.BytesIO()
        pq.write_table(pa.Table.from_batches([head]), kept)
        signal = uploads.read(path.name, kept.getvalue())
        self.channels, self.sample_rate, self.notes = signal.channels, signal.sample_rate, signal.notes
        columns = dict(zip(clean_names(names), names, strict=True))  # as they are called here: as in the file
        time = signal.roles.time if signal.roles and signal.time is not None else None
        self._columns = [columns[name] for name in self.channels]
        self._time = columns.get(time) if time else None
        self._time_name = time or ""  # may tell the unit
        if signal.time is not None and not np.array_equal(self._clock(pa.table(head), 0), signal.time):
            raise DataError(
                f"{quote(path.name)} is too long to be put in order of time; "
                "write it with one column of time that runs forwards."
            )

    def blocks(self) -> Iterator[tuple[NDArray[np.float64], NDArray[np.generic]]]:
        """Yield values [N, C], gaps filled by straight lines, and the clock [N]: dates, seconds or row numbers."""
        before = np.empty((0, len(self.channels)))  # the last row given out
        values, clock = before, self._clock(None, 0)
        for table, first in self._tables():
            values = np.concatenate([values, self._values(table)])
            clock = np.append(clock, self._clock(table, first)) if len(clock) else self._clock(table, first)
            known = np.flatnonzero(np.isfinite(values).all(1))
            ready = int(known[-1]) + 1 if len(known) else 0
            if len(values) - ready > LONGEST_GAP:
                ready = len(values)
            if ready:
                filled = _fill_gaps(values[:ready], before)
                before = filled[-1:]
                yield filled, clock[:ready]
                values, clock = values[ready:], clock[ready:]
        if len(values):
            yield _fill_gaps(values, before), clock

    def between(self, first: int, last: int) -> NDArray[np.float64]:
        """Values of the rows first..last - 1, [last - first, C]."""
        parts, start = [], 0
        for values, _ in self.blocks():
            if start + len(values) > first:
                parts.append(values[max(0, first - start) : last - start])
            start += len(values)
            if start >= last:
                break
        return np.concatenate(parts)

    def _open(self) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(self._path, pre_buffer=False, buffer_size=1 << 20)  # one row group may be all of it
        except _BROKEN as error:
            raise UnreadableFile(
                f"{quote(self._path.name)} is no Parquet file, or breaks off; write it again and check its size."
            ) from error

    def _tables(self) -> Iterator[tuple[pa.Table, int]]:
        """Yield pieces of at least two rows (fewer make no clock) and the number of their first row."""
        columns = [*self._columns, *([self._time] if self._time else [])]
        first = 0
        pending: pa.Table | None = None
        try:
            with self._open() as file:
                for batch in file.iter_batches(BLOCK, columns=list(dict.fromkeys(columns)), use_threads=False):
                    new = pa.Table.from_batches([batch])
                    pending = new if pending is None else pa.concat_tables([pending, new])
                    if len(pending) > BLOCK // 2:
                        yield pending[:-2], first
                        first += len(pending) - 2
                        pending = pending[-2:]
        except _BROKEN as error:
            raise UnreadableFile(f"{quote(self._path.name)} is damaged after row {first:,}; write it again.") from error
        if pending is not None:
            yield pending, first

    def _values(self, table: pa.Table) -> NDArray[np.float64]:
        values = np.column_stack([self._numbers(table[name]) for name in self._columns])
        values[~(np.abs(values) <= LARGEST)] = np.nan
        return values

    def _numbers(self, column: pa.ChunkedArray) -> NDArray[np.float64]:
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if pa.types.is_boolean(kind):
            column, kind = column.cast(pa.uint8()), pa.uint8()
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
        numbers, _ = to_float(column.cast(kind).to_pandas(), ".", None)
        return np.full(len(column), np.nan) if numbers is None else numbers

    def _clock(self, table: pa.Table | None, first: int) -> NDArray[np.generic]:
        """Clock of a piece whose first row has this number."""
        if table is None:
            return np.empty(0)
        if self._time is None:
            return np.arange(first, first + len(table))
        clock = clocks.take({self._time_name: table[self._time].to_pandas()}, [], named=True, wanted=self._time_name)
        if clock is None:
            raise DataError(f"The time in {quote(self._path.name)} stops being one at row {first:,}; mend its column.")
        return clock.time[::-1] if clock.descending else clock.time


def _fill_gaps(values: NDArray[np.float64], before: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put straight lines through gaps, the first from the row ``before`` ([1, C], or none at the file's start)."""
    if np.isfinite(values).all():
        return values
    joined = np.concatenate([before, values])
    rows = np.arange(len(joined))
    for column in joined.T:  # views: filled in place
        known = np.isfinite(column)
        column[~known] = np.interp(rows[~known], rows[known], column[known]) if known.any() else 0.0
    return joined[len(before) :]
