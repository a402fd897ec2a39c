"""Pre-training: an encoder that learnt without labels, and what a few labels are worth on top of it."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from aecore import store
from aecore.concepts.applications import asset
from aecore.data.simulators.recording import one_of
from aecore.errors import SettingError
from aecore.latent import Principal
from aecore.numerics.dense import DenseNetwork

Array = NDArray[np.float32]
Labels = NDArray[np.int64]
Task = Literal["digits", "machine faults"]
TASKS: tuple[Task, ...] = get_args(Task)
RAW, PCA, CODES = "raw values", "PCA", "codes"
SCRATCH, TUNED = "network from scratch", "network, pre-trained"
PROBES = (RAW, PCA, CODES)
MOST = 100  # labels of a class
LEVELS = (1, 3, 10, 30, 100)
COMPONENTS: dict[Task, int] = {"digits": 32, "machine faults": 16}  # of PCA, and numbers in the code
WEIGHTS = (0.01, 0.1, 1.0, 10.0, 100.0)  # of the ridge penalty, tried on the validation split


class Labelled(NamedTuple):
    """Data [N, D] and their classes [N]."""

    x: Array
    y: Labels


class Material(NamedTuple):
    """A pool to learn from, of which labels are drawn; a validation split to tune on; and a test split."""

    pool: Labelled
    validation: Labelled
    test: Labelled
    names: tuple[str, ...]


class Features(NamedTuple):
    """The same data as one method sees them: pool, validation, test, each [N, k]."""

    pool: Array
    validation: Array
    test: Array


@dataclass(frozen=True, kw_only=True)
class Labelling:
    """How many labels each class gets (1..100), and which data they fall on."""

    task: Task = "digits"
    per_class: int = 3
    draw: int = 0

    def __post_init__(self) -> None:
        one_of("task", self.task, TASKS)
        if not 1 <= self.per_class <= MOST:
            raise SettingError(f"per_class must be in 1..{MOST}, got {self.per_class}; choose a number inside.")
        if self.draw < 0:
            raise SettingError(f"draw must be 0 or more, got {self.draw}; choose another.")


def features(material: Material, encoder: DenseNetwork) -> dict[str, Features]:
    """Return the data as they are, their principal components, and the encoder's codes: the latter fitted to no label.

    Components and codes are of the same number.
    """
    parts = material.pool.x, material.validation.x, material.test.x
    principal = Principal.fit(material.pool.x, encoder.outputs)
    return {
        RAW: Features(*parts),
        PCA: Features(*(principal.encode(x) for x in parts)),
        CODES: Features(*(encoder(x) for x in parts)),
    }


def labelled(material: Material, labelling: Labelling) -> NDArray[np.int64]:
    """Rows of the pool that get a label, as many of each class; a smaller draw is the beginning of a larger one."""
    rng = np.random.default_rng(labelling.draw)
    rows = [rng.permutation(np.flatnonzero(material.pool.y == kind)) for kind in range(len(material.names))]
    return np.concatenate([of[: labelling.per_class] for of in rows])


def probe(seen: Array, labels: Labels, asked: Array, classes: int, weight: float) -> Labels:
    """Classes [M] of ``asked`` [M, k] by ridge regression on one-hot labels of ``seen`` [N, k], the mean left free.

    ``W = (X'X + weight I)^-1 X'Y`` of centred, commonly scaled data: Hastie, Tibshirani & Friedman, *The Elements of
    Statistical Learning* (2009), sections 3.4.1 and 4.2.
    """
    mean, scale = seen.mean(0), seen.std() + 1e-9
    x, y = ((seen - mean) / scale).astype(np.float64), np.eye(classes)[labels]
    penalty = weight * np.eye(len(x) if len(x) < x.shape[1] else x.shape[1])
    offset = y.mean(0)
    if len(x) < x.shape[1]:  # the same solution, by the smaller of two systems
        solved = x.T @ np.linalg.solve(x @ x.T + penalty, y - offset)
    else:
        solved = np.linalg.solve(x.T @ x + penalty, x.T @ (y - offset))
    return np.asarray((((asked - mean) / scale) @ solved + offset).argmax(1))


class Probed(NamedTuple):
    """Share of the test data that a probe names rightly, and the penalty that the validation split chose."""

    accuracy: float
    weight: float


def probed(material: Material, seen: Features, rows: NDArray[np.int64]) -> Probed:
    """Fit a linear probe on the labelled rows, its penalty chosen on the validation split, and judge it on the test."""
    labels, classes = material.pool.y[rows], len(material.names)

    def right(asked: Array, truth: Labels, weight: float) -> float:
        return float((probe(seen.pool[rows], labels, asked, classes, weight) == truth).mean())

    weight = max(WEIGHTS, key=lambda w: right(seen.validation, material.validation.y, w))
    return Probed(right(seen.test, material.test.y, weight), weight)


# ---------------------------------------------------------------------- what ships
class Shipped(NamedTuple):
    """One task's data and the encoder that learnt from its pool."""

    material: Material
    encoder: DenseNetwork


def shipped() -> dict[Task, Shipped]:
    """Read what ships; milliseconds and no torch."""
    tree = store.read(asset("pretraining"))
    return {task: _from_tree(tree[task]) for task in TASKS}


def _from_tree(tree: dict[str, Any]) -> Shipped:
    parts = [
        Labelled(part["x"].astype(np.float32) / np.float32(part["scale"]), part["y"].astype(np.int64))
        for part in tree["parts"]
    ]
    material = Material(parts[0], parts[1], parts[2], tuple(tree["names"]))
    return Shipped(material, DenseNetwork.from_tree(tree["encoder"]))


def to_tree(ships: Shipped) -> dict[str, Any]:
    """Plain values and arrays: data as integers of a common scale, weights at half precision."""
    parts = []
    for part in ships.material[:3]:
        scale = 16.0 if part.x.min() >= 0 and part.x.max() <= 1 else 8_192.0
        kind = np.uint8 if scale == 16.0 else np.int16
        x = np.clip(np.rint(part.x * scale), np.iinfo(kind).min, np.iinfo(kind).max).astype(kind)
        parts.append({"x": x, "y": part.y.astype(np.uint8), "scale": scale})
    names = list(ships.material.names)
    return {"parts": parts, "names": names, "encoder": ships.encoder.to_tree(np.float16)}
