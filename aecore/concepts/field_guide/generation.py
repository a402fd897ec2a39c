"""Can a plain autoencoder generate? Samples from a density fitted to its codes, beside a VAE's, PCA's and real ones."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.data.datasets import digits
from aecore.latent import Principal, Reference, nearest_distance

Array = NDArray[np.float32]
Numbers = NDArray[np.float64]

SIZES = (2, 4, 8, 16)
SEEDS = 2
EPOCHS, BATCH, RATE, WIDTH, BETA = 40, 64, 3e-3, 128, 1.0
SHOWN = 24
KINDS = 10  # Gaussians in the mixture: as many as there are digits
NEIGHBOURS = 5
REAL, PCA, GAUSSIAN = "Real digits", "PCA, Gaussian", "Autoencoder, Gaussian"
MIXTURE, VAE = "Autoencoder, ten Gaussians", "VAE, its prior"
WAYS = (REAL, PCA, GAUSSIAN, MIXTURE, VAE)
MEASURES = ("implausible", "told apart", "covered")


class Generated(NamedTuple):
    """Samples and measures of each way, at each size of the code."""

    sizes: tuple[int, ...]
    pictures: dict[str, Array]  # [K, n, 8, 8] by way, of the first seed
    measures: dict[str, Numbers]  # [K, seeds, 3] by way


def generate(sizes: tuple[int, ...] = SIZES, seeds: int = SEEDS) -> Generator[dict[str, Any], None, dict[str, Any]]:
    """Train, sample and measure; returns what `from_tree` reads."""
    parts = digits.split(seed=0)
    learn, held_out = (part.images.reshape(len(part.images), -1) for part in (parts.train, parts.test))
    reference = Reference.fit(learn, held_out)
    pictures: dict[str, list[Any]] = {way: [] for way in WAYS}
    measures: dict[str, list[Any]] = {way: [] for way in WAYS}
    for i, k in enumerate(sizes):
        by_seed: dict[str, list[Any]] = {way: [] for way in WAYS}
        for seed in range(seeds):
            progress = (i * seeds + seed) / (len(sizes) * seeds)
            made = yield from _samples(learn, k, seed, len(held_out), progress)
            for way, samples in made.items():
                by_seed[way].append(measure(samples, held_out, reference))
                if seed == 0:
                    pictures[way].append(np.rint(np.clip(samples[:SHOWN], 0, 1) * 255).astype(np.uint8))
        for way in WAYS:
            measures[way].append(by_seed[way])
    return {
        "sizes": list(sizes), "pictures": {way: np.stack(p) for way, p in pictures.items()},
        "measures": {way: np.array(m) for way, m in measures.items()},
    }  # fmt: skip


def from_tree(tree: dict[str, Any]) -> Generated:
    """Read what `generate` returns."""
    pictures = {
        way: p.astype(np.float32).reshape(*p.shape[:2], 8, 8) / np.float32(255) for way, p in tree["pictures"].items()
    }
    return Generated(tuple(tree["sizes"]), pictures, dict(tree["measures"]))


def measure(samples: Array, real: Array, reference: Reference) -> tuple[float, float, float]:
    """Return three shares of samples [N, D] against as many real data [N, D] of the test set.

    Implausible: farther from the training set than 99 % of real data lie. Told apart: how often the nearest other
    datum is of the same make, real or sampled; 0.5 for perfect samples, 1 where every one is told (Lopez-Paz & Oquab,
    *Revisiting Classifier Two-Sample Tests*, 2017). Covered: real data with a sample nearer than their fifth real
    neighbour (Naeem et al., *Reliable Fidelity and Diversity Metrics*, 2020).
    """
    implausible = float((reference.strangeness(samples) > 1).mean())
    both = np.concatenate([samples, real]).astype(np.float64)
    lengths = (both**2).sum(1)
    apart = lengths[:, None] + lengths - 2 * both @ both.T
    np.fill_diagonal(apart, np.inf)
    sampled = np.arange(len(both)) < len(samples)
    told = float((sampled[np.argmin(apart, 1)] == sampled).mean())
    radius = np.sqrt(np.maximum(np.partition(apart[~sampled][:, ~sampled], NEIGHBOURS - 1)[:, NEIGHBOURS - 1], 0))
    return implausible, told, float((nearest_distance(real, samples) < radius).mean())


def verdict(generated: Generated, position: int) -> str:
    """Say at one size of the code how the ways compare."""
    mean = {way: generated.measures[way][position].mean(0) for way in WAYS}
    ranked = sorted((PCA, GAUSSIAN, MIXTURE, VAE), key=lambda way: mean[way][1])
    gaussian, mixture, vae = (mean[way] for way in (GAUSSIAN, MIXTURE, VAE))
    return (
        f"With {generated.sizes[position]} numbers, {gaussian[0]:.0%} of the plain autoencoder's samples are "
        f"implausible when its codes get one Gaussian, {mixture[0]:.0%} with ten, {vae[0]:.0%} of the VAE's. "
        f"Hardest to tell from real digits: **{ranked[0]}** ({mean[ranked[0]][1]:.0%} told apart), then {ranked[1]} "
        f"({mean[ranked[1]][1]:.0%}); real ones among themselves {mean[REAL][1]:.0%}."
    )


def _samples(learn: Array, k: int, seed: int, count: int, progress: float) -> Generator[Any, None, dict[str, Array]]:
    import torch
    from sklearn.mixture import GaussianMixture

    from aecore.models import AutoEncoder, VariationalAutoEncoder
    from aecore.training import fit

    rng = np.random.default_rng([seed, k])
    x = torch.from_numpy(learn.copy())
    plain = AutoEncoder((64,), hidden=(WIDTH,), latent_dim=k, reconstruction="bce", activation="silu", seed=seed)
    vae = VariationalAutoEncoder((64,), hidden=(WIDTH,), latent_dim=k, activation="silu", beta=BETA, seed=seed)
    for name, model in ((GAUSSIAN, plain), (VAE, vae)):
        for report in fit(model, x, epochs=EPOCHS, batch_size=BATCH, learning_rate=RATE, seed=seed, schedule="cosine"):
            yield {"part": f"{name}, {k} numbers, seed {seed}", "progress": progress, "loss": report.losses["total"]}
    with torch.inference_mode():
        codes = plain.encode(x).numpy().astype(np.float64)  # in float32 a mixture's covariances lose their symmetry
    principal = Principal.fit(learn, k)
    # the most that a covariance is regularised by is far below what separates two digits
    mixture = GaussianMixture(KINDS, random_state=seed, reg_covar=1e-3).fit(codes)
    drawn = {GAUSSIAN: _gaussian(codes, count, rng), MIXTURE: rng.permutation(mixture.sample(count)[0]),
             VAE: rng.standard_normal((count, k))}  # fmt: skip
    made = {REAL: learn[rng.permutation(len(learn))[:count]],
            PCA: np.clip(principal.decode(_gaussian(principal.encode(learn), count, rng)), 0, 1)}  # fmt: skip
    for way, z in drawn.items():
        decoder = vae if way == VAE else plain
        with torch.inference_mode():
            made[way] = decoder.decode(torch.from_numpy(z.astype(np.float32))).numpy()
    return made


def _gaussian(codes: NDArray[Any], count: int, rng: np.random.Generator) -> Array:
    """Draw from the Gaussian fitted to codes [N, k]."""
    covariance = np.atleast_2d(np.cov(codes.T.astype(np.float64)))
    return rng.multivariate_normal(codes.mean(0).astype(np.float64), covariance, count).astype(np.float32)
