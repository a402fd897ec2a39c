"""The 1,797 handwritten digits that ship with scikit-learn: 8 x 8 pixels, there without any network.

From E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning Repository
(its test part), https://doi.org/10.24432/C50P49.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.errors import SettingError

LEVELS = 16.0  # the images count inked pixels in blocks of 4 x 4


class Digits(NamedTuple):
    """``images`` float32 [N, H, W] in 0..1, 1 being ink; ``labels`` int64 [N] in 0..9."""

    images: NDArray[np.float32]
    labels: NDArray[np.int64]


class Split(NamedTuple):
    """Digits to learn from, and others to be judged by."""

    train: Digits
    test: Digits


@cache
def load() -> Digits:
    """Return all 1,797 digits, images [1797, 8, 8]; read once, and read-only because every caller shares them."""
    from sklearn.datasets import load_digits  # a second to import: only when first asked for

    data = load_digits()
    images = np.asarray(data.images / LEVELS, dtype=np.float32)  # [N, 8, 8]
    labels = np.asarray(data.target, dtype=np.int64)  # [N]
    images.flags.writeable = labels.flags.writeable = False
    return Digits(images, labels)


def split(digits: Digits | None = None, *, test_share: float = 0.2, seed: int = 0) -> Split:
    """Split digit by digit at random, so that both parts hold every digit in the same proportion.

    `digits` are those of `load` unless given; raises `SettingError` for a share outside 0.05..0.5.
    """
    if not 0.05 <= test_share <= 0.5:
        raise SettingError(f"test_share must be in 0.05..0.5, got {test_share}; choose one inside.")
    images, labels = load() if digits is None else digits
    rng = np.random.default_rng(seed)
    held_out = np.zeros(len(labels), dtype=np.bool_)
    for digit in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == digit))
        held_out[members[: round(test_share * len(members))]] = True
    return Split(Digits(images[~held_out], labels[~held_out]), Digits(images[held_out], labels[held_out]))
