"""How the Latent clusters page's networks are trained: both side by side, so that their clusters form together."""

from collections.abc import Generator
from typing import Any

import numpy as np

from aecore import latent, store
from aecore.concepts.latent_clusters import (
    ASSET,
    MACHINES,
    PCA,
    PLAIN,
    SHOWN_MNIST,
    SIZES,
    VAE,
    ClusterMaps,
    ClusterSettings,
    Collection,
    asset_name,
    collection,
    first,
    to_tree,
)  # fmt: skip
from aecore.errors import SettingError, TooFewRows
from aecore.jobs import Cancelled
from aecore.numerics.dense import Array, decoder_of, encoder_of
from aecore.numerics.progress import relay
from aecore.numerics.ranking import roc_auc

Progress = dict[str, Any]

HIDDEN = (128, 64)
BATCH, RATE = 64, 3e-3
# Moments of training that a slider shows.
SHOWN_EPOCHS = 12
# Samples whose codes through training are kept.
SHOWN = 600
# Fewest samples that can be laid out.
FEWEST = 50
# Samples whose reconstruction is kept.
WORST = 10
# Codes sent after every epoch.
WATCHED = 500


def train(settings: ClusterSettings) -> Generator[Progress, None, dict[str, Any]]:
    """Lay out the digits that ship or MNIST; a job's task."""
    return (yield from lay_out(settings, collection(settings.source)))


def lay_out(settings: ClusterSettings, data: Collection) -> Generator[Progress, None, dict[str, Any]]:
    """Train an autoencoder and a VAE on data, PCA beside them; a job's task, private for a visitor's own.

    Yields ``{part, epoch, epochs, loss, progress, reconstruction, kl, codes, labels}`` once an epoch; returns the tree
    of `Clusters`. Cancelled while the VAE trains, it returns the VAE as it is by then.
    """
    learnt = _choose_training_rows(settings, data)
    shown = data if settings.source != "mnist" else first(data, SHOWN_MNIST)
    pca = latent.Principal.fit(learnt, settings.size)
    codes = {PCA: [pca.encode(shown.x)]}
    rebuilt = {PCA: pca.decode(codes[PCA][0])}
    moments = _moments(settings.epochs)
    for part, name in enumerate((PLAIN, VAE)):
        codes[name] = []
        try:
            for progress, now in _train_network(name, settings, learnt, shown, moments, codes[name]):
                encoder, decoder = now
                yield progress | {"progress": (part + 0.97 * progress["progress"]) / 2}
        except Cancelled:
            if name == PLAIN:  # there is no second network yet
                raise
            codes[name] += [encoder(shown.x)[:, : settings.size]] * (len(moments) - len(codes[name]))  # it stays so
        rebuilt[name] = decoder(encoder(shown.x)[:, : settings.size])
    yield progress | {"progress": 0.97, "part": "Measuring the maps"}
    return to_tree(_measure(settings, shown, codes, rebuilt, moments))


def _choose_training_rows(settings: ClusterSettings, data: Collection) -> Array:
    keep = ~data.held_out
    if settings.without is not None:
        if data.labels is None:
            raise SettingError("These data have no labels, so none can be left out; give them labels.")
        keep &= data.labels != settings.without
    if keep.sum() < FEWEST:
        raise TooFewRows(f"There are {keep.sum()} data to learn from and {FEWEST} are the least; bring more.")
    return data.x[keep]


def _moments(epochs: int) -> tuple[int, ...]:
    """Epochs to show, early ones closer together: that is when most happens."""
    steps = epochs * np.linspace(0, 1, SHOWN_EPOCHS) ** 2
    return tuple(int(e) for e in np.unique(np.rint(steps)))


