"""Training, validation and test pictures of the page's networks, and the ten pictures that it shows."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aecore.data.datasets import digits, drawn_digits, mnist
from aecore.errors import SettingError

MNIST, FASHION, SHIPPED = "mnist", "fashion", "shipped"
SOURCES = (MNIST, FASHION, SHIPPED)
# Training pictures that are set aside for validation.
HELD_OUT = 5_000
CLASSES = {
    FASHION: ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot"),
}  # fmt: skip
DIGITS = tuple("0123456789")


class Pictures(NamedTuple):
    """Pictures uint8 [N, 28, 28], 255 being ink, in three parts that share none; ``labels`` are the test part's."""

    train: NDArray[np.uint8]
    validation: NDArray[np.uint8]
    test: NDArray[np.uint8]
    labels: NDArray[np.uint8]


def names(source: str) -> tuple[str, ...]:
    """Name the ten classes."""
    return CLASSES.get(source, DIGITS)


def available(source: str) -> bool:
    """Whether the pictures are on this machine."""
    return source == SHIPPED or mnist.present(name=source)


def load(source: str) -> Pictures:
    """Read a source's pictures; raises `DatasetMissing` where they are not on this machine."""
    if source not in SOURCES:
        raise SettingError(f"source must be one of {', '.join(SOURCES)}, got {source!r}")
    if source == SHIPPED:
        return _load_digits()
    learn, test = mnist.load(name=source), mnist.load(name=source, train=False)
    return Pictures(learn.images[:-HELD_OUT], learn.images[-HELD_OUT:], test.images, test.labels)


def load_watched(source: str) -> NDArray[np.uint8]:
    """Load ten test pictures, one a class: digits drawn for this project; for Fashion, of its test part."""
    if source != FASHION:
        return drawn_digits.load()
    test = mnist.load(name=source, train=False)
    return np.stack([test.images[np.flatnonzero(test.labels == label)[0]] for label in range(10)])


def _load_digits() -> Pictures:
    """scikit-learn's 1,797 digits of 8 x 8 pixels, enlarged to MNIST's frame."""
    rest, test = digits.split(seed=0)
    train, validation = digits.split(rest, test_share=0.1, seed=0)
    return Pictures(
        _enlarge(train.images), _enlarge(validation.images), _enlarge(test.images), test.labels.astype(np.uint8)
    )


def _enlarge(images: NDArray[np.float32]) -> NDArray[np.uint8]:
    """``[N, 8, 8]`` in 0..1 -> uint8 [N, 28, 28]: 20 x 20 by cubic interpolation, in the middle."""
    out = np.zeros((len(images), mnist.SIDE, mnist.SIDE), np.uint8)
    edge = (mnist.SIDE - drawn_digits.BOX) // 2
    for i, image in enumerate(np.rint(images * 255).astype(np.uint8)):
        large = Image.fromarray(image).resize((drawn_digits.BOX, drawn_digits.BOX), Image.Resampling.BICUBIC)
        out[i, edge:-edge, edge:-edge] = np.asarray(large)
    return out
