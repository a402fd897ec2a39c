"""Dimension reduction: flux maps of a family of machines behind a few knobs, beside PCA and a spline.

A map is 256 numbers, psi_d and psi_q over 16 by 8 pairs of currents, divided by its own largest flux: machines of any
size then share one scale. Eight parameters tell machines apart; no machine of the training set has a test's saliency.
"""

import functools
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore.concepts.applications import Work, read_pretrained, train_each, write_pretrained
from aecore.data.readers.archives import unpack
from aecore.data.readers.delimited import read_delimited
from aecore.data.readers.messages import clean_names, listed, shown
from aecore.data.readers.options import ReadOptions
from aecore.data.simulators.flux_maps import D_POINTS, Q_POINTS, Family, grid, maps, torque
from aecore.data.tables.cells import to_float
from aecore.errors import DataError, StoreError, TooFewRows, UnreadableFile
from aecore.numerics.dense import DenseAutoencoder

Array = NDArray[np.float32]
Shape = tuple[int, int]

# Numbers of knobs.
SIZES = (2, 3, 4, 5, 6)
NUMBERS = 2 * D_POINTS * Q_POINTS
# Saliencies of the tests, and of no machine of the training set.
HOLE = (2.2, 2.8)
TRAINING_FAMILY, TEST = Family(hole=HOLE), Family(saliency=HOLE)
# Test machines that the page offers.
SHOWN = 12

MACHINES, HIDDEN = 2000, (96,)
# Learning rates, and their shares of the epochs.
STAGES = ((3e-3, 0.5), (6e-4, 0.3), (1e-4, 0.2))
EPOCHS, BATCH = 40, 64

# A visitor's file: patterns of its columns, bounds of its points.
COLUMNS = {"i_d": r"i_?d", "i_q": r"i_?q", "psi_d": r"(psi|flux|lambda)_?d", "psi_q": r"(psi|flux|lambda)_?q"}
FEWEST, MAX_POINTS = 25, 200_000
# Share of the grid's points that may lie beside what was measured; they take the nearest value.
OUTSIDE = 0.02


@functools.lru_cache(maxsize=4)  # a second training on the same machines need not wait for them
def draw_machines(family: Family, count: int, seed: int) -> Array:
    """Draw flux maps of as many machines, [N, 256], each divided by its largest flux."""
    return scale_maps(maps(family.draw(count, seed)))


def scale_maps(flux: NDArray[Any]) -> Array:
    """Lay maps [N, 2, 16, 8] out as rows [N, 256], each divided by its largest flux."""
    rows = flux.reshape(len(flux), -1)
    return np.asarray(rows / np.abs(rows).max(1, keepdims=True), np.float32)


def as_maps(rows: NDArray[Any]) -> NDArray[Any]:
    """``[N, 256] -> [N, 2, 16, 8]``."""
    return rows.reshape(len(rows), 2, D_POINTS, Q_POINTS)


# ---------------------------------------------------------------------- the network
class Mapper(DenseAutoencoder):
    """An autoencoder whose codes are knobs: uncorrelated, of spread 1 over the training family, the widest first."""

    @property
    def size(self) -> int:
        """Return the number of knobs."""
        return self.decoder.inputs


def fold_scaling(network: DenseAutoencoder, mean: Array, spread: float) -> DenseAutoencoder:
    """Fold the scaling ``(x - mean) / spread`` of what a network was trained on into its weights."""
    (encoder, decoder), scale = network, np.float32(spread)
    (w, b), (v, c) = encoder.layers[0], decoder.layers[-1]
    first = (w / scale, (b - w @ mean / spread).astype(np.float32))
    last = (v * scale, (c * spread + mean).astype(np.float32))
    return DenseAutoencoder(
        encoder._replace(layers=(first, *encoder.layers[1:])), decoder._replace(layers=(*decoder.layers[:-1], last))
    )


def turn_into_knobs(network: DenseAutoencoder, rows: Array) -> Mapper:
    """Turn and scale the codes of ``rows`` to be uncorrelated and of spread 1, by a change folded into the weights."""
    encoder, decoder = network
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
    """Return the root mean square over a map, % of its largest flux: [N, 256] twice -> [N]."""
    return 100 * np.sqrt(((rebuilt - truth) ** 2).mean(1)) / np.abs(truth).max(1)


def torque_error(truth: NDArray[Any], rebuilt: NDArray[Any]) -> NDArray[Any]:
    """Return the root mean square error of the torque over the grid, % of its largest: [N, 256] twice -> [N]."""
    true, ours = torque(as_maps(truth)), torque(as_maps(rebuilt))
    return 100 * np.sqrt(((ours - true) ** 2).mean((1, 2))) / np.abs(true).max((1, 2))


def find_best_angle(rows: NDArray[Any]) -> NDArray[np.float64]:
    """Find the angle in degrees, from the q axis to -d, at which rated current makes most torque: [N, 256] -> [N].

    The maximum torque per ampere, by bilinear interpolation along the quarter circle.
    """
    angles = np.linspace(0, 90, 361)
    i_d, i_q = -np.sin(np.radians(angles)), np.cos(np.radians(angles))
    on_circle = interpolate_maps(as_maps(rows.astype(np.float64)), i_d, i_q)  # (N, 2, A)
    made = on_circle[:, 0] * i_q - on_circle[:, 1] * i_d
    return angles[made.argmax(1)]


