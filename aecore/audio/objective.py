"""What the denoiser is trained for: close spectra as the ear weighs them, and a close waveform."""

import torch
from torch import Tensor

COMPRESSION = 0.3  # magnitude to loudness, about; Ephrat et al. (2018) train on this power too


def si_sdr(estimate: Tensor, reference: Tensor) -> Tensor:
    """Scale-invariant signal-to-distortion ratio in dB over the last axis; Le Roux et al. (2019), zero-mean."""
    estimate = estimate - estimate.mean(-1, keepdim=True)
    reference = reference - reference.mean(-1, keepdim=True)
    scale = (reference * estimate).sum(-1, keepdim=True) / (reference.square().sum(-1, keepdim=True) + 1e-8)
    target = scale * reference
    ratio = (target.square().sum(-1) + 1e-8) / ((estimate - target).square().sum(-1) + 1e-8)
    return 10 * torch.log10(ratio)


def compressed_error(estimate: Tensor, reference: Tensor) -> Tensor:
    """Mean squared error of power-compressed spectra [B, frames, bins], with and without their phases.

    ``| |S|^c e^(i phi) - |S'|^c e^(i phi') |^2`` and ``(|S|^c - |S'|^c)^2``: Braun & Tashev (2021).
    """
    a, b = estimate.abs().clamp_min(1e-4), reference.abs().clamp_min(1e-4)
    small_a, small_b = a.pow(COMPRESSION), b.pow(COMPRESSION)
    with_phase = (estimate * (small_a / a) - reference * (small_b / b)).abs().square()
    return ((small_a - small_b).square() + 0.3 * with_phase).mean()
