"""Interpolation: two measurements, and what lies between them: in the code, by fading, and in the simulator's truth."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from aecore import latent
from aecore.concepts.applications import Work, read_pretrained, train_each, write_pretrained
from aecore.data.datasets import shapes
from aecore.data.datasets.shapes import ShapeFamily
from aecore.data.simulators import drive_windows
from aecore.data.simulators.drive_windows import LOADS, SPEEDS, Region, WindowSettings, window
from aecore.data.simulators.inverter import RATED_CURRENT
from aecore.data.simulators.recording import one_of, within
from aecore.numerics.dense import DenseAutoencoder

Array = NDArray[np.float32]
Kind = Literal["currents", "shapes"]
KINDS: tuple[Kind, ...] = get_args(Kind)
VAE, PLAIN, FADE = "VAE", "Plain autoencoder", "Cross-fade"
# Ways through the code: linear and spherical interpolation.
STRAIGHT, ROUND = "straight", "round"
FIGURES = ("ellipse", "triangle", "star", "heart")
# Pixels and degrees that figures are drawn from.
SIZES, ANGLES = (5.0, 9.0), (-40.0, 40.0)
# Steps of a way, both ends included.
STEPS = 21
MIDDLE = (STEPS - 1) // 2
# What no training window or figure has: every test's middle lies in here.
UNSEEN = Region((2_700.0, 3_100.0), (0.5, 0.7))
UNSEEN_SIZES, UNSEEN_ANGLES = (6.6, 7.4), (-8.0, 8.0)

COUNT = {"currents": 1_500, "shapes": 1_500}
HIDDEN = {"currents": (128, 128, 64), "shapes": (128, 64)}
LATENT = {"currents": 2, "shapes": 6}
EPOCHS = {"currents": 60, "shapes": 40}
# Weight of the KL term, chosen on pairs drawn like the tests' with other seeds: for currents of 1e-3 and 1e-2 by
# spherical interpolation, for shapes of 0.1, 0.5, 1 and 2 by linear interpolation.
BETA = {"currents": 1e-3, "shapes": 0.1}
RATE, BATCH = 3e-3, 64


@dataclass(frozen=True, kw_only=True)
class Ends:
    """Both ends: speeds in rpm and loads for currents, or sizes in pixels and angles in degrees of one figure."""

    kind: Kind = "currents"
    first: tuple[float, float] = (2_100.0, 0.4)
    last: tuple[float, float] = (3_700.0, 0.8)
    figure: str = "star"
    seed: int = 0  # of the noise on both measurements

    def __post_init__(self) -> None:
        one_of("kind", self.kind, KINDS)
        one_of("figure", self.figure, FIGURES)
        names, ranges = (("speed", "load"), (SPEEDS, LOADS)) if self.kind == "currents" else (
            ("size", "angle"), (SIZES, ANGLES))  # fmt: skip
        for end in (self.first, self.last):
            for name, value, (low, high) in zip(names, end, ranges, strict=True):
                within(name, value, low, high)

    def between(self, share: float) -> tuple[float, float]:
        """Both numbers, ``share`` of the way along."""
        (a, b), (c, d) = self.first, self.last
        return a + (c - a) * share, b + (d - b) * share


class Walker(DenseAutoencoder):
    """A network whose codes are interpolated."""

    def encode(self, x: Array) -> Array:
        """``[N, D] -> [N, d]``."""
        return self.encoder(x)[:, : self.decoder.inputs]

    def walks(self, first: Array, last: Array, steps: int = STEPS) -> dict[str, tuple[Array, Array]]:
        """Codes [steps, d] and what they decode to [steps, D] on both ways from one sample [D] to another."""
        start, end = self.encode(np.stack([first, last]))
        codes = {way: latent.walk(start, end, steps, spherical=way == ROUND) for way in (STRAIGHT, ROUND)}
        return {way: (z, self.decoder(z)) for way, z in codes.items()}


class Way(NamedTuple):
    """What lies between two measurements, by every contestant; all [steps, ...] in the data's units."""

    truth: Array
    walks: dict[str, Array]  # "VAE, round", "VAE, straight", likewise the plain autoencoder, and the cross-fade
    codes: dict[str, Array]  # [steps, d] of the networks' walks

    def error(self, name: str) -> NDArray[np.float64]:
        """Rms error along the way as a share of the truth's rms, [steps]."""
        off, size = (np.square(a, dtype=np.float64).reshape(len(a), -1) for a in (self.walks[name] - self.truth,
                                                                                   self.truth))  # fmt: skip
        return np.sqrt(off.mean(1) / size.mean(1))


Networks = dict[str, Walker]  # by VAE and PLAIN


def walk_between(networks: Networks, ends: Ends, steps: int = STEPS) -> Way:
    """Walk from end to end through every network, fade one into the other, and simulate what truly lies between."""
    shares = np.linspace(0, 1, steps)
    truth = np.stack([_simulate(ends, share, None) for share in shares])
    first, last = (_simulate(ends, share, 2 * ends.seed + int(share)) for share in (0.0, 1.0))
    walks, codes = {}, {}
    for name, network in networks.items():
        for how, (code, made) in network.walks(first.ravel(), last.ravel(), steps).items():
            codes[f"{name}, {how}"], walks[f"{name}, {how}"] = code, made.reshape(truth.shape)
    t = shares.astype(np.float32).reshape(-1, *[1] * first.ndim)
    walks[FADE] = first * (1 - t) + last * t
    scale = np.float32(RATED_CURRENT if ends.kind == "currents" else 1)
    return Way(truth * scale, {name: walk * scale for name, walk in walks.items()}, codes)


