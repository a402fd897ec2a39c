"""Ways from many numbers down to few, and from any scale to the standard one."""

from importlib.util import find_spec
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.errors import SettingError
from aecore.numerics.pca import Principal

Array = NDArray[np.float32]


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


NEIGHBOURS_OF_A_MAP = 15


def neighbour_map(x: Array) -> Array:
    """Lay out data [N, D] on a plane, [N, 2] at mean 0 and spread 1, so that ways from neighbour to neighbour are kept.

    Isomap: Tenenbaum, de Silva & Langford, *A Global Geometric Framework for Nonlinear Dimensionality Reduction*
    (Science, 2000). No chance is in it: the same data give the same map.
    """
    from sklearn.manifold import Isomap

    flat = x.reshape(len(x), -1)
    neighbours = min(NEIGHBOURS_OF_A_MAP, len(x) - 1)
    # the solver that scikit-learn takes by itself begins at random: its last digits differ from run to run
    laid = Isomap(n_components=2, n_neighbors=neighbours, eigen_solver="dense").fit_transform(flat)
    return np.asarray((laid - laid.mean(0)) / laid.std(0), np.float32)


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
