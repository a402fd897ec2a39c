"""The sensor page's work on data that stay in a worker: tables, signals and results there, small answers for the page.

A file is read once (`read_file`); what its columns mean may change (`read_columns`); a detector scores the signal
(`train_detector`, `apply_detector`); `prepare_result` gathers what everything that is shown rests on. Each leaves its
value where it runs and returns a summary. All others take such a value and return an answer whose size has a bound,
whatever the length of the file. What is drawn is thinned by `aecore.figures.sensor_drawing`.
"""

from collections.abc import Generator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore import export, store
from aecore.anomaly.events import counts
from aecore.anomaly.thresholds import Threshold
from aecore.concepts import sensor_anomalies as sensors
from aecore.concepts.sensor_anomalies import Analysis, Array, Progress, Tree
from aecore.concepts.sensor_anomalies import tables as sensor_tables
from aecore.data.readers.messages import clean_names
from aecore.data.readers.options import ReadOptions
from aecore.data.readers.uploads import ParsedFile, Signal
from aecore.errors import DataError, SettingError, TooFewRows
from aecore.jobs import Held

LOW, DEFAULT, HIGH, STEP = 1.0, 4.0, 10.0, 0.05  # standard deviations; a step moves the line by about a pixel
SIGMAS: Array = np.round(np.arange(LOW, HIGH + STEP / 2, STEP), 2)
DRAWN = 8  # channels; more do not fit a screen
LISTED = 1_000  # events of a table on the screen, the strongest; the file that is taken away has them all
MOST_BYTES = 200_000_000  # of a table that is taken away
BYTES_A_CELL = 12  # of a CSV file, about

Rule = tuple[str, float]  # an argument of `Analysis.threshold` and its value


class Profile(NamedTuple):
    """What the page knows of a signal."""

    rows: int
    channels: tuple[str, ...]
    notes: tuple[str, ...]
    sample_rate: float | None
    timed: bool  # whether rows have a time
    labelled: bool


class ScoredSignal(NamedTuple):
    """A detector's result on a signal, with all of the signal that is drawn, listed or compared."""

    analysis: Analysis  # without what it rebuilt
    joined: Array  # [T], scores whose runs above any threshold are its events
    signal: Signal  # the channels that are drawn, float32 [T, S]; time in milliseconds where it is dates
    rebuilt: Array  # [T, S]

    @property
    def clock(self) -> NDArray[Any]:
        """Time of every row [T], or its number."""
        return np.arange(len(self.joined)) if self.signal.time is None else self.signal.time

    def find_events(self, threshold: float) -> pd.DataFrame:
        """Return the events above a threshold, as `Analysis.events` does."""
        return self.analysis.events(threshold, missing=self.signal.missing)


class Overview(NamedTuple):
    """What the page knows of a result whatever the threshold."""

    levels: NDArray[np.float32]  # [K], the threshold at each of SIGMAS
    counts: NDArray[np.int64]  # [K], how many events pass each
    channels: tuple[str, ...]
    drawn: int  # how many of them are drawn
    notes: tuple[str, ...]  # of the detector, on the normal stretch
    choices: pd.DataFrame  # what the detector chose, and why
    map_points: NDArray[np.float32]  # [n, 2]
    map_rows: NDArray[np.int64]  # [n]
    map_scores: NDArray[np.float32]  # [n]


class Findings(NamedTuple):
    """What is found above one threshold.

    ``events`` lists at most LISTED of the ``total`` events, the strongest, in order of time; at each one's peak,
    ``excess`` [n, C] is how many times its usual error each channel shows. Where the rule that was asked for cannot be
    used, ``refusal`` says why, and the threshold is the default one.
    """

    threshold: Threshold
    refusal: str
    total: int
    summary: str
    events: pd.DataFrame
    peaks: NDArray[np.int64]  # [n], rows
    excess: NDArray[np.float32]


# ---------------------------------------------------------------------- from bytes to a result
def read_file(name: str, data: bytes, options: ReadOptions) -> Generator[Progress, None, Held]:
    """Read a file and keep its table; returns the names of its columns."""
    parsed = yield from sensors.parse_file(name, data, options)
    return Held(clean_names(parsed.names), parsed)


def read_columns(parsed: ParsedFile, options: ReadOptions) -> Generator[Progress, None, Held]:
    """Take a table's columns for what ``options`` say and keep the signal; returns its `Profile`."""
    signal = yield from sensors.interpret(parsed, options)
    return Held(describe(signal), signal)


def describe(signal: Signal) -> Profile:
    """Return what the page knows of a signal."""
    return Profile(
        len(signal.values), signal.channels, signal.notes, signal.sample_rate, signal.time is not None,
        signal.labels is not None,
    )  # fmt: skip


def train_detector(signal: Signal, normal: tuple[float, float]) -> Generator[Progress, None, Held]:
    """Train on the normal stretch (percent of the rows), score all rows and keep the result; returns the losses."""
    tree = yield from sensors.train(signal.values, signal.channels, signal.sample_rate, normal)
    return Held(tuple(tree["losses"]), tree)


def apply_detector(saved: bytes, signal: Signal) -> Generator[Progress, None, Held]:
    """Score all rows with a detector that was taken away before, and keep the result."""
    tree = yield from sensors.rescore(saved, signal.values, signal.channels)
    return Held((), tree)


