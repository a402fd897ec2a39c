"""Long signals at screen resolution."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


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
