"""A detector that knows healthy machines only, beside PCA and an RMS/kurtosis alarm, fault by fault.

    python -m tests.benchmarks.applications_anomaly        writes assets/tables/applications_anomaly.json

Every seed draws its own healthy machines to learn from, its own validation faults to tune on and its own tests: six
recordings a fault, of severity 0.1 to 0.6, at speeds and loads where nothing has learnt or was tuned. The area under
the ROC is over the rows of a recording, healthy before the onset and faulty after; a fault counts as found where an
alarm rings after the onset and none rang at it; the delay is of those found.
"""

import functools

import numpy as np

from aecore.concepts.applications import anomaly as core
from aecore.concepts.applications import comparisons
from aecore.numerics.progress import finish
from aecore.numerics.ranking import roc_auc

SCRIPT = "tests/benchmarks/applications_anomaly.py"
SEEDS = (0, 1, 2, 3, 4)
RECORDINGS = 6
NAMES = {
    "open_switch": "open switch", "offset": "sensor offset", "gain": "sensor gain", "inter_turn": "inter-turn short",
    "outer": "spall, outer race", "inner": "spall, inner race", "ball": "spall, ball",
}  # fmt: skip


@functools.cache
def judges(machine: str, seed: int, points: int = core.POINTS) -> dict[str, core.Monitor]:
    return core.monitors_from_tree(finish(core.train(machine, points, seed=seed)))


def judged(machine: str, fault: str, seed: int, judges: core.Monitors) -> dict[str, dict[str, float]]:
    """Area, share found (%) and delay (ms) of every contestant over fresh recordings of one fault."""
    rng = np.random.default_rng((seed, 99))
    areas: dict[str, list[float]] = {name: [] for name in judges}
    delays: dict[str, list[float]] = {name: [] for name in judges}
    for _ in range(RECORDINGS):
        made = core.simulate_scene(core.draw_scene(machine, rng, fault, unseen=True))
        for name, judge in judges.items():
            scores = judge(made.values)
            areas[name].append(roc_auc(made.labels, scores))
            delays[name].append(1e3 * core.delay(scores, made.labels, core.sample_rate(machine)))
    found = {name: float(np.isfinite(of).mean() * 100) for name, of in delays.items()}
    late = {n: float(np.nanmean(of)) if np.isfinite(of).any() else float("nan") for n, of in delays.items()}
    return {"auc": {name: float(np.mean(of)) for name, of in areas.items()}, "found": found, "delay": late}


def main() -> None:
    conditions = {NAMES[fault]: (machine, fault) for machine, faults in core.FAULTS.items() for fault in faults}

    @functools.cache
    def of(condition: str, seed: int) -> dict[str, dict[str, float]]:
        machine, fault = conditions[condition]
        return judged(machine, fault, seed, judges(machine, seed))

    def table(key: str, what: str, **kind) -> comparisons.ComparisonTable:
        return comparisons.measure(what, list(conditions), lambda c, s: of(c, s)[key], SEEDS, SCRIPT, **kind)

    tables = {
        "auc": table("auc", "Area under the ROC", decimals=3),
        "found": table("found", "Faults found, %", decimals=0),
        "delay": table("delay", "Delay of those found, ms", best="low"),
    }
    comparisons.write("anomaly", tables)
    for made in tables.values():
        print(made.what)
        for condition, mean, spread in zip(made.conditions, made.mean, made.spread, strict=True):
            cells = zip(made.contestants, mean, spread, strict=True)
            print(f"  {condition:24s}", *(f"{n} {m:.3f} ± {s:.3f};" for n, m, s in cells))


if __name__ == "__main__":
    main()
