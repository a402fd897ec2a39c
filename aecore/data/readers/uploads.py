"""A visitor's file, as bytes, to a `Signal`: gaps filled, time and labels recognised, everything noted.

`parse` turns the bytes into a `ParsedFile`: slow, once a file. `interpret` turns that into a `Signal`: quick, again
whenever somebody says what a column is. To read a new kind of file, add its extension and reader to `READERS`, and its
first bytes to `signatures`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from aecore.data.readers.archives import MAX_BYTES, too_large, unpack
from aecore.data.readers.arrays import read_npy, read_npz
from aecore.data.readers.audio import read_audio
from aecore.data.readers.delimited import read_delimited
from aecore.data.readers.edges import parser_edge
from aecore.data.readers.json_lines import read_json_lines
from aecore.data.readers.matlab import read_mat
from aecore.data.readers.messages import quote
from aecore.data.readers.options import ReadOptions
from aecore.data.readers.parquet import read_parquet
from aecore.data.readers.parsed import ParsedFile
from aecore.data.readers.signatures import BY_NAME, recognise
from aecore.data.readers.workbooks import read_workbook
from aecore.data.tables.table import Signal, Table, to_signal
from aecore.errors import UnreadableFile

__all__ = [
    "READERS",
    "ParsedFile",
    "ReadOptions",
    "Signal",
    "list_extensions",
    "fingerprint",
    "interpret",
    "parse",
    "read",
]

Reader = Callable[[str, bytes, ReadOptions], Table]

READERS: Mapping[str, Reader] = {
    "csv": read_delimited,
    "tsv": read_delimited,
    "txt": read_delimited,
    "xlsx": read_workbook,
    "xlsm": read_workbook,
    "parquet": read_parquet,
    "npy": read_npy,
    "npz": read_npz,
    "mat": read_mat,
    "wav": read_audio,
    "flac": read_audio,
    "ogg": read_audio,
    "jsonl": read_json_lines,
    "ndjson": read_json_lines,
    "json": read_json_lines,
}


def read(name: str, data: bytes, options: ReadOptions | None = None) -> Signal:
    """Turn a file into a signal, noting all that was sniffed, filled or dropped.

    Parameters
    ----------
    name : file name; its extension (before a final ``.gz`` or ``.zip``) chooses the reader, unless the content
        carries the signature of another kind.
    data : the file's content, plain, gzipped or zipped.
    options : what outranks the sniffing; see `ReadOptions`.

    Returns
    -------
    Signal : values float64 [T, C], always finite, in the file's own units; see `Signal`.

    Raises
    ------
    UnreadableFile : the bytes are no table of numbers.
    DataError : the table has too many channels, or not the columns that `options` name.
    TooFewRows : the table has fewer than two rows.
    """
    return interpret(parse(name, data, options), options)


def parse(name: str, data: bytes, options: ReadOptions | None = None) -> ParsedFile:
    """Read the bytes of a file into columns of cells; of `options`, only those that concern text matter.

    Raises
    ------
    UnreadableFile : the bytes are no table.
    """
    text = (options or ReadOptions()).of_text()
    if not data:
        raise UnreadableFile(f"{quote(name)} is empty (0 bytes); export it again and check its size.")
    with parser_edge(name):
        inner, data, packed_as, notes = unpack(name, data, READERS)
        if len(data) > MAX_BYTES:
            raise too_large(inner)
        reader, surprise = _reader_for(inner, data, packed_as)
        table = reader(inner, data, text)
        return ParsedFile.of(inner, table._replace(notes=(*notes, *surprise, *table.notes)))


def interpret(parsed: ParsedFile, options: ReadOptions | None = None) -> Signal:
    """Say what the columns of a parsed file are; of `options`, only those that concern columns matter.

    Raises
    ------
    UnreadableFile, DataError, TooFewRows : as `read` does.
    """
    with parser_edge(parsed.name):
        return to_signal(parsed.name, parsed.table(), options)


def list_extensions() -> tuple[str, ...]:
    """Extensions that `read` takes, without dots, for a file chooser."""
    return (*READERS, "gz", "zip")


def fingerprint(data: bytes) -> str:
    """First 12 hex digits of the SHA-256 of `data`: names a file in a link without holding any of it."""
    return hashlib.sha256(data).hexdigest()[:12]


def _reader_for(name: str, data: bytes, packed_as: str | None) -> tuple[Reader, tuple[str, ...]]:
    """Return the reader by content, else by name, and a note where the two differ."""
    named = name.lower().rpartition(".")[2] if "." in name else ""
    kind = recognise(data)
    if kind is None and packed_as is None and named not in READERS:
        kind = BY_NAME.get(named)
    if kind is not None and kind.extension is None:
        raise UnreadableFile(f"{quote(name)} is {kind.words}; {kind.way_out}.")
    found = packed_as or (kind.extension if kind else None) or named
    if found not in READERS:
        kinds = ", ".join(f".{known}" for known in READERS)
        raise UnreadableFile(
            f"{quote(name)} is of a kind that is not read here; bring {kinds}, plain, gzipped or zipped."
        )
    reader = READERS[found]
    if READERS.get(named) is reader:
        return reader, ()
    words = kind.words if kind else {"xlsx": "an Excel workbook", "npz": "a NumPy archive"}[found]
    return reader, (f"By its content {quote(name)} is {words}, and was read as one.",)
