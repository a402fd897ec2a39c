"""Noises made of random numbers: every call is another fan, another motor, another room.

Each maker takes a number of samples, a rate in Hz and a generator, and returns float32 [T] of rms 1. Spectra, pitches,
and rhythms are drawn anew each time, wide enough that a network trained on them meets most real machines in between.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Maker = Callable[[int, float, np.random.Generator], Array]

WAVE = 2048  # samples of one period in the table that harmonics are read from

# Makers by name, in the order in which trainings draw from them.
MACHINES: dict[str, Maker] = {}
# Labels of the noises that a page offers, by name.
LABELS: dict[str, str] = {}


def register(label: str | None = None) -> Callable[[Maker], Maker]:
    """Decorate a maker that trainings draw from; with a ``label``, pages offer it too."""

    def enter(maker: Maker) -> Maker:
        name = maker.__name__
        MACHINES[name] = maker
        if label is not None:
            LABELS[name] = label
        return maker

    return enter


@register("Gaussian")
def gaussian(count: int, sample_rate: float, rng: np.random.Generator) -> Array:
    """White noise: the same power at every frequency."""
    return rng.standard_normal(count, np.float32)


@register()
def hiss(count: int, sample_rate: float, rng: np.random.Generator) -> Array:
    """Steady noise of a random colour, from rumble to a tape's hiss."""
    return _unit(_colour_noise(count, sample_rate, rng, tilt=rng.uniform(-9, 4), spread=rng.uniform(2, 12)))


@register("Fan")
def fan(count: int, sample_rate: float, rng: np.random.Generator) -> Array:
    """Air and blades: falling broadband noise that pulses with the blades, a few harmonics of the blade rate."""
    rate = rng.uniform(15, 120)
    blades = _wandering(count, sample_rate, rng, rate, depth=0.02)
    air = _colour_noise(count, sample_rate, rng, tilt=rng.uniform(-8, -2), spread=rng.uniform(2, 8))
    pulse = 1 + rng.uniform(0, 0.4) * _periodic(blades, _falling(rng, 3, 6.0))
    pulse *= _breathing(count, sample_rate, rng, rng.uniform(0, 0.4))  # it turns its head
    tone = _periodic(blades, _falling(rng, min(int(rng.integers(2, 20)), _most(rate, sample_rate)), rng.uniform(2, 8)))
    return _unit(air * pulse + rng.uniform(0.05, 0.8) * tone)


@register("Vacuum cleaner")
def vacuum(count: int, sample_rate: float, rng: np.random.Generator) -> Array:
    """Vacuum cleaner: air that rushes through resonances as the nozzle moves, and a fast motor with its harmonics."""
    air = _colour_noise(count, sample_rate, rng, tilt=rng.uniform(-4, 1), spread=rng.uniform(3, 9))
    pitch = rng.uniform(180, 900)
    turning = _wandering(count, sample_rate, rng, pitch, depth=0.008)
    harmonics = min(int(rng.integers(3, 24)), _most(pitch, sample_rate))
    whine = _periodic(turning, _falling(rng, harmonics, rng.uniform(0.5, 4)))
    return _unit(air * _breathing(count, sample_rate, rng, rng.uniform(0.1, 0.5)) + rng.uniform(0.1, 1.0) * whine)


@register()
def motor(count: int, sample_rate: float, rng: np.random.Generator) -> Array:
    """Engine or drill: many harmonics of a wandering pitch, and as much rattle as it likes."""
    pitch = 20 * 2 ** rng.uniform(0, 5)
    turning = _wandering(count, sample_rate, rng, pitch, depth=rng.uniform(0.005, 0.15))
    harmonics = min(int(rng.integers(8, 80)), _most(pitch, sample_rate))
    tone = _periodic(turning, _falling(rng, harmonics, rng.uniform(0.05, 1.5)))
    rattle = _colour_noise(count, sample_rate, rng, tilt=rng.uniform(-6, 1), spread=rng.uniform(3, 10))
    rattle *= 1 + rng.uniform(0, 1) * _periodic(turning, _falling(rng, 4, 3.0))
    return _unit(_colour(tone, sample_rate, rng, 0.0, 8.0) + rng.uniform(0.1, 2) * rattle)


