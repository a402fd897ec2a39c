"""Parquet files to a `Table`, by pyarrow, batch by batch; nested columns and blobs are left out unread."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pandas as pd

from aecore.data.readers.archives import MAX_BYTES, too_large
from aecore.data.readers.messages import count_of, list_names, quote
from aecore.data.readers.options import ReadOptions
from aecore.data.tables.table import Table, bounded
from aecore.errors import UnreadableFile

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


MAX_TEXT = 200  # characters of a cell that are kept: no number, date or name needs more
BATCH = 1 << 16  # rows that are read at once: a dictionary comes again with every batch


def read_parquet(name: str, data: bytes, options: ReadOptions) -> Table:
    """Read a Parquet file: flat columns of any type, in batches, within bounds on rows and bytes as they come.

    The footer is believed only where it makes a file look larger: one that lies about its rows is found out. Columns
    of text stay coded by dictionaries, which is how few bytes can stand for gigabytes, until their cells are cut.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        fields = list(pq.read_schema(io.BytesIO(data)))
        flat = [field.name for field in fields if not _is_left_out(field.type)]
        others = [field.name for field in fields if _is_left_out(field.type)]
        coded = [field.name for field in fields if _is_text(field.type)]
        file = pq.ParquetFile(io.BytesIO(data), read_dictionary=coded)
        bounded(name, file.metadata.num_rows, len(flat))
        if _stated_bytes(file.metadata, set(flat)) > MAX_BYTES:
            raise too_large(name)
        batches, rows, size = [], 0, 0
        for batch in file.iter_batches(BATCH, columns=flat, use_threads=False):
            batch.validate(full=True)  # offsets and encodings: what follows trusts them
            batch = pa.record_batch([_cut_texts(column) for column in batch.columns], names=batch.schema.names)
            rows, size = rows + len(batch), size + batch.nbytes
            bounded(name, rows, len(flat))
            if size > MAX_BYTES:
                raise too_large(name)
            batches.append(batch)
        columns = [_series(_join_batches(batches, i)) for i in range(len(batches[0].columns) if batches else 0)]
        columns = columns or [pd.Series(dtype="float64") for _ in flat]
        names = tuple(batches[0].schema.names) if batches else tuple(flat)
    except UnreadableFile:
        raise
    except (pa.ArrowException, OSError, ValueError, TypeError, LookupError, OverflowError, MemoryError) as error:
        raise UnreadableFile(
            f"{quote(name)} breaks off, is damaged or is no Parquet file; write it again, or name it by what it is."
        ) from error
    if not columns:
        raise UnreadableFile(
            f"{quote(name)} holds {count_of(len(others), 'column')} of lists, structs or bytes and no plain one; "
            "write one plain column a channel."
        )
    notes = (f"Columns of lists, structs or bytes left out: {list_names(others)}.",) if others else ()
    return Table(pd.DataFrame(dict(enumerate(columns)), copy=False), names, notes)


def _stated_bytes(metadata: pq.FileMetaData, wanted: set[str]) -> int:
    """Return how many bytes the wanted columns unpack to, as the footer has it."""
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    chunks = (group.column(i) for group in groups for i in range(group.num_columns))
    return sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema in wanted)


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow.types as of

    if of.is_dictionary(kind):
        kind = kind.value_type
    return bool(of.is_string(kind) or of.is_large_string(kind) or of.is_string_view(kind))


def _cut_texts(column: pa.Array) -> pa.Array:
    """Return a column with its texts cut; of one coded by a dictionary, the dictionary's."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not _is_text(column.type):
        return column
    if pa.types.is_dictionary(column.type):
        words = pc.utf8_slice_codeunits(column.dictionary.cast(pa.large_string()), 0, MAX_TEXT)
        return words.take(column.indices)
    return pc.utf8_slice_codeunits(column.cast(pa.large_string()), 0, MAX_TEXT)


def _join_batches(batches: list[pa.RecordBatch], place: int) -> pa.ChunkedArray:
    import pyarrow as pa

    return pa.chunked_array([batch.column(place) for batch in batches])


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
