"""Arrays to a `Table`: NumPy's own files here, and what other formats of arrays share."""

from __future__ import annotations

import io
import tokenize
import warnings
from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore.data.readers.archives import TORN, open_zip, within_limit
from aecore.data.readers.messages import count_of, list_names, quote
from aecore.data.readers.options import ReadOptions
from aecore.data.tables.table import MAX_CELLS, Table, bounded
from aecore.errors import UnreadableFile

TAKEN = "biufMmUS"  # kinds of dtype that a table can hold: numbers, times, text
MAX_ARRAYS = 1_000  # of one file; a table of more would be refused anyway
MAX_TEXT = 200  # characters of a cell that are kept: no number, date or name needs more
DAMAGED = (  # what numpy raises on headers that are torn or lie
    *TORN, TypeError, AttributeError, IndexError, SyntaxError, RecursionError, MemoryError, tokenize.TokenError,
)  # fmt: skip

Array = NDArray[Any]


def read_npy(name: str, data: bytes, options: ReadOptions) -> Table:
    """Read one NumPy array: [T], [T, C], or a structured array [T] with a column a field; never objects."""
    return from_arrays(name, {"": _load(name, data)})


def read_npz(name: str, data: bytes, options: ReadOptions) -> Table:
    """Read the arrays of a NumPy archive; those of the commonest length become one table."""
    arrays: dict[str, Array] = {}
    with open_zip(name, data) as archive:
        within_limit(name, archive)
        members = archive.namelist()
        if len(members) > MAX_ARRAYS:
            raise UnreadableFile(f"{quote(name)} holds {len(members):,} arrays; save only those that matter.")
        for member in members:
            try:
                content = archive.read(member)
            except TORN as error:
                raise _damage_error(name) from error
            key = member.removesuffix(".npy")
            arrays[key] = _load(name, content, key)
    return from_arrays(name, arrays)


def from_arrays(name: str, arrays: Mapping[str, Array], notes: tuple[str, ...] = ()) -> Table:
    """Turn named arrays into one table; those whose length holds the most values are its columns, others are noted."""
    said = list(notes)
    upright = {key: matrix for key, array in arrays.items() if (matrix := _upright(key, array, said)) is not None}
    if not upright:
        raise UnreadableFile(
            f"{quote(name)} holds no array of rows and channels; save numbers of shape [rows] or [rows, channels]."
        )
    held: dict[int, int] = {}
    for matrix in upright.values():
        rows, width = _shape(matrix)
        held[rows] = held.get(rows, 0) + rows * width
    length = max(held, key=lambda rows: held[rows])
    chosen = {key: matrix for key, matrix in upright.items() if len(matrix) == length}
    apart = [f"{key} ({count_of(len(matrix), 'row')})" for key, matrix in upright.items() if len(matrix) != length]
    if apart:
        said.append(f"Of another length than {count_of(length, 'row')}, left out: {list_names(apart)}.")
    bounded(name, length, sum(_shape(matrix)[1] for matrix in chosen.values()))
    columns = {column: values for key, matrix in chosen.items() for column, values in _columns(key, matrix)}
    frame = pd.DataFrame(dict(enumerate(columns.values())), copy=False)
    names = tuple(columns)
    return Table(frame, names if any(chosen) or _fields(chosen) else ("",) * len(names), tuple(said))