@register("Mains hum")
def hum(count: int, sample_rate: float, rng: np.random.Generator) -> Array:
    """Mains hum: harmonics of 50 or 60 Hz, and a little noise that keeps it from being a pure tone."""
    mains = rng.choice((50.0, 60.0)) * rng.uniform(0.998, 1.002)
    harmonics = min(int(rng.integers(3, 60)), _most(mains, sample_rate))
    tone = _periodic(np.arange(count) * (mains / sample_rate), _falling(rng, harmonics, 1.0))
    return _unit(tone + rng.uniform(0.02, 0.3) * hiss(count, sample_rate, rng))


@register()
def clatter(count: int, sample_rate: float, rng: np.random.Generator) -> Array:
    """Dishes, keys, typing: short ringing strokes at random moments over a low murmur."""
    length = min(count, int(rng.uniform(0.05, 0.4) * sample_rate))
    time = np.arange(length, dtype=np.float32) / np.float32(sample_rate)
    total = np.zeros(count, np.float32)
    for _ in range(int(rng.integers(1, 4))):  # so many different things to strike
        ring = np.zeros(length, np.float32)
        for _ in range(int(rng.integers(2, 6))):
            decay, pitch = rng.uniform(15, 200), rng.uniform(300, 0.45 * sample_rate)
            ring += (
                np.float32(rng.uniform(0.2, 1))
                * np.exp(-np.float32(decay) * time)
                * np.sin(np.float32(2 * np.pi * pitch) * time + np.float32(rng.uniform(0, 6)))
            )
        knock = np.exp(-np.float32(rng.uniform(100, 600)) * time) * rng.standard_normal(length, np.float32)
        stroke = ring + np.float32(rng.uniform(0, 2)) * knock
        for start in rng.integers(0, count, 1 + rng.poisson(rng.uniform(0.5, 6) * count / sample_rate)):
            end = min(count, start + length)
            total[start:end] += np.float32(rng.lognormal(0, 0.8)) * stroke[: end - start]
    return _unit(_unit(total) + np.float32(rng.uniform(0.05, 0.5)) * hiss(count, sample_rate, rng))


@register()
def gusts(count: int, sample_rate: float, rng: np.random.Generator) -> Array:
    """Wind, traffic, surf: coloured noise that swells and fades within a second or so."""
    air = _colour_noise(count, sample_rate, rng, tilt=rng.uniform(-9, 0), spread=rng.uniform(2, 10))
    return _unit(air * _breathing(count, sample_rate, rng, rng.uniform(0.4, 1.2)))


def babble(
    count: int, sample_rate: float, rng: np.random.Generator, voices: Sequence[NDArray[Any]], talkers: int = 6
) -> Array:
    """Several people talking at once: random stretches of ``voices`` (arrays [T] at the same rate), each looped."""
    total = np.zeros(count, np.float32)
    for _ in range(talkers):
        voice = voices[int(rng.integers(len(voices)))]
        start = int(rng.integers(len(voice)))
        stretch = np.take(voice, np.arange(start, start + count), mode="wrap").astype(np.float32)
        total += _unit(stretch) * np.float32(rng.uniform(0.5, 1))
    return _unit(total)


# Not among the makers, since it takes voices.
LABELS["babble"] = "Babble"


