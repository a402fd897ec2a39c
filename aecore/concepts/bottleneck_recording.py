"""A visitor's own recording on the Bottleneck page: one channel, in windows to learn from and to test on."""

from collections.abc import Generator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.concepts.bottleneck_signals import LEARN, LENGTH, TEST, Array
from aecore.data import uploads
from aecore.data.signals import windows
from aecore.errors import DataError, TooFewRows

HELD_OUT = 5  # one row in five, at the end of a recording, is not learnt from
FEWEST_ROWS = 3 * LENGTH  # two windows' rows to learn from, one to test on


class Recording(NamedTuple):
    """A visitor's channel in windows, in standard deviations of the stretch that is learnt from."""

    learn: Array  # [N, L], from the first four fifths of the rows
    test: Array  # [M, L], from the last fifth
    channel: str
    channels: tuple[str, ...]
    sample_rate: float | None  # Hz
    notes: tuple[str, ...]

    def shown(self, seed: int) -> int:
        """Row of ``test`` that a seed puts on screen."""
        return int(np.random.default_rng(seed).integers(len(self.test)))


def cut(name: str, data: bytes, channel: str | None) -> Generator[dict[str, float], None, Recording]:
    """Read a visitor's file and cut one channel (the first, where it has none of that name) into windows; a job's task.

    Raises `UnreadableFile` and its kin as `uploads.read` does, `TooFewRows` below 768 rows, `DataError` where the
    channel does not move.
    """
    yield {"progress": 0.0}
    signal = uploads.read(name, data)
    column = signal.channels.index(channel) if channel in signal.channels else 0
    learn, test = _split(signal.values[:, column], signal.channels[column])
    return Recording(learn, test, signal.channels[column], signal.channels, signal.sample_rate, signal.notes)


def _split(values: NDArray[np.float64], channel: str) -> tuple[Array, Array]:
    """Windows of the first rows and of the last ones, which no window spans both of."""
    if len(values) < FEWEST_ROWS:
        raise TooFewRows(
            f"The recording has {len(values):,} rows, and windows of {LENGTH} to learn from and to test on need at "
            f"least {FEWEST_ROWS}; bring a longer one."
        )
    border = len(values) - max(LENGTH, len(values) // HELD_OUT)
    centre, spread = values[:border].mean(), values[:border].std()
    if not spread > 1e-9 * max(1.0, abs(centre)):
        raise DataError(f"{channel} does not move where it is learnt from; choose a channel with something in it.")
    scaled = (values - centre) / spread
    learn, test = scaled[:border], scaled[border:]
    return windows(learn, LENGTH, _hop(len(learn), LEARN)), windows(test, LENGTH, _hop(len(test), TEST))


def _hop(rows: int, most: int) -> int:
    """Smallest hop between windows that makes no more than ``most`` of them."""
    return max(1, -(-(rows - LENGTH + 1) // most))
