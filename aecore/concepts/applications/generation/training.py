"""How the generation section's VAEs are trained, and what a classifier makes of the examples that they give."""

from collections.abc import Generator as Iteration
from typing import Any, NamedTuple

import numpy as np

from aecore import store
from aecore.concepts.applications import asset
from aecore.concepts.applications.generation import (
    EXAMPLES,
    FAULTS,
    METHODS,
    Array,
    Data,
    Generator,
    Shipped,
    Shortage,
    draw,
    generator_from_tree,
    generator_to_tree,
    synthetic,
)
from aecore.numerics.dense import decoder_of, encoder_of

Progress = dict[str, Any]

HIDDEN, LATENT, BETA = (96, 48), 6, 1e-4
EPOCHS, RATE, BATCH = 40, 3e-3, 64
SHARE = 0.25  # of the VAE's training rows are rare: few, they are shown again and again
CLASSIFIER, CLASSIFIER_EPOCHS, CLASSIFIER_RATE = 64, 20, 2e-3
SHOWN = 60  # unseen real examples of each fault that ship, to measure copies by
AS_MANY = 680  # synthetic examples, to bring the rare fault up to the healthy windows' number


class Score(NamedTuple):
    """Of the test's faulty windows, the share that was found; of those called faulty, the share that was."""

    recall: float
    precision: float


def train_generator(data: Data, seed: int, epochs: int = EPOCHS) -> Iteration[Progress, None, Generator]:
    """Train a VAE on healthy and rare windows together, yielding once an epoch."""
    import torch

    from aecore.models import VariationalAutoEncoder
    from aecore.models import to_tree as tree_of
    from aecore.training import fit

    again = max(1, round(SHARE / (1 - SHARE) * len(data.healthy) / len(data.rare)))
    x = torch.from_numpy(np.concatenate([data.healthy, np.tile(data.rare, (again, 1))]))
    model = VariationalAutoEncoder(
        x.shape[1:], hidden=HIDDEN, latent_dim=LATENT, reconstruction="mse", activation="silu", beta=BETA, seed=seed
    )
    for report in fit(model, x, epochs=epochs, batch_size=BATCH, learning_rate=RATE, schedule="cosine", seed=seed):
        yield {
            "part": VAE_PART, "epoch": report.number, "epochs": epochs, "loss": report.losses["total"],
            "progress": report.number / epochs,
        }  # fmt: skip
    tree = tree_of(model)
    return Generator(encoder_of(tree), decoder_of(tree), data.rare)


VAE_PART = "VAE"


def classified(data: Data, added: Array, seed: int) -> Score:
    """Train a small classifier on healthy, rare and added windows, and judge it at unseen operating points."""
    import torch
    from torch import nn

    from aecore.training import fit

    class Classifier(nn.Module):
        def __init__(self, inputs: int) -> None:
            super().__init__()
            with torch.random.fork_rng():
                torch.manual_seed(seed)
                self.layers = nn.Sequential(nn.Linear(inputs, CLASSIFIER), nn.ReLU(), nn.Linear(CLASSIFIER, 1))

        def losses(self, batch: tuple[torch.Tensor, torch.Tensor]) -> dict[str, torch.Tensor]:
            x, y = batch
            return {"total": nn.functional.binary_cross_entropy_with_logits(self.layers(x)[:, 0], y)}

    faulty = np.concatenate([data.rare, added])
    x = torch.from_numpy(np.concatenate([data.healthy, faulty]))
    y = torch.cat([torch.zeros(len(data.healthy)), torch.ones(len(faulty))])
    model = Classifier(x.shape[1])
    for _ in fit(model, (x, y), epochs=CLASSIFIER_EPOCHS, batch_size=BATCH, learning_rate=CLASSIFIER_RATE, seed=seed):
        pass
    with torch.no_grad():
        alarms, hits = ((model.layers(torch.from_numpy(part))[:, 0] > 0).sum().item()
                        for part in (data.test_healthy, data.test_rare))  # fmt: skip
    return Score(hits / len(data.test_rare), hits / (hits + alarms) if hits + alarms else 0.0)


def compare(shortage: Shortage, count: int = AS_MANY) -> Iteration[Progress, None, dict[str, Any]]:
    """Train a VAE on a shortage, then a classifier by every method of augmentation; a job's task.

    Returns ``{generator, recall, precision}``, the last two by method.
    """
    yield {"part": "Simulating", "progress": 0.0}
    data = draw(shortage)
    task = train_generator(data, shortage.seed)
    while True:
        try:
            progress = next(task)
        except StopIteration as end:
            generator = end.value
            break
        yield progress | {"progress": 0.5 * progress["progress"]}
    scores = {}
    for n, method in enumerate(METHODS):
        yield {"part": f"Classifier: {method}", "progress": 0.5 + 0.5 * n / len(METHODS)}
        scores[method] = classified(data, synthetic(method, generator, count, shortage.seed), shortage.seed)
    return {
        "generator": generator_to_tree(generator),
        "recall": {method: score.recall for method, score in scores.items()},
        "precision": {method: score.precision for method, score in scores.items()},
    }


def ended(task: Iteration[Any, None, Any]) -> Any:
    """Run a task to its end and return its result."""
    while True:
        try:
            next(task)
        except StopIteration as end:
            return end.value


def pretrain() -> Iteration[Progress, None, None]:
    """Train the VAEs that ship, one for each fault and number of examples."""
    parts, unseen = [], {}
    for n, (fault, examples) in enumerate((f, e) for f in FAULTS for e in EXAMPLES):
        data = draw(Shortage(fault=fault, examples=examples))
        unseen[fault] = data.test_rare[:SHOWN].astype(np.float16)
        task = train_generator(data, 0)
        while True:
            try:
                progress = next(task)
            except StopIteration as end:
                tree = generator_to_tree(end.value)
                break
            yield {"progress": (n + progress["progress"]) / (len(FAULTS) * len(EXAMPLES)), "loss": progress["loss"]}
        parts.append({"fault": fault, "examples": examples, "generator": tree})
    store.write(asset("generation"), {"generators": parts, "unseen": unseen})


__all__ = ["Shipped", "classified", "compare", "ended", "generator_from_tree", "pretrain", "train_generator"]
