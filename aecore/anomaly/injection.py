"""The self-test: the smallest fault of each kind that a detector would catch in this very signal.

The first part of the normal rows trains a detector; into the rest, which neither its training nor its threshold has
seen, faults of growing size are put at many positions, one at a time.
"""

import re
from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore.anomaly.detector import AnomalyDetector
from aecore.anomaly.faults import FAULTS, Kind, say, sizes
from aecore.anomaly.hyperparameters import dominant_period
from aecore.anomaly.streaming import reach
from aecore.errors import SettingError, TooFewRows
from aecore.numerics.progress import finish

Array = NDArray[np.floating[Any]]

FIT_SHARE = 0.7  # of the normal rows
POSITIONS = 24
CAUGHT = 0.9  # share of the positions at which a size must be caught
MIN_ROWS = 160  # then 48 are held out: half of them for the longest fault, half for the positions
MAX_ROWS = 50_000  # the last so many normal rows; more take longer and tell the same
MAX_CHANNELS = 8  # tested unless others are named; each costs about as much as the last
FALSE_ALARMS = 0.01  # share of flagged normal rows from which the result carries a note


class Finding(NamedTuple):
    """The smallest fault of one kind that is caught in one channel."""

    channel: str
    kind: Kind
    size: float | None  # in ``unit``; None where not even the largest was caught
    unit: str  # the channel's, "rows" or "s" (how long it lasts), or "%" (of its frequency)
    rows: int  # how long it lasts
    seconds: float | None
    caught: float  # share of the positions, at ``size`` or at the largest
    sentence: str


class SelfTest(NamedTuple):
    """What was caught, and on what grounds."""

    findings: tuple[Finding, ...]
    positions: int
    fitted_rows: int
    held_out_rows: int
    false_alarm_rate: float  # share of held-out normal rows flagged without a fault
    threshold: float
    notes: tuple[str, ...]

    def table(self) -> pd.DataFrame:
        """One line a channel and kind."""
        return pd.DataFrame(self.findings, columns=list(Finding._fields))


class SelfTestProgress(NamedTuple):
    """Where a self-test stands."""

    part: str
    progress: float


def self_test(detector: AnomalyDetector, normal: Array | pd.DataFrame, **options: Any) -> SelfTest:
    """Do the work of :func:`self_testing` in one go."""
    steps = self_testing(detector, normal, **options)
    return finish(steps)


def self_testing(
    detector: AnomalyDetector,
    normal: Array | pd.DataFrame,
    *,
    threshold: Callable[[AnomalyDetector], float] | None = None,
    channels: Sequence[str] | None = None,
    positions: int = POSITIONS,
    seed: int = 0,
) -> Generator[SelfTestProgress, None, SelfTest]:
    """Find the smallest fault of each kind that is caught at 90 % of the positions; to cancel, stop iterating.

    Parameters
    ----------
    detector : carries the settings to test; it is fitted here, to the first 70 % of the normal rows.
    normal : normal rows [T, C], in time order, at least 160.
    threshold : reads the threshold off the fitted detector; None takes its own.
    channels : names to test; None takes the first eight that are not constant.
    positions : how many places each fault is put at, 20 or more.
    seed : of the noise that is put in.

    Returns
    -------
    SelfTest
        A fault is caught at a position if, while it lasts, it raises a row's score above the threshold that was
        below without it.

    Raises
    ------
    TooFewRows, SettingError, DataError
        For too few rows, unknown channels or too few positions, and rows that no detector takes.
    """
    if positions < 20:
        raise SettingError(f"positions must be at least 20 to speak of 90 % of them, got {positions}")
    rows = normal[-MAX_ROWS:]
    if len(rows) < max(MIN_ROWS, round(2 * positions / (1 - FIT_SHARE))):
        raise TooFewRows(
            f"{len(rows)} normal rows are too few for a self-test at {positions} positions; it needs at least "
            f"{max(MIN_ROWS, round(2 * positions / (1 - FIT_SHARE)))}, so take a longer normal stretch."
        )
    fitted = int(FIT_SHARE * len(rows))
    for report in detector.fitting(rows[:fitted]):
        yield SelfTestProgress("Training on the first part of the normal rows", 0.3 * report.progress)
    limit = detector.threshold_ if threshold is None else threshold(detector)
    bench = _Bench(detector, np.asarray(rows, dtype=np.float64).reshape(len(rows), -1), fitted, limit, positions, seed)
    names, left_out = _chosen(detector, channels)
    findings: list[Finding] = []
    for done, (channel, kind) in enumerate((c, k) for c in names for k in FAULTS):
        yield SelfTestProgress(f"Testing {channel}", 0.3 + 0.7 * done / (len(names) * len(FAULTS)))
        finding = bench.smallest(channel, kind)
        findings += [finding] if finding else []
    notes = _notes(bench.false_alarm_rate, left_out)
    return SelfTest(tuple(findings), positions, fitted, len(rows) - fitted, bench.false_alarm_rate, limit, notes)


