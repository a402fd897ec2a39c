"""Penalties and corruptions against independent oracles: autograd's Jacobian, torch.distributions, numpy."""

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, kl_divergence

from aecore.errors import SettingError
from aecore.models import AutoEncoder, ConvAutoEncoder2d, from_tree, to_tree
from aecore.models.objectives import jacobian_norm, jacobian_norm_estimate, kl_sparsity, l1_sparsity
from aecore.models.penalties import Denoising, Penalised, contraction, corrupt, kl, l1
from aecore.training import evaluate, fit


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_l1_agrees_with_numpy_and_does_not_gain_by_a_change_of_scale():
    z, atoms = torch.randn(7, 5), torch.randn(9, 5)
    expected = np.abs(z.numpy()).sum(1).mean()
    assert l1_sparsity(z).item() == pytest.approx(expected, rel=1e-5)
    weighed = (np.abs(z.numpy()) * np.linalg.norm(atoms.numpy(), axis=0)).sum(1).mean()
    assert l1_sparsity(z, atoms).item() == pytest.approx(weighed, rel=1e-5)
    torch.testing.assert_close(l1_sparsity(z / 8, atoms * 8), l1_sparsity(z, atoms))


def test_kl_sparsity_agrees_with_torch_distributions():
    z = torch.rand(11, 6)
    expected = kl_divergence(Bernoulli(torch.full((6,), 0.05)), Bernoulli(z.mean(0))).sum()
    torch.testing.assert_close(kl_sparsity(z, 0.05), expected)
    assert torch.isfinite(kl_sparsity(torch.zeros(3, 4), 0.05))
    assert kl_sparsity(torch.full((3, 4), 0.05), 0.05).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    "make",
    [
        lambda: AutoEncoder((1, 4, 4), hidden=(9,), latent_dim=5, activation="tanh", seed=2),
        lambda: AutoEncoder((1, 4, 4), hidden=(), latent_dim=5, code="sigmoid", seed=2),
        lambda: ConvAutoEncoder2d((1, 4, 4), hidden=(3,), latent_dim=5, activation="silu", seed=2),
    ],
)
def test_the_jacobian_s_norm_agrees_with_autograd_s(make):
    model, x = make(), torch.rand(3, 1, 4, 4)
    whole = torch.autograd.functional.jacobian(lambda v: model.encode(v).sum(0), x)  # (d, B, 1, 4, 4)
    expected = whole.square().sum() / 3
    torch.testing.assert_close(jacobian_norm(model.encode, x), expected)
    noise = generator()
    estimates = torch.stack([jacobian_norm_estimate(model.encode, x, noise).detach() for _ in range(3000)])
    within = 4 * estimates.std() / 3000**0.5  # four standard errors
    assert abs(estimates.mean() - expected) < within < 0.1 * expected


def test_one_sigmoid_layer_has_the_closed_form_of_its_inventors():
    """``sum_j (h_j (1 - h_j))^2 sum_i W_ji^2``: Rifai et al. (2011), equation 3."""
    model, x = AutoEncoder((6,), hidden=(), latent_dim=4, code="sigmoid", seed=1), torch.rand(8, 6)
    h, weights = model.encode(x), model.encoder[1][0].weight
    expected = ((h * (1 - h)).square() * weights.square().sum(1)).sum(1).mean()
    torch.testing.assert_close(jacobian_norm(model.encode, x), expected)


def test_the_estimate_has_gradients_in_training_and_none_is_asked_for_in_scoring():
    model = Penalised(AutoEncoder((6,), hidden=(5,), latent_dim=3, activation="tanh"), "contraction", weight=0.5)
    model.losses(torch.rand(4, 6))["penalty"].backward()
    assert all(p.grad.abs().sum() > 0 for p in model.model.encoder[1][0].parameters() if p.ndim == 2)
    assert evaluate(model, torch.rand(4, 6))["penalty"] > 0


def test_top_k_keeps_the_largest():
    model, x = AutoEncoder((6,), hidden=(), latent_dim=8, code=3, seed=0), torch.rand(20, 6)
    raw = model.encoder[1](x).detach().numpy()
    keep = raw >= np.sort(raw, 1)[:, -3:-2]
    np.testing.assert_array_equal(model.encode(x).detach().numpy(), np.where(keep, raw, 0))
    twin = from_tree(to_tree(model))
    torch.testing.assert_close(twin(x), model(x))


@pytest.mark.parametrize(("penalty", "code"), [("l1", "relu"), ("kl", "sigmoid"), ("contraction", None)])
def test_a_penalty_falls_where_its_weight_rises(penalty, code):
    x, after = torch.rand(256, 12, generator=generator()), []
    measure = {"l1": l1, "kl": kl, "contraction": contraction}[penalty]
    for weight in (0.0, 1.0):
        model = AutoEncoder((12,), hidden=(16,), latent_dim=8, decoder_hidden=(), code=code, seed=0)
        for report in fit(Penalised(model, penalty, weight=weight), x, epochs=12, batch_size=32, learning_rate=5e-3):
            assert report.losses["total"] == pytest.approx(
                report.losses["reconstruction"] + weight * report.losses["penalty"], rel=1e-4
            )
        after.append(measure(model, x, generator()).item())
    assert after[1] < 0.5 * after[0]


def test_gaussian_corruption_has_its_spread_and_masking_its_share():
    x = torch.full((400, 50), 0.5)
    noisy = corrupt(x, "gaussian", 0.3, generator()) - x
    assert noisy.std().item() == pytest.approx(0.3, rel=0.03)
    assert noisy.mean().item() == pytest.approx(0, abs=0.01)
    masked = corrupt(x, "masking", 0.3, generator())
    assert (masked == 0).float().mean().item() == pytest.approx(0.3, abs=0.01)
    assert set(masked.unique().tolist()) == {0.0, 0.5}


def test_denoising_is_judged_by_the_clean_input():
    model = AutoEncoder((6,), hidden=(5,), latent_dim=3, seed=0)
    x = torch.rand(9, 6)
    loss = Denoising(model, "masking", strength=0.4, seed=7).losses(x)["total"]
    rebuilt = model(corrupt(x, "masking", 0.4, generator(7)))
    assert loss.item() == pytest.approx(((rebuilt - x) ** 2).mean().item(), rel=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AutoEncoder((4,), latent_dim=2, code=3), "at most latent_dim = 2"),
        (lambda: AutoEncoder((4,), latent_dim=2, code="softmax"), "code must be one of relu, sigmoid"),
        (lambda: Penalised(AutoEncoder((4,)), "l2", weight=1), "penalty must be one of l1, kl, contraction"),
        (lambda: Penalised(AutoEncoder((4,)), "l1", weight=-1), "weight must be 0 or more, got -1"),
        (lambda: Denoising(AutoEncoder((4,)), "salt", strength=0.1), "corruption must be one of"),
        (lambda: Denoising(AutoEncoder((4,)), "masking", strength=1), "a masked share below 1, got 1"),
    ],
)
def test_settings_out_of_range_say_so(make, message):
    with pytest.raises(SettingError, match=message):
        make()
