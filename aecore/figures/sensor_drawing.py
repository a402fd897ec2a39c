"""The sensor page's pictures, drawn where the data are: tasks of `aecore.jobs` whose answers have a bound."""

from collections.abc import Generator
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore.figures import closer, sensors, vega
from aecore.figures.palette import LIGHT
from aecore.figures.sensors import Array, Outline, ScoredView, SensorScene, TimeAxis

DRAWN = 8  # channels of a signal that nobody has scored
WIDTH = 900  # pixels of a report
CLOSE_UPS = 3  # of the strongest events
LISTED = 1_000  # events that a report's picture shades
AROUND = 40  # rows that are shown around an event, at least

Progress = dict[str, float]
Rows = tuple[int, int]  # first and last + 1


class DrawableSignal(Protocol):
    """What is drawn of a signal: see `aecore.data.readers.uploads.Signal`."""

    values: Array
    channels: tuple[str, ...]
    time: NDArray[Any] | None
    missing: NDArray[np.bool_] | None


class DrawableAnalysis(Protocol):
    """What is drawn of a detector's result: see `aecore.concepts.sensor_anomalies.Analysis`."""

    scores: NDArray[np.float32]
    channel_excess: NDArray[np.float32]
    normal_scores: NDArray[np.float32]
    channels: tuple[str, ...]
    map_points: NDArray[np.float32]
    map_rows: NDArray[np.int64]


class DrawableResult(Protocol):
    """A signal with a detector's result: see `aecore.concepts.sensor_anomalies.tasks.ScoredSignal`."""

    analysis: DrawableAnalysis
    joined: Array
    signal: DrawableSignal
    rebuilt: Array

    def find_events(self, threshold: float) -> pd.DataFrame:
        """Return the events above a threshold."""
        ...


class ReportPictures(NamedTuple):
    """SVG source of a report's pictures, and the events that are drawn close up."""

    whole: str
    events: list[tuple[int, int, str]]  # first and last row, leading channel
    strips: list[str]  # of each such event
    shares: list[str]
    histogram: str
    map: str


def view_rows(length: int, percent: tuple[float, float]) -> Rows:
    """Return the rows in view, at least two, of a stretch in percent of all rows."""
    low, high = percent
    first, last = min(int(length * low / 100), length - 2), -int(-length * high // 100)
    return first, max(last, first + 2)


def rows_around(first: int, last: int, length: int) -> Rows:
    """Return some rows (both ends inclusive) with as many again on both sides, at least AROUND."""
    room = max(last - first + 1, AROUND)
    return max(0, first - room), min(length, last + 1 + room)


def draw_signal(signal: DrawableSignal, normal: Rows, view: tuple[float, float]) -> Generator[Progress, None, Outline]:
    """Draw a signal that nobody has scored; the view is in percent of the rows."""
    yield {"progress": 0.0}
    return sensors.outline(_scene(signal, normal, view_rows(len(signal.values), view)))


def draw_result(scored: DrawableResult, normal: Rows, view: tuple[float, float]) -> Generator[Progress, None, Outline]:
    """Draw a scored signal whatever the threshold; the view is in percent of the rows."""
    yield {"progress": 0.0}
    scene = _scored_scene(scored, normal, view_rows(len(scored.joined), view))
    return sensors.outline(scene, scored.joined)


def count_scores(scored: DrawableResult) -> Generator[Progress, None, closer.Histogram]:
    """Count the scores of the normal rows and of all."""
    yield {"progress": 0.0}
    return closer.count_scores(scored.analysis.normal_scores, scored.analysis.scores)


def draw_report(scored: DrawableResult, normal: Rows, threshold: float) -> Generator[Progress, None, ReportPictures]:
    """Draw all pictures of a report as SVG."""
    analysis, events = scored.analysis, scored.find_events(threshold)
    events = events.loc[events["severity"].nlargest(LISTED).index]
    ends = list(zip(events["start"].tolist(), events["end"].tolist(), strict=True))
    leaders = events["leading_channel"].head(CLOSE_UPS).tolist()
    close = [(first, last, str(leader)) for (first, last), leader in zip(ends, leaders, strict=False)]
    verdict = ScoredView(threshold, sorted(ends))
    length, figures = len(scored.joined), []

    def strips(view: Rows) -> vega.Figure:
        scene = _scored_scene(scored, normal, view)
        tables = sensors.add_threshold(scene, verdict, sensors.outlines(scene))
        return sensors.strips(scene, LIGHT, tables=tables, threshold=threshold)

    for first, last, _ in close:
        peak = first + int(np.argmax(analysis.scores[first : last + 1]))
        figures.append(strips(rows_around(first, last, length)))
        figures.append(closer.channel_shares(analysis.channels, analysis.channel_excess[peak], LIGHT))
    times = analysis.scores[analysis.map_rows] / threshold
    figures += [
        strips((0, length)),
        closer.score_histogram(closer.count_scores(analysis.normal_scores, analysis.scores), threshold, LIGHT),
        closer.latent_map(analysis.map_points, times, analysis.map_rows, LIGHT),
    ]
    *near, whole, histogram, windows = yield from vega.drawings(figures, WIDTH)
    return ReportPictures(whole, close, near[::2], near[1::2], histogram, windows)


def _scene(signal: DrawableSignal, normal: Rows, view: Rows) -> SensorScene:
    return SensorScene(
        clock=TimeAxis.of(signal.time, len(signal.values)), values=signal.values[:, :DRAWN],
        channels=signal.channels[:DRAWN], normal=normal, view=view, missing=signal.missing,
    )  # fmt: skip


def _scored_scene(scored: DrawableResult, normal: Rows, view: Rows) -> SensorScene:
    return _scene(scored.signal, normal, view)._replace(rebuilt=scored.rebuilt, scores=scored.analysis.scores)
