"""Signals generated on request, measured as an engineer would: against the nearest recordings, and against real ones.

    python -m tests.benchmarks.applications_conditional

Each seed draws its own recordings, trains its own model and asks at operating points that none of them has.
"""

import functools

import numpy as np

from aecore.concepts.applications import comparisons, conditional
from aecore.concepts.applications.conditional import (
    CVAE,
    MIXED,
    NEAREST,
    ConditionalGenerator,
    ConditionalTraining,
    WantedSignal,
    draw_recordings,
    draw_wanted,
    find_nearest,
    simulate_noisy,
    train,
    train_classifier,
)
from aecore.data.simulators.drive_windows import CONDITIONS
from aecore.numerics.progress import finish

SCRIPT = "tests/benchmarks/applications_conditional.py"
SEEDS = (1, 2, 3, 4, 5)
REAL = "simulated, with noise"
DRAWS = 6  # signals at every operating point


@functools.cache
def model(seed: int) -> ConditionalGenerator:
    return conditional.model_from_tree(finish(train(ConditionalTraining(seed=seed))))


@functools.cache
def judge(seed: int) -> conditional.DenseNetwork:
    return train_classifier(seed)


@functools.cache
def signals(condition: str, seed: int) -> list[tuple[WantedSignal, dict[str, conditional.Array]]]:
    """At every operating point, what each contestant offers, [N, 3, 64] in A."""
    recorded, made = draw_recordings(seed), []
    for n, wanted in enumerate(draw_wanted(condition, seed)):  # type: ignore[arg-type]
        near = find_nearest(recorded, wanted)
        generated = model(seed).generate(wanted, conditional.draw_codes(DRAWS, n))
        offers = {CVAE: generated, NEAREST: near[:1], MIXED: near.mean(0)[None], REAL: simulate_noisy(wanted, DRAWS, n)}
        made.append((wanted, offers))
    return made


@functools.cache
def found(condition: str, seed: int) -> dict[str, conditional.Fidelity]:
    """Mean fidelity of every contestant."""
    of = [
        {name: conditional.measure_fidelity(w, x) for name, x in offers.items()}
        for w, offers in signals(condition, seed)
    ]
    return {name: conditional.Fidelity(*np.mean([f[name] for f in of], 0)) for name in of[0]}


def within(condition: str, seed: int) -> dict[str, float]:
    return {name: 100 * fidelity.within for name, fidelity in found(condition, seed).items()}


def trace(condition: str, seed: int) -> dict[str, float]:
    return {name: fidelity.trace for name, fidelity in found(condition, seed).items()}


def agreement(condition: str, seed: int) -> dict[str, float]:
    """Share that a classifier of real windows names as what was asked for, %."""
    kind, offered = CONDITIONS.index(condition), signals(condition, seed)  # type: ignore[arg-type]
    names = offered[0][1]
    return {
        name: 100 * float(np.mean([(conditional.classify(judge(seed), x[name]) == kind).mean() for _, x in offered]))
        for name in names
    }


def tables() -> dict[str, comparisons.ComparisonTable]:
    rows = list(CONDITIONS)
    what = "within 1 % of the frequency and 5 % of the amplitude, %"
    return {
        "within": comparisons.measure(what, rows, within, SEEDS, SCRIPT, decimals=0),
        "trace": comparisons.measure(
            "fault's trace off the range, A", rows, trace, SEEDS, SCRIPT, decimals=2, best="low"
        ),
        "agreement": comparisons.measure("named as asked for, %", rows, agreement, SEEDS, SCRIPT, decimals=0),
    }


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)  # as a worker
    comparisons.write("conditional", tables())
