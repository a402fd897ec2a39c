"""The models against independent oracles: shapes, torch.distributions, scikit-learn's PCA."""

import math

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from aecore.errors import SettingError, StoreError
from aecore.models import AutoEncoder, ConvAutoEncoder1d, NestedAutoEncoder, VariationalAutoEncoder, from_tree, to_tree
from aecore.models.objectives import (
    bernoulli_negative_log_likelihood,
    kl_to_standard_normal,
    mean_absolute_error,
    mean_squared_error,
)
from aecore.training import fit

MODELS = [
    lambda: AutoEncoder((3, 17), hidden=(32,), latent_dim=5, seed=3),
    lambda: AutoEncoder((12,), hidden=(), latent_dim=2, activation="tanh", seed=3),
    lambda: ConvAutoEncoder1d((3, 17), hidden=(4, 8), latent_dim=5, seed=3),
    lambda: ConvAutoEncoder1d((1, 64), hidden=(4,), latent_dim=3, seed=3),
    lambda: NestedAutoEncoder((1, 6, 6), hidden=(20,), latent_dim=4, seed=3),
    lambda: VariationalAutoEncoder((1, 6, 6), hidden=(20,), latent_dim=4, seed=3),
]


@pytest.mark.parametrize("make", MODELS)
def test_codes_and_reconstructions_have_their_shapes(make):
    model = make()
    x = torch.rand(7, *model.input_shape)
    z = model.encode(x)
    assert z.shape == (7, model.latent_dim)
    assert model.decode(z).shape == x.shape
    losses = model.losses(x)
    assert losses["total"].shape == () and losses["total"].requires_grad
    assert model.num_parameters == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("make", MODELS)
def test_a_seed_gives_the_same_weights_and_leaves_the_global_generator_alone(make):
    before = torch.random.get_rng_state()
    first, second = make(), make()
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


@pytest.mark.parametrize("make", MODELS)
def test_a_model_comes_back_from_its_tree(make):
    model = make().eval()
    twin = from_tree(to_tree(model))
    x = torch.rand(4, *model.input_shape)
    torch.testing.assert_close(twin(x), model(x))
    assert type(twin) is type(model)


def test_a_tree_of_another_make_is_refused():
    tree = to_tree(AutoEncoder((4,), latent_dim=2))
    with pytest.raises(StoreError, match="train it again"):
        from_tree(tree | {"kind": "Transformer"})
    with pytest.raises(StoreError, match="train it again"):
        from_tree(tree | {"weights": {}})


def test_kl_agrees_with_torch_distributions():
    mu, logvar = torch.randn(9, 5), torch.randn(9, 5)
    posterior = torch.distributions.Normal(mu, (0.5 * logvar).exp())
    expected = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0)).sum(1).mean()
    torch.testing.assert_close(kl_to_standard_normal(mu, logvar), expected)


def test_bce_agrees_with_torch_distributions():
    logits, x = torch.randn(9, 2, 3), torch.bernoulli(torch.rand(9, 2, 3))
    expected = -torch.distributions.Bernoulli(logits=logits).log_prob(x).sum((1, 2)).mean()
    torch.testing.assert_close(bernoulli_negative_log_likelihood(logits, x), expected)


def test_mse_agrees_with_numpy():
    a, b = np.random.default_rng(0).normal(size=(2, 8, 3)).astype(np.float32)
    assert math.isclose(
        float(mean_squared_error(torch.from_numpy(a), torch.from_numpy(b))), ((a - b) ** 2).mean(), rel_tol=1e-5
    )


def test_mae_agrees_with_numpy():
    a, b = np.random.default_rng(1).normal(size=(2, 8, 3)).astype(np.float32)
    ours = mean_absolute_error(torch.from_numpy(a), torch.from_numpy(b))
    assert math.isclose(ours.item(), np.abs(a - b).mean(), rel_tol=1e-5)


def test_a_linear_autoencoder_started_at_pca_is_pca():
    x = np.random.default_rng(0).normal(size=(200, 12)).astype("f4") * np.linspace(1, 3, 12, dtype="f4")
    pca = PCA(3).fit(x)
    model = AutoEncoder((12,), hidden=(), latent_dim=3)
    model.start_at(torch.from_numpy(pca.mean_), torch.from_numpy(pca.components_))
    np.testing.assert_allclose(
        model(torch.from_numpy(x)).detach().numpy(), pca.inverse_transform(pca.transform(x)), atol=1e-4
    )


def test_the_vae_samples_with_the_posterior_s_moments():
    model = VariationalAutoEncoder((4,), latent_dim=2, seed=0)
    mu, logvar = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.0, math.log(0.25)]])
    z = model.sample(type(model.posterior(torch.rand(1, 4)))(mu.expand(20_000, 2), logvar.expand(20_000, 2)))
    torch.testing.assert_close(z.mean(0), mu[0], atol=0.03, rtol=0)
    torch.testing.assert_close(z.std(0), torch.tensor([1.0, 0.5]), atol=0.02, rtol=0)


def test_the_linear_autoencoder_reaches_pca_s_error():
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(600, 3)) * [3, 2, 1] @ rng.normal(size=(3, 10)) + 0.1 * rng.normal(size=(600, 10))).astype(
        "f4"
    )
    x -= x.mean(0)
    pca = PCA(2).fit(x)
    best = ((pca.inverse_transform(pca.transform(x)) - x) ** 2).mean()
    model = AutoEncoder((10,), hidden=(), latent_dim=2, seed=1)
    for _ in fit(model, torch.from_numpy(x), epochs=150, batch_size=50, learning_rate=5e-3):
        pass
    with torch.no_grad():
        error = float(mean_squared_error(model(torch.from_numpy(x)), torch.from_numpy(x)))
    assert best * 0.999 <= error <= best * 1.02


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"latent_dim": 0}, "latent_dim must be at least 1, got 0"),
        ({"hidden": (0,)}, "hidden widths"),
        ({"reconstruction": "hinge"}, "reconstruction must be one of"),
        ({"activation": "step"}, "activation must be one of"),
    ],
)
def test_settings_out_of_range_say_so(kwargs, message):
    with pytest.raises(SettingError, match=message):
        AutoEncoder((4,), **kwargs)


def test_nested_dropout_orders_the_code():
    """On data of known rank, the first numbers of the code carry the directions of largest variance."""
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(12, 4)))[0].T
    scales = np.array([4.0, 2.0, 1.0, 0.5])
    x = torch.from_numpy((rng.normal(size=(2000, 4)) * scales @ basis).astype("f4"))
    model = NestedAutoEncoder((12,), hidden=(), latent_dim=4, seed=0)
    for _ in fit(model, x, epochs=60, batch_size=50, learning_rate=5e-3):
        pass
    with torch.no_grad():
        z = model.encode(x)
        errors = [12 * mean_squared_error(model.decode(model.keep(z, k)), x).item() for k in range(5)]
    left = [float((scales[k:] ** 2).sum()) for k in range(5)]  # what PCA leaves at each k
    assert all(best * 0.9 <= error <= best * 1.3 + 0.1 for error, best in zip(errors, left, strict=True))
