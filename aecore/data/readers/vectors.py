"""A visitor's own data for a map: a table of vectors, or a zip of small pictures; labels where there are any."""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore.data.readers.archives import TORN, ZIP, open_zip, unpack, within_limit
from aecore.data.readers.delimited import read_delimited
from aecore.data.readers.edges import parser_edge
from aecore.data.readers.messages import clean_names, count_of, list_names, quote
from aecore.data.readers.options import ReadOptions
from aecore.data.readers.parsed import ParsedFile
from aecore.data.readers.pictures import DAMAGED, ENDINGS, open_picture
from aecore.data.tables.cells import to_float
from aecore.errors import DataError, TooFewRows, UnreadableFile

if TYPE_CHECKING:
    from PIL import Image  # imported where it is used: a page without pictures need not wait for it

Array = NDArray[np.float32]

LABEL_NAMES = re.compile(r"(class|label|target|digit|kind|species|group|category|type|y)s?")
MAX_ROWS, MAX_NUMBERS, MAX_KINDS = 5000, 1024, 50  # rows: what a browser draws three times at ease
FEWEST = 60  # a fifth is held out, and neighbours have to be found in it
# In pixels. Larger pictures are made smaller: a map is drawn of their coarse shapes.
MAX_SIDE = 28
MAX_ALL_PIXELS = 250_000_000  # of all pictures that are decoded: some seconds; blank ones pack a thousandfold


class Vectors(NamedTuple):
    """``x`` [N, D]: pictures in 0..1, or numbers as they are; ``labels`` uint8 [N], a kind's place in ``names``."""

    x: Array
    labels: NDArray[np.uint8] | None
    names: tuple[str, ...]
    shape: tuple[int, int] | None  # of a picture
    notes: tuple[str, ...]
    columns: tuple[str, ...] = ()  # of a table, that may hold labels
    label: str = ""  # the one that does


def read(name: str, data: bytes, label: str | None = None) -> Vectors:
    """Read a table (CSV and its kin, also gzipped) or a zip of pictures.

    ``label`` names the table's column of labels, "" says that there is none, None leaves it to its name or to being
    the only column of words. A picture's label is the folder it lies in.

    Raises
    ------
    UnreadableFile
        where there is neither a table nor a picture in it.
    TooFewRows
        below 60 data.
    DataError
        for more numbers a datum than 1024, or labels of more than 50 kinds.
    """
    return interpret(name, parse(name, data), label)


def parse(name: str, data: bytes) -> Vectors | ParsedFile:
    """Read the bytes: pictures are vectors at once, and a table is what `interpret` makes vectors of."""
    if not data:
        raise UnreadableFile(f"{quote(name)} is empty (0 bytes); export it again and check its size.")
    with parser_edge(name):
        if data.startswith(ZIP) and _holds_pictures(name, data):
            return _pictures(name, data)
        inner, data, _, notes = unpack(name, data, ("csv", "tsv", "txt"))
        table = read_delimited(inner, data, ReadOptions())
        return ParsedFile.of(name, table._replace(notes=(*notes, *table.notes)))


def interpret(name: str, parsed: Vectors | ParsedFile, label: str | None = None) -> Vectors:
    """Return the vectors in a file that `parse` has read, with the labels that `read` describes."""
    with parser_edge(name):
        found = parsed if isinstance(parsed, Vectors) else _to_vectors(parsed, label)
    if len(found.x) < FEWEST:
        raise TooFewRows(f"{quote(name)} holds {len(found.x)} data, and a map needs at least {FEWEST}; bring more.")
    if found.x.shape[1] > MAX_NUMBERS:
        raise DataError(
            f"{quote(name)} holds {found.x.shape[1]:,} numbers a datum, and at most {MAX_NUMBERS} are taken; keep the "
            "columns that matter."
        )
    return found


# ---------------------------------------------------------------------- tables
def _to_vectors(parsed: ParsedFile, label: str | None) -> Vectors:
    name, table = parsed.name, parsed.table()
    names = clean_names(table.names)
    columns = {names[i]: table.frame.iloc[:, i] for i in range(table.frame.shape[1])}
    said = list(table.notes)
    if label and label not in columns:
        raise DataError(f"No column is called {quote(label)}; the columns are {list_names(names, most=10)}.")
    marked = label if label is not None else _label_column(columns)
    possible = tuple(key for key, column in columns.items() if 1 < column.nunique() <= MAX_KINDS)
    kinds = columns.pop(marked, None) if marked else None
    numbers, left_out = {}, []
    for key, column in columns.items():
        values, _ = to_float(column, table.decimal, table.thousands)
        if values is None or np.isnan(values).all():
            left_out.append(key)
        else:
            numbers[key] = values
    if left_out:
        said.append(f"Without numbers, left out: {list_names(left_out)}.")
    if not numbers:
        raise UnreadableFile(f"{quote(name)} holds no column of numbers; export the vectors as numbers, one a row.")
    x = np.column_stack(list(numbers.values()))
    whole = np.isfinite(x).all(1) & (np.abs(x) < np.finfo(np.float32).max).all(1)
    if not whole.all():
        said.append(f"{count_of(int((~whole).sum()), 'row')} with a gap left out.")
    kept = _thin(np.flatnonzero(whole), said)
    labels, words = (None, ()) if kinds is None else _encode_labels(kinds.iloc[kept], str(marked))
    if kinds is not None:
        said.append(f"Labels from the column {quote(str(marked))}.")
    return Vectors(x[kept].astype(np.float32), labels, words, None, tuple(said), possible, marked or "")


