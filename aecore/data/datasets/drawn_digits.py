"""Ten digits drawn by this code, as MNIST frames its own: they may be shown and shipped where MNIST's may not.

Each is a few strokes through the points below, swept with a round pen; anti-aliasing is the pen's distance to the
pixel's centre. As in MNIST, the ink fits a box of 20 x 20 pixels and its centre of mass lies in the middle of 28 x 28
(LeCun, Cortes & Burges, 1998).
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

SIDE, BOX = 28, 20  # pixels
PEN = 1.25  # pixels, radius: MNIST's strokes are 2 to 3 wide
SAMPLES = 12  # of the curve between two points
Array = NDArray[np.float64]

# (x, y) on a raster of 10 x 10, y downwards; a list is a smooth stroke, a corner is where one ends and the next begins
STROKES: tuple[tuple[tuple[tuple[float, float], ...], ...], ...] = (
    (((5.5, 0.2), (2.6, 1.6), (1.4, 5.2), (2.6, 8.8), (5.2, 9.8), (7.8, 8), (8.6, 4.6), (7.6, 1.4), (5.5, 0.2)),),
    (((5.9, 0), (5.4, 3.4), (4.9, 6.8), (4.3, 10)),),
    (((1.8, 2.4), (3.2, 0.5), (5.8, 0.1), (7.7, 1.9), (7, 4.6), (4.4, 7.4), (1.6, 9.6)),
     ((1.6, 9.6), (3.6, 8.9), (5.8, 9.5), (8.6, 9.3))),
    (((2, 1.4), (4.2, 0.1), (6.8, 0.6), (7.3, 2.6), (5.8, 4.3), (4, 4.7)),
     ((4, 4.7), (6.5, 5.1), (8, 6.9), (7, 9.1), (4.4, 9.9), (1.8, 8.9))),
    (((2.6, 0.4), (2, 3), (2, 5.4)), ((2, 5.4), (4.5, 5.6), (8, 5.1)), ((7.6, 0.6), (6.9, 4), (6.4, 7), (6.1, 10))),
    (((8, 0.3), (5.4, 0.5), (3.2, 0.5)), ((3.2, 0.5), (2.9, 2.4), (2.5, 4.5)),
     ((2.5, 4.5), (5, 3.7), (7.5, 5), (7.7, 7.5), (5.8, 9.5), (3.4, 9.8), (1.6, 9))),
    (((6.9, 0.2), (4.4, 2), (2.7, 5), (2.6, 8), (4.4, 9.8), (6.9, 9), (7.6, 7), (6.2, 5.4), (4, 6), (2.7, 7.6)),),
    (((1.6, 1), (4.5, 0.8), (8, 0.5)), ((8, 0.5), (6.6, 3.4), (5.3, 6.6), (4.4, 10))),
    (((7.4, 1.5), (5.2, 0.1), (3, 1.4), (3.5, 3.5), (6, 5.3), (7.3, 7.6), (5.6, 9.7), (3.2, 9.2), (2.6, 7.1),
      (4.4, 5.1), (6.8, 3.3), (7.4, 1.5)),),
    (((7.3, 2), (5, 0.2), (2.8, 1.5), (2.7, 3.9), (4.7, 5), (6.8, 3.8), (7.4, 1.6)),
     ((7.4, 1.6), (7.1, 4.5), (6.4, 7.4), (5.6, 10))),
)  # fmt: skip


@cache
def load() -> NDArray[np.uint8]:
    """Digits 0 to 9, uint8 [10, 28, 28], 255 being ink; read-only because every caller shares them."""
    images = np.stack([draw(strokes) for strokes in STROKES])
    images.flags.writeable = False
    return images


def draw(strokes: tuple[tuple[tuple[float, float], ...], ...]) -> NDArray[np.uint8]:
    """Ink of some strokes, uint8 [28, 28]: scaled to the box, then moved until the centre of mass is in the middle."""
    curves = [_smooth(np.array(points)) for points in strokes]
    everything = np.concatenate(curves)
    low, extent = everything.min(0), np.ptp(everything, axis=0).max()
    scale = (BOX - 2 * PEN) / extent
    curves = [(curve - low) * scale + (SIDE - BOX) / 2 + PEN for curve in curves]
    for _ in range(3):  # each round corrects what the clipping of half-covered pixels left of the one before
        away = (SIDE - 1) / 2 - centre_of_mass(_ink(curves))
        curves = [curve + away for curve in curves]
    return np.rint(_ink(curves) * 255).astype(np.uint8)


def centre_of_mass(ink: Array) -> Array:
    """Mean position (x, y) of ink [H, W], in pixels from the first one's centre."""
    y, x = np.indices(ink.shape)
    return np.array([(x * ink).sum(), (y * ink).sum()]) / ink.sum()


def _smooth(points: Array) -> Array:
    """Curve through points [P, 2] (Catmull & Rom, 1974), its ends mirrored so that it begins and stops at a point."""
    if np.array_equal(points[0], points[-1]):
        around = np.concatenate([points[-2:-1], points, points[1:2]])  # closed: it goes on where it began
    else:
        around = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    a, b, c, d = around[:-3, None], around[1:-2, None], around[2:-1, None], around[3:, None]  # each (P - 1, 1, 2)
    t = np.linspace(0, 1, SAMPLES)[:, None]  # (S, 1)
    curve = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))  # (P - 1, S, 2)
    return curve.reshape(-1, 2)


def _ink(curves: list[Array]) -> Array:
    """How much of each pixel the pen covers, [28, 28] in 0..1, by its distance to the nearest piece of any curve."""
    y, x = np.indices((SIDE, SIDE))
    pixels = np.stack([x, y], -1).reshape(-1, 1, 2).astype(np.float64)  # (784, 1, 2)
    nearest = np.full(SIDE * SIDE, np.inf)
    for curve in curves:
        start, step = curve[:-1], np.diff(curve, axis=0)  # (S, 2)
        length = np.maximum((step**2).sum(-1), 1e-12)
        along = np.clip(((pixels - start) * step).sum(-1) / length, 0, 1)  # (784, S)
        gap = np.linalg.norm(pixels - start - along[..., None] * step, axis=-1)
        nearest = np.minimum(nearest, gap.min(1))
    return np.clip(PEN + 0.5 - nearest, 0, 1).reshape(SIDE, SIDE)
