"""Principal component analysis in numpy, through the eigenvectors of the covariance."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


class Decomposition(NamedTuple):
    """Every principal direction of some data, the one of the largest variance first."""

    mean: NDArray[np.float64]  # [D]
    variances: NDArray[np.float64]  # [D], falling
    components: NDArray[np.float64]  # [D, D], orthonormal rows


def decompose(x: NDArray[Any], *, precision: type[np.floating[Any]] = np.float64) -> Decomposition:
    """Return the mean, and the eigenvalues and eigenvectors of the covariance, of data [N, D].

    The covariance is divided by N. ``precision`` is that of its products: float32 halves their time and memory.
    """
    mean = x.mean(0, dtype=np.float64)
    centred = np.subtract(x, mean, dtype=precision)
    variances, vectors = np.linalg.eigh((centred.T @ centred).astype(np.float64) / len(x))
    return Decomposition(mean, np.maximum(variances[::-1], 0.0), vectors.T[::-1])


class Principal(NamedTuple):
    """Principal component analysis: ``(x - mean) @ components.T`` are the codes."""

    mean: Array  # [D]
    components: Array  # [k, D], orthonormal rows

    @classmethod
    def fit(cls, x: NDArray[Any], k: int, *, precision: type[np.floating[Any]] = np.float64) -> "Principal":
        """Return the first k principal components of data [N, D]; rows of zeros where there are fewer."""
        found = decompose(x, precision=precision)
        components = np.zeros((k, x.shape[1]), np.float32)
        components[: x.shape[1]] = found.components[:k]
        return cls(found.mean.astype(np.float32), components)

    def keep(self, k: int) -> "Principal":
        """Return the same with the first k components only."""
        return Principal(self.mean, self.components[:k])

    def encode(self, x: NDArray[Any]) -> Array:
        """``[N, D] -> [N, k]``."""
        return np.asarray((x - self.mean) @ self.components.T, np.float32)

    def decode(self, z: NDArray[Any]) -> Array:
        """``[N, k] -> [N, D]``."""
        return np.asarray(z @ self.components + self.mean, np.float32)
