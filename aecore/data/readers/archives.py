"""Gzip and zip around a file, taken off within bounds; nothing is ever written to disk."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Collection, Sequence
from typing import NamedTuple

from aecore.data.readers.messages import count_of, list_names, quote
from aecore.errors import UnreadableFile

MAX_BYTES = 256 * 2**20  # a little above the 200 MB a browser may upload: also what a packed file may unpack to
MAX_LAYERS = 3  # "log.csv.gz" in a zip are two; archives that hold themselves have no last one
MAX_MEMBERS = 10_000
GZIP = b"\x1f\x8b"
ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # the second: an archive with nothing in it
USUAL = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others may ask for gigabytes before the first byte comes out
TORN = (  # what the standard library raises on archives that break off, lie or are damaged
    zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, KeyError, OverflowError, NotImplementedError,
    struct.error,
)  # fmt: skip


class Unpacked(NamedTuple):
    """A file as it lay inside; ``extension`` where the way it is packed settles its kind."""

    name: str
    data: bytes
    extension: str | None
    notes: tuple[str, ...]


def unpack(name: str, data: bytes, readable: Collection[str]) -> Unpacked:
    """Take gzip and zip off, layer by layer; Excel workbooks and .npz, archives as well, are left as they are.

    `readable` are the extensions that somebody can read: of an archive's files the first of such a kind is taken.
    """
    notes: list[str] = []
    for _ in range(MAX_LAYERS + 1):
        if data.startswith(GZIP):
            name, data = name[:-3] if name.lower().endswith(".gz") else name, _gunzip(name, data)
        elif data.startswith(ZIP):
            with open_zip(name, data) as archive:
                extension = _kind(name, archive.namelist())
                if extension is not None:
                    return Unpacked(name, data, extension, tuple(notes))
                name, data = _only_member(name, archive, readable, notes)
        elif name.lower().endswith((".gz", ".zip")):
            ending = name.lower().rpartition(".")[2]
            raise UnreadableFile(
                f"{quote(name)} is not {'gzip' if ending == 'gz' else 'zip'} data; "
                f"if it is plain text, take the .{ending} off its name."
            )
        else:
            return Unpacked(name, data, None, tuple(notes))
        if len(data) > MAX_BYTES:
            raise too_large(name)
    raise UnreadableFile(f"{quote(name)} is packed in more than {MAX_LAYERS} layers; unpack it first.")


def open_zip(name: str, data: bytes) -> zipfile.ZipFile:
    """Open an archive whose members are neither encrypted nor packed in unusual ways."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except TORN as error:
        raise _damage_error(name) from error
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise UnreadableFile(f"{quote(name)} holds {len(members):,} files; pack only the one that matters.")
    if any(member.flag_bits & 1 for member in members):
        raise UnreadableFile(f"{quote(name)} is locked by a password; pack it again without one.")
    if any(member.compress_type not in USUAL for member in members):
        raise UnreadableFile(f"{quote(name)} is packed in an unusual way; pack it as an ordinary zip.")
    return archive


def within_limit(name: str, archive: zipfile.ZipFile) -> None:
    """Refuse an archive whose members unpack to too much; no more than they state here is ever read of each."""
    if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
        raise too_large(name)


def too_large(name: str) -> UnreadableFile:
    """Say that a file is beyond `MAX_BYTES`."""
    return UnreadableFile(f"{quote(name)} holds more than {MAX_BYTES >> 20} MB; split it or keep every n-th row.")


def _kind(name: str, members: Sequence[str]) -> str | None:
    """Return the extension of a kind of file that is a zip archive itself, None for an ordinary archive."""
    if "xl/workbook.xml" in members:
        return "xlsx"
    if "xl/workbook.bin" in members:
        raise UnreadableFile(f"{quote(name)} is a binary Excel workbook; save it as .xlsx.")
    if "content.xml" in members and "mimetype" in members:
        raise UnreadableFile(f"{quote(name)} is an OpenDocument file; save its table as .xlsx or CSV.")
    if "[Content_Types].xml" in members:
        raise UnreadableFile(f"{quote(name)} is an Office document without a table; save the table as .xlsx or CSV.")
    if members and all(member.endswith(".npy") for member in members) and not name.lower().endswith(".zip"):
        return "npz"
    return None


def _only_member(name: str, archive: zipfile.ZipFile, readable: Collection[str], notes: list[str]) -> tuple[str, bytes]:
    """Return base name and content of the first member of a readable kind."""
    files = [member for member in archive.infolist() if _base(member.filename) and not _litter(member.filename)]
    usable = [member for member in files if _extension(member.filename) in readable]
    if not files:
        raise UnreadableFile(f"{quote(name)} is an archive without a file in it; pack it again.")
    if not usable:
        held = list_names([quote(_base(member.filename)) for member in files], most=3)
        raise UnreadableFile(f"{quote(name)} holds nothing of a kind that is read here, only {held}; export as CSV.")
    chosen = usable[0]
    inside = _base(chosen.filename)
    if chosen.file_size > MAX_BYTES:
        raise too_large(inside)
    try:
        with archive.open(chosen) as packed:
            data = packed.read(MAX_BYTES + 1)
    except TORN as error:
        raise _damage_error(name) from error
    if not data:
        raise UnreadableFile(f"{quote(inside)} in the archive is empty (0 bytes); export it again and check its size.")
    rest = f"; {count_of(len(files) - 1, 'other file')} left out" if len(files) > 1 else ""
    notes.append(f"{quote(inside)} read from the archive{rest}.")
    return inside, data


def _gunzip(name: str, data: bytes) -> bytes:
    """Unpack at most one byte more than `MAX_BYTES`, so that a bomb costs no more memory than a large file."""
    unpacked = io.BytesIO()  # grows with what comes: asked for all at once, gzip would set aside all of the limit
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            while (left := MAX_BYTES + 1 - unpacked.tell()) and (piece := packed.read(min(left, 1 << 20))):
                unpacked.write(piece)
        return unpacked.getvalue()
    except (EOFError, OSError, zlib.error) as error:
        raise UnreadableFile(
            f"{quote(name)} breaks off or is damaged inside its gzip packing; send it again, or unpacked."
        ) from error


def _damage_error(name: str) -> UnreadableFile:
    return UnreadableFile(
        f"{quote(name)} is a zip archive or Excel workbook that breaks off or is damaged; send it again, or unpacked."
    )


def _litter(path: str) -> bool:
    """Tell what file managers put beside the files."""
    return path.startswith("__MACOSX/") or _base(path).startswith(".") or _base(path).lower() == "thumbs.db"


def _base(path: str) -> str:
    """Return the last part of a member's path: where it says it wants to go is nobody's business."""
    return path.replace("\\", "/").rpartition("/")[2]


def _extension(path: str) -> str:
    return _base(path).lower().removesuffix(".gz").rpartition(".")[2]
