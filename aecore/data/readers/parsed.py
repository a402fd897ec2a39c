"""A file as its reader found it, before anything says what its columns mean: arrays that travel between processes.

Reading the bytes of a file is slow and may fail; what the columns mean may change with every click. So the first is
done once, and what comes of it is kept in a form that pickles by value: NumPy arrays, text as one block of UTF-8.
"""

from __future__ import annotations

import sys
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore.data.tables.table import Table


class Text(NamedTuple):
    """A column of text: cell i is ``utf8[offsets[i]:offsets[i + 1]]``, and missing where ``filled[i]`` is False."""

    utf8: NDArray[np.uint8]
    offsets: NDArray[np.int64]  # [T + 1]
    filled: NDArray[np.bool_]  # [T]


Column: TypeAlias = "NDArray[np.generic] | Text"  # numbers, times, or cells of several types as objects


class ParsedFile(NamedTuple):
    """What a reader found in a file; it does not depend on the options that concern columns.

    ``columns`` hold the cells as they came, T rows each; ``names`` are "" where the file names no column. Pickles by
    value: there is nothing in it but arrays, text and numbers.
    """

    name: str  # of the file, as it lay inside any packing
    columns: tuple[Column, ...]
    names: tuple[str, ...]
    rows: int
    notes: tuple[str, ...]
    decimal: str
    thousands: str | None
    sample_rate: float | None  # Hz, where the file itself states it
    nbytes: int  # of memory, about

    @classmethod
    def of(cls, name: str, table: Table) -> ParsedFile:
        """Keep the columns of a table as arrays."""
        columns = tuple(_to_column(table.frame.iloc[:, i]) for i in range(table.frame.shape[1]))
        size = sum(map(_size, columns))
        return cls(
            name, columns, table.names, len(table.frame), table.notes, table.decimal, table.thousands,
            table.sample_rate, size,
        )  # fmt: skip

    def table(self) -> Table:
        """Return the table again; numbers are not copied."""
        frame = pd.DataFrame({i: _to_series(column) for i, column in enumerate(self.columns)}, copy=False)
        return Table(frame, self.names, self.notes, self.decimal, self.thousands, self.sample_rate)


def _to_column(series: pd.Series) -> Column:
    text = isinstance(series.dtype, pd.StringDtype) or series.dtype == object and _all_text(series)
    if not text:
        return series.to_numpy()
    import pyarrow as pa

    array = pa.array(series, type=pa.large_string(), from_pandas=True)
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    _, offsets, utf8 = array.buffers()
    ends = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    block = np.frombuffer(utf8, np.uint8)[ends[0] : ends[-1]] if utf8 is not None else np.empty(0, np.uint8)
    return Text(block, ends - ends[0], np.asarray(array.is_valid()))


def _all_text(series: pd.Series) -> bool:
    return bool(pd.api.types.infer_dtype(series, skipna=True) == "string")


def _to_series(column: Column) -> pd.Series:
    if not isinstance(column, Text):
        return pd.Series(column, copy=False)
    import pyarrow as pa

    filled = None if column.filled.all() else pa.py_buffer(np.packbits(column.filled, bitorder="little").tobytes())
    buffers = [filled, pa.py_buffer(column.offsets), pa.py_buffer(column.utf8)]
    return pa.Array.from_buffers(pa.large_string(), len(column.filled), buffers).to_pandas()


def _size(column: Column) -> int:
    if isinstance(column, Text):
        return column.utf8.nbytes + column.offsets.nbytes + column.filled.nbytes
    if column.dtype == object:
        return column.nbytes + sum(map(sys.getsizeof, column.tolist()))
    return column.nbytes
