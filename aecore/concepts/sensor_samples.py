"""The simulated signal that the sensor page brings along, with one fault that comes and goes."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from aecore.data import powertrain
from aecore.data.recording import Recording
from aecore.data.uploads import Signal


class Sample(Protocol):
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


def _signal(trace: Recording, sample_rate: float) -> Signal:
    return Signal(trace.values.astype(np.float64), trace.channels, trace.time, sample_rate, (), trace.labels)