def interpolate_maps(flux: NDArray[Any], i_d: NDArray[Any], i_q: NDArray[Any]) -> NDArray[Any]:
    """Read maps [N, 2, 16, 8] off at currents [A] within the grid: [N, 2, A]."""
    d, q = grid()
    x, y = (i_d - d[0]) / (d[1] - d[0]), (i_q - q[0]) / (q[1] - q[0])
    left, low = np.clip(x.astype(int), 0, D_POINTS - 2), np.clip(y.astype(int), 0, Q_POINTS - 2)
    a, b = x - left, y - low
    near = flux[..., left, low] * (1 - b) + flux[..., left, low + 1] * b
    far = flux[..., left + 1, low] * (1 - b) + flux[..., left + 1, low + 1] * b
    return near * (1 - a) + far * a


# ---------------------------------------------------------------------- what ships
class PretrainedMappers(NamedTuple):
    """A network for every number of knobs, and maps of test machines [n, 256]."""

    mappers: Mapping[int, Mapper]
    machines: Array


def load_pretrained() -> PretrainedMappers:
    """Read what `pretrain` wrote."""
    tree = read_pretrained("dimensions")
    try:
        mappers = {mapper.size: mapper for mapper in map(Mapper.from_tree, tree["mappers"])}
        return PretrainedMappers(mappers, tree["machines"].astype(np.float32))
    except KeyError as error:
        raise StoreError("The dimension section's file is of another make; train it again.") from error


# ---------------------------------------------------------------------- training
def train(size: int, epochs: int = EPOCHS, *, seed: int = 0, machines: int = MACHINES) -> Work[dict[str, Any]]:
    """Train an autoencoder with so many knobs; a job's task. Yields once an epoch, returns the tree of a `Mapper`."""
    from aecore.concepts.applications.training import fit_stages
    from aecore.models import AutoEncoder, to_tree

    yield {"part": "Drawing machines", "progress": 0.0}
    rows = draw_machines(TRAINING_FAMILY, machines, seed)
    model = AutoEncoder((NUMBERS,), hidden=HIDDEN, latent_dim=size, activation="silu", seed=seed)
    mean, spread = rows.mean(0), float(rows.std(0).mean())
    yield from fit_stages(model, (rows - mean) / spread, stages=STAGES, epochs=epochs, batch=BATCH, seed=seed)
    network = fold_scaling(DenseAutoencoder.of_model(to_tree(model)), mean, spread)
    return turn_into_knobs(network, rows).to_tree()


# ---------------------------------------------------------------------- splines
def fit_spline(rows: Array, shapes: tuple[Shape, Shape]) -> Array:
    """Fit tensor-product splines to maps [N, 256], of ``shapes`` (m on i_d, n on i_q) for psi_d and for psi_q.

    De Boor (1978), *A Practical Guide to Splines*, ch. XVII; cubic where there are coefficients enough.
    """
    half = NUMBERS // 2
    parts = []
    for part, (m, n) in zip((rows[:, :half], rows[:, half:]), shapes, strict=True):
        basis = np.kron(spline_basis(D_POINTS, m), spline_basis(Q_POINTS, n))  # (128, m n)
        coefficients = np.linalg.lstsq(basis, part.T.astype(np.float64), rcond=None)[0]
        parts.append((basis @ coefficients).T)
    return np.concatenate(parts, axis=1).astype(np.float32)


def spline_basis(points: int, count: int) -> NDArray[np.float64]:
    """Return so many B-splines [points, count] over evenly spaced points, with evenly spaced knots."""
    from scipy.interpolate import BSpline

    degree = min(3, count - 1)
    inner = np.linspace(0, 1, count - degree + 1)
    knots = np.concatenate([np.zeros(degree), inner, np.ones(degree)])
    return np.asarray(BSpline.design_matrix(np.linspace(0, 1, points), knots, degree).toarray())


