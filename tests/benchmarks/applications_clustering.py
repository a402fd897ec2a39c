"""Drives sorted by k-means on codes, on PCA scores and as they are, against the modes that nobody told.

    python -m tests.benchmarks.applications_clustering        writes assets/tables/applications_clustering.json

Every seed draws its own drives to learn from and its own weights, and is tested on four drives that are 10 and 15 %
slower and faster than any it has learnt from. Adjusted Rand index with as many clusters as modes, mean over the drives.
The number of principal components is tuned on the validation drives of each seed.
"""

import functools

import numpy as np

from aecore.concepts.applications import clustering as core
from aecore.concepts.applications import measured
from aecore.concepts.applications.clustering import training
from aecore.concepts.applications.clustering.k_means import adjusted_rand, k_means
from aecore.data.simulators.drive_cycles import NAMES

SCRIPT = "tests/benchmarks/applications_clustering.py"
SEEDS = (0, 1, 2, 3, 4)
MEAN = "Mean speed alone"


@functools.cache
def coder(length: int, seed: int, epochs: int = training.EPOCHS, drives: int = training.DRIVES) -> core.Coder:
    making = training.train(length, epochs=epochs, seed=seed, drives=drives)
    while True:
        try:
            next(making)
        except StopIteration as end:
            return core.Coder.from_tree(end.value)


def agreement(length: int, seed: int, coder: core.Coder) -> dict[str, float]:
    """Mean adjusted Rand index of every contestant over the test drives of a seed."""
    of: dict[str, list[float]] = {}
    for n in range(len(core.FASTER)):
        windows = core.cut(core.unseen(1000 + len(core.FASTER) * seed + n, stretches=16), length)
        said = core.agreement(core.sorted_into(coder, windows, len(NAMES), seed=seed), windows)
        alone = k_means(np.log1p(windows.speed.mean(1, keepdims=True)), len(NAMES), seed=seed)
        for name, value in (said | {MEAN: adjusted_rand(alone.labels, windows.modes)}).items():
            of.setdefault(name, []).append(value)
    return {name: float(np.mean(values)) for name, values in of.items()}


def main() -> None:
    lengths = {f"windows of {length} s": length for length in core.LENGTHS}
    table = measured.measure(
        "Adjusted Rand index, 1 is perfect", list(lengths),
        lambda condition, seed: agreement(lengths[condition], seed, coder(lengths[condition], seed)), SEEDS, SCRIPT,
        decimals=2,
    )  # fmt: skip
    measured.write("clustering", {"agreement": table})
    for condition, mean, spread in zip(table.conditions, table.mean, table.spread, strict=True):
        cells = zip(table.contestants, mean, spread, strict=True)
        print(f"  {condition:24s}", *(f"{n} {m:.2f} ± {s:.2f};" for n, m, s in cells))


if __name__ == "__main__":
    main()
