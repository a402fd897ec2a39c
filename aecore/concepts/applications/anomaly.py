"""Anomaly detection: a detector trained on healthy machines only, beside PCA and an RMS/kurtosis alarm.

All three become a score of every row, averaged over as many past rows as served each best on validation faults, in
multiples of the level that one row in a thousand of healthy validation passes. Each is zeroed on the first quarter of a
recording, which is healthy: what differs between operating points is no fault. The page needs no torch: for several
channels the detector's network is linear, so its score is matrix products. The detector is trained on healthy
machines; all three are tuned on validation faults that no test shows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from aecore.concepts.applications import Work, draw_outside, read_pretrained, train_each, write_pretrained
from aecore.data.simulators import bearing, powertrain
from aecore.data.simulators.recording import SimulatedRecording, one_of, within
from aecore.errors import StoreError
from aecore.numerics.pca import Principal
from aecore.numerics.ranking import roc_auc

Array = NDArray[np.floating[Any]]
Machine = Literal["inverter", "bearing"]
MACHINES: tuple[Machine, ...] = get_args(Machine)
FAULTS: dict[str, tuple[str, ...]] = {
    "inverter": ("open_switch", "offset", "gain", "inter_turn"),
    "bearing": ("outer", "inner", "ball"),
}
# Length of a recording and onset of its fault.
SECONDS, ONSET = 0.6, 0.3
# Speeds in rpm and loads of the training set, and the gap in each that only tests lie in.
SPEEDS = {"inverter": (1_000.0, 6_000.0), "bearing": (900.0, 2_400.0)}
TEST_SPEEDS = {"inverter": (2_800.0, 3_600.0), "bearing": (1_600.0, 1_900.0)}
LOADS, TEST_LOADS = (0.2, 1.0), (0.55, 0.7)
# Noise of the sensors in A and g, rms.
NOISES = {"inverter": (0.5, 4.0), "bearing": (0.02, 0.15)}
AUTOENCODER, PCA, ALARM = "Autoencoder", "PCA", "RMS/kurtosis alarm"
CONTESTANTS = (AUTOENCODER, PCA, ALARM)
# Share of healthy validation rows above the alarm level.
PASSES = 1e-3

# Healthy operating points of the training set, and how many seconds of each.
POINTS, POINT_SECONDS = 12, 0.25
# Operating points of healthy validation, which set the alarm level.
CHECKED = 4
# The detector's choices, made on validation faults.
DETECTOR: dict[str, dict[str, int]] = {
    "inverter": {"window": 8, "latent_dim": 6},
    "bearing": {"window": 20, "latent_dim": 12},
}
# Severities of validation and test faults: beyond, nothing is hard.
SEVERITIES = (0.1, 0.6)
# Rows that a score may average over.
MEMORIES = (1, 20, 100, 400)
ALARM_WINDOWS = (100, 400, 1200)
ALARM_USES: tuple[tuple[str, ...], ...] = (("rms",), ("kurtosis",), ("rms", "kurtosis"))


@dataclass(frozen=True, kw_only=True)
class FaultScene:
    """One machine with one fault: severity 0..1, speed in rpm, load as a share of the rated, noise rms in A or g."""

    machine: Machine = "inverter"
    fault: str = "open_switch"
    severity: float = 0.5
    speed_rpm: float = 3_200.0
    load: float = 0.6
    noise: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        one_of("machine", self.machine, MACHINES)
        one_of("fault", self.fault, ("none", *FAULTS[self.machine]))
        within("severity", self.severity, 0, 1)


def simulate_scene(scene: FaultScene, *, seconds: float = SECONDS, onset: float = ONSET) -> SimulatedRecording:
    """Simulate the machine, healthy until the onset."""
    fault: Any
    if scene.machine == "inverter":
        fault = powertrain.PowertrainFault(kind=scene.fault, severity=scene.severity, onset=onset)  # type: ignore[arg-type]
        drive = powertrain.InverterSettings(
            speed_rpm=scene.speed_rpm, load=scene.load, noise=scene.noise, seconds=seconds, seed=scene.seed
        )
        return powertrain.simulate(drive, fault)
    fault = bearing.BearingFault(kind=scene.fault, severity=scene.severity, onset=onset)  # type: ignore[arg-type]
    settings = bearing.BearingSettings(
        speed_rpm=scene.speed_rpm, load=scene.load, noise=scene.noise, seconds=seconds, seed=scene.seed
    )
    return bearing.simulate(settings, fault)


def sample_rate(machine: Machine) -> float:
    """Return the rows a second."""
    return 10e3 if machine == "inverter" else float(bearing.SAMPLE_RATE)


# ---------------------------------------------------------------------- scores
class Rebuilder(NamedTuple):
    """A linear network over windows, as the detector has it: error of every row, by channel and then in one.

    ``encode`` [D, K], ``decode`` [K, D], ``centre`` [D] and ``level`` [D] act on windows of standardised rows.
    """

    mean: Array  # [C] of the healthy rows
    scale: Array  # [C]
    window: int
    centre: Array
    encode: Array
    decode: Array
    level: Array
    usual: Array  # [C], mean error of healthy rows

    def __call__(self, values: Array) -> Array:
        """``[T, C] -> [T]``: error of the window that ends in each row, in multiples of the first quarter's."""
        errors = self.errors(values)
        score = np.sqrt(((errors / self.usual) ** 2).mean(1))
        score = np.concatenate([np.full(self.window - 1, score[0]), score])
        return np.asarray(score / np.median(score[: len(score) // 4]))

    def errors(self, values: Array) -> Array:
        """``[T, C] -> [T - window + 1, C]``: mean absolute error of every window, by channel."""
        x = ((values - self.mean) / self.scale).astype(np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(x, self.window, axis=0).transpose(0, 2, 1)
        flat = windows.reshape(len(windows), -1)  # (T - W + 1, W C), time-major
        rebuilt = (flat - self.centre) @ self.encode @ self.decode + self.level
        return np.abs(rebuilt - flat).reshape(len(flat), self.window, -1).mean(1)


class Alarm(NamedTuple):
    """A simple monitor: RMS and kurtosis of every channel over the last ``window`` rows."""

    window: int
    uses: tuple[str, ...]  # of "rms", "kurtosis"
    spread: Array  # [F, C] of a feature in healthy rows of one operating point

    def __call__(self, values: Array) -> Array:
        """``[T, C] -> [T]``: the farthest that any feature lies off its first quarter, in healthy deviations."""
        seen = measure_features(values, self.window, self.uses)  # (T, F, C)
        return np.asarray((np.abs(seen - np.median(seen[: len(seen) // 4], axis=0)) / self.spread).max((1, 2)))


def measure_features(values: Array, window: int, uses: tuple[str, ...]) -> Array:
    """Measure RMS and kurtosis, both of what varies, over the last ``window`` rows: [T, C] -> [T, F, C]."""
    x = np.asarray(values, np.float64) - values[: 4 * window].mean(0)
    moments = {power: trailing_mean(x**power, window) for power in (1, 2, 3, 4)}
    variance = np.maximum(moments[2] - moments[1] ** 2, 1e-12)
    made = []
    if "rms" in uses:
        made.append(np.sqrt(variance))
    if "kurtosis" in uses:
        m = moments[1]
        fourth = moments[4] - 4 * m * moments[3] + 6 * m**2 * moments[2] - 3 * m**4
        made.append(fourth / variance**2)
    stacked = np.stack(made, axis=1)
    first = min(window, len(stacked)) - 1
    stacked[:first] = stacked[first]  # before a window is full, it says nothing
    return stacked


def trailing_mean(x: Array, rows: int) -> Array:
    """Return the mean of the last ``rows`` rows, fewer at the beginning: [T, ...] -> [T, ...]."""
    total = np.cumsum(x, axis=0, dtype=np.float64)
    late = total.copy()
    late[rows:] -= total[:-rows]
    count = np.minimum(np.arange(1, len(x) + 1), rows).reshape(-1, *[1] * (x.ndim - 1))
    return np.asarray(late / count)


def average_past(score: Array, rows: int) -> Array:
    """Return the mean of the last ``rows`` rows of a score [T]; before so many are there, the first full mean."""
    means = trailing_mean(score, rows)
    first = min(rows, len(means)) - 1
    means[:first] = means[first]
    return means


class Monitor(NamedTuple):
    """A score, averaged over the last ``rows`` rows, in multiples of its alarm ``level``."""

    score: Rebuilder | Alarm
    rows: int
    level: float

    def __call__(self, values: Array) -> Array:
        """``[T, C] -> [T]``: above 1 is an alarm."""
        return average_past(self.score(values), self.rows) / self.level


Monitors = Mapping[str, Monitor]  # by contestant


# ---------------------------------------------------------------------- measures
def delay(scores: Array, labels: NDArray[Any], rate: float) -> float:
    """Return the seconds from the onset to the first alarm; NaN where there is none, or one was raised before."""
    onset = int(np.argmax(labels == 1))
    if scores[onset - 1] > 1:
        return float("nan")
    raised = np.flatnonzero(scores[onset:] > 1)
    return float(raised[0] / rate) if len(raised) else float("nan")


# ---------------------------------------------------------------------- what ships
def load_pretrained() -> dict[str, Monitors]:
    """Read the built-in monitors of both machines."""
    tree = read_pretrained("anomaly")
    return {machine: monitors_from_tree(tree[machine]) for machine in MACHINES}


def monitors_to_tree(monitors: Monitors) -> dict[str, Any]:
    """Plain values and arrays."""
    return {
        name: {"kind": type(monitor.score).__name__, "score": monitor.score._asdict(), "rows": monitor.rows,
               "level": monitor.level}
        for name, monitor in monitors.items()
    }  # fmt: skip


def monitors_from_tree(tree: dict[str, Any]) -> dict[str, Monitor]:
    """Read what `monitors_to_tree` wrote."""
    monitors = {}
    try:
        for name, entry in tree.items():
            if entry["kind"] == Rebuilder.__name__:
                score: Rebuilder | Alarm = Rebuilder(**entry["score"])
            else:
                score = Alarm(**entry["score"] | {"uses": tuple(entry["score"]["uses"])})
            monitors[name] = Monitor(score, int(entry["rows"]), float(entry["level"]))
    except (KeyError, TypeError) as error:
        raise StoreError("The detector's file is of another make; train it again.") from error
    return monitors


# ---------------------------------------------------------------------- training
def draw_scene(machine: Machine, rng: np.random.Generator, fault: str = "none", *, unseen: bool = False) -> FaultScene:
    """Draw a scene; ``unseen`` ones lie in the gap of speeds and loads that is outside the training set."""

    def of(wide: tuple[float, float], hole: tuple[float, float]) -> float:
        return float(rng.uniform(*hole)) if unseen else draw_outside(rng, wide, hole)

    return FaultScene(
        machine=machine, fault=fault, severity=float(rng.uniform(*SEVERITIES)),
        speed_rpm=of(SPEEDS[machine], TEST_SPEEDS[machine]), load=of(LOADS, TEST_LOADS),
        noise=float(rng.uniform(*NOISES[machine])), seed=int(rng.integers(1 << 30)),
    )  # fmt: skip


def draw_healthy(machine: Machine, seed: int, points: int = POINTS) -> Array:
    """Simulate rows [T, C] of a healthy machine at as many operating points, one after the other."""
    rng = np.random.default_rng((seed, 0))
    return np.concatenate([
        simulate_scene(draw_scene(machine, rng), seconds=POINT_SECONDS, onset=0.0).values for _ in range(points)
    ])  # fmt: skip


def train(machine: Machine, points: int = POINTS, *, seed: int = 0) -> Work[dict[str, Any]]:
    """Fit the detector to healthy rows and tune all contestants; a job's task. Returns the tree of the monitors."""
    from aecore.anomaly.detector import FOLDS, AnomalyDetector

    yield {"part": "Drawing healthy machines", "progress": 0.0}
    rows = draw_healthy(machine, seed, points)
    detector = AnomalyDetector(sample_rate=sample_rate(machine), seed=seed, **DETECTOR[machine])
    for step in detector.fitting(rows):
        part = f"Calibrating, part {step.part} of {FOLDS}" if step.part else "Training the detector"
        yield {"part": part, "epoch": step.epoch, "epochs": step.epochs, "loss": step.loss,
               "progress": 0.7 * step.progress}  # fmt: skip
    yield {"part": "Tuning all three", "progress": 0.75}
    rng = np.random.default_rng((seed, 1))
    quiet = [simulate_scene(draw_scene(machine, rng), onset=0.0) for _ in range(CHECKED)]
    faulty = [simulate_scene(draw_scene(machine, rng, fault)) for fault in FAULTS[machine] for _ in range(2)]
    network = read_rebuilder(detector.to_tree(), rows)
    families: dict[str, list[Rebuilder | Alarm]] = {
        AUTOENCODER: [network],
        PCA: [fit_pca(network, rows)],
        ALARM: fit_alarms(rows.reshape(points, -1, rows.shape[1])),
    }
    monitors = {}
    for i, (name, tried) in enumerate(families.items()):
        monitors[name] = tune_monitor(tried, quiet, faulty)
        yield {"part": "Tuning all three", "progress": 0.8 + 0.2 * (i + 1) / len(families)}
    return monitors_to_tree(monitors)


def read_rebuilder(tree: dict[str, Any], rows: Array) -> Rebuilder:
    """Read the linear network of a fitted detector's tree; its usual error is read off the rows."""
    weights, window = tree["model"]["weights"], int(tree["choices"]["window"][0])
    raw = {name.rpartition(".")[2]: np.asarray(array, np.float32) for name, array in weights.items()}
    made = Rebuilder(
        np.asarray(tree["mean"], np.float64), np.asarray(tree["scale"], np.float64), window,
        raw["mean"][0], raw["into"], raw["out"], raw["level"][0], np.ones(rows.shape[1]),
    )  # fmt: skip
    return set_usual_error(made, rows)


def fit_pca(like: Rebuilder, rows: Array) -> Rebuilder:
    """Fit PCA with as many components, on the same windows."""
    x = ((rows - like.mean) / like.scale).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(x, like.window, axis=0)[::7].transpose(0, 2, 1)
    flat = windows.reshape(len(windows), -1)
    centre, components = Principal.fit(flat, like.encode.shape[1])
    made = like._replace(centre=centre, encode=components.T.copy(), decode=components, level=centre)
    return set_usual_error(made, rows)


def set_usual_error(made: Rebuilder, rows: Array) -> Rebuilder:
    """Set the usual error of every channel to that of these healthy rows."""
    return made._replace(usual=np.maximum(made.errors(rows).mean(0), 1e-9))


def fit_alarms(points: Array) -> list[Rebuilder | Alarm]:
    """Return alarms on every window and choice of features, with their spreads within healthy points [P, T, C]."""
    made: list[Rebuilder | Alarm] = []
    for window in ALARM_WINDOWS:
        for uses in ALARM_USES:
            spreads = [measure_features(one, window, uses)[window:].std(0) for one in points]
            made.append(Alarm(window, uses, np.maximum(np.mean(spreads, axis=0), 1e-9)))
    return made


def tune_monitor(
    tried: list[Rebuilder | Alarm], quiet: list[SimulatedRecording], faulty: list[SimulatedRecording]
) -> Monitor:
    """Choose the score and memory with the largest mean area under the ROC on faults, and set its alarm level."""
    best: tuple[float, Monitor] | None = None
    for score in tried:
        on_faulty, on_quiet = ([score(one.values) for one in group] for group in (faulty, quiet))
        for rows in MEMORIES:
            calm = np.concatenate([average_past(s, rows)[max(MEMORIES) :] for s in on_quiet])
            level = float(np.quantile(calm, 1 - PASSES))
            areas = [roc_auc(np.concatenate([one.labels, np.zeros(len(calm[::5]), np.int8)]),
                             np.concatenate([average_past(s, rows), calm[::5]]))
                     for s, one in zip(on_faulty, faulty, strict=True)]  # fmt: skip
            if best is None or np.mean(areas) > best[0]:
                best = float(np.mean(areas)), Monitor(score, rows, level)
    assert best is not None
    return best[1]


def pretrain() -> Work[None]:
    """Train and tune the monitors of both machines, and write the built-in ones."""
    write_pretrained("anomaly", (yield from train_each({machine: train(machine) for machine in MACHINES})))
