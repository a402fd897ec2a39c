"""Sensor anomalies: a simulated inverter or a visitor's file, a normal stretch, a detector, its scores and events."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore import store
from aecore.anomaly import find_events, log_score_threshold
from aecore.data import powertrain, uploads
from aecore.data.uploads import Signal
from aecore.data.wording import listed
from aecore.errors import DataError, SettingError

if TYPE_CHECKING:
    from aecore.anomaly import AnomalyDetector

Array = NDArray[np.floating[Any]]
Tree = dict[str, Any]
Progress = dict[str, Any]

SECONDS, SAMPLE_RATE = 2.0, 10_000.0  # of the sample: 20,000 rows
ONSET, DURATION = 1.1, 0.4  # s; the fault comes and goes after the default normal stretch


@dataclass(frozen=True, kw_only=True)
class InverterSample:
    """The sample that ships: a traction inverter's trace with one fault from 1.1 s to 1.5 s."""

    fault: powertrain.FaultKind = "open_switch"
    severity: float = 0.5
    speed_rpm: float = 3000.0
    load: float = 0.6
    noise: float = 1.0  # A rms
    seed: int = 0

    def signal(self) -> Signal:
        """Simulate it: 20,000 rows of three phase currents (A), link voltage (V) and speed (rpm)."""
        settings = powertrain.InverterSettings(
            speed_rpm=self.speed_rpm, load=self.load, noise=self.noise,
            seconds=SECONDS, sample_rate=SAMPLE_RATE, seed=self.seed,
        )  # fmt: skip
        fault = powertrain.Fault(kind=self.fault, severity=self.severity, onset=ONSET, duration=DURATION)
        trace = powertrain.simulate(settings, fault)
        return Signal(trace.values.astype(np.float64), trace.channels, trace.time, SAMPLE_RATE, (), trace.labels)


class Analysis(NamedTuple):
    """What a trained detector says of a whole signal; row for row."""

    scores: NDArray[np.float32]  # [T]
    channel_excess: NDArray[np.float32]  # [T, C], times the usual normal error
    normal_scores: NDArray[np.float32]  # held-out scores of the normal rows
    channels: tuple[str, ...]
    window: int
    choices: dict[str, tuple[int, str]]
    losses: tuple[float, ...]  # of the detector's own training, one an epoch
    detector: Tree

    def threshold(self, sigmas: float) -> float:
        """Score above which a row is flagged."""
        memory = self.window + self.choices["smoothing"][0] - 1  # rows that a score averages over
        return log_score_threshold(self.normal_scores, sigmas, memory=memory)

    def events(self, threshold: float) -> pd.DataFrame:
        """Events in row numbers: start, end (inclusive), peak_score, severity, leading_channel."""
        return find_events(self.scores, self.channel_excess, threshold, channels=self.channels, merge_gap=self.window)

    @classmethod
    def from_tree(cls, tree: Tree) -> "Analysis":
        """Read what the training jobs return."""
        detector = tree["detector"]
        choices = {name: (value, reason) for name, (value, reason) in detector["choices"].items()}
        return cls(
            tree["scores"], tree["channel_excess"], detector["decision_scores"], tuple(detector["channels"]),
            choices["window"][0], choices, tuple(tree["losses"]), detector,
        )  # fmt: skip


def normal_rows(length: int, normal: tuple[float, float]) -> tuple[int, int]:
    """First row and the row after the last of a normal stretch given in percent of the file."""
    low, high = normal
    if not 0 <= low < high <= 100:
        raise SettingError(f"the normal stretch must run upwards within 0..100 %, got {low:g} to {high:g}")
    return round(length * low / 100), round(length * high / 100)


# ---------------------------------------------------------------------- in words and tables
def score_table(analysis: Analysis, clock: NDArray[Any], threshold: float) -> pd.DataFrame:
    """One line a row of the signal: its time, score, flag, and each channel's excess over its normal error."""
    return score_rows(analysis.scores, analysis.channel_excess, analysis.channels, clock, threshold)


def score_rows(
    scores: Array, channel_excess: Array, channels: Sequence[str], clock: NDArray[Any], threshold: float
) -> pd.DataFrame:
    """Build lines of ``score_table`` for some rows of a signal."""
    table = pd.DataFrame(channel_excess, columns=[f"excess of {name}" for name in channels])
    table.insert(0, "time", clock)
    table.insert(1, "score", scores)
    table.insert(2, "flagged", (scores > threshold).astype(np.int8))
    return table


