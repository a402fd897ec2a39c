"""MATLAB files up to v7 to a `Table`, by SciPy; only variables of plain numbers are opened."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from typing import Any

import numpy as np

from aecore.data.readers.archives import MAX_BYTES
from aecore.data.readers.arrays import Array, from_arrays
from aecore.data.readers.mat_elements import Elements, sound_matrices
from aecore.data.readers.messages import list_names, quote
from aecore.data.readers.options import ReadOptions
from aecore.data.tables.table import MAX_CELLS, Table
from aecore.errors import UnreadableFile

DAMAGED = (  # what scipy raises on files that break off or lie
    ValueError, TypeError, LookupError, AttributeError, OSError, EOFError, NotImplementedError, ArithmeticError,
    MemoryError, StopIteration, zlib.error, struct.error,
)  # fmt: skip


def read_mat(name: str, data: bytes, options: ReadOptions) -> Table:
    """Read the numeric variables of a MATLAB file; those of the commonest length become one table.

    Structs, cells, text and objects are left out with a note. MATLAB writes vectors as [T, 1] or [1, T].
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        held = _numbers_of_v4(data) if 0 in data[:4] else sound_matrices(data, MAX_BYTES)
        if held.cells > MAX_CELLS:
            raise UnreadableFile(
                f"{quote(name)} claims {held.cells:,} numbers, more than the {MAX_CELLS:,} that are taken; "
                "save the variables that matter, or every n-th row."
            )
        source: Any = io.BytesIO(held.data)  # Any: the stubs know of file names only
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # remarks on names that come twice
            read = loadmat(source, variable_names=held.names, spmatrix=False) if held.names else {}
    except UnreadableFile:
        raise
    except (*DAMAGED, MatReadError) as error:
        raise UnreadableFile(
            f"{quote(name)} breaks off or is no MATLAB file up to v7; save it again with save(..., '-v7'), or as CSV."
        ) from error
    arrays: dict[str, Array] = {key: read[key] for key in held.names if isinstance(read.get(key), np.ndarray)}
    if not arrays:
        raise UnreadableFile(
            f"{quote(name)} holds no matrix of real numbers"
            f"{f', only {list_names(held.left_out)}' * bool(held.left_out)}; "
            "save the measurements as matrices or vectors."
        )
    notes = (
        (f"Variables that are no table of numbers, left out: {list_names(held.left_out)}.",) if held.left_out else ()
    )
    return from_arrays(name, arrays, notes)


def _numbers_of_v4(data: bytes) -> Elements:
    """Return what a v4 file holds, as its own headers say; its reader checks them against the bytes that are there."""
    from scipy.io import whosmat

    source: Any = io.BytesIO(data)
    held = whosmat(source)
    names = tuple(name for name, _, kind in held if kind not in ("char", "sparse"))
    left_out = tuple(f"{name} ({kind})" for name, _, kind in held if kind in ("char", "sparse"))
    return Elements(data, names, left_out, 0)
