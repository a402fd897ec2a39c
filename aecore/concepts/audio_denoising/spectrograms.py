"""Spectrograms as small pictures: bytes that a canvas or a chart can draw, on one time axis."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from aecore.audio.denoiser import SpeechDenoiser
from aecore.audio.resampling import resample, whole_rate
from aecore.audio.spectrum import HOP, SAMPLE_RATE, decibels, stft

COLUMNS = 4000  # at most; every frame of the first minute, so that a stretch can be looked at closely
LOW, HIGH = -90.0, -10.0  # dB of a bin against a sine at full scale: what is black, what is brightest
MELS = 96

Picture = dict[str, Any]


def picture(wave: NDArray[np.float32], sample_rate: int, *, mel: bool = False) -> Picture:
    """Draw a mono recording [T] as a spectrogram.

    Returns
    -------
    ``{"pixels": uint8 [rows, columns], "seconds", "hertz": [rows], "low_db", "high_db", "envelope": [columns, 2]}``:
    row 0 is the lowest frequency, 0 is ``low_db`` or less and 255 ``high_db``; a column covers ``seconds / columns``;
    ``envelope`` is the waveform's minimum and maximum in each.
    """
    low = resample(wave[None], whole_rate(sample_rate), SAMPLE_RATE)
    spectrum = stft(torch.from_numpy(np.ascontiguousarray(low)))[0]  # (frames, BINS)
    power = (spectrum.real.square() + spectrum.imag.square()).numpy().T / (HOP / 2) ** 2  # a full sine: about 0 dB
    rows, hertz = _on_mels(power) if mel else (power, np.linspace(0, SAMPLE_RATE / 2, len(power)))
    scaled = (decibels(_in_columns(rows)) - LOW) / (HIGH - LOW)
    return {
        "pixels": _bytes(scaled), "seconds": len(wave) / sample_rate, "hertz": hertz.astype(np.float32),
        "low_db": LOW, "high_db": HIGH, "envelope": _envelope(wave, scaled.shape[1]),
    }  # fmt: skip


def gain_picture(wave: NDArray[np.float32], sample_rate: int, denoiser: SpeechDenoiser | None = None) -> Picture:
    """Draw the gains that a denoiser, without one the shipped one, gives a mono recording [T]: 0 is 0, 255 is 1."""
    gains = (denoiser or SpeechDenoiser.load()).gains(wave, sample_rate).T  # (BINS, frames)
    hertz = np.linspace(0, SAMPLE_RATE / 2, len(gains), dtype=np.float32)
    return {"pixels": _bytes(_in_columns(gains)), "seconds": len(wave) / sample_rate, "hertz": hertz}


def _on_mels(power: NDArray[np.floating[Any]]) -> tuple[NDArray[np.floating[Any]], NDArray[np.float64]]:
    from librosa.core import mel_frequencies
    from librosa.filters import mel as mel_basis  # its first call takes seconds

    basis = mel_basis(sr=SAMPLE_RATE, n_fft=2 * (len(power) - 1), n_mels=MELS)  # (MELS, BINS)
    basis /= np.maximum(basis.sum(1, keepdims=True), 1e-12)  # a mean over each band, so that both views share a scale
    return basis @ power, mel_frequencies(MELS + 2, fmin=0, fmax=SAMPLE_RATE / 2)[1:-1]


def _in_columns(values: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Mean of frames [rows, frames] in at most ``COLUMNS`` columns."""
    frames = values.shape[1]
    if frames <= COLUMNS:
        return values
    edges = np.linspace(0, frames, COLUMNS + 1).astype(np.int64)
    return np.add.reduceat(values, edges[:-1], axis=1) / np.diff(edges).astype(np.float32)


def _envelope(wave: NDArray[np.float32], columns: int) -> NDArray[np.float32]:
    """Minimum and maximum of a waveform [T] in each column [columns, 2]."""
    edges = np.minimum(np.linspace(0, len(wave), columns + 1).astype(np.int64)[:-1], len(wave) - 1)
    return np.stack([np.minimum.reduceat(wave, edges), np.maximum.reduceat(wave, edges)], 1)


def _bytes(values: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
