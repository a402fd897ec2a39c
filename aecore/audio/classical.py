"""The peers beside the network: denoisers that know no speech, only that noise is what is always there.

Each takes a mono recording [T] and its rate in Hz, and returns float32 [T].
"""

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from aecore.audio.spectrum import istft, stft
from aecore.errors import SettingError

Denoise = Callable[[NDArray[Any], float], NDArray[np.float32]]

QUIET_SHARE = 0.1  # of the frames: nobody speaks all the time
LOWEST = 1e-12  # power; digital silence must not divide by zero


def wiener(noisy: NDArray[Any], sample_rate: float) -> NDArray[np.float32]:
    """Wiener gain ``xi / (1 + xi)`` with the decision-directed a-priori SNR xi: Ephraim & Malah (1984), equation 51."""
    smoothing, floor = 0.98, 0.05

    def gains(power: NDArray[np.float32]) -> NDArray[np.float32]:
        noise = quiet_power(power, sample_rate)
        gain, before = np.empty_like(power), np.zeros_like(noise)
        for frame, posterior in enumerate(power / noise):  # each frame leans on the gain of the one before
            prior = np.maximum(smoothing * before + (1 - smoothing) * np.maximum(posterior - 1, 0), 1e-3)
            gain[frame] = np.maximum(prior / (1 + prior), floor)
            before = gain[frame] ** 2 * posterior
        return gain

    return _filter(noisy, sample_rate, gains)


def spectral_subtraction(noisy: NDArray[Any], sample_rate: float) -> NDArray[np.float32]:
    """Power spectral subtraction with over-subtraction by SNR and a spectral floor: Berouti et al. (1979)."""
    floor = 0.02

    def gains(power: NDArray[np.float32]) -> NDArray[np.float32]:
        noise = quiet_power(power, sample_rate)
        snr = 10 * np.log10(np.maximum(power.sum(-1, keepdims=True) / noise.sum(), LOWEST))  # of each frame, in dB
        factor = np.clip(4 - 0.15 * snr, 1, 5)
        return np.sqrt(np.maximum(1 - factor * noise / np.maximum(power, LOWEST), floor))

    return _filter(noisy, sample_rate, gains)


def noisereduce(noisy: NDArray[Any], sample_rate: float) -> NDArray[np.float32]:
    """Spectral gating by the noisereduce package (Sainburg, 2020), with defaults; SettingError where it is absent."""
    if not has_noisereduce():
        raise SettingError("noisereduce is not installed here; install it, or compare with the other methods.")
    import noisereduce as package

    return np.asarray(package.reduce_noise(y=noisy, sr=round(sample_rate)), np.float32)


def has_noisereduce() -> bool:
    """Whether the package is there."""
    return importlib.util.find_spec("noisereduce") is not None


def quiet_power(power: NDArray[np.floating[Any]], sample_rate: float) -> NDArray[np.floating[Any]]:
    """Noise power [bins] as the mean of the quietest tenth of the frames [frames, bins], heard from 125 Hz on.

    Frames of digital silence are no noise: they are left out as long as others remain.
    """
    hertz = sample_rate / 2 / (power.shape[1] - 1)
    energy = power[:, round(125 / hertz) :].sum(-1)
    heard = np.flatnonzero(energy > LOWEST * power.shape[1])
    if not len(heard):
        return np.full(power.shape[1], LOWEST, power.dtype)
    quietest = heard[np.argsort(energy[heard])[: max(4, int(QUIET_SHARE * len(heard)))]]
    return np.maximum(power[quietest].mean(0), LOWEST)


def _filter(
    noisy: NDArray[Any], sample_rate: float, gains: Callable[[NDArray[np.float32]], NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Multiply the spectrum by ``gains`` of its power [frames, bins]; frames of about 32 ms, four over each sample."""
    window = 2 ** round(np.log2(0.032 * sample_rate))
    spectrum = stft(torch.from_numpy(np.asarray(noisy, np.float32))[None], window=window, hop=window // 4)
    gain = gains((spectrum.real.square() + spectrum.imag.square())[0].numpy())  # (frames, bins)
    return istft(spectrum * torch.from_numpy(gain), len(noisy), window=window, hop=window // 4)[0].numpy()
