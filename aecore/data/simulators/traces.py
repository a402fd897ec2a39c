"""What a drive's fast trace buffer sees: one phase current and the DC-link voltage, clean, through a step of load.

The current is the sum of fundamental and dead-time harmonics of `aecore.data.simulators.inverter`; its amplitude
follows a step of load as the current controller does. The link is a battery behind a cable with a capacitor at its end:
a step of load makes it sag and ring.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.data.simulators.inverter import (
    BANDWIDTH,
    BATTERY_RESISTANCE,
    DC_LINK,
    POLE_PAIRS,
    InverterSettings,
    dead_time_harmonics,
    link_current,
)
from aecore.data.simulators.recording import seeded, within

SAMPLE_RATE = 40_000.0  # Hz, four samples in every period of the bridge
CABLE = 10e-6  # H, battery cable and busbars, both ways
CAPACITOR = 1e-3  # F, of the link

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class TraceSettings:
    """Speed in rpm, loads as shares of rated current before and after the step, its time and the length in s."""

    speed_rpm: float = 3000.0  # 300..9000
    load: float = 0.5  # 0.05..1.2
    load_after: float = 0.5  # 0.05..1.2; equal: no step
    step_at: float = 0.02  # s
    seconds: float = 0.05  # 0.005..10
    seed: int = 0  # of the angle at the start

    def __post_init__(self) -> None:
        within("speed_rpm", self.speed_rpm, 300, 9_000)
        within("load", self.load, 0.05, 1.2)
        within("load_after", self.load_after, 0.05, 1.2)
        within("step_at", self.step_at, 0, 10)
        within("seconds", self.seconds, 0.005, 10)
        seeded(self.seed)

    @property
    def frequency(self) -> float:
        """Electrical frequency in Hz."""
        return POLE_PAIRS * self.speed_rpm / 60.0


class Trace(NamedTuple):
    """Clean signals [T]: time in s, phase current in A, link voltage in V."""

    time: Array
    current: Array
    link: Array


def trace(settings: TraceSettings) -> Trace:
    """Simulate T = seconds x 40,000 samples."""
    rng = np.random.default_rng(settings.seed)
    time = np.arange(round(settings.seconds * SAMPLE_RATE)) / SAMPLE_RATE
    drive = InverterSettings(
        speed_rpm=settings.speed_rpm, load=settings.load, noise=0.0, wander=0.0, seconds=settings.seconds,
        sample_rate=SAMPLE_RATE,
    )  # fmt: skip
    after = replace(drive, load=settings.load_after)
    amplitude = drive.amplitude + (after.amplitude - drive.amplitude) * _risen(time - settings.step_at)
    angle = rng.uniform(0, 2 * np.pi) + 2 * np.pi * settings.frequency * time
    current = amplitude * np.sin(angle) + dead_time_harmonics(drive, angle)[:, 0]
    return Trace(time, current, link_voltage(link_current(drive, amplitude)))


def _risen(since: Array) -> Array:
    """Share 0..1 of a step that the current controller has followed, ``1 - exp(-BANDWIDTH t)``."""
    return 1.0 - np.exp(-BANDWIDTH * np.maximum(since, 0.0))


def link_voltage(drawn: Array) -> Array:
    """Voltage [T] of the link's capacitor for the current [T] drawn from it, in steady state before the first sample.

    A series circuit of resistance R and inductance L between battery and capacitor C gives the impedance
    ``Z(s) = (R + s L) / (1 + s R C + s^2 L C)``; its impulse response is
    ``exp(-a t) (cos(w t) + (R / L - a) / w sin(w t)) / C`` with ``a = R / (2 L)`` and ``w = sqrt(1 / (L C) - a^2)``.
    """
    decay = BATTERY_RESISTANCE / (2 * CABLE)
    omega = np.sqrt(1 / (CABLE * CAPACITOR) - decay**2)
    time = np.arange(round(8 / decay * SAMPLE_RATE)) / SAMPLE_RATE
    phase = (BATTERY_RESISTANCE / CABLE - decay) / omega
    response = np.exp(-decay * time) * (np.cos(omega * time) + phase * np.sin(omega * time)) / CAPACITOR
    response *= BATTERY_RESISTANCE / response.sum()  # sampled, its sum is a little off the integral, R
    change = np.convolve(drawn - drawn[0], response)[: len(drawn)]
    return DC_LINK - BATTERY_RESISTANCE * drawn[0] - change
