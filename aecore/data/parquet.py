"""Parquet files to a `Table`, by pyarrow; nested columns and blobs are left out unread."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pandas as pd

from aecore.data.options import ReadOptions
from aecore.data.tables import Table, bounded
from aecore.data.wording import counted, listed, shown
from aecore.errors import UnreadableFile

if TYPE_CHECKING:
    import pyarrow as pa


def read_parquet(name: str, data: bytes, options: ReadOptions) -> Table:
    """Read a Parquet file: flat columns of any type; size and nesting are judged by its footer, before any data."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(io.BytesIO(data))
        fields = list(file.schema_arrow)
        flat = [field.name for field in fields if not _is_left_out(field.type)]
        others = [field.name for field in fields if _is_left_out(field.type)]
        bounded(name, file.metadata.num_rows, len(flat))
        table = file.read(columns=flat, use_threads=False)
        table.validate(full=True)  # offsets and encodings: what follows trusts them
        columns = [_series(column) for column in table.columns]
    except UnreadableFile:
        raise
    except (pa.ArrowException, OSError, ValueError, TypeError, LookupError, OverflowError, MemoryError) as error:
        raise UnreadableFile(
            f"{shown(name)} breaks off, is damaged or is no Parquet file; write it again, or name it by what it is."
        ) from error
    if not columns:
        raise UnreadableFile(
            f"{shown(name)} holds {counted(len(others), 'column')} of lists, structs or bytes and no plain one; "
            "write one plain column a channel."
        )
    notes = (f"Columns of lists, structs or bytes left out: {listed(others)}.",) if others else ()
    return Table(pd.DataFrame(dict(enumerate(columns))), tuple(table.column_names), notes)


def _is_left_out(kind: pa.DataType) -> bool:
    import pyarrow.types as of

    bytes_ = of.is_binary(kind) or of.is_large_binary(kind) or of.is_fixed_size_binary(kind) or of.is_binary_view(kind)
    return bool(of.is_nested(kind) or bytes_)


def _series(column: pa.ChunkedArray) -> pd.Series:
    """Return a column as pandas holds it best: the types that it would keep as Python objects are cast before."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_decimal(kind) or pa.types.is_float16(kind):
        column = column.cast(pa.float64())
    elif pa.types.is_boolean(kind):
        column = column.cast(pa.uint8())  # with gaps, pandas would make objects of them
    elif pa.types.is_date(kind):
        column = column.cast(pa.timestamp("ms"))
    elif pa.types.is_timestamp(kind) and kind.tz is not None:
        column = column.cast(pa.int64()).cast(pa.timestamp(kind.unit))  # UTC inside, whatever the zone is called
    return column.to_pandas()
