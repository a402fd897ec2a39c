"""Simple figures on 28 x 28 pixels: kind, size and rotation are known, so a latent map can be held against them.

A figure is its outline in polar coordinates, radius over angle, which turns, scales and fills without any drawing
library. All kinds have the same area at the same size: no network can tell them apart by counting ink.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.errors import SettingError

Array = NDArray[np.float32]
Outline = NDArray[np.floating[Any]]

SIDE = 28  # pixels, as MNIST's digits
ANGLES = 1440  # of an outline: a quarter of a degree, far below a pixel
LARGEST = 9.0  # pixels: beyond, the tips of a turned star leave the picture


class Shapes(NamedTuple):
    """``images`` float32 [N, 28, 28] in 0..1, 1 being ink; ``labels`` uint8 [N], the kind's place in ``kinds``."""

    images: Array
    labels: NDArray[np.uint8]
    sizes: Array  # [N], pixels: radius of the circle with the same area
    angles: Array  # [N], degrees, counter-clockwise
    kinds: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ShapeFamily:
    """Which kinds are drawn, how large (pixels: radius of the circle with the same area), turned and moved how far.

    Placed by hand, no two figures lie exactly alike.
    """

    kinds: tuple[str, ...] = ("circle", "ellipse", "triangle", "square", "star", "heart")
    smallest: float = 5.0
    largest: float = 9.0
    rotation: float = 20.0  # degrees to either side
    wander: float = 0.4  # pixels to either side, and up and down

    def __post_init__(self) -> None:
        unknown = [kind for kind in self.kinds if kind not in OUTLINES]
        if unknown or not self.kinds or len(set(self.kinds)) != len(self.kinds):
            known = ", ".join(OUTLINES)
            raise SettingError(f"kinds must name some of {known}, each once, got {', '.join(self.kinds) or 'none'}.")
        if not 2.0 <= self.smallest <= self.largest <= LARGEST:
            raise SettingError(
                f"sizes must rise within 2..{LARGEST:g} pixels, got {self.smallest:g} to {self.largest:g}; choose "
                "others."
            )
        if not 0.0 <= self.rotation <= 180.0:
            raise SettingError(f"rotation must be in 0..180 degrees, got {self.rotation:g}; choose one inside.")

        if not 0.0 <= self.wander <= 4.0:
            raise SettingError(f"wander must be in 0..4 pixels, got {self.wander:g}; choose one inside.")

    def draw(self, count: int, *, seed: int = 0) -> Shapes:
        """Draw ``count`` figures, kinds in equal shares, size and rotation uniform."""
        if count < 1:
            raise SettingError(f"count must be at least 1, got {count}; ask for some.")
        rng = np.random.default_rng(seed)
        labels = rng.permutation(np.arange(count) % len(self.kinds)).astype(np.uint8)
        sizes = rng.uniform(self.smallest, self.largest, count).astype(np.float32)
        angles = rng.uniform(-self.rotation, self.rotation, count).astype(np.float32)
        outlines = np.stack([outline(kind) for kind in self.kinds])
        places = rng.uniform(-self.wander, self.wander, (count, 2)).astype(np.float32)
        return Shapes(render(outlines[labels], sizes, angles, places), labels, sizes, angles, self.kinds)


def render(outlines: Outline, sizes: Array, angles: Array, places: Array) -> Array:
    """Fill outlines [N, A] at sizes [N] in pixels, turned by angles [N] in degrees, at places [N, 2]: [N, 28, 28].

    A pixel's ink is its distance to the edge, from half a pixel outside (0) to half a pixel inside (1): the radial
    distance, shortened where the outline runs slantwise to the radius. Places are x to the right and y upwards, in
    pixels from the middle.
    """
    row, column = np.divmod(np.arange(SIDE * SIDE), SIDE)
    x = column - (SIDE - 1) / 2 - places[:, :1]  # (N, 784)
    y = (SIDE - 1) / 2 - row - places[:, 1:]
    turned = (np.arctan2(y, x) - np.radians(angles)[:, None]) * (ANGLES / (2 * np.pi))  # in steps of the outline
    nearest = np.rint(turned).astype(np.int64) % ANGLES
    slope = np.gradient(np.concatenate([outlines[:, -1:], outlines, outlines[:, :1]], 1), axis=1)[:, 1:-1]
    slant = np.hypot(1.0, slope * (ANGLES / (2 * np.pi)) / outlines)
    radius = np.take_along_axis(outlines, nearest, 1) * sizes[:, None]
    distance = (radius - np.hypot(x, y)) / np.take_along_axis(slant, nearest, 1)
    return np.clip(distance + 0.5, 0, 1).astype(np.float32).reshape(-1, SIDE, SIDE)


@functools.cache
def outline(kind: str) -> Outline:
    """Radius [1440] over the angle, counter-clockwise from the right, of a figure with the unit circle's area."""
    radius = OUTLINES[kind](np.arange(ANGLES) * (2 * np.pi / ANGLES))
    return radius / np.sqrt((radius**2).mean())  # area = 1/2 * integral of radius**2


def _circle(angle: Outline) -> Outline:
    return np.ones_like(angle)


def _ellipse(angle: Outline) -> Outline:
    """Twice as wide as high."""
    return 1 / np.hypot(np.cos(angle), 2 * np.sin(angle))


def _polygon(corners: int) -> Callable[[Outline], Outline]:
    """Regular, one corner at the top; for even numbers of them, an edge."""

    def radius(angle: Outline) -> Outline:
        wedge = 2 * np.pi / corners
        corner = np.pi / 2 if corners % 2 else np.pi / 2 + wedge / 2
        off_middle = (angle - corner) % wedge - wedge / 2
        return np.cos(wedge / 2) / np.cos(off_middle)

    return radius


def _star(angle: Outline) -> Outline:
    """Five points, one at the top; the dents lie half as far out as the points."""
    wedge = 2 * np.pi / 5
    off = np.abs((angle - np.pi / 2 + wedge / 2) % wedge - wedge / 2)  # from the next point
    dent = 0.5 * np.exp(1j * wedge / 2)
    edge = dent - 1.0
    return np.asarray(dent.imag / (np.cos(off) * edge.imag - np.sin(off) * edge.real))


def _heart(angle: Outline) -> Outline:
    """Sum of four cosines over the cube of a sine (Weisstein, *Heart Curve*, MathWorld), seen from inside."""
    t = np.linspace(0, 2 * np.pi, 4 * ANGLES, endpoint=False)
    x = 16 * np.sin(t) ** 3
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t) + 1.0
    theta = np.arctan2(y, x) % (2 * np.pi)
    order = np.argsort(theta)
    return np.interp(angle, theta[order], np.hypot(x, y)[order], period=2 * np.pi)


OUTLINES: dict[str, Callable[[Outline], Outline]] = {
    "circle": _circle,
    "ellipse": _ellipse,
    "triangle": _polygon(3),
    "square": _polygon(4),
    "pentagon": _polygon(5),
    "star": _star,
    "heart": _heart,
}
