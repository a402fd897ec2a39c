"""How the baselines of the generation section are tuned: as the VAE was, on validation draws that no table rests on.

    python -m tests.benchmarks.applications_generation_tuning [SEED ...]

Neighbours of SMOTE and amperes of jitter, by the F1 of a classifier (harmonic mean of recall and precision) over both
faults and seeds that the tables do not use; operating points lie where the ones to learn from do.
"""

import sys

import numpy as np

from aecore.concepts.applications import generation
from aecore.concepts.applications.generation import AS_MANY, FAULTS, ClassifierScore, Shortage, score_classifier

SEEDS = (101, 102, 103)
EXAMPLES = 20
NEIGHBOURS, AMPERES = (1, 3, 5, 10), (3.0, 9.0, 30.0, 60.0, 90.0)


def f1(score: ClassifierScore) -> float:
    """Harmonic mean of recall and precision."""
    both = score.recall + score.precision
    return 2 * score.recall * score.precision / both if both else 0.0


def tried(ways: dict[str, generation.Array], data: generation.ShortageData, seed: int) -> dict[str, float]:
    return {name: f1(score_classifier(data, made, seed)) for name, made in ways.items()}


def main() -> None:
    found: dict[str, list[float]] = {}
    for fault in FAULTS:
        for seed in map(int, sys.argv[1:] or SEEDS):
            data = generation.draw_windows(Shortage(fault=fault, examples=EXAMPLES, seed=seed), tested=None)
            ways = {
                f"SMOTE, {k} neighbours": generation.smote(data.rare, AS_MANY, np.random.default_rng(seed), k)
                for k in NEIGHBOURS
            } | {
                f"jitter, {a:g} A": generation.jitter(data.rare, AS_MANY, np.random.default_rng(seed), a)
                for a in AMPERES
            }
            for name, value in tried(ways, data, seed).items():
                found.setdefault(name, []).append(value)
    for name, values in found.items():
        print(f"{name:22s} F1 {np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}", flush=True)


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)  # as a worker
    main()
