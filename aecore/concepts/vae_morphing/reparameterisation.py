"""Why z = mu + sigma * eps: how the gradient of the loss reaches mu and sigma, and how it does not; in numpy.

The loss is what a trained decoder loses of one picture, and z the code drawn for it. Three ways to its derivative, and
one that is none, measured on the same draws.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.numerics.dense import Array, DenseNetwork

Pair = NDArray[np.float64]  # [2], one number a direction of the plane
STEP = 1e-3  # of the finite differences: below float32's noise times the loss, above where the loss bends


class Estimate(NamedTuple):
    """Mean over the draws, and the standard deviation from draw to draw."""

    mean: Pair
    spread: Pair


class Gradients(NamedTuple):
    """Derivatives of the expected loss with respect to mu and to sigma, by each way."""

    mu: dict[str, Estimate]
    sigma: dict[str, Estimate]
    z: Array  # [draws, 2], the codes drawn
    loss: NDArray[np.float64]  # [draws]


MOVED = "z = mu + sigma * eps"  # the noise moved aside
DIFFERENCES = "finite differences"  # the same expectation a little to either side, with the same eps
SCORE = "score function"  # the loss times the gradient of log q(z): Williams, *Machine Learning* 8 (1992)
BLOCKED = "z as drawn"  # a number like any other: nothing of mu or sigma is left in it


def gradients(
    decoder: DenseNetwork, image: Array, mu: Array, sigma: Array, *, draws: int = 256, seed: int = 0
) -> Gradients:
    """Measure them for one picture [H, W] in 0..1 at mu [2] and sigma [2]; Kingma & Welling (2014), section 2.4."""
    x = image.reshape(1, -1).astype(np.float64)
    mu, sigma = mu.astype(np.float64), np.maximum(sigma.astype(np.float64), 1e-3)
    eps = np.random.default_rng(seed).standard_normal((draws, len(mu)))
    z = mu + sigma * eps
    loss, slope = _loss_and_slope(decoder, z, x)  # (draws,), (draws, 2)
    score = (loss - loss.mean())[:, None]  # less its mean, which changes no expectation and quietens it
    by_mu = {
        MOVED: _estimate(slope), DIFFERENCES: _estimate(_differences(decoder, x, z, np.ones_like(eps))),
        SCORE: _estimate(score * eps / sigma), BLOCKED: _estimate(_differences(decoder, x, z, np.zeros_like(eps))),
    }  # fmt: skip
    by_sigma = {
        MOVED: _estimate(slope * eps), DIFFERENCES: _estimate(_differences(decoder, x, z, eps)),
        SCORE: _estimate(score * (eps**2 - 1) / sigma), BLOCKED: by_mu[BLOCKED],
    }  # fmt: skip
    return Gradients(by_mu, by_sigma, z.astype(np.float32), loss)


def _differences(decoder: DenseNetwork, x: Pair, z: Pair, moves: Pair) -> Pair:
    """Differentiate each draw's loss [draws, 2] where a step of the parameter moves z by ``moves`` [draws, 2]."""
    found = np.empty_like(z)
    for j in range(z.shape[1]):
        step = np.zeros_like(z)
        step[:, j] = STEP * moves[:, j]
        above, below = (_loss_and_slope(decoder, z + sign * step, x)[0] for sign in (1, -1))
        found[:, j] = (above - below) / (2 * STEP)
    return found


def _loss_and_slope(decoder: DenseNetwork, z: Pair, x: Pair) -> tuple[Pair, Pair]:
    """Cross-entropy [n] of what is decoded from z [n, 2], and its derivative [n, 2], layer by layer backwards."""
    value, entered = z, []
    for n, (weights, biases) in enumerate(decoder.layers):
        if n:
            entered.append(value)
            value = _ACTIVATIONS[decoder.activation](value)[0]
        value = value @ weights.T.astype(np.float64) + biases
    loss = (np.logaddexp(0, value) - x * value).sum(1)
    slope = 1 / (1 + np.exp(-np.clip(value, -500, 500))) - x
    for n in range(len(decoder.layers) - 1, -1, -1):
        slope = slope @ decoder.layers[n][0].astype(np.float64)
        if n:
            slope = slope * _ACTIVATIONS[decoder.activation](entered[n - 1])[1]
    return loss, slope


def _silu(x: Pair) -> tuple[Pair, Pair]:
    gate = 1 / (1 + np.exp(-np.clip(x, -500, 500)))
    return x * gate, gate * (1 + x * (1 - gate))


def _tanh(x: Pair) -> tuple[Pair, Pair]:
    y = np.tanh(x)
    return y, 1 - y**2


def _relu(x: Pair) -> tuple[Pair, Pair]:
    return np.maximum(x, 0), (x > 0).astype(np.float64)


_ACTIVATIONS = {"silu": _silu, "tanh": _tanh, "relu": _relu}  # value and derivative


def _estimate(values: Pair) -> Estimate:
    return Estimate(values.mean(0), values.std(0))
