"""Latent clusters: the same data as PCA, an autoencoder and a VAE lay them out, all trained without labels."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore import latent, store
from aecore.data.datasets import digits, mnist
from aecore.data.readers import vectors
from aecore.data.readers.parsed import ParsedFile
from aecore.errors import SettingError
from aecore.jobs import Held
from aecore.numerics.dense import Array
from aecore.paths import MODELS

PCA, PLAIN, VAE = "PCA", "Autoencoder", "VAE"
MACHINES = (PCA, PLAIN, VAE)
IDS = {"pca": PCA, "autoencoder": PLAIN, "vae": VAE}  # as links name them
SOURCES = ("digits", "mnist", "own")
# Latent sizes.
SIZES = (2, 3, 4, 8, 16, 32)
MAX_BETA, MAX_EPOCHS = 8.0, 300
ASSET = MODELS / "latent_clusters.safetensors"


@dataclass(frozen=True, kw_only=True)
class ClusterSettings:
    """Which data, latent size, the projection above 2, a label to leave out, and how it is trained."""

    source: str = "digits"
    size: int = 2
    projection: str = "PCA"
    without: int | None = None
    beta: float = 0.1  # gentle: at 1 and in two dimensions, small digits lose their differences to the prior
    epochs: int = 60
    seed: int = 0

    def __post_init__(self) -> None:
        if self.source not in SOURCES:
            raise SettingError(f"The data must be one of {', '.join(SOURCES)}, got {self.source!r}.")
        if not 1 <= self.size <= 64:
            raise SettingError(f"size must be in 1..64, got {self.size}; choose one inside.")
        if self.projection not in latent.projections():
            known = ", ".join(latent.projections())
            raise SettingError(f"The projection must be one of {known}, got {self.projection!r}.")
        if self.without is not None and not 0 <= self.without <= 255:
            raise SettingError(f"without must be a label in 0..255 or None, got {self.without}.")
        if not 0 <= self.beta <= MAX_BETA:
            raise SettingError(f"beta must be in 0..{MAX_BETA:g}, got {self.beta}; choose one inside.")
        if not 1 <= self.epochs <= MAX_EPOCHS:
            raise SettingError(f"epochs must be in 1..{MAX_EPOCHS}, got {self.epochs}; choose some inside.")


class Collection(NamedTuple):
    """Data to lay out: vectors in 0..1, what is known of them, and how they look."""

    x: Array  # [N, D], each number in 0..1
    labels: NDArray[np.uint8] | None  # [N], a kind's place in ``names``
    names: tuple[str, ...]
    shape: tuple[int, int] | None  # of a picture, where the vectors are pictures
    held_out: NDArray[np.bool_]  # [N], the test set

    def pictures(self) -> Array | None:
        """[N, H, W], where the vectors are pictures."""
        return None if self.shape is None else self.x.reshape(len(self.x), *self.shape)


class ClusterMaps(NamedTuple):
    """Three maps of the same data and how good they are."""

    maps: dict[str, Array]  # [N, 2] of each machine
    history: dict[str, Array]  # [E, n, 2] of each machine through training, of the first n data; PCA's [1, n, 2]
    epochs: tuple[int, ...]  # that the history shows; 0 is before training
    measures: dict[str, latent.Organisation]  # of the codes themselves, on held-out data
    errors: dict[str, Array]  # [N], mean squared error of each datum
    worst: dict[str, NDArray[np.int64]]  # [m], rows of the data that each machine rebuilds worst, the worst first
    rebuilt: dict[str, Array]  # [m, D], what it makes of those
    auc: dict[str, float]  # of telling the left-out label by its error; empty where none was left out
    projected: str | None  # the projection's name, where the codes have more than two numbers


def from_tree(tree: dict[str, Any]) -> ClusterMaps:
    """Read what the training returns."""
    return ClusterMaps(
        _single(tree["maps"]), _single(tree["history"]), tuple(tree["epochs"]),
        {name: latent.Organisation(**values) for name, values in tree["measures"].items()},
        _single(tree["errors"]), {name: rows.astype(np.int64) for name, rows in tree["worst"].items()},
        {name: r.astype(np.float32) / np.float32(255) for name, r in tree["rebuilt"].items()},
        tree["auc"], tree["projected"],
    )  # fmt: skip


def to_tree(made: ClusterMaps) -> dict[str, Any]:
    """Plain values and arrays, at half precision and in 256 levels."""
    halves = {
        field: {name: values.astype(np.float16) for name, values in getattr(made, field).items()}
        for field in ("maps", "history", "errors")
    }
    measures = {name: measured._asdict() for name, measured in made.measures.items()}
    rebuilt = {name: np.rint(np.clip(r, 0, 1) * 255).astype(np.uint8) for name, r in made.rebuilt.items()}
    return made._asdict() | halves | {"measures": measures, "rebuilt": rebuilt}


def _single(arrays: dict[str, Any]) -> dict[str, Array]:
    return {name: values.astype(np.float32) for name, values in arrays.items()}


# ---------------------------------------------------------------------- data
SHOWN_MNIST, LEARNT_MNIST = 2000, 10_000  # of MNIST: what a browser draws at ease, and what trains in a minute


def collection(source: str) -> Collection:
    """Return the digits that ship, or MNIST where it has been downloaded."""
    if source == "mnist":
        return _mnist()
    parts = digits.split(seed=0)
    images = np.concatenate([parts.train.images, parts.test.images])
    labels = np.concatenate([parts.train.labels, parts.test.labels]).astype(np.uint8)
    held_out = np.arange(len(images)) >= len(parts.train.images)
    return _shuffle(Collection(images.reshape(len(images), -1), labels, _digit_names(), (8, 8), held_out))


def _mnist() -> Collection:
    train, test = mnist.load(train=True), mnist.load(train=False)
    images = np.concatenate([test.images[:SHOWN_MNIST], train.images[:LEARNT_MNIST]])
    labels = np.concatenate([test.labels[:SHOWN_MNIST], train.labels[:LEARNT_MNIST]])
    x = images.reshape(len(images), -1).astype(np.float32) / np.float32(255)
    return Collection(x, labels, _digit_names(), (28, 28), np.arange(len(x)) < SHOWN_MNIST)


def _shuffle(data: Collection) -> Collection:
    """Shuffle, so that the first n are a fair sample."""
    order = np.random.default_rng(0).permutation(len(data.x))
    labels = None if data.labels is None else data.labels[order]
    return data._replace(x=data.x[order], labels=labels, held_out=data.held_out[order])


def _digit_names() -> tuple[str, ...]:
    return tuple(str(d) for d in range(10))


def own_collection(
    x: NDArray[Any], labels: NDArray[np.uint8] | None, names: tuple[str, ...], shape: tuple[int, int] | None
) -> Collection:
    """Scale a visitor's vectors [N, D] into 0..1, column by column unless they are pictures; a fifth is held out."""
    x = np.asarray(x, np.float64)
    if shape is None:
        low, high = x.min(0), x.max(0)
        x = (x - low) / np.where(high > low, high - low, 1)
    held_out = np.arange(len(x)) % 5 == 4
    return _shuffle(Collection(x.astype(np.float32), labels, names, shape, held_out))


