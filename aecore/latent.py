"""Latent spaces as maps: how well they are organised, what lies between the codes, and where there are holes.

Codes are float [N, d]; data are flat, [N, D]. A *decoder* is any function [N, d] -> [N, D].
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.errors import SettingError, TooFewRows

Array = NDArray[np.float32]
Decoder = Callable[[Array], Array]

NEIGHBOURS = 10
IMPLAUSIBLE = 99.0  # percentile of held-out data's distances beyond which a decoded datum is none
CENTRAL = 0.9  # share of a Gaussian's mass that counts as central
CHUNK = 512  # queries at once: their distances to 60,000 data take 120 MB


# ---------------------------------------------------------------------- how well organised
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


# ---------------------------------------------------------------------- projections
class Principal(NamedTuple):
    """PCA: ``(x - mean) @ components.T`` are the codes."""

    mean: Array  # [D]
    components: Array  # [k, D], orthonormal

    @classmethod
    def fit(cls, x: Array, k: int) -> "Principal":
        """First k principal components of data [N, D]; zeros where there are fewer."""
        mean = x.mean(0, dtype=np.float64)
        centred = x - mean
        found = np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, :k].T  # (<= k, D)
        components = np.zeros((k, x.shape[1]), np.float32)
        components[: len(found)] = found
        return cls(mean.astype(np.float32), components)

    def encode(self, x: Array) -> Array:
        """``[N, D] -> [N, k]``."""
        return np.asarray((x - self.mean) @ self.components.T, np.float32)

    def decode(self, z: Array) -> Array:
        """``[N, k] -> [N, D]``."""
        return np.asarray(z @ self.components + self.mean, np.float32)


def projections() -> tuple[str, ...]:
    """Name the ways down to two dimensions that this machine has."""
    return ("PCA", "t-SNE", "UMAP") if find_spec("umap") else ("PCA", "t-SNE")


def project(codes: Array, method: str, *, seed: int = 0) -> Array:
    """Project codes [N, d] onto two dimensions; as they are where d is 2."""
    if method not in projections():
        raise SettingError(f"The projection must be one of {', '.join(projections())}, got {method!r}.")
    if codes.shape[1] == 2:
        return codes
    if codes.shape[1] == 1:
        return np.concatenate([codes, np.zeros_like(codes)], 1)
    if method == "PCA":
        return Principal.fit(codes, 2).encode(codes)
    if method == "t-SNE":
        from sklearn.manifold import TSNE

        perplexity = min(30.0, (len(codes) - 1) / 3)
        return np.asarray(TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(codes), np.float32)
    import umap  # where installed

    return np.asarray(umap.UMAP(random_state=seed, n_jobs=1).fit_transform(codes), np.float32)


# ---------------------------------------------------------------------- between the codes
def walk(a: Array, b: Array, steps: int, *, spherical: bool = False) -> Array:
    """Codes from a [d] to b [d], both ends included: [steps, d].

    Spherical: at constant angular speed along the great circle, the length going evenly from one to the other
    (Shoemake, *Animating Rotation with Quaternion Curves*, 1985; White, *Sampling Generative Networks*, 2016). Where
    the two point the same way, opposite ways, or one is zero, there is no one such circle: straight.
    """
    t = np.linspace(0, 1, steps, dtype=np.float64)[:, None]
    a, b = a.astype(np.float64), b.astype(np.float64)
    length_a, length_b = np.linalg.norm(a), np.linalg.norm(b)
    cosine = float(a @ b / (length_a * length_b)) if length_a * length_b > 0 else 1.0
    if not spherical or 1 - abs(cosine) < 1e-9:
        return np.asarray(a + (b - a) * t, np.float32)
    angle = np.arccos(np.clip(cosine, -1, 1))
    way = (np.sin((1 - t) * angle) * a / length_a + np.sin(t * angle) * b / length_b) / np.sin(angle)
    return np.asarray(way * (length_a + (length_b - length_a) * t), np.float32)


def quantile_grid(side: int) -> Array:
    """Codes [side * side, 2] at equal steps of the standard normal's probability, the first row at the top.

    So each stands for as much of the prior as any other: Kingma & Welling (2014), figure 4.
    """
    from scipy.special import ndtri

    at = ndtri((np.arange(side) + 0.5) / side)
    x, y = np.meshgrid(at, at[::-1])
    return np.stack([x.ravel(), y.ravel()], 1).astype(np.float32)


# ---------------------------------------------------------------------- holes
class Reference(NamedTuple):
    """Real data, and how far from them a held-out real datum may lie."""

    data: Array  # [N, D]
    limit: float

    @classmethod
    def fit(cls, data: Array, held_out: Array) -> "Reference":
        """Take the 99th percentile of the distances of ``held_out`` [M, D] to their nearest of ``data`` [N, D]."""
        return cls(data, float(np.percentile(nearest_distance(held_out, data), IMPLAUSIBLE)))

    def strangeness(self, x: Array) -> Array:
        """Distance of each of ``x`` [M, D] to its nearest real datum, over the limit: above 1 is implausible."""
        return nearest_distance(x, self.data) / np.float32(self.limit)


def hole_map(decode: Decoder, reference: Reference, span: float, *, side: int = 64) -> Array:
    """Strangeness [side, side] of what a decoder makes of the plane's square -span..span; row 0 is the lowest."""
    at = np.linspace(-span, span, side)
    x, y = np.meshgrid(at, at)
    grid = np.stack([x.ravel(), y.ravel()], 1).astype(np.float32)
    return reference.strangeness(decode(grid)).reshape(side, side)


