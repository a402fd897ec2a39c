"""What every simulator returns, and when its fault acts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.errors import SettingError


class SimulatedRecording(NamedTuple):
    """A simulated trace, row by row.

    ``time`` float64 [T] in s, ``values`` float32 [T, C], ``channels`` C names with their units, ``labels`` int8 [T],
    1 where the fault is active.
    """

    time: NDArray[np.float64]
    values: NDArray[np.float32]
    channels: tuple[str, ...]
    labels: NDArray[np.int8]


def acting(count: int, sample_rate: float, onset: float, duration: float | None) -> NDArray[np.bool_]:
    """Return where a fault acts [count], to the nearest row; `onset` and `duration` in s, None: to the end."""
    rows = np.arange(count)
    start = round(onset * sample_rate)
    end = count if duration is None else round((onset + duration) * sample_rate)
    return np.asarray((rows >= start) & (rows < end))


def ramp(active: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return 0 outside the fault and a line from 0 to 1 over it [T]."""
    line = np.zeros(len(active))
    line[active] = np.linspace(0.0, 1.0, int(active.sum()))
    return line


def within(name: str, value: float, low: float, high: float) -> None:
    """Refuse a setting outside its range, NaN included."""
    if not low <= value <= high:
        raise SettingError(f"{name} must be in {low:g}..{high:g}, got {value:g}; choose a value inside.")


def one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    """Refuse a kind that is not known."""
    if value not in known:
        raise SettingError(f"{name} must be one of {', '.join(known)}, got {value!r}; choose one of them.")


def seeded(seed: int) -> None:
    """Refuse a seed that no generator takes."""
    if seed < 0:
        raise SettingError(f"seed must be 0 or more, got {seed}; any whole number from 0 on will do.")
