"""Is this just PCA? Points on a line that is bent step by step, each rebuilt from one number."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.concepts.field_guide.latent_size import lost_share
from aecore.latent import Principal

Array = NDArray[np.float32]
Numbers = NDArray[np.float64]

# Degrees from one end of the line to the other.
TURNS = (0, 30, 60, 90, 120, 180, 240, 300)
# Standard deviation of the noise; the line is 2 long.
NOISE = 0.03
# Training points, and as many test points.
COUNT = 300
SHOWN = 200
# A network that folds the line in its first steps does not unfold it, so the restart of lower training loss is kept.
RESTARTS = 2
EPOCHS, BATCH, RATE = 120, 64, 1e-2
HIDDEN = (24, 16)
PCA, LINEAR, NONLINEAR = "PCA", "Linear autoencoder", "Nonlinear autoencoder"
MACHINES = (PCA, LINEAR, NONLINEAR)


class Bent(NamedTuple):
    """One number a point, at every bend: held-out points [T, n, 2], their reconstructions, and errors."""

    turns: tuple[int, ...]
    points: Array
    rebuilt: dict[str, Array]  # [T, n, 2] by model
    lost: dict[str, Numbers]  # [T] by model, share of held-out variance
    floor: Numbers  # [T], share that no model can explain: the noise across the line


def draw(turn: float, seed: int) -> Array:
    """Draw points [n, 2] along an arc of length 2 that turns by so many degrees, with noise."""
    rng = np.random.default_rng(seed)
    at, curvature = rng.uniform(-1, 1, COUNT), np.radians(turn) / 2
    line = np.stack([at, np.zeros(COUNT)], 1)
    if curvature:
        line = np.stack([np.sin(curvature * at), 1 - np.cos(curvature * at)], 1) / curvature
    return np.asarray(line + NOISE * rng.standard_normal(line.shape), np.float32)


def bend(turns: tuple[int, ...] = TURNS) -> Generator[dict[str, Any], None, dict[str, Any]]:
    """Train at every bend; returns what `from_tree` reads."""
    rows: dict[str, list[Any]] = {name: [] for name in MACHINES}
    points, floor = [], []
    for i, turn in enumerate(turns):
        learn, test = draw(turn, 0), draw(turn, 1)
        principal = Principal.fit(learn, 1)
        rows[PCA].append(principal.decode(principal.encode(test)))
        for name, hidden in ((LINEAR, ()), (NONLINEAR, HIDDEN)):
            outputs = yield from _best(learn, test, hidden, {"part": f"{turn}°, {name}", "progress": i / len(turns)})
            rows[name].append(outputs)
        points.append(test)
        floor.append(NOISE**2 * len(test) / float(((test - test.mean(0)) ** 2).sum()))
    return {
        "turns": list(turns), "points": np.stack(points).astype(np.float16), "floor": np.array(floor),
        "rebuilt": {name: np.stack(r).astype(np.float16) for name, r in rows.items()},
        "lost": {
            name: np.array([lost_share(a, b) for a, b in zip(r, points, strict=True)]) for name, r in rows.items()
        },
    }  # fmt: skip


def from_tree(tree: dict[str, Any]) -> Bent:
    """Read what `bend` returns."""
    rebuilt = {name: values.astype(np.float32)[:, :SHOWN] for name, values in tree["rebuilt"].items()}
    points = tree["points"].astype(np.float32)[:, :SHOWN]
    return Bent(tuple(tree["turns"]), points, rebuilt, dict(tree["lost"]), tree["floor"])


def verdict(bent: Bent, position: int) -> str:
    """Say at one bend whether the network is just PCA."""
    pca, linear, network = (float(bent.lost[name][position]) for name in MACHINES)
    floor, turn = float(bent.floor[position]), bent.turns[position]
    words = (
        f"At {turn}° PCA loses **{pca:.1%}** of the variance, the linear autoencoder {linear:.1%}, the nonlinear one "
        f"**{network:.1%}**; {floor:.1%} is noise across the line, which one number cannot hold. "
    )
    if pca < 1.5 * network:
        return words + "**Here it is just PCA**: nothing is bent, so there is nothing to gain by bending."
    return words + f"**Here it is not**: PCA loses {pca / network:.0f} times as much, and a linear network with it."


def _best(learn: Array, test: Array, hidden: tuple[int, ...], said: dict[str, Any]) -> Generator[Any, None, Array]:
    """Rebuild ``test`` by the network that ended with the lowest training loss."""
    import torch

    from aecore.models import AutoEncoder
    from aecore.training import fit

    kept: tuple[float, Array] | None = None
    for seed in range(RESTARTS if hidden else 1):
        model = AutoEncoder((2,), hidden=hidden, latent_dim=1, activation="tanh", seed=seed)
        loss = np.inf
        for report in fit(model, torch.from_numpy(learn), epochs=EPOCHS, batch_size=BATCH, learning_rate=RATE,
                          seed=seed, schedule="cosine"):  # fmt: skip
            loss = report.losses["total"]
            yield said | {"loss": loss}
        with torch.inference_mode():
            outputs = model(torch.from_numpy(test)).numpy()
        if kept is None or loss < kept[0]:
            kept = loss, outputs
    assert kept is not None
    return kept[1]
