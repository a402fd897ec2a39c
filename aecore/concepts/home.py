"""Home's figure: ten handwritten digits squeezed through k numbers, for every k, by one trained network."""

from collections.abc import Generator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore import store
from aecore.numerics.pca import Principal
from aecore.paths import MODELS

ASSET = MODELS / "home.safetensors"
LATENT_DIM = 16  # a quarter of the 64 pixels: beyond, the eye sees no more improvement
EPOCHS, BATCH, LEARNING_RATE, WEIGHT_SEED = 400, 64, 2e-3, 0


class DigitsByCodeSize(NamedTuple):
    """One held-out digit of each class; row k of ``rebuilt`` is what k numbers keep of it."""

    images: NDArray[np.float32]  # [10, 8, 8], 0..1
    rebuilt: NDArray[np.float32]  # [10, K, 8, 8]
    codes: NDArray[np.float32]  # [10, K - 1]
    kept: NDArray[np.float64]  # [K], share of the held-out digits' variance that k numbers keep
    kept_by_pca: NDArray[np.float64]  # [K]


def load() -> DigitsByCodeSize:
    """Read what ships; costs milliseconds and no torch."""
    tree: dict[str, Any] = store.read(ASSET)
    return DigitsByCodeSize(
        tree["images"] / np.float32(255), tree["rebuilt"] / np.float32(255), tree["codes"],
        np.array(tree["kept"]), np.array(tree["kept_by_pca"]),
    )  # fmt: skip


def pretrain() -> Generator[dict[str, float], None, None]:
    """Train the network on four fifths of scikit-learn's digits and write the asset, weights included."""
    import torch

    from aecore.data.datasets import digits
    from aecore.models import NestedAutoEncoder, to_tree
    from aecore.training import fit

    train, test = digits.split(seed=0)
    model = NestedAutoEncoder(
        (8, 8), hidden=(128, 64), latent_dim=LATENT_DIM, reconstruction="mse", activation="silu", seed=WEIGHT_SEED
    )
    x, held_out = torch.from_numpy(train.images.copy()), torch.from_numpy(test.images.copy())
    for report in fit(
        model, x, epochs=EPOCHS, batch_size=BATCH, learning_rate=LEARNING_RATE, validation=held_out, seed=0
    ):
        assert report.validation is not None
        yield {"progress": report.progress, "loss": report.losses["total"], "validation": report.validation["total"]}
    with torch.inference_mode():
        codes = model.encode(held_out)  # [N, 16]
        rebuilt = torch.stack([model.decode(model.keep(codes, k)) for k in range(LATENT_DIM + 1)], 1)  # [N, K, 8, 8]
    shown = [int(np.flatnonzero(test.labels == digit)[0]) for digit in range(10)]
    store.write(ASSET, {
        "images": _bytes(test.images[shown]), "rebuilt": _bytes(rebuilt.numpy()[shown]), "codes": codes.numpy()[shown],
        "kept": _explained_variance(test.images, rebuilt.numpy(), train.images).tolist(),
        "kept_by_pca": _explained_variance(test.images, _pca(train.images, test.images), train.images).tolist(),
        "model": to_tree(model),
        "settings": {"epochs": EPOCHS, "batch_size": BATCH, "learning_rate": LEARNING_RATE},
    })  # fmt: skip


def _bytes(images: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)


def _explained_variance(
    x: NDArray[np.float32], rebuilt: NDArray[np.float32], train: NDArray[np.float32]
) -> NDArray[np.float64]:
    """1 - squared error over the squared distance to the training mean, at each k: [N, ...], [N, K, ...] -> [K]."""
    error = ((rebuilt - x[:, None]) ** 2).sum((0, 2, 3), dtype=np.float64)
    return 1 - error / ((x - train.mean(0)) ** 2).sum(dtype=np.float64)


def _pca(train: NDArray[np.float32], x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Reconstruct ``x`` from 0..16 principal components of ``train``: [N, K, 8, 8]."""
    whole, flat = Principal.fit(train.reshape(len(train), -1), LATENT_DIM), x.reshape(len(x), -1)
    parts = [pca.decode(pca.encode(flat)) for pca in map(whole.keep, range(LATENT_DIM + 1))]
    return np.stack(parts, 1).reshape(len(x), LATENT_DIM + 1, 8, 8)