def hole_share(decode: Decoder, reference: Reference, *, dimensions: int = 2, points: int = 2000) -> float:
    """Share of the standard normal's central mass where what is decoded is implausible.

    A plain autoencoder has no prior: move and scale its codes to mean 0 and covariance 1 (`Whitening`), and the same
    rule fits both.
    """
    return float((reference.strangeness(decode(central_mass(points, dimensions))) > 1).mean())


def central_mass(points: int, dimensions: int, *, seed: int = 0) -> Array:
    """Points [n, d] of the standard normal, cut to its central 90 %."""
    from scipy.stats import chi2

    rng = np.random.default_rng(seed)
    way = rng.standard_normal((points, dimensions))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    return np.asarray(way * np.sqrt(chi2.ppf(CENTRAL * rng.uniform(size=(points, 1)), dimensions)), np.float32)


class Whitening(NamedTuple):
    """``u = (z - mean) @ into``: codes at mean 0 and covariance 1, turned as little as possible.

    The symmetric one: Bell & Sejnowski, *The Independent Components of Natural Scenes* (1997).
    """

    mean: Array  # [d]
    into: Array  # [d, d], symmetric
    back: Array  # [d, d], its inverse

    @classmethod
    def fit(cls, codes: Array) -> "Whitening":
        """Whiten codes [N, d]; directions without any spread are left at their scale."""
        mean = codes.mean(0, dtype=np.float64)
        variances, axes = np.linalg.eigh(np.atleast_2d(np.cov((codes - mean).T.astype(np.float64))))
        spread = np.sqrt(np.where(variances > 1e-12 * max(float(variances.max()), 1e-30), variances, 1.0))
        into, back = (axes / spread) @ axes.T, (axes * spread) @ axes.T
        return cls(mean.astype(np.float32), into.astype(np.float32), back.astype(np.float32))


def nearest_distance(x: Array, data: Array) -> Array:
    """Euclidean distance of each of ``x`` [M, D] to its nearest of ``data`` [N, D]: [M]."""
    lengths = (data * data).sum(1)
    found = [((part * part).sum(1) + (lengths - 2 * (part @ data.T)).min(1)) for part in _chunks(x)]
    return np.sqrt(np.maximum(np.concatenate(found), 0)).astype(np.float32)


def _chunks(x: Array) -> list[Array]:
    return [x[start : start + CHUNK] for start in range(0, len(x), CHUNK)] or [x]
