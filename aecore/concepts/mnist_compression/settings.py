"""What the compression page trains: a network, its training, and how much the network weighs."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.concepts.mnist_compression import pictures
from aecore.errors import SettingError

PIXELS = 28 * 28
KINDS = ("dense", "convolutional")
LOSSES = ("mse", "bce")
WIDTHS = (64, 128, 256, 512, 1024)
LATENT_RANGE, EPOCHS_RANGE = (2, 128), (1, 50)
# A code size to begin with: 10.
LOG2_RULE = round(math.log2(PIXELS))
# Test error 0.0056 after 15 epochs where ReLU had 0.0061 (512-256-32, MSE).
ACTIVATION = "silu"
# Seconds between two reports within an epoch.
REPORT_EVERY = 0.25
DENSE, CONVOLUTIONAL = KINDS

Tree = dict[str, Any]
Progress = dict[str, Any]
Ink = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class CompressionNetwork:
    """What is trained. ``width``: units of the dense network's first layer; a convolution has an eighth as channels."""

    kind: str = DENSE
    latent_dim: int = 32
    width: int = 512
    loss: str = "bce"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value, allowed in (("kind", self.kind, KINDS), ("width", self.width, WIDTHS),
                                     ("loss", self.loss, LOSSES)):  # fmt: skip
            if value not in allowed:
                raise SettingError(f"{name} must be one of {', '.join(map(str, allowed))}, got {value!r}")
        if not LATENT_RANGE[0] <= self.latent_dim <= LATENT_RANGE[1]:
            raise SettingError(f"latent_dim must be in {LATENT_RANGE[0]}..{LATENT_RANGE[1]}, got {self.latent_dim}")

    @property
    def hidden(self) -> tuple[int, ...]:
        """Widths between picture and code: of dense layers, or channels of convolutions that halve the side."""
        if self.kind == DENSE:
            return self.width, self.width // 2
        return self.width // 32, self.width // 16, self.width // 8

    @property
    def sizes(self) -> list[int]:
        """Widths from picture to code, of dense layers; of a convolution flattened, its last two."""
        return [PIXELS, *self.hidden, self.latent_dim]


@dataclass(frozen=True, kw_only=True)
class CompressionTraining:
    """How it is trained: pictures of a source, through Adam with a rate that rises briefly and falls to near zero."""

    source: str = pictures.MNIST
    epochs: int = 10
    batch_size: int = 128
    learning_rate: float = 2e-3

    def __post_init__(self) -> None:
        if self.source not in pictures.SOURCES:
            raise SettingError(f"source must be one of {', '.join(pictures.SOURCES)}, got {self.source!r}")
        if not EPOCHS_RANGE[0] <= self.epochs <= EPOCHS_RANGE[1]:
            raise SettingError(f"epochs must be in {EPOCHS_RANGE[0]}..{EPOCHS_RANGE[1]}, got {self.epochs}")
        if not 8 <= self.batch_size <= 4096:
            raise SettingError(f"batch_size must be in 8..4096, got {self.batch_size}")
        if not 1e-6 <= self.learning_rate <= 1:
            raise SettingError(f"learning_rate must be in 1e-6..1, got {self.learning_rate}")


class Cost(NamedTuple):
    """What a network weighs; a digit's bytes at one byte a code number, and how many times fewer than 784 they are."""

    parameters: int
    bytes_per_digit: int
    ratio: float


def cost(network: CompressionNetwork) -> Cost:
    """Count before anything is built, so that no page waits for torch."""
    return Cost(_parameters(network), network.latent_dim, PIXELS / network.latent_dim)


def _parameters(network: CompressionNetwork) -> int:
    if network.kind == DENSE:
        sizes = network.sizes
        into = sum((a + 1) * b for a, b in zip(sizes, sizes[1:], strict=False))
        out = sum((b + 1) * a for a, b in zip(sizes, sizes[1:], strict=False))
        return into + out
    channels = [1, *network.hidden]
    flat = channels[-1] * 4 * 4  # 28 -> 14 -> 7 -> 4
    convolutions = sum(2 * 9 * a * b + a + b for a, b in zip(channels, channels[1:], strict=False))
    return convolutions + (flat + 1) * network.latent_dim + (network.latent_dim + 1) * flat


def build(network: CompressionNetwork) -> Any:
    """Make the untrained model, [B, 1, 28, 28] in and out."""
    from aecore.models import AutoEncoder, ConvAutoEncoder2d  # seconds on the way to a page, nothing in a worker

    make = AutoEncoder if network.kind == DENSE else ConvAutoEncoder2d
    return make(
        (1, 28, 28), hidden=network.hidden, latent_dim=network.latent_dim, reconstruction=network.loss,
        activation=ACTIVATION, seed=network.seed,
    )  # fmt: skip
