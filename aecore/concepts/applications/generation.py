"""Generation: more examples of a fault that was recorded a few times only, by a VAE, by mixing and by jitter."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from aecore import latent
from aecore.concepts.applications import TESTED, Work, read_pretrained, relay, train_each, write_pretrained
from aecore.data.simulators import drive_windows
from aecore.data.simulators.drive_windows import LENGTH, Condition, Region
from aecore.data.simulators.inverter import RATED_CURRENT
from aecore.data.simulators.recording import one_of
from aecore.errors import SettingError, TooFewRows
from aecore.numerics.dense import DenseAutoencoder

Array = NDArray[np.float32]
RareFault = Literal["misfiring switch", "inter-turn short"]
FAULTS: tuple[RareFault, ...] = get_args(RareFault)
# The simulator's fault and how severe it is: weak enough that a few examples do not settle it.
DRAWN: dict[RareFault, tuple[Condition, tuple[float, float]]] = {
    "misfiring switch": ("open switch", (0.1, 0.4)), "inter-turn short": ("inter-turn short", (0.5, 1.0)),
}  # fmt: skip
# A rms on every current.
NOISE = 3.0
EXAMPLES = (5, 10, 20, 50)
VAE, SMOTE, JITTER, REPEAT, NONE = "VAE", "SMOTE", "jitter", "repeated", "no augmentation"
METHODS = (NONE, REPEAT, JITTER, SMOTE, VAE)
# Chosen on validation draws: python -m tests.benchmarks.applications_generation_tuning
NEIGHBOURS, JITTER_AMPERES = 5, 30.0
# Windows of the training and test sets.
HEALTHY, TEST_HEALTHY, TEST_RARE = 700, 400, 150

HIDDEN, LATENT, BETA = (96, 48), 6, 1e-4
EPOCHS, RATE, BATCH = 40, 3e-3, 64
# Share of the VAE's training rows that are rare: few, they are repeated.
SHARE = 0.25
CLASSIFIER, CLASSIFIER_EPOCHS, CLASSIFIER_RATE = 64, 20, 2e-3
# Unseen real examples of each fault in the built-in file, to measure copies by.
SHOWN = 60
# Synthetic examples that bring the rare fault up to the healthy windows' number.
AS_MANY = 680


class ShortageData(NamedTuple):
    """Windows [N, 3 * 64] as shares of the rated current."""

    healthy: Array
    rare: Array
    test_healthy: Array
    test_rare: Array


class FaultGenerator(NamedTuple):
    """A VAE of healthy and rare windows, and the rare ones [n, D] that it was given."""

    network: DenseAutoencoder
    rare: Array

    def draw(self, count: int, rng: np.random.Generator) -> Array:
        """Decode codes [count, D] that lie between those of two rare examples, each drawn from its Gaussian.

        The noise of the measurement comes on top: a decoder gives the mean, and a classifier must not learn that
        what is rare is smooth.
        """
        mu, logvar = np.split(self.network.encoder(self.rare), 2, axis=1)
        first, second = (rng.integers(0, len(mu), count) for _ in range(2))
        one, two = (mu[i] + np.exp(0.5 * logvar[i]) * _normal(rng, (count, mu.shape[1])) for i in (first, second))
        share = rng.uniform(size=(count, 1)).astype(np.float32)
        made = self.network.decoder(one * (1 - share) + two * share)
        return made + np.float32(NOISE / RATED_CURRENT) * _normal(rng, made.shape)

    def to_tree(self) -> dict[str, Any]:
        """Plain values and arrays, at half precision."""
        return self.network.to_tree() | {"rare": self.rare.astype(np.float16)}

    @classmethod
    def from_tree(cls, tree: dict[str, Any]) -> "FaultGenerator":
        """Read what `to_tree` wrote."""
        return cls(DenseAutoencoder.from_tree(tree), tree["rare"].astype(np.float32))


def smote(rare: Array, count: int, rng: np.random.Generator, neighbours: int = NEIGHBOURS) -> Array:
    """Mix each example with one of its nearest others: ``x + t (x' - x)``, t uniform in 0..1; [count, D].

    Chawla, Bowyer, Hall & Kegelmeyer, *SMOTE: Synthetic Minority Over-sampling Technique* (2002).
    """
    _check(rare, 2)
    apart = np.square(rare[:, None] - rare[None]).sum(-1)
    near = apart.argsort(1)[:, 1 : min(neighbours, len(rare) - 1) + 1]  # (n, k): itself comes first
    first = rng.integers(0, len(rare), count)
    second = near[first, rng.integers(0, near.shape[1], count)]
    share = rng.uniform(size=(count, 1)).astype(np.float32)
    return np.asarray(rare[first] * (1 - share) + rare[second] * share)


def jitter(rare: Array, count: int, rng: np.random.Generator, amperes: float = JITTER_AMPERES) -> Array:
    """Repeat examples with white noise on them; [count, D]."""
    _check(rare, 1)
    made = rare[rng.integers(0, len(rare), count)]
    return made + np.float32(amperes / RATED_CURRENT) * _normal(rng, made.shape)


def synthesise(method: str, generator: FaultGenerator, count: int, seed: int) -> Array:
    """Make ``count`` more examples [count, D] by one of METHODS."""
    one_of("method", method, METHODS)
    rng = np.random.default_rng((seed, METHODS.index(method)))
    if method == NONE:
        return generator.rare[:0]
    if method == VAE:
        return generator.draw(count, rng)
    if method == SMOTE:
        return smote(generator.rare, count, rng)
    return jitter(generator.rare, count, rng, 0.0 if method == REPEAT else JITTER_AMPERES)


class Copies(NamedTuple):
    """Distances to the nearest rare example, A rms, and for each synthetic one which that is."""

    distance: Array  # [count]
    nearest: NDArray[np.int64]  # [count]
    usual: float  # median of what unseen real ones have


def find_copies(made: Array, rare: Array, unseen: Array) -> Copies:
    """Tell whether synthetic examples [N, D] are copies of the rare [n, D]: unseen real ones [M, D] set the scale."""
    scale = np.float32(RATED_CURRENT / np.sqrt(rare.shape[1]))
    apart = np.square(made[:, None] - rare[None]).sum(-1)  # (N, n)
    usual = latent.nearest_distance(unseen, rare)
    return Copies(np.sqrt(apart.min(1)) * scale, apart.argmin(1), float(np.median(usual) * scale))


@dataclass(frozen=True, kw_only=True)
class Shortage:
    """Which fault is rare, how many examples of it there are, and which ones."""

    fault: RareFault = "misfiring switch"
    examples: int = 20  # 2..200
    seed: int = 0

    def __post_init__(self) -> None:
        one_of("fault", self.fault, FAULTS)
        if not 2 <= self.examples <= 200:
            raise SettingError(f"examples must be in 2..200, got {self.examples}; choose a number inside.")


def draw_windows(shortage: Shortage, *, tested: Region | None = TESTED, healthy: int = HEALTHY) -> ShortageData:
    """Simulate training windows, and tests at operating points that none of them has; phase 0 starts each.

    Without ``tested``, to tune, tests lie where training windows do.
    """
    condition, severities = DRAWN[shortage.fault]
    first = 1_000 + 10 * shortage.seed
    hidden = None if tested else TESTED

    def windows(
        kinds: Sequence[Condition], count: int, seed: int, inside: Region | None, outside: Region | None
    ) -> Array:
        made = drive_windows.draw(
            count, seed=seed, conditions=kinds, severities=severities, inside=inside, outside=outside, aligned=True,
            noise=NOISE,
        )  # fmt: skip
        return made.values.reshape(count, -1) / np.float32(RATED_CURRENT)

    return ShortageData(
        windows(("healthy",), healthy, first, None, TESTED),
        windows((condition,), shortage.examples, first + 1, None, TESTED),
        windows(("healthy",), TEST_HEALTHY, first + 2, tested, hidden),
        windows((condition,), TEST_RARE, first + 3, tested, hidden),
    )


def as_currents(x: Array) -> Array:
    """``[N, 3 * 64]`` shares of the rated current -> [N, 3, 64] in A."""
    return x.reshape(len(x), 3, LENGTH) * np.float32(RATED_CURRENT)


def _check(rare: Array, least: int) -> None:
    if len(rare) < least:
        raise TooFewRows(f"There are {len(rare)} examples of the rare fault, and at least {least} are needed.")


def _normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return rng.standard_normal(shape, dtype=np.float32)


# ---------------------------------------------------------------------- what ships
class PretrainedGenerators(NamedTuple):
    """For each fault and number of examples its generator; and unseen real examples [M, D] of each fault."""

    generators: dict[tuple[RareFault, int], FaultGenerator]
    unseen: dict[RareFault, Array]


def load_pretrained() -> PretrainedGenerators:
    """Read the built-in generators; milliseconds and no torch."""
    tree = read_pretrained("generation")
    generators = {
        (part["fault"], part["examples"]): FaultGenerator.from_tree(part["generator"]) for part in tree["generators"]
    }
    return PretrainedGenerators(generators, {fault: x.astype(np.float32) for fault, x in tree["unseen"].items()})


# ---------------------------------------------------------------------- training
class ClassifierScore(NamedTuple):
    """Of the test's faulty windows, the share that was found; of those called faulty, the share that was."""

    recall: float
    precision: float


def train_generator(data: ShortageData, seed: int, epochs: int = EPOCHS) -> Work[FaultGenerator]:
    """Train a VAE on healthy and rare windows together, yielding once an epoch."""
    from aecore.concepts.applications.training import fit_cosine
    from aecore.models import VariationalAutoEncoder, to_tree

    again = max(1, round(SHARE / (1 - SHARE) * len(data.healthy) / len(data.rare)))
    x = np.concatenate([data.healthy, np.tile(data.rare, (again, 1))])
    model = VariationalAutoEncoder(
        x.shape[1:], hidden=HIDDEN, latent_dim=LATENT, reconstruction="mse", activation="silu", beta=BETA, seed=seed
    )
    yield from fit_cosine(model, x, part=VAE, epochs=epochs, rate=RATE, batch=BATCH, seed=seed)
    return FaultGenerator(DenseAutoencoder.of_model(to_tree(model)), data.rare)


def score_classifier(data: ShortageData, added: Array, seed: int) -> ClassifierScore:
    """Train a small classifier on healthy, rare and added windows, and test it at unseen operating points."""
    import torch
    from torch import nn

    from aecore.concepts.applications.training import LayersClassifier, as_tensors
    from aecore.training import fit

    faulty = np.concatenate([data.rare, added])
    x = np.concatenate([data.healthy, faulty])
    y = np.repeat(np.array([0, 1], np.float32), [len(data.healthy), len(faulty)])
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers = nn.Sequential(nn.Linear(x.shape[1], CLASSIFIER), nn.ReLU(), nn.Linear(CLASSIFIER, 1), nn.Flatten(0))
    model = LayersClassifier(layers, nn.functional.binary_cross_entropy_with_logits)
    for _ in fit(
        model, as_tensors((x, y)), epochs=CLASSIFIER_EPOCHS, batch_size=BATCH, learning_rate=CLASSIFIER_RATE, seed=seed
    ):
        pass
    alarms, hits = (int((model.classify(part) > 0).sum()) for part in (data.test_healthy, data.test_rare))
    return ClassifierScore(hits / len(data.test_rare), hits / (hits + alarms) if hits + alarms else 0.0)


def compare(shortage: Shortage, count: int = AS_MANY) -> Work[dict[str, Any]]:
    """Train a VAE on a shortage, then a classifier by every method of augmentation; a job's task.

    Returns ``{generator, recall, precision}``, the last two by method.
    """
    yield {"part": "Simulating", "progress": 0.0}
    data = draw_windows(shortage)
    generator = yield from relay(train_generator(data, shortage.seed), share=0.5)
    scores = {}
    for n, method in enumerate(METHODS):
        yield {"part": f"Classifier: {method}", "progress": 0.5 + 0.5 * n / len(METHODS)}
        scores[method] = score_classifier(data, synthesise(method, generator, count, shortage.seed), shortage.seed)
    return {
        "generator": generator.to_tree(),
        "recall": {method: score.recall for method, score in scores.items()},
        "precision": {method: score.precision for method, score in scores.items()},
    }


def pretrain() -> Work[None]:
    """Train a VAE for each fault and number of examples, and write the built-in ones."""
    shortages = [Shortage(fault=fault, examples=examples) for fault in FAULTS for examples in EXAMPLES]
    data = {shortage: draw_windows(shortage) for shortage in shortages}
    made = yield from train_each({shortage: train_generator(windows, 0) for shortage, windows in data.items()})
    parts = [{"fault": s.fault, "examples": s.examples, "generator": made[s].to_tree()} for s in shortages]
    unseen = {s.fault: windows.test_rare[:SHOWN].astype(np.float16) for s, windows in data.items()}
    write_pretrained("generation", {"generators": parts, "unseen": unseen})
