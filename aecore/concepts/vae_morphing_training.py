"""How the VAE morphing page's two networks are trained, for a visitor in seconds and for what ships in minutes."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from aecore import latent
from aecore.concepts import vae_morphing as morphing
from aecore.concepts import vae_morphing_data as pictures
from aecore.concepts.dense import Array, decoder_of, encoder_of
from aecore.concepts.vae_morphing import PLAIN, SPAN, VAE, Map, Morphing
from aecore.concepts.vae_morphing_data import KINDS, Data, flat
from aecore.errors import SettingError

if TYPE_CHECKING:
    from aecore.concepts.latent_training import Plan

Progress = dict[str, Any]

WATCHED = 1000  # codes drawn after every epoch: more do not fit between one epoch and the next on a slow line
SHIPPED_CODES = 10_000
MAX_BETA, MAX_EPOCHS, MIN_WIDTH, MAX_WIDTH = 8.0, 400, 16, 512


@dataclass(frozen=True, kw_only=True)
class Training:
    """Data, weight of the KL term, epochs (None: what suits the data), units in the widest layer, and the seed."""

    kind: str = "shapes"
    beta: float = 1.0
    epochs: int | None = None
    width: int = 256
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SettingError(f"The data must be one of {', '.join(KINDS)}, got {self.kind!r}.")
        if not 0 <= self.beta <= MAX_BETA:
            raise SettingError(f"beta must be in 0..{MAX_BETA:g}, got {self.beta}; choose one inside.")
        if self.epochs is not None and not 1 <= self.epochs <= MAX_EPOCHS:
            raise SettingError(f"epochs must be in 1..{MAX_EPOCHS}, got {self.epochs}; choose some inside.")
        if not MIN_WIDTH <= self.width <= MAX_WIDTH:
            raise SettingError(f"width must be in {MIN_WIDTH}..{MAX_WIDTH}, got {self.width}; choose one inside.")

    def data(self) -> Data:
        """Make the pictures."""
        return pictures.shapes_data() if self.kind == "shapes" else pictures.digits_data()

    def plan(self, name: str) -> "Plan":
        """Learning rates of the network in a visitor's time."""
        live = LIVE[self.kind][name]
        return (live if self.epochs is None else live._replace(epochs=self.epochs)).plan()


