"""Drives sorted by k-means on codes, on PCA scores and as they are, against the modes that nobody told.

    python -m tests.benchmarks.applications_clustering        writes assets/tables/applications_clustering.json

Every seed draws its own drives to learn from and its own weights, and is tested on four drives that are 10 and 15 %
slower and faster than any it has learnt from. Adjusted Rand index with as many clusters as modes, mean over the drives.
The number of principal components is tuned on the validation drives of each seed.
"""

import functools

import numpy as np

from aecore.concepts.applications import clustering as core
from aecore.concepts.applications import comparisons
from aecore.concepts.applications.k_means import adjusted_rand, k_means
from aecore.data.simulators.drive_cycles import NAMES
from aecore.numerics.progress import finish

SCRIPT = "tests/benchmarks/applications_clustering.py"
SEEDS = (0, 1, 2, 3, 4)
MEAN = "Mean speed alone"


@functools.cache
def coder(length: int, seed: int, epochs: int = core.EPOCHS, drives: int = core.DRIVES) -> core.Coder:
    return core.Coder.from_tree(finish(core.train(length, epochs=epochs, seed=seed, drives=drives)))


def agreement(length: int, seed: int, coder: core.Coder) -> dict[str, float]:
    """Mean adjusted Rand index of every contestant over the test drives of a seed."""
    of: dict[str, list[float]] = {}
    for n in range(len(core.TEST_FASTER)):
        windows = core.cut_windows(core.simulate_unseen(1000 + len(core.TEST_FASTER) * seed + n, stretches=16), length)
        said = core.measure_agreement(core.cluster_windows(coder, windows, len(NAMES), seed=seed), windows)
        alone = k_means(np.log1p(windows.speed.mean(1, keepdims=True)), len(NAMES), seed=seed)
        for name, value in (said | {MEAN: adjusted_rand(alone.labels, windows.modes)}).items():
            of.setdefault(name, []).append(value)
    return {name: float(np.mean(values)) for name, values in of.items()}


def main() -> None:
    lengths = {f"windows of {length} s": length for length in core.LENGTHS}
    table = comparisons.measure(
        "Adjusted Rand index, 1 is perfect", list(lengths),
        lambda condition, seed: agreement(lengths[condition], seed, coder(lengths[condition], seed)), SEEDS, SCRIPT,
        decimals=2,
    )  # fmt: skip
    comparisons.write("clustering", {"agreement": table})
    for condition, mean, spread in zip(table.conditions, table.mean, table.spread, strict=True):
        cells = zip(table.contestants, mean, spread, strict=True)
        print(f"  {condition:24s}", *(f"{n} {m:.2f} ± {s:.2f};" for n, m, s in cells))


if __name__ == "__main__":
    main()
