"""What the denoiser is trained for: close spectra as the ear weighs them, and a close waveform."""

import torch
from torch import Tensor

COMPRESSION = 0.3  # magnitude to loudness, about; Ephrat et al. (2018) train on this power too
PHASE_WEIGHT = 0.3  # of the error with phases: the noisy phase stays, so most of it cannot be helped
FAINT = 1e-4  # magnitude below which nothing is told apart: a power's slope is infinite at 0


def si_sdr(estimate: Tensor, reference: Tensor) -> Tensor:
    """Scale-invariant signal-to-distortion ratio in dB over the last axis; Le Roux et al. (2019), zero-mean."""
    estimate = estimate - estimate.mean(-1, keepdim=True)
    reference = reference - reference.mean(-1, keepdim=True)
    scale = (reference * estimate).sum(-1, keepdim=True) / (reference.square().sum(-1, keepdim=True) + 1e-8)
    target = scale * reference
    ratio = (target.square().sum(-1) + 1e-8) / ((estimate - target).square().sum(-1) + 1e-8)
    return 10 * torch.log10(ratio)


def compressed_error(gains: Tensor, noisy: Tensor, clean: Tensor) -> Tensor:
    """Mean squared error of power-compressed spectra [B, frames, bins], without and with their phases.

    ``(|S|^c - |S'|^c)^2`` and ``| |S|^c e^(i phi) - |S'|^c e^(i phi') |^2`` for the estimate S' = gains * noisy:
    Braun & Tashev (2021). The second is ``a^2 + b^2 - 2 a b cos(phi - phi')``, so gradients pass through real numbers
    only, which takes a third of the time.
    """
    size, clean_size = noisy.abs().clamp_min(FAINT), clean.abs().clamp_min(FAINT)
    cosine = (noisy.real * clean.real + noisy.imag * clean.imag) / (size * clean_size)
    a, b = (gains * size).clamp_min(FAINT).pow(COMPRESSION), clean_size.pow(COMPRESSION)
    return ((a - b).square() + PHASE_WEIGHT * (a.square() + b.square() - 2 * a * b * cosine)).mean()
