"""What a network over windows says of every row: its error by channel, and the signal as the network would have it."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from aecore.anomaly.network import WindowNetwork
from aecore.anomaly.windows import chunks, covering, mean_over_covering, sliding, smooth, summed_at_rows
from aecore.numerics.threads import one_thread

Array = NDArray[np.floating[Any]]
Part = TypeVar("Part")

CHUNK_VALUES = 1 << 18  # values of windows that are scored at once; bounds memory, and fits a core's cache
MOST_THREADS = 4  # more cores than this, and others want theirs
WORTH_THREADS = 8  # chunks; fewer are done sooner than threads have started on a busy machine


class ErrorMeasure(NamedTuple):
    """How errors of windows become scores of rows."""

    window: int  # rows
    step: int  # rows from one window to the next
    smoothing: int  # rows
    absolute: bool  # mean absolute error, or else the root of the mean squared one
    own_row: float  # weight of a row's own error beside its windows'

    def errors(self, network: WindowNetwork, x: Array) -> Array:
        """Mean error of the windows that cover each row, by channel: [T, C] -> float64 [T, C]."""
        of_windows, own = [], np.zeros(x.shape) if self.own_row else None
        for (first, last), (error, own_error) in self._in_chunks(x, lambda part: self._of_chunk(network, part)):
            of_windows.append(error)
            if own is not None and own_error is not None:
                own[first:last] += own_error
        errors = mean_over_covering(np.concatenate(of_windows), len(x), self.window, self.step)
        if own is not None:
            errors += self.own_row * own / self._counts(len(x))
        return errors

    def rebuild(self, network: WindowNetwork, x: Array) -> Array:
        """Mean, at each row, of what the windows that cover it are rebuilt to: [T, C] -> float64 [T, C]."""
        total = np.zeros(x.shape)

        def of_chunk(part: Array) -> Array:
            return summed_at_rows(self._rebuild(network, sliding(part, self.window, self._each)), self.step)

        for (first, last), part in self._in_chunks(x, of_chunk):
            total[first:last] += part
        return total / self._counts(len(x))

    def _of_chunk(self, network: WindowNetwork, x: Array) -> tuple[Array, Array | None]:
        """Mean error of each window [N, C], and each row's own errors summed over its windows [T, C]."""
        windows = sliding(x, self.window, self._each)
        rebuilt = self._rebuild(network, windows)
        error = np.subtract(rebuilt, windows.reshape(rebuilt.shape), out=rebuilt)
        error = np.abs(error, out=error) if self.absolute else np.square(error, out=error)  # [N, window, C]
        return error.mean(1), summed_at_rows(error, self.step) if self.own_row else None

    def _rebuild(self, network: WindowNetwork, windows: Array) -> Array:
        with one_thread(openmp=True), torch.inference_mode():  # the limit is each thread's own
            rebuilt: Array = network(torch.from_numpy(windows)).numpy()
        return rebuilt.reshape(len(windows), self.window, -1)

    @property
    def _each(self) -> slice:
        return slice(None, None, self.step)

    def _counts(self, length: int) -> NDArray[np.int64]:
        """How many windows cover each row, [T, 1]."""
        first, last = covering(length, self.window, self.step)
        return (last - first + 1)[:, None]

    def _in_chunks(self, x: Array, work: Callable[[Array], Part]) -> Iterator[tuple[tuple[int, int], Part]]:
        """Do ``work`` on every chunk of ``x`` [T, C], each core on its own: row ranges and results, in order.

        Chunks beside one another, and not the parts of one product: a thread then waits for no other, however busy the
        machine is.
        """
        size = max(1, CHUNK_VALUES // (self.window * x.shape[1]))
        ranges = list(chunks(len(x), self.window, size=size, step=self.step))
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
        threads = min(cores, MOST_THREADS) if len(ranges) >= WORTH_THREADS else 1

        def of_span(span: tuple[int, int]) -> Part:
            return work(x[span[0] : span[1]])

        if threads == 1:
            yield from zip(ranges, map(of_span, ranges), strict=True)
            return
        with one_thread(openmp=True), ThreadPoolExecutor(threads) as pool:
            yield from zip(ranges, pool.map(of_span, ranges), strict=True)

    def scores(self, errors: Array) -> NDArray[np.float32]:
        """Smooth errors over time, [T, C]."""
        smoothed = np.maximum(smooth(errors, self.smoothing), 0)
        return (smoothed if self.absolute else np.sqrt(smoothed)).astype(np.float32)


def over_channels(scores: Array) -> NDArray[np.float32]:
    """Root mean square over channels, [T, C] -> [T]: a fault of one channel counts more than a little in all."""
    return np.sqrt(np.square(scores, dtype=np.float64).mean(1)).astype(np.float32)
