"""Phase currents of a three-phase traction inverter, healthy or with one fault, in SI units.

The machine is a current-controlled synchronous motor with an isolated star point, so the true phase currents sum to
zero; only a faulty sensor can make the measured ones not. Phase k lags phase 0 by ``2 pi k / 3``, k in 0..2.

Currents are built from their parts in steady state rather than integrated step by step: each part then has an
amplitude that can be checked, and a minute of data takes milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from aecore.errors import SettingError

POLE_PAIRS = 4  # usual in traction motors; electrical frequency = pole pairs x speed / 60
RATED_CURRENT = 300.0  # A peak in each phase at load 1: a drive of roughly 75 kW on 400 V
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
MAX_OFFSET = 0.10 * RATED_CURRENT  # A at severity 1: beyond, a drive's own plausibility check trips
MAX_GAIN = 0.30  # relative, at severity 1
MAX_SHORTED = 0.10  # share of a phase's turns at severity 1: more burns through within seconds
CONTACT_RESISTANCE = 5e-3  # ohm, of the short itself

CHANNELS = ("ia [A]", "ib [A]", "ic [A]", "udc [V]", "speed [rpm]")  # what a drive's trace buffer holds
LAG = 2 * np.pi / 3 * np.arange(3)  # rad, of each phase

FaultKind = Literal["none", "open_switch", "offset", "gain", "inter_turn"]


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
        _within("speed_rpm", self.speed_rpm, 60, 12_000)
        _within("load", self.load, 0, 1.2)
        _within("noise", self.noise, 0, 50)
        _within("wander", self.wander, 0, 0.2)
        _within("seconds", self.seconds, 0.01, 600)
        _within("sample_rate", self.sample_rate, 1e3, 1e5)
        if self.seed < 0:
            raise SettingError(f"seed must be 0 or more, got {self.seed}; any whole number from 0 on will do.")
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


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault, active from `onset` (s) for `duration` (s; None: to the end).

    What severity 1 means, with its equations, stands at the function of each kind; 0 is healthy throughout.
    """

    kind: FaultKind = "none"
    phase: int = 0  # 0..2
    severity: float = 1.0  # 0..1
    onset: float = 0.0
    duration: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(FaultKind):
            kinds = ", ".join(get_args(FaultKind))
            raise SettingError(f"kind must be one of {kinds}, got {self.kind!r}; choose one of them.")
        if self.phase not in (0, 1, 2):
            raise SettingError(f"phase must be 0, 1 or 2, got {self.phase}; count the phases from 0.")
        _within("severity", self.severity, 0, 1)
        _within("onset", self.onset, 0, 600)
        if self.duration is not None:
            _within("duration", self.duration, 0, 600)


class Recording(NamedTuple):
    """A simulated trace, row by row.

    ``time`` float64 [T] in s, ``values`` float32 [T, 5], ``channels`` 5 names with their units, ``labels`` int8 [T],
    1 where the fault is active.
    """

    time: NDArray[np.float64]
    values: NDArray[np.float32]
    channels: tuple[str, ...]
    labels: NDArray[np.int8]


def simulate(settings: InverterSettings, fault: Fault | None = None) -> Recording:
    """Simulate what a traction inverter logs; rows outside the fault equal those of the healthy machine, seed for seed.

    Returns a `Recording` of T = seconds x sample_rate rows: three phase currents in A, link voltage in V, speed in rpm.
    """
    fault = fault or Fault()
    rng = np.random.default_rng(settings.seed)
    count = round(settings.seconds * settings.sample_rate)
    time = np.arange(count) / settings.sample_rate  # [T]
    speed = settings.speed_rpm * (1.0 + 0.25 * settings.wander * _wander(rng, time))  # [T] rpm
    amplitude = settings.amplitude * (1.0 + settings.wander * _wander(rng, time))  # [T] A
    omega = 2 * np.pi * POLE_PAIRS / 60.0 * speed  # [T] rad/s
    angle = rng.uniform(0, 2 * np.pi) + np.cumsum(omega) / settings.sample_rate  # [T] rad
    active = _active(settings, count, fault)

    currents = amplitude[:, None] * np.sin(angle[:, None] - LAG)  # [T, 3]
    currents += _dead_time_harmonics(settings, angle) + _ripple(settings, time, angle)
    if fault.kind == "open_switch":
        currents = open_switch(currents, active, fault)
    elif fault.kind == "inter_turn":
        currents = inter_turn(currents, angle, active, fault, settings)
    measured = currents + rng.normal(0.0, settings.noise, size=currents.shape)
    if fault.kind == "offset":
        measured = offset(measured, active, fault)
    elif fault.kind == "gain":
        measured = gain(measured, active, fault)

    link = DC_LINK - BATTERY_RESISTANCE * _link_current(settings, amplitude) + rng.normal(0.0, LINK_NOISE, size=count)
    resolver = speed + rng.normal(0.0, SPEED_NOISE, size=count)
    values = np.column_stack([measured, link, resolver]).astype(np.float32)  # [T, 5]
    return Recording(time, values, CHANNELS, active.astype(np.int8))


def open_switch(currents: NDArray[np.float64], active: NDArray[np.bool_], fault: Fault) -> NDArray[np.float64]:
    """Take away the positive half wave of one phase: its upper transistor no longer conducts.

    With ``lost = severity * max(i_k, 0)``, the phase keeps ``i_k - lost`` and the others take ``lost / 2`` each, as
    nothing flows out of the star point. The means become ``-I / pi`` and ``+I / (2 pi)``, times severity; below 1 the
    gate misfires in that share of the PWM periods. Mendes & Marques Cardoso (1999), "Voltage source inverter fault
    diagnosis in variable speed AC drives, by the average current Park's vector approach", IEMDC.
    """
    lost = fault.severity * np.where(active, np.maximum(currents[:, fault.phase], 0.0), 0.0)  # [T]
    share = np.full(3, 0.5)
    share[fault.phase] = -1.0
    return np.asarray(currents + lost[:, None] * share)  # [T, 3]