def _simulate(ends: Ends, share: float, seed: int | None) -> Array:
    """Simulate the point ``share`` of the way along in the networks' units, without noise where there is no seed."""
    one, two = ends.between(share)
    if ends.kind == "currents":
        settings = WindowSettings(speed_rpm=one, load=two, noise=0.0 if seed is None else 1.0, seed=seed or 0)
        return window(settings) / np.float32(RATED_CURRENT)
    size, angle = np.array([one], np.float32), np.array([two], np.float32)
    return shapes.render(shapes.outline(ends.figure)[None], size, angle, np.zeros((1, 2), np.float32))[0]


# ---------------------------------------------------------------------- what ships
def load_pretrained() -> dict[Kind, Networks]:
    """Read the built-in networks of both kinds of data; milliseconds and no torch."""
    tree = read_pretrained("interpolation")
    return {kind: networks_from_tree(tree[kind]) for kind in KINDS}


def networks_from_tree(tree: dict[str, Any]) -> Networks:
    """Read what `train` returned."""
    return {name: Walker.from_tree(part) for name, part in tree.items()}


# ---------------------------------------------------------------------- training
@dataclass(frozen=True, kw_only=True)
class InterpolationTraining:
    """Data, weight of the KL term and epochs (None: those of the built-in networks), and the seed."""

    kind: Kind = "currents"
    beta: float | None = None
    epochs: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        one_of("kind", self.kind, KINDS)
        if self.beta is not None:
            within("beta", self.beta, 0, 10)
        if self.epochs is not None:
            within("epochs", self.epochs, 1, 400)


def draw_data(kind: Kind, seed: int, count: int | None = None) -> Array:
    """Draw the training set [N, D], none of it in the unseen region."""
    count = count or COUNT[kind]
    if kind == "currents":
        drawn = drive_windows.draw(count, seed=seed, conditions=("healthy",), outside=UNSEEN, aligned=True)
        return np.asarray(drawn.values.reshape(count, -1) / RATED_CURRENT, np.float32)
    family = ShapeFamily(kinds=FIGURES, smallest=SIZES[0], largest=SIZES[1], rotation=ANGLES[1], wander=0.0)
    made = family.draw(count, seed=seed)
    hidden = _inside(made.sizes, UNSEEN_SIZES) & _inside(made.angles, UNSEEN_ANGLES)
    return made.images[~hidden].reshape(-1, made.images[0].size)


def _inside(values: Array, limits: tuple[float, float]) -> NDArray[np.bool_]:
    return (values >= limits[0]) & (values <= limits[1])


def train(settings: InterpolationTraining) -> Work[dict[str, Any]]:
    """Train the VAE, then the plain autoencoder; a job's task. Yields once an epoch, returns the networks' tree."""
    from aecore.concepts.applications.training import fit_cosine
    from aecore.models import AutoEncoder, VariationalAutoEncoder, to_tree

    kind = settings.kind
    yield {"part": "Simulating", "progress": 0.0}
    x = draw_data(kind, 1_000 + settings.seed)
    shape: dict[str, Any] = {
        "hidden": HIDDEN[kind], "latent_dim": LATENT[kind], "activation": "silu", "seed": settings.seed,
        "reconstruction": "mse" if kind == "currents" else "bce",
    }  # fmt: skip
    beta = BETA[kind] if settings.beta is None else settings.beta
    models = {VAE: VariationalAutoEncoder(x.shape[1:], beta=beta, **shape), PLAIN: AutoEncoder(x.shape[1:], **shape)}
    epochs = settings.epochs or EPOCHS[kind]
    trees = {}
    for part, (name, model) in enumerate(models.items()):
        work = fit_cosine(model, x, part=name, epochs=epochs, rate=RATE, batch=BATCH, seed=settings.seed)
        for step in work:
            yield step | {"progress": (part + step["progress"]) / len(models)}
        trees[name] = Walker.of_model(to_tree(model)).to_tree()
    return trees


# ---------------------------------------------------------------------- measures
def draw_pairs(kind: Kind, gap: float, seed: int, count: int = 40, *, turned: bool = False) -> list[Ends]:
    """Draw ends ``gap`` rpm apart (pixels; ``turned``: degrees), whose middle lies outside the training set."""
    rng = np.random.default_rng((seed, KINDS.index(kind), int(10 * gap), turned))
    drawn = []
    for n in range(count):
        if kind == "currents":
            speed, load, lean = rng.uniform(*UNSEEN.speeds), rng.uniform(*UNSEEN.loads), rng.uniform(-0.15, 0.15)
            ends = (speed - gap / 2, load - lean), (speed + gap / 2, load + lean)
        else:
            size, angle = rng.uniform(*UNSEEN_SIZES), rng.uniform(*UNSEEN_ANGLES)
            step = (0.0, gap / 2) if turned else (gap / 2, 0.0)
            ends = (size - step[0], angle - step[1]), (size + step[0], angle + step[1])
        drawn.append(Ends(kind=kind, first=ends[0], last=ends[1], figure=FIGURES[n % len(FIGURES)], seed=seed + n))
    return drawn


def middle_errors(networks: Networks, tests: list[Ends]) -> dict[str, float]:
    """Return the mean error half-way, % of the truth's rms, of every walk."""
    ways = [walk_between(networks, ends, steps=3) for ends in tests]
    return {name: float(np.mean([100 * w.error(name)[1] for w in ways])) for name in ways[0].walks}


def pretrain() -> Work[None]:
    """Train both networks on both kinds of data, as a visitor's training does, and write the built-in ones."""
    works = {kind: train(InterpolationTraining(kind=kind)) for kind in KINDS}
    write_pretrained("interpolation", (yield from train_each(works)))
