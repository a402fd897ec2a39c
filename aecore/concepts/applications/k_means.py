"""k-means in numpy, and the adjusted Rand index, for a page that must not wait for scikit-learn.

`scipy.cluster.vq.kmeans2` starts once, does not stop where nothing changes any more and draws its starts otherwise:
with it the shipped figures of these groups could not be reproduced.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.errors import SettingError, TooFewRows

STARTS, ROUNDS = 8, 100


class KMeansClusters(NamedTuple):
    """``labels`` [N], the largest cluster first; ``centres`` [k, D]; ``inertia``, the sum of squared distances."""

    labels: NDArray[np.int64]
    centres: NDArray[np.float64]
    inertia: float


def k_means(x: NDArray[Any], clusters: int, *, seed: int = 0) -> KMeansClusters:
    """Best of several starts, each spread by k-means++ (Lloyd 1982; Arthur & Vassilvitskii 2007)."""
    if clusters < 1:
        raise SettingError(f"clusters must be at least 1, got {clusters}; choose more.")
    if len(x) < clusters:
        raise TooFewRows(f"{len(x)} data do not make {clusters} clusters; choose fewer or bring more.")
    rng = np.random.default_rng(seed)
    points = np.asarray(x, np.float64)
    found = min((_lloyd(points, _spread(points, clusters, rng)) for _ in range(STARTS)), key=lambda run: run.inertia)
    order = np.argsort(-np.bincount(found.labels, minlength=clusters), kind="stable")
    place = np.empty(clusters, np.int64)
    place[order] = np.arange(clusters)
    return KMeansClusters(place[found.labels], found.centres[order], found.inertia)


def _spread(x: NDArray[np.float64], clusters: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """First centres [k, D], each drawn in proportion to its squared distance to those before it."""
    chosen = [x[rng.integers(len(x))]]
    nearest = ((x - chosen[0]) ** 2).sum(1)
    for _ in range(clusters - 1):
        total = nearest.sum()
        row = rng.choice(len(x), p=nearest / total) if total > 0 else rng.integers(len(x))
        chosen.append(x[row])
        nearest = np.minimum(nearest, ((x - x[row]) ** 2).sum(1))
    return np.stack(chosen)


def _lloyd(x: NDArray[np.float64], centres: NDArray[np.float64]) -> KMeansClusters:
    """Assign and average until nothing changes; an empty cluster keeps its centre."""
    squares, labels = (x**2).sum(1), np.full(len(x), -1)
    for _ in range(ROUNDS):
        distances = squares[:, None] - 2 * x @ centres.T + (centres**2).sum(1)  # (N, k)
        before, labels = labels, distances.argmin(1)
        if np.array_equal(before, labels):
            break
        members = (labels == np.arange(len(centres))[:, None]).astype(np.float64)  # (k, N)
        counts = members.sum(1, keepdims=True)
        centres = np.where(counts > 0, members @ x / np.maximum(counts, 1), centres)
    return KMeansClusters(labels, centres, float(np.maximum(distances.min(1), 0).sum()))


def adjusted_rand(one: NDArray[np.integer[Any]], other: NDArray[np.integer[Any]]) -> float:
    """How far two ways of grouping agree: 1 if they are the same, 0 as by chance. Hubert & Arabie (1985)."""
    table = np.zeros((int(one.max()) + 1, int(other.max()) + 1))
    np.add.at(table, (one, other), 1)

    def pairs(counts: NDArray[np.float64]) -> float:
        return float((counts * (counts - 1) / 2).sum())

    together, a, b = pairs(table), pairs(table.sum(1)), pairs(table.sum(0))
    expected = a * b / (len(one) * (len(one) - 1) / 2)
    return 1.0 if a == b == together else (together - expected) / ((a + b) / 2 - expected)
