"""The conditional VAE against torch.distributions, and against a family of signals whose law is known."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from aecore.errors import SettingError
from aecore.models import ConditionalVAE, from_tree, to_tree
from aecore.training import fit

RANGES = [(500.0, 3000.0), (0.0, 40.0)]  # speed in rpm, torque in Nm


def classes():
    return ConditionalVAE((1, 4, 4), condition_dim=3, hidden=(12,), latent_dim=2, beta=0.5, seed=1)


def physical(**other):
    settings = {"condition_ranges": RANGES, "hidden": (16,), "latent_dim": 2, "reconstruction": "mse", "seed": 1}
    return ConditionalVAE((6,), condition_dim=2, **(settings | other))


def test_the_objective_agrees_with_torch_distributions():
    model, x, c = classes(), torch.bernoulli(torch.rand(9, 1, 4, 4)), torch.arange(9) % 3
    losses = model.losses((x, c))
    mu, logvar = model.encoder(torch.cat([x.flatten(1), torch.eye(3)[c]], 1)).chunk(2, 1)
    posterior = Normal(mu, (logvar / 2).exp())
    eps = torch.randn(9, 2, generator=torch.Generator().manual_seed(1))
    logits = model.decoder(torch.cat([mu + posterior.scale * eps, torch.eye(3)[c]], 1))
    reconstruction = -Bernoulli(logits=logits).log_prob(x).sum((1, 2, 3)).mean()
    kl = kl_divergence(posterior, Normal(0.0, 1.0)).sum(1).mean()
    torch.testing.assert_close(losses["reconstruction"], reconstruction)
    torch.testing.assert_close(losses["kl"], kl)
    torch.testing.assert_close(losses["total"], reconstruction + 0.5 * kl)


def test_a_class_is_its_one_hot_row():
    model, x, c = classes(), torch.rand(5, 1, 4, 4), torch.tensor([2, 0, 1, 1, 2])
    torch.testing.assert_close(model(x, c), model(x, torch.eye(3)[c]))
    z = model.encode(x, c)
    torch.testing.assert_close(model.decode(z, torch.tensor([1])), model.decode(z, torch.ones(5, dtype=torch.long)))


def test_numbers_in_their_units_are_the_same_numbers_scaled():
    scaled, plain, x = physical(), physical(condition_ranges=None), torch.rand(3, 6)
    units = torch.tensor([[500.0, 40.0], [3000.0, 0.0], [1750.0, 20.0]])
    torch.testing.assert_close(scaled(x, units), plain(x, torch.tensor([[-1.0, 1.0], [1.0, -1.0], [0.0, 0.0]])))


def test_it_comes_back_from_its_tree():
    model, x, c = physical().eval(), torch.rand(4, 6), torch.rand(4, 2) * 40
    twin = from_tree(to_tree(model))
    assert isinstance(twin, ConditionalVAE)
    torch.testing.assert_close(twin(x, c), model(x, c))


def test_it_shows_a_known_style_at_an_operating_point_that_it_never_saw():
    """Signals ``torque * sin(t + phase)``: the phase is the style, the torque the condition, 24 to 28 Nm left out."""
    draw, t = torch.Generator().manual_seed(0), torch.linspace(0, 2 * math.pi, 13)[:-1]
    torque, phase = 10 + 30 * torch.rand(2000, 1, generator=draw), 2 * math.pi * torch.rand(2000, 1, generator=draw)
    seen = ((torque < 24) | (torque > 28)).flatten()
    model = ConditionalVAE(
        (12,), condition_dim=1, condition_ranges=[(0, 40)], hidden=(32,), latent_dim=2,
        reconstruction="mse", beta=1e-2, activation="silu", seed=0,
    )  # fmt: skip
    signals = torque / 40 * torch.sin(t + phase)
    for _ in fit(model, (signals[seen], torque[seen]), epochs=15, batch_size=50, learning_rate=5e-3):
        pass
    loud = (torque > 30).flatten()
    with torch.no_grad():
        z = model.encode(signals[loud], torque[loud])
        moved = model.decode(z, torch.full((1, 1), 26.0))
    truth = 26 / 40 * torch.sin(t + phase[loud])

    def error(x):
        return float((x - truth).square().mean().sqrt())

    assert error(moved) < 0.4 * error(signals[loud])


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (None, "needs a condition"),
        (torch.tensor([0, 3, 1]), r"integers in 0\.\.2"),
        (torch.rand(3, 4), r"must be \[3, 3\] numbers, got \[3, 4\]"),
        (torch.rand(2, 3), r"got \[2, 3\]"),
    ],
)
def test_a_condition_that_does_not_fit_says_so(condition, message):
    with pytest.raises(SettingError, match=message):
        classes().encode(torch.rand(3, 1, 4, 4), condition)


def test_settings_and_batches_that_do_not_fit_say_so():
    with pytest.raises(SettingError, match="2 pairs of low < high"):
        physical(condition_ranges=[(0, 1), (5, 5)])
    with pytest.raises(SettingError, match="condition_dim must be at least 1, got 0"):
        ConditionalVAE((4,), condition_dim=0)
    with pytest.raises(SettingError, match="got x alone"):
        classes().losses(torch.rand(3, 1, 4, 4))
