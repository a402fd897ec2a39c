"""A visitor's digit on the Variants page: drawn, resized to 8 x 8 pixels as the others were, and corrupted."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aecore.errors import SettingError
from aecore.numerics.dense import Array

SIDE = 8
INK = 0.3  # mean of the pixels of a digit that ships: so much ink a drawing gets, too
MOST_GAIN = 8.0


def to_eight(image: NDArray[np.floating]) -> Array:
    """Bring ink [H, W] in 0..1, cropped to the digit, to [8, 8]: longest side 8, in the middle, as much ink as usual.

    The digits that ship count the ink in blocks of a picture that the digit fills (Alpaydin & Kaynak, 1998).
    """
    height, width = image.shape
    scale = SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    picture = Image.fromarray(np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8))
    small = np.asarray(picture.resize(size, Image.Resampling.BOX), np.float32) / np.float32(255)
    out = np.zeros((SIDE, SIDE), np.float32)
    top, left = (SIDE - size[1]) // 2, (SIDE - size[0]) // 2
    out[top : top + size[1], left : left + size[0]] = small
    return _strengthen(out)


def _strengthen(image: Array) -> Array:
    """Strengthen thin lines until there is as much ink as usual; full ink stays full."""
    low, high = 1.0, MOST_GAIN
    if not image.any() or image.mean() >= INK:
        return image
    for _ in range(20):  # halving: the mean rises with the gain
        gain = (low + high) / 2
        low, high = (gain, high) if np.minimum(image * gain, 1).mean() < INK else (low, gain)
    return np.minimum(image * np.float32(low), 1)


def corrupt(x: Array, noise: float, masked: float, *, seed: int = 0) -> Array:
    """Add Gaussian noise to a picture and set a share of its pixels to zero."""
    if not 0 <= noise <= 1 or not 0 <= masked < 1:
        raise SettingError(f"noise must be in 0..1 and masked in 0..1, got {noise} and {masked}")
    draw = np.random.default_rng(seed)
    noisy = x + np.float32(noise) * draw.standard_normal(x.shape, np.float32)
    return np.where(draw.random(x.shape) >= masked, noisy, np.float32(0))
