"""Windows of a traction drive's phase currents, each with its operating point and its fault known.

A window is 12 ms of three phase currents, [3, 64] in A, cut from the simulation of a settled operating
point by `aecore.data.simulators.powertrain`. It starts at a given electrical angle, as a scope with the rotor's
resolver for a trigger would, or at any angle.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from aecore.data.simulators import powertrain
from aecore.data.simulators.inverter import FLUX, LAG, POLE_PAIRS, RATED_CURRENT, InverterSettings
from aecore.data.simulators.recording import one_of, within
from aecore.errors import SettingError

Array = NDArray[np.float32]
Condition = Literal["healthy", "open switch", "inter-turn short", "sensor offset", "sensor gain"]
CONDITIONS: tuple[Condition, ...] = get_args(Condition)
KINDS: dict[Condition, powertrain.FaultKind] = {
    "healthy": "none", "open switch": "open_switch", "inter-turn short": "inter_turn", "sensor offset": "offset",
    "sensor gain": "gain",
}  # fmt: skip

SECONDS, LENGTH = 0.012, 64
SAMPLE_RATE = LENGTH / SECONDS  # Hz
SPEEDS, LOADS = (1_800.0, 4_000.0), (0.2, 1.0)  # rpm and share of rated torque that windows are drawn from
RATED_TORQUE = 1.5 * POLE_PAIRS * FLUX * RATED_CURRENT  # N m, of the magnets' flux and the current across it
SETTLED = 0.2  # s; a drifting sensor has drifted 90 % of its way when the window begins


@dataclass(frozen=True, kw_only=True)
class WindowSettings:
    """Operating point and fault of one window; ``start`` is the electrical angle it begins at, in rad."""

    speed_rpm: float = 3_000.0  # 1000..6000
    load: float = 0.6  # 0..1.2
    condition: Condition = "healthy"
    severity: float = 1.0  # 0..1, of the fault
    phase: int = 0  # 0..2, where the fault is
    noise: float = 1.0  # A rms
    start: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        within("speed_rpm", self.speed_rpm, 1_000, 6_000)
        one_of("condition", self.condition, CONDITIONS)

    @property
    def frequency(self) -> float:
        """Electrical frequency in Hz."""
        return POLE_PAIRS * self.speed_rpm / 60.0


class Windows(NamedTuple):
    """``values`` float32 [N, 3, 64] in A, and what each was drawn with."""

    values: Array
    speeds: NDArray[np.float64]  # rpm
    loads: NDArray[np.float64]
    conditions: NDArray[np.uint8]  # place in CONDITIONS
    severities: NDArray[np.float64]


class Region(NamedTuple):
    """Speeds in rpm and loads, low to high."""

    speeds: tuple[float, float] = SPEEDS
    loads: tuple[float, float] = LOADS

    def holds(self, speed: float, load: float) -> bool:
        """Whether an operating point lies inside."""
        return self.speeds[0] <= speed <= self.speeds[1] and self.loads[0] <= load <= self.loads[1]


def window(settings: WindowSettings) -> Array:
    """Simulate one window [3, 64] in A."""
    drifts = settings.condition in ("sensor offset", "sensor gain")
    drive = InverterSettings(
        speed_rpm=settings.speed_rpm, load=settings.load, noise=settings.noise, wander=0.0,
        seconds=SETTLED if drifts else SECONDS + 2 / settings.frequency, seed=settings.seed,
    )  # fmt: skip
    kind = KINDS[settings.condition]
    made = powertrain.simulate(drive, powertrain.Fault(kind=kind, phase=settings.phase, severity=settings.severity))
    turns = settings.frequency * made.time  # electrical turns since the beginning
    first = angle_at_zero(made.values[:, :3], turns)
    latest = 2 * np.pi * settings.frequency * (made.time[-1] - SECONDS) + first
    begins = settings.start + 2 * np.pi * np.floor((latest - settings.start) / (2 * np.pi))
    at = (begins - first) / (2 * np.pi * settings.frequency) + np.arange(LENGTH) / SAMPLE_RATE
    return np.stack([np.interp(at, made.time, made.values[:, k]) for k in range(3)]).astype(np.float32)


def angle_at_zero(currents: Array, turns: NDArray[np.float64]) -> float:
    """Electrical angle in rad at time 0 of phase currents [T, 3], by their positive sequence over whole turns.

    With ``i_k = I sin(a - 2 pi k / 3)``, ``sum_k i_k exp(2 pi j k / 3) = 3/2 I exp(j a) / j``.
    """
    whole = turns > turns[-1] - np.floor(turns[-1])  # over whole turns the negative sequence and offsets cancel
    vector = currents[whole] @ np.exp(1j * LAG) * np.exp(-2j * np.pi * turns[whole])  # [W]
    return float(np.angle(vector.sum()) + np.pi / 2)


def draw(
    count: int,
    *,
    seed: int,
    conditions: Sequence[Condition] = CONDITIONS,
    severities: tuple[float, float] = (0.3, 1.0),
    inside: Region | None = None,
    outside: Region | None = None,
    aligned: bool = False,
    noise: float = 1.0,
) -> Windows:
    """Draw ``count`` windows, conditions in turn, all else uniform.

    Operating points lie ``inside`` a region and never in the one that is ``outside``. ``aligned`` windows start at
    angle 0 with the fault in phase 0; others at any angle, the fault in any phase.
    """
    if count < 1:
        raise SettingError(f"count must be at least 1, got {count}; ask for some.")
    rng = np.random.default_rng(seed)
    region = inside or Region()
    values = np.empty((count, 3, LENGTH), np.float32)
    points, drawn = np.empty((count, 2)), rng.uniform(*severities, count)
    kinds = np.arange(count) % len(conditions)
    for n in range(count):
        points[n] = _point(rng, region, outside)
        condition = conditions[kinds[n]]
        values[n] = window(WindowSettings(
            speed_rpm=points[n, 0], load=points[n, 1], condition=condition, severity=drawn[n], noise=noise,
            phase=0 if aligned else int(rng.integers(3)), start=0.0 if aligned else rng.uniform(0, 2 * np.pi),
            seed=int(rng.integers(1 << 30)),
        ))  # fmt: skip
    places = np.array([CONDITIONS.index(c) for c in conditions], np.uint8)[kinds]
    return Windows(values, points[:, 0], points[:, 1], places, np.where(places > 0, drawn, 0.0))


def _point(rng: np.random.Generator, inside: Region, outside: Region | None) -> tuple[float, float]:
    while True:
        speed, load = float(rng.uniform(*inside.speeds)), float(rng.uniform(*inside.loads))
        if outside is None or not outside.holds(speed, load):
            return speed, load


def turns(drawn: Windows) -> Array:
    """Bring windows to one electrical turn from angle 0 on, as shares of the positive sequence's amplitude: [N, 3, 64].

    The usual order analysis of a drive whose resolver is known: what speed and torque do to a current is taken out, and
    what is left is the fault and the noise.
    """
    time, grid = np.arange(LENGTH) / SAMPLE_RATE, 2 * np.pi * np.arange(LENGTH) / LENGTH
    sizes = measures(drawn.values).amplitude
    made = np.empty_like(drawn.values)
    for n, (window_, speed) in enumerate(zip(drawn.values, drawn.speeds, strict=True)):
        frequency = POLE_PAIRS * speed / 60
        angle = angle_at_zero(window_.T, frequency * time) + 2 * np.pi * frequency * time
        first = time < 1 / frequency
        for k in range(3):
            made[n, k] = np.interp(grid, angle[first] % (2 * np.pi), window_[k, first], period=2 * np.pi) / sizes[n]
    return made


# ---------------------------------------------------------------------- measured on a window, whatever made it
class Measures(NamedTuple):
    """What an engineer reads off phase currents [N, 3, 96]; float64 [N] each."""

    frequency: NDArray[np.float64]  # Hz, of the fundamental
    amplitude: NDArray[np.float64]  # A, of the positive sequence at that frequency
    negative: NDArray[np.float64]  # A, of the negative sequence
    mean: NDArray[np.float64]  # A, of phase 0: what an open switch and an offset leave there


GRID = np.arange(90.0, 300.0, 0.5)  # Hz, tried for the fundamental; then a parabola through the three best
MAIN, ORDERS = 3, (0, 1, -1, 2, -2)  # at rest, with the field, against it; and an open switch's second harmonic


def measures(values: Array) -> Measures:
    """Fit the currents' space vector by turning parts of a common frequency, and phase 0 by its harmonics.

    Least squares at every frequency of a grid; the best one is the fundamental's (variable projection: Golub & Pereyra,
    *SIAM J. Numerical Analysis* 10, 1973).
    """
    vector = np.einsum("nkt,k->nt", values.astype(np.float64), np.exp(1j * LAG)) * (2 / 3)  # (N, T)
    bases = _bases()
    explained = np.stack([(np.abs(vector @ q.conj()) ** 2).sum(1) for q, _ in bases], 1)  # (N, G)
    rows, top = np.arange(len(vector)), np.clip(explained.argmax(1), 1, len(GRID) - 2)
    left, middle, right = (explained[rows, top + step] for step in (-1, 0, 1))
    bend = np.minimum(left - 2 * middle + right, -1e-12)
    frequency = GRID[top] + np.clip(0.5 * (left - right) / bend, -1, 1) * (GRID[1] - GRID[0])
    parts = np.stack([bases[g][1] @ v for g, v in zip(top, vector, strict=True)])  # (N, orders)
    phase = values[:, 0].astype(np.float64)
    means = np.stack([_real_basis(g) @ p for g, p in zip(top, phase, strict=True)])
    return Measures(frequency, np.abs(parts[:, 1]), np.abs(parts[:, 2]), means)


@functools.cache
def _bases() -> list[tuple[NDArray[np.complex128], NDArray[np.complex128]]]:
    """For every frequency of the grid, an orthonormal basis [T, 3] of the main parts and the map [orders, T] to all."""
    time = np.arange(LENGTH) / SAMPLE_RATE
    parts = [np.exp(2j * np.pi * f * np.outer(time, ORDERS)) for f in GRID]
    # With the second harmonic in it, half the frequency would explain as much.
    return [(np.linalg.qr(part[:, :MAIN])[0], np.linalg.pinv(part)) for part in parts]


@functools.cache
def _real_basis(place: int) -> NDArray[np.float64]:
    """Row [T] that takes from a real signal its mean, apart from its first two harmonics at the grid's frequency."""
    angle = 2 * np.pi * GRID[place] * np.arange(LENGTH) / SAMPLE_RATE
    basis = np.stack([np.ones_like(angle), *(f(n * angle) for n in (1, 2) for f in (np.sin, np.cos))], 1)
    return np.asarray(np.linalg.pinv(basis)[0])
