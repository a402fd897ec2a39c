"""Noisy speech made anew for every step of a training: other words, other noise, another room and level each time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from aecore.audio import noises
from aecore.audio.spectrum import SAMPLE_RATE
from aecore.errors import SettingError

LENGTH = 40_960  # samples of an example, 2.56 s
RENEWED = 3  # made noises that every batch replaces in the pool: one costs 4 ms, as much as the rest of a mix

SPOKEN, BLOCK, TRIES = 0.25, 512, 50  # share of blocks within 30 dB of the loudest; samples of a block; attempts


@dataclass(frozen=True, kw_only=True)
class MixRecipe:
    """How wide the mixes are spread."""

    speeds: tuple[float, ...] = (0.85, 0.9, 0.95, 1.0, 1.0, 1.05, 1.1, 1.15)  # other voices; one for a batch of speech
    noise_speeds: tuple[float, ...] = (0.7, 0.85, 1.0, 1.0, 1.0, 1.0, 1.15, 1.4)  # other machines
    snr: tuple[float, float] = (-9.0, 19.0)  # dB
    levels: tuple[float, float] = (-45.0, 0.0)  # dB of the voice against -20 dBFS
    coloured: float = 0.6  # share of voices, and of noises, through another microphone
    reverberated: float = 0.3  # share of voices, and of noises, in a room; its answer to the voice is to be kept
    two_noises: float = 0.2  # share of mixes with a second noise
    sources: tuple[float, float, float] = (0.42, 0.43, 0.15)  # shares of recorded noise, made noise, and babble
    pool: int = 160  # made noises, and microphones, at hand at a time

    def __post_init__(self) -> None:
        if not self.snr[0] <= self.snr[1]:
            raise SettingError(f"snr must run upwards, got {self.snr[0]:g} to {self.snr[1]:g} dB")
        if min(self.sources) < 0 or not sum(self.sources) > 0:
            raise SettingError(f"sources must be shares of 0 or more and not all 0, got {self.sources}")
        if self.pool < 4:
            raise SettingError(f"pool must be at least 4, got {self.pool}")


class Mix(NamedTuple):
    """Noisy and clean float32 [B, T]; clean is what the noisy one holds, at its level."""

    noisy: Tensor
    clean: Tensor


def mix_at_snr(clean: NDArray[Any], noise: NDArray[Any], snr: float) -> NDArray[np.float32]:
    """Noise [T], scaled to lie ``snr`` dB below ``clean`` [T] over the whole clip; add it to get the mix."""
    if len(noise) != len(clean):
        raise SettingError(f"noise and clip must be equally long, got {len(noise)} and {len(clean)} samples")
    wanted = np.sum(np.square(clean, dtype=np.float64)) / 10 ** (snr / 10)
    return (noise * np.sqrt(wanted / (np.sum(np.square(noise, dtype=np.float64)) + 1e-12))).astype(np.float32)


class Mixer:
    """Draws batches of mixes from speech and noise held in memory.

    Parameters
    ----------
    speech, noise : int16 or float [T] each, at 16 kHz; ``noise`` may be empty.
    makers : of noise out of random numbers, each as likely as the others.
    seed : of the pools, which are drawn once; batches take a generator of their own.
    """

    def __init__(
        self,
        speech: Sequence[NDArray[Any]],
        noise: Sequence[NDArray[Any]],
        *,
        makers: Sequence[noises.Maker] = tuple(noises.MACHINES.values()),
        recipe: MixRecipe | None = None,
        length: int = LENGTH,
        seed: int = 0,
    ) -> None:
        self.recipe = recipe or MixRecipe()
        self.length, self.speech, self.noise, self.makers = length, speech, noise, makers
        rng, pool = np.random.default_rng(seed), self.recipe.pool
        self._made = np.stack([self._make(rng) for _ in range(pool)])  # (pool, T)
        self._colours = np.stack([_colour(length, rng) for _ in range(pool)])  # (pool, T // 2 + 1)
        self._rooms = np.stack([_room(length, rng) for _ in range(pool // 4)])  # complex (pool // 4, T // 2 + 1)

    def batch(self, count: int, rng: np.random.Generator) -> Mix:
        """Mix ``count`` examples; the same generator on a fresh mixer gives the same ones."""
        for slot in rng.integers(len(self._made), size=RENEWED):
            self._made[slot] = self._make(rng)
        speech = self._voices(count, rng)
        noise = self._noises(count, rng)
        if len(second := torch.from_numpy(np.flatnonzero(rng.random(count) < self.recipe.two_noises))):
            share = torch.from_numpy(rng.uniform(0.2, 1, len(second))).float()
            noise[second] += share[:, None] * self._noises(len(second), rng)
        speech, noise = self._place(speech, rng), self._place(noise, rng)
        speech, noise = _unit(speech), _unit(noise)
        snr = torch.from_numpy(rng.uniform(*self.recipe.snr, count)).float()
        level = torch.from_numpy(rng.uniform(*self.recipe.levels, count)).float()
        noise *= (10 ** (-snr / 20))[:, None]
        gain = (0.1 * 10 ** (level / 20))[:, None]
        return Mix((speech + noise) * gain, speech * gain)

    def _voices(self, count: int, rng: np.random.Generator) -> Tensor:
        stretch = _even(self.length * rng.choice(self.recipe.speeds))
        return _resample(np.stack([_spoken(self.speech, stretch, rng) for _ in range(count)]), self.length)

    def _noises(self, count: int, rng: np.random.Generator) -> Tensor:
        """Noise of rms 1 [B, T]: recorded, made, or of many voices."""
        stretch = _even(self.length * rng.choice(self.recipe.noise_speeds))
        shares = np.array(self.recipe.sources) * (len(self.noise) > 0, 1, 1)
        kinds = rng.choice(3, count, p=shares / shares.sum())
        rows = np.empty((count, stretch), np.float32)
        for row, kind in zip(rows, kinds, strict=True):
            if kind == 0:
                row[:] = _excerpt(self.noise, stretch, rng)
            elif kind == 1:
                made, start = self._made[rng.integers(len(self._made))], int(rng.integers(self.length))
                row[:] = np.take(made, np.arange(start, start + stretch), mode="wrap")
            else:
                row[:] = noises.babble(stretch, SAMPLE_RATE, rng, self.speech, int(rng.integers(2, 9)))
        return _unit(_resample(rows, self.length))

    def _place(self, x: Tensor, rng: np.random.Generator) -> Tensor:
        """Send rows of [B, T] through another microphone, and some of them through another room."""
        spectrum = torch.fft.rfft(x)  # (B, T // 2 + 1)
        rows = torch.from_numpy(np.flatnonzero(rng.random(len(x)) < self.recipe.coloured))
        spectrum[rows] *= torch.from_numpy(self._colours[rng.integers(len(self._colours), size=len(rows))])
        rooms = torch.from_numpy(np.flatnonzero(rng.random(len(x)) < self.recipe.reverberated))
        if len(rooms):
            spectrum[rooms] *= torch.from_numpy(self._rooms[rng.integers(len(self._rooms), size=len(rooms))])
        return torch.fft.irfft(spectrum, self.length)

    def _make(self, rng: np.random.Generator) -> NDArray[np.float32]:
        make = self.makers[int(rng.integers(len(self.makers)))]
        return make(self.length, SAMPLE_RATE, rng)


def _spoken(recordings: Sequence[NDArray[Any]], count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Cut a stretch in which somebody speaks: in pure silence there is nothing to keep."""
    for _ in range(TRIES):
        x = _excerpt(recordings, count, rng)
        blocks = np.square(x).reshape(-1, BLOCK).mean(1)
        if np.mean(blocks > 1e-3 * blocks.max(initial=0)) > SPOKEN:
            break
    return x