def offset(measured: NDArray[np.float64], active: NDArray[np.bool_], fault: Fault) -> NDArray[np.float64]:
    """Let one sensor's zero drift: ``i + severity * 30 A * r``, r rising from 0 to 1 over the fault.

    The true currents are left alone, so the measured ones no longer sum to zero. Chung & Sul (1998), "Analysis and
    compensation of current measurement error in vector-controlled AC motor drives", IEEE Trans. Ind. Appl. 34(2).
    """
    drifted = measured.copy()
    drifted[:, fault.phase] += fault.severity * MAX_OFFSET * _ramp(active)
    return drifted


def gain(measured: NDArray[np.float64], active: NDArray[np.bool_], fault: Fault) -> NDArray[np.float64]:
    """Let one sensor's gain drift: ``i * (1 + severity * 0.3 * r)``, r rising from 0 to 1 over the fault.

    Seen from the controller this is a negative-sequence current of a third of the error. Chung & Sul (1998), as above.
    """
    drifted = measured.copy()
    drifted[:, fault.phase] *= 1.0 + fault.severity * MAX_GAIN * _ramp(active)
    return drifted


def inter_turn(
    currents: NDArray[np.float64],
    angle: NDArray[np.float64],
    active: NDArray[np.bool_],
    fault: Fault,
    settings: InverterSettings,
) -> NDArray[np.float64]:
    """Short some turns of one phase: a negative-sequence current of `negative_sequence` appears.

    ``i_k += I2 * sin(angle + 2 pi (k - 2 phase) / 3)``, which in the faulty phase itself is in step with its current.
    The controller holds the positive sequence.
    """
    extra = negative_sequence(settings, fault.severity) * np.sin(angle[:, None] + LAG - 2 * LAG[fault.phase])  # [T, 3]
    return currents + np.where(active[:, None], extra, 0.0)


def negative_sequence(settings: InverterSettings, severity: float) -> float:
    """Amplitude in A of the negative-sequence current with ``m = severity * 0.1`` of a phase's turns shorted.

    The shorted loop carries ``I_f = m w psi / |m R + R_c + j w m^2 L|`` and acts on the lines as ``I2 = m I_f / 3``,
    after Tallam, Habetler & Harley (2002), "Transient model for induction machines with stator winding turn faults",
    IEEE Trans. Ind. Appl. 38(3); here with the magnets' voltage in the loop.
    """
    shorted = severity * MAX_SHORTED
    omega = 2 * np.pi * settings.frequency
    impedance = complex(shorted * RESISTANCE + CONTACT_RESISTANCE, omega * shorted**2 * INDUCTANCE)
    return shorted * (shorted * omega * FLUX / abs(impedance)) / 3.0


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


def _dead_time_harmonics(settings: InverterSettings, angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the 5th and 7th harmonic [T, 3]; multiples of three cannot flow, higher ones are too small to see."""
    harmonics = np.zeros((len(angle), 3))
    for order in (5, 7):
        reactance = order * 2 * np.pi * settings.frequency * INDUCTANCE
        behind = np.arctan2(reactance, RESISTANCE + BANDWIDTH * INDUCTANCE)
        size = dead_time_amplitude(settings, order) * _passes(settings, order * settings.frequency)
        harmonics -= size * np.sin(order * (angle[:, None] - LAG) - behind)
    return harmonics


def _ripple(settings: InverterSettings, time: NDArray[np.float64], angle: NDArray[np.float64]) -> NDArray[np.float64]:
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


def _link_current(settings: InverterSettings, amplitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the battery's current [T] in A, from the power of three phases."""
    return np.asarray(1.5 * _modulation(settings) / 2 * POWER_FACTOR * amplitude)


def _wander(rng: np.random.Generator, time: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a slow random curve [T] of rms about 1."""
    lines = rng.uniform(*WANDER_BAND, size=WANDER_LINES)
    phases = rng.uniform(0, 2 * np.pi, size=WANDER_LINES)
    curve = np.zeros(len(time))
    for line, phase in zip(lines, phases, strict=True):  # line by line: a [T, lines] array would be the largest here
        curve += np.sin(2 * np.pi * line * time + phase)
    return np.asarray(curve * np.sqrt(2.0 / WANDER_LINES))


def _active(settings: InverterSettings, count: int, fault: Fault) -> NDArray[np.bool_]:
    """Return where the fault acts [T], from and to the nearest rows."""
    rows = np.arange(count)
    if fault.kind == "none" or fault.severity == 0:
        return np.zeros(count, dtype=np.bool_)
    start = round(fault.onset * settings.sample_rate)
    end = count if fault.duration is None else round((fault.onset + fault.duration) * settings.sample_rate)
    return np.asarray((rows >= start) & (rows < end))


def _ramp(active: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return 0 outside the fault and a line from 0 to 1 over it [T]."""
    ramp = np.zeros(len(active))
    ramp[active] = np.linspace(0.0, 1.0, int(active.sum()))
    return ramp


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:  # also catches NaN
        raise SettingError(f"{name} must be in {low:g}..{high:g}, got {value:g}; choose a value inside.")
