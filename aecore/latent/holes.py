"""Where a map has holes: codes that decode to nothing like the data."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Decoder = Callable[[Array], Array]

IMPLAUSIBLE = 99.0  # percentile of held-out data's distances beyond which a decoded datum is none
CENTRAL = 0.9  # share of a Gaussian's mass that counts as central
CHUNK = 512  # queries at once: their distances to 60,000 data take 120 MB


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
    """Return the distance to the data [side, side] of decoded points of -span..span squared; row 0 is the lowest."""
    at = np.linspace(-span, span, side)
    x, y = np.meshgrid(at, at)
    grid = np.stack([x.ravel(), y.ravel()], 1).astype(np.float32)
    return reference.strangeness(decode(grid)).reshape(side, side)


def hole_share(decode: Decoder, reference: Reference, *, dimensions: int = 2, points: int = 20_000) -> float:
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


def nearest_distance(x: Array, data: Array) -> Array:
    """Euclidean distance of each of ``x`` [M, D] to its nearest of ``data`` [N, D]: [M]."""
    lengths = (data * data).sum(1)
    found = [((part * part).sum(1) + (lengths - 2 * (part @ data.T)).min(1)) for part in _chunks(x)]
    return np.sqrt(np.maximum(np.concatenate(found), 0)).astype(np.float32)


def _chunks(x: Array) -> list[Array]:
    return [x[start : start + CHUNK] for start in range(0, len(x), CHUNK)] or [x]
