"""Measures of every variant, PCA included: pure functions of codes and pictures."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore import latent
from aecore.concepts.variants import MASKED, NOISE, VariantNetwork, VariantPictures
from aecore.numerics.dense import Array, DenseNetwork

Labels = NDArray[np.integer[Any]]
# Share of the largest unit's standard deviation below which a unit is not in use (Burda et al.: 0.01 in variance).
UNUSED = 0.1
# Share of a unit's largest activation above which it is active.
ACTIVE = 0.1
# Standard deviation of the noise that measures the encoder's sensitivity.
JITTER = 0.1
# Samples whose features are compared with real ones.
DRAWN = 2000
# Top-activating digits averaged for each unit.
EXCITED = 10


class Metric(NamedTuple):
    """One column: its key, its heading, how a number is written, whether less is better, and what it means."""

    key: str
    title: str
    form: str
    less: bool
    words: str


MEASURES = (
    Metric("mse", "Test MSE", ".4f", True, "mean squared error on 359 digits that nobody learnt from"),
    Metric("noise", "MSE, noise", ".4f", True, f"the same, from digits with noise of σ = {NOISE} on them"),
    Metric("mask", "MSE, masked", ".4f", True, f"the same, from digits with {MASKED:.0%} of the pixels set to zero"),
    Metric("knn", "10-NN", ".3f", False, "share of test digits whose ten nearest codes vote for the right digit"),
    Metric("used", "Units in use", ".0f", False,
            "units with more than a tenth of the largest unit's spread; variational: of the prior's"),
    Metric("active", "Active a digit", ".0%", True, "share of all units above a tenth of their largest value"),
    Metric("selectivity", "Selectivity", ".2f", False,
            "how much more a unit answers to its digit than to the rest: 0 the same, 1 to nothing else"),
    Metric("sensitivity", "Jolted code", ".2f", True,
            f"how far noise of σ = {JITTER} moves a code, in units of the codes' spread, over the same for the pixels"),
    Metric("jacobian", "By Jacobian", ".2f", True, "the same, foretold by the Jacobian's norm"),
    Metric("norm", "‖J‖", ".1f", True, "root mean squared Frobenius norm of the encoder's Jacobian, as it is"),
    Metric("frechet", "Samples", ".1f", True, "Fréchet distance of 2,000 samples to real digits in the features of "
            "a small classifier that ships; not comparable with an FID"),
    Metric("parameters", "Parameters", ",.0f", True, "numbers that are trained"),
    Metric("seconds", "Seconds", ".1f", True, "of processor time that the training took, in one thread"),
)  # fmt: skip


class CorruptedDigits(NamedTuple):
    """Test digits, flat in 0..1, and their corrupted versions; the same for every variant of a seed."""

    clean: Array  # [N, D]
    noisy: Array
    masked: Array
    jolted: Array
    labels: Labels
    learnt: Array  # [M, D], the training set: its codes give a prior to models without one
    learnt_labels: Labels
    shape: tuple[int, int]


def corrupt(clean: Array, labels: Labels, learnt: Array, learnt_labels: Labels, *, seed: int = 0) -> CorruptedDigits:
    """Corrupt test digits [N, D] by a seed."""
    draw = np.random.default_rng(seed)
    side = round(clean.shape[1] ** 0.5)
    noisy = clean + np.float32(NOISE) * draw.standard_normal(clean.shape, np.float32)
    masked = np.where(draw.random(clean.shape) >= MASKED, clean, np.float32(0))
    jolted = clean + np.float32(JITTER) * draw.standard_normal(clean.shape, np.float32)
    return CorruptedDigits(clean, noisy, masked, jolted, labels, learnt, learnt_labels, (side, side))


def measure_network(network: VariantNetwork, data: CorruptedDigits, norm: float) -> dict[str, float]:
    """Measure all but the samples, the parameters and the seconds; ``norm`` is the mean of ``||J||_F^2``."""
    codes = network.encode(data.clean, data.labels)
    errors = {
        name: float(((network.decode(network.encode(x, data.labels), data.labels) - data.clean) ** 2).mean())
        for name, x in (("mse", data.clean), ("noise", data.noisy), ("mask", data.masked))
    }
    use = in_use(codes, 1.0 if network.variational else None)
    spread, wide = _spread(codes), _spread(data.clean)
    moved = _rms(network.encode(data.jolted, data.labels) - codes) / _rms(data.jolted - data.clean)
    scale = wide / max(spread, 1e-12)
    return errors | {
        "knn": latent.knn_accuracy(codes, data.labels),
        "used": float(use.sum()),
        "active": float((active(codes) & use).mean()),
        "selectivity": float(selectivity(codes, data.labels)[use].mean()) if use.any() else 0.0,
        "sensitivity": moved * scale,
        "jacobian": (norm / data.clean.shape[1]) ** 0.5 * scale,
        "norm": norm**0.5,
    }


def in_use(codes: Array, scale: float | None = None) -> NDArray[np.bool_]:
    """Units [d] that vary: a spread above a tenth of ``scale``, or without one of the largest unit's.

    After Burda, Grosse & Salakhutdinov, *Importance Weighted Autoencoders* (ICLR 2016), who count a latent as active
    above a variance of 0.01, the prior's being 1: so the scale of a variational code is 1.
    """
    spread = codes.std(0)
    return np.asarray(spread > UNUSED * (max(float(spread.max()), 1e-12) if scale is None else scale))


def active(codes: Array) -> NDArray[np.bool_]:
    """Return which units are active for which sample [N, d]: beyond a tenth of their own largest activation."""
    size = np.abs(codes)
    return np.asarray(size > ACTIVE * np.maximum(size.max(0), 1e-12))


def selectivity(codes: Array, labels: Labels) -> Array:
    """Compare each unit's mean size a for the class it answers to most, and b for all others: ``(a - b) / (a + b)``.

    Morcos, Barrett, Rabinowitz & Botvinick, *On the Importance of Single Directions for Generalization* (ICLR 2018).
    """
    size, kinds = np.abs(codes), np.unique(labels)
    means = np.stack([size[labels == kind].mean(0) for kind in kinds])  # (C, d)
    counts = np.array([(labels == kind).sum() for kind in kinds])[:, None]
    best = means.argmax(0)  # (d,)
    a, n = means[best, np.arange(size.shape[1])], counts[best, 0]
    rest = (size.sum(0) - a * n) / (len(size) - n)
    return np.asarray((a - rest) / np.maximum(a + rest, 1e-12), np.float32)


def samples(network: VariantNetwork, data: CorruptedDigits, count: int, *, prior: bool, seed: int = 0) -> Array:
    """Decode drawn codes [count, D]: of the standard normal, or without a ``prior`` of a Gaussian fitted to codes.

    A conditional network is conditioned on digits as often as the test has them.
    """
    draw = np.random.default_rng(seed)
    labels = data.labels[np.arange(count) % len(data.labels)]
    z = draw.standard_normal((count, network.size))
    if not prior:
        codes = network.encode(data.learnt, data.learnt_labels).astype(np.float64)
        variances, axes = np.linalg.eigh(np.cov(codes.T))
        z = codes.mean(0) + z * np.sqrt(np.maximum(variances, 0)) @ axes.T
    return np.clip(network.decode(network.clip_codes(z.astype(np.float32)), labels), 0, 1)


def features(classifier: DenseNetwork, x: Array) -> Array:
    """Activations [N, F] of the classifier's last hidden layer."""
    return np.maximum(DenseNetwork(classifier.layers[:-1], classifier.activation)(x), 0)