def _train_network(
    name: str, settings: ClusterSettings, learnt: Array, shown: Collection, moments: tuple[int, ...], kept: list[Array]
) -> Generator[tuple[Progress, Any], None, None]:
    """Train one network, keeping codes [N, d] at the moments; yields progress and (encoder, decoder) so far."""
    import torch

    from aecore.concepts.latent_training import Plan, train_by
    from aecore.models import AutoEncoder, VariationalAutoEncoder, to_tree

    d, shape = settings.size, (learnt.shape[1],)
    common: dict[str, Any] = {
        "hidden": HIDDEN, "latent_dim": d, "activation": "silu", "seed": settings.seed, "reconstruction": "bce",
    }  # fmt: skip
    model = (
        AutoEncoder(shape, **common) if name == PLAIN else VariationalAutoEncoder(shape, beta=settings.beta, **common)
    )
    stages = tuple((r, c) for r, c in _stages(settings.epochs) if c)
    plan = Plan(stages, min(BATCH, len(learnt)), warm_up=settings.epochs // 10)
    kept.append(encoder_of(to_tree(model))(shown.x)[:, :d])
    for step in train_by(plan, model, torch.from_numpy(learnt), seed=settings.seed):
        tree = to_tree(model)
        encoder, decoder = encoder_of(tree), decoder_of(tree)
        seen = shown.x if step.epoch in moments else shown.x[:WATCHED]
        codes = encoder(seen)[:, :d]
        if step.epoch in moments:
            kept.append(codes)
        losses = step.report.losses
        progress = {
            "part": name, "epoch": step.epoch, "epochs": settings.epochs, "progress": step.epoch / settings.epochs,
            "loss": losses["total"], "reconstruction": losses["reconstruction"], "kl": losses.get("kl", 0.0),
            "codes": codes[:WATCHED, :2].astype(np.float16),
            "labels": None if shown.labels is None else shown.labels[:WATCHED],
        }  # fmt: skip
        yield progress, (encoder, decoder)


def _stages(epochs: int) -> tuple[tuple[float, int], ...]:
    first, second = -(-epochs // 2), epochs // 3
    return (RATE, first), (RATE / 4, second), (RATE / 16, epochs - first - second)


def _measure(
    settings: ClusterSettings, shown: Collection, codes: dict[str, list[Array]], rebuilt: dict[str, Array],
    moments: tuple[int, ...],
) -> ClusterMaps:  # fmt: skip
    judged = shown.held_out if shown.held_out.sum() >= FEWEST else np.ones(len(shown.x), np.bool_)
    labels = None if shown.labels is None else shown.labels[judged]
    last = {name: codes[name][-1] for name in MACHINES}
    errors = {name: ((rebuilt[name] - shown.x) ** 2).mean(1) for name in MACHINES}
    worst = {name: np.argsort(errors[name])[::-1][:WORST].copy() for name in MACHINES}
    auc = {}
    if settings.without is not None and shown.labels is not None:
        auc = {name: _measure_auc(errors[name], shown, settings.without) for name in MACHINES}
    return ClusterMaps(
        maps={name: latent.project(last[name], settings.projection, seed=settings.seed) for name in MACHINES},
        history={name: _history(codes[name]) for name in MACHINES},
        epochs=moments,
        measures={name: latent.organisation(last[name][judged], shown.x[judged], labels) for name in MACHINES},
        errors=errors,
        worst=worst,
        rebuilt={name: rebuilt[name][worst[name]] for name in MACHINES},
        auc=auc,
        projected=settings.projection if settings.size > 2 else None,
    )


def _history(codes: list[Array]) -> Array:
    """Codes [N, d] at each moment on one plane, [E, n, 2]: of more than two numbers, the last ones' main directions.

    Each moment is moved and scaled to mean 0 and spread 1: an untrained network's codes are a dot beside the last.
    """
    main = latent.Principal.fit(codes[-1], 2) if codes[-1].shape[1] > 2 else None
    drawn = []
    for now in codes:
        flat = latent.project(now[:SHOWN], "PCA") if main is None else main.encode(now[:SHOWN])
        centred = flat - flat.mean(0)
        drawn.append(centred / max(float(np.sqrt((centred**2).mean())), 1e-9))
    return np.stack(drawn).astype(np.float32)


def _measure_auc(errors: Array, shown: Collection, without: int) -> float:
    """Return the ROC AUC of the error as a sign of the label that was left out, on the test set."""
    assert shown.labels is not None
    strange = shown.labels == without
    known = ~strange & shown.held_out
    if not strange.any() or not known.any():
        raise SettingError(f"There is nothing of the label {without} among these data; leave out another one.")
    return roc_auc(strange[strange | known], errors[strange | known])


# ---------------------------------------------------------------------- what ships
def pretrain() -> Generator[Progress, None, None]:
    """Lay out the digits that ship with every code size and projection that the page opens at once."""
    trees = {}
    wanted = [
        ClusterSettings(size=size, projection=p) for size in SIZES for p in ("PCA", "t-SNE") if size > 2 or p == "PCA"
    ]
    for i, settings in enumerate(wanted):

        def change(progress: Progress, i: int = i, size: int = settings.size) -> Progress:
            return {"size": size, "progress": (i + progress["progress"]) / len(wanted), "loss": progress["loss"]}

        trees[asset_name(settings)] = yield from relay(train(settings), change)
    store.write(ASSET, trees)