def event_table(events: pd.DataFrame, clock: NDArray[Any]) -> pd.DataFrame:
    """Events with their ends on the signal's clock (datetimes, seconds or rows) as well as in rows."""
    start, end = events["start"].to_numpy(), events["end"].to_numpy()
    table = pd.DataFrame({"start": clock[start], "end": clock[end], "first_row": start, "last_row": end})
    return pd.concat([table, events.drop(columns=["start", "end"]).reset_index(drop=True)], axis=1)


def summary(events: pd.DataFrame, threshold: float, clock: NDArray[Any]) -> str:
    """Say what was found in one or two sentences."""
    if events.empty:
        return f"No event: no row's score passes the threshold of {threshold:.3g}."
    worst = events.iloc[int(events["severity"].argmax())]
    when = clock[int(worst["start"])]
    if np.issubdtype(clock.dtype, np.datetime64):
        shown = str(when)[:19].replace("T", " ")
    else:
        shown = f"row {when:,}" if np.issubdtype(clock.dtype, np.integer) else f"{when:g} s"
    count = "1 event" if len(events) == 1 else f"{len(events)} events"
    return (
        f"{count} above the threshold of {threshold:.3g}. The strongest begins at {shown} and peaks at "
        f"{worst['severity']:.3g} times the threshold; {worst['leading_channel']} leads it."
    )


# ---------------------------------------------------------------------- jobs
def parse(name: str, data: bytes) -> Generator[Progress, None, Signal]:
    """Read a visitor's file."""
    yield {"progress": 0.0}
    return uploads.read(name, data)


def train_sample(sample: InverterSample, normal: tuple[float, float]) -> Generator[Progress, None, Tree]:
    """Train on the sample's normal stretch and score all of it."""
    signal = sample.signal()
    return (yield from train(signal.values, signal.channels, signal.sample_rate, normal))


def train(
    values: Array, channels: tuple[str, ...], sample_rate: float | None, normal: tuple[float, float]
) -> Generator[Progress, None, Tree]:
    """Train a detector on the normal stretch (percent of the rows) and score every row of ``values`` [T, C]."""
    first, last = normal_rows(len(values), normal)
    detector, losses = yield from learn(values[first:last], channels, sample_rate)
    scores, channel_excess = scored(detector, values)
    return {"scores": scores, "channel_excess": channel_excess, "losses": losses, "detector": detector.to_tree()}


def learn(
    normal: Array, channels: tuple[str, ...], sample_rate: float | None
) -> Generator[Progress, None, tuple["AnomalyDetector", list[float]]]:
    """Train a detector on normal rows [T, C]; returns it and its loss after every epoch."""
    from aecore.anomaly.detector import FOLDS, AnomalyDetector  # torch: seconds on the way to a page, none in a worker

    detector = AnomalyDetector(sample_rate=sample_rate)
    losses: list[float] = []
    for report in detector.fitting(pd.DataFrame(normal, columns=list(channels))):
        if report.part == 0:
            losses.append(report.loss)
        part = f"Calibrating the threshold, part {report.part} of {FOLDS}" if report.part else "Training the detector"
        yield report._asdict() | {"part": part}
    return detector, losses


def scored(detector: "AnomalyDetector", values: Array) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Score of every row [T], and how many times its usual normal error each channel shows [T, C]."""
    channel_scores = detector.channel_scores(values)
    return detector.row_scores(channel_scores), detector.channel_excess(channel_scores)


def arranged(values: Array, channels: Sequence[str], wanted: Sequence[str]) -> Array:
    """Columns of ``values`` [T, C] as a detector learnt them: by name, or in order where all are called otherwise.

    Raises DataError where neither fits.
    """
    if set(wanted) <= set(channels):
        order = [list(channels).index(name) for name in wanted]
        return values if order == list(range(values.shape[1])) else values[:, order]
    if len(channels) == len(wanted) and not set(wanted) & set(channels):
        return values
    missing = [name for name in wanted if name not in channels]
    raise DataError(
        f"The detector learnt {len(wanted)} channels, and of these {listed(missing)} are not among {listed(channels)}; "
        "give it a signal with the same channels."
    )


# ---------------------------------------------------------------------- what ships
DEFAULT_NORMAL = (0.0, 30.0)  # percent of the rows
ASSET = Path(__file__).parents[2] / "assets" / "models" / "sensors.safetensors"


def shipped(sample: InverterSample, normal: tuple[float, float]) -> Tree | None:
    """Read the result for the sample as it comes, so that the page never opens empty; None for other settings."""
    if sample == InverterSample() and normal == DEFAULT_NORMAL:
        tree: Tree = store.read(ASSET)
        return tree
    return None


def pretrain() -> Generator[Progress, None, None]:
    """Compute what ``shipped`` reads."""
    store.write(ASSET, (yield from train_sample(InverterSample(), DEFAULT_NORMAL)))
