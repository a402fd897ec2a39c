"""Disturbances of a measured current or voltage: white noise, switching ripple, quantisation, bursts of interference.

Every kind is given by its rms in the signal's unit, so that kinds can be compared at the same power.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from aecore.data.simulators.inverter import PWM
from aecore.data.simulators.recording import one_of, within

Array = NDArray[np.float64]
Kind = Literal["white", "ripple", "quantisation", "bursts"]
KINDS: tuple[Kind, ...] = get_args(Kind)

BURSTS = 400.0  # a second
RINGING = (2_000.0, 8_000.0)  # Hz, what the input filter makes of a burst
DECAY = (1e-4, 4e-4)  # s, in which the ringing falls to 1/e


def disturb(clean: Array, kind: Kind, rms: float, *, sample_rate: float, rng: np.random.Generator) -> Array:
    """Return the signal [T] as it would be measured; ``rms`` of what is added, in the signal's unit."""
    one_of("kind", kind, KINDS)
    within("rms", rms, 0, 1e9)
    if rms == 0:
        return clean.copy()
    if kind == "quantisation":
        return quantise(clean, rms * np.sqrt(12.0), offset=rng.uniform(0, 1))
    added = {"white": white, "ripple": ripple, "bursts": bursts}[kind](len(clean), sample_rate, rng)
    return np.asarray(clean + rms * added)


def white(count: int, sample_rate: float, rng: np.random.Generator) -> Array:
    """Gaussian noise of rms 1 [count]."""
    return rng.normal(0.0, 1.0, count)


def ripple(count: int, sample_rate: float, rng: np.random.Generator) -> Array:
    """Triangle of rms 1 at the bridge's 10 kHz [count]: a voltage that is switched makes a current rise and fall.

    Its peak is sqrt(3). Mohan, Undeland & Robbins (2003), *Power Electronics*, ch. 8. The bridge's clock is not that of
    the samples (it is off by some 0.1 %), so they catch the triangle now here, now there.
    """
    turns = PWM * (1 + 1e-3 * rng.normal()) * np.arange(count) / sample_rate + rng.uniform(0, 1)
    return np.sqrt(3.0) * (4 * np.abs(turns - np.floor(turns + 0.5)) - 1)


def quantise(clean: Array, step: float, *, offset: float = 0.0) -> Array:
    """Round to multiples of ``step``, ``offset`` steps off zero: an error of ``step / sqrt(12)`` rms.

    Widrow & Kollar (2008), *Quantization Noise*, ch. 5.
    """
    return np.asarray((np.rint(clean / step - offset) + offset) * step)


def bursts(count: int, sample_rate: float, rng: np.random.Generator) -> Array:
    """Ringing that starts at random times (a Poisson process, at least once) and dies out, of rms 1 [count].

    After the fast transients of IEC 61000-4-4, as they look behind an input filter:
    ``exp(-t / d) sin(2 pi f t)``, each with a random sign and size.
    """
    number = max(1, rng.poisson(BURSTS * count / sample_rate))
    start = rng.integers(0, count, number)
    frequency, decay = rng.uniform(*RINGING, number), rng.uniform(*DECAY, number)
    size = rng.choice([-1.0, 1.0], number) * rng.uniform(0.3, 1.0, number)
    values, long = np.zeros(count), round(6 * DECAY[1] * sample_rate)
    time = np.arange(1, long + 1) / sample_rate
    rings = size[:, None] * np.exp(-time / decay[:, None]) * np.sin(2 * np.pi * frequency[:, None] * time)  # [n, long]
    padded = np.zeros(count + long)
    np.add.at(padded, start[:, None] + np.arange(long), rings)
    values = padded[:count]
    return values / max(float(np.sqrt((values**2).mean())), 1e-12)
