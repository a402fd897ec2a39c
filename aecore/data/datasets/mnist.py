"""MNIST and Fashion-MNIST as torchvision lays them on disk: 70,000 grey pictures of 28 x 28 pixels each.

Y. LeCun, C. Cortes and C. J. C. Burges, *The MNIST database of handwritten digits* (1998); H. Xiao, K. Rasul and
R. Vollgraf, *Fashion-MNIST* (2017), https://arxiv.org/abs/1708.07747.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore import store
from aecore.errors import DatasetMissing, SettingError, UnreadableFile

Name = Literal["mnist", "fashion"]
FOLDERS: dict[str, str] = {"mnist": "MNIST", "fashion": "FashionMNIST"}  # torchvision's names for them
TITLES: dict[str, str] = {"mnist": "MNIST", "fashion": "Fashion-MNIST"}
PREFIXES = {True: "train", False: "t10k"}
COUNTS = {True: 60_000, False: 10_000}
SIDE = 28  # pixels
UNSIGNED_BYTES = 8  # the type code in an IDX header


class LabelledImages(NamedTuple):
    """``images`` uint8 [N, 28, 28], 255 being ink; ``labels`` uint8 [N] in 0..9."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]


def folder() -> Path:
    """Where pictures lie: ``$AECORE_DATASETS``, or a part of the user's cache folder."""
    return Path(os.environ.get("AECORE_DATASETS") or store.folder() / "datasets")


def present(root: str | os.PathLike[str] | None = None, name: str = "mnist") -> bool:
    """Whether both parts are there, by the sizes of their files."""
    return all(
        _file(root, name, train, kind).is_file() and _file(root, name, train, kind).stat().st_size == size
        for train in (True, False)
        for kind, size in _sizes(train).items()
    )


def load(root: str | os.PathLike[str] | None = None, name: str = "mnist", *, train: bool = True) -> LabelledImages:
    """Read the 60,000 training or the 10,000 test pictures; nothing is downloaded.

    Parameters
    ----------
    root : folder as torchvision takes it, holding ``MNIST/raw/...``; None for the user's cache.
    name : ``"mnist"`` or ``"fashion"``.

    Raises
    ------
    DatasetMissing
        where a file is not there; `aecore.data.datasets.mnist_download` brings them.
    UnreadableFile
        where one is not what it should be.
    """
    images = _read(_file(root, name, train, "images-idx3"), (COUNTS[train], SIDE, SIDE))
    labels = _read(_file(root, name, train, "labels-idx1"), (COUNTS[train],))
    return LabelledImages(images, labels)


def _sizes(train: bool) -> dict[str, int]:
    """Bytes of each file: a header of 4 bytes and 4 for every dimension, and a byte a value."""
    return {"images-idx3": 16 + COUNTS[train] * SIDE * SIDE, "labels-idx1": 8 + COUNTS[train]}


def _file(root: str | os.PathLike[str] | None, name: str, train: bool, kind: str) -> Path:
    if name not in FOLDERS:
        raise SettingError(f"name must be one of {', '.join(FOLDERS)}, got {name!r}")
    return Path(folder() if root is None else root) / FOLDERS[name] / "raw" / f"{PREFIXES[train]}-{kind}-ubyte"


def _read(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes: two zeros, type, number of dimensions, sizes (big-endian), values."""
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise DatasetMissing(f"{path.name} is not on this machine; download the data set first.") from error
    except OSError as error:
        raise UnreadableFile(
            f"{path.name} cannot be read ({error.strerror}); check the folder's permissions."
        ) from error
    header = bytes([0, 0, UNSIGNED_BYTES, len(shape)]) + np.array(shape, dtype=">u4").tobytes()
    if not data.startswith(header) or len(data) != len(header) + int(np.prod(shape)):
        raise UnreadableFile(
            f"{path.name} does not hold {shape[0]:,} pictures or labels; delete it and download it again."
        )
    return np.frombuffer(data, np.uint8, offset=len(header)).reshape(shape)
