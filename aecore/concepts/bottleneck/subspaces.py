"""The bound of all linear models, and the distance of a linear autoencoder from PCA."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.concepts.bottleneck.models import Array, FittedPca, LinearModel

WIDE_GAP = 0.1  # where eigenvalues are closer than 10 %, the sample decides which of their directions comes first


def linear_bound(x: Array, largest: int) -> NDArray[np.float64]:
    """Return the mean squared error on signals [N, L] below which no linear machine of size 0..largest goes.

    The squared singular values of the centred signals that k numbers have to discard, over N: Eckart & Young,
    *Psychometrika* 1 (1936). It holds for a machine made for these very signals, and so for every other.
    """
    centred = (x - x.mean(0, dtype=np.float64)).astype(np.float64)
    variances = np.maximum(np.linalg.eigvalsh(centred.T @ centred / len(x))[::-1], 0.0)  # (L,)
    kept = np.concatenate([[0.0], np.cumsum(variances)])[: largest + 1]
    return np.maximum(variances.sum() - kept, 0.0)


class Equivalence(NamedTuple):
    """A linear autoencoder held against PCA at one code size."""

    k: int
    lost: float  # by the autoencoder, share of the total variance
    lost_by_pca: float
    gap: float  # 1 - eigenvalue k + 1 / eigenvalue k
    angle: float | None  # degrees, the largest; None where the gap is too narrow to mean something

    @property
    def difference(self) -> float:
        """Reconstruction errors' difference, relative to the total variance."""
        return self.lost - self.lost_by_pca


def compare(linear: LinearModel, pca: FittedPca, k: int, lost: tuple[float, float]) -> Equivalence:
    """Compare at code size k; ``lost`` are the shares of the total variance, by ``linear`` and by ``pca``."""
    if k == 0:
        return Equivalence(k, *lost, gap=0.0, angle=None)
    here, beyond = pca.variances[k - 1], pca.variances[k] if k < len(pca.variances) else 0.0
    gap = float(1 - beyond / here) if here > 0 else 0.0
    angle = largest_angle(linear.out[:k], pca.machine.out[:k]) if gap > WIDE_GAP else None
    return Equivalence(k, *lost, gap=gap, angle=angle)


def largest_angle(a: Array, b: Array) -> float:
    """Return the largest principal angle in degrees between what the rows of ``a`` and ``b`` [k, L] span."""
    from scipy.linalg import subspace_angles  # not on the way to a page's first paint

    return float(np.degrees(subspace_angles(a.T.astype(np.float64), b.T.astype(np.float64))[0]))
