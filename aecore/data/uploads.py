"""A visitor's file, as bytes, to a `Signal`: gaps filled, time and labels recognised, everything noted.

A reader turns the bytes of one kind of file into a `Table`; `to_signal` turns any table into a `Signal`.
To learn a new kind of file, add its extension and reader to `READERS`.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Callable, Mapping

from aecore.data.delimited import read_delimited
from aecore.data.tables import Signal, Table, to_signal
from aecore.data.wording import shown
from aecore.errors import UnreadableFile

__all__ = ["READERS", "Signal", "accepted", "fingerprint", "read"]

Reader = Callable[[str, bytes], Table]

READERS: Mapping[str, Reader] = {
    "csv": read_delimited,
    "tsv": read_delimited,
    "txt": read_delimited,
}

MAX_BYTES = 256 * 2**20  # a little above the 200 MB a browser may upload: also what a gzipped file may unpack to


def read(name: str, data: bytes) -> Signal:
    """Turn a file into a signal, noting all that was sniffed, filled or dropped.

    Parameters
    ----------
    name : file name; its extension (before a final ``.gz``) chooses the reader.
    data : the file's content.

    Returns
    -------
    Signal : values float64 [T, C], always finite, in the file's own units; see `Signal`.

    Raises
    ------
    UnreadableFile : the bytes are no table of numbers.
    DataError : the table has too many channels.
    TooFewRows : the table has fewer than two rows.
    """
    reader = _reader_for(name)
    if not data:
        raise UnreadableFile(f"{shown(name)} is empty (0 bytes); export it again and check its size.")
    if data[:2] == b"\x1f\x8b":  # by content too: browsers and loggers drop the .gz from names
        data = _gunzip(name, data)
    elif name.lower().endswith(".gz"):
        raise UnreadableFile(f"{shown(name)} is not gzip data; if it is plain text, take the .gz off its name.")
    if len(data) > MAX_BYTES:
        raise UnreadableFile(f"{shown(name)} holds more than {MAX_BYTES >> 20} MB; split it or keep every n-th row.")
    return to_signal(name, reader(name, data))


def accepted() -> tuple[str, ...]:
    """Extensions that `read` takes, without dots, for a file chooser."""
    return (*READERS, *(f"{extension}.gz" for extension in READERS))


def fingerprint(data: bytes) -> str:
    """First 12 hex digits of the SHA-256 of `data`: names a file in a link without holding any of it."""
    return hashlib.sha256(data).hexdigest()[:12]


def _reader_for(name: str) -> Reader:
    extension = name.lower().removesuffix(".gz").rpartition(".")[2]
    if "." not in name or extension not in READERS:
        kinds = ", ".join(f".{known}" for known in READERS)
        raise UnreadableFile(
            f"{shown(name)} is of a kind that is not read here; bring {kinds}, plain or gzipped (.gz)."
        )
    return READERS[extension]


def _gunzip(name: str, data: bytes) -> bytes:
    """Unpack at most one byte more than `MAX_BYTES`, so that a bomb costs no more memory than a large file."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            return packed.read(MAX_BYTES + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise UnreadableFile(
            f"{shown(name)} breaks off or is damaged inside its gzip packing; send it again, or unpacked."
        ) from error