def excerpt(recording: NDArray[Any], count: int, sample_rate: float, rng: np.random.Generator) -> Array:
    """Cut ``count`` samples of rms 1 out of a recorded noise [T] at random; a short one is looped, cross-faded."""
    x = recording.astype(np.float32)
    fade = min(len(x) // 4, round(0.05 * sample_rate))
    up = np.linspace(0, 1, fade, dtype=np.float32)
    loop = x[: len(x) - fade].copy()  # its end runs into its beginning
    loop[:fade] = x[:fade] * up + x[len(x) - fade :] * (1 - up)
    start = int(rng.integers(len(loop)))
    return _unit(np.take(loop, np.arange(start, start + count), mode="wrap"))


# ---------------------------------------------------------------------- what they are made of
def random_gain(
    count: int, sample_rate: float, rng: np.random.Generator, *, tilt: float, spread: float
) -> NDArray[np.float32]:
    """Gain at each rfft bin of ``count`` samples: a slope in dB an octave, and a random walk of ``spread`` dB rms."""
    octaves = _octaves(count, sample_rate)
    top = octaves[-1]
    knots = np.arange(0.0, top + 1.0, 0.75)
    decibels = tilt * (knots - top / 2) + spread * rng.standard_normal(len(knots))
    return np.power(10, np.interp(octaves, knots, decibels) / 20).astype(np.float32)


@lru_cache(maxsize=32)
def _octaves(count: int, sample_rate: float) -> NDArray[np.float64]:
    """Octaves above 31 Hz of each rfft bin; all below count as 31 Hz."""
    frequency = np.fft.rfftfreq(count, 1 / sample_rate)
    return np.asarray(np.log2(np.maximum(frequency, 31.25) / 31.25))


def _colour_noise(count: int, sample_rate: float, rng: np.random.Generator, *, tilt: float, spread: float) -> Array:
    return _colour(rng.standard_normal(count, np.float32), sample_rate, rng, tilt, spread)


def _colour(x: Array, sample_rate: float, rng: np.random.Generator, tilt: float, spread: float) -> Array:
    from scipy.fft import next_fast_len  # not on the way to a page's first paint

    length = next_fast_len(len(x), real=True)  # a prime number of samples would take many times as long
    gain = random_gain(length, sample_rate, rng, tilt=tilt, spread=spread)
    return _unit(np.fft.irfft(np.fft.rfft(x, length) * gain, length)[: len(x)].astype(np.float32))


def _wandering(
    count: int, sample_rate: float, rng: np.random.Generator, pitch: float, *, depth: float
) -> NDArray[np.float64]:
    """Phase in turns [T] of something that turns at ``pitch`` Hz, give or take ``depth`` of it."""
    return np.cumsum(pitch / sample_rate * (1 + depth * _slow(count, sample_rate, rng)))


def _breathing(count: int, sample_rate: float, rng: np.random.Generator, depth: float) -> Array:
    return np.exp(depth * _slow(count, sample_rate, rng)).astype(np.float32)


def _slow(count: int, sample_rate: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw a curve [T] of about unit variance that changes some times a second."""
    knots = max(2, int(count / sample_rate * 10 ** rng.uniform(-0.3, 0.9)) + 1)
    return np.interp(np.linspace(0, knots - 1, count), np.arange(knots), rng.standard_normal(knots))


def _most(pitch: float, sample_rate: float) -> int:
    """How many harmonics of ``pitch`` stay below half the rate, with a margin for its wandering."""
    return max(1, int(0.4 * sample_rate / pitch))


def _falling(rng: np.random.Generator, harmonics: int, fall: float) -> NDArray[np.float64]:
    """Amplitudes of harmonics 1..n that fall by ``fall`` dB each, give or take 6."""
    return np.power(10, (-fall * np.arange(harmonics) + 6 * rng.standard_normal(harmonics)) / 20)


def _periodic(turns: NDArray[np.float64], amplitudes: NDArray[np.float64]) -> Array:
    """Sum of harmonics of a phase given in turns [T], of rms 1; read from a table of one period.

    Harmonic k has the phase of Schroeder (1970), -pi k (k - 1) / n: no sharp peaks where all would meet.
    """
    order = np.arange(1, len(amplitudes) + 1)
    spectrum = np.zeros(WAVE // 2 + 1, np.complex128)
    spectrum[order] = amplitudes * np.exp(-1j * np.pi * order * (order - 1) / len(order))
    table = _unit(np.fft.irfft(spectrum, WAVE).astype(np.float32))
    return np.take(table, (turns * WAVE).astype(np.int64) & (WAVE - 1))


def _unit(x: Array) -> Array:
    return x / np.float32(np.sqrt(np.mean(np.square(x), dtype=np.float64)) + 1e-9)
