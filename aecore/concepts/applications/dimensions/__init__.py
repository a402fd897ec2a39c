"""Dimension reduction: flux maps of a family of machines behind a few knobs, beside PCA and a spline.

A map is 256 numbers, psi_d and psi_q over 16 by 8 pairs of currents, divided by its own largest flux: machines of any
size then share one scale. Machines are told apart by eight parameters; none of the tests' saliencies was learnt from.
"""

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore import store
from aecore.concepts.applications import asset
from aecore.data.simulators.flux_maps import D_POINTS, Q_POINTS, Family, grid, maps, torque
from aecore.errors import StoreError
from aecore.numerics.dense import DenseNetwork

Array = NDArray[np.float32]

SIZES = (2, 3, 4, 5, 6)  # knobs
NUMBERS = 2 * D_POINTS * Q_POINTS
HOLE = (2.2, 2.8)  # saliencies of the tests, and of no machine that anything learns from
LEARNT, TEST = Family(hole=HOLE), Family(saliency=HOLE)
SHOWN = 12  # test machines that the page offers


@functools.lru_cache(maxsize=4)  # a second training on the same machines need not wait for them
def drawn(family: Family, count: int, seed: int) -> Array:
    """Flux maps of as many machines, [N, 256], each divided by its largest flux."""
    return scaled(maps(family.draw(count, seed)))


def scaled(flux: NDArray[Any]) -> Array:
    """Lay maps [N, 2, 16, 8] out as rows [N, 256], each divided by its largest flux."""
    rows = flux.reshape(len(flux), -1)
    return np.asarray(rows / np.abs(rows).max(1, keepdims=True), np.float32)


def as_maps(rows: NDArray[Any]) -> NDArray[Any]:
    """``[N, 256] -> [N, 2, 16, 8]``."""
    return rows.reshape(len(rows), 2, D_POINTS, Q_POINTS)


# ---------------------------------------------------------------------- the network
class Mapper(NamedTuple):
    """An autoencoder whose codes are knobs: uncorrelated, of spread 1 over the learnt family, the widest first."""

    encoder: DenseNetwork
    decoder: DenseNetwork

    @property
    def size(self) -> int:
        """How many knobs."""
        return self.decoder.inputs

    def rebuilt(self, rows: Array) -> Array:
        """``[N, 256] -> [N, 256]``."""
        return self.decoder(self.encoder(rows))

    def to_tree(self) -> dict[str, Any]:
        """Plain values and arrays, at half precision."""
        return {"encoder": self.encoder.to_tree(np.float16), "decoder": self.decoder.to_tree(np.float16)}

    @classmethod
    def from_tree(cls, tree: dict[str, Any]) -> "Mapper":
        """Read what `to_tree` wrote."""
        return cls(DenseNetwork.from_tree(tree["encoder"]), DenseNetwork.from_tree(tree["decoder"]))


def in_units(
    encoder: DenseNetwork, decoder: DenseNetwork, mean: Array, spread: float
) -> tuple[DenseNetwork, DenseNetwork]:
    """Fold the scaling ``(x - mean) / spread`` of what a network was trained on into its weights."""
    (w, b), (v, c) = encoder.layers[0], decoder.layers[-1]
    first = (w / np.float32(spread), (b - w @ mean / spread).astype(np.float32))
    last = (v * np.float32(spread), (c * spread + mean).astype(np.float32))
    return (
        encoder._replace(layers=(first, *encoder.layers[1:])),
        decoder._replace(layers=(*decoder.layers[:-1], last)),
    )


def with_knobs(encoder: DenseNetwork, decoder: DenseNetwork, rows: Array) -> Mapper:
    """Turn and scale the codes of ``rows`` to be uncorrelated and of spread 1, by a change folded into the weights."""
    codes = encoder(rows).astype(np.float64)
    mean = codes.mean(0)
    directions = np.linalg.svd(codes - mean, full_matrices=False)[2]  # (k, k)
    spread = ((codes - mean) @ directions.T).std(0)
    into = directions / np.maximum(spread, 1e-9)[:, None]  # knobs = into (codes - mean)
    back = directions.T * spread
    (w, b), (v, c) = encoder.layers[-1], decoder.layers[0]
    last = (into @ w).astype(np.float32), (into @ (b - mean)).astype(np.float32)
    first = (v @ back).astype(np.float32), (c + v @ mean).astype(np.float32)
    return Mapper(
        encoder._replace(layers=(*encoder.layers[:-1], last)), decoder._replace(layers=(first, *decoder.layers[1:]))
    )


# ---------------------------------------------------------------------- measures
def flux_error(truth: NDArray[Any], rebuilt: NDArray[Any]) -> NDArray[Any]:
    """Root mean square over a map, % of its largest flux: [N, 256] twice -> [N]."""
    return 100 * np.sqrt(((rebuilt - truth) ** 2).mean(1)) / np.abs(truth).max(1)


def torque_error(truth: NDArray[Any], rebuilt: NDArray[Any]) -> NDArray[Any]:
    """Root mean square error of the torque over the grid, % of its largest: [N, 256] twice -> [N]."""
    true, ours = torque(as_maps(truth)), torque(as_maps(rebuilt))
    return 100 * np.sqrt(((ours - true) ** 2).mean((1, 2))) / np.abs(true).max((1, 2))


def best_angle(rows: NDArray[Any]) -> NDArray[np.float64]:
    """Angle in degrees, from the q axis towards -d, at which rated current makes most torque: [N, 256] -> [N].

    The maximum torque per ampere, by bilinear interpolation along the quarter circle.
    """
    angles = np.linspace(0, 90, 361)
    i_d, i_q = -np.sin(np.radians(angles)), np.cos(np.radians(angles))
    on_circle = interpolated(as_maps(rows.astype(np.float64)), i_d, i_q)  # (N, 2, A)
    made = on_circle[:, 0] * i_q - on_circle[:, 1] * i_d
    return angles[made.argmax(1)]


def interpolated(flux: NDArray[Any], i_d: NDArray[Any], i_q: NDArray[Any]) -> NDArray[Any]:
    """Read maps [N, 2, 16, 8] off at currents [A] within the grid: [N, 2, A]."""
    d, q = grid()
    x, y = (i_d - d[0]) / (d[1] - d[0]), (i_q - q[0]) / (q[1] - q[0])
    left, low = np.clip(x.astype(int), 0, D_POINTS - 2), np.clip(y.astype(int), 0, Q_POINTS - 2)
    a, b = x - left, y - low
    near = flux[..., left, low] * (1 - b) + flux[..., left, low + 1] * b
    far = flux[..., left + 1, low] * (1 - b) + flux[..., left + 1, low + 1] * b
    return near * (1 - a) + far * a


# ---------------------------------------------------------------------- what ships
class Shipped(NamedTuple):
    """A network for every number of knobs, and maps of test machines [n, 256]."""

    mappers: Mapping[int, Mapper]
    machines: Array


def shipped() -> Shipped:
    """Read what `aecore.concepts.applications.dimensions.training.pretrain` wrote."""
    tree = store.read(asset("dimensions"))
    try:
        return Shipped({m.size: m for m in map(Mapper.from_tree, tree["mappers"])}, tree["machines"].astype(np.float32))
    except KeyError as error:
        raise StoreError("The dimension section's file is of another make; train it again.") from error
