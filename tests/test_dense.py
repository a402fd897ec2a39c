"""Dense networks in numpy, held against torch."""

import numpy as np
import pytest
import torch

from aecore.errors import StoreError
from aecore.models import AutoEncoder, VariationalAutoEncoder, to_tree
from aecore.numerics.dense import DenseNetwork, decoder_of, encoder_of


@pytest.mark.parametrize("activation", ["relu", "silu", "tanh"])
@pytest.mark.parametrize(("kind", "reconstruction"), [(AutoEncoder, "mse"), (VariationalAutoEncoder, "bce")])
def test_it_computes_what_torch_does(kind, activation, reconstruction):
    model = kind((4, 5), hidden=(16, 12), latent_dim=3, activation=activation, reconstruction=reconstruction, seed=1)
    tree = to_tree(model)
    x = torch.rand(7, 4, 5, generator=torch.Generator().manual_seed(0)) * 30 - 15
    z = torch.randn(7, 3, generator=torch.Generator().manual_seed(1)) * 20
    with torch.inference_mode():
        np.testing.assert_allclose(encoder_of(tree)(x.flatten(1).numpy()), model.encoder(x), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(decoder_of(tree)(z.numpy()), model.decode(z).flatten(1), rtol=1e-4, atol=1e-5)


def test_it_survives_the_store_and_leaves_its_input_alone():
    model = VariationalAutoEncoder((3, 3), hidden=(8,), latent_dim=2)
    network = decoder_of(to_tree(model))
    z = np.ones((2, 2), np.float32)
    again = DenseNetwork.from_tree(network.to_tree())
    np.testing.assert_array_equal(again(z), network(z))
    np.testing.assert_array_equal(z, np.ones((2, 2)))
    assert (network.inputs, network.outputs) == (2, 9)
    half = DenseNetwork.from_tree(network.to_tree(np.float16))
    np.testing.assert_allclose(half(z), network(z), atol=1e-2)


@pytest.mark.parametrize(
    "change", [{"activation": "sine"}, {"output": "softmax"}, {"layers": []}, {"layers": [{"weights": 1}]}]
)
def test_a_tree_of_another_make_is_refused(change):
    tree = decoder_of(to_tree(AutoEncoder((3, 3), hidden=(8,), latent_dim=2))).to_tree() | change
    with pytest.raises(StoreError):
        DenseNetwork.from_tree(tree)


def test_layers_that_do_not_follow_upon_one_another_are_refused():
    tree = decoder_of(to_tree(AutoEncoder((3, 3), hidden=(8,), latent_dim=2))).to_tree()
    with pytest.raises(StoreError, match="does not take"):
        DenseNetwork.from_tree(tree | {"layers": tree["layers"][::-1]})
