"""Vibration of a ball bearing, healthy or with a spall on one of its parts, at 12 kHz.

A spall strikes once per pass; each strike rings a resonance of the housing. How often is set by geometry and speed,
how hard by where in the load zone it happens: Randall & Antoni (2011), "Rolling element bearing diagnostics - a
tutorial", Mechanical Systems and Signal Processing 25(2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from aecore.data.simulators.recording import SimulatedRecording, acting, one_of, seeded, within
from aecore.errors import SettingError

SAMPLE_RATE = 12_000  # Hz, of the accelerometers
CHANNELS = ("drive end [g]", "fan end [g]")
PATHS = ((1.0, 1.0), (0.35, 0.8))  # of each accelerometer: share of a strike that arrives, resonance as a multiple
AUDIBLE = 1e-17  # of a strike: what is left of it then does not change a sum of doubles
DAMPING = 0.03  # of critical, usual for a bolted steel housing
STRONGEST = 20.0  # g, amplitude of the ringing at severity 1 and load 1, at the drive end
UNBALANCE = ((1, 0.05), (2, 0.02))  # (order of the shaft, g at 1,800 rpm): grows with the square of speed
REFERENCE = 1_800.0  # rpm

FaultKind = Literal["none", "outer", "inner", "ball"]


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """A ball bearing with a fixed outer race: number of balls, diameters in mm, contact angle in degrees."""

    balls: int = 9  # 3..60
    ball: float = 7.94  # mm, below the pitch diameter
    pitch: float = 39.04  # mm, 5..2000; the defaults are a deep groove bearing 6205
    contact: float = 0.0  # degrees, 0..60

    def __post_init__(self) -> None:
        within("balls", self.balls, 3, 60)
        within("pitch", self.pitch, 5, 2_000)
        within("ball", self.ball, 0.01 * self.pitch, 0.9 * self.pitch)
        within("contact", self.contact, 0, 60)


class Frequencies(NamedTuple):
    """How often, in Hz, what passes what."""

    outer: float  # BPFO: balls over a point of the outer race
    inner: float  # BPFI: balls over a point of the inner race
    ball: float  # BSF: turns of a ball about itself; a spall on it strikes twice a turn
    cage: float  # FTF: turns of the cage


@dataclass(frozen=True, kw_only=True)
class BearingSettings:
    """The bearing, how it runs and how it is measured; `load` is a share of the rated radial load."""

    geometry: Geometry = Geometry()
    speed_rpm: float = 1_797.0  # 60..12000
    load: float = 0.6  # 0..1.2
    noise: float = 0.05  # g rms on each accelerometer, 0..5
    resonance: float = 3_200.0  # Hz, of the housing, 500..5000
    slip: float = 0.01  # random deviation of each ball's pass, relative, rms, 0..0.1
    seconds: float = 4.0  # 0.05..120
    seed: int = 0

    def __post_init__(self) -> None:
        within("speed_rpm", self.speed_rpm, 60, 12_000)
        within("load", self.load, 0, 1.2)
        within("noise", self.noise, 0, 5)
        within("resonance", self.resonance, 500, 5_000)
        within("slip", self.slip, 0, 0.1)
        within("seconds", self.seconds, 0.05, 120)
        seeded(self.seed)

    @property
    def shaft(self) -> float:
        """Turns of the shaft in Hz."""
        return self.speed_rpm / 60.0


@dataclass(frozen=True, kw_only=True)
class BearingFault:
    """A spall on one part, acting from `onset` (s) for `duration` (s; None: to the end).

    At severity 1 and load 1 a strike in the middle of the load zone rings with an amplitude of 20 g; 0 is healthy.
    """

    kind: FaultKind = "none"
    severity: float = 0.5  # 0..1
    onset: float = 0.0
    duration: float | None = None

    def __post_init__(self) -> None:
        one_of("kind", self.kind, get_args(FaultKind))
        within("severity", self.severity, 0, 1)
        within("onset", self.onset, 0, 120)
        if self.duration is not None:
            within("duration", self.duration, 0, 120)


def frequencies(geometry: Geometry, shaft: float) -> Frequencies:
    """Return the defect frequencies in Hz at `shaft` turns a second.

    With ``r = d / D cos(phi)``: BPFO ``n f (1 - r) / 2``, BPFI ``n f (1 + r) / 2``, BSF ``D f (1 - r^2) / (2 d)``, FTF
    ``f (1 - r) / 2``. Randall & Antoni (2011), eqs. 1 to 4.
    """
    ratio = geometry.ball / geometry.pitch * float(np.cos(np.radians(geometry.contact)))
    return Frequencies(
        outer=geometry.balls * shaft * (1 - ratio) / 2,
        inner=geometry.balls * shaft * (1 + ratio) / 2,
        ball=geometry.pitch * shaft * (1 - ratio**2) / (2 * geometry.ball),
        cage=shaft * (1 - ratio) / 2,
    )


def simulate(settings: BearingSettings, fault: BearingFault | None = None) -> SimulatedRecording:
    """Simulate two accelerometers in g; rows outside the fault equal those of the healthy bearing, seed for seed.

    Returns a `SimulatedRecording` of T = seconds x 12,000 rows. Raises `SettingError` for a fault that would begin
    after the recording has ended.
    """
    fault = fault or BearingFault()
    if fault.kind != "none" and fault.onset >= settings.seconds:
        raise SettingError(
            f"onset must lie within the {settings.seconds:g} s recorded, got {fault.onset:g} s; start it earlier."
        )
    rng = np.random.default_rng(settings.seed)
    count = round(settings.seconds * SAMPLE_RATE)
    time = np.arange(count) / SAMPLE_RATE
    angle = 2 * np.pi * settings.shaft * time + rng.uniform(0, 2 * np.pi)  # of the shaft [T]
    values = rng.normal(0.0, settings.noise, size=(count, len(PATHS)))
    speed = (settings.speed_rpm / REFERENCE) ** 2
    for order, size in UNBALANCE:
        values += (size * speed * np.sin(order * angle + rng.uniform(0, 2 * np.pi)))[:, None]
    active = np.zeros(count, dtype=np.bool_)
    if fault.kind != "none" and fault.severity > 0:
        active = acting(count, SAMPLE_RATE, fault.onset, fault.duration)
        times, strengths = strikes(settings, fault.kind, rng)
        for channel, (share, multiple) in enumerate(PATHS):
            size = share * STRONGEST * fault.severity * settings.load
            ringing = ring(count, times, size * strengths, multiple * settings.resonance)
            values[:, channel] += np.where(active, ringing, 0.0)  # what still rings is cut off with the label
    return SimulatedRecording(time, values.astype(np.float32), CHANNELS, active.astype(np.int8))


def strikes(
    settings: BearingSettings, kind: FaultKind, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (times in s, strengths 0..1) of all strikes in a recording.

    Each interval deviates on its own, by `slip`, so that the phase wanders off as it does in real bearings. A spall on
    the outer race lies in the middle of the load zone; one on the inner race turns through it with the shaft, one on a
    ball with the cage, struck in proportion to the ball's load there.
    """
    found = frequencies(settings.geometry, settings.shaft)
    rate, turns = {
        "outer": (found.outer, 0.0),
        "inner": (found.inner, settings.shaft),
        "ball": (2 * found.ball, found.cage),
    }[kind]
    spare = 1.2 + 5 * settings.slip  # intervals may come out short
    intervals = 1.0 + settings.slip * rng.normal(size=int(spare * rate * settings.seconds) + 10)
    times = (np.cumsum(np.maximum(intervals, 0.1)) - rng.uniform()) / rate
    times = times[(times >= 0) & (times < settings.seconds)]
    start = rng.uniform(0, 2 * np.pi) if turns else 0.0
    return times, load_share(2 * np.pi * turns * times + start)


