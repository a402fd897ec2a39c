"""How the flux maps' networks are trained, and what stands beside them: PCA, and a spline of as many parameters."""

from collections.abc import Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aecore import store
from aecore.concepts.applications import asset
from aecore.concepts.applications.dimensions import (
    LEARNT,
    NUMBERS,
    SHOWN,
    SIZES,
    TEST,
    Mapper,
    drawn,
    in_units,
    with_knobs,
)
from aecore.data.simulators.flux_maps import D_POINTS, Q_POINTS
from aecore.numerics.dense import decoder_of, encoder_of

Array = NDArray[np.float32]
Progress = dict[str, Any]
Shape = tuple[int, int]

MACHINES, HIDDEN = 2000, (96,)
STAGES = ((3e-3, 0.5), (6e-4, 0.3), (1e-4, 0.2))  # learning rates, and their shares of the epochs
EPOCHS, BATCH = 40, 64


def train(
    size: int, epochs: int = EPOCHS, *, seed: int = 0, machines: int = MACHINES
) -> Generator[Progress, None, dict[str, Any]]:
    """Train an autoencoder with so many knobs; a job's task. Yields once an epoch, returns the tree of a `Mapper`."""
    import torch

    from aecore.concepts.latent_training import Plan, train_by
    from aecore.models import AutoEncoder
    from aecore.models import to_tree as tree_of

    yield {"part": "Drawing machines", "progress": 0.0}
    rows = drawn(LEARNT, machines, seed)
    model = AutoEncoder((NUMBERS,), hidden=HIDDEN, latent_dim=size, activation="silu", seed=seed)
    first, second = (max(1, round(share * epochs)) for _, share in STAGES[:2])
    counts = (first, second, max(1, epochs - first - second))
    plan = Plan(tuple((rate, count) for (rate, _), count in zip(STAGES, counts, strict=True)), BATCH)
    mean, spread = rows.mean(0), float(rows.std(0).mean())
    for step in train_by(plan, model, torch.from_numpy((rows - mean) / spread), seed=seed):
        yield {
            "part": "Training the network", "epoch": step.epoch, "epochs": plan.epochs,
            "progress": step.epoch / plan.epochs, "loss": step.report.losses["total"],
        }  # fmt: skip
    tree = tree_of(model)
    encoder, decoder = in_units(encoder_of(tree), decoder_of(tree), mean, spread)
    return with_knobs(encoder, decoder, rows).to_tree()


# ---------------------------------------------------------------------- splines
def spline(rows: Array, shapes: tuple[Shape, Shape]) -> Array:
    """Fit tensor-product splines to maps [N, 256], of ``shapes`` (m on i_d, n on i_q) for psi_d and for psi_q.

    De Boor (1978), *A Practical Guide to Splines*, ch. XVII; cubic where there are coefficients enough.
    """
    half = NUMBERS // 2
    parts = []
    for part, (m, n) in zip((rows[:, :half], rows[:, half:]), shapes, strict=True):
        basis = np.kron(basis_of(D_POINTS, m), basis_of(Q_POINTS, n))  # (128, m n)
        coefficients = np.linalg.lstsq(basis, part.T.astype(np.float64), rcond=None)[0]
        parts.append((basis @ coefficients).T)
    return np.concatenate(parts, axis=1).astype(np.float32)


def basis_of(points: int, count: int) -> NDArray[np.float64]:
    """So many B-splines [points, count] over evenly spaced points, with evenly spaced knots."""
    from scipy.interpolate import BSpline

    degree = min(3, count - 1)
    inner = np.linspace(0, 1, count - degree + 1)
    knots = np.concatenate([np.zeros(degree), inner, np.ones(degree)])
    return np.asarray(BSpline.design_matrix(np.linspace(0, 1, points), knots, degree).toarray())


def best_shapes(rows: Array, count: int) -> tuple[Shape, Shape]:
    """Of all ways to spend ``count`` coefficients on both maps, the one with the least error on ``rows``."""
    half = NUMBERS // 2

    def errors(part: Array) -> dict[int, tuple[float, Shape]]:
        least: dict[int, tuple[float, Shape]] = {}
        for m in range(1, min(count, D_POINTS) + 1):
            for n in range(1, min(count // m, Q_POINTS) + 1):
                basis = np.kron(basis_of(D_POINTS, m), basis_of(Q_POINTS, n))
                q = np.linalg.qr(basis)[0]
                lost = float(((part - part @ q @ q.T) ** 2).sum())
                if m * n not in least or lost < least[m * n][0]:
                    least[m * n] = lost, (m, n)
        return least

    d, q = errors(rows[:, :half]), errors(rows[:, half:])
    pairs = [(d[a][0] + q[b][0], (d[a][1], q[b][1])) for a in d for b in q if a + b <= count]
    return min(pairs)[1]


# ---------------------------------------------------------------------- what ships
def pretrain() -> Generator[Progress, None, None]:
    """Train a network for every number of knobs, and write the file that ships."""
    trees = []
    for i, size in enumerate(SIZES):
        making = train(size, epochs=3 * EPOCHS, machines=3000)
        while True:
            try:
                progress = next(making)
            except StopIteration as end:
                trees.append(end.value)
                break
            yield {"progress": (i + progress["progress"]) / len(SIZES), "loss": progress.get("loss", 0.0)}
    store.write(asset("dimensions"), {"mappers": trees, "machines": drawn(TEST, SHOWN, 1_000_000).astype(np.float16)})


def mapper(tree: dict[str, Any]) -> Mapper:
    """Read what `train` returned."""
    return Mapper.from_tree(tree)
