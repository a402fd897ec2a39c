"""From rows to sliding windows and back to rows."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

Array = NDArray[np.floating[Any]]


def sliding(x: Array, window: int, starts: NDArray[np.int64] | None = None) -> Array:
    """All windows of ``x`` [T, C], or those at ``starts``, as rows: a copy [N, window * C], time-major."""
    view = np.lib.stride_tricks.sliding_window_view(x, window, axis=0)  # [N, C, window], no copy
    view = view if starts is None else view[starts]
    return np.array(view.transpose(0, 2, 1), order="C").reshape(len(view), -1)


def chunks(length: int, window: int, *, size: int) -> Iterator[tuple[int, int]]:
    """Row ranges (first, last + 1) of at most ``size`` windows, overlapping by ``window - 1`` rows: no window twice."""
    for first in range(0, length - window + 1, size):
        yield first, min(first + size + window - 1, length)


def covering(length: int, window: int) -> NDArray[np.int64]:
    """How many windows cover each of ``length`` rows."""
    rows = np.arange(length)
    return np.minimum(rows, length - window) - np.maximum(0, rows - window + 1) + 1


def mean_over_covering(values: Array, length: int, window: int) -> Array:
    """Mean, at each of ``length`` rows, of the values [N, ...] of the windows that cover it; float64 [length, ...]."""
    zero = np.zeros((1, *values.shape[1:]))
    total = np.concatenate([zero, np.cumsum(values, axis=0, dtype=np.float64)])  # [N + 1, ...]
    rows = np.arange(length)
    first, last = np.maximum(0, rows - window + 1), np.minimum(rows, len(values) - 1)
    count = (last - first + 1).reshape(-1, *[1] * (values.ndim - 1))
    return (total[last + 1] - total[first]) / count


def add_diagonals(parts: Array, total: Array) -> None:
    """Add what each window says of each row, ``parts`` [N, window, C], to the rows' ``total`` [N + window - 1, C]."""
    for i in range(parts.shape[1]):
        total[i : i + len(parts)] += parts[:, i]


def smooth(x: Array, rows: int) -> Array:
    """Centred moving average over time [T, ...]; the ends repeat their outermost value."""
    return uniform_filter1d(x, min(rows, 2 * len(x) - 1), axis=0, mode="nearest")


def sampled(count: int, *, at_most: int, seed: int) -> NDArray[np.int64]:
    """Numbers of all of so many windows, or of ``at_most`` drawn evenly, in order."""
    if count <= at_most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, at_most, replace=False))


def contiguous_folds(length: int, count: int) -> list[tuple[int, int]]:
    """Row ranges (first, last + 1) of so many nearly equal parts."""
    edges = np.linspace(0, length, count + 1).astype(int).tolist()
    return list(pairwise(edges))