def _label_column(columns: dict[str, pd.Series]) -> str | None:
    """Find a column under a telling name with few values, or the only column of words."""
    few = [key for key, column in columns.items() if 1 < column.nunique() <= MAX_KINDS]
    named = [key for key in few if LABEL_NAMES.fullmatch(key.lower().strip())]
    words = [key for key in few if to_float(columns[key], ".", None)[0] is None]
    return named[0] if named else words[0] if len(words) == 1 else None


def _encode_labels(column: pd.Series, name: str) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    codes, kinds = pd.factorize(column.fillna("none"), sort=True)
    if len(kinds) > MAX_KINDS:
        raise DataError(
            f"The column {quote(name)} holds {len(kinds):,} different values, and labels have at most {MAX_KINDS}; "
            "choose another column."
        )
    return codes.astype(np.uint8), clean_names([str(kind) for kind in kinds])


# ---------------------------------------------------------------------- pictures
def _holds_pictures(name: str, data: bytes) -> bool:
    with open_zip(name, data) as archive:
        return bool(_members(archive))


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Pictures in the archive, without what file managers put beside them."""
    return [
        member
        for member in archive.infolist()
        if member.filename.lower().endswith(tuple(f".{ending}" for ending in ENDINGS))
        and not member.filename.startswith("__MACOSX/")
        and not member.filename.rpartition("/")[2].startswith(".")
    ]


def _pictures(name: str, data: bytes) -> Vectors:
    with open_zip(name, data) as archive:
        within_limit(name, archive)
        members = sorted(_members(archive), key=lambda member: member.filename)
        notes: list[str] = []
        kept = [members[i] for i in _thin(np.arange(len(members)), notes)]
        side = _side(name, archive, kept)
        decoded, pixels = [], 0
        for member in kept:
            with _open(name, archive, member) as picture:
                pixels += picture.size[0] * picture.size[1]
                if pixels > MAX_ALL_PIXELS:
                    raise UnreadableFile(
                        f"The pictures in {quote(name)} have more than {MAX_ALL_PIXELS // 10**6} million pixels "
                        "together; make them smaller, they are read as thumbnails."
                    )
                decoded.append(_decode(name, picture, member, side).ravel())
        x = np.stack(decoded)
    if float(np.median(x)) > 0.5:
        x, paper = 1 - x, "light"
    else:
        paper = "dark"
    notes.append(f"Pictures read as {side} x {side} grey pixels on {paper} ground.")
    folders = [member.filename.replace("\\", "/").rpartition("/")[0].rpartition("/")[2] for member in kept]
    if 1 < len(set(folders)) <= MAX_KINDS:
        labels, names = _encode_labels(pd.Series(folders), "folder")
        return Vectors(x, labels, names, (side, side), (*notes, "Labels from the folders' names."))
    return Vectors(x, None, (), (side, side), tuple(notes))


def _side(name: str, archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> int:
    """Pixels a side: those of the first picture, at most 28."""
    with _open(name, archive, members[0]) as picture:
        return int(np.clip(max(picture.size), 4, MAX_SIDE))


def _decode(name: str, picture: Image.Image, member: zipfile.ZipInfo, side: int) -> Array:
    try:
        grey = picture.convert("L").resize((side, side))
    except DAMAGED as error:
        raise _no_picture(name, member) from error
    return np.asarray(grey, np.float32) / np.float32(255)


def _open(name: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Image.Image:
    try:
        with archive.open(member) as packed:
            data = packed.read(member.file_size)
    except TORN as error:
        raise _no_picture(name, member) from error
    return open_picture(member.filename, data, side=2 * MAX_SIDE)


def _no_picture(name: str, member: zipfile.ZipInfo) -> UnreadableFile:
    return UnreadableFile(f"{quote(member.filename)} in {quote(name)} is no picture that can be read; leave it out.")


def _thin(rows: NDArray[np.int64], notes: list[str]) -> NDArray[np.int64]:
    """Keep at most 5,000 rows, evenly spread."""
    if len(rows) <= MAX_ROWS:
        return rows
    notes.append(f"{MAX_ROWS:,} of {len(rows):,} data taken, evenly spread.")
    return rows[np.linspace(0, len(rows) - 1, MAX_ROWS).astype(np.int64)]