class _Bench:
    """Normal rows with places for faults, and a fitted detector to look at them."""

    def __init__(
        self, detector: AnomalyDetector, x: Array, start: int, threshold: float, positions: int, seed: int
    ) -> None:
        self.detector, self.threshold = detector, threshold
        self.reach = reach(detector)  # rows before and after that a score sees
        held_out = len(x) - start
        self.span = max(2, min(2 * max(detector.window_, detector.smoothing_.value), held_out // 4))
        self.longest = min(4 * self.span, held_out // 2)
        self.x = x
        # mirrored beyond the ends, so that every position has its surroundings
        self.padded = np.pad(x, ((self.reach, self.reach), (0, 0)), mode="reflect")
        self.positions = np.linspace(start, len(x) - self.longest, positions).astype(int)
        self.noise = np.random.default_rng(seed).standard_normal((positions, self.longest + 2 * self.reach))
        self.signs = np.resize([1.0, -1.0], positions)[:, None]
        clean = detector.decision_function(x[start:]) > threshold
        self.false_alarm_rate = float(clean.mean())
        self._clean: dict[int, NDArray[np.bool_]] = {}

    def smallest(self, channel: str, kind: Kind) -> Finding | None:
        """Bisect the sizes; None where the kind means nothing in this channel."""
        index = self.detector.channels_.index(channel)
        if kind == "frequency" and dominant_period(self.x[:, index : index + 1]) is None:
            return None
        measure = FAULTS[kind].measure
        grid = sizes(measure, scale=float(self.x[:, index].std()), longest=self.longest)
        shares = {len(grid) - 1: self._caught(index, kind, grid[-1])}
        low, high = -1, len(grid) - 1  # below low nothing is caught, at high it is
        while shares[len(grid) - 1] >= CAUGHT and high - low > 1:
            middle = (low + high) // 2
            shares[middle] = self._caught(index, kind, grid[middle])
            low, high = (low, middle) if shares[middle] >= CAUGHT else (middle, high)
        return self._finding(channel, kind, grid, high, shares[high])

    def _rows(self, kind: Kind, size: float) -> int:
        if kind == "spike":
            return 1
        return round(size) if FAULTS[kind].measure == "time" else self.span

    def _segments(self, rows: int) -> Array:
        """Surroundings of every position for a fault of so many rows, a copy [P, L, C]."""
        places = self.positions[:, None] + np.arange(rows + 2 * self.reach)  # the padding has moved them by reach
        return self.padded[places]

    def _flags(self, segments: Array, rows: int) -> NDArray[np.bool_]:
        """Flag rows [P, rows] while the fault lasts; segments are scored end to end, with the cuts out of reach."""
        count, length, channels = segments.shape
        scores = self.detector.decision_function(segments.reshape(-1, channels)).reshape(count, length)
        flags: NDArray[np.bool_] = scores[:, self.reach : self.reach + rows] > self.threshold
        return flags

    def _caught(self, index: int, kind: Kind, size: float) -> float:
        rows = self._rows(kind, size)
        segments = self._segments(rows)
        if rows not in self._clean:
            self._clean[rows] = self._flags(segments, rows)
        FAULTS[kind].apply(segments[:, :, index], self.reach, rows, size * self.signs, self.noise)
        return float((self._flags(segments, rows) & ~self._clean[rows]).any(1).mean())

    def _finding(self, channel: str, kind: Kind, grid: list[float], at: int, caught: float) -> Finding:
        size, rows, rate = grid[at], self._rows(kind, grid[at]), self.detector.sample_rate
        fault, unit = FAULTS[kind], _unit(channel)
        words = say(kind, size, rows, unit=unit, sample_rate=rate)
        found = caught >= CAUGHT
        if not found:
            sentence = f"{channel}: not even {words} is caught."
        elif at == 0:
            sentence = f"{channel}: {words}, the smallest tried, is caught."
        else:
            sentence = f"{channel}: {words} is caught; {fault.lesser} ones are not."
        shown, name = size, unit
        if fault.measure == "share":
            shown, name = 100 * size, "%"
        elif fault.measure == "time":
            shown, name = (size, "rows") if rate is None else (size / rate, "s")
        seconds = None if rate is None else rows / rate
        return Finding(channel, kind, shown if found else None, name, rows, seconds, caught, sentence)


def _chosen(detector: AnomalyDetector, channels: Sequence[str] | None) -> tuple[list[str], int]:
    """Names to test and how many more there would be."""
    able = [name for name, active in zip(detector.channels_, detector.active_, strict=True) if active]
    if channels is None:
        return able[:MAX_CHANNELS], max(0, len(able) - MAX_CHANNELS)
    if unknown := [name for name in channels if name not in able]:
        raise SettingError(f"channels to test must be among {', '.join(able[:8])}, got {', '.join(unknown[:4])}")
    return list(channels), 0


def _notes(false_alarm_rate: float, left_out: int) -> tuple[str, ...]:
    notes = []
    if false_alarm_rate > FALSE_ALARMS:
        notes.append(
            f"{100 * false_alarm_rate:.1f} % of the held-out normal rows are flagged without any fault: the threshold "
            "is low for them, or the end of the normal stretch differs from its start."
        )
    if left_out:
        notes.append(f"{left_out} more channels were not tested.")
    return tuple(notes)


def _unit(channel: str) -> str:
    """Read ``A`` off ``ia [A]`` or ``ia (A)``; empty where a name carries no unit."""
    found = re.search(r"[\[(]([^\])]{1,12})[\])]\s*$", channel)
    return found.group(1) if found else ""
