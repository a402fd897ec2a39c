"""What a classifier gains from synthetic examples of a rare fault, by way of making them; and whether they are copies.

    python -m tests.benchmarks.applications_generation

Each seed simulates its own windows, trains its own VAE and classifiers, and tests at operating points none has seen.
"""

import functools

import numpy as np

from aecore.concepts.applications import comparisons, generation
from aecore.concepts.applications.generation import (
    AS_MANY,
    FAULTS,
    JITTER,
    METHODS,
    REPEAT,
    SMOTE,
    VAE,
    RareFault,
    Shortage,
    score_classifier,
    train_generator,
)
from aecore.numerics.progress import finish

SCRIPT = "tests/benchmarks/applications_generation.py"
SEEDS = (1, 2, 3, 4, 5)
ROWS: dict[str, tuple[RareFault, int]] = {f"{fault}, {n} examples": (fault, n) for fault in FAULTS for n in (5, 20, 50)}


@functools.cache
def made(condition: str, seed: int) -> tuple[generation.ShortageData, generation.FaultGenerator]:
    fault, examples = ROWS[condition]
    data = generation.draw_windows(Shortage(fault=fault, examples=examples, seed=seed))
    return data, finish(train_generator(data, seed))


@functools.cache
def scores(condition: str, seed: int) -> dict[str, tuple[float, float]]:
    data, generator = made(condition, seed)
    return {m: score_classifier(data, generation.synthesise(m, generator, AS_MANY, seed), seed) for m in METHODS}


def recall(condition: str, seed: int) -> dict[str, float]:
    return {method: score[0] for method, score in scores(condition, seed).items()}


def precision(condition: str, seed: int) -> dict[str, float]:
    return {method: score[1] for method, score in scores(condition, seed).items()}


def copies(condition: str, seed: int) -> dict[str, float]:
    """Median distance to the nearest example, as a share of what unseen real ones have."""
    data, generator = made(condition, seed)
    found = {}
    for method in (REPEAT, JITTER, SMOTE, VAE):
        x = generation.synthesise(method, generator, 200, seed)
        copy = generation.find_copies(x, generator.rare, data.test_rare)
        found[method] = float(np.median(copy.distance)) / copy.usual
    return found


def tables() -> dict[str, comparisons.ComparisonTable]:
    rows = list(ROWS)
    return {
        "recall": comparisons.measure("recall", rows, recall, SEEDS, SCRIPT, decimals=2),
        "precision": comparisons.measure("precision", rows, precision, SEEDS, SCRIPT, decimals=2),
        "copies": comparisons.measure(
            "distance to the nearest example, 1 as unseen real ones", rows, copies, SEEDS, SCRIPT, decimals=2, best=""
        ),
    }


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)  # as a worker
    comparisons.write("generation", tables())
