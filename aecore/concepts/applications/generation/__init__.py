"""Generation: more examples of a fault that was seen a few times only, by a VAE, by mixing and by jitter."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from aecore import latent, store
from aecore.concepts.applications import asset
from aecore.data.simulators import drive_windows
from aecore.data.simulators.drive_windows import LENGTH, Condition, Region
from aecore.data.simulators.inverter import RATED_CURRENT
from aecore.data.simulators.recording import one_of
from aecore.errors import SettingError, TooFewRows
from aecore.numerics.dense import DenseNetwork

Array = NDArray[np.float32]
Fault = Literal["misfiring switch", "inter-turn short"]
FAULTS: tuple[Fault, ...] = get_args(Fault)
# The simulator's fault and how severe it is: weak enough that a few examples do not settle it.
DRAWN: dict[Fault, tuple[Condition, tuple[float, float]]] = {
    "misfiring switch": ("open switch", (0.1, 0.4)), "inter-turn short": ("inter-turn short", (0.5, 1.0)),
}  # fmt: skip
NOISE = 3.0  # A rms on every current
EXAMPLES = (5, 10, 20, 50)
VAE, SMOTE, JITTER, REPEAT, NONE = "VAE", "SMOTE", "jitter", "repeated", "no augmentation"
METHODS = (NONE, REPEAT, JITTER, SMOTE, VAE)
# Chosen on validation draws: python -m tests.benchmarks.applications_generation_tuning
NEIGHBOURS, JITTER_AMPERES = 5, 30.0
TESTED = Region((2_500.0, 3_300.0), (0.45, 0.75))  # operating points that only tests lie in


class Data(NamedTuple):
    """Windows [N, 3 * 64] as shares of the rated current."""

    healthy: Array
    rare: Array
    test_healthy: Array
    test_rare: Array


class Generator(NamedTuple):
    """A VAE of healthy and rare windows, and the rare ones [n, D] that it was given."""

    encoder: DenseNetwork  # [N, D] -> mean and log-variance [N, 2 d]
    decoder: DenseNetwork  # [N, d] -> [N, D]
    rare: Array

    def draw(self, count: int, rng: np.random.Generator) -> Array:
        """Decode codes [count, D] that lie between those of two rare examples, each drawn from its Gaussian.

        The noise of the measurement comes on top: a decoder gives the mean, and a classifier must not learn that
        what is rare is smooth.
        """
        mu, logvar = np.split(self.encoder(self.rare), 2, axis=1)
        first, second = (rng.integers(0, len(mu), count) for _ in range(2))
        one, two = (mu[i] + np.exp(0.5 * logvar[i]) * _normal(rng, (count, mu.shape[1])) for i in (first, second))
        share = rng.uniform(size=(count, 1)).astype(np.float32)
        made = self.decoder(one * (1 - share) + two * share)
        return made + np.float32(NOISE / RATED_CURRENT) * _normal(rng, made.shape)


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


def synthetic(method: str, generator: Generator, count: int, seed: int) -> Array:
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


def copies(made: Array, rare: Array, unseen: Array) -> Copies:
    """Whether synthetic examples [N, D] are copies of the rare [n, D]: unseen real ones [M, D] set the scale."""
    scale = np.float32(RATED_CURRENT / np.sqrt(rare.shape[1]))
    apart = np.square(made[:, None] - rare[None]).sum(-1)  # (N, n)
    usual = latent.nearest_distance(unseen, rare)
    return Copies(np.sqrt(apart.min(1)) * scale, apart.argmin(1), float(np.median(usual) * scale))


@dataclass(frozen=True, kw_only=True)
class Shortage:
    """Which fault is rare, how many examples of it there are, and which ones."""

    fault: Fault = "misfiring switch"
    examples: int = 20  # 2..200
    seed: int = 0

    def __post_init__(self) -> None:
        one_of("fault", self.fault, FAULTS)
        if not 2 <= self.examples <= 200:
            raise SettingError(f"examples must be in 2..200, got {self.examples}; choose a number inside.")


HEALTHY, TEST_HEALTHY, TEST_RARE = 700, 400, 150


def draw(shortage: Shortage, *, tested: Region | None = TESTED, healthy: int = HEALTHY) -> Data:
    """Simulate windows to learn from, and others at operating points that none of them has; phase 0 starts each.

    Without ``tested``, to tune, those others lie where the ones to learn from do.
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

    return Data(
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
class Shipped(NamedTuple):
    """For each fault and number of examples its generator; and unseen real examples [M, D] of each fault."""

    generators: dict[tuple[Fault, int], Generator]
    unseen: dict[Fault, Array]


def shipped() -> Shipped:
    """Read what ships; milliseconds and no torch."""
    tree = store.read(asset("generation"))
    generators = {
        (part["fault"], part["examples"]): generator_from_tree(part["generator"]) for part in tree["generators"]
    }
    return Shipped(generators, {fault: x.astype(np.float32) for fault, x in tree["unseen"].items()})


def generator_from_tree(tree: dict[str, Any]) -> Generator:
    """Read what `generator_to_tree` wrote."""
    encoder, decoder = (DenseNetwork.from_tree(tree[part]) for part in ("encoder", "decoder"))
    return Generator(encoder, decoder, tree["rare"].astype(np.float32))


def generator_to_tree(generator: Generator) -> dict[str, Any]:
    """Plain values and arrays, at half precision."""
    half = np.float16
    networks = {part: getattr(generator, part).to_tree(half) for part in ("encoder", "decoder")}
    return networks | {"rare": generator.rare.astype(half)}
