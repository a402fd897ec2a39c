"""A healthy traction drive in steady state, part by part: fundamental, dead time, switching ripple, link."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aecore.data.simulators.recording import seeded, within
from aecore.errors import SettingError

POLE_PAIRS = 4  # usual in traction motors; electrical frequency = pole pairs x speed / 60
RATED_CURRENT = 300.0  # A peak in each phase at load 1: roughly 80 kW at 9,000 rpm on 400 V
RESISTANCE = 0.020  # ohm, one phase of the stator
INDUCTANCE = 0.25e-3  # H, one phase
FLUX = 0.05  # Wb, of the magnets: sets the voltage that a turning machine induces
DC_LINK = 400.0  # V, a common battery
BATTERY_RESISTANCE = 0.05  # ohm: the link sags under load
PWM = 10e3  # Hz, an IGBT bridge
DEAD_TIME = 2e-6  # s, in which neither switch of a leg is on
BANDWIDTH = 2 * np.pi * 300.0  # rad/s, of the current controller: about a thirtieth of PWM, as usual
MAX_MODULATION = 0.95  # the controller keeps this much of the voltage at most
POWER_FACTOR = 0.9  # of the fundamental, for the power drawn from the link
LINK_NOISE = 0.5  # V rms
SPEED_NOISE = 1.0  # rpm rms, of a resolver
WANDER_BAND = (0.1, 2.0)  # Hz: load and speed drift slower than the electrical period
WANDER_LINES = 6
MAX_ROWS = 2_000_000  # some 200 MB while it is computed

LAG = 2 * np.pi / 3 * np.arange(3)  # rad, of each phase


@dataclass(frozen=True, kw_only=True)
class InverterSettings:
    """Operating point and measurement: rpm, share of rated torque, A rms, s, Hz; `wander` is relative, rms."""

    speed_rpm: float = 3000.0  # 60..12000
    load: float = 0.6  # 0..1.2
    noise: float = 1.0  # A rms on each phase current, 0..50
    wander: float = 0.02  # slow relative changes of load (and a quarter as much of speed), 0..0.2
    seconds: float = 2.0  # 0.01..600
    sample_rate: float = 10e3  # Hz, 1e3..1e5
    seed: int = 0

    def __post_init__(self) -> None:
        within("speed_rpm", self.speed_rpm, 60, 12_000)
        within("load", self.load, 0, 1.2)
        within("noise", self.noise, 0, 50)
        within("wander", self.wander, 0, 0.2)
        within("seconds", self.seconds, 0.01, 600)
        within("sample_rate", self.sample_rate, 1e3, 1e5)
        seeded(self.seed)
        if self.seconds * self.sample_rate > MAX_ROWS:
            raise SettingError(
                f"seconds times sample_rate must be at most {MAX_ROWS:,} rows, "
                f"got {self.seconds:g} s at {self.sample_rate:g} Hz; shorten one of them."
            )
        if self.frequency > 0.2 * self.sample_rate:
            raise SettingError(
                f"sample_rate must be at least five times the electrical frequency of {self.frequency:g} Hz, "
                f"got {self.sample_rate:g} Hz; sample faster or turn slower."
            )

    @property
    def frequency(self) -> float:
        """Electrical frequency in Hz."""
        return POLE_PAIRS * self.speed_rpm / 60.0

    @property
    def amplitude(self) -> float:
        """Amplitude of the fundamental phase current in A: torque is proportional to current in this machine."""
        return self.load * RATED_CURRENT


def dead_time_amplitude(settings: InverterSettings, order: int) -> float:
    """Amplitude in A of the current harmonic that dead time causes, before the anti-aliasing filter.

    A leg loses ``U_d = U_dc T_d f_pwm`` against the sign of its current, a square wave with harmonics
    ``4 U_d / (pi k)``; the controller's proportional gain ``BANDWIDTH * L`` acts as a resistance (Harnefors & Nee 1998,
    IEEE Trans. Ind. Appl. 34(1)), so ``I_k = 4 U_d / (pi k |R + BANDWIDTH L + j k w L|)``. Jeong & Park (1991), "The
    analysis and compensation of dead-time effects in PWM inverters", IEEE Trans. Ind. Electron. 38(2).
    """
    lost = DC_LINK * DEAD_TIME * PWM
    reactance = order * 2 * np.pi * settings.frequency * INDUCTANCE
    return 4 * lost / (np.pi * order * abs(complex(RESISTANCE + BANDWIDTH * INDUCTANCE, reactance)))


def dead_time_harmonics(settings: InverterSettings, angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the 5th and 7th harmonic [T, 3]; multiples of three cannot flow, higher ones are too small to see."""
    harmonics = np.zeros((len(angle), 3))
    for order in (5, 7):
        reactance = order * 2 * np.pi * settings.frequency * INDUCTANCE
        behind = np.arctan2(reactance, RESISTANCE + BANDWIDTH * INDUCTANCE)
        size = dead_time_amplitude(settings, order) * _passes(settings, order * settings.frequency)
        harmonics -= size * np.sin(order * (angle[:, None] - LAG) - behind)
    return harmonics


def ripple(settings: InverterSettings, time: NDArray[np.float64], angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the strongest switching ripple [T, 3]: the sidebands ``f_pwm +- 2 f`` of the first carrier group.

    Amplitude ``(2 U_dc / pi) J2(pi M / 2) / (2 pi f_pwm L)`` each; the carrier itself is common to all phases and
    cannot flow. Holmes & Lipo (2003), Pulse Width Modulation for Power Converters, ch. 3. What the anti-aliasing
    filter leaves of it folds down on sampling, as in a real trace.
    """
    from scipy.special import jv

    voltage = 2 * DC_LINK / np.pi * float(jv(2, np.pi * _modulation(settings) / 2))
    size = voltage / (2 * np.pi * PWM * INDUCTANCE) * _passes(settings, PWM)
    carrier = (2 * np.pi * PWM * time)[:, None]
    twice = 2 * (angle[:, None] - LAG)  # [T, 3]
    return np.asarray(size * (np.cos(carrier + twice) + np.cos(carrier - twice)))


def _modulation(settings: InverterSettings) -> float:
    """Modulation depth that the voltage of the turning magnets asks for."""
    return min(MAX_MODULATION, 2 * np.pi * settings.frequency * FLUX / (DC_LINK / 2))


def _passes(settings: InverterSettings, frequency: float) -> float:
    """Gain of the anti-aliasing filter, a fourth-order Butterworth at 0.4 x sample rate."""
    return float(1.0 / np.sqrt(1.0 + (frequency / (0.4 * settings.sample_rate)) ** 8))


def link_current(settings: InverterSettings, amplitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the battery's current [T] in A, from the power of three phases."""
    return np.asarray(1.5 * _modulation(settings) / 2 * POWER_FACTOR * amplitude)


def wander(rng: np.random.Generator, time: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a slow random curve [T] of rms about 1."""
    lines = rng.uniform(*WANDER_BAND, size=WANDER_LINES)
    phases = rng.uniform(0, 2 * np.pi, size=WANDER_LINES)
    curve = np.zeros(len(time))
    for line, phase in zip(lines, phases, strict=True):  # line by line: a [T, lines] array would be the largest here
        curve += np.sin(2 * np.pi * line * time + phase)
    return np.asarray(curve * np.sqrt(2.0 / WANDER_LINES))
