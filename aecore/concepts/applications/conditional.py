"""Conditional generation: phase currents with a fault of one's choice at an operating point of one's choice."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.concepts.applications import TESTED, Work, read_pretrained, relay, write_pretrained
from aecore.data.simulators import drive_windows
from aecore.data.simulators.drive_windows import (
    CONDITIONS,
    LENGTH,
    LOADS,
    SPEEDS,
    Condition,
    Measures,
    Windows,
    WindowSettings,
    measures,
    window,
)
from aecore.data.simulators.inverter import POLE_PAIRS, RATED_CURRENT
from aecore.data.simulators.recording import one_of, within
from aecore.numerics.dense import DenseNetwork, decoder_of, encoder_of

Array = NDArray[np.float32]

LATENT = 2
# Ranges of the condition: one-hot class, rpm, share of the rated torque.
RANGES = (*[(0.0, 1.0)] * len(CONDITIONS), SPEEDS, LOADS)
# Severities of the training set's faults, which the model is not conditioned on.
SEVERITIES = (0.3, 1.0)
CVAE, NEAREST, MIXED = "conditional VAE", "nearest recording", "mix of the 4 nearest"
NEIGHBOURS = 4
# Relative tolerances.
FREQUENCY_TOLERANCE, AMPLITUDE_TOLERANCE = 0.01, 0.05
# What each fault leaves behind for an engineer to measure: a mean, or a negative sequence.
TRACES: dict[Condition, str] = {
    "healthy": "negative", "open switch": "mean", "inter-turn short": "negative", "sensor offset": "mean",
    "sensor gain": "negative",
}  # fmt: skip
TRACE_WORDS = {"mean": "mean of phase a", "negative": "negative sequence"}

COUNT = 1_500
HIDDEN, BETA = (128, 128), 1e-3
# A code that may carry everything carries the speed too, and the decoder ignores the condition. So a large weight of
# the KL term shuts the code for the first share of the epochs.
SHUT, SHUT_SHARE = 0.3, 0.5
EPOCHS, RATE, BATCH = 60, 3e-3, 64
CLASSIFIER_COUNT, CLASSIFIER_EPOCHS, CLASSIFIER_HIDDEN = 1_500, 20, 64


@dataclass(frozen=True, kw_only=True)
class WantedSignal:
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


class ConditionalGenerator(NamedTuple):
    """The decoder [N, 2 + 7] -> [N, 3 * 64] in shares of the rated current."""

    decoder: DenseNetwork

    def generate(self, wanted: WantedSignal, codes: Array) -> Array:
        """Decode codes [N, 2] under a condition: [N, 3, 64] in A."""
        low, high = np.array(RANGES, np.float32).T
        given = np.tile(2 * (wanted.vector - low) / (high - low) - 1, (len(codes), 1))
        made = self.decoder(np.concatenate([codes, given], 1))
        return made.reshape(-1, 3, LENGTH) * np.float32(RATED_CURRENT)


def draw_codes(count: int, seed: int) -> Array:
    """Draw codes [count, 2] from the prior."""
    return np.random.default_rng(seed).standard_normal((count, LATENT)).astype(np.float32)


def simulate_truth(wanted: WantedSignal, severities: NDArray[np.floating[Any]]) -> Array:
    """Simulate the same without noise, once for every severity: [N, 3, 64] in A."""
    point: dict[str, Any] = {"speed_rpm": wanted.speed_rpm, "load": wanted.load, "condition": wanted.condition}
    return np.stack([window(WindowSettings(severity=float(s), noise=0.0, **point)) for s in severities])


def measure_trace(condition: Condition, found: Measures) -> NDArray[np.float64]:
    """Return the size in A of what the fault leaves behind, [N]."""
    return np.abs(found.mean if TRACES[condition] == "mean" else found.negative)


class Fidelity(NamedTuple):
    """How far signals are off what was asked for, means over them."""

    frequency: float  # relative, off pole pairs times speed
    amplitude: float  # relative, off the range that the simulator's positive sequence spans over the severities
    trace: float  # A, off the range that the simulator's trace spans
    within: float  # share of signals within both tolerances


def measure_fidelity(wanted: WantedSignal, made: Array) -> Fidelity:
    """Measure signals [N, 3, 64] in A as an engineer would, against the simulator's truth.

    The severity of a generated fault is unknown, so amplitude and trace may lie anywhere between those at the
    least and at the greatest severity of the training set; what lies outside is an error.
    """
    found, true = measures(made), measures(simulate_truth(wanted, np.linspace(*SEVERITIES, 5)))
    frequency = np.abs(found.frequency / wanted.frequency - 1)
    amplitude = _distance_outside(found.amplitude, true.amplitude) / true.amplitude.mean()
    left = _distance_outside(measure_trace(wanted.condition, found), measure_trace(wanted.condition, true))
    good = (frequency <= FREQUENCY_TOLERANCE) & (amplitude <= AMPLITUDE_TOLERANCE)
    return Fidelity(float(frequency.mean()), float(amplitude.mean()), float(left.mean()), float(good.mean()))


def _distance_outside(values: NDArray[np.float64], span: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far values lie outside a span's range."""
    return np.maximum(0, np.maximum(span.min() - values, values - span.max()))


