"""How the anomaly section's judges come about: from healthy machines, and tuned on faults that no test shows."""

from collections.abc import Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aecore import store
from aecore.concepts.applications import asset
from aecore.concepts.applications.anomaly import (
    ALARM,
    AUTOENCODER,
    FAULTS,
    LOADS,
    MACHINES,
    NOISES,
    PASSES,
    PCA,
    SPEEDS,
    TEST_LOADS,
    TEST_SPEEDS,
    Alarm,
    Judge,
    Machine,
    Rebuilder,
    Scene,
    averaged,
    features,
    judges_to_tree,
    recording,
    roc,
    sample_rate,
)
from aecore.data.simulators.recording import Recording
from aecore.numerics.pca import Principal

Array = NDArray[np.floating[Any]]
Progress = dict[str, Any]

POINTS, POINT_SECONDS = 12, 0.25  # healthy operating points that are learnt from, and how long each is seen
CHECKED = 4  # operating points of healthy validation, which set the alarm level
DETECTOR: dict[str, dict[str, int]] = {
    "inverter": {"window": 8, "latent_dim": 6},
    "bearing": {"window": 20, "latent_dim": 12},
}  # by validation faults
SEVERITIES = (0.1, 0.6)  # of validation and test faults: beyond, nothing is hard
MEMORIES = (1, 20, 100, 400)  # rows that a score may average over
ALARM_WINDOWS = (100, 400, 1200)
ALARM_USES: tuple[tuple[str, ...], ...] = (("rms",), ("kurtosis",), ("rms", "kurtosis"))


def drawn(machine: Machine, rng: np.random.Generator, fault: str = "none", *, unseen: bool = False) -> Scene:
    """Draw a scene; ``unseen`` ones lie in the gap of speeds and loads that nothing learns from."""

    def of(wide: tuple[float, float], hole: tuple[float, float]) -> float:
        if unseen:
            return float(rng.uniform(*hole))
        value = rng.uniform(wide[0], wide[1] - (hole[1] - hole[0]))
        return float(value if value < hole[0] else value + hole[1] - hole[0])

    return Scene(
        machine=machine, fault=fault, severity=float(rng.uniform(*SEVERITIES)),
        speed_rpm=of(SPEEDS[machine], TEST_SPEEDS[machine]), load=of(LOADS, TEST_LOADS),
        noise=float(rng.uniform(*NOISES[machine])), seed=int(rng.integers(1 << 30)),
    )  # fmt: skip


def healthy(machine: Machine, seed: int, points: int = POINTS) -> Array:
    """Rows [T, C] of a healthy machine at as many operating points, one after the other."""
    rng = np.random.default_rng((seed, 0))
    return np.concatenate([
        recording(drawn(machine, rng), seconds=POINT_SECONDS, onset=0.0).values for _ in range(points)
    ])  # fmt: skip


# ---------------------------------------------------------------------- a job
def train(machine: Machine, points: int = POINTS, *, seed: int = 0) -> Generator[Progress, None, dict[str, Any]]:
    """Fit the detector to healthy rows, and tune all contestants; a job's task. Returns the tree of the judges."""
    from aecore.anomaly.detector import FOLDS, AnomalyDetector

    yield {"part": "Drawing healthy machines", "progress": 0.0}
    rows = healthy(machine, seed, points)
    detector = AnomalyDetector(sample_rate=sample_rate(machine), seed=seed, **DETECTOR[machine])
    for step in detector.fitting(rows):
        part = f"Calibrating, part {step.part} of {FOLDS}" if step.part else "Training the detector"
        yield {"part": part, "epoch": step.epoch, "epochs": step.epochs, "loss": step.loss,
               "progress": 0.7 * step.progress}  # fmt: skip
    yield {"part": "Tuning all three", "progress": 0.75}
    rng = np.random.default_rng((seed, 1))
    quiet = [recording(drawn(machine, rng), onset=0.0) for _ in range(CHECKED)]
    faulty = [recording(drawn(machine, rng, fault)) for fault in FAULTS[machine] for _ in range(2)]
    network = rebuilder(detector.to_tree(), rows)
    families: dict[str, list[Rebuilder | Alarm]] = {
        AUTOENCODER: [network], PCA: [principal(network, rows)], ALARM: alarms(rows.reshape(points, -1, rows.shape[1])),
    }  # fmt: skip
    judges = {}
    for i, (name, tried) in enumerate(families.items()):
        judges[name] = tuned(tried, quiet, faulty)
        yield {"part": "Tuning all three", "progress": 0.8 + 0.2 * (i + 1) / len(families)}
    return judges_to_tree(judges)


