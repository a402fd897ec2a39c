"""How the VAE morphing page's two networks are trained, for a visitor in seconds and for what ships in minutes."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from aecore import latent
from aecore.concepts import vae_morphing as morphing
from aecore.concepts.vae_morphing import PLAIN, SPAN, VAE, LatentPlane, Morphing, pictures
from aecore.concepts.vae_morphing.pictures import KINDS, MorphingData, flat
from aecore.errors import SettingError
from aecore.jobs import Cancelled
from aecore.numerics.dense import Array, decoder_of, encoder_of

if TYPE_CHECKING:
    from aecore.concepts.latent_training import Plan
    from aecore.training import Report

Progress = dict[str, Any]

WATCHED = 1000  # codes drawn after every epoch: more do not fit between one epoch and the next on a slow line
SHIPPED_CODES = 10_000
MAX_BETA, MAX_EPOCHS, MIN_WIDTH, MAX_WIDTH = 8.0, 400, 16, 512


@dataclass(frozen=True, kw_only=True)
class MorphingSettings:
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

    def data(self) -> MorphingData:
        """Make the pictures."""
        return pictures.shapes_data() if self.kind == "shapes" else pictures.digits_data()

    def live(self, name: str) -> "Live":
        """Training of the network in a visitor's time."""
        live = LIVE[self.kind][name]
        return live if self.epochs is None else live._replace(epochs=self.epochs)


