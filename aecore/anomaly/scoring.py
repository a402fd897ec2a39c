"""What a network over windows says of every row: its error by channel, and the signal as the network would have it."""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from aecore.anomaly.network import WindowNetwork, one_thread
from aecore.anomaly.windows import add_diagonals, chunks, covering, mean_over_covering, sliding, smooth

Array = NDArray[np.floating[Any]]

CHUNK_VALUES = 1 << 18  # values of windows that are scored at once; bounds memory, and fits a core's cache


class Measure(NamedTuple):
    """How errors of windows become scores of rows."""

    window: int  # rows
    smoothing: int  # rows
    absolute: bool  # mean absolute error, or else the root of the mean squared one
    own_row: float  # weight of a row's own error beside its windows'

    def errors(self, network: WindowNetwork, x: Array) -> Array:
        """Mean error of the windows that cover each row, by channel: [T, C] -> float64 [T, C]."""
        of_windows = []
        own = np.zeros(x.shape) if self.own_row else None
        for first, last in chunks(len(x), self.window, size=max(1, CHUNK_VALUES // (self.window * x.shape[1]))):
            error = _rebuild(network, x[first:last], self.window) - _windows(x[first:last], self.window)
            error = np.abs(error, out=error) if self.absolute else np.square(error, out=error)  # [N, window, C]
            of_windows.append(error.mean(1))
            if own is not None:
                add_diagonals(error, own[first:last])
        errors = mean_over_covering(np.concatenate(of_windows), len(x), self.window)
        if own is not None:
            errors += self.own_row * own / covering(len(x), self.window)[:, None]
        return errors

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
    for first, last in chunks(len(x), window, size=max(1, CHUNK_VALUES // (window * x.shape[1]))):
        add_diagonals(_rebuild(network, x[first:last], window), total[first:last])
    return total / covering(len(x), window)[:, None]


def _windows(x: Array, window: int) -> Array:
    return sliding(x, window).reshape(-1, window, x.shape[1])


def _rebuild(network: WindowNetwork, x: Array, window: int) -> Array:
    with one_thread(), torch.inference_mode():
        return network(torch.from_numpy(sliding(x, window))).numpy().reshape(-1, window, x.shape[1])
