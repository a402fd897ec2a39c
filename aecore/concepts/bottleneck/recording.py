"""A visitor's own recording on the Bottleneck page: one channel, in windows to learn from and to test on."""

from collections.abc import Generator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.concepts.bottleneck.signals import LEARN, LENGTH, TEST, Array
from aecore.data.datasets.signals import windows
from aecore.data.readers import uploads
from aecore.errors import DataError, TooFewRows
from aecore.jobs import Held

# One row in this many, at the end of a recording, is held out.
HELD_OUT = 5
# Two windows of training rows and one of test rows.
FEWEST_ROWS = 3 * LENGTH


class ChannelWindows(NamedTuple):
    """A visitor's channel in windows, in standard deviations of its training rows."""

    learn: Array  # [N, L], from the first four fifths of the rows
    test: Array  # [M, L], from the last fifth
    channel: str
    channels: tuple[str, ...]
    sample_rate: float | None  # Hz
    notes: tuple[str, ...]

    def choose_row(self, seed: int) -> int:
        """Return the row of ``test`` that a seed puts on screen."""
        return int(np.random.default_rng(seed).integers(len(self.test)))


class Contents(NamedTuple):
    """What a visitor's file holds, told apart from its rows."""

    channels: tuple[str, ...]
    sample_rate: float | None  # Hz
    notes: tuple[str, ...]


def read(name: str, data: bytes) -> Generator[dict[str, float], None, Held]:
    """Read a visitor's file; a job's task. Returns its `Contents`, and holds its signal in the worker.

    Raises `UnreadableFile` and its kin as `uploads.read` does.
    """
    yield {"progress": 0.0}
    signal = uploads.read(name, data)
    return Held(Contents(signal.channels, signal.sample_rate, signal.notes), signal)


def cut_windows(signal: uploads.Signal, channel: str) -> Generator[dict[str, float], None, ChannelWindows]:
    """Cut one channel of a signal that was read into windows; a job's task.

    Raises `TooFewRows` below 768 rows, `DataError` where there is no such channel or it does not move.
    """
    yield {"progress": 0.0}
    if channel not in signal.channels:
        raise DataError(f"The file has no channel called {channel}; choose one of {', '.join(signal.channels[:5])}.")
    learn, test = _split(signal.values[:, signal.channels.index(channel)], channel)
    return ChannelWindows(learn, test, channel, signal.channels, signal.sample_rate, signal.notes)


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