def load_share(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a ball's load at `angle` rad from the middle of the load zone, as a share of the greatest.

    ``cos(angle)^(3/2)`` within a quarter turn and nothing beyond: Stribeck's distribution for a radial load without
    clearance, in Harris & Kotzalas (2006), Essential Concepts of Bearing Technology, ch. 7.
    """
    return np.maximum(np.cos(angle), 0.0) ** 1.5


def ring(
    count: int, times: NDArray[np.float64], strengths: NDArray[np.float64], resonance: float
) -> NDArray[np.float64]:
    """Return the sum [count] of ``strength exp(-z w t) sin(w sqrt(1 - z^2) t)`` from each time on, w = 2 pi resonance.

    Exact between samples as well: a strike enters as the complex state it has reached at the first sample after it.
    """
    omega = 2 * np.pi * resonance
    pole = complex(-DAMPING * omega, omega * np.sqrt(1 - DAMPING**2))  # 1/s
    first = np.ceil(times * SAMPLE_RATE).astype(np.int64)
    inside = first < count
    lag = first[inside] / SAMPLE_RATE - times[inside]
    lasting = int(np.ceil(np.log(AUDIBLE) / pole.real * SAMPLE_RATE))
    echo = np.exp(pole * np.arange(lasting) / SAMPLE_RATE)
    rung = np.zeros(count + lasting)
    # a loop over strikes, which are few; scipy.signal's filter would do it, after a second of importing
    for start, state in zip(first[inside], strengths[inside] * np.exp(pole * lag), strict=True):
        rung[start : start + lasting] += np.imag(state * echo)
    return rung[:count]
