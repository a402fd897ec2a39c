"""How the conditional VAE is trained, what it is held against, and the classifier that judges it."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aecore import store
from aecore.concepts.applications import asset
from aecore.concepts.applications.conditional import (
    LATENT,
    NEIGHBOURS,
    RANGES,
    SEVERITIES,
    TESTED,
    Array,
    Wanted,
)
from aecore.data.simulators import drive_windows
from aecore.data.simulators.drive_windows import CONDITIONS, LOADS, SPEEDS, DriveWindows
from aecore.data.simulators.inverter import RATED_CURRENT
from aecore.data.simulators.recording import within
from aecore.numerics.dense import DenseNetwork, decoder_of, encoder_of

Progress = dict[str, Any]

COUNT = 1_500
HIDDEN, BETA = (128, 128), 1e-3
# A code that may say everything says the speed too, and then nobody listens to the condition. So it is shut at first.
SHUT, SHUT_SHARE = 0.3, 0.5  # weight of the KL term, for this share of the epochs
EPOCHS, RATE, BATCH = 60, 3e-3, 64
CLASSIFIER_COUNT, CLASSIFIER_EPOCHS, CLASSIFIER_HIDDEN = 1_500, 20, 64


@dataclass(frozen=True, kw_only=True)
class Training:
    """Weight of the KL term, epochs, and the seed of data and weights."""

    beta: float = BETA
    epochs: int = EPOCHS
    seed: int = 0

    def __post_init__(self) -> None:
        within("beta", self.beta, 0, 10)
        within("epochs", self.epochs, 1, 300)


def recordings(seed: int, count: int = COUNT) -> DriveWindows:
    """Draw what there is to learn from: no window of it in the tested region."""
    return drive_windows.draw(count, seed=2_000 + seed, severities=SEVERITIES, outside=TESTED, aligned=True)


def train(settings: Training) -> Generator[Progress, None, dict[str, Any]]:
    """Train a conditional VAE; a job's task. Yields once an epoch, returns the decoder's tree."""
    import torch

    from aecore.models import ConditionalVAE
    from aecore.models import to_tree as tree_of
    from aecore.training import fit

    yield {"part": "Simulating", "progress": 0.0}
    drawn = recordings(settings.seed)
    x = torch.from_numpy(drawn.values.reshape(len(drawn.values), -1) / np.float32(RATED_CURRENT))
    kinds = np.eye(len(CONDITIONS))[drawn.conditions]
    given = torch.from_numpy(np.column_stack([kinds, drawn.speeds, drawn.loads]).astype(np.float32))  # (N, 7)
    model = ConditionalVAE(
        x.shape[1:], condition_dim=len(RANGES), condition_ranges=RANGES, hidden=HIDDEN, latent_dim=LATENT,
        reconstruction="mse", activation="silu", beta=settings.beta, seed=settings.seed,
    )  # fmt: skip
    shut = round(SHUT_SHARE * settings.epochs)
    for part, beta, epochs in (("Condition", SHUT, shut), ("Code", settings.beta, settings.epochs - shut)):
        model.beta = beta
        for report in fit(
            model, (x, given), epochs=max(1, epochs), batch_size=BATCH, learning_rate=RATE, schedule="cosine",
            seed=settings.seed,
        ):  # fmt: skip
            before = 0 if part == "Condition" else shut
            yield {
                "part": part, "epoch": report.number, "epochs": max(1, epochs), "loss": report.losses["total"],
                "progress": min(1.0, (before + report.number) / settings.epochs),
            }  # fmt: skip
    return decoder_of(tree_of(model)).to_tree(np.float16)


def classifier(seed: int, epochs: int = CLASSIFIER_EPOCHS) -> DenseNetwork:
    """Train a classifier [N, D] -> [N, classes] on real windows at every operating point, drawn apart from all else."""
    import torch
    from torch import nn

    from aecore.models import AutoEncoder
    from aecore.models import to_tree as tree_of
    from aecore.training import fit

    drawn = drive_windows.draw(CLASSIFIER_COUNT, seed=9_000 + seed, severities=SEVERITIES, aligned=True)
    x = torch.from_numpy(drawn.values.reshape(len(drawn.values), -1) / np.float32(RATED_CURRENT))
    y = torch.from_numpy(drawn.conditions.astype(np.int64))

    class Classifier(AutoEncoder):  # its encoder is a dense network with as many outputs as classes
        def losses(self, batch: Any) -> dict[str, torch.Tensor]:
            return {"total": nn.functional.cross_entropy(self.encoder(batch[0]), batch[1])}

    model = Classifier(x.shape[1:], hidden=(CLASSIFIER_HIDDEN,), latent_dim=len(CONDITIONS), seed=seed)
    for _ in fit(model, (x, y), epochs=epochs, batch_size=BATCH, learning_rate=2e-3, schedule="cosine", seed=seed):
        pass
    return encoder_of(tree_of(model))


def nearest(recorded: DriveWindows, wanted: Wanted, count: int = NEIGHBOURS) -> Array:
    """Return recordings [count, 3, 64] of a class nearest to an operating point, both ranges counting alike."""
    kind = np.flatnonzero(recorded.conditions == CONDITIONS.index(wanted.condition))
    scale = SPEEDS[1] - SPEEDS[0], LOADS[1] - LOADS[0]
    apart = np.hypot(
        (recorded.speeds[kind] - wanted.speed_rpm) / scale[0], (recorded.loads[kind] - wanted.load) / scale[1]
    )
    return recorded.values[kind[np.argsort(apart)[:count]]]


def asked(condition: drive_windows.Condition, seed: int, count: int = 20) -> list[Wanted]:
    """Draw operating points that nothing was learnt at."""
    rng = np.random.default_rng((seed, CONDITIONS.index(condition)))
    return [
        Wanted(condition=condition, speed_rpm=rng.uniform(*TESTED.speeds), load=rng.uniform(*TESTED.loads))
        for _ in range(count)
    ]


def real(wanted: Wanted, count: int, seed: int) -> Array:
    """Simulate noisy windows [count, 3, 64] in A of random severity at one operating point."""
    rng = np.random.default_rng((seed, 5))
    severities: NDArray[np.float64] = rng.uniform(*SEVERITIES, count)
    return np.stack([
        drive_windows.window(drive_windows.WindowSettings(
            speed_rpm=wanted.speed_rpm, load=wanted.load, condition=wanted.condition, severity=severity,
            seed=int(rng.integers(1 << 30)),
        ))
        for severity in severities
    ])  # fmt: skip


def pretrain() -> Generator[Progress, None, None]:
    """Train the model and the classifier that ship."""
    task = train(Training())
    while True:
        try:
            progress = next(task)
        except StopIteration as end:
            tree = end.value
            break
        yield {"progress": 0.9 * progress["progress"], "loss": progress.get("loss", 0.0)}
    store.write(asset("conditional"), {"model": tree, "classifier": classifier(0).to_tree(np.float16)})
