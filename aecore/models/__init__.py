"""The networks: every model maps data to a code and back, and knows its own objective (``losses``)."""

from aecore.models.autoencoder import AutoEncoder, ConvAutoEncoder1d
from aecore.models.conditional import ConditionalVAE
from aecore.models.convolutional import ConvAutoEncoder2d
from aecore.models.nested import NestedAutoEncoder
from aecore.models.serial import from_tree, to_tree
from aecore.models.variational import Posterior, VariationalAutoEncoder

__all__ = [
    "AutoEncoder",
    "ConditionalVAE",
    "ConvAutoEncoder1d",
    "ConvAutoEncoder2d",
    "NestedAutoEncoder",
    "Posterior",
    "VariationalAutoEncoder",
    "from_tree",
    "to_tree",
]
