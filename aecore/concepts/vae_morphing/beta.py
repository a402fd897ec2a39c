"""Effect of beta: one VAE for each value, trained on the same data from the same first weights."""

from collections.abc import Generator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore import store
from aecore.concepts import vae_morphing as morphing
from aecore.concepts.vae_morphing import VAE
from aecore.concepts.vae_morphing.pictures import KINDS, flat, references
from aecore.errors import SettingError
from aecore.numerics.dense import Array
from aecore.paths import MODELS

BETAS = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
# Codes that are drawn.
SHOWN = 600
# Pictures a side of the decoded grid, and how far from the middle they are taken.
GRID, REACH = 5, 2.0
ASSET = MODELS / "beta.safetensors"


class BetaSweep(NamedTuple):
    """K networks, beta rising; every number is of held-out data."""

    betas: tuple[float, ...]
    reconstruction: NDArray[np.float64]  # [K], nats a datum, by the code's mean
    kl: NDArray[np.float64]  # [K], nats a datum
    codes: Array  # [K, n, 2]
    labels: NDArray[np.uint8]  # [n]
    names: tuple[str, ...]
    spread: NDArray[np.float64]  # [K], mean sigma of the posterior q(z given x)
    hole_share: NDArray[np.float64]  # [K], of the prior's central mass
    decoded: Array  # [K, 25, H, W], from the plane's square -2..2, the first at the top left
    inputs: Array  # [m, H, W], one of each kind
    rebuilt: Array  # [K, m, H, W]


def load_pretrained(kind: str) -> BetaSweep:
    """Read the runs that ship: ``"shapes"``, or ``"digits"`` (those of 8 x 8 that ship)."""
    if kind not in KINDS:
        raise SettingError(f"The data must be one of {', '.join(KINDS)}, got {kind!r}.")
    tree = store.read(ASSET)[kind]
    pictures = {name: tree[name].astype(np.float32) / np.float32(255) for name in ("decoded", "inputs", "rebuilt")}
    return BetaSweep(
        betas=tuple(tree["betas"]), reconstruction=np.array(tree["reconstruction"]), kl=np.array(tree["kl"]),
        codes=tree["codes"].astype(np.float32), labels=tree["labels"], names=tuple(tree["names"]),
        spread=np.array(tree["spread"]), hole_share=np.array(tree["hole_share"]), **pictures,
    )  # fmt: skip


def pretrain() -> Generator[dict[str, Any], None, None]:
    """Train and measure what `beta_sweep` reads."""
    trees = {}
    for kind in KINDS:
        trees[kind] = yield from _sweep(kind)
    store.write(ASSET, trees)


def _sweep(kind: str) -> Generator[dict[str, Any], None, dict[str, Any]]:
    from aecore.concepts.vae_morphing.training import MorphingSettings, map_of, new_model, train_network

    settings = MorphingSettings(kind=kind)
    data, live = settings.data(), settings.live(VAE)
    reference = references(data)
    inputs = np.stack([data.test[data.test_labels == k][0] for k in range(len(data.names))])
    at = np.linspace(-REACH, REACH, GRID)
    grid = np.stack([axis.ravel() for axis in np.meshgrid(at, at[::-1])], 1).astype(np.float32)
    runs: list[dict[str, Any]] = []
    for beta in BETAS:
        model = new_model(VAE, data.shape, settings.width, beta, settings.seed)
        for epoch, report in enumerate(train_network(live, model, data, settings.seed), 1):
            progress = (len(runs) + epoch / (live.placing + live.epochs)) / len(BETAS)
            yield {"beta": beta, "progress": progress, **report.losses}
        runs.append(_measure(map_of(VAE, model, data, reference), data.test[:SHOWN], grid, inputs))
    rows = {name: [run[name] for run in runs] for name in ("reconstruction", "kl", "spread", "hole_share")}
    arrays = {name: np.stack([run[name] for run in runs]) for name in ("codes", "decoded", "rebuilt")}
    labels, names = data.test_labels[:SHOWN], list(data.names)
    return {"betas": list(BETAS), "labels": labels, "names": names, "inputs": _bytes(inputs)} | rows | arrays


def _measure(plane: morphing.LatentPlane, test: Array, grid: Array, inputs: Array) -> dict[str, Any]:
    encoded = plane.encoder(flat(test))  # (n, 4)
    return {
        "reconstruction": plane.reconstruction, "kl": plane.kl, "hole_share": plane.hole_share,
        "spread": float(np.exp(0.5 * encoded[:, 2:]).mean()), "codes": encoded[:, :2].astype(np.float16),
        "decoded": _bytes(morphing.decode(plane, grid)),
        "rebuilt": _bytes(morphing.encode(plane, inputs).reconstruction),
    }  # fmt: skip


def _bytes(images: Array) -> NDArray[np.uint8]:
    return np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)