# ---------------------------------------------------------------------- what ships
class PretrainedConditional(NamedTuple):
    """The model, and a classifier [N, 3 * 64] -> [N, classes] trained on simulated windows, none of them generated."""

    model: ConditionalGenerator
    classifier: DenseNetwork


def classify(classifier: DenseNetwork, made: Array) -> NDArray[np.int64]:
    """Return the class of every signal [N, 3, 64] in A, by a classifier of simulated ones."""
    return np.asarray(classifier(made.reshape(len(made), -1) / np.float32(RATED_CURRENT)).argmax(1))


def load_pretrained() -> PretrainedConditional:
    """Read the built-in model and classifier; milliseconds and no torch."""
    tree = read_pretrained("conditional")
    return PretrainedConditional(model_from_tree(tree["model"]), DenseNetwork.from_tree(tree["classifier"]))


def model_from_tree(tree: dict[str, Any]) -> ConditionalGenerator:
    """Read a decoder's tree."""
    return ConditionalGenerator(DenseNetwork.from_tree(tree))


# ---------------------------------------------------------------------- training
@dataclass(frozen=True, kw_only=True)
class ConditionalTraining:
    """Weight of the KL term, epochs, and the seed of data and weights."""

    beta: float = BETA
    epochs: int = EPOCHS
    seed: int = 0

    def __post_init__(self) -> None:
        within("beta", self.beta, 0, 10)
        within("epochs", self.epochs, 1, 300)


def draw_recordings(seed: int, count: int = COUNT) -> Windows:
    """Draw the training set: no window of it lies in the tested region."""
    return drive_windows.draw(count, seed=2_000 + seed, severities=SEVERITIES, outside=TESTED, aligned=True)


def train(settings: ConditionalTraining) -> Work[dict[str, Any]]:
    """Train a conditional VAE; a job's task. Yields once an epoch, returns the decoder's tree."""
    from aecore.concepts.applications.training import fit_cosine
    from aecore.models import ConditionalVAE, to_tree

    yield {"part": "Simulating", "progress": 0.0}
    drawn = draw_recordings(settings.seed)
    x = drawn.values.reshape(len(drawn.values), -1) / np.float32(RATED_CURRENT)
    classes = np.eye(len(CONDITIONS))[drawn.conditions]
    given = np.column_stack([classes, drawn.speeds, drawn.loads]).astype(np.float32)  # (N, 7)
    model = ConditionalVAE(
        x.shape[1:], condition_dim=len(RANGES), condition_ranges=RANGES, hidden=HIDDEN, latent_dim=LATENT,
        reconstruction="mse", activation="silu", beta=settings.beta, seed=settings.seed,
    )  # fmt: skip
    shut = round(SHUT_SHARE * settings.epochs)
    before = 0
    for part, beta, epochs in (("Condition", SHUT, shut), ("Code", settings.beta, settings.epochs - shut)):
        model.beta = beta
        for step in fit_cosine(
            model, (x, given), part=part, epochs=max(1, epochs), rate=RATE, batch=BATCH, seed=settings.seed
        ):
            yield step | {"progress": min(1.0, (before + step["epoch"]) / settings.epochs)}
        before = shut
    return decoder_of(to_tree(model)).to_tree(np.float16)


