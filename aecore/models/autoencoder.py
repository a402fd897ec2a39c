"""Plain autoencoders: dense, and convolutional over time; the decoder mirrors the encoder."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from aecore.errors import SettingError
from aecore.models.layers import Unflatten, activation, code_activation, dense_stack, seeded
from aecore.models.objectives import bernoulli_negative_log_likelihood, mean_absolute_error, mean_squared_error

RECONSTRUCTIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mse": mean_squared_error,
    "mae": mean_absolute_error,
    "bce": bernoulli_negative_log_likelihood,
}
Batch = Tensor | tuple[Tensor, ...]


class AutoEncoder(nn.Module):
    """Dense autoencoder ``x -> z -> x'``; with ``hidden=()`` a linear one, which finds PCA's subspace.

    Rumelhart, Hinton & Williams (1986); linear case: Baldi & Hornik, *Neural Networks* 2 (1989).

    Parameters
    ----------
    input_shape : shape of one datum, without the batch.
    hidden : widths of the layers between input and code.
    decoder_hidden : widths of the layers between code and output; None: ``hidden`` in reverse.
    latent_dim : numbers in the code.
    reconstruction : ``"mse"`` or ``"mae"`` for real values, ``"bce"`` for values in 0..1 (the decoder then ends in
        a sigmoid).
    code : what the code goes through last: None, ``"relu"``, ``"sigmoid"`` or, as a number, to keep only so many of
        its largest units.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        *,
        hidden: Sequence[int] = (128,),
        latent_dim: int = 8,
        reconstruction: str = "mse",
        activation: str = "relu",
        decoder_hidden: Sequence[int] | None = None,
        code: str | int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        _check(input_shape, (*hidden, *(decoder_hidden or ())), latent_dim, reconstruction)
        self.input_shape, self.latent_dim = tuple(input_shape), latent_dim
        self.reconstruction, self.seed = reconstruction, seed
        self.config: dict[str, Any] = {
            "input_shape": list(input_shape), "hidden": list(hidden), "latent_dim": latent_dim,
            "reconstruction": reconstruction, "activation": activation, "seed": seed,
        }  # fmt: skip
        self._decoder_hidden = None if decoder_hidden is None else tuple(decoder_hidden)
        if decoder_hidden is not None:
            self.config["decoder_hidden"] = list(decoder_hidden)
        generator = torch.Generator().manual_seed(seed)
        self.encoder, self.decoder = self._networks(hidden, activation, generator)
        if code is not None:
            if isinstance(code, int) and code > latent_dim:
                raise SettingError(f"code must keep at most latent_dim = {latent_dim} units, got {code}")
            self.config["code"] = code
            self.encoder.append(code_activation(code))

    def _networks(
        self, hidden: Sequence[int], name: str, generator: torch.Generator
    ) -> tuple[nn.Sequential, nn.Sequential]:
        size, back = math.prod(self.input_shape), tuple(hidden)[::-1]
        back = back if self._decoder_hidden is None else self._decoder_hidden
        encoder = dense_stack([size + self._given, *hidden, self._code_width], activate=name, generator=generator)
        decoder = dense_stack([self.latent_dim + self._given, *back, size], activate=name, generator=generator)
        return nn.Sequential(nn.Flatten(), encoder), nn.Sequential(decoder, Unflatten(self.input_shape))

    @property
    def _code_width(self) -> int:
        return self.latent_dim

    @property
    def _given(self) -> int:
        """Numbers that encoder and decoder are told beside their input."""
        return 0

    @property
    def num_parameters(self) -> int:
        """Number of trainable weights."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad)

    def start_at(self, mean: Tensor, components: Tensor) -> None:
        """Set a linear autoencoder to PCA's solution: ``mean`` [D] and orthonormal ``components`` [latent_dim, D]."""
        into, out = (
            next(m for m in part.modules() if isinstance(m, nn.Linear)) for part in (self.encoder, self.decoder)
        )
        with torch.no_grad():
            into.weight.copy_(components)
            into.bias.copy_(-components @ mean)
            out.weight.copy_(components.T)
            out.bias.copy_(mean)

    def encode(self, x: Tensor) -> Tensor:
        """``[B, *input_shape] -> [B, latent_dim]``."""
        return self.encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        """``[B, latent_dim] -> [B, *input_shape]``, in the data's range."""
        raw = self.decoder(z)
        return torch.sigmoid(raw) if self.reconstruction == "bce" else raw

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruct: ``[B, *input_shape] -> [B, *input_shape]``."""
        return self.decode(self.encode(x))

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Scalars ``total`` and ``reconstruction``; a batch of two tensors is (input, target), as in denoising."""
        x, target = (batch, batch) if isinstance(batch, Tensor) else batch
        loss = reconstruction_loss(self.reconstruction, self.decoder(self.encode(x)), target)
        return {"total": loss, "reconstruction": loss}


