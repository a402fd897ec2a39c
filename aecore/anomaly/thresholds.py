"""Where a score becomes an alarm."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

DEFAULT_SIGMAS = 4.0  # of the logarithm; see log_score_threshold
_SMALLEST = 1e-12  # a score of exactly 0 still has a logarithm


def log_score_threshold(normal_scores: NDArray[np.floating[Any]], sigmas: float = DEFAULT_SIGMAS) -> float:
    """``exp(mean + sigmas * sd)`` of the logarithm of scores of normal rows that the model has not seen in training.

    Errors are positive and skewed; their logarithm is closer to a normal distribution, so a few large ones do not
    push the threshold out of reach.
    """
    logs = np.log(np.maximum(normal_scores, _SMALLEST), dtype=np.float64)
    return float(np.exp(logs.mean() + sigmas * logs.std()))
