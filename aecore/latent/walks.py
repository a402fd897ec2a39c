"""What lies between the codes: straight and spherical ways, and a grid over all of the prior."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def walk(a: Array, b: Array, steps: int, *, spherical: bool = False) -> Array:
    """Codes from a [d] to b [d], both ends included: [steps, d].

    Spherical: at constant angular speed along the great circle, the length going evenly from one to the other
    (Shoemake, *Animating Rotation with Quaternion Curves*, 1985; White, *Sampling Generative Networks*, 2016). Where
    the two point the same way, opposite ways, or one is zero, there is no one such circle: straight.
    """
    t = np.linspace(0, 1, steps, dtype=np.float64)[:, None]
    a, b = a.astype(np.float64), b.astype(np.float64)
    length_a, length_b = np.linalg.norm(a), np.linalg.norm(b)
    cosine = float(a @ b / (length_a * length_b)) if length_a * length_b > 0 else 1.0
    if not spherical or 1 - abs(cosine) < 1e-9:
        return np.asarray(a + (b - a) * t, np.float32)
    angle = np.arccos(np.clip(cosine, -1, 1))
    way = (np.sin((1 - t) * angle) * a / length_a + np.sin(t * angle) * b / length_b) / np.sin(angle)
    return np.asarray(way * (length_a + (length_b - length_a) * t), np.float32)


def quantile_grid(side: int) -> Array:
    """Codes [side * side, 2] at equal steps of the standard normal's probability, the first row at the top.

    So each stands for as much of the prior as any other: Kingma & Welling (2014), figure 4.
    """
    from scipy.special import ndtri

    at = ndtri((np.arange(side) + 0.5) / side)
    x, y = np.meshgrid(at, at[::-1])
    return np.stack([x.ravel(), y.ravel()], 1).astype(np.float32)
