"""What the detector reads off the normal rows before it trains: window, code size, smoothing; with the reasons."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

DEFAULT_WINDOW = 20  # rows; where the signal has no period of its own
WINDOW_RANGE = (8, 128)  # rows; shorter sees no shape, longer costs more than it finds
LARGEST_INPUT = 1024  # values in a window over all channels; bounds the eigenvalue problem and the network
EXPLAINED_VARIANCE = 0.9  # share that the code must keep: more, and the code learns to repeat faults too
PERIOD_CORRELATION = 0.5  # an autocorrelation peak below this is no period
NEARLY = 0.9  # of the highest peak: the first that reaches this is the period, not a multiple
PERIOD_ROWS = 16_384  # enough rows to find a period


class Choice(NamedTuple):
    """One decision that was read off the data."""

    value: int
    reason: str


def dominant_period(x: Array) -> int | None:
    """Find the first strong peak of the mean autocorrelation of ``x`` [T, C], in rows; None without one."""
    x = x[:PERIOD_ROWS]
    n = len(x)
    spectrum = np.abs(np.fft.rfft(x - x.mean(0), 2 * n, axis=0)) ** 2
    correlation = np.fft.irfft(spectrum.sum(1))[: n // 2]
    if n < 8 or correlation[0] <= 0:
        return None
    correlation = correlation / correlation[0] * n / (n - np.arange(len(correlation)))  # unbiased
    below = np.flatnonzero(correlation < 0)
    if not len(below):
        return None
    tail = correlation[below[0] :]
    high = np.flatnonzero(tail >= NEARLY * tail.max())  # every multiple of a period correlates about as well
    first = high[: int(np.argmax(np.diff(high, append=len(tail) + 2) > 1)) + 1]  # lags around the first such peak
    lag = int(below[0] + first[np.argmax(tail[first])])
    return lag if correlation[lag] >= PERIOD_CORRELATION else None


def choose_window(x: Array, *, asked: int | None) -> Choice:
    """Rows in a window for standardised normal rows ``x`` [T, C]."""
    rows, channels = x.shape
    longest = max(4, min(rows // 10, LARGEST_INPUT // channels))
    if asked is not None:
        return Choice(
            min(asked, longest), "as asked" if asked <= longest else f"asked for {asked}, the data allow this"
        )
    period = dominant_period(x)
    wanted = int(np.clip(period, *WINDOW_RANGE)) if period else DEFAULT_WINDOW
    reason = f"the signal repeats every {period} rows" if period else "no period found, so the usual length"
    if wanted > longest:
        return Choice(longest, f"{reason}; shortened to what {rows} normal rows of {channels} channels allow")
    return Choice(wanted, reason)


def choose_latent_dim(eigenvalues: Array, *, asked: int | None) -> Choice:
    """Numbers in the code, from the eigenvalues of the windows' covariance in falling order."""
    largest = max(1, len(eigenvalues) - 1)
    if asked is not None:
        return Choice(
            min(asked, largest), "as asked" if asked <= largest else f"asked for {asked}, the window allows this"
        )
    share = np.cumsum(eigenvalues) / np.sum(eigenvalues)
    needed = int(np.searchsorted(share, EXPLAINED_VARIANCE) + 1)
    size = min(needed, largest)
    return Choice(size, f"keeps {100 * share[size - 1]:.0f} % of the variance of normal windows")


def choose_smoothing(rows: int) -> Choice:
    """Rows over which scores are averaged."""
    usual = 61  # a lone noisy row should not raise an alarm, a fault of a minute at 1 Hz should
    return Choice(min(usual, max(1, rows // 8) | 1), "centred moving average of the row errors")
