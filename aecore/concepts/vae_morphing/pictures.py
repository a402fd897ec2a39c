"""Training data of the VAE morphing page: drawn shapes and digits, and pictures resized to match."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore import latent
from aecore.data.datasets import digits
from aecore.data.datasets.shapes import ShapeFamily
from aecore.numerics.dense import Array

KINDS = ("shapes", "digits")
EXAMPLES = 5  # of each kind, to start a walk from
SHAPES_TO_LEARN, SHAPES_TO_TEST = 600, 600
HELD_OUT = 3000  # enough for a 99th percentile, and MNIST's take a minute
LEARN_SEED, TEST_SEED = 1_000_000, 2_000_000
PAPER, CONTRAST = 0.3, 1.8  # what enlarging blurs is made sharp again: with these, there is as much ink as in MNIST


class MorphingData(NamedTuple):
    """Training and test pictures, and the names of their labels."""

    train: Array  # [N, H, W], 0..1
    train_labels: NDArray[np.uint8]
    test: Array  # [M, H, W]
    test_labels: NDArray[np.uint8]
    names: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        height, width = self.train.shape[1:]
        return height, width


def shapes_data() -> MorphingData:
    """Draw figures of six kinds."""
    family = ShapeFamily()
    train, test = family.draw(SHAPES_TO_LEARN, seed=LEARN_SEED), family.draw(SHAPES_TO_TEST, seed=TEST_SEED)
    return MorphingData(train.images, train.labels, test.images, test.labels, family.kinds)


def digits_data() -> MorphingData:
    """Return the digits that ship, 8 x 8, four fifths of them to learn from."""
    train, test = digits.split(seed=0)
    names = tuple(str(d) for d in range(10))
    return MorphingData(train.images, train.labels.astype(np.uint8), test.images, test.labels.astype(np.uint8), names)


def examples_of(data: MorphingData) -> tuple[Array, NDArray[np.uint8]]:
    """Take the first few held-out pictures of each kind, [n, H, W] and their labels [n]."""
    rows = np.concatenate([np.flatnonzero(data.test_labels == k)[:EXAMPLES] for k in range(len(data.names))])
    return data.test[rows], data.test_labels[rows]


def as_mnist(images: Array) -> Array:
    """Bring pictures [n, h, w] to 28 x 28 as MNIST was made: 20 x 20 inside, the centre of mass in the middle."""
    from scipy.ndimage import shift, zoom

    made = np.zeros((len(images), 28, 28), np.float32)
    for i, image in enumerate(images):
        ink = np.argwhere(image > 0.05)
        if not len(ink):
            continue
        (top, left), (bottom, right) = ink.min(0), ink.max(0) + 1
        cut = image[top:bottom, left:right]
        factor = 20 / max(cut.shape)
        inside = np.clip(zoom(cut, factor, order=1 if factor < 1 else 3, grid_mode=True, mode="grid-constant"), 0, 1)
        h, w = inside.shape
        made[i, 14 - h // 2 : 14 - h // 2 + h, 14 - w // 2 : 14 - w // 2 + w] = inside
        grid = np.indices((28, 28)) - 13.5
        off = (grid * made[i]).sum((1, 2)) / made[i].sum()
        made[i] = np.clip((shift(made[i], -off, order=1) - PAPER) * CONTRAST, 0, 1)
    return made


def resize(images: Array, shape: tuple[int, int]) -> Array:
    """Bring pictures [n, h, w] to another size, averaging where they shrink."""
    if images.shape[1:] == shape:
        return images
    rows, columns = (_averaging(old, new) for old, new in zip(images.shape[1:], shape, strict=True))
    return np.asarray(rows @ images @ columns.T, np.float32)


def _averaging(old: int, new: int) -> Array:
    """Matrix [new, old] that averages ``old`` pixels into ``new`` equal stretches."""
    edges = np.linspace(0, old, new + 1)
    pixels = np.arange(old)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    weights = np.maximum(overlap, 0)
    return np.asarray(weights / weights.sum(1, keepdims=True), np.float32)


def references(data: MorphingData) -> latent.Reference:
    """Real data and the distance beyond which nothing is one of them; seconds for large data."""
    return latent.Reference.fit(flat(data.train), flat(data.test[:HELD_OUT]))


def flat(images: Array) -> Array:
    """``[N, H, W] -> [N, H * W]``."""
    return images.reshape(len(images), -1)
