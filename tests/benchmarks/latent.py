"""What the latent pages ship, measured as loaded; and how long a visitor's own training takes.

    python -m tests.benchmarks.latent [--data ../shared/data/mnist] [--live]

Quality on MNIST's 10,000 test digits: nats a digit are the negative ELBO with one sample a digit; 10-NN accuracy leaves
each digit out of its own vote. ``--live`` also trains as the pages do, in one process with one thread, which is what
their workers have, and the shapes' VAE once more without a place to start from; run it on an otherwise idle machine.
"""

import argparse
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from aecore import latent
from aecore.concepts import latent_clusters
from aecore.concepts import vae_morphing as morphing
from aecore.concepts.latent_clusters import training as latent_clusters_training
from aecore.concepts.latent_clusters.tables import measure_table
from aecore.concepts.vae_morphing import pictures
from aecore.concepts.vae_morphing import training as vae_morphing_training
from aecore.concepts.vae_morphing.pretrained import load_wide
from aecore.data.datasets import mnist
from aecore.numerics.dense import Array, DenseNetwork
from aecore.numerics.progress import finish
from aecore.paths import MODELS

SHARED = Path(__file__).parents[3] / "shared" / "data" / "mnist"


def nats(encoder: DenseNetwork, decoder: DenseNetwork, x: Array, seed: int = 0) -> float:
    """Negative ELBO of data [N, D], a datum, one sample each."""
    mu, logvar = np.split(encoder(x), 2, axis=1)
    eps = np.random.default_rng(seed).standard_normal(mu.shape, dtype=np.float32)
    logits = decoder._replace(output="identity")(mu + np.exp(0.5 * logvar) * eps).astype(np.float64)
    reconstruction = (np.logaddexp(0, logits) - x * logits).sum(1)
    kl = 0.5 * (mu**2 + np.exp(logvar) - 1 - logvar).sum(1)
    return float((reconstruction + kl).mean())


def row(what: str, measured: str, wanted: str = "") -> None:
    print(f"{what:<58} {measured:>12}   {wanted}", flush=True)


def quality(root: Path) -> None:
    images, labels = mnist.load(root, train=False)
    x = images.reshape(len(images), -1).astype(np.float32) / np.float32(255)
    made = morphing.load_pretrained("digits")
    codes = {plane.name: plane.encoder(x)[:, :2] for plane in (made.plain, made.vae)}
    row("VAE, 2 latents: nats a digit", f"{nats(made.vae.encoder, made.vae.decoder, x):.2f}", "<= 140")
    row("VAE, 2 latents: 10-NN accuracy", f"{latent.knn_accuracy(codes[morphing.VAE], labels):.4f}", ">= .78")
    row("autoencoder, 2 latents: 10-NN accuracy", f"{latent.knn_accuracy(codes[morphing.PLAIN], labels):.4f}", ">= .80")
    learnt = mnist.load(root, train=True).images.reshape(-1, 784)[:10_000].astype(np.float32) / np.float32(255)
    pca = latent.Principal.fit(learnt, 2).encode(x)
    row("PCA, 2 components: 10-NN accuracy", f"{latent.knn_accuracy(pca, labels):.4f}")
    row("VAE, 20 latents: nats a digit", f"{nats(*load_wide(), x):.2f}", "<= 101")


def shipped_holes() -> None:
    for kind in morphing.KINDS:
        for plane in (made := morphing.load_pretrained(kind)).plain, made.vae:
            row(f"{kind}, {plane.name}: share of the central mass that is a hole", f"{plane.hole_share:.2%}")
            row(f"{kind}, {plane.name}: nats of reconstruction, held out", f"{plane.reconstruction:.2f}")


def sizes() -> None:
    names = ("morphing_shapes", "morphing_digits", "vae20_digits", "beta", "latent_clusters")
    files = [MODELS / f"{name}.safetensors" for name in names]
    for file in files:
        row(file.name, f"{file.stat().st_size / 1e6:.2f} MB")
    row("together", f"{sum(file.stat().st_size for file in files) / 1e6:.2f} MB", "< 12 MB")


def ended(task: Iterator[dict[str, object]]) -> tuple[dict[str, object], dict[str, float]]:
    """Result of a task, and the seconds since its start at which each part ended."""
    started, parts = time.perf_counter(), {}

    def note(progress: dict[str, object]) -> None:
        parts[str(progress["part"])] = time.perf_counter() - started

    result = finish(task, note)
    return result, parts | {"all": time.perf_counter() - started}


def unplaced(seeds: Iterable[int]) -> Iterator[str]:
    """Hole share of the shapes' VAE for each seed, where its codes begin wherever chance puts them."""
    data = pictures.shapes_data()
    reference = pictures.references(data)
    for seed in seeds:
        model = vae_morphing_training.new_model(morphing.VAE, data.shape, 256, 1.0, seed)
        plan = vae_morphing_training.LIVE["shapes"][morphing.VAE]._replace(placing=0)
        for _ in vae_morphing_training.train_network(plan, model, data, seed):
            pass
        yield f"{vae_morphing_training.map_of(morphing.VAE, model, data, reference).hole_share:.2%}"


def live() -> None:
    import torch

    torch.set_num_threads(1)  # as a worker
    shipped = morphing.load_pretrained("shapes").vae
    for seed in range(5):
        tree, seconds = ended(
            vae_morphing_training.train(vae_morphing_training.MorphingSettings(kind="shapes", seed=seed))
        )
        vae = morphing.from_tree(tree).vae  # type: ignore[arg-type]
        alone = seconds[morphing.VAE] - seconds[morphing.PLAIN]
        row(f"shapes, trained live, seed {seed}: the VAE's seconds", f"{alone:.1f}", "< 30")
        row("  both networks and their hole maps", f"{seconds['all']:.1f} s")
        row("  hole share against the shipped one's", f"{vae.hole_share:.2%}", f"<= 1.2 x {shipped.hole_share:.2%}")
        error = vae.reconstruction / shipped.reconstruction
        row("  reconstruction error against the shipped one's", f"{error:.3f}", "<= 1.2")
    row("hole shares without a place to start from, seeds 0 to 4", ", ".join(unplaced(range(5))))
    _, seconds = ended(vae_morphing_training.train(vae_morphing_training.MorphingSettings(kind="digits")))
    row("digits that ship, VAE morphing: seconds", f"{seconds['all']:.1f}", "< 10")
    _, seconds = ended(latent_clusters_training.train(latent_clusters.ClusterSettings(seed=1)))
    row("digits that ship, Latent clusters: seconds", f"{seconds['all']:.1f}", "< 10")
    tree, _ = ended(latent_clusters_training.train(latent_clusters.ClusterSettings(without=4)))
    scores = latent_clusters.from_tree(tree).auc  # type: ignore[arg-type]
    row("never shown a 4: ROC AUC by error", ", ".join(f"{name} {auc:.3f}" for name, auc in scores.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--live", action="store_true")
    options = parser.parse_args()
    quality(options.data)
    shipped_holes()
    sizes()
    print(organised())
    if options.live:
        live()


def organised() -> str:
    made = latent_clusters.load_pretrained(latent_clusters.ClusterSettings())
    assert made is not None
    return (
        f"\nDigits that ship, 2 numbers, on the 359 held out:\n{measure_table(made).round(3).to_string(index=False)}\n"
    )


if __name__ == "__main__":
    main()
