"""The gradients behind z = mu + sigma * eps, measured: that they reach mu and sigma, and how much noise they carry."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from aecore.concepts.dense import Array, DenseNetwork
from aecore.errors import SettingError

NAMES = ("mu, x", "mu, y", "sigma, x", "sigma, y")
STEP = 0.01  # of a finite difference: the loss is smooth on that scale, and float32 still tells its ends apart


class Gradients(NamedTuple):
    """d loss / d (mu, sigma), four numbers in the order of `NAMES`: nats a unit of the plane."""

    differences: Array  # [4], of the mean loss over the same noise: no calculus, the judge of the other two
    moved: Array  # [N, 4], a draw each: through z = mu + sigma * eps
    score: Array  # [N, 4], a draw each: the score function, which takes no gradient through z at all
    kl: Array  # [4], of KL(N(mu, sigma) || N(0, I)): what the other force wants

    def table(self) -> pd.DataFrame:
        """A row a number: means over the draws with their standard errors, and how much noisier the score is."""
        root = np.sqrt(len(self.moved))
        noise = self.score.std(0) / np.maximum(self.moved.std(0), 1e-9)
        rows = {
            "differences": self.differences,
            "moved": self.moved.mean(0), "moved_error": self.moved.std(0) / root,
            "score": self.score.mean(0), "score_error": self.score.std(0) / root,
            "noise": noise, "kl": self.kl,
        }  # fmt: skip
        return pd.DataFrame({"d loss / d": NAMES} | rows)


def noise(draws: int, seed: int) -> Array:
    """Draw eps [draws, 2] in pairs of opposite sign, so that its mean is exactly 0."""
    if draws < 2 or draws % 2:
        raise SettingError(f"draws must be even and at least 2, got {draws}.")
    half = np.random.default_rng(seed).standard_normal((draws // 2, 2)).astype(np.float32)
    return np.stack([half, -half], 1).reshape(draws, 2)


def gradients(decoder: DenseNetwork, image: Array, mu: Array, sigma: Array, eps: Array) -> Gradients:
    """Gradients of the reconstruction loss of ``image`` [H, W] for a code N(mu [2], sigma [2]), by noise [N, 2].

    Through the moved noise: Kingma & Welling (2014), section 2.4; by the score function: Williams (1992), REINFORCE,
    ``E[L(z) d log q(z) / d (mu, sigma)]``. Both estimate the same numbers.
    """
    target = image.reshape(-1)

    def loss(mean: Array, spread: Array) -> Array:
        return _nats(decoder(mean + spread * eps), target)  # (N,)

    own = loss(mu, sigma)
    slope = _slope(decoder, mu + sigma * eps, target)  # (N, 2), d loss / d z
    score = np.concatenate([eps / sigma, (eps**2 - 1) / sigma], 1)  # (N, 4), d log q / d (mu, sigma)
    steps = STEP * np.eye(2, dtype=np.float32)
    differences = [(loss(mu + h, sigma) - loss(mu - h, sigma)).mean() for h in steps]
    differences += [(loss(mu, sigma + h) - loss(mu, sigma - h)).mean() for h in steps]
    return Gradients(
        np.array(differences, np.float32) / np.float32(2 * STEP),
        np.concatenate([slope, slope * eps], 1),
        own[:, None] * score,
        np.concatenate([mu, sigma - 1 / sigma]),
    )


def _nats(decoded: Array, target: Array) -> Array:
    """Bernoulli negative log-likelihood of ``target`` [D] under each of ``decoded`` [N, D]: [N]."""
    safe = np.clip(decoded, 1e-7, 1 - 1e-7)
    return -(np.log(safe) @ target + np.log1p(-safe) @ (1 - target))


def _slope(decoder: DenseNetwork, codes: Array, target: Array) -> Array:
    """d loss / d z [N, 2] at codes [N, 2]: back through the layers; a sigmoid with this loss leaves ``y - x``."""
    inputs, x = [], codes
    for n, (weights, biases) in enumerate(decoder.layers):
        inputs.append(x)  # of this layer, before the activation that leads to it
        x = (_activate(x, decoder.activation)[0] if n else x) @ weights.T + biases
    back = 1 / (1 + np.exp(-x)) - target  # (N, D)
    for n in range(len(decoder.layers) - 1, -1, -1):
        back = back @ decoder.layers[n][0]
        if n:
            back = back * _activate(inputs[n], decoder.activation)[1]
    return np.asarray(back, np.float32)


def _activate(x: Array, name: str) -> tuple[Array, Array]:
    """Value and slope of an activation."""
    if name == "relu":
        return np.maximum(x, 0), (x > 0).astype(np.float32)
    if name == "tanh":
        y = np.tanh(x)
        return y, 1 - y**2
    gate = 1 / (1 + np.exp(-x))
    return x * gate, gate * (1 + x * (1 - gate))
