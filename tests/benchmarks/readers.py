"""How fast tables are read and long signals judged: ``python -m tests.benchmarks.readers`` from the project's root.

Every figure is the best of several tries, since other work on the machine slows a try down and nothing makes it faster.
"""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from aecore.anomaly.evaluation import vus_pr
from aecore.data import uploads
from tests import files


def best(action: Callable[[], object], tries: int = 5) -> float:
    """Return the seconds of the quickest of some calls; the first one, which imports libraries, does not count."""
    action()
    seconds = []
    for _ in range(tries):
        began = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def main() -> None:
    """Print the milliseconds of each reader for 20,000 rows of 4 channels, and of VUS-PR for 300,000 rows."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(20_000, 4))
    frame = pd.DataFrame(values, columns=list("abcd"))
    tables = {
        "a.parquet": files.parquet(frame), "a.npy": files.npy(values), "a.npz": files.npz(v=values),
        "a.mat": files.mat(v=values), "a.wav": files.audio("WAV", values / 10, subtype="FLOAT"),
    }  # fmt: skip
    for name, data in tables.items():
        print(f"{name:<12}{1e3 * best(lambda name=name, data=data: uploads.read(name, data)):>10.1f} ms")
    labels = np.zeros(300_000, int)
    labels[rng.integers(0, len(labels), 200)] = 1
    scores = rng.normal(size=len(labels))
    print(f"{'VUS-PR':<12}{1e3 * best(lambda: vus_pr(labels, scores), tries=2):>10.1f} ms")


if __name__ == "__main__":
    main()