def first(data: Collection, count: int) -> Collection:
    """Return the first data of a collection."""
    labels = None if data.labels is None else data.labels[:count]
    return data._replace(x=data.x[:count], labels=labels, held_out=data.held_out[:count])


class Brought(NamedTuple):
    """A visitor's data, the columns that may hold labels, the one that does ("" where none), and notes."""

    data: Collection
    columns: tuple[str, ...]
    label: str
    notes: tuple[str, ...]


def read_own(name: str, data: bytes) -> Generator[dict[str, float], None, Held]:
    """Read a visitor's file; a job's task, private and isolated. Returns `Brought` and holds the table."""
    yield {"progress": 0.0}
    parsed = vectors.parse(name, data)
    return Held(_bring(name, parsed, None), parsed if isinstance(parsed, ParsedFile) else None)


def label_own(name: str, parsed: ParsedFile, label: str) -> Generator[dict[str, float], None, Brought]:
    """Take the labels of a table that `read_own` holds from another column ("": none); a job's task, private."""
    yield {"progress": 0.0}
    return _bring(name, parsed, label)


def _bring(name: str, parsed: vectors.Vectors | ParsedFile, label: str | None) -> Brought:
    found = vectors.interpret(name, parsed, label)
    made = own_collection(found.x, found.labels, found.names, found.shape)
    return Brought(made, found.columns, found.label, found.notes)


# ---------------------------------------------------------------------- what ships
def load_pretrained(settings: ClusterSettings) -> ClusterMaps | None:
    """Read the result for the digits that ship as the page opens, and for other code sizes; None for the rest."""
    plain = ClusterSettings(size=settings.size, projection=settings.projection)
    if settings != plain:
        return None
    tree = store.read(ASSET).get(asset_name(settings))
    return None if tree is None else from_tree(tree)


def asset_name(settings: ClusterSettings) -> str:
    """Name a result in the asset."""
    return f"{settings.size} {settings.projection if settings.size > 2 else 'PCA'}"
