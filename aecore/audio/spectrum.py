"""Short-time Fourier transform with perfect reconstruction: what goes in without a mask comes out unchanged."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

SAMPLE_RATE = 16_000  # Hz; speech lives below 8 kHz
WINDOW = 512  # samples, 32 ms: harmonics of a low voice stand apart
HOP = 256  # samples, 16 ms: with a square-root Hann window squares add up to one
BINS = WINDOW // 2 + 1  # 257


def frames_for(samples: int) -> int:
    """How many frames :func:`stft` makes of a signal."""
    return -(-samples // HOP) + 1


def stft(x: Tensor, *, window: int = WINDOW, hop: int = HOP) -> Tensor:
    """Waveforms [B, T] to complex spectra [B, frames, window // 2 + 1]; frame t is centred on sample ``t * hop``.

    The signal is filled up with zeros to whole hops, so that every sample lies under as many windows as any other.
    """
    padded = F.pad(x, (0, -x.shape[-1] % hop))
    shape = _square_root_hann(window, x)
    spectrum = torch.stft(padded, window, hop, window=shape, center=True, pad_mode="constant", return_complex=True)
    return spectrum.transpose(1, 2)  # (B, bins, frames) -> (B, frames, bins)


def istft(spectrum: Tensor, length: int, *, window: int = WINDOW, hop: int = HOP) -> Tensor:
    """Spectra [B, frames, window // 2 + 1] back to waveforms [B, length]; undoes :func:`stft`.

    Overlap-add with the analysis window is the least-squares inverse: Griffin & Lim (1984), equation 6.
    """
    shape = _square_root_hann(window, spectrum.real)
    return torch.istft(spectrum.transpose(1, 2), window, hop, window=shape, center=True, length=length)


def decibels(power: NDArray[np.floating[Any]], *, floor: float = -100.0) -> NDArray[np.float32]:
    """Power in dB for a drawing, nothing below ``floor``."""
    return np.maximum(10 * np.log10(np.maximum(power, 1e-20)), floor).astype(np.float32)


def _square_root_hann(length: int, like: Tensor) -> Tensor:
    return torch.hann_window(length, periodic=True, dtype=like.dtype, device=like.device).sqrt()
