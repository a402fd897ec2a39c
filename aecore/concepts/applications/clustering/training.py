"""How the clustering section's coders are trained: on drives, without a word on their modes."""

from collections.abc import Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aecore import store
from aecore.concepts.applications import asset
from aecore.concepts.applications.clustering import LENGTHS, POINTS, Coder, cut, inputs
from aecore.concepts.applications.clustering.k_means import adjusted_rand, k_means
from aecore.data.simulators.drive_cycles import NAMES, CycleSettings, cycle
from aecore.latent import Principal
from aecore.numerics.dense import encoder_of

Progress = dict[str, Any]

DRIVES, STRETCHES = 10, 14  # to learn from
OVERLAP = 4  # windows that begin within one window's length
FASTER = (0.95, 1.05)  # of the drives that are learnt from: the tests lie outside
HIDDEN, CODE = (96,), 6
STAGES, BATCH = ((3e-3, 0.7), (6e-4, 0.3)), 64
EPOCHS = 10
PCA_SIZES = (1, 2, 3, 4, 6, 8)  # that are tried on validation drives
VALIDATION = 4  # drives


def pairs(length: int, seed: int, drives: int = DRIVES) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Windows [N, 120], and the neighbouring window of each, after or before it, with its values sorted."""
    rng = np.random.default_rng((seed, length))
    given, wanted = [], []
    for n in range(drives):
        settings = CycleSettings(stretches=STRETCHES, faster=rng.uniform(*FASTER), seed=1000 * seed + n)
        x = inputs(cut(cycle(settings), length, max(1, length // OVERLAP)).speed)
        apart = np.concatenate([np.sort(x[:, :POINTS], 1), np.sort(x[:, POINTS:], 1)], axis=1)
        given += [x[:-OVERLAP], x[OVERLAP:]]
        wanted += [apart[OVERLAP:], apart[:-OVERLAP]]
    return np.concatenate(given), np.concatenate(wanted)


def train(
    length: int, code: int = CODE, epochs: int = EPOCHS, *, seed: int = 0, drives: int = DRIVES
) -> Generator[Progress, None, dict[str, Any]]:
    """Train a coder for windows of ``length`` seconds; a job's task. Returns the tree of a `Coder`."""
    import torch

    from aecore.concepts.latent_training import Plan, train_by
    from aecore.models import AutoEncoder
    from aecore.models import to_tree as tree_of

    yield {"part": "Driving", "progress": 0.0}
    given, wanted = pairs(length, seed, drives)
    model = AutoEncoder((2 * POINTS,), hidden=HIDDEN, latent_dim=code, activation="silu", seed=seed)
    first = max(1, round(STAGES[0][1] * epochs))
    plan = Plan(((STAGES[0][0], first), (STAGES[1][0], max(1, epochs - first))), BATCH)
    for step in train_by(plan, model, (torch.from_numpy(given), torch.from_numpy(wanted)), seed=seed):
        yield {
            "part": "Training the network", "epoch": step.epoch, "epochs": plan.epochs,
            "progress": step.epoch / plan.epochs, "loss": step.report.losses["total"],
        }  # fmt: skip
    return Coder(encoder_of(tree_of(model)), tuned_pca(given, length, seed)).to_tree()


def tuned_pca(learnt: NDArray[np.float32], length: int, seed: int) -> Principal:
    """PCA with the size whose clusters agree best with the modes of validation drives."""
    settings = [CycleSettings(stretches=STRETCHES, seed=500_000 + 100 * seed + n) for n in range(VALIDATION)]
    drives = [cut(cycle(one), length) for one in settings]
    x, modes = np.concatenate([inputs(d.speed) for d in drives]), np.concatenate([d.modes for d in drives])
    whole = Principal.fit(learnt, max(PCA_SIZES))
    scores = whole.encode(x)
    best = max(PCA_SIZES, key=lambda k: adjusted_rand(k_means(scores[:, :k], len(NAMES)).labels, modes))
    return Principal(whole.mean, whole.components[:best])


def pretrain() -> Generator[Progress, None, None]:
    """Train a coder for every length of window, and write the file that ships."""
    trees = {}
    for i, length in enumerate(LENGTHS):
        making = train(length, epochs=2 * EPOCHS)
        while True:
            try:
                progress = next(making)
            except StopIteration as end:
                trees[str(length)] = end.value
                break
            yield {"progress": (i + progress["progress"]) / len(LENGTHS), "loss": progress.get("loss", 0.0)}
    store.write(asset("clustering"), trees)