def prepare_result(tree: Tree, signal: Signal) -> Generator[Progress, None, Held]:
    """Gather what is shown of a result, and keep it as a `ScoredSignal`; returns its `Overview`."""
    yield {"progress": 0.0}
    analysis = Analysis.from_tree(tree)
    joined = analysis.join_scores(missing=signal.missing)
    logs = analysis.log_scores
    levels = np.array([logs.threshold(float(sigmas)) for sigmas in SIGMAS], np.float32)  # as scores are
    # by the detector's own threshold: the channels that are drawn stay while another is tried
    drawn = _stand_out(analysis.channel_excess, analysis.scores > analysis.threshold().value)
    order = sensors.find_columns(signal.channels, analysis.channels)
    columns = [order[i] for i in drawn]
    time = signal.time
    if time is not None and np.issubdtype(time.dtype, np.datetime64):
        time = time.astype("datetime64[ms]")
    shown = signal._replace(
        values=signal.values[:, columns].astype(np.float32), channels=tuple(signal.channels[i] for i in columns),
        time=time,
    )  # fmt: skip
    rebuilt = analysis.rebuilt if len(drawn) == len(analysis.channels) else analysis.rebuilt[:, drawn]
    scored = ScoredSignal(analysis._replace(rebuilt=analysis.rebuilt[:0]), joined, shown, rebuilt)
    overview = Overview(
        levels, counts(joined, levels), analysis.channels, len(drawn), analysis.notes,
        sensor_tables.choice_table(analysis), analysis.map_points, analysis.map_rows,
        analysis.scores[analysis.map_rows],
    )  # fmt: skip
    return Held(overview, scored)


def _stand_out(channel_excess: Array, flagged: NDArray[np.bool_]) -> tuple[int, ...]:
    """Return up to DRAWN channels, in their own order: those furthest above normal while flagged (or at all)."""
    excess = channel_excess[flagged] if flagged.any() else channel_excess
    return tuple(sorted(int(i) for i in np.argsort(-excess.max(0), kind="stable")[:DRAWN]))


# ---------------------------------------------------------------------- answers
def detect(scored: ScoredSignal, rule: Rule) -> Generator[Progress, None, Findings]:
    """Set the threshold by a rule and find the events above it."""
    yield {"progress": 0.0}
    analysis, refusal = scored.analysis, ""
    name, value = rule
    try:
        threshold = analysis.threshold(**{name: value})
    except (SettingError, TooFewRows) as error:
        threshold, refusal = analysis.threshold(sigmas=DEFAULT), str(error)
    found, clock = scored.find_events(threshold.value), scored.clock
    summary = sensor_tables.summary(found, threshold.value, clock)
    listed = found
    if len(found) > LISTED:
        listed = found.loc[found["severity"].nlargest(LISTED).index].sort_index().reset_index(drop=True)
    spans = zip(listed["start"], listed["end"], strict=True)
    peaks = np.array([first + int(np.argmax(analysis.scores[first : last + 1])) for first, last in spans], np.int64)
    return Findings(
        threshold, refusal, len(found), summary, sensor_tables.event_table(listed, clock), peaks,
        analysis.channel_excess[peaks],
    )  # fmt: skip


def compare_labels(scored: ScoredSignal, threshold: float) -> Generator[Progress, None, dict[str, str]]:
    """Return how scores and events compare with the labels, by name; empty where there is nothing to compare."""
    yield {"progress": 0.0}
    return sensor_tables.measures(scored.signal, scored.analysis, threshold)


def find_smallest_faults(signal: Signal, normal: tuple[int, int]) -> Generator[Progress, None, Tree]:
    """Find the smallest fault of each kind that a detector trained on rows ``normal`` (first, last + 1) would catch."""
    return (yield from sensors.self_test(signal.values[slice(*normal)], signal.channels, signal.sample_rate))


# ---------------------------------------------------------------------- files to take away
def write_events(scored: ScoredSignal, threshold: float) -> Generator[Progress, None, bytes]:
    """Write all events above a threshold as CSV."""
    yield {"progress": 0.0}
    return _check_size(export.csv(sensor_tables.event_table(scored.find_events(threshold), scored.clock)))


def write_scores(scored: ScoredSignal, threshold: float, kind: str) -> Generator[Progress, None, bytes]:
    """Write a line a row of the signal, as "csv" or "parquet"; see `sensor_tables.score_table`.

    Raises DataError for a file that would be too large to pass through the server.
    """
    yield {"progress": 0.0}
    analysis = scored.analysis
    if kind == "csv" and BYTES_A_CELL * len(analysis.scores) * (len(analysis.channels) + 3) > MOST_BYTES:
        raise _too_large("Take the Parquet file, or score the log with aecore score.")
    table = sensor_tables.score_table(analysis, scored.clock, threshold, missing=scored.signal.missing)
    return _check_size(export.csv(table) if kind == "csv" else export.parquet(table))


def write_detector(scored: ScoredSignal) -> Generator[Progress, None, bytes]:
    """Write the detector for `AnomalyDetector.load`."""
    yield {"progress": 0.0}
    return store.dumps(scored.analysis.detector)


def write_onnx(scored: ScoredSignal) -> Generator[Progress, None, bytes]:
    """Export the detector as ONNX, raw rows in and scores out."""
    return (yield from sensors.to_onnx(scored.analysis.detector))


def _check_size(data: bytes) -> bytes:
    if len(data) > MOST_BYTES:
        raise _too_large("Score the log with aecore score.")
    return data


def _too_large(way_out: str) -> DataError:
    return DataError(f"The table takes more than the {MOST_BYTES / 1e6:.0f} MB that are handed out here. {way_out}")
