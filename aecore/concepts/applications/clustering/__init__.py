"""Clustering: drives cut into windows, coded, and sorted by k-means; nobody says which mode made which second.

Every contestant sees the same windows: 60 points of speed (its logarithm, so that a car park is not one dot beside a
motorway) and of acceleration. The network is asked for the *neighbouring* window with its values sorted: what it can
know of that is the mode, and neither where in a trip the window began nor what traffic will do next.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore import store
from aecore.concepts.applications import asset
from aecore.concepts.applications.clustering.k_means import Clusters, adjusted_rand, k_means
from aecore.data.simulators.drive_cycles import NAMES, Cycle, CycleSettings, cycle
from aecore.errors import TooFewRows
from aecore.latent import Principal
from aecore.numerics.dense import DenseNetwork

Array = NDArray[np.floating[Any]]

LENGTHS = (30, 60, 120)  # s
POINTS = 60  # of a window, whatever its length
CODES, PCA, RAW = "Autoencoder codes", "PCA scores", "Raw windows"
CONTESTANTS = (CODES, PCA, RAW)
FASTER = (0.85, 0.9, 1.1, 1.15)  # of the tests: as if everybody drove slower or faster than where it was learnt


class Windows(NamedTuple):
    """Windows in order: ``speed`` [N, L] in km/h, the mode that made most of each [N], and where they start [N]."""

    speed: Array
    modes: NDArray[np.int64]
    starts: NDArray[np.int64]


def cut(driven: Cycle, length: int, step: int | None = None) -> Windows:
    """Cut a drive into windows of ``length`` seconds, one every ``step`` (None: one after the other)."""
    if len(driven.speed) < 2 * length:
        raise TooFewRows(
            f"{len(driven.speed)} seconds do not make two windows of {length}; cut shorter or bring a longer drive."
        )
    starts = np.arange(0, len(driven.speed) - length + 1, step or length)
    rows = starts[:, None] + np.arange(length)  # (N, L)
    counts = np.stack([(driven.modes[rows] == mode).sum(1) for mode in range(len(NAMES))], axis=1)
    return Windows(driven.speed[rows], counts.argmax(1), starts)


def inputs(speed: Array) -> NDArray[np.float32]:
    """Lay out windows [N, L] in km/h as everybody sees them: [N, 120], 60 points of log speed and acceleration."""
    length = speed.shape[1]
    at = np.linspace(0, length - 1, POINTS)
    left = np.minimum(at.astype(int), length - 2)
    share = at - left

    def resampled(x: Array) -> Array:
        return x[:, left] * (1 - share) + x[:, left + 1] * share

    acceleration = np.gradient(speed / 3.6, axis=1)  # m/s^2
    return np.concatenate([resampled(np.log1p(speed)) / 1.5, resampled(acceleration)], axis=1).astype(np.float32)


class Coder(NamedTuple):
    """What turns windows of one length into codes: a network, and PCA beside it."""

    encoder: DenseNetwork
    pca: Principal

    def codes(self, x: NDArray[np.float32]) -> dict[str, Array]:
        """``[N, 120] -> [N, d]`` of each contestant."""
        return {CODES: self.encoder(x), PCA: self.pca.encode(x), RAW: x}

    def to_tree(self) -> dict[str, Any]:
        """Plain values and arrays, at half precision."""
        return {"encoder": self.encoder.to_tree(np.float16), "pca": [p.astype(np.float16) for p in self.pca]}

    @classmethod
    def from_tree(cls, tree: dict[str, Any]) -> "Coder":
        """Read what `to_tree` wrote."""
        mean, components = (np.asarray(part, np.float32) for part in tree["pca"])
        return cls(DenseNetwork.from_tree(tree["encoder"]), Principal(mean, components))


def sorted_into(coder: Coder, windows: Windows, clusters: int, *, seed: int = 0) -> dict[str, Clusters]:
    """Sort windows by k-means on what each contestant makes of them."""
    return {name: k_means(codes, clusters, seed=seed) for name, codes in coder.codes(inputs(windows.speed)).items()}


def agreement(found: Mapping[str, Clusters], windows: Windows) -> dict[str, float]:
    """Return the adjusted Rand index of each contestant's clusters against the hidden modes."""
    return {name: adjusted_rand(clusters.labels, windows.modes) for name, clusters in found.items()}


def typical(codes: Array, found: Clusters) -> NDArray[np.int64]:
    """Row of the window nearest to each cluster's centre [k]; -1 of an empty one."""
    rows = []
    for label, centre in enumerate(found.centres):
        members = np.flatnonzero(found.labels == label)
        distances = ((codes[members] - centre) ** 2).sum(1)
        rows.append(int(members[distances.argmin()]) if len(members) else -1)
    return np.array(rows)


def unseen(seed: int, stretches: int = 14) -> Cycle:
    """Simulate a drive that is slower or faster than anything that was learnt from."""
    faster = FASTER[seed % len(FASTER)]
    return cycle(CycleSettings(stretches=stretches, faster=faster, seed=1_000_000 + seed))


def shipped() -> dict[int, Coder]:
    """Read the coders that ship, by length of window."""
    tree = store.read(asset("clustering"))
    return {int(length): Coder.from_tree(coder) for length, coder in tree.items()}
