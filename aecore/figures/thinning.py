"""Long signals at screen resolution."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def rows_a_bin(length: int, bins: int) -> int:
    """How many rows share one of about so many bins; few rows have one each."""
    return 1 if length <= 2 * bins else -(-length // bins)


def highest(x: NDArray[Any], bins: int) -> NDArray[Any]:
    """Each bin's highest of ``x`` [T], in the bins of ``envelopes``."""
    found: NDArray[Any] = np.maximum.reduceat(x, np.arange(0, len(x), rows_a_bin(len(x), bins)))
    return found


def envelopes(x: NDArray[np.floating[Any]], bins: int) -> tuple[NDArray[np.int64], NDArray[np.floating[Any]]]:
    """Rows [n] and values [n, C] that lines of ``bins`` pixels need for the columns of ``x`` [T, C].

    Each bin's lowest and highest of every column, in time order, at rows that all columns share: of a bin of many rows
    its first and its middle one, so that a value moves by less than a pixel. Few rows come back as they are.
    """
    step = rows_a_bin(len(x), bins)
    if step == 1:
        return np.arange(len(x)), x
    starts = np.arange(0, len(x), step)
    whole = len(x) // step * step
    parts = [x[:whole].reshape(-1, step, x.shape[1])]  # [n, step, C], without a copy of what may be long
    if whole < len(x):
        parts.append(x[None, whole:])
    pairs = np.concatenate([_in_order(blocks) for blocks in parts])  # [n, 2, C]
    rows = np.stack([starts, np.minimum(starts + step // 2, len(x) - 1)], axis=1)
    rows[-1, 1] = len(x) - 1
    return rows.reshape(-1), pairs.reshape(len(rows) * 2, -1)


def _in_order(blocks: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Return the lowest and the highest of blocks [n, step, C] in the order in which they come, [n, 2, C]."""
    low, high = blocks.min(1), blocks.max(1)
    falling = blocks.argmax(1) < blocks.argmin(1)  # [n, C]
    return np.stack([np.where(falling, high, low), np.where(falling, low, high)], axis=1)


def extremes(x: NDArray[np.floating[Any]], bins: int) -> NDArray[np.int64]:
    """Rows of ``x`` [T] that a line of ``bins`` pixels needs: each bin's lowest and highest, in time order.

    A spike one row wide survives, which averaging or keeping every n-th row would lose.
    """
    if len(x) <= 2 * bins:
        return np.arange(len(x))
    step = -(-len(x) // bins)
    whole = len(x) // step * step
    blocks = x[:whole].reshape(-1, step)
    starts = np.arange(0, whole, step)
    rest = np.arange(whole, len(x))
    if len(rest):
        rest = whole + np.array([np.argmin(x[whole:]), np.argmax(x[whole:])])
    rows = np.concatenate([starts + blocks.argmin(1), starts + blocks.argmax(1), rest])
    return np.unique(np.concatenate([[0], rows, [len(x) - 1]])).astype(np.int64)
