"""What a file is by its first bytes, whatever its name says."""

from __future__ import annotations

import re
from typing import NamedTuple

HEAD = 1024  # bytes that are looked at: a signature stands at the very front


class FileKind(NamedTuple):
    """One kind of file: how to call it, and either the extension whose reader takes it or the way out."""

    words: str
    extension: str | None
    way_out: str = ""


AS_TABLE = "export its table as CSV or Parquet"
REPACK = "unpack it, or pack it with zip or gzip"
OLD_EXCEL = FileKind(
    "an old Excel workbook (.xls) or one locked by a password", None, "save it as .xlsx without a password, or as CSV"
)
PICKLE = FileKind(
    "a Python pickle, which can run code when it is opened", None, "save it with numpy.save, or as Parquet"
)
HDF5 = FileKind(
    "an HDF5 file, as MATLAB's v7.3 files are",
    None,
    "save it in MATLAB with save(..., '-v7'), or export it as Parquet or CSV",
)

BY_CONTENT: tuple[tuple[re.Pattern[bytes], FileKind], ...] = tuple(
    (re.compile(pattern, re.DOTALL), kind)
    for pattern, kind in (  # each with a byte that no text holds where its letters alone could begin a header
        (rb"PAR1[\x00-\x1f]", FileKind("a Parquet file", "parquet")),
        (rb"\x93NUMPY", FileKind("a NumPy array", "npy")),
        (rb"MATLAB 5\.0 MAT-file", FileKind("a MATLAB file", "mat")),
        (rb"MATLAB [^5].{0,110}HDF5 schema|MATLAB 7\.3 MAT-file|\x89HDF\r\n\x1a\n", HDF5),
        (rb"(RIFF|RF64).{4}WAVE", FileKind("a WAV recording", "wav")),
        (rb"fLaC\x00", FileKind("a FLAC recording", "flac")),
        (rb"OggS\x00", FileKind("an Ogg recording", "ogg")),
        (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLD_EXCEL),
        (rb"PARE[\x00-\x1f]", FileKind("an encrypted Parquet file", None, "write it again without encryption")),
        (rb"ARROW1\x00\x00", FileKind("an Arrow or Feather file", None, "write it as Parquet")),
        (rb"SQLite format 3\x00", FileKind("a SQLite database", None, AS_TABLE)),
        (rb"TDSm.\x00", FileKind("a TDMS recording", None, AS_TABLE)),
        (rb"MDF     \d\.\d\d", FileKind("an MDF recording", None, AS_TABLE)),
        (rb"\x80[\x02-\x05][\x80-\xff(\]}cCX]", PICKLE),
        (rb"%PDF-", FileKind("a PDF", None, "export the table behind it as CSV")),
        (rb"\x89PNG\r\n", FileKind("a PNG image", None, "bring the numbers behind it as CSV")),
        (rb"\xff\xd8\xff", FileKind("a JPEG image", None, "bring the numbers behind it as CSV")),
        (rb"(?i)\s*(<!doctype html|<html)", FileKind("a web page (HTML)", None, "export the table itself as CSV")),
        (rb"BZh\d1AY&SY", FileKind("packed with bzip2", None, REPACK)),
        (rb"\xfd7zXZ\x00", FileKind("packed with xz", None, REPACK)),
        (rb"7z\xbc\xaf\x27\x1c", FileKind("packed with 7-Zip", None, REPACK)),
        (rb"Rar!\x1a\x07", FileKind("packed with RAR", None, REPACK)),
        (rb"\x28\xb5\x2f\xfd", FileKind("packed with Zstandard", None, REPACK)),
    )
)
BY_NAME = {
    "xls": OLD_EXCEL,
    "xlsb": FileKind("a binary Excel workbook", None, "save it as .xlsx"),
    "ods": FileKind("an OpenDocument table", None, "save it as .xlsx"),
    "pkl": PICKLE,
    "pickle": PICKLE,
    "h5": HDF5,
    "hdf5": HDF5,
    "feather": FileKind("a Feather file", None, "write it as Parquet"),
    "mp3": FileKind("an MP3 recording", None, "save it as WAV or FLAC"),
    "tdms": FileKind("a TDMS recording", None, AS_TABLE),
    "mf4": FileKind("an MDF recording", None, AS_TABLE),
}


def recognise(data: bytes) -> FileKind | None:
    """Return what the content gives itself out for, or None where it carries no signature, as text does not."""
    head = data[:HEAD]
    return next((kind for pattern, kind in BY_CONTENT if pattern.match(head)), None)