def _load(name: str, data: bytes, key: str = "") -> Array:
    """Load one array, after its header has been held against the bytes that are there."""
    called = f"{quote(key)} in {quote(name)}" if key else quote(name)
    source = io.BytesIO(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # files of Python 2 are read with a remark on their age
            version = np.lib.format.read_magic(source)
            header = np.lib.format.read_array_header_1_0 if version[0] == 1 else np.lib.format.read_array_header_2_0
            shape, fortran, dtype = header(source)
            if dtype.hasobject:
                raise UnreadableFile(
                    f"{called} holds Python objects, which are not opened as they can run code; save plain numbers."
                )
            size, there = prod(shape) * dtype.itemsize, len(data) - source.tell()
            if min(shape, default=0) < 0 or size > there or prod(shape) > MAX_CELLS:
                raise UnreadableFile(
                    f"{called} claims {size / 1e9:,.3g} GB in {prod(shape):,} values and holds {there:,} bytes; "
                    "save it again, in smaller pieces if it is large."
                )
            flat = np.frombuffer(data, dtype, count=prod(shape), offset=source.tell())  # the bytes, not a copy of them
            return flat.reshape(shape, order="F" if fortran else "C")
    except UnreadableFile:
        raise
    except DAMAGED as error:
        raise _damage_error(name) from error


def _upright(key: str, array: Array, notes: list[str]) -> Array | None:
    """Return an array as [T] or [T, C] with time down the rows, None where that cannot be done."""
    called = quote(key) if key else "The array"
    if array.dtype.names is not None and array.ndim == 1:
        return array
    if array.ndim > 2:
        array = array.squeeze()
    if array.ndim not in (1, 2) or array.dtype.kind not in TAKEN or array.dtype.itemsize == 0:
        notes.append(f"{called}, of shape {list(array.shape)} and type {_type(array)}, is no table and is left out.")
        return None
    if array.ndim == 2 and array.shape[0] < array.shape[1]:
        if array.shape[0] > 1:
            notes.append(
                f"{called} is wider than long and was turned, so that its {array.shape[1]:,} columns are rows."
            )
        array = array.T
    return array


def _columns(key: str, matrix: Array) -> list[tuple[str, Array]]:
    """Return (name, values [T]) a column; fields of a structured array that hold no single values are left out."""
    if matrix.dtype.names is not None:
        fields = [(field, matrix[field]) for field in matrix.dtype.names]
        return [(f"{key}.{field}" if key else field, _plain(v)) for field, v in fields
                if v.ndim == 1 and v.dtype.kind in TAKEN]  # fmt: skip
    if matrix.ndim == 1 or matrix.shape[1] == 1:
        return [(key, _plain(matrix.reshape(-1)))]
    return [(f"{key} {c + 1}", _plain(matrix[:, c])) for c in range(matrix.shape[1])]


def _plain(values: Array) -> Array:
    """Return values [T] as pandas holds them: in this machine's byte order, text as str."""
    if values.dtype.kind in "SU" and values.dtype.itemsize > MAX_TEXT * (4 if values.dtype.kind == "U" else 1):
        values = values.astype(f"{values.dtype.kind}{MAX_TEXT}")
    if values.dtype.kind == "S":
        return np.char.decode(values, "latin-1").astype(object)
    if values.dtype.kind == "U":
        return _text(values)
    if values.dtype.kind in "Mm":
        return values.astype(f"{values.dtype.kind}8[ns]")
    if values.dtype.kind == "f":
        with np.errstate(invalid="ignore"):  # a signalling NaN warns, and becomes a gap like the others
            return values.astype(np.float64)  # half and long double included
    return values.astype(values.dtype.newbyteorder("="))


def _text(values: Array) -> Array:
    """Return text [T] as str objects; code points that are no characters become question marks."""
    native = np.ascontiguousarray(values.astype(values.dtype.newbyteorder("=")))
    points = native.view(np.uint32)
    points[(points > 0x10FFFF) | ((points >= 0xD800) & (points <= 0xDFFF))] = ord("?")
    return native.astype(object)


def _shape(matrix: Array) -> tuple[int, int]:
    if matrix.dtype.names is not None:
        return len(matrix), len(matrix.dtype.names)
    return len(matrix), 1 if matrix.ndim == 1 else int(matrix.shape[1])


def _fields(chosen: Mapping[str, Array]) -> bool:
    return any(matrix.dtype.names is not None for matrix in chosen.values())


def _type(array: Array) -> str:
    return "records" if array.dtype.names is not None else array.dtype.name


def _damage_error(name: str) -> UnreadableFile:
    return UnreadableFile(f"{quote(name)} breaks off or is damaged; save it again with numpy.save or numpy.savez.")