def choose_shapes(rows: Array, count: int) -> tuple[Shape, Shape]:
    """Choose how to spend ``count`` coefficients on both maps, by the least error on ``rows``."""
    half = NUMBERS // 2

    def errors(part: Array) -> dict[int, tuple[float, Shape]]:
        least: dict[int, tuple[float, Shape]] = {}
        for m in range(1, min(count, D_POINTS) + 1):
            for n in range(1, min(count // m, Q_POINTS) + 1):
                basis = np.kron(spline_basis(D_POINTS, m), spline_basis(Q_POINTS, n))
                q = np.linalg.qr(basis)[0]
                lost = float(((part - part @ q @ q.T) ** 2).sum())
                if m * n not in least or lost < least[m * n][0]:
                    least[m * n] = lost, (m, n)
        return least

    d, q = errors(rows[:, :half]), errors(rows[:, half:])
    pairs = [(d[a][0] + q[b][0], (d[a][1], q[b][1])) for a in d for b in q if a + b <= count]
    return min(pairs)[1]


def pretrain() -> Work[None]:
    """Train a network for every number of knobs, and write the built-in ones."""
    trees = yield from train_each({size: train(size, epochs=3 * EPOCHS, machines=3000) for size in SIZES})
    machines = draw_machines(TEST, SHOWN, 1_000_000).astype(np.float16)
    write_pretrained("dimensions", {"mappers": list(trees.values()), "machines": machines})


# ---------------------------------------------------------------------- a file of the visitor
def read_map(name: str, data: bytes) -> Work[dict[str, Any]]:
    """Read a table with columns i_d, i_q, psi_d, psi_q; a job's task.

    Returns ``rows`` [256] divided by the largest flux, ``current`` (the grid's 1, in the file's unit), ``flux`` (its
    largest) and notes. Negative i_q is folded onto positive (psi_d is even in it, psi_q odd).
    """
    yield {"part": "Reading", "progress": 0.0}
    points = _read_points(name, data)  # (N, 4)
    yield {"part": "Bringing it to the grid", "progress": 0.5}
    current = float(min(np.abs(points[:, 0]).max(), np.abs(points[:, 1]).max()))
    if not current > 0:
        raise DataError(f"{shown(name)} has one current that is 0 throughout; a map needs points over both.")
    flux, missing = _bring_to_grid(points, current)
    if missing > OUTSIDE:
        raise DataError(
            f"{shown(name)} leaves {missing:.0%} of the map empty between i_d = ±{current:g} and i_q = 0..{current:g}; "
            "bring points over that whole range."
        )
    largest = float(np.abs(flux).max())
    if not largest > 0:
        raise DataError(f"{shown(name)} has no flux but 0; bring a map with flux linkages in it.")
    notes = [
        f"{len(points):,} points, brought to {D_POINTS} by {Q_POINTS} over ±{current:g}; largest flux {largest:g}."
    ]
    return {"rows": (flux.ravel() / largest).astype(np.float32), "current": current, "flux": largest, "notes": notes}


def _read_points(name: str, data: bytes) -> NDArray[np.float64]:
    if not data:
        raise UnreadableFile(f"{shown(name)} is empty (0 bytes); export it again and check its size.")
    inner, data, _, _ = unpack(name, data, ("csv", "tsv", "txt"))
    table = read_delimited(inner, data, ReadOptions())
    names = clean_names(table.names)
    found = {}
    for wanted, pattern in COLUMNS.items():
        place = next((i for i, n in enumerate(names) if re.match(pattern + r"(\b|[ \[(_]|$)", n.lower().strip())), None)
        if place is None:
            raise DataError(
                f"{shown(name)} has no column {wanted}, only {listed(names)}; it takes i_d, i_q, psi_d, psi_q."
            )
        values, _ = to_float(table.frame.iloc[:, place], table.decimal, table.thousands)
        if values is None:
            raise DataError(f"The column {shown(names[place])} holds no numbers; export it as numbers.")
        found[wanted] = values
    points = np.column_stack(list(found.values())).astype(np.float64)
    points = points[np.isfinite(points).all(1)][:MAX_POINTS]
    if len(points) < FEWEST:
        raise TooFewRows(f"{shown(name)} holds {len(points)} whole points and a map needs {FEWEST}; bring more.")
    return points


def _bring_to_grid(points: NDArray[np.float64], current: float) -> tuple[NDArray[np.float64], float]:
    """Interpolate to [2, 16, 8] in triangles; also the share of the grid that no triangle covers."""
    from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator
    from scipy.spatial import QhullError

    negative = points[:, 1] < 0
    folded = np.where(negative[:, None], points * [1, -1, 1, -1], points)
    at, values = np.unique(folded[:, :2].round(9), axis=0, return_index=True)
    i_d, i_q = (current * axis for axis in np.meshgrid(*grid(), indexing="ij"))
    try:
        linear = LinearNDInterpolator(at, folded[values, 2:], rescale=True)(i_d, i_q)  # (16, 8, 2)
    except (QhullError, ValueError) as error:
        raise DataError("All points of this map lie on one line; bring points over both currents.") from error
    empty = np.isnan(linear[..., 0])
    nearest = NearestNDInterpolator(at, folded[values, 2:], rescale=True)(i_d, i_q)
    return np.moveaxis(np.where(empty[..., None], nearest, linear), -1, 0), float(empty.mean())


def map_table(made: dict[str, Any], mapper: Mapper) -> pd.DataFrame:
    """Return the map as it was read and as it comes out of the knobs' decoder, in the file's units."""
    i_d, i_q = (made["current"] * axis.ravel() for axis in np.meshgrid(*grid(), indexing="ij"))
    psi = made["flux"] * made["rows"].reshape(2, -1)
    ours = made["flux"] * mapper.reconstruct(made["rows"][None]).reshape(2, -1)
    return pd.DataFrame({
        "i_d": i_d, "i_q": i_q, "psi_d": psi[0], "psi_q": psi[1], "psi_d through knobs": ours[0],
        "psi_q through knobs": ours[1],
    })  # fmt: skip