class Live(NamedTuple):
    """A short training: the rate falls in three stages, or by a cosine; beta rises over the first epochs.

    Before it the codes may be brought to the data's `latent.neighbour_map`, for as many ``placing`` epochs.
    """

    epochs: int
    batch: int
    rate: float
    schedule: str | None = None
    rising: float = 0.1  # of the epochs
    placing: int = 0

    def plan(self) -> "Plan":
        """Half of the epochs at the full rate, a third at a quarter, the rest at a sixteenth; or all by the cosine."""
        from aecore.concepts.latent_training import Plan

        first, second = -(-self.epochs // 2), self.epochs // 3
        parts = (self.rate, first), (self.rate / 4, second), (self.rate / 16, self.epochs - first - second)
        stages = ((self.rate, self.epochs),) if self.schedule else tuple(part for part in parts if part[1])
        return Plan(stages, self.batch, max(1, int(self.epochs * self.rising)), self.schedule)


PLACING_RATE = 4e-3
# Half of a small step is spent on anything but arithmetic, so batches are as large as the result allows. Where the
# shapes start without a place, the VAE's holes vary tenfold with the seed; see tests/benchmarks/latent.py --live.
LIVE = {
    "shapes": {PLAIN: Live(260, 64, 8e-3, "cosine", placing=40), VAE: Live(260, 64, 12e-3, "cosine", 0.5, placing=40)},
    "digits": {PLAIN: Live(60, 128, 6e-3, "cosine"), VAE: Live(60, 128, 6e-3, "cosine")},
}


def train(settings: MorphingSettings) -> Generator[Progress, None, dict[str, Any]]:
    """Train the plain autoencoder, then the VAE, on two numbers; a job's task.

    Yields ``{part, epoch, epochs, loss, reconstruction, kl, progress, codes [<= 1000, 2], labels, spread}`` once an
    epoch and returns the tree of a `Morphing`; cancelled while the VAE trains, with the VAE as it is by then.
    """
    data = settings.data()
    reference = pictures.references(data)
    maps = []
    for part, name in enumerate((PLAIN, VAE)):
        model = new_model(name, data.shape, settings.width, settings.beta, settings.seed)
        try:
            for progress in _train_watched(model, name, settings, data):
                yield progress | {"progress": (part + progress["progress"]) / 2}
        except Cancelled:
            if name == PLAIN:  # there is no second map yet
                raise
            model.eval()
        maps.append(map_of(name, model, data, reference))
    return morphing.to_tree(assemble(data, maps[0], maps[1], reference))


def new_model(name: str, shape: tuple[int, int], width: int, beta: float, seed: int) -> Any:
    """Two numbers in the middle, ``width`` and half as many units on either side."""
    from aecore.models import AutoEncoder, VariationalAutoEncoder

    hidden = (width, width // 2)
    if name == PLAIN:
        return AutoEncoder(shape, hidden=hidden, latent_dim=2, reconstruction="bce", activation="silu", seed=seed)
    return VariationalAutoEncoder(shape, hidden=hidden, latent_dim=2, activation="silu", beta=beta, seed=seed)


def _train_watched(
    model: Any, name: str, settings: MorphingSettings, data: MorphingData
) -> Generator[Progress, None, None]:
    import torch

    live, shown = settings.live(name), torch.from_numpy(data.train[:WATCHED].copy())
    for epoch, report in enumerate(train_network(live, model, data, settings.seed), 1):
        with torch.inference_mode():
            encoded = model.encoder(shown)  # (n, 2) or (n, 4)
        epochs, losses = live.placing + live.epochs, report.losses
        yield {
            "part": name, "epoch": epoch, "epochs": epochs, "progress": epoch / epochs,
            "loss": losses["total"], "reconstruction": losses["reconstruction"], "kl": losses.get("kl", 0.0),
            "codes": _place_on_map(encoded[:, :2].numpy(), name), "labels": data.train_labels[:WATCHED],
            "spread": float((0.5 * encoded[:, 2:]).exp().mean()) if encoded.shape[1] == 4 else 0.0,
        }  # fmt: skip


def train_network(live: Live, model: Any, data: MorphingData, seed: int) -> Iterator["Report"]:
    """Train a network as a visitor's is, yielding once an epoch."""
    import torch

    from aecore.concepts.latent_training import place_codes, train_by

    x = torch.from_numpy(data.train.copy())
    if live.placing:
        codes = torch.from_numpy(latent.neighbour_map(data.train))
        yield from place_codes(
            model, x, codes, epochs=live.placing, batch=live.batch, rate=PLACING_RATE, seed=seed
        )  # fmt: skip
    for step in train_by(live.plan(), model, x, seed=seed):
        yield step.report


def _place_on_map(codes: Array, name: str) -> Any:
    """Codes as the maps show them."""
    if name == PLAIN:
        white = latent.Whitening.fit(codes)
        codes = np.asarray((codes - white.mean) @ white.into, np.float32)
    return codes.astype(np.float16)


def map_of(name: str, model: Any, data: MorphingData, reference: latent.Reference) -> LatentPlane:
    """Measure a trained network and lay out its plane, in standard units."""
    import torch

    from aecore.models import to_tree
    from aecore.models.objectives import bernoulli_negative_log_likelihood, kl_to_standard_normal

    tree = to_tree(model)
    encoder, decoder = encoder_of(tree), decoder_of(tree)
    kl = 0.0
    with torch.inference_mode():
        test = torch.from_numpy(flat(data.test).copy())
        encoded = model.encoder(test)  # (M, 2) or (M, 4)
        reconstruction = float(bernoulli_negative_log_likelihood(model.decoder(encoded[:, :2]).flatten(1), test))
        if encoded.shape[1] == 4:
            kl = float(kl_to_standard_normal(encoded[:, :2], encoded[:, 2:]))
    if name == PLAIN:
        encoder, decoder, _ = morphing.fold_whitening(encoder, decoder, encoder(flat(data.train)))
    shown, labels = (
        (data.test, data.test_labels) if len(data.test) >= SHIPPED_CODES else (data.train, data.train_labels)
    )
    codes = encoder(flat(shown[:SHIPPED_CODES]))[:, :2]
    return LatentPlane(
        name, encoder, decoder, np.ascontiguousarray(codes), labels[:SHIPPED_CODES],
        latent.hole_map(decoder.__call__, reference, SPAN), latent.hole_share(decoder.__call__, reference),
        reconstruction, kl,
    )  # fmt: skip


def assemble(data: MorphingData, plain: LatentPlane, vae: LatentPlane, reference: latent.Reference) -> Morphing:
    """Put both planes side by side."""
    examples, labels = pictures.examples_of(data)
    return Morphing(data.shape, data.names, SPAN, plain, vae, examples, labels, reference.limit)
