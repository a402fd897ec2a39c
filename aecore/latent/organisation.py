"""How well a map is organised: by its neighbours, its clusters and what it keeps of the data's own order."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.errors import TooFewRows

Array = NDArray[np.float32]

NEIGHBOURS = 10


class Organisation(NamedTuple):
    """How well a map is organised, each 1 at best; None where there are no labels (or only one kind of them)."""

    knn: float | None  # share whose 10 nearest others vote for the right label
    silhouette: float | None  # -1..1
    trustworthiness: float  # 0..1
    purity: float | None  # 0..1


def organisation(codes: Array, x: Array, labels: NDArray[Any] | None, *, seed: int = 0) -> Organisation:
    """Measure a map [N, d] of data [N, D]; raises TooFewRows below 25 data, twice the neighbours and some."""
    if len(codes) < 2 * NEIGHBOURS + 5:
        raise TooFewRows(f"A map needs at least {2 * NEIGHBOURS + 5} data, got {len(codes)}; bring more.")
    trust = trustworthiness(codes, x)
    if labels is None or len(np.unique(labels)) < 2:
        return Organisation(None, None, trust, None)
    return Organisation(
        knn_accuracy(codes, labels), silhouette(codes, labels), trust, kmeans_purity(codes, labels, seed=seed)
    )


def knn_accuracy(codes: Array, labels: NDArray[Any], *, neighbours: int = NEIGHBOURS) -> float:
    """Share of data whose ``neighbours`` nearest others have mostly the same label; ties go to the smaller label.

    Cover & Hart, *Nearest Neighbor Pattern Classification* (1967); each datum is left out of its own vote.
    """
    from scipy.spatial import cKDTree

    kinds, place = np.unique(labels, return_inverse=True)
    near = cKDTree(codes).query(codes, neighbours + 1)[1]  # (N, k + 1), mostly itself first
    others = np.where(near == np.arange(len(codes))[:, None], -1, near)
    others[(others >= 0).all(1), -1] = -1  # among equal codes it may not have found itself: the farthest goes
    votes = np.zeros((len(codes), len(kinds)), np.int64)
    for column in others.T:
        rows = np.flatnonzero(column >= 0)
        np.add.at(votes, (rows, place[column[rows]]), 1)
    return float((votes.argmax(1) == place).mean())


def silhouette(codes: Array, labels: NDArray[Any], *, most: int = 2000, seed: int = 0) -> float:
    """Mean of ``(b - a) / max(a, b)``: how much farther the nearest other kind is than a datum's own.

    Rousseeuw, *J. Computational and Applied Mathematics* 20 (1987). At most ``most`` data, drawn by ``seed``: all
    pairs of them are measured.
    """
    from sklearn.metrics import silhouette_score

    rows = _sample(len(codes), most, seed)
    if not 2 <= len(np.unique(labels[rows])) < len(rows):
        return 0.0
    return float(silhouette_score(codes[rows], labels[rows]))


def trustworthiness(codes: Array, x: Array, *, neighbours: int = NEIGHBOURS, most: int = 2000, seed: int = 0) -> float:
    """1 where all neighbours on the map are neighbours in the data; intruders cost by their rank there.

    Venna & Kaski, *Neighborhood Preservation in Nonlinear Projection Methods* (2001).
    """
    from sklearn.manifold import trustworthiness as of

    rows = _sample(len(codes), most, seed)
    return float(of(x[rows], codes[rows], n_neighbors=neighbours))


def kmeans_purity(codes: Array, labels: NDArray[Any], *, seed: int = 0) -> float:
    """Share of data in the majority of their k-means cluster, with as many clusters as there are labels.

    Manning, Raghavan & Schütze, *Introduction to Information Retrieval* (2008), section 16.3.
    """
    from sklearn.cluster import KMeans

    kinds, place = np.unique(labels, return_inverse=True)
    clusters = KMeans(len(kinds), n_init=4, random_state=seed).fit_predict(codes)
    counts = np.zeros((len(kinds), len(kinds)), np.int64)
    np.add.at(counts, (clusters, place), 1)
    return float(counts.max(1).sum() / len(codes))


def _sample(count: int, most: int, seed: int) -> NDArray[np.int64]:
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, most, replace=False))
