"""Conditional generation: phase currents with a fault of one's choice at an operating point of one's choice."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore import store
from aecore.concepts.applications import asset
from aecore.data.simulators.drive_windows import (
    CONDITIONS,
    LENGTH,
    LOADS,
    SPEEDS,
    Condition,
    Measures,
    Region,
    WindowSettings,
    measures,
    window,
)
from aecore.data.simulators.inverter import POLE_PAIRS, RATED_CURRENT
from aecore.data.simulators.recording import one_of, within
from aecore.numerics.dense import DenseNetwork

Array = NDArray[np.float32]

LATENT = 2
RANGES = (*[(0.0, 1.0)] * len(CONDITIONS), SPEEDS, LOADS)  # one-hot class, rpm, share of rated torque
SEVERITIES = (0.3, 1.0)  # of the faults that it learns from; nobody tells it which
TESTED = Region((2_500.0, 3_300.0), (0.45, 0.75))  # operating points that only tests lie in
CVAE, NEAREST, MIXED = "conditional VAE", "nearest recording", "mix of the 4 nearest"
NEIGHBOURS = 4
FREQUENCY_TOLERANCE, AMPLITUDE_TOLERANCE = 0.01, 0.05  # relative
# What each fault leaves behind for an engineer to measure: a mean, or a negative sequence.
TRACES: dict[Condition, str] = {
    "healthy": "negative", "open switch": "mean", "inter-turn short": "negative", "sensor offset": "mean",
    "sensor gain": "negative",
}  # fmt: skip
TRACE_WORDS = {"mean": "mean of phase a", "negative": "negative sequence"}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A class and an operating point."""

    condition: Condition = "open switch"
    speed_rpm: float = 2_900.0
    load: float = 0.6  # share of rated torque

    def __post_init__(self) -> None:
        one_of("condition", self.condition, CONDITIONS)
        within("speed_rpm", self.speed_rpm, *SPEEDS)
        within("load", self.load, *LOADS)

    @property
    def frequency(self) -> float:
        """Electrical frequency in Hz: pole pairs times turns a second."""
        return POLE_PAIRS * self.speed_rpm / 60

    @property
    def vector(self) -> Array:
        """Condition [7] as the model takes it: one-hot class, rpm, share of rated torque."""
        kind = np.eye(len(CONDITIONS))[CONDITIONS.index(self.condition)]
        return np.array([*kind, self.speed_rpm, self.load], np.float32)


class Model(NamedTuple):
    """The decoder [N, 2 + 7] -> [N, 3 * 64] in shares of the rated current."""

    decoder: DenseNetwork

    def generate(self, wanted: Wanted, codes: Array) -> Array:
        """Decode codes [N, 2] under a condition: [N, 3, 64] in A."""
        low, high = np.array(RANGES, np.float32).T
        given = np.tile(2 * (wanted.vector - low) / (high - low) - 1, (len(codes), 1))
        made = self.decoder(np.concatenate([codes, given], 1))
        return made.reshape(-1, 3, LENGTH) * np.float32(RATED_CURRENT)


def codes(count: int, seed: int) -> Array:
    """Draw codes [count, 2] from the prior."""
    return np.random.default_rng(seed).standard_normal((count, LATENT)).astype(np.float32)


def truth(wanted: Wanted, severities: NDArray[np.floating[Any]]) -> Array:
    """Simulate the same without noise, once for every severity: [N, 3, 64] in A."""
    point: dict[str, Any] = {"speed_rpm": wanted.speed_rpm, "load": wanted.load, "condition": wanted.condition}
    return np.stack([window(WindowSettings(severity=float(s), noise=0.0, **point)) for s in severities])


def trace(condition: Condition, found: Measures) -> NDArray[np.float64]:
    """Size in A of what the fault leaves behind, [N]."""
    return np.abs(found.mean if TRACES[condition] == "mean" else found.negative)


class Fidelity(NamedTuple):
    """How far signals are off what was asked for, means over them."""

    frequency: float  # relative, off pole pairs times speed
    amplitude: float  # relative, off the range that the simulator's positive sequence spans over the severities
    trace: float  # A, off the range that the simulator's trace spans
    within: float  # share of signals within both tolerances


def fidelity(wanted: Wanted, made: Array) -> Fidelity:
    """Measure signals [N, 3, 64] in A as an engineer would, against the simulator's truth.

    No one knows which severity a generated fault has, so amplitude and trace may lie anywhere between those at the
    least and at the greatest severity that was learnt from; what lies outside is an error.
    """
    found, true = measures(made), measures(truth(wanted, np.linspace(*SEVERITIES, 5)))
    frequency = np.abs(found.frequency / wanted.frequency - 1)
    amplitude = _outside(found.amplitude, true.amplitude) / true.amplitude.mean()
    left = _outside(trace(wanted.condition, found), trace(wanted.condition, true))
    good = (frequency <= FREQUENCY_TOLERANCE) & (amplitude <= AMPLITUDE_TOLERANCE)
    return Fidelity(float(frequency.mean()), float(amplitude.mean()), float(left.mean()), float(good.mean()))


def _outside(values: NDArray[np.float64], span: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far values lie outside a span's range."""
    return np.maximum(0, np.maximum(span.min() - values, values - span.max()))


# ---------------------------------------------------------------------- what ships
class Shipped(NamedTuple):
    """The model, and a classifier [N, 3 * 64] -> [N, classes] of real windows that never saw a generated one."""

    model: Model
    classifier: DenseNetwork


def named(classifier: DenseNetwork, made: Array) -> NDArray[np.int64]:
    """Class of every signal [N, 3, 64] in A, by a classifier of real ones."""
    return np.asarray(classifier(made.reshape(len(made), -1) / np.float32(RATED_CURRENT)).argmax(1))


def shipped() -> Shipped:
    """Read what ships; milliseconds and no torch."""
    tree = store.read(asset("conditional"))
    return Shipped(model_from_tree(tree["model"]), DenseNetwork.from_tree(tree["classifier"]))


def model_from_tree(tree: dict[str, Any]) -> Model:
    """Read a decoder's tree."""
    return Model(DenseNetwork.from_tree(tree))
