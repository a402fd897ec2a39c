"""Drive cycles cut from five modes of driving, each second labelled with the mode that made it.

A mode is a way of going from stop to stop: how fast, for how long, how hard it accelerates and how much the speed
wanders meanwhile. Its figures follow the phases of the WLTC (UN Global Technical Regulation No. 15, annex 1) and, for
stop-and-go, the stops of a queue: trapezoids of speed with the driver's unrest upon them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.data.simulators.recording import seeded, within

Array = NDArray[np.float64]

MASS, ROTATING = 1_600.0, 1.05  # kg, and how much the wheels' inertia adds
GRAVITY, AIR = 9.81, 1.2  # m/s^2, kg/m^3
ROLLING, DRAG, FRONT = 0.010, 0.28, 2.2  # coefficients, and m^2: a mid-size car
UNREST = 8.0  # s, over which a driver's unrest is forgotten


class Mode(NamedTuple):
    """How one mode drives, [low, high] of what is drawn for every trip between two stops."""

    top: tuple[float, float]  # km/h
    cruise: tuple[float, float]  # s at about that speed
    accelerate: tuple[float, float]  # m/s^2
    brake: tuple[float, float]  # m/s^2
    stop: tuple[float, float]  # s of standstill before
    unrest: float  # km/h rms
    floor: float  # km/h: to which it slows between two trips; 0 is a stop


MODES = {
    "urban": Mode((30, 55), (8, 40), (0.7, 1.4), (0.8, 1.6), (3, 25), 2.0, 0.0),
    "rural": Mode((65, 95), (40, 150), (0.5, 1.0), (0.5, 1.1), (0, 4), 3.0, 35.0),
    "motorway": Mode((105, 135), (80, 260), (0.3, 0.7), (0.3, 0.8), (0, 0), 3.5, 85.0),
    "stop-and-go": Mode((6, 22), (3, 12), (0.4, 1.0), (0.5, 1.2), (4, 18), 1.0, 0.0),
    "parking": Mode((3, 9), (2, 6), (0.2, 0.5), (0.3, 0.7), (6, 40), 0.4, 0.0),
}
NAMES = tuple(MODES)


@dataclass(frozen=True, kw_only=True)
class CycleSettings:
    """How many stretches follow one another, how long each lasts (s), and a factor on all speeds."""

    stretches: int = 12  # 1..200
    shortest: float = 120.0  # s, 30..3600
    longest: float = 420.0  # s
    faster: float = 1.0  # 0.5..1.5
    seed: int = 0

    def __post_init__(self) -> None:
        within("stretches", self.stretches, 1, 200)
        within("shortest", self.shortest, 30, 3_600)
        within("longest", self.longest, self.shortest, 3_600)
        within("faster", self.faster, 0.5, 1.5)
        seeded(self.seed)


class Cycle(NamedTuple):
    """A drive, once a second: speed [T] in km/h and the mode [T] that made it, a place in `NAMES`."""

    speed: Array
    modes: NDArray[np.int8]


def cycle(settings: CycleSettings) -> Cycle:
    """Drive through stretches of random modes, no mode twice in a row; each begins at the speed the last has left."""
    rng = np.random.default_rng(settings.seed)
    speeds, labels, last, now = [], [], -1, 0.0
    for _ in range(settings.stretches):
        mode = int(rng.choice([i for i in range(len(NAMES)) if i != last]))
        seconds = round(rng.uniform(settings.shortest, settings.longest))
        speeds.append(stretch(MODES[NAMES[mode]], seconds, settings.faster, rng, begin=now))
        now = float(speeds[-1][-1])
        labels.append(np.full(seconds, mode, np.int8))
        last = mode
    return Cycle(np.concatenate(speeds), np.concatenate(labels))


def stretch(mode: Mode, seconds: int, faster: float, rng: np.random.Generator, *, begin: float = 0.0) -> Array:
    """Speed [seconds] in km/h of one stretch: from ``begin`` to the floor, trapezoids to the top and back, unrest."""
    floor = mode.floor * faster
    rate = mode.accelerate[1] if begin < floor else mode.brake[1]
    parts: list[Array] = [np.linspace(begin, floor, round(abs(floor - begin) / 3.6 / rate), endpoint=False)]
    while sum(map(len, parts)) < seconds:
        top = max(rng.uniform(*mode.top) * faster, 1.1 * floor)
        up = max(1, round((top - floor) / 3.6 / rng.uniform(*mode.accelerate)))
        down = max(1, round((top - floor) / 3.6 / rng.uniform(*mode.brake)))
        parts += [
            np.full(round(rng.uniform(*mode.stop)), floor), np.linspace(floor, top, up, endpoint=False),
            np.full(round(rng.uniform(*mode.cruise)), top), np.linspace(top, floor, down, endpoint=False),
        ]  # fmt: skip
    plain = np.concatenate(parts)[:seconds]
    moving = np.minimum(1.0, plain / 5.0)  # nobody is restless at a standstill
    return np.maximum(plain + mode.unrest * moving * wandering(seconds, rng), 0.0)


def wandering(seconds: int, rng: np.random.Generator) -> Array:
    """Noise [seconds] of rms 1 that forgets itself over `UNREST`: ``u_t = a u_(t-1) + sqrt(1 - a^2) e_t``."""
    keeps = np.exp(-1.0 / UNREST)
    kernel = np.sqrt(1 - keeps**2) * keeps ** np.arange(round(6 * UNREST))
    noise = rng.normal(size=seconds + len(kernel) - 1)
    return np.convolve(noise, kernel, mode="valid")


def power(speed: Array) -> Array:
    """Power at the wheels [T] in kW for a speed [T] in km/h on the level, once a second.

    ``P = v (m' dv/dt + m g c_r + rho c_w A v^2 / 2)``: inertia, rolling, air. Negative where the car is braked.
    """
    v = np.asarray(speed, np.float64) / 3.6
    force = MASS * ROTATING * np.gradient(v) + MASS * GRAVITY * ROLLING * (v > 0) + 0.5 * AIR * DRAG * FRONT * v**2
    return np.asarray(v * force / 1e3)
