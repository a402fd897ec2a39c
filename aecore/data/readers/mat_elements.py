"""The outer structure of a MATLAB v5 to v7 file, checked and thinned out before SciPy reads it.

SciPy's compiled reader trusts the type numbers in a file and takes the process down with it where they lie, and it
unpacks whatever it is told to. So only elements whose structure holds are passed on, unpacked within bounds. Layout:
MathWorks, "MAT-File Format" (R2020a), chapter 1.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from math import prod
from typing import NamedTuple

HEADER = 128  # bytes before the first element; the last two tell the byte order
MATRIX, COMPRESSED = 14, 15
SIZES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8}  # bytes a value, by type of data
KINDS = {1: "cell", 2: "struct", 3: "object", 4: "char", 5: "sparse", 16: "function", 17: "opaque"}
NUMERIC = range(6, 16)  # classes of plain matrices: double, single, and integers of all widths
COMPLEX = 0x0800  # flag
MAX_MATRICES = 1_000  # of one file: a table of more would be refused anyway


class Elements(NamedTuple):
    """A file of nothing but sound matrices of real numbers, and what was left out of it."""

    data: bytes
    names: tuple[str, ...]  # of the matrices
    left_out: tuple[str, ...]  # "name (kind)"
    cells: int


class Part(NamedTuple):
    """One data element inside a matrix."""

    kind: int
    content: bytes


def sound_matrices(data: bytes, limit: int) -> Elements:
    """Return the matrices of real numbers in a file, all compression taken off, at most `limit` bytes of them.

    Raises ValueError, struct.error or zlib.error where the file's structure does not hold.
    """
    order = {b"IM": "<", b"MI": ">"}.get(data[HEADER - 2 : HEADER])
    if order is None:
        raise ValueError("no byte order")
    kept, cells, size = [data[:HEADER]], 0, 0
    names: list[str] = []
    left_out: list[str] = []
    for body in _matrices(data, order, limit):
        size += len(body)
        if len(names) + len(left_out) > MAX_MATRICES:
            raise ValueError("holds too many variables")
        if size > limit:
            raise ValueError("unpacks to too much")
        name, kind, values = _describe(body, order)
        if kind is None:
            kept.append(struct.pack(f"{order}II", MATRIX, len(body)) + body)
            names.append(name)
            cells += values
        else:
            left_out.append(f"{name} ({kind})" if name else kind)
    return Elements(b"".join(kept), tuple(names), tuple(left_out), cells)


def _matrices(data: bytes, order: str, limit: int) -> Iterator[bytes]:
    """Yield the content of each matrix in the file, unpacked."""
    at = HEADER
    while at < len(data):
        kind, size = struct.unpack_from(f"{order}II", data, at)
        body = data[at + 8 : at + 8 + size]
        if len(body) < size:
            raise ValueError("breaks off")
        at += 8 + size
        if kind == COMPRESSED:
            unpacker = zlib.decompressobj()
            body = unpacker.decompress(body, limit + 8)
            if not unpacker.eof:
                raise ValueError("breaks off, or unpacks to too much")
            kind, size = struct.unpack_from(f"{order}II", body)
            body = body[8 : 8 + size]
        if kind != MATRIX or len(body) < size:
            raise ValueError("an element that is no matrix, or breaks off")
        yield body


def _describe(body: bytes, order: str) -> tuple[str, str | None, int]:
    """Return (name, None for real numbers or what else it is, how many) of a matrix, its structure checked."""
    if not body:
        return "", "nothing", 0
    parts = _parts(body, order)
    kind, content = next(parts)
    if kind != 6 or len(content) != 8:
        raise ValueError("no flags")
    flags = struct.unpack(f"{order}II", content)[0]
    group = flags & 0xFF
    if group == 17:  # objects of newer MATLABs are laid out in ways of their own
        return "", KINDS[17], 0
    kind, content = next(parts)
    if kind != 5 or len(content) % 4 or not 8 <= len(content) <= 128:
        raise ValueError("no dimensions")
    shape = struct.unpack(f"{order}{len(content) // 4}i", content)
    kind, content = next(parts)
    if kind not in (1, 2, 16):
        raise ValueError("no name")
    name = content.rstrip(b"\0").decode("utf-8", "replace")
    if group not in NUMERIC or flags & COMPLEX or len(shape) > 2:
        return name, "complex" if flags & COMPLEX else KINDS.get(group, f"{len(shape)}-D array"), 0
    kind, content = next(parts)
    if min(shape) < 0 or kind not in SIZES or len(content) != prod(shape) * SIZES[kind]:
        raise ValueError("values that do not fill the dimensions")
    if next(parts, None) is not None:
        raise ValueError("more than one part of values")
    return name, None, prod(shape)


def _parts(body: bytes, order: str) -> Iterator[Part]:
    """Yield the data elements inside a matrix; short ones keep type and size in four bytes and data in the next."""
    at = 0
    while at < len(body):
        first, size = struct.unpack_from(f"{order}II", body, at)
        if first >> 16:
            kind, size, start, step = first & 0xFFFF, first >> 16, at + 4, 8
            if size > 4:
                raise ValueError("a short element of more than four bytes")
        else:
            kind, start, step = first, at + 8, 8 + (size + 7) // 8 * 8
        content = body[start : start + size]
        if len(content) < size:
            raise ValueError("breaks off")
        yield Part(kind, content)
        at += step
    return
