"""From rows to sliding windows and back to rows."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

Array = NDArray[np.floating[Any]]


def sliding(x: Array, window: int, starts: NDArray[np.int64] | slice = slice(None)) -> Array:
    """Windows of ``x`` [T, C] that begin at ``starts``, or all, as rows: a copy [N, window * C], time-major."""
    values = np.ascontiguousarray(x).reshape(-1)  # in which a window is one stretch: copied in one go
    view = np.lib.stride_tricks.sliding_window_view(values, window * x.shape[1])[:: x.shape[1]]
    return np.array(view[starts], order="C")


def window_starts(length: int, window: int, step: int) -> NDArray[np.int64]:
    """First rows of every ``step``-th window and of the last, so that every row is covered."""
    return np.minimum(np.arange(0, length - window + step, step), length - window)


def chunks(length: int, window: int, *, size: int, step: int = 1) -> Iterator[tuple[int, int]]:
    """Row ranges (first, last + 1) with at most ``size`` windows each, at every ``step``-th row from ``first`` on.

    Together they hold the windows of :func:`window_starts`, in order and none twice.
    """
    regular = (length - window) // step + 1
    for number in range(0, regular, size):
        yield number * step, (min(number + size, regular) - 1) * step + window
    if (length - window) % step:
        yield length - window, length


def covering(length: int, window: int, step: int = 1) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers of the first and the last of the windows of :func:`window_starts` that cover each of ``length`` rows."""
    rows, span = np.arange(length), length - window
    first = -(-np.maximum(0, rows - window + 1) // step)
    return first, np.where(rows < span, rows // step, -(-span // step))


def mean_over_covering(values: Array, length: int, window: int, step: int = 1) -> Array:
    """Mean, at each of ``length`` rows, of the values [N, ...] of the windows that cover it; float64 [length, ...]."""
    zero = np.zeros((1, *values.shape[1:]))
    total = np.concatenate([zero, np.cumsum(values, axis=0, dtype=np.float64)])  # [N + 1, ...]
    first, last = covering(length, window, step)
    count = (last - first + 1).reshape(-1, *[1] * (values.ndim - 1))
    return (total[last + 1] - total[first]) / count


def summed_at_rows(parts: Array, step: int) -> Array:
    """Sum what windows ``step`` rows apart say of each row: [N, window, C] -> float64 [T, C]."""
    count, window, channels = parts.shape
    total = np.zeros((count - 1 + -(-window // step), step, channels))  # rows in blocks of a step
    for block in range(0, window, step):  # few long sums instead of one a window
        part = parts[:, block : block + step]
        total[block // step : block // step + count, : part.shape[1]] += part
    return total.reshape(-1, channels)[: (count - 1) * step + window]


def smooth(x: Array, rows: int) -> Array:
    """Centred moving average over time [T, ...]; the ends repeat their outermost value."""
    return uniform_filter1d(x, min(rows, 2 * len(x) - 1), axis=0, mode="nearest")


def sample_starts(count: int, *, at_most: int, seed: int) -> NDArray[np.int64]:
    """Numbers of all of so many windows, or of ``at_most`` drawn evenly, in order."""
    if count <= at_most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, at_most, replace=False))


def contiguous_folds(length: int, count: int) -> list[tuple[int, int]]:
    """Row ranges (first, last + 1) of so many nearly equal parts."""
    edges = np.linspace(0, length, count + 1).astype(int).tolist()
    return list(pairwise(edges))
