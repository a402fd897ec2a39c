"""The variants' networks in torch: one body for all, what each kind adds to it, and the way out into numpy."""

import math
from collections.abc import Generator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from aecore.concepts.variants import (
    BETA,
    CONDITIONAL,
    CONVOLUTIONAL,
    HIDDEN,
    KINDS,
    SOURCES,
    VAE,
    VariantNetwork,
    VariantSettings,
)
from aecore.models import AutoEncoder, ConditionalVAE, ConvAutoEncoder2d, VariationalAutoEncoder, to_tree
from aecore.models.layers import Unflatten, dense_stack
from aecore.models.objectives import jacobian_norm
from aecore.models.penalties import CORRUPTIONS, PENALTIES, Denoising, Penalised
from aecore.numerics.dense import Activation, Array, DenseNetwork, decoder_of, encoder_of
from aecore.training import Report, fit

CHANNELS = {"digits": (16, 32), "mnist": (16, 32, 64)}  # of the convolutions, each of which halves the picture
BATCH, RATE = 64, 3e-3
CLASSES = 10
ACTIVATION: Activation = "silu"


class Parts(NamedTuple):
    """The model, and what is trained: the model itself, or the wrapper that adds a penalty or noise."""

    model: AutoEncoder
    trained: nn.Module


def build(settings: VariantSettings) -> Parts:
    """Make an untrained network, [B, 1, H, W] in and out, with cross-entropy as its reconstruction loss."""
    kind, weight = KINDS[settings.kind], settings.strength
    shape = (1, *SOURCES[settings.source])
    common: dict[str, Any] = {
        "latent_dim": settings.size, "reconstruction": "bce", "activation": ACTIVATION, "seed": settings.seed,
    }  # fmt: skip
    hidden = HIDDEN if settings.source == "digits" else (256,)
    if settings.kind == CONVOLUTIONAL:
        model: AutoEncoder = ConvAutoEncoder2d(shape, hidden=CHANNELS[settings.source], **common)
    elif settings.kind in (VAE, BETA):
        model = VariationalAutoEncoder(shape, hidden=hidden, beta=weight, **common)
    elif settings.kind == CONDITIONAL:
        model = ConditionalVAE(shape, condition_dim=CLASSES, hidden=hidden, beta=weight, **common)
    elif kind.code is not None:  # of many units: each one's column in the decoder is then what it stands for
        code = int(weight) if kind.code == "top" else kind.code
        model = AutoEncoder(shape, hidden=hidden, decoder_hidden=(), code=code, **common)
    else:
        model = AutoEncoder(shape, hidden=hidden, **common)
    if kind.penalty in PENALTIES:
        return Parts(model, Penalised(model, kind.penalty, weight=weight, seed=settings.seed))
    if kind.penalty in CORRUPTIONS:
        return Parts(model, Denoising(model, kind.penalty, strength=weight, seed=settings.seed))
    return Parts(model, model)


def fit_parts(parts: Parts, settings: VariantSettings, x: Array, labels: NDArray[Any]) -> Generator[Report, None, None]:
    """Train on flat pictures [N, D] in 0..1, a report an epoch: the same budget for every kind."""
    pictures = torch.from_numpy(np.ascontiguousarray(x)).reshape(-1, *parts.model.input_shape)
    told = torch.from_numpy(np.asarray(labels, np.int64))
    data = (pictures, told) if settings.kind == CONDITIONAL else pictures
    yield from fit(
        parts.trained, data, epochs=settings.epochs, batch_size=BATCH if settings.source == "digits" else 2 * BATCH,
        learning_rate=RATE, seed=settings.seed, schedule="cosine",
    )  # fmt: skip
    parts.model.eval()


def mean_jacobian_norm(model: AutoEncoder, x: Array, labels: NDArray[Any]) -> float:
    """Mean of ``||dz/dx||_F^2`` over flat pictures [N, D], exactly."""
    pictures = torch.from_numpy(np.ascontiguousarray(x)).reshape(-1, *model.input_shape)
    if not isinstance(model, ConditionalVAE):
        return jacobian_norm(model.encode, pictures).item()
    total = 0.0
    for kind in np.unique(labels):
        told, rows = torch.tensor([int(kind)]), torch.from_numpy(np.flatnonzero(labels == kind))
        norm = jacobian_norm(lambda one, told=told: model.encode(one, told), pictures[rows])  # type: ignore[misc]
        total += norm.item() * len(rows)
    return total / len(x)


def to_network(model: AutoEncoder, settings: VariantSettings) -> VariantNetwork:
    """Bring a trained model into plain numpy."""
    kind = KINDS[settings.kind]
    keep = int(settings.strength) if kind.code == "top" else 0
    if settings.kind == CONVOLUTIONAL:
        encoder = DenseNetwork(unroll(model.encoder, model.input_shape), ACTIVATION)
        decoder = DenseNetwork(unroll(model.decoder, (model.latent_dim,)), ACTIVATION, "sigmoid")
    else:
        tree = to_tree(model)
        encoder, decoder = encoder_of(tree), decoder_of(tree)
    told = CLASSES if settings.kind == CONDITIONAL else 0
    return VariantNetwork(encoder, decoder, model.latent_dim, kind.code, keep, told)


@torch.no_grad()
def unroll(part: nn.Module, shape: Sequence[int]) -> tuple[tuple[Array, Array], ...]:
    """Write every layer as one matrix: a convolution is a linear map, most of whose weights are zero or the same.

    ``shape`` is what goes in, without the batch. Each layer is asked for what it makes of every unit vector.
    """
    layers, shape = [], tuple(shape)
    for module in part.children():
        if isinstance(module, nn.Flatten | Unflatten):
            shape = tuple(module(torch.zeros(1, *shape)).shape[1:])
        elif any(True for _ in module.parameters()):
            size = math.prod(shape)
            biases = module(torch.zeros(1, *shape))  # (1, *out)
            columns = module(torch.eye(size).reshape(size, *shape)) - biases  # (in, *out)
            shape = tuple(biases.shape[1:])
            layers.append((columns.flatten(1).T.contiguous().numpy(), biases.flatten().numpy()))
    return tuple(layers)


class FeatureClassifier(nn.Module):
    """Digits from pictures, 64-64-32-10; its 32 features are what samples are compared in."""

    SIZES = (64, 64, 32, CLASSES)

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__()
        self.layers = dense_stack(self.SIZES, activate="relu", generator=torch.Generator().manual_seed(seed))

    def losses(self, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """Cross-entropy of (pictures [B, 64], labels [B])."""
        return {"total": F.cross_entropy(self.layers(batch[0]), batch[1])}

    @classmethod
    def learn(cls, x: Array, labels: NDArray[Any]) -> DenseNetwork:
        """Train on flat digits [N, 64]; the same every time."""
        model = cls()
        data = torch.from_numpy(np.ascontiguousarray(x)), torch.from_numpy(np.asarray(labels, np.int64))
        for _ in fit(model, data, epochs=30, batch_size=BATCH, learning_rate=RATE, schedule="cosine"):
            pass
        linear = [m for m in model.layers if isinstance(m, nn.Linear)]
        layers = tuple((m.weight.detach().numpy().copy(), m.bias.detach().numpy().copy()) for m in linear)
        return DenseNetwork(layers, "relu")
