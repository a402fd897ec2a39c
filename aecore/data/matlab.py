"""MATLAB files up to v7 to a `Table`, by SciPy; only variables of plain numbers are opened."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from math import prod
from typing import Any

import numpy as np

from aecore.data.arrays import Array, from_arrays
from aecore.data.options import ReadOptions
from aecore.data.tables import MAX_CELLS, Table
from aecore.data.wording import listed, shown
from aecore.errors import UnreadableFile

NUMERIC = {"double", "single", "logical", *(f"{u}int{bits}" for u in ("", "u") for bits in (8, 16, 32, 64))}
DAMAGED = (  # what scipy raises on files that break off or lie
    ValueError, TypeError, LookupError, AttributeError, OSError, EOFError, NotImplementedError, OverflowError,
    MemoryError, zlib.error, struct.error,
)  # fmt: skip


def read_mat(name: str, data: bytes, options: ReadOptions) -> Table:
    """Read the numeric variables of a MATLAB file; those of the commonest length become one table.

    Structs, cells, text and objects are left out with a note. MATLAB writes vectors as [T, 1] or [1, T].
    """
    from scipy.io import loadmat, whosmat
    from scipy.io.matlab import MatReadError

    first: Any = io.BytesIO(data)  # Any: the stubs know of file names only
    second: Any = io.BytesIO(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # remarks on duplicate names and on objects that are not opened anyway
            held = whosmat(first)
            numeric = [variable for variable, shape, kind in held if kind in NUMERIC and len(shape) == 2]
            cells = sum(prod(map(int, shape)) for variable, shape, kind in held if variable in numeric)
            if cells > MAX_CELLS:
                raise UnreadableFile(
                    f"{shown(name)} claims {cells:,} numbers, more than the {MAX_CELLS:,} that are taken; "
                    "save the variables that matter, or every n-th row."
                )
            read = loadmat(second, variable_names=numeric, spmatrix=False) if numeric else {}
    except UnreadableFile:
        raise
    except (*DAMAGED, MatReadError) as error:
        raise UnreadableFile(
            f"{shown(name)} breaks off or is no MATLAB file up to v7; save it again with save(..., '-v7'), or as CSV."
        ) from error
    others = [f"{variable} ({kind})" for variable, _, kind in held if variable not in numeric]
    notes = (f"Variables that are no table of numbers, left out: {listed(others)}.",) if others else ()
    arrays: dict[str, Array] = {key: read[key] for key in numeric if isinstance(read.get(key), np.ndarray)}
    if not arrays:
        raise UnreadableFile(
            f"{shown(name)} holds no matrix of numbers{f', only {listed(others)}' if others else ''}; "
            "save the measurements as matrices or vectors."
        )
    return from_arrays(name, arrays, notes)
