"""How much the detector's figures owe to the seed and to the files at hand.

    python -m tests.benchmarks.anomaly_robustness [--sets skab,nab,ucr] [--seeds 3]

For each seed the figure over all files; for each figure the 5 % and 95 % points over 2,000 draws of files with
replacement, and the worst and best with one file left out. Files and figures are those of ``anomaly_eval.py`` in the
shared folder beside the checkout.
"""

import argparse

import numpy as np

from aecore.anomaly import AnomalyDetector
from aecore.numerics.ranking import average_precision
from tests.benchmarks.anomaly import SHARED, evaluation

DRAWS = 2000
NAMES = {"skab": ("F1", "FAR %", "AUC-PR"), "nab": ("AUC-PR", "hit@k"), "ucr": ("AUC-PR", "accuracy")}


def of_file(shared, name, seed, train, test, labels):
    """Counts and scores of one file: what the figures over files are made of."""
    detector = AnomalyDetector(seed=seed).fit(train)
    scores = detector.decision_function(test)
    flags, truth = scores > detector.threshold_, labels == 1
    first, last = shared.segments(labels)[0]
    reach = max(100, last - first + 1)
    found = first - reach < int(np.argmax(scores)) < last + 1 + reach if name == "ucr" else None
    hit = shared.hit_at_k(labels, scores) if name == "nab" else float(bool(found))
    counts = [(truth & flags).sum(), (~truth & flags).sum(), (truth & ~flags).sum(), (~truth & ~flags).sum()]
    return [*counts, average_precision(labels, scores), hit]


def figures(name, rows):
    """Figures over files, from ``of_file``'s rows [F, 6]."""
    hits, false, missed, quiet = rows[:, :4].sum(0)
    ranked, found = rows[:, 4:].mean(0)
    if name == "skab":
        return np.array([hits / (hits + (false + missed) / 2), 100 * false / (false + quiet), ranked])
    return np.array([ranked, found])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", default="skab,nab,ucr")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    shared, rng = evaluation(), np.random.default_rng(0)
    for name in options.sets.split(","):
        files = [case[1:] for case in shared.cases(SHARED / "data" / "anomaly", name)]
        rows = np.array([[of_file(shared, name, seed, *case) for case in files] for seed in range(options.seeds)])
        over_seeds = np.array([figures(name, of_seed) for of_seed in rows])
        mean = rows.mean(0)  # [F, 6]
        draws = np.array([figures(name, mean[rng.integers(0, len(mean), len(mean))]) for _ in range(DRAWS)])
        without = np.array([figures(name, np.delete(mean, i, 0)) for i in range(len(mean))])
        for i, figure in enumerate(NAMES[name]):
            seeds = ", ".join(f"{value:.4g}" for value in over_seeds[:, i])
            low, high = np.quantile(draws[:, i], [0.05, 0.95])
            print(f"{name}  {figure:8s} seeds: {seeds}; files drawn anew: {low:.3g} to {high:.3g}; one left out: "
                  f"{without[:, i].min():.3g} to {without[:, i].max():.3g}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
