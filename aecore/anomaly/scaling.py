"""From a visitor's table to standardised channels: what is checked, and which channels carry anything to learn."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore.data.readers.messages import one_line
from aecore.errors import DataError, TooFewRows

Array = NDArray[np.floating[Any]]
Signal = Array | pd.DataFrame

LARGEST_VALUE = 1e30  # its square still fits float64, and no sensor reads more
# In standard deviations. A value beyond is as anomalous, and would take its neighbours' digits in float32.
FARTHEST = 1e4
STILL = 1e-6  # relative; a channel that only carries rounding noise around its level is constant


def rows_of(signal: Signal) -> tuple[Array, tuple[str, ...]]:
    """Values [T, C] and channel names; raises DataError for what is no finite table of numbers."""
    try:
        values = np.asarray(signal, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError("The signal holds something that is not a number; keep its numeric columns only.") from error
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or not values.size:
        raise DataError(f"A signal is a table of rows and channels, got an array of shape {values.shape}.")
    if not (np.abs(values) < LARGEST_VALUE).all():  # False for NaN too
        raise DataError(
            f"The signal holds missing, infinite or absurdly large values (over {LARGEST_VALUE:g}); fill or cut them."
        )
    names = signal.columns if isinstance(signal, pd.DataFrame) else [f"channel {i + 1}" for i in range(values.shape[1])]
    return values, tuple(str(name) for name in names)


def rows_like(signal: Signal, channels: Sequence[str], *, at_least: int) -> Array:
    """Values [T, C] of a signal with as many channels; raises DataError for others, TooFewRows below one window."""
    values, names = rows_of(signal)
    if len(names) != len(channels):
        raise DataError(
            f"This signal has {len(names)} channels ({', '.join(map(one_line, names[:4]))} ...), the detector learnt "
            f"{len(channels)}; give it the same channels in the same order."
        )
    if len(values) < at_least:
        raise TooFewRows(f"{len(values)} rows are fewer than one window of {at_least}; give a longer signal.")
    return values


class Scaling(NamedTuple):
    """Levels and spreads of the channels in the normal rows."""

    mean: Array  # [C]
    scale: Array  # [C], 1 where constant
    active: NDArray[np.bool_]  # [C], channels that vary and so take part in the model

    @classmethod
    def of(cls, values: Array) -> "Scaling":
        """Read it off normal rows [T, C]; raises DataError where no channel varies."""
        mean, scale = values.mean(0), values.std(0)
        active = scale > STILL * np.maximum(np.abs(mean), np.finfo(np.float32).tiny)
        if not active.any():
            raise DataError(
                "Every channel is constant in the normal stretch, so there is nothing to learn; choose another."
            )
        return cls(mean, np.where(active, scale, 1.0), active)

    def apply(self, values: Array) -> Array:
        """Standardised active channels, float32 [T, A]; bounded, so that an absurd value stays finite when rebuilt."""
        x = (values[:, self.active] - self.mean[self.active]) / self.scale[self.active]
        return np.clip(x, -FARTHEST, FARTHEST).astype(np.float32)

    def undo(self, x: Array) -> NDArray[np.float32]:
        """Back to the signal's units, [T, A] -> float32 [T, C]; constant channels keep their level."""
        out = np.tile(self.mean.astype(np.float32), (len(x), 1))
        out[:, self.active] += x * self.scale[self.active].astype(np.float32)
        return out

    def measure_departure(self, values: Array) -> Array:
        """How far constant channels have left their level, 0 for rounding noise, growing by 1 a decade: [T, C - A]."""
        still = ~self.active
        mean = self.mean[still]
        rounding = 10 * STILL * np.maximum(np.abs(mean), np.finfo(np.float32).tiny)
        return np.log10(np.maximum(np.abs(values[:, still] - mean) / rounding, 1))