def _excerpt(recordings: Sequence[NDArray[Any]], count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Cut a random stretch of a random recording, float32 of any scale; a shorter one is repeated."""
    x = recordings[int(rng.integers(len(recordings)))]
    if len(x) > count:
        start = int(rng.integers(len(x) - count))
        return x[start : start + count].astype(np.float32)
    start = int(rng.integers(len(x)))
    return np.take(x, np.arange(start, start + count), mode="wrap").astype(np.float32)


def _even(length: float) -> int:
    """Round to a multiple of 512, whose Fourier transform is quick."""
    return round(length / 512) * 512


def _resample(rows: NDArray[np.float32], length: int) -> Tensor:
    """Rows [B, n] as ``length`` samples each, band-limited: their spectra are cut or filled up with zeros."""
    x = torch.from_numpy(rows)
    if x.shape[-1] == length:
        return x
    spectrum = torch.fft.rfft(x)[:, : length // 2 + 1]
    return torch.fft.irfft(spectrum, length) * (length / x.shape[-1])


def _unit(x: Tensor) -> Tensor:
    return x / (x.square().mean(-1, keepdim=True).sqrt() + 1e-6)


def _colour(length: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Gain of a microphone and its place: a slope, a few dB of ripple, sometimes a telephone's band."""
    gain = noises.random_gain(length, SAMPLE_RATE, rng, tilt=rng.uniform(-2, 2), spread=rng.uniform(0, 3))
    frequency = np.fft.rfftfreq(length, 1 / SAMPLE_RATE)
    if rng.random() < 0.3:
        gain /= np.sqrt(1 + (rng.uniform(50, 300) / np.maximum(frequency, 1)) ** 4).astype(np.float32)
    if rng.random() < 0.15:
        gain /= np.sqrt(1 + (frequency / rng.uniform(3000, 7500)) ** 24).astype(np.float32)
    return gain


def _room(length: int, rng: np.random.Generator) -> NDArray[np.complex64]:
    """Transfer function of a room: a direct sound, and noise that dies exponentially (Polack's statistical model)."""
    count = int(rng.uniform(0.1, 0.7) * SAMPLE_RATE)
    decay = 6.9 / count  # 60 dB over its length
    tail = rng.standard_normal(count) * np.exp(-decay * np.arange(count))
    tail[: int(rng.uniform(0.001, 0.01) * SAMPLE_RATE)] = 0  # the first echo comes later
    tail *= 10 ** (rng.uniform(-15, 0) / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1
    return np.fft.rfft(tail, length).astype(np.complex64)
