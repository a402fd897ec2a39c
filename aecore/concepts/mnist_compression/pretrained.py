"""Pre-trained networks of six code sizes, and the table of other methods at the same bytes."""

import functools
from collections.abc import Generator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore import store
from aecore.concepts.mnist_compression import pictures
from aecore.concepts.mnist_compression.budget import BudgetRow, as_pixels, compare, fit_pca, rebuild
from aecore.concepts.mnist_compression.settings import CompressionNetwork, CompressionTraining, Tree
from aecore.data.datasets import drawn_digits
from aecore.numerics.pca import Principal
from aecore.paths import MODELS

ASSET = MODELS / "mnist_compression.safetensors"
SIZES = (2, 4, 8, 16, 32, 64)
# Half of what the page trains, as six networks are shipped.
WIDTH = 256
TRAINING = CompressionTraining(epochs=4, batch_size=128, learning_rate=2e-3)
AUTOENCODER = "Autoencoder"


class Size(NamedTuple):
    """One code size: the table's rows, and what each row's method makes of the ten digits, uint8 [10, 28, 28]."""

    rows: list[BudgetRow]
    shown: dict[str, NDArray[np.uint8]]


class ErrorCurve(NamedTuple):
    """Squared error of the 10,000 test digits at each code size, numbers not rounded."""

    sizes: list[int]
    autoencoder: list[float]
    pca: list[float]


@functools.cache
def _asset() -> Tree:
    tree: Tree = store.read(ASSET)
    return tree


def load_sizes() -> dict[int, Size]:
    """Read all code sizes; costs milliseconds and no torch."""
    return {
        int(k): Size([BudgetRow.from_tree(row) for row in entry["rows"]], entry["shown"])
        for k, entry in _asset()["sizes"].items()
    }


def load_curve() -> ErrorCurve:
    """Read the errors against the code size."""
    return ErrorCurve(**_asset()["curve"])


def load_model(k: int) -> Tree:
    """Read the trained network of a code size, as `aecore.models.from_tree` takes it."""
    tree: Tree = _asset()["sizes"][str(k)]["model"]
    return tree | {"weights": {name: w.astype(np.float32) for name, w in tree["weights"].items()}}


def pretrain() -> Generator[dict[str, Any], None, None]:
    """Train what ships on MNIST, which must be on this machine (``$AECORE_DATASETS`` or the cache)."""
    data = pictures.load(pictures.MNIST)
    pca, ten = fit_pca(data.train), drawn_digits.load()
    entries: Tree = {}
    errors: dict[str, list[float]] = {"autoencoder": [], "pca": []}
    for i, k in enumerate(SIZES):
        result = yield from _train_size(i, k)
        weights = {name: w.astype(np.float16) for name, w in result["model"]["weights"].items()}
        compared = compare(k, pca, data.train, data.test, ten)
        entries[str(k)] = {
            "model": result["model"] | {"weights": weights},
            "rows": [result["judged"]["row"], *(row.tree() for row in compared.rows)],
            "shown": {result["judged"]["row"]["method"]: result["film"][-1], **compared.shown},
            "settings": {"epochs": TRAINING.epochs, "mse_on_validation": result["history"]["mse"][-1]},
        }
        errors["autoencoder"].append(result["judged"]["mse"])
        errors["pca"].append(_pca_error(pca.keep(k), data.test))
    store.write(ASSET, {"sizes": entries, "curve": {"sizes": list(SIZES), **errors}})


def _train_size(i: int, k: int) -> Generator[dict[str, Any], None, Tree]:
    from aecore.concepts.mnist_compression.training import CompressionRun

    run = CompressionRun(CompressionNetwork(latent_dim=k, width=WIDTH), TRAINING, None)
    for progress in run.epochs():
        yield {
            "k": k, "epoch": progress["epoch"], "mse": progress["mse"] or float("nan"),
            "progress": (i + progress["progress"]) / len(SIZES),
        }  # fmt: skip
    return run.result()


def _pca_error(pca: Principal, test: NDArray[np.uint8]) -> float:
    errors = []
    for part in np.array_split(test, 10):
        x = as_pixels(part)
        errors.append(np.square(rebuild(pca, x) - x).mean(dtype=np.float64))
    return float(np.mean(errors))
