"""The network: features of every frame and its neighbours to a gain between 0 and 1 for every bin."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aecore.audio.features import FEATURES, REACH, features
from aecore.audio.spectrum import BINS
from aecore.models.layers import seeded

WIDTH = 256
DILATIONS = (1, 2, 4, 8, 12, 4)  # frames; together half a second to either side


class MaskNetwork(nn.Module):
    """Residual dilated convolutions over time: Bai, Kolter & Koltun (2018), here looking both ways.

    All of it is matrix products over the last axis, which a processor does best: three neighbours of a frame are laid
    side by side and multiplied once. No norm looks over time, so a frame depends on ``reach`` frames to either side.
    """

    def __init__(self, *, width: int = WIDTH, dilations: tuple[int, ...] = DILATIONS, seed: int = 0) -> None:
        super().__init__()
        self.dilations = dilations
        self.config = {"width": width, "seed": seed}
        generator = torch.Generator().manual_seed(seed)
        self.into = seeded(nn.Linear, FEATURES, width, generator=generator)
        self.blocks = nn.ModuleList(_Block(width, dilation, generator) for dilation in dilations)
        self.norm = nn.LayerNorm(width)
        self.out = seeded(nn.Linear, width, BINS, generator=generator)
        self.direct = nn.Parameter(torch.zeros(2, BINS))  # from a bin's own features straight to its gain

    @property
    def reach(self) -> int:
        """Frames to either side that a frame's gain depends on."""
        return REACH + sum(self.dilations)

    @property
    def num_parameters(self) -> int:
        """Count of trained numbers."""
        return sum(p.numel() for p in self.parameters())

    def forward(self, power: Tensor) -> Tensor:
        """Power spectra [B, frames, BINS] of noisy speech to gains [B, frames, BINS] in 0..1."""
        seen = features(power)  # (B, frames, 2 * BINS)
        h = self.into(seen)  # (B, frames, width)
        for block in self.blocks:
            h = block(h)
        direct = (seen.unflatten(-1, (2, BINS)) * self.direct).sum(-2)  # (B, frames, BINS)
        return torch.sigmoid(self.out(self.norm(h)) + direct)


class _Block(nn.Module):
    def __init__(self, width: int, dilation: int, generator: torch.Generator) -> None:
        super().__init__()
        self.dilation, self.norm = dilation, nn.LayerNorm(width)
        self.mix = seeded(nn.Linear, 3 * width, width, generator=generator)

    def forward(self, h: Tensor) -> Tensor:
        d, frames = self.dilation, h.shape[1]
        padded = F.pad(self.norm(h), (0, 0, d, d))
        neighbours = torch.cat([padded[:, i * d : i * d + frames] for i in range(3)], -1)  # (B, frames, 3 * width)
        return h + F.silu(self.mix(neighbours))
