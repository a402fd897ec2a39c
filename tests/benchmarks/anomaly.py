"""What training adds: the detector, the same with its networks left at their PCA start, and a PCA over windows.

    python -m tests.benchmarks.anomaly [--sets skab,nab,ucr] [--seeds 1]

Figures are those of ``anomaly_eval.py`` in the shared folder beside the checkout, on its labelled signals; "untrained"
is the detector in everything but the training, so its window, code, score and threshold are chosen alike. Values a
second are those of the test rows of each file, rows times channels, over the CPU time of scoring them.
"""

import argparse
import importlib.util
import sys
import time
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from aecore.anomaly import AnomalyDetector, detector
from aecore.anomaly.network import TrainedNetworks, WindowNetwork, train
from aecore.numerics.pca import decompose
from aecore.numerics.threads import one_thread

SHARED = Path(__file__).parents[2].parent / "shared"
REPEATS = 5  # of a file's scoring
WINDOWS = {"skab": 20, "nab": 96, "ucr": 96}  # of the baseline
SHOWN = {
    "skab": ["f1", "far_percent", "auc_pr", "vus_pr"],
    "nab": ["auc_pr", "hit_at_k", "vus_pr"],
    "ucr": ["accuracy", "auc_pr", "vus_pr"],
}


def evaluation():
    path = SHARED / "bench" / "anomaly_eval.py"
    if not path.is_file():
        sys.exit(f"{path} is not there; the labelled signals and their evaluation lie beside the checkout.")
    spec = importlib.util.spec_from_file_location("anomaly_eval", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def untrained(windows, members, recipe, *, seed, first=None):
    networks = WindowNetwork(windows.shape[1], latent_dim=recipe.latent_dim, hidden=recipe.hidden, copies=len(members))
    networks.start([decompose(windows[rows]) for rows in members], seed=seed)
    yield TrainedNetworks(0, float("nan"), networks)


class Untrained(AnomalyDetector):
    def fitting(self, normal):
        detector.train = untrained
        try:
            yield from super().fitting(normal)
        finally:
            detector.train = train


def cpu_seconds(score, rows):
    started = time.process_time()
    score(rows)
    return time.process_time() - started


def scoring_speed(shared, name):
    """Median over files of values a CPU second, and, for comparison, of values in windows a second."""
    rates = []
    for _, train_rows, test, _ in shared.cases(SHARED / "data" / "anomaly", name):
        fitted = AnomalyDetector().fit(train_rows)
        with one_thread(openmp=True):
            seconds = np.median([cpu_seconds(fitted.decision_function, test) for _ in range(REPEATS)])
        windows = sliding_window_view(test, fitted.window_, axis=0)
        rates.append((test.size / seconds, windows.size / seconds))
    return np.median(rates, axis=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", default="skab,nab,ucr")
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    shared = evaluation()
    for name in options.sets.split(","):
        makers = {f"detector, seed {i}": lambda _, i=i: AnomalyDetector(seed=i) for i in range(options.seeds)}
        makers |= {"untrained": lambda _: Untrained(), "PCA window": lambda n: shared.PCAWindow(WINDOWS[n])}
        for who, make in makers.items():
            report = shared.evaluate(make, SHARED / "data" / "anomaly", name)
            figures = "  ".join(f"{key} {report[key]:.3f}" for key in SHOWN[name])
            print(
                f"{name}  {who:17s} {figures}  seconds a file: mean {report['seconds_per_file']:.2f}, "
                f"worst {report['slowest_file_seconds']:.2f}", flush=True,
            )  # fmt: skip
        values, in_windows = scoring_speed(shared, name)
        print(f"{name}  scoring: {values / 1e6:.2f} million values a CPU second ({in_windows / 1e6:.0f} in windows)")


if __name__ == "__main__":
    main()
