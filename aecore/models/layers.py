"""Building blocks: linear and convolutional layers whose first weights come from a generator of their own."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from aecore.errors import SettingError

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU, "silu": nn.SiLU}
Layer = nn.Linear | nn.Conv1d | nn.ConvTranspose1d | nn.Conv2d | nn.ConvTranspose2d
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d)  # their weights are [in, out, ...], all others' [out, in, ...]


CODES: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid}


def code_activation(code: str | int) -> nn.Module:
    """Make what a code goes through, by its name or by how many of its numbers are kept."""
    if isinstance(code, int) and code > 0:
        return TopK(code)
    if code not in CODES:
        raise SettingError(f"code must be one of {', '.join(CODES)} or a number of units to keep, got {code!r}")
    return CODES[str(code)]()


def activation(name: str) -> nn.Module:
    """Activation module by name; raises SettingError for an unknown one."""
    if name not in ACTIVATIONS:
        raise SettingError(f"activation must be one of {', '.join(ACTIVATIONS)}, got {name!r}")
    return ACTIVATIONS[name]()


def seeded(make: type[Layer], *args: int, generator: torch.Generator, **kwargs: int | tuple[int, ...]) -> Layer:
    """Layer with PyTorch's usual first weights, drawn from ``generator`` instead of the global one.

    Uniform in ``+-1/sqrt(fan_in)`` for weights and biases, as ``nn.Linear.reset_parameters`` does.
    """
    layer: Layer = nn.utils.skip_init(make, *args, **kwargs)
    fan_in = layer.weight[0].numel() if not isinstance(layer, TRANSPOSED) else layer.weight[:, 0].numel()
    bound = 1 / math.sqrt(fan_in)
    nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
    if layer.bias is not None:
        nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
    return layer


def dense_stack(sizes: Sequence[int], *, activate: str, generator: torch.Generator) -> nn.Sequential:
    """Linear layers ``sizes[0] -> ... -> sizes[-1]`` with the activation between them (none after the last)."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(sizes):
        layers += [seeded(nn.Linear, n_in, n_out, generator=generator), activation(activate)]
    return nn.Sequential(*layers[:-1])


class TopK(nn.Module):
    """Keep the ``k`` largest of ``[B, latent_dim]`` and set the others to zero.

    Makhzani & Frey, *k-Sparse Autoencoders* (ICLR 2014).
    """

    def __init__(self, k: int) -> None:
        super().__init__()
        self.k = k

    def forward(self, z: Tensor) -> Tensor:
        """Zero all but the largest of each row; among equals, which ones stay is the library's choice."""
        places = z.topk(self.k, -1).indices  # (B, k)
        return z * torch.zeros_like(z).scatter(-1, places, 1.0)


class Unflatten(nn.Module):
    """``[B, prod(shape)] -> [B, *shape]``."""

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        self.shape = tuple(shape)

    def forward(self, x: Tensor) -> Tensor:
        """Reshape every datum."""
        return x.unflatten(-1, self.shape)  # by name, so that an export keeps the batch's size open
