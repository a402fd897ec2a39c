"""How well scores rank what is labelled above what is not; without scikit-learn, whose import takes a second."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.floating[Any]]


class RocCurve(NamedTuple):
    """Receiver operating characteristic: shares of both classes at or above falling levels, from 0 to 1."""

    false: NDArray[np.float64]  # [n], share of the unlabelled
    found: NDArray[np.float64]  # [n], share of the labelled

    @property
    def auc(self) -> float:
        """Return the area under the curve."""
        return float(np.trapezoid(self.found, self.false))


def roc_curve(labels: NDArray[Any], scores: Scores, points: int | None = None) -> RocCurve:
    """Return the ROC of scores [N] against labels [N], at all scores or at about so many ``points`` of them."""
    truth, scores = np.asarray(labels) > 0, np.asarray(scores)
    step = 1 if points is None else max(1, len(scores) // points)
    levels = np.concatenate([[np.inf], np.sort(scores)[::-step], [-np.inf]])
    parts = (np.sort(scores[~truth]), np.sort(scores[truth]))
    return RocCurve(*(1 - np.searchsorted(part, levels, side="left") / len(part) for part in parts))


def roc_auc(labels: NDArray[Any], scores: Scores) -> float:
    """Return how often a labelled one of scores [N] is above an unlabelled one; equal ones count half."""
    return roc_curve(labels, scores).auc


def average_precision(labels: NDArray[Any], scores: Scores) -> float:
    """Return the mean of the precisions at which each labelled row is reached; equal scores come together.

    Labels [N] and scores [N] -> 0..1; a step function's area, without interpolation.
    """
    truth = np.asarray(labels) > 0
    order = np.argsort(-np.asarray(scores, dtype=np.float64), kind="stable")
    ordered = np.asarray(scores)[order]
    last = np.r_[np.flatnonzero(np.diff(ordered)), len(ordered) - 1]  # where each group of equal scores ends
    hits = np.cumsum(truth[order])[last]
    precision = hits / (last + 1)
    return float(np.sum(np.diff(hits, prepend=0) * precision) / hits[-1])
