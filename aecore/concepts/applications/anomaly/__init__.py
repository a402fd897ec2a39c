"""Anomaly detection: a detector that knows healthy machines only, beside PCA and an RMS/kurtosis alarm.

All three become a score of every row, averaged over as many past rows as served each best on validation faults, in
multiples of the level that one row in a thousand of healthy validation passes. Each is zeroed on the first quarter of a
recording, which is healthy: what differs between operating points is no fault. The page needs no torch: for several
channels the detector's network is linear, so its score is matrix products.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from aecore import store
from aecore.concepts.applications import asset
from aecore.data.simulators import bearing, powertrain
from aecore.data.simulators.recording import SimulatedRecording, one_of, within
from aecore.errors import StoreError

Array = NDArray[np.floating[Any]]
Machine = Literal["inverter", "bearing"]
MACHINES: tuple[Machine, ...] = get_args(Machine)
FAULTS: dict[str, tuple[str, ...]] = {
    "inverter": ("open_switch", "offset", "gain", "inter_turn"),
    "bearing": ("outer", "inner", "ball"),
}
SECONDS, ONSET = 0.6, 0.3  # of a recording, and where its fault begins
SPEEDS = {"inverter": (1_000.0, 6_000.0), "bearing": (900.0, 2_400.0)}  # rpm, that are learnt from
TEST_SPEEDS = {"inverter": (2_800.0, 3_600.0), "bearing": (1_600.0, 1_900.0)}  # and a gap in them, for the tests
LOADS, TEST_LOADS = (0.2, 1.0), (0.55, 0.7)
NOISES = {"inverter": (0.5, 4.0), "bearing": (0.02, 0.15)}  # A and g, rms
AUTOENCODER, PCA, ALARM = "Autoencoder", "PCA", "RMS/kurtosis alarm"
CONTESTANTS = (AUTOENCODER, PCA, ALARM)
PASSES = 1e-3  # share of healthy validation rows above the alarm level


@dataclass(frozen=True, kw_only=True)
class Scene:
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


def recording(scene: Scene, *, seconds: float = SECONDS, onset: float = ONSET) -> SimulatedRecording:
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
    """Rows a second."""
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
    """What a simple monitor watches: RMS and kurtosis of every channel over the last ``window`` rows."""

    window: int
    uses: tuple[str, ...]  # of "rms", "kurtosis"
    spread: Array  # [F, C] of a feature in healthy rows of one operating point

    def __call__(self, values: Array) -> Array:
        """``[T, C] -> [T]``: the farthest that any feature lies off its first quarter, in healthy deviations."""
        seen = features(values, self.window, self.uses)  # (T, F, C)
        return np.asarray((np.abs(seen - np.median(seen[: len(seen) // 4], axis=0)) / self.spread).max((1, 2)))


def features(values: Array, window: int, uses: tuple[str, ...]) -> Array:
    """RMS and kurtosis, both of what varies, over the last ``window`` rows: [T, C] -> [T, F, C]."""
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
    """Mean of the last ``rows`` rows, fewer at the beginning: [T, ...] -> [T, ...]."""
    total = np.cumsum(x, axis=0, dtype=np.float64)
    late = total.copy()
    late[rows:] -= total[:-rows]
    count = np.minimum(np.arange(1, len(x) + 1), rows).reshape(-1, *[1] * (x.ndim - 1))
    return np.asarray(late / count)


def averaged(score: Array, rows: int) -> Array:
    """Mean of the last ``rows`` rows of a score [T]; before so many are there, the first full mean."""
    means = trailing_mean(score, rows)
    first = min(rows, len(means)) - 1
    means[:first] = means[first]
    return means


class Judge(NamedTuple):
    """A score, averaged over the last ``rows`` rows, in multiples of its alarm ``level``."""

    score: Rebuilder | Alarm
    rows: int
    level: float

    def __call__(self, values: Array) -> Array:
        """``[T, C] -> [T]``: above 1 is an alarm."""
        return averaged(self.score(values), self.rows) / self.level


Judges = Mapping[str, Judge]  # by contestant


# ---------------------------------------------------------------------- measures
class Curve(NamedTuple):
    """Share of faulty rows found [n] against the share of healthy ones that raise an alarm [n]."""

    false: Array
    found: Array

    @property
    def auc(self) -> float:
        """Area under it."""
        return float(np.trapezoid(self.found, self.false))


def roc(scores: Array, labels: NDArray[Any], points: int = 200) -> Curve:
    """ROC of row scores against labels, at so many levels of the healthy rows and of the faulty ones."""
    healthy, faulty = np.sort(scores[labels == 0]), np.sort(scores[labels == 1])
    levels = np.concatenate([[np.inf], np.sort(scores)[:: -max(1, len(scores) // points)], [-np.inf]])
    above = [1 - np.searchsorted(part, levels, side="left") / len(part) for part in (healthy, faulty)]
    return Curve(above[0], above[1])


def delay(scores: Array, labels: NDArray[Any], rate: float) -> float:
    """Seconds from the onset to the first alarm; NaN where there is none, or where one rings already."""
    onset = int(np.argmax(labels == 1))
    if scores[onset - 1] > 1:
        return float("nan")
    raised = np.flatnonzero(scores[onset:] > 1)
    return float(raised[0] / rate) if len(raised) else float("nan")


# ---------------------------------------------------------------------- what ships
def shipped() -> dict[str, Judges]:
    """Read the judges of both machines."""
    tree = store.read(asset("anomaly"))
    return {machine: judges_from_tree(tree[machine]) for machine in MACHINES}


def judges_to_tree(judges: Judges) -> dict[str, Any]:
    """Plain values and arrays."""
    return {
        name: {"kind": type(judge.score).__name__, "score": judge.score._asdict(), "rows": judge.rows,
               "level": judge.level}
        for name, judge in judges.items()
    }  # fmt: skip


def judges_from_tree(tree: dict[str, Any]) -> dict[str, Judge]:
    """Read what `judges_to_tree` wrote."""
    judges = {}
    try:
        for name, entry in tree.items():
            if entry["kind"] == Rebuilder.__name__:
                score: Rebuilder | Alarm = Rebuilder(**entry["score"])
            else:
                score = Alarm(**entry["score"] | {"uses": tuple(entry["score"]["uses"])})
            judges[name] = Judge(score, int(entry["rows"]), float(entry["level"]))
    except (KeyError, TypeError) as error:
        raise StoreError("The detector's file is of another make; train it again.") from error
    return judges
