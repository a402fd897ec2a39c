"""What lies half-way between two measurements: networks walked through and a cross-fade against the simulator.

    python -m tests.benchmarks.applications_interpolation

Every middle lies where no training datum is; each seed draws its own data, trains both networks and judges 40 pairs.
"""

import functools

from aecore.concepts.applications import measured
from aecore.concepts.applications.interpolation import Kind, Networks, from_tree
from aecore.concepts.applications.interpolation.training import Training, ended, middle_errors, pairs, train

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
    return from_tree(ended(train(Training(kind=kind, seed=seed, epochs=epochs))))


def row(condition: str, seed: int, epochs: int | None = None) -> dict[str, float]:
    kind, gap, turned = ROWS[condition]
    return middle_errors(networks(kind, seed, epochs), pairs(kind, gap, 10_000 * seed, turned=turned))


def tables() -> dict[str, measured.Table]:
    return {"middle": measured.measure(WHAT, list(ROWS), row, SEEDS, SCRIPT, best="low")}


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)  # as a worker
    measured.write("interpolation", tables())
