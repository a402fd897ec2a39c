"""What the detector reads off the normal rows before it trains, and why: window, network, code size, smoothing."""

from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from aecore.anomaly.network import FitRecipe

Array = NDArray[np.floating[Any]]
Value = TypeVar("Value", int, float)

DEFAULT_WINDOW = 20  # rows; several channels without a period check one another, so little history is enough
WINDOW_RANGE = (8, 128)  # rows, of several channels: shorter sees no shape, longer costs more than it finds
LONE_WINDOW_RANGE = (96, 256)  # rows, of one channel: its own history is all that it can be checked against
LONE_PERIODS = 2  # with one period in a window, a beat that comes early or late still looks like a beat
LARGEST_INPUT = 1024  # values in a window over all channels; bounds the eigenvalue problem and the network
LARGEST_CODE = 128  # numbers; bounds the network where no structure is found
LARGEST_DENOISING_CODE = 32  # numbers; what is left of noise, a wider code would carry through
PERIOD_CORRELATION = 0.5  # an autocorrelation peak below this is no period
NEARLY = 0.9  # of the highest peak: the first that reaches this is the period, not a multiple
PERIOD_ROWS = 16_384  # enough rows to find a period
# Rows that a score averages: a lone noisy row should not raise an alarm, a fault of a minute at 1 Hz should.
AVERAGED_ROWS = 64
# Windows that cover a row, where the window is long: more of them cost in proportion and give the same scores.
WINDOWS_A_ROW = 40
LONE_WINDOWS_A_ROW = 24  # of one channel, whose network is the larger: fewer still tell the same
LONGEST_STEP = 6  # rows; a fault of a few rows must not fall between two windows
LEAST_NOISE = 0.5  # standard deviations; below, a wide code learns to copy, and copies faults too
LINEAR_NOISE = 0.4  # standard deviations; makes the choice of code size matter less
OWN_ROW_SHARE = 0.2  # weight of a row's own error beside its windows', where nothing repeats
HIDDEN = 64  # units of the non-linear correction
KEPT_BY_LINEAR = 0.9  # share of the variance that the code keeps: more, and it passes faults on too
KEPT_BY_DENOISING = 0.99  # training takes the noise out, so the code need not


class Choice(NamedTuple, Generic[Value]):
    """One decision that was read off the data."""

    value: Value
    reason: str


class Period(NamedTuple):
    """The first strong peak of the mean autocorrelation; ``lag`` in rows, None without any peak."""

    lag: int | None
    correlation: float