def rebuilder(tree: dict[str, Any], rows: Array) -> Rebuilder:
    """Read the linear network of a fitted detector's tree; its usual error is read off the rows."""
    weights, window = tree["model"]["weights"], int(tree["choices"]["window"][0])
    raw = {name.rpartition(".")[2]: np.asarray(array, np.float32) for name, array in weights.items()}
    made = Rebuilder(
        np.asarray(tree["mean"], np.float64), np.asarray(tree["scale"], np.float64), window,
        raw["mean"][0], raw["into"], raw["out"], raw["level"][0], np.ones(rows.shape[1]),
    )  # fmt: skip
    return with_usual(made, rows)


def principal(like: Rebuilder, rows: Array) -> Rebuilder:
    """PCA with as many components, on the same windows."""
    x = ((rows - like.mean) / like.scale).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(x, like.window, axis=0)[::7].transpose(0, 2, 1)
    flat = windows.reshape(len(windows), -1)
    centre, components = Principal.fit(flat, like.encode.shape[1])
    made = like._replace(centre=centre, encode=components.T.copy(), decode=components, level=centre)
    return with_usual(made, rows)


def with_usual(made: Rebuilder, rows: Array) -> Rebuilder:
    """Set the usual error of every channel to that of these healthy rows."""
    return made._replace(usual=np.maximum(made.errors(rows).mean(0), 1e-9))


def alarms(points: Array) -> list[Rebuilder | Alarm]:
    """Alarms on every window and choice of features, with their spreads within healthy points [P, T, C]."""
    made: list[Rebuilder | Alarm] = []
    for window in ALARM_WINDOWS:
        for uses in ALARM_USES:
            spreads = [features(one, window, uses)[window:].std(0) for one in points]
            made.append(Alarm(window, uses, np.maximum(np.mean(spreads, axis=0), 1e-9)))
    return made


def tuned(tried: list[Rebuilder | Alarm], quiet: list[Recording], faulty: list[Recording]) -> Judge:
    """Choose the score and memory with the largest mean area under the ROC on faults, and set its alarm level."""
    best: tuple[float, Judge] | None = None
    for score in tried:
        on_faulty, on_quiet = ([score(one.values) for one in group] for group in (faulty, quiet))
        for rows in MEMORIES:
            calm = np.concatenate([averaged(s, rows)[max(MEMORIES) :] for s in on_quiet])
            level = float(np.quantile(calm, 1 - PASSES))
            areas = [roc(np.concatenate([averaged(s, rows), calm[::5]]),
                         np.concatenate([one.labels, np.zeros(len(calm[::5]), np.int8)])).auc
                     for s, one in zip(on_faulty, faulty, strict=True)]  # fmt: skip
            if best is None or np.mean(areas) > best[0]:
                best = float(np.mean(areas)), Judge(score, rows, level)
    assert best is not None
    return best[1]


# ---------------------------------------------------------------------- what ships
def pretrain() -> Generator[Progress, None, None]:
    """Train and tune for both machines, and write the file that ships."""
    trees = {}
    for i, machine in enumerate(MACHINES):
        making = train(machine)
        while True:
            try:
                progress = next(making)
            except StopIteration as end:
                trees[machine] = end.value
                break
            yield {"progress": (i + progress["progress"]) / len(MACHINES), "loss": progress.get("loss", 0.0)}
    store.write(asset("anomaly"), trees)
