"""Interpolation: two measurements, and what lies between them: in the code, by fading, and in the simulator's truth."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from aecore import latent, store
from aecore.concepts.applications import asset
from aecore.data.datasets import shapes
from aecore.data.simulators.drive_windows import LOADS, SPEEDS, Region, WindowSettings, window
from aecore.data.simulators.inverter import RATED_CURRENT
from aecore.data.simulators.recording import one_of, within
from aecore.numerics.dense import DenseNetwork

Array = NDArray[np.float32]
Kind = Literal["currents", "shapes"]
KINDS: tuple[Kind, ...] = get_args(Kind)
VAE, PLAIN, FADE = "VAE", "Plain autoencoder", "Cross-fade"
STRAIGHT, ROUND = "straight", "round"  # through the code: a line, or along the circle about its middle
FIGURES = ("ellipse", "triangle", "star", "heart")
SIZES, ANGLES = (5.0, 9.0), (-40.0, 40.0)  # pixels and degrees that figures are drawn from
STEPS = 21  # of a way, both ends included
MIDDLE = (STEPS - 1) // 2
# What no training window or figure has: every middle that is judged lies in here.
UNSEEN = Region((2_700.0, 3_100.0), (0.5, 0.7))
UNSEEN_SIZES, UNSEEN_ANGLES = (6.6, 7.4), (-8.0, 8.0)


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


class Walker(NamedTuple):
    """A network to walk through: encoder [N, D] -> mean (and log-variance), decoder [N, d] -> [N, D]."""

    encoder: DenseNetwork
    decoder: DenseNetwork

    def encode(self, x: Array) -> Array:
        """``[N, D] -> [N, d]``."""
        return self.encoder(x)[:, : self.decoder.inputs]

    def walks(self, first: Array, last: Array, steps: int = STEPS) -> dict[str, tuple[Array, Array]]:
        """Codes [steps, d] and what they decode to [steps, D] on both ways from one datum [D] to another."""
        start, end = self.encode(np.stack([first, last]))
        codes = {way: latent.walk(start, end, steps, spherical=way == ROUND) for way in (STRAIGHT, ROUND)}
        return {way: (z, self.decoder(z)) for way, z in codes.items()}


class Way(NamedTuple):
    """What lies between two measurements, by everyone who says so; all [steps, ...] in the data's units."""

    truth: Array
    walks: dict[str, Array]  # "VAE, round", "VAE, straight", likewise the plain autoencoder, and the cross-fade
    codes: dict[str, Array]  # [steps, d] of the networks' walks

    def error(self, name: str) -> NDArray[np.float64]:
        """Rms error along the way as a share of the truth's rms, [steps]."""
        off, size = (np.square(a, dtype=np.float64).reshape(len(a), -1) for a in (self.walks[name] - self.truth,
                                                                                   self.truth))  # fmt: skip
        return np.sqrt(off.mean(1) / size.mean(1))


Networks = dict[str, Walker]  # by VAE and PLAIN


def way(networks: Networks, ends: Ends, steps: int = STEPS) -> Way:
    """Walk from end to end through every network, fade one into the other, and simulate what truly lies between."""
    shares = np.linspace(0, 1, steps)
    truth = np.stack([_truth(ends, share, None) for share in shares])
    first, last = (_truth(ends, share, 2 * ends.seed + int(share)) for share in (0.0, 1.0))
    walks, codes = {}, {}
    for name, network in networks.items():
        for how, (code, made) in network.walks(first.ravel(), last.ravel(), steps).items():
            codes[f"{name}, {how}"], walks[f"{name}, {how}"] = code, made.reshape(truth.shape)
    t = shares.astype(np.float32).reshape(-1, *[1] * first.ndim)
    walks[FADE] = first * (1 - t) + last * t
    scale = np.float32(RATED_CURRENT if ends.kind == "currents" else 1)
    return Way(truth * scale, {name: walk * scale for name, walk in walks.items()}, codes)


def _truth(ends: Ends, share: float, seed: int | None) -> Array:
    """Simulate the point ``share`` of the way along in the networks' units, without noise where there is no seed."""
    one, two = ends.between(share)
    if ends.kind == "currents":
        settings = WindowSettings(speed_rpm=one, load=two, noise=0.0 if seed is None else 1.0, seed=seed or 0)
        return window(settings) / np.float32(RATED_CURRENT)
    size, angle = np.array([one], np.float32), np.array([two], np.float32)
    return shapes.render(shapes.outline(ends.figure)[None], size, angle, np.zeros((1, 2), np.float32))[0]


# ---------------------------------------------------------------------- what ships
def shipped() -> dict[Kind, Networks]:
    """Read the networks of both kinds of data; milliseconds and no torch."""
    tree = store.read(asset("interpolation"))
    return {kind: from_tree(tree[kind]) for kind in KINDS}


def from_tree(tree: dict[str, Any]) -> Networks:
    """Read what `to_tree` wrote."""
    return {
        name: Walker(DenseNetwork.from_tree(part["encoder"]), DenseNetwork.from_tree(part["decoder"]))
        for name, part in tree.items()
    }


def to_tree(networks: Networks) -> dict[str, Any]:
    """Plain values and arrays; weights at half precision."""
    return {
        name: {"encoder": walker.encoder.to_tree(np.float16), "decoder": walker.decoder.to_tree(np.float16)}
        for name, walker in networks.items()
    }
