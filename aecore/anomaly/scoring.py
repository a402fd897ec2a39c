"""What a network over windows says of every row: its error by channel, and the signal as the network would have it."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from aecore.anomaly.network import WindowNetwork, one_thread
from aecore.anomaly.windows import add_diagonals, chunks, covering, mean_over_covering, sliding, smooth

Array = NDArray[np.floating[Any]]
Part = TypeVar("Part")

CHUNK_VALUES = 1 << 18  # values of windows that are scored at once; bounds memory, and fits a core's cache
MOST_THREADS = 4  # more cores than this, and others want theirs
WORTH_THREADS = 8  # chunks; fewer are done sooner than threads have started on a busy machine


class Measure(NamedTuple):
    """How errors of windows become scores of rows."""

    window: int  # rows
    smoothing: int  # rows
    absolute: bool  # mean absolute error, or else the root of the mean squared one
    own_row: float  # weight of a row's own error beside its windows'

    def errors(self, network: WindowNetwork, x: Array) -> Array:
        """Mean error of the windows that cover each row, by channel: [T, C] -> float64 [T, C]."""
        of_windows, own = [], np.zeros(x.shape) if self.own_row else None
        for (first, last), (error, own_error) in _in_chunks(x, self.window, lambda part: self._of_chunk(network, part)):
            of_windows.append(error)
            if own is not None and own_error is not None:
                own[first:last] += own_error
        errors = mean_over_covering(np.concatenate(of_windows), len(x), self.window)
        if own is not None:
            errors += self.own_row * own / covering(len(x), self.window)[:, None]
        return errors

    def _of_chunk(self, network: WindowNetwork, x: Array) -> tuple[Array, Array | None]:
        """Mean error of each window [N, C], and each row's own errors summed over its windows [N + window - 1, C]."""
        error = _rebuild(network, x, self.window) - sliding(x, self.window).reshape(-1, self.window, x.shape[1])
        error = np.abs(error, out=error) if self.absolute else np.square(error, out=error)  # [N, window, C]
        own = np.zeros(x.shape) if self.own_row else None
        if own is not None:
            add_diagonals(error, own)
        return error.mean(1), own

    def scores(self, errors: Array) -> NDArray[np.float32]:
        """Smooth errors over time, [T, C]."""
        smoothed = np.maximum(smooth(errors, self.smoothing), 0)
        return (smoothed if self.absolute else np.sqrt(smoothed)).astype(np.float32)


def over_channels(scores: Array) -> NDArray[np.float32]:
    """Root mean square over channels, [T, C] -> [T]: a fault of one channel counts more than a little in all."""
    return np.sqrt(np.square(scores, dtype=np.float64).mean(1)).astype(np.float32)


def rebuilt(network: WindowNetwork, x: Array, window: int) -> Array:
    """Mean, at each row, of what the windows that cover it are rebuilt to: [T, C] -> float64 [T, C]."""
    total = np.zeros(x.shape)
    for (first, last), part in _in_chunks(x, window, lambda part: _summed(_rebuild(network, part, window), len(part))):
        total[first:last] += part
    return total / covering(len(x), window)[:, None]


def _in_chunks(x: Array, window: int, work: Callable[[Array], Part]) -> Iterator[tuple[tuple[int, int], Part]]:
    """Do ``work`` on every chunk of ``x`` [T, C], each core on its own: row ranges and results, in order.

    Chunks beside one another, and not the parts of one product: a thread then waits for no other, however busy the
    machine is.
    """
    ranges = list(chunks(len(x), window, size=max(1, CHUNK_VALUES // (window * x.shape[1]))))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    threads = min(cores, MOST_THREADS) if len(ranges) >= WORTH_THREADS else 1

    def of_span(span: tuple[int, int]) -> Part:
        return work(x[span[0] : span[1]])

    if threads == 1:
        yield from zip(ranges, map(of_span, ranges), strict=True)
        return
    with one_thread(), ThreadPoolExecutor(threads) as pool:
        yield from zip(ranges, pool.map(of_span, ranges), strict=True)


def _summed(parts: Array, rows: int) -> Array:
    total = np.zeros((rows, parts.shape[2]))
    add_diagonals(parts, total)
    return total


def _rebuild(network: WindowNetwork, x: Array, window: int) -> Array:
    with one_thread(), torch.inference_mode():  # the limit is each thread's own
        return network(torch.from_numpy(sliding(x, window))).numpy().reshape(-1, window, x.shape[1])
