"""What a classifier gains from ever more synthetic examples of a fault that was seen twenty times.

    python -m tests.benchmarks.applications_generation_counts [SEED ...]

Adds its table to those of `tests.benchmarks.applications_generation`, so after it; with seeds it only prints rows.
"""

import functools
import json
import sys

from aecore.concepts.applications import comparisons, generation
from aecore.concepts.applications.generation import (
    AS_MANY,
    FAULTS,
    METHODS,
    Shortage,
    score_classifier,
    train_generator,
)
from aecore.numerics.progress import finish

SCRIPT = "tests/benchmarks/applications_generation_counts.py"
SEEDS = (1, 2, 3, 4, 5)
FAULT, EXAMPLES = FAULTS[0], 20
ROW = f"{FAULT}, {EXAMPLES} examples"  # of the other tables, on the same draws
COUNTS = {f"{count} synthetic": count for count in (50, 200, AS_MANY, 2_000)}


@functools.cache
def made(seed: int) -> tuple[generation.ShortageData, generation.FaultGenerator]:
    data = generation.draw_windows(Shortage(fault=FAULT, examples=EXAMPLES, seed=seed))
    return data, finish(train_generator(data, seed))


def recall(condition: str, seed: int) -> dict[str, float]:
    """Share of the test's faulty windows that each way's classifier finds."""
    data, generator = made(seed)
    count = COUNTS[condition]
    return {
        method: score_classifier(data, generation.synthesise(method, generator, count, seed), seed).recall
        for method in METHODS[1:]
    }  # fmt: skip


def main() -> None:
    if seeds := [int(text) for text in sys.argv[1:]]:
        print(json.dumps({condition: {seed: recall(condition, seed) for seed in seeds} for condition in COUNTS}))
        return
    table = comparisons.measure(
        f"recall, {FAULT}, {EXAMPLES} examples", list(COUNTS), recall, SEEDS, SCRIPT, decimals=2
    )  # fmt: skip
    comparisons.write("generation", comparisons.read("generation") | {"synthetic": table})


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)  # as a worker
    main()