class ConvAutoEncoder1d(AutoEncoder):
    """Convolutional autoencoder over time for ``input_shape=(channels, length)``: local structure, shared weights.

    Each entry of ``hidden`` is the channel count of a convolution with stride 2; the decoder mirrors them with
    transposed convolutions. Masci et al., *Stacked Convolutional Auto-Encoders* (ICANN 2011).
    """

    KERNEL = 5  # odd, so that padding keeps the centre; spans two strides

    def _networks(
        self, hidden: Sequence[int], name: str, generator: torch.Generator
    ) -> tuple[nn.Sequential, nn.Sequential]:
        if len(self.input_shape) != 2 or not hidden:
            raise SettingError(
                f"a convolutional autoencoder needs input_shape (channels, length) and at least one hidden layer, "
                f"got {self.input_shape} and {tuple(hidden)}"
            )
        widths, lengths = [self.input_shape[0], *hidden], [self.input_shape[1]]
        for _ in hidden:
            lengths.append((lengths[-1] + 1) // 2)
        flat = widths[-1] * lengths[-1]
        to_code = seeded(nn.Linear, flat, self._code_width, generator=generator)
        from_code = seeded(nn.Linear, self.latent_dim, flat, generator=generator)
        encoder = nn.Sequential(*self._down(widths, name, generator), nn.Flatten(), to_code)
        unflatten = Unflatten((widths[-1], lengths[-1]))
        return encoder, nn.Sequential(from_code, unflatten, *self._up(widths, lengths, name, generator))

    def _down(self, widths: Sequence[int], name: str, generator: torch.Generator) -> list[nn.Module]:
        layers: list[nn.Module] = []
        half = self.KERNEL // 2
        for n_in, n_out in pairwise(widths):  # [B, n_in, L] -> [B, n_out, ceil(L / 2)]
            conv = seeded(nn.Conv1d, n_in, n_out, self.KERNEL, stride=2, padding=half, generator=generator)
            layers += [conv, activation(name)]
        return layers

    def _up(
        self, widths: Sequence[int], lengths: Sequence[int], name: str, generator: torch.Generator
    ) -> list[nn.Module]:
        layers: list[nn.Module] = []
        for i in range(len(widths) - 1, 0, -1):
            odd = lengths[i - 1] % 2  # a transposed convolution of stride 2 gives 2L - 1, plus what is asked for
            conv = seeded(
                nn.ConvTranspose1d, widths[i], widths[i - 1], self.KERNEL,
                stride=2, padding=self.KERNEL // 2, output_padding=1 - odd, generator=generator,
            )  # fmt: skip
            layers += [activation(name), conv]
        return layers


def reconstruction_loss(kind: str, raw: Tensor, x: Tensor) -> Tensor:
    """Loss of the decoder's raw output (logits, for ``"bce"``) by its name.

    In float32 whatever the layers compute in: a sum over a batch in bfloat16 has two digits.
    """
    return RECONSTRUCTIONS[kind](raw.float(), x)


def _check(input_shape: Sequence[int], hidden: Sequence[int], latent_dim: int, reconstruction: str) -> None:
    if not input_shape or min(input_shape) < 1:
        raise SettingError(f"input_shape must hold positive sizes, got {tuple(input_shape)}")
    if hidden and min(hidden) < 1:
        raise SettingError(f"hidden widths must be positive, got {tuple(hidden)}")
    if latent_dim < 1:
        raise SettingError(f"latent_dim must be at least 1, got {latent_dim}")
    if reconstruction not in RECONSTRUCTIONS:
        raise SettingError(f"reconstruction must be one of {', '.join(RECONSTRUCTIONS)}, got {reconstruction!r}")