def train_classifier(seed: int, epochs: int = CLASSIFIER_EPOCHS) -> DenseNetwork:
    """Train a classifier [N, D] -> [N, classes] on real windows at every operating point, drawn apart from all else."""
    from torch.nn.functional import cross_entropy

    from aecore.concepts.applications.training import LayersClassifier, fit_cosine
    from aecore.models import AutoEncoder, to_tree

    drawn = drive_windows.draw(CLASSIFIER_COUNT, seed=9_000 + seed, severities=SEVERITIES, aligned=True)
    x = drawn.values.reshape(len(drawn.values), -1) / np.float32(RATED_CURRENT)
    # An autoencoder's encoder is a dense network with as many outputs as classes.
    model = AutoEncoder(x.shape[1:], hidden=(CLASSIFIER_HIDDEN,), latent_dim=len(CONDITIONS), seed=seed)
    classifier = LayersClassifier(model.encoder, cross_entropy)
    y = drawn.conditions.astype(np.int64)
    for _ in fit_cosine(classifier, (x, y), part="", epochs=epochs, rate=2e-3, batch=BATCH, seed=seed):
        pass
    return encoder_of(to_tree(model))


def find_nearest(recorded: Windows, wanted: WantedSignal, count: int = NEIGHBOURS) -> Array:
    """Return recordings [count, 3, 64] of a class nearest to an operating point, both ranges counting alike."""
    kind = np.flatnonzero(recorded.conditions == CONDITIONS.index(wanted.condition))
    scale = SPEEDS[1] - SPEEDS[0], LOADS[1] - LOADS[0]
    apart = np.hypot(
        (recorded.speeds[kind] - wanted.speed_rpm) / scale[0], (recorded.loads[kind] - wanted.load) / scale[1]
    )
    return recorded.values[kind[np.argsort(apart)[:count]]]


def draw_wanted(condition: drive_windows.Condition, seed: int, count: int = 20) -> list[WantedSignal]:
    """Draw operating points outside the training set."""
    rng = np.random.default_rng((seed, CONDITIONS.index(condition)))
    return [
        WantedSignal(condition=condition, speed_rpm=rng.uniform(*TESTED.speeds), load=rng.uniform(*TESTED.loads))
        for _ in range(count)
    ]


def simulate_noisy(wanted: WantedSignal, count: int, seed: int) -> Array:
    """Simulate noisy windows [count, 3, 64] in A of random severity at one operating point."""
    rng = np.random.default_rng((seed, 5))
    severities: NDArray[np.float64] = rng.uniform(*SEVERITIES, count)
    return np.stack([
        drive_windows.window(drive_windows.WindowSettings(
            speed_rpm=wanted.speed_rpm, load=wanted.load, condition=wanted.condition, severity=severity,
            seed=int(rng.integers(1 << 30)),
        ))
        for severity in severities
    ])  # fmt: skip


def pretrain() -> Work[None]:
    """Train the model and the classifier, and write the built-in ones."""
    tree = yield from relay(train(ConditionalTraining()), share=0.9)
    write_pretrained("conditional", {"model": tree, "classifier": train_classifier(0).to_tree(np.float16)})
