"""The simulated signals that the sensor page brings along, each with one fault that comes and goes."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from aecore.data.readers.uploads import Signal
from aecore.data.simulators import bearing, powertrain, rooms
from aecore.data.simulators.recording import Recording


class SensorSample(Protocol):
    """Settings of a simulation, hashable and storable, that can be turned into a signal."""

    def signal(self) -> Signal:
        """Simulate it, labels included."""
        ...


@dataclass(frozen=True, kw_only=True)
class InverterSample:
    """A traction inverter's trace, 2 s at 10 kHz, with one fault from 1.1 s to 1.5 s."""

    fault: powertrain.FaultKind = "open_switch"
    severity: float = 0.5
    speed_rpm: float = 3000.0
    load: float = 0.6
    noise: float = 1.0  # A rms
    seed: int = 0

    def signal(self) -> Signal:
        """20,000 rows of three phase currents (A), link voltage (V) and speed (rpm)."""
        settings = powertrain.InverterSettings(
            speed_rpm=self.speed_rpm, load=self.load, noise=self.noise, seconds=2.0, sample_rate=10e3, seed=self.seed
        )
        fault = powertrain.Fault(kind=self.fault, severity=self.severity, onset=1.1, duration=0.4)
        return _signal(powertrain.simulate(settings, fault), 10e3)


@dataclass(frozen=True, kw_only=True)
class BearingSample:
    """Two accelerometers on a machine with a ball bearing, 2 s at 12 kHz, with one fault from 1.1 s to 1.5 s.

    The fault's strikes come at the bearing's own frequencies, which follow from geometry and speed.
    """

    fault: bearing.FaultKind = "outer"
    severity: float = 0.3
    speed_rpm: float = 1797.0
    load: float = 0.6
    noise: float = 0.05  # g rms
    geometry: bearing.Geometry = bearing.Geometry()
    seed: int = 0

    @property
    def frequencies(self) -> bearing.Frequencies:
        """BPFO, BPFI, BSF and FTF in Hz (``outer``, ``inner``, ``ball``, ``cage``)."""
        return bearing.frequencies(self.geometry, self.speed_rpm / 60.0)

    def signal(self) -> Signal:
        """24,000 rows of acceleration (g) at the drive end and at the fan end."""
        settings = bearing.BearingSettings(
            geometry=self.geometry, speed_rpm=self.speed_rpm, load=self.load, noise=self.noise, seconds=2.0,
            seed=self.seed,
        )  # fmt: skip
        fault = bearing.Fault(kind=self.fault, severity=self.severity, onset=1.1, duration=0.4)
        return _signal(bearing.simulate(settings, fault), bearing.SAMPLE_RATE)


@dataclass(frozen=True, kw_only=True)
class RoomSample:
    """An office room over four weeks, a reading a minute, with one fault from the third Tuesday 11:00 on for a day.

    Four weeks, because a normal stretch must have seen a weekend; a day, because a reading that sticks or strays in
    working hours is at odds with the others only when everybody has left.
    """

    fault: rooms.FaultKind = "window"
    severity: float = 1.0
    sensor: int = 2  # of rooms.CHANNELS; CO2. An open window is no sensor's fault, and takes no notice of it
    people: int = 3
    air_changes: float = 1.0  # an hour
    outdoor: float = 6.0  # mean, degrees C
    noise: float = 1.0  # times the sensors' usual noise
    seed: int = 0

    def signal(self) -> Signal:
        """40,320 rows of temperature (degrees C), humidity (%), CO2 (ppm), light (lx) and power (W)."""
        settings = rooms.RoomSettings(
            days=28.0, people=self.people, air_changes=self.air_changes, outdoor=self.outdoor, noise=self.noise,
            seed=self.seed,
        )  # fmt: skip
        onset = 15 * rooms.DAY + 11 * 3600.0
        fault = rooms.Fault(
            kind=self.fault, sensor=self.sensor, severity=self.severity, onset=onset, duration=rooms.DAY
        )
        return _signal(rooms.simulate(settings, fault), 1 / rooms.STEP)


def _signal(trace: Recording, sample_rate: float) -> Signal:
    return Signal(trace.values.astype(np.float64), trace.channels, trace.time, sample_rate, (), trace.labels)
