"""A convolutional autoencoder over pictures."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from aecore.errors import SettingError
from aecore.models.autoencoder import AutoEncoder
from aecore.models.layers import Unflatten, activation, seeded


class ConvAutoEncoder2d(AutoEncoder):
    """Convolutional autoencoder over pictures for ``input_shape=(channels, height, width)``.

    Each entry of ``hidden`` is the channel count of a convolution with stride 2, so three of them take 28 x 28 pixels
    to 4 x 4; one dense layer leads to the code and one back, and transposed convolutions mirror the way down.
    Masci et al., *Stacked Convolutional Auto-Encoders* (ICANN 2011).
    """

    KERNEL = 3

    def _networks(
        self, hidden: Sequence[int], name: str, generator: torch.Generator
    ) -> tuple[nn.Sequential, nn.Sequential]:
        if len(self.input_shape) != 3 or not hidden:
            raise SettingError(
                f"a convolutional autoencoder of pictures needs input_shape (channels, height, width) and at least one "
                f"hidden layer, got {self.input_shape} and {tuple(hidden)}"
            )
        widths, sizes = [self.input_shape[0], *hidden], [self.input_shape[1:]]
        for _ in hidden:
            height, width = sizes[-1]
            sizes.append(((height + 1) // 2, (width + 1) // 2))
        inner = (widths[-1], *sizes[-1])
        flat = inner[0] * inner[1] * inner[2]
        to_code = seeded(nn.Linear, flat, self._code_width, generator=generator)
        from_code = seeded(nn.Linear, self.latent_dim, flat, generator=generator)
        encoder = nn.Sequential(*self._down(widths, name, generator), nn.Flatten(), to_code)
        return encoder, nn.Sequential(from_code, Unflatten(inner), *self._up(widths, sizes, name, generator))

    def _down(self, widths: Sequence[int], name: str, generator: torch.Generator) -> list[nn.Module]:
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise(widths):  # [B, n_in, H, W] -> [B, n_out, ceil(H / 2), ceil(W / 2)]
            conv = seeded(nn.Conv2d, n_in, n_out, self.KERNEL, stride=2, padding=1, generator=generator)
            layers += [conv, activation(name)]
        return layers

    def _up(
        self, widths: Sequence[int], sizes: Sequence[tuple[int, ...]], name: str, generator: torch.Generator
    ) -> list[nn.Module]:
        layers: list[nn.Module] = []
        for i in range(len(widths) - 1, 0, -1):
            height, width = sizes[i - 1]  # transposed with stride 2, a convolution gives 2H - 1, plus what is asked for
            conv = seeded(
                nn.ConvTranspose2d, widths[i], widths[i - 1], self.KERNEL,
                stride=2, padding=1, output_padding=(1 - height % 2, 1 - width % 2), generator=generator,
            )  # fmt: skip
            layers += [activation(name), conv]
        return layers
