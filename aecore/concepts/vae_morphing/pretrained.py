"""What the VAE morphing page ships: trained once, longer than a visitor waits, and measured as loaded."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aecore import store
from aecore.concepts import vae_morphing as morphing
from aecore.concepts.vae_morphing import PLAIN, VAE, LatentPlane, to_tree
from aecore.concepts.vae_morphing.pictures import EXAMPLES, MorphingData, as_mnist, references, shapes_data
from aecore.concepts.vae_morphing.training import LIVE, assemble, map_of, new_model, train_network
from aecore.data.datasets import digits, mnist
from aecore.numerics.dense import Array, DenseNetwork, decoder_of, encoder_of
from aecore.paths import MODELS

Progress = dict[str, Any]

# Two numbers: the encoder may be wide, the decoder runs in the browser on every move of the pointer.
ENCODER, DECODER = (512, 256), (256, 256)
DIGIT_STAGES = {
    # Falling, up again, falling: the second time it settles lower.
    VAE: ((1e-3, 12), (5e-4, 8), (2e-4, 6), (1e-4, 3), (3e-5, 3), (3e-4, 3), (1e-4, 3), (3e-5, 2)),
    PLAIN: ((1e-3, 14), (5e-4, 8), (2e-4, 5), (1e-4, 2), (3e-5, 2)),
}
DIGIT_BATCH, DIGIT_WARM_UP = 100, 2
LEARNT = 58_000  # of MNIST's 60,000; the rest were watched while the plan was made
# Twenty numbers: what a VAE is like without the squeeze onto a page.
WIDE_HIDDEN, WIDE_DIM = (512, 256), 20
WIDE_STAGES = ((1e-3, 6), (4e-4, 3), (1e-4, 3), (3e-5, 1))

WIDE_ASSET = MODELS / "vae20_digits.safetensors"


def pretrain_shapes() -> Generator[Progress, None, None]:
    """Train both networks on shapes, as a visitor's own are trained; a minute, so nothing is kept in between."""
    data = shapes_data()
    reference = references(data)
    maps = []
    for name in (PLAIN, VAE):
        model, live = new_model(name, data.shape, 256, 1.0, 0), LIVE["shapes"][name]
        for epoch, report in enumerate(train_network(live, model, data, seed=0), 1):
            yield {"epoch": epoch, "progress": epoch / (live.placing + live.epochs), **report.losses}
        maps.append(map_of(name, model, data, reference))
    store.write(MODELS / "morphing_shapes.safetensors", to_tree(assemble(data, maps[0], maps[1], reference)))


def pretrain_digits() -> Generator[Progress, None, None]:
    """Train both networks on MNIST's 60,000 digits, which have to be in the user's cache; no picture of it is kept."""
    from aecore.concepts.latent_training import Plan
    from aecore.models import AutoEncoder, VariationalAutoEncoder

    data = mnist_data()
    kinds = {PLAIN: AutoEncoder, VAE: VariationalAutoEncoder}
    models = {}
    for name in (VAE, PLAIN):
        models[name] = kinds[name](
            data.shape, hidden=ENCODER, decoder_hidden=DECODER, latent_dim=2, reconstruction="bce", activation="silu"
        )
        yield from _train(f"digits {name}", Plan(DIGIT_STAGES[name], DIGIT_BATCH, DIGIT_WARM_UP), models[name], data)
    reference = references(data)
    maps = [map_of(name, models[name], data, reference) for name in (PLAIN, VAE)]
    made = assemble(data, maps[0], maps[1], reference)
    images, labels = choose_examples(maps[1])
    store.write(MODELS / "morphing_digits.safetensors", to_tree(made._replace(examples=images, example_labels=labels)))


def pretrain_wide() -> Generator[Progress, None, None]:
    """Train a VAE with 20 latents on MNIST."""
    from aecore.concepts.latent_training import Plan
    from aecore.models import VariationalAutoEncoder
    from aecore.models import to_tree as model_tree

    data = mnist_data()
    model = VariationalAutoEncoder(data.shape, hidden=WIDE_HIDDEN, latent_dim=WIDE_DIM, activation="silu")
    yield from _train("digits wide", Plan(WIDE_STAGES, DIGIT_BATCH, DIGIT_WARM_UP), model, data)
    tree = model_tree(model)
    half = np.float16
    store.write(WIDE_ASSET, {"encoder": encoder_of(tree).to_tree(half), "decoder": decoder_of(tree).to_tree(half)})


def load_wide(path: Path = WIDE_ASSET) -> tuple[DenseNetwork, DenseNetwork]:
    """Read encoder [N, 784] -> mean and log-variance [N, 40], and decoder [N, 20] -> [N, 784]."""
    tree = store.read(path)
    return DenseNetwork.from_tree(tree["encoder"]), DenseNetwork.from_tree(tree["decoder"])


def mnist_data() -> MorphingData:
    """Read MNIST from the user's cache."""
    train, test = mnist.load(train=True), mnist.load(train=False)
    pictures = [part.astype(np.float32) / np.float32(255) for part in (train.images[:LEARNT], test.images)]
    return MorphingData(pictures[0], train.labels[:LEARNT], pictures[1], test.labels, tuple(str(d) for d in range(10)))


def choose_examples(vae: LatentPlane) -> tuple[Array, NDArray[np.uint8]]:
    """Bring the digits that ship to MNIST's size and place, and take the five of each that a VAE rebuilds best.

    They were written and scanned in another way than MNIST's, and some look like nothing it has seen.
    """
    images, labels = digits.load()
    brought = as_mnist(images)
    lost = ((morphing.encode(vae, brought).reconstruction - brought) ** 2).sum((1, 2))
    best = [np.flatnonzero(labels == k)[np.argsort(lost[labels == k])[:EXAMPLES]] for k in range(10)]
    rows = np.concatenate(best)
    return brought[rows], labels[rows].astype(np.uint8)


def _train(name: str, plan: Any, model: Any, data: MorphingData) -> Generator[Progress, None, None]:
    import torch

    from aecore.concepts.latent_training import resumable

    yield from resumable(name, plan, model, torch.from_numpy(data.train))
