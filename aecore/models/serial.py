"""Models as trees of plain values and arrays, for the store and for exports: no pickle."""

from typing import Any

import torch

from aecore.errors import StoreError
from aecore.models.autoencoder import AutoEncoder, ConvAutoEncoder1d
from aecore.models.conditional import ConditionalVAE
from aecore.models.convolutional import ConvAutoEncoder2d
from aecore.models.nested import NestedAutoEncoder
from aecore.models.variational import VariationalAutoEncoder

KINDS: dict[str, type[AutoEncoder]] = {
    c.__name__: c
    for c in (
        AutoEncoder,
        ConditionalVAE,
        ConvAutoEncoder1d,
        ConvAutoEncoder2d,
        NestedAutoEncoder,
        VariationalAutoEncoder,
    )  # fmt: skip
}


def to_tree(model: AutoEncoder) -> dict[str, Any]:
    """``{"kind", "config", "weights": {name: array}}``; the arrays are copies."""
    weights = {name: tensor.detach().cpu().numpy().copy() for name, tensor in model.state_dict().items()}
    return {"kind": type(model).__name__, "config": dict(model.config), "weights": weights}


def from_tree(tree: dict[str, Any]) -> AutoEncoder:
    """Rebuild the model of :func:`to_tree`; raises StoreError where kind or shapes do not fit."""
    try:
        config = dict(tree["config"])
        model = KINDS[tree["kind"]](config.pop("input_shape"), **config)
        model.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in tree["weights"].items()})
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise StoreError("This file does not hold a model of this version; train it again.") from error
    return model.eval()