class Live(NamedTuple):
    """A short training: the rate falls in three stages, or by a cosine; beta rises over the first epochs."""

    epochs: int
    batch: int
    rate: float
    schedule: str | None = None
    rising: float = 0.1  # of the epochs

    def plan(self) -> "Plan":
        """Half of the epochs at the full rate, a third at a quarter, the rest at a sixteenth; or all by the cosine."""
        from aecore.concepts.latent_training import Plan

        first, second = -(-self.epochs // 2), self.epochs // 3
        parts = (self.rate, first), (self.rate / 4, second), (self.rate / 16, self.epochs - first - second)
        stages = ((self.rate, self.epochs),) if self.schedule else tuple(part for part in parts if part[1])
        return Plan(stages, self.batch, max(1, int(self.epochs * self.rising)), self.schedule)


# Half of a small step is spent on anything but arithmetic, so batches are as large as the result allows. With fewer
# steps beta must not rise too fast, or the map keeps its folds: 8.1 % holes in the shapes' where it rose over 300
# steps, 1.3 % over 750. The shapes' plain autoencoder needs small batches: 43 nats a picture held out, against 60.
LIVE = {
    "shapes": {PLAIN: Live(400, 32, 2e-3), VAE: Live(300, 64, 4e-3, "cosine", 0.25)},
    "digits": {PLAIN: Live(60, 128, 6e-3, "cosine"), VAE: Live(60, 128, 6e-3, "cosine")},
}


def train(settings: Training) -> Generator[Progress, None, dict[str, Any]]:
    """Train the plain autoencoder, then the VAE, on two numbers; a job's task.

    Yields ``{part, epoch, epochs, loss, reconstruction, kl, progress, codes [<= 1000, 2], labels, spread}`` once an
    epoch and returns the tree of a `Morphing`.
    """
    data = settings.data()
    reference = pictures.references(data)
    maps = []
    for part, name in enumerate((PLAIN, VAE)):
        model = new_model(name, data.shape, settings.width, settings.beta, settings.seed)
        for progress in _watched(model, name, settings.plan(name), data, settings.seed):
            yield progress | {"progress": (part + progress["progress"]) / 2}
        maps.append(map_of(name, model, data, reference))
    return morphing.to_tree(assembled(data, maps[0], maps[1], reference))


def new_model(name: str, shape: tuple[int, int], width: int, beta: float, seed: int) -> Any:
    """Two numbers in the middle, ``width`` and half as many units on either side."""
    from aecore.models import AutoEncoder, VariationalAutoEncoder

    hidden = (width, width // 2)
    if name == PLAIN:
        return AutoEncoder(shape, hidden=hidden, latent_dim=2, reconstruction="bce", activation="silu", seed=seed)
    return VariationalAutoEncoder(shape, hidden=hidden, latent_dim=2, activation="silu", beta=beta, seed=seed)


def _watched(model: Any, name: str, plan: "Plan", data: Data, seed: int) -> Generator[Progress, None, None]:
    import torch

    from aecore.concepts.latent_training import train_by

    x, shown = torch.from_numpy(data.train.copy()), torch.from_numpy(data.train[:WATCHED].copy())
    for step in train_by(plan, model, x, seed=seed):
        with torch.inference_mode():
            told = model.encoder(shown)  # (n, 2) or (n, 4)
        losses = step.report.losses
        yield {
            "part": name, "epoch": step.epoch, "epochs": plan.epochs, "progress": step.epoch / plan.epochs,
            "loss": losses["total"], "reconstruction": losses["reconstruction"], "kl": losses.get("kl", 0.0),
            "codes": _drawn(told[:, :2].numpy(), name), "labels": data.train_labels[:WATCHED],
            "spread": float((0.5 * told[:, 2:]).exp().mean()) if told.shape[1] == 4 else 0.0,
        }  # fmt: skip


def _drawn(codes: Array, name: str) -> Any:
    """Codes as the maps show them."""
    if name == PLAIN:
        white = latent.Whitening.fit(codes)
        codes = np.asarray((codes - white.mean) @ white.into, np.float32)
    return codes.astype(np.float16)


def map_of(name: str, model: Any, data: Data, reference: latent.Reference) -> Map:
    """Measure a trained network and lay out its plane, in standard units."""
    import torch

    from aecore.models import to_tree
    from aecore.models.objectives import bernoulli_negative_log_likelihood, kl_to_standard_normal

    tree = to_tree(model)
    encoder, decoder = encoder_of(tree), decoder_of(tree)
    kl = 0.0
    with torch.inference_mode():
        test = torch.from_numpy(flat(data.test).copy())
        told = model.encoder(test)  # (M, 2) or (M, 4)
        reconstruction = float(bernoulli_negative_log_likelihood(model.decoder(told[:, :2]).flatten(1), test))
        if told.shape[1] == 4:
            kl = float(kl_to_standard_normal(told[:, :2], told[:, 2:]))
    if name == PLAIN:
        encoder, decoder, _ = morphing.folded(encoder, decoder, encoder(flat(data.train)))
    shown, labels = (
        (data.test, data.test_labels) if len(data.test) >= SHIPPED_CODES else (data.train, data.train_labels)
    )
    codes = encoder(flat(shown[:SHIPPED_CODES]))[:, :2]
    return Map(
        name, encoder, decoder, np.ascontiguousarray(codes), labels[:SHIPPED_CODES],
        latent.hole_map(decoder.__call__, reference, SPAN), latent.hole_share(decoder.__call__, reference),
        reconstruction, kl,
    )  # fmt: skip


def assembled(data: Data, plain: Map, vae: Map, reference: latent.Reference) -> Morphing:
    """Put both planes side by side."""
    examples, labels = pictures.examples_of(data)
    return Morphing(data.shape, data.names, SPAN, plain, vae, examples, labels, reference.limit)
