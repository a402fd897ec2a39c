"""Sensor anomalies: a simulation or a visitor's file, a normal stretch, a detector, its scores and events."""

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore import store
from aecore.anomaly import DEFAULT_SIGMAS, find_events
from aecore.anomaly.events import close_dips, runs
from aecore.anomaly.thresholds import LogScores, Threshold, by_quantile, false_alarms_per_hour, peaks_over_threshold
from aecore.concepts.sensor_anomalies.samples import SensorSample
from aecore.data.readers import uploads
from aecore.data.readers.messages import clean_names, list_names, one_line
from aecore.data.readers.options import ReadOptions
from aecore.data.readers.uploads import ParsedFile, Signal
from aecore.data.tables import gaps
from aecore.errors import DataError, SettingError
from aecore.numerics.pca import Principal
from aecore.numerics.progress import relay

if TYPE_CHECKING:
    from aecore.anomaly import AnomalyDetector

Array = NDArray[np.floating[Any]]
Tree = dict[str, Any]
Progress = dict[str, Any]

# Points of the map of windows.
MAP_WINDOWS = 1500
# Normal stretch in percent of the rows.
DEFAULT_NORMAL = (0.0, 30.0)


class Analysis(NamedTuple):
    """Results of a trained detector on a whole signal, row for row."""

    scores: NDArray[np.float32]  # [T]
    channel_excess: NDArray[np.float32]  # [T, C], times the usual normal error
    normal_scores: NDArray[np.float32]  # held-out scores of the normal rows
    channels: tuple[str, ...]
    window: int
    choices: dict[str, tuple[int, str]]
    losses: tuple[float, ...]  # of the detector's own training, one an epoch
    rebuilt: NDArray[np.float32]  # [T, C], in the signal's units
    map_points: NDArray[np.float32]  # [n, 2], windows in the first two principal directions of their codes
    map_rows: NDArray[np.int64]  # [n], the row in each such window's middle
    notes: tuple[str, ...]  # what the detector has to say of the normal stretch
    detector: Tree

    def threshold(
        self, *, sigmas: float | None = None, alarms_per_hour: float | None = None, risk: float | None = None
    ) -> Threshold:
        """Score above which a row is flagged, by one of three rules, and what it rests on."""
        if risk is not None:
            return peaks_over_threshold(self.normal_scores, risk)
        if alarms_per_hour is not None:
            rate = self.detector["asked"]["sample_rate"]
            if rate is None:
                raise SettingError("Alarms an hour need to know how many rows a second there are; give a rate in Hz.")
            return false_alarms_per_hour(self.normal_scores, alarms_per_hour, sample_rate=rate, gap=self.window)
        return by_quantile(self.normal_scores, DEFAULT_SIGMAS if sigmas is None else sigmas, memory=self._memory)

    @property
    def log_scores(self) -> LogScores:
        """What a threshold in standard deviations rests on."""
        return LogScores.of(self.normal_scores, self._memory)

    @property
    def _memory(self) -> int:
        return int(self.window + self.choices["smoothing"][0] - 1)  # rows that a score averages over

    def find_trusted(self, missing: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Rows [T] whose score rests on what was measured, given which were filled in.

        That excludes these, and every row with a window that reaches into a gap of half a window or more: a straight
        line that long looks like no signal, and would raise an alarm on both of its sides.
        """
        reach = self.window - 1 + self.choices["smoothing"][0] // 2
        rows = ~missing
        for first, last in runs(missing):
            if 2 * (last - first + 1) >= self.window:
                rows[max(0, first - reach) : last + 1 + reach] = False
        return rows

    def events(self, threshold: float, *, missing: NDArray[np.bool_] | None = None) -> pd.DataFrame:
        """Events in row numbers: start, end (inclusive), peak_score, severity, leading_channel.

        Rows that are not ``find_trusted`` where some are ``missing`` [T] (filled in, not measured) are in no event.
        """
        scores = self._mask_scores(missing)
        return find_events(scores, self.channel_excess, threshold, channels=self.channels, merge_gap=self.window)

    def join_scores(self, *, missing: NDArray[np.bool_] | None = None) -> Array:
        """Scores [T] whose runs above any threshold are its ``events``: short dips between two are filled up."""
        return close_dips(self._mask_scores(missing), self.window)

    def _mask_scores(self, missing: NDArray[np.bool_] | None) -> Array:
        return self.scores if missing is None else np.where(self.find_trusted(missing), self.scores, np.float32(0))

    @classmethod
    def from_tree(cls, tree: Tree) -> "Analysis":
        """Read what the training jobs return."""
        detector = tree["detector"]
        choices = {name: (value, reason) for name, (value, reason) in detector["choices"].items()}
        return cls(
            tree["scores"], tree["channel_excess"], detector["decision_scores"], clean_names(detector["channels"]),
            choices["window"][0], choices, tuple(tree["losses"]),
            tree["rebuilt"], tree["map_points"], tree["map_rows"], tuple(tree["notes"]), detector,
        )  # fmt: skip


def normal_rows(length: int, normal: tuple[float, float]) -> tuple[int, int]:
    """First row and the row after the last of a normal stretch given in percent of the file."""
    low, high = normal
    if not 0 <= low < high <= 100:
        raise SettingError(
            f"The normal stretch must run upwards within 0 to 100 %, got {low:g} to {high:g}; make it longer."
        )
    return round(length * low / 100), round(length * high / 100)


# ---------------------------------------------------------------------- jobs
def parse(name: str, data: bytes, options: ReadOptions | None = None) -> Generator[Progress, None, Signal]:
    """Read a visitor's file, sniffing what ``options`` leave open, and resample it to even steps in time."""
    parsed = yield from parse_file(name, data, options)
    return (yield from interpret(parsed, options))


def parse_file(name: str, data: bytes, options: ReadOptions | None = None) -> Generator[Progress, None, ParsedFile]:
    """Read the bytes of a visitor's file, once; of ``options``, only those of `ReadOptions.of_text` matter."""
    yield {"progress": 0.0}
    return uploads.parse(name, data, options)


def interpret(parsed: ParsedFile, options: ReadOptions | None = None) -> Generator[Progress, None, Signal]:
    """Say what the columns of a parsed file are, and bring them to even steps in time; the file is not read again."""
    yield {"progress": 0.7}
    signal = uploads.interpret(parsed, options)
    yield {"progress": 0.9}
    return gaps.regular(signal).signal


def train_sample(sample: SensorSample, normal: tuple[float, float]) -> Generator[Progress, None, Tree]:
    """Train on the sample's normal stretch and score all of it."""
    signal = sample.signal()
    return (yield from train(signal.values, signal.channels, signal.sample_rate, normal))


def train(
    values: Array, channels: tuple[str, ...], sample_rate: float | None, normal: tuple[float, float]
) -> Generator[Progress, None, Tree]:
    """Train a detector on the normal stretch (percent of the rows) and score every row of ``values`` [T, C]."""
    first, last = normal_rows(len(values), normal)
    detector, losses = yield from fit_detector(values[first:last], channels, sample_rate)
    return analyse(detector, values) | {"losses": losses}


def rescore(saved: bytes, values: Array, channels: tuple[str, ...]) -> Generator[Progress, None, Tree]:
    """Score ``values`` [T, C] with a detector that was taken away before; no training."""
    from aecore.anomaly.detector import AnomalyDetector

    yield {"progress": 0.0}
    detector = AnomalyDetector.from_tree(store.loads(saved))
    return analyse(detector, arrange_columns(values, channels, detector.channels_)) | {"losses": []}


def analyse(detector: "AnomalyDetector", values: Array) -> Tree:
    """Analyse a signal [T, C] with a trained detector; return the tree of an `Analysis`."""
    scores, channel_excess = score_channels(detector, values)
    starts = np.unique(np.linspace(0, len(values) - detector.window_, MAP_WINDOWS).astype(np.int64))
    codes = detector.codes(values, starts)  # [n, latent_dim]
    points = Principal.fit(codes, 2).encode(codes)  # a code of one number has no second direction
    return {
        "scores": scores, "channel_excess": channel_excess, "rebuilt": detector.reconstruct(values),
        "map_points": points, "map_rows": starts + detector.window_ // 2,
        "notes": list(detector.notes_), "detector": detector.to_tree(),
    }  # fmt: skip


def fit_detector(
    normal: Array, channels: tuple[str, ...], sample_rate: float | None
) -> Generator[Progress, None, tuple["AnomalyDetector", list[float]]]:
    """Train a detector on normal rows [T, C]; returns it and its loss after every epoch."""
    from aecore.anomaly.detector import FOLDS, AnomalyDetector  # torch: seconds on the way to a page, none in a worker

    detector = AnomalyDetector(sample_rate=sample_rate)
    losses: list[float] = []
    for report in detector.fitting(pd.DataFrame(normal, columns=list(channels))):
        if report.epoch == 0:
            yield {"progress": report.progress, "part": "Looking at the normal rows"}
            continue
        if report.part == 0:
            losses.append(report.loss)
        part = f"Calibrating the threshold, part {report.part} of {FOLDS}" if report.part else "Training the detector"
        yield report._asdict() | {"part": part}
    return detector, losses


def score_channels(detector: "AnomalyDetector", values: Array) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the score of every row [T], and each channel's error in multiples of its usual normal error [T, C]."""
    channel_scores = detector.channel_scores(values)
    return detector.row_scores(channel_scores), detector.channel_excess(channel_scores)


def self_test(normal: Array, channels: tuple[str, ...], sample_rate: float | None) -> Generator[Progress, None, Tree]:
    """Find the smallest fault of each kind that a detector trained on these normal rows [T, C] would catch."""
    from aecore.anomaly.detector import AnomalyDetector
    from aecore.anomaly.injection import self_testing

    steps = self_testing(AnomalyDetector(sample_rate=sample_rate), pd.DataFrame(normal, columns=list(channels)))
    result = yield from relay(steps, lambda step: step._asdict())
    return {"table": result.table(), "notes": list(result.notes)}


def to_onnx(detector: Tree) -> Generator[Progress, None, bytes]:
    """Export a detector's tree as ONNX, raw rows in and scores out."""
    from aecore.anomaly import onnx_export
    from aecore.anomaly.detector import AnomalyDetector

    yield {"progress": 0.0}
    return onnx_export.dumps(AnomalyDetector.from_tree(detector))


def arrange_columns(values: Array, channels: Sequence[str], wanted: Sequence[str]) -> Array:
    """Columns of ``values`` [T, C] as a detector learnt them: by name, or in order where all are called otherwise.

    Raises DataError where neither fits.
    """
    order = find_columns(channels, wanted)
    return values if order == list(range(values.shape[1])) else values[:, order]


def find_columns(channels: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Return which of the channels are the ones that a detector learnt; as `arranged` does."""
    if set(wanted) <= set(channels):
        return [list(channels).index(name) for name in wanted]
    if len(channels) == len(wanted) and not set(wanted) & set(channels):
        return list(range(len(wanted)))
    missing = [name for name in wanted if name not in channels]
    raise DataError(
        f"The detector learnt {len(wanted)} channels, and of these {list_names(map(one_line, missing))} are not among "
        f"{list_names(map(one_line, channels))}; give it a signal with the same channels."
    )