def find_period(x: Array) -> Period:
    """Look for a repetition in ``x`` [T, C], in its first 16,384 rows."""
    x = x[:PERIOD_ROWS]
    n = len(x)
    spectrum = np.abs(np.fft.rfft(x - x.mean(0), 2 * n, axis=0)) ** 2
    correlation = np.fft.irfft(spectrum.sum(1))[: n // 2]
    if n < 8 or correlation[0] <= 0:
        return Period(None, 0.0)
    correlation = correlation / correlation[0] * n / (n - np.arange(len(correlation)))  # unbiased
    below = np.flatnonzero(correlation < 0)
    if not len(below) or correlation[below[0] :].max() <= 0:
        return Period(None, 0.0)
    tail = correlation[below[0] :]
    high = np.flatnonzero(tail >= NEARLY * tail.max())  # every multiple of a period correlates about as well
    first = high[: int(np.argmax(np.diff(high, append=len(tail) + 2) > 1)) + 1]  # lags around the first such peak
    lag = int(below[0] + first[np.argmax(tail[first])])
    return Period(lag, float(min(1.0, correlation[lag])))


def dominant_period(x: Array) -> int | None:
    """Rows after which ``x`` [T, C] repeats; None where it does not."""
    period = find_period(x)
    return period.lag if period.correlation >= PERIOD_CORRELATION else None


def choose_window(x: Array, *, asked: int | None) -> Choice[int]:
    """Rows in a window for standardised normal rows ``x`` [T, C]."""
    rows, channels = x.shape
    # one channel needs long windows even of a short stretch; of several, each window already holds more to learn from
    longest = max(4, min(rows // (4 if channels == 1 else 10), LARGEST_INPUT // channels))
    if asked is not None:
        return Choice(
            min(asked, longest), "as asked" if asked <= longest else f"asked for {asked}, the data allow this"
        )
    wanted, reason = _wanted_window(dominant_period(x), lone=channels == 1)
    if wanted > longest:
        return Choice(longest, f"{reason}; shortened to what {rows} normal rows of {channels} channels allow")
    return Choice(wanted, reason)


def _wanted_window(period: int | None, *, lone: bool) -> tuple[int, str]:
    if lone:
        wanted = int(np.clip(LONE_PERIODS * (period or 0), *LONE_WINDOW_RANGE))
        if not period:
            return wanted, "one channel without a period is judged by a long stretch of its own history"
        return wanted, f"one channel that repeats every {period} rows is judged by about two periods"
    if not period:
        return DEFAULT_WINDOW, "no period found, and several channels check one another within a short window"
    return int(np.clip(period, *WINDOW_RANGE)), f"the signal repeats every {period} rows"


def choose_hidden(channels: int) -> Choice[int]:
    """Units of the network's non-linear correction."""
    if channels == 1:
        return Choice(HIDDEN, "one channel's shapes lie on a curved surface, which a linear network cannot follow")
    return Choice(0, "several channels hold one another linearly; more freedom would fit the noise of a short stretch")


def choose_noise(period: Period, *, hidden: int) -> Choice[float]:
    """Noise that the network learns to remove, in standard deviations of the signal."""
    if not hidden:
        return Choice(LINEAR_NOISE, "training removes noise, so that directions of little variance count for less")
    unexplained = round(float(np.sqrt(1 - max(period.correlation, 0.0))), 2)
    if unexplained <= LEAST_NOISE:
        return Choice(LEAST_NOISE, "training removes noise, so that the network learns shapes and not copying")
    return Choice(unexplained, "training removes as much noise as the signal does not repeat of itself")


def choose_own_row(period: Period, *, hidden: int) -> Choice[float]:
    """Weight of a row's own error beside the mean error of the windows that cover it."""
    if not hidden:
        return Choice(0.0, "several channels at once tell without it")
    if period.correlation >= PERIOD_CORRELATION:
        return Choice(0.0, "the signal repeats, and a fault breaks the whole shape around it")
    share = round(OWN_ROW_SHARE * (1 - max(period.correlation, 0.0)), 3)
    return Choice(share, "where nothing repeats, a lone row may be the fault: no shape around it is broken")


def choose_latent_dim(eigenvalues: Array, *, asked: int | None, hidden: int = 0) -> Choice[int]:
    """Return the latent size, from the eigenvalues of the windows' covariance in falling order."""
    keep, limit = (KEPT_BY_DENOISING, LARGEST_DENOISING_CODE) if hidden else (KEPT_BY_LINEAR, LARGEST_CODE)
    largest = max(1, min(len(eigenvalues) - 1, limit))
    if asked is not None:
        return Choice(
            min(asked, largest), "as asked" if asked <= largest else f"asked for {asked}, the window allows this"
        )
    share = np.cumsum(eigenvalues) / np.sum(eigenvalues)
    size = min(int(np.searchsorted(share, keep) + 1), largest)
    return Choice(size, f"keeps {100 * share[size - 1]:.0f} % of the variance of normal windows")


def choose_smoothing(rows: int, window: int, *, channels: int) -> Choice[int]:
    """Rows over which scores are averaged, an odd number."""
    usual = max(1, AVERAGED_ROWS - window) | 1
    if channels == 1 or usual == 1:
        return Choice(1, "the windows are long enough to average by themselves")
    return Choice(min(usual, max(1, rows // 8) | 1), f"with the window, a score looks at about {AVERAGED_ROWS} rows")


def choose_step(window: int, *, lone: bool) -> Choice[int]:
    """Rows from one window to the next where a signal is scored."""
    step = max(1, min(window // (LONE_WINDOWS_A_ROW if lone else WINDOWS_A_ROW), LONGEST_STEP))
    if step == 1:
        return Choice(1, "every window of the signal is looked at")
    return Choice(step, f"each row is judged by about {window // step} windows; more would tell the same")


def choose(x: Array, eigenvalues: Array, *, asked: int | None) -> dict[str, Choice[Any]]:
    """Everything but the window, from standardised normal rows [T, C] and their windows' covariance."""
    rows, channels = x.shape
    hidden = choose_hidden(channels)
    period = find_period(x)
    window = len(eigenvalues) // channels
    return {
        "latent_dim": choose_latent_dim(eigenvalues, asked=asked, hidden=hidden.value),
        "hidden": hidden,
        "noise": choose_noise(period, hidden=hidden.value),
        "own_row": choose_own_row(period, hidden=hidden.value),
        "smoothing": choose_smoothing(rows, window, channels=channels),
        "step": choose_step(window, lone=channels == 1),
    }


def recipe_of(choices: dict[str, Choice[Any]]) -> FitRecipe:
    """How to build and train the network that was chosen."""
    hidden = int(choices["hidden"].value)
    return FitRecipe(
        latent_dim=int(choices["latent_dim"].value), hidden=hidden, noise=float(choices["noise"].value),
        absolute=not hidden, epochs=6 if hidden else 3, batch=128 if hidden else 64,
    )  # fmt: skip
