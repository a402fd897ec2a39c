"""The detector beside PyOD's AutoEncoder, on the same windows of the same signals, in one run: speed and quality.

    python -m tests.benchmarks.anomaly_pyod [--sets skab,nab,ucr] [--files 0] [--repeats 5]

Both get the window that the detector has chosen. PyOD's AutoEncoder runs as it comes (but for its printing); its score
of a window counts for the rows that the window covers, as their mean, and its threshold is its own. Quality figures are
those of ``anomaly_eval.py`` in the shared folder beside the checkout. Speed: values a second of the test rows, rows
times channels, from raw rows to scores for the detector and from ready-made windows to scores for PyOD, which are
timed in turn in CPU time, one thread each; medians over files of the medians over repeats.
"""

import argparse
import itertools
import sys
import types
from pathlib import Path

import numpy as np
import torch

from aecore.anomaly import AnomalyDetector
from aecore.anomaly.windows import mean_over_covering, sliding
from aecore.numerics.threads import one_thread
from tests.benchmarks.anomaly import SHARED, SHOWN, cpu_seconds, evaluation

try:
    from pyod.models.auto_encoder import AutoEncoder
except ImportError:
    sys.exit("PyOD is not installed; pip install --no-deps pyod into an environment that has the project's packages.")


class Peer:
    """PyOD's AutoEncoder over sliding windows, with the window and the scaling that the detector chose."""

    def fit(self, train, ours=None, **settings):
        ours = ours or AnomalyDetector().fit(train)
        self.window, self.scaling, self.channels = ours.window_, ours.scaling_, train.shape[1]
        self.model = AutoEncoder(verbose=0, device=torch.device("cpu"), **settings).fit(self.windows(train))
        self.threshold_ = self.model.threshold_
        return self

    def windows(self, rows):
        return sliding(self.scaling.apply(rows.astype(np.float64)), self.window)

    def decision_function(self, rows):
        return mean_over_covering(self.model.decision_function(self.windows(rows)), len(rows), self.window)

    def predict(self, rows):
        return (self.decision_function(rows) > self.threshold_).astype(int)


def speed(cases, repeats):
    """Values a second, ours and PyOD's, and how many times faster: medians over files."""
    out = []
    for _, train, test, _ in cases:
        ours = AnomalyDetector().fit(train)
        peer = Peer().fit(train, ours, epoch_num=1)  # how long it has trained does not change how fast it scores
        windows = peer.windows(test)
        with one_thread(openmp=True):
            both = [
                (cpu_seconds(ours.decision_function, test), cpu_seconds(peer.model.decision_function, windows))
                for _ in range(repeats)
            ]
        mine, theirs = np.median(both, axis=0)
        out.append((test.size / mine, test.size / theirs, theirs / mine))
    return np.median(out, axis=0), np.min(out, axis=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", default="skab,nab,ucr")
    parser.add_argument("--files", type=int, default=0, help="the first so many of each set; 0 for all")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--speed-only", action="store_true")
    options = parser.parse_args()
    shared = evaluation()
    everything = shared.cases
    shared.cases = lambda folder, name: itertools.islice(everything(folder, name), options.files or None)
    folder = Path(SHARED / "data" / "anomaly")
    for name in options.sets.split(","):
        makers = {} if options.speed_only else {"detector": AnomalyDetector, "PyOD AutoEncoder": Peer}
        for who, make in makers.items():
            report = types.SimpleNamespace(**shared.evaluate(lambda _, make=make: make(), folder, name))
            figures = "  ".join(f"{key} {getattr(report, key):.3f}" for key in SHOWN[name])
            print(f"{name}  {who:17s} {figures}", flush=True)
        (ours, theirs, ratio), (slowest, _, least) = speed(shared.cases(folder, name), options.repeats)
        print(f"{name}  scoring, million values a CPU second: {ours / 1e6:.2f} (slowest file {slowest / 1e6:.2f}), "
              f"PyOD {theirs / 1e6:.3f}; {ratio:.1f} times PyOD's, at least {least:.1f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
