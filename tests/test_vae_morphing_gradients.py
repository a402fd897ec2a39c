"""Gradients of the noisy code: by hand against torch's, and both estimates against finite differences."""

import numpy as np
import pytest
import torch

from aecore.concepts.dense import DenseNetwork
from aecore.concepts.vae_morphing_gradients import gradients, noise
from aecore.errors import SettingError

MU, SIGMA = np.array([0.3, -0.8], np.float32), np.array([0.25, 0.4], np.float32)


def network(activation: str) -> DenseNetwork:
    rng = np.random.default_rng(0)
    sizes = ((20, 2), (30, 20), (16, 30))
    layers = tuple(((0.4 * rng.standard_normal(s)).astype(np.float32), np.zeros(s[0], np.float32)) for s in sizes)
    return DenseNetwork(layers, activation, "sigmoid")


def image() -> np.ndarray:
    return np.random.default_rng(1).uniform(size=(4, 4)).astype(np.float32)


@pytest.mark.parametrize("activation", ["relu", "silu", "tanh"])
def test_each_draw_s_gradient_is_torch_s(activation):
    net, eps = network(activation), noise(6, 0)
    acts = {"relu": torch.relu, "silu": torch.nn.functional.silu, "tanh": torch.tanh}
    for draw, found in zip(eps, gradients(net, image(), MU, SIGMA, eps).moved, strict=True):
        mu, sigma = (torch.tensor(v, requires_grad=True) for v in (MU, SIGMA))
        x = mu + sigma * torch.tensor(draw)
        for n, (w, b) in enumerate(net.layers):
            x = torch.from_numpy(w) @ (acts[activation](x) if n else x) + torch.from_numpy(b)
        torch.nn.functional.binary_cross_entropy_with_logits(
            x, torch.from_numpy(image().ravel()), reduction="sum"
        ).backward()
        np.testing.assert_allclose(found, np.concatenate([mu.grad, sigma.grad]), atol=1e-4)


def test_both_estimates_hit_the_finite_difference_and_one_is_noisier():
    eps = noise(40_000, 0)
    table = gradients(network("silu"), image(), MU, SIGMA, eps).table()
    np.testing.assert_allclose(table["moved"], table["differences"], atol=0.02)
    assert (np.abs(table["score"] - table["differences"]) < 5 * table["score_error"]).all()
    assert (table["noise"] > 5).all()
    assert (table["moved"].abs() > 0.01).all()  # they reach mu and sigma


def test_the_other_force_is_torch_s_kl():
    mu, sigma = (torch.tensor(v, requires_grad=True) for v in (MU, SIGMA))
    normal = torch.distributions.Normal
    torch.distributions.kl_divergence(normal(mu, sigma), normal(0, 1)).sum().backward()
    found = gradients(network("silu"), image(), MU, SIGMA, noise(2, 0)).kl
    np.testing.assert_allclose(found, np.concatenate([mu.grad, sigma.grad]), rtol=1e-5)


def test_noise_comes_in_pairs():
    assert np.abs(noise(100, 3).mean(0)).max() < 1e-7
    with pytest.raises(SettingError, match="got 3"):
        noise(3, 0)
