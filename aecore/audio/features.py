"""What the network sees: log-magnitudes relative to the local level, and relative to the local noise floor.

Both are differences of logarithms, so the gain of a recording cancels; both look no further than ``REACH`` frames to
either side, so a long file may be worked off in pieces.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from aecore.audio.spectrum import BINS

SPAN = 96  # frames, 1.5 s, over which level and floor are taken: a speaker pauses more often than that
SMOOTHING = 5  # frames, averaged before the minimum: that of single periodograms lies far below the mean
REACH = SPAN // 2 + SMOOTHING // 2
FEATURES = 2 * BINS

_EPSILON = 1e-9  # power of a bin near the last bit of 16: digital silence has a logarithm too
_SCALE = 0.25  # brings natural logarithms of power to about unit spread


def features(power: Tensor) -> Tensor:
    """Power spectra [B, frames, BINS] to features [B, frames, FEATURES]."""
    power = power + _EPSILON
    log_power = power.log()
    level = _mean_over_time(power.pow(0.3).mean(-1, keepdim=True)).log() / 0.3  # (B, frames, 1)
    return torch.cat([log_power - level, log_power - noise_floor(power).log()], -1) * _SCALE


def noise_floor(power: Tensor) -> Tensor:
    """Minimum over ``SPAN`` frames of the smoothed power [B, frames, BINS]; after Martin (2001), minimum statistics."""
    bins_first = power.transpose(1, 2)  # (B, BINS, frames)
    smooth = F.avg_pool1d(bins_first, SMOOTHING, 1, SMOOTHING // 2, count_include_pad=False)
    return _sliding_minimum(smooth, SPAN).transpose(1, 2)


def _sliding_minimum(x: Tensor, span: int) -> Tensor:
    """Minimum of ``x`` [..., T] over windows of ``span``, centred, in log2(span) passes: windows double each pass."""
    x = F.pad(x, (span // 2, span - 1 - span // 2), value=torch.inf)
    width = 1
    while width < span:
        step = min(width, span - width)
        x = torch.minimum(x[..., :-step], x[..., step:])
        width += step
    return x


def _mean_over_time(x: Tensor) -> Tensor:
    """Mean of ``x`` [B, T, 1] over ``SPAN + 1`` frames, centred; at the ends over those that exist."""
    return F.avg_pool1d(x.transpose(1, 2), SPAN + 1, 1, SPAN // 2, count_include_pad=False).transpose(1, 2)
