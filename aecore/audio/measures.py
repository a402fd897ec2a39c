"""How good a cleaned recording is: against the clean one where there is one, else by an estimate that is called one."""

import importlib
import importlib.util
import warnings
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from aecore.audio.classical import LOWEST, quiet_power
from aecore.audio.resampling import resample, whole_rate
from aecore.audio.spectrum import SAMPLE_RATE, stft
from aecore.errors import DataError, SettingError

Wave = NDArray[Any]


class SpeechQuality(NamedTuple):
    """Measures of one estimate; None where the package is absent, or the measure finds no speech in it."""

    si_sdr: float  # dB
    stoi: float | None  # 0..1, share of speech that is understood
    pesq: float | None  # 1..4.6, how it sounds


def quality(estimate: Wave, clean: Wave, sample_rate: float) -> SpeechQuality:
    """Everything that can be measured here; recordings [T]."""
    return SpeechQuality(
        si_sdr(estimate, clean),
        stoi(estimate, clean, sample_rate) if has("pystoi") else None,
        pesq(estimate, clean, sample_rate) if has("pesq") else None,
    )


def si_sdr(estimate: Wave, clean: Wave) -> float:
    """Scale-invariant signal-to-distortion ratio in dB of recordings [T], zero-mean: Le Roux et al. (2019)."""
    if estimate.shape != clean.shape:
        raise DataError(f"Recordings of {list(estimate.shape)} and {list(clean.shape)} samples cannot be compared.")
    x, s = (np.asarray(w, np.float64) - np.mean(w, dtype=np.float64) for w in (estimate, clean))
    target = (s @ x) / (s @ s + LOWEST) * s
    return float(10 * np.log10((target @ target + LOWEST) / (np.sum((x - target) ** 2) + LOWEST)))


def stoi(estimate: Wave, clean: Wave, sample_rate: float) -> float | None:
    """Short-time objective intelligibility, 0..1: Taal et al. (2011), by the package pystoi."""
    package = _package("pystoi")
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # how pystoi says that too little speech is left
        try:
            return float(package.stoi(clean, estimate, round(sample_rate), extended=False))
        except RuntimeWarning:
            return None


def pesq(estimate: Wave, clean: Wave, sample_rate: float) -> float | None:
    """Perceptual evaluation of speech quality, 1..4.6, wide band at 16 kHz: ITU-T P.862.2, by the package pesq."""
    package = _package("pesq")
    rate = whole_rate(sample_rate)
    heard, judged = (resample(w[None], rate, SAMPLE_RATE)[0] for w in (clean, estimate))
    try:
        return float(package.pesq(SAMPLE_RATE, heard, judged, "wb"))
    except (package.NoUtterancesError, package.BufferTooShortError):
        return None


def estimated_snr(recording: Wave, sample_rate: float) -> float:
    """Guess the SNR in dB of a recording [T] whose clean version nobody has, from its quietest tenth alone.

    What sounds all the time counts as noise, everything above it as speech: right for a fan, too kind to music or to a
    second voice. Show it as an estimate.
    """
    window = 2 ** round(np.log2(0.032 * sample_rate))
    spectrum = stft(torch.from_numpy(np.asarray(recording, np.float32))[None], window=window, hop=window // 2)[0]
    power = (spectrum.real.square() + spectrum.imag.square()).double().numpy()  # (frames, bins)
    noise, total = quiet_power(power, sample_rate).sum(), power.sum(-1).mean()
    return float(10 * np.log10(max(total - noise, LOWEST) / max(noise, LOWEST)))


def has(package: str) -> bool:
    """Whether an optional package is there."""
    return importlib.util.find_spec(package) is not None


def _package(name: str) -> Any:
    if not has(name):
        raise SettingError(f"The package {name} is not installed here; install it to have this measure.")
    return importlib.import_module(name)
