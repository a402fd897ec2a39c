"""What lies half-way between two measurements: networks walked through and a cross-fade against the simulator.

    python -m tests.benchmarks.applications_interpolation

Every middle lies where no training datum is; each seed draws its own data, trains both networks and judges 40 pairs.
"""

import functools

from aecore.concepts.applications import comparisons
from aecore.concepts.applications.interpolation import (
    InterpolationTraining,
    Kind,
    Networks,
    draw_pairs,
    middle_errors,
    networks_from_tree,
    train,
)
from aecore.numerics.progress import finish

SCRIPT = "tests/benchmarks/applications_interpolation.py"
SEEDS = (1, 2, 3, 4, 5)
WHAT = "error half-way, % of the truth's rms"
ROWS: dict[str, tuple[Kind, float, bool]] = {
    "currents, 400 rpm apart": ("currents", 400.0, False),
    "currents, 800 rpm apart": ("currents", 800.0, False),
    "currents, 1,600 rpm apart": ("currents", 1_600.0, False),
    "shapes, 3 pixels in size": ("shapes", 3.0, False),
    "shapes, turned by 30°": ("shapes", 30.0, True),
    "shapes, turned by 60°": ("shapes", 60.0, True),
}


@functools.cache
def networks(kind: Kind, seed: int, epochs: int | None = None) -> Networks:
    return networks_from_tree(finish(train(InterpolationTraining(kind=kind, seed=seed, epochs=epochs))))


def row(condition: str, seed: int, epochs: int | None = None) -> dict[str, float]:
    kind, gap, turned = ROWS[condition]
    return middle_errors(networks(kind, seed, epochs), draw_pairs(kind, gap, 10_000 * seed, turned=turned))


def tables() -> dict[str, comparisons.ComparisonTable]:
    return {"middle": comparisons.measure(WHAT, list(ROWS), row, SEEDS, SCRIPT, best="low")}


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)  # as a worker
    comparisons.write("interpolation", tables())