def frechet(a: Array, b: Array) -> float:
    """``|m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2))`` between Gaussians fitted to features [N, F] and [M, F].

    Dowson & Landau, *The Frechet Distance between Multivariate Normal Distributions* (1982); on a classifier's
    features: Heusel et al. (NeurIPS 2017).
    """
    mean = a.mean(0, dtype=np.float64) - b.mean(0, dtype=np.float64)
    one, two = (np.cov(x.T.astype(np.float64)) for x in (a, b))
    root = _root(one)
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ two @ root), 0)).sum()
    return float(mean @ mean + np.trace(one) + np.trace(two) - 2 * shared)


# ---------------------------------------------------------------------- pictures
def draw_pictures(
    network: VariantNetwork, data: CorruptedDigits, ten: NDArray[np.integer[Any]], drawn: Array
) -> VariantPictures:
    """Make a network's pictures: ten test digits rebuilt, samples, and its units, the most varied first."""
    told = data.labels[ten]
    rebuilt = [network.decode(network.encode(x[ten], told), told) for x in (data.clean, data.noisy, data.masked)]
    codes = network.encode(data.clean, data.labels)
    order = np.argsort(-codes.std(0), kind="stable")
    most = np.argsort(-codes, axis=0, kind="stable")[:EXCITED]  # (10, d)
    exciting = data.clean[most].mean(0)[order]  # (d, D)
    low, high = np.percentile(codes, [2, 98], axis=0)
    centre = np.tile(codes.mean(0), (codes.shape[1], 1)).astype(np.float32)  # (d, d)
    up, down = centre.copy(), centre.copy()
    np.fill_diagonal(up, high)
    np.fill_diagonal(down, low)
    class_of = np.full(len(up), np.bincount(data.labels).argmax())
    added = np.maximum(network.decode(up, class_of) - network.decode(down, class_of), 0)[order]
    added /= max(float(added.max()), 1e-6)
    return VariantPictures(*(ink(part, data.shape) for part in (np.stack(rebuilt), drawn, exciting, added)))


def ink(x: Array, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Pictures [..., D] in 0..1 as bytes [..., H, W]."""
    return np.rint(np.clip(x, 0, 1) * 255).astype(np.uint8).reshape(*x.shape[:-1], *shape)


def _root(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    values, axes = np.linalg.eigh(matrix)
    return (axes * np.sqrt(np.maximum(values, 0))) @ axes.T


def _spread(x: Array) -> float:
    return _rms(x - x.mean(0))


def _rms(x: Array) -> float:
    """Root of the mean squared length of rows."""
    return float(np.sqrt((x.astype(np.float64) ** 2).sum(1).mean()))
