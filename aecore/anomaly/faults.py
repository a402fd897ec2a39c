"""Faults to put into normal rows: what each does to one channel, how its size is counted, and how it is said."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Kind = Literal["spike", "drift", "stuck", "dropout", "noise", "frequency"]
Measure = Literal["channel", "time", "share"]  # a size counts in the channel's unit, in rows, or as a share

SCALES = (0.01, 100.0)  # smallest and largest size tried, in standard deviations of the normal channel
SHARES = (0.001, 0.8)  # of the frequency
_RENARD = (1.0, 1.25, 1.6, 2.0, 2.5, 3.2, 4.0, 5.0, 6.3, 8.0)  # ISO 3, R10: even steps that read well


class InjectedFault(NamedTuple):
    """One kind of fault: ``apply(x, first, rows, size, noise)`` alters ``x`` [P, L] from column ``first`` on, in place.

    ``rows`` is how long it lasts, ``size`` [P, 1] signed where its sign means something, ``noise`` [P, L] normal.
    """

    measure: Measure
    apply: Callable[[Array, int, int, Array, Array], None]
    words: str  # with {size} and {time}
    lesser: str  # what the sizes below the smallest caught one are called


def _spike(x: Array, first: int, rows: int, size: Array, noise: Array) -> None:
    x[:, first : first + 1] += size


def _drift(x: Array, first: int, rows: int, size: Array, noise: Array) -> None:
    """Ramp up and stay there: a jump back at the end would be caught in the drift's stead."""
    x[:, first:] += size * np.minimum(np.arange(1, x.shape[1] - first + 1) / rows, 1)


def _stuck(x: Array, first: int, rows: int, size: Array, noise: Array) -> None:
    x[:, first : first + rows] = x[:, first - 1 : first]


def _dropout(x: Array, first: int, rows: int, size: Array, noise: Array) -> None:
    x[:, first : first + rows] = 0


def _noise(x: Array, first: int, rows: int, size: Array, noise: Array) -> None:
    x[:, first : first + rows] += np.abs(size) * noise[:, first : first + rows]


def _frequency(x: Array, first: int, rows: int, size: Array, noise: Array) -> None:
    """Slow the channel down from ``first`` on, without a jump; lower, because the rows it needs are then at hand."""
    later = np.arange(x.shape[1] - first)
    for i, share in enumerate(np.abs(size[:, 0])):
        x[i, first:] = np.interp(later * (1 - share), later, x[i, first:].copy())


FAULTS: dict[Kind, InjectedFault] = {
    "spike": InjectedFault("channel", _spike, "a spike of {size}", "smaller"),
    "drift": InjectedFault("channel", _drift, "a drift of {size} over {time}", "smaller"),
    "stuck": InjectedFault("time", _stuck, "a value stuck for {time}", "shorter"),
    "dropout": InjectedFault("time", _dropout, "a dropout to zero of {time}", "shorter"),
    "noise": InjectedFault("channel", _noise, "a burst of noise of {size} rms over {time}", "weaker"),
    "frequency": InjectedFault("share", _frequency, "a frequency lower by {size} over {time}", "smaller"),
}


def sizes(measure: Measure, *, scale: float, longest: int) -> list[float]:
    """Sizes to try, growing by about a quarter: in the channel's units (``scale`` is its deviation), rows or shares."""
    if measure == "channel":
        low, high = SCALES[0] * scale, SCALES[1] * scale
    else:
        low, high = (1.0, float(longest)) if measure == "time" else SHARES
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    grid = [float(f"{step}e{decade}") for decade in decades for step in _RENARD]
    grid = [size for size in grid if low * 0.999 <= size <= high * 1.001]
    return list(dict.fromkeys(float(round(size)) for size in grid)) if measure == "time" else grid


def say(kind: Kind, size: float, rows: int, *, unit: str, sample_rate: float | None) -> str:
    """Name a fault with its size and how long it lasts, ``a drift of 3.2 A over 40 s``."""
    time = duration(rows, sample_rate)
    amount = f"{100 * size:.3g} %" if FAULTS[kind].measure == "share" else f"{size:,.6g} {unit}".strip()
    return FAULTS[kind].words.format(size=amount, time=time)


def duration(rows: int, sample_rate: float | None) -> str:
    """So many rows in seconds (or milli- or microseconds), or in rows where no rate is known."""
    if sample_rate is None:
        return f"{rows:,} row{'' if rows == 1 else 's'}"
    seconds = rows / sample_rate
    unit, factor = next(
        ((unit, factor) for unit, factor in (("s", 1.0), ("ms", 1e3)) if seconds * factor >= 1), ("µs", 1e6)
    )
    return f"{seconds * factor:,.0f} {unit}" if seconds >= 1000 else f"{seconds * factor:.3g} {unit}"
