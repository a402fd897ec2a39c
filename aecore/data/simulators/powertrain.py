"""Phase currents of a three-phase traction inverter, healthy or with one fault, in SI units.

The machine is a current-controlled synchronous motor with an isolated star point, so the true phase currents sum to
zero; only a faulty sensor can make the measured ones not. Phase k lags phase 0 by ``2 pi k / 3``, k in 0..2.

Currents are built from their parts in steady state rather than integrated step by step: each part then has an
amplitude that can be checked, and a minute of data takes milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from aecore.data.simulators.inverter import (
    BATTERY_RESISTANCE,
    DC_LINK,
    FLUX,
    INDUCTANCE,
    LAG,
    LINK_NOISE,
    POLE_PAIRS,
    RATED_CURRENT,
    RESISTANCE,
    SPEED_NOISE,
    InverterSettings,
    dead_time_harmonics,
    link_current,
    ripple,
    wander,
)
from aecore.data.simulators.recording import SimulatedRecording, acting, one_of, ramp, within
from aecore.errors import SettingError

__all__ = ["CHANNELS", "PowertrainFault", "InverterSettings", "SimulatedRecording", "simulate"]

MAX_OFFSET = 0.10 * RATED_CURRENT  # A at severity 1: beyond, a drive's own plausibility check trips
MAX_GAIN = 0.30  # relative, at severity 1
MAX_SHORTED = 0.10  # share of a phase's turns at severity 1: more burns through within seconds
CONTACT_RESISTANCE = 5e-3  # ohm, of the short itself
CHANNELS = ("ia [A]", "ib [A]", "ic [A]", "udc [V]", "speed [rpm]")  # what a drive's trace buffer holds

FaultKind = Literal["none", "open_switch", "offset", "gain", "inter_turn"]


@dataclass(frozen=True, kw_only=True)
class PowertrainFault:
    """One fault, active from `onset` (s) for `duration` (s; None: to the end).

    What severity 1 means, with its equations, stands at the function of each kind; 0 is healthy throughout.
    """

    kind: FaultKind = "none"
    phase: int = 0  # 0..2
    severity: float = 1.0  # 0..1
    onset: float = 0.0
    duration: float | None = None

    def __post_init__(self) -> None:
        one_of("kind", self.kind, get_args(FaultKind))
        if self.phase not in (0, 1, 2):
            raise SettingError(f"phase must be 0, 1 or 2, got {self.phase}; count the phases from 0.")
        within("severity", self.severity, 0, 1)
        within("onset", self.onset, 0, 600)
        if self.duration is not None:
            within("duration", self.duration, 0, 600)


def simulate(settings: InverterSettings, fault: PowertrainFault | None = None) -> SimulatedRecording:
    """Simulate what a traction inverter logs; rows outside the fault equal those of the healthy machine, seed for seed.

    Returns a `SimulatedRecording` of T = seconds x sample_rate rows:
    three phase currents in A, link voltage in V, speed in rpm.
    Raises `SettingError` for a fault that would begin after the recording has ended.
    """
    fault = fault or PowertrainFault()
    if fault.kind != "none" and fault.onset >= settings.seconds:
        raise SettingError(
            f"onset must lie within the {settings.seconds:g} s recorded, got {fault.onset:g} s; start it earlier."
        )
    rng = np.random.default_rng(settings.seed)
    count = round(settings.seconds * settings.sample_rate)
    time = np.arange(count) / settings.sample_rate  # [T]
    speed = settings.speed_rpm * (1.0 + 0.25 * settings.wander * wander(rng, time))  # [T] rpm
    amplitude = settings.amplitude * (1.0 + settings.wander * wander(rng, time))  # [T] A
    omega = 2 * np.pi * POLE_PAIRS / 60.0 * speed  # [T] rad/s
    angle = rng.uniform(0, 2 * np.pi) + np.cumsum(omega) / settings.sample_rate  # [T] rad
    active = _active(settings, count, fault)

    currents = amplitude[:, None] * np.sin(angle[:, None] - LAG)  # [T, 3]
    currents += dead_time_harmonics(settings, angle) + ripple(settings, time, angle)
    currents = _in_the_machine(currents, angle, active, fault, settings)
    measured = _in_the_sensor(currents + rng.normal(0.0, settings.noise, size=currents.shape), active, fault)
    link = DC_LINK - BATTERY_RESISTANCE * link_current(settings, amplitude) + rng.normal(0.0, LINK_NOISE, size=count)
    resolver = speed + rng.normal(0.0, SPEED_NOISE, size=count)
    values = np.column_stack([measured, link, resolver]).astype(np.float32)  # [T, 5]
    return SimulatedRecording(time, values, CHANNELS, active.astype(np.int8))


def _in_the_machine(
    currents: NDArray[np.float64],
    angle: NDArray[np.float64],
    active: NDArray[np.bool_],
    fault: PowertrainFault,
    settings: InverterSettings,
) -> NDArray[np.float64]:
    """Apply a fault that changes the true currents."""
    if fault.kind == "open_switch":
        return open_switch(currents, active, fault)
    if fault.kind == "inter_turn":
        return inter_turn(currents, angle, active, fault, settings)
    return currents


def _in_the_sensor(
    measured: NDArray[np.float64], active: NDArray[np.bool_], fault: PowertrainFault
) -> NDArray[np.float64]:
    """Apply a fault that changes only what is measured."""
    if fault.kind == "offset":
        return offset(measured, active, fault)
    if fault.kind == "gain":
        return gain(measured, active, fault)
    return measured


def open_switch(
    currents: NDArray[np.float64], active: NDArray[np.bool_], fault: PowertrainFault
) -> NDArray[np.float64]:
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


def offset(measured: NDArray[np.float64], active: NDArray[np.bool_], fault: PowertrainFault) -> NDArray[np.float64]:
    """Let one sensor's zero drift: ``i + severity * 30 A * r``, r rising from 0 to 1 over the fault.

    The true currents are left alone, so the measured ones no longer sum to zero. Chung & Sul (1998), "Analysis and
    compensation of current measurement error in vector-controlled AC motor drives", IEEE Trans. Ind. Appl. 34(2).
    """
    drifted = measured.copy()
    drifted[:, fault.phase] += fault.severity * MAX_OFFSET * ramp(active)
    return drifted


def gain(measured: NDArray[np.float64], active: NDArray[np.bool_], fault: PowertrainFault) -> NDArray[np.float64]:
    """Let one sensor's gain drift: ``i * (1 + severity * 0.3 * r)``, r rising from 0 to 1 over the fault.

    Seen from the controller this is a negative-sequence current of a third of the error. Chung & Sul (1998), as above.
    """
    drifted = measured.copy()
    drifted[:, fault.phase] *= 1.0 + fault.severity * MAX_GAIN * ramp(active)
    return drifted


def inter_turn(
    currents: NDArray[np.float64],
    angle: NDArray[np.float64],
    active: NDArray[np.bool_],
    fault: PowertrainFault,
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


def _active(settings: InverterSettings, count: int, fault: PowertrainFault) -> NDArray[np.bool_]:
    """Return where the fault acts [T]."""
    if fault.kind == "none" or fault.severity == 0:
        return np.zeros(count, dtype=np.bool_)
    return acting(count, settings.sample_rate, fault.onset, fault.duration)
