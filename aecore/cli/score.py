"""``train`` and ``score``: what the Sensor anomalies page does, for files."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore.anomaly.detector import AnomalyDetector
from aecore.anomaly.streaming import EventStream, reach, score_blocks
from aecore.cli.console import Progress
from aecore.cli.sheets import Format, Sheet, names
from aecore.cli.sources import Source, Stretch, open_source
from aecore.concepts import sensor_tables, sensors
from aecore.errors import AecoreError

CLEAN, ANOMALIES, ERROR = 0, 1, 2  # exit codes


@dataclass(frozen=True, kw_only=True)
class ScoreSettings:
    """What to score with, and where the tables go; without a detector each file trains its own."""

    detector: Path | None = None
    normal: Stretch
    out: Path | None = None
    format: Format = "csv"


def train(file: Path, detector: Path, normal: Stretch) -> int:
    """Train on a file's normal stretch and write the detector; returns the exit code."""
    progress = Progress(file.name)
    learnt = _learn(open_source(file), normal, progress)
    learnt.save(detector)
    progress.say(f"threshold {learnt.threshold_:.4g}; detector written to {detector}")
    return CLEAN


def score(files: Sequence[Path], settings: ScoreSettings) -> int:
    """Score files, one line an event on standard output; returns the exit code.

    A file that cannot be scored is said on standard error, and the others are scored all the same.
    """
    detector = None if settings.detector is None else AnomalyDetector.load(settings.detector)
    codes = []
    for file, name in zip(files, names(list(files)), strict=True):
        progress = Progress(file.name)
        try:
            source = open_source(file)
            for note in source.notes:
                progress.say(note)
            mine = detector or _learn(source, settings.normal, progress)
            codes.append(_score_one(file, name, source, mine, settings))
        except AecoreError as error:
            progress.say(f"error: {error}")
            codes.append(ERROR)
    return max(codes)


def _learn(source: Source, normal: Stretch, progress: Progress) -> AnomalyDetector:
    first, last = normal.within(source.rows)
    steps = sensors.learn(source.between(first, last), source.channels, source.sample_rate)
    while True:
        try:
            report = next(steps)
        except StopIteration as end:
            detector: AnomalyDetector = end.value[0]
            return detector
        progress.show(report["part"], report["progress"])


def _score_one(file: Path, name: str, source: Source, detector: AnomalyDetector, settings: ScoreSettings) -> int:
    progress, threshold, channels = Progress(file.name), detector.threshold_, detector.channels_

    def scored(values: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return sensors.scored(detector, sensors.arranged(values, source.channels, channels))

    parts = score_blocks(
        source.blocks(), scored, reach=reach(detector), least=detector.window_, step=detector.measure_.step
    )
    stream = EventStream(threshold, channels=channels, merge_gap=detector.window_)
    tables: list[pd.DataFrame] = []
    clock: NDArray[Any] | None = None  # of all rows so far: an event may begin in an earlier part

    def found(events: pd.DataFrame) -> None:
        assert clock is not None  # no events without rows
        table = sensor_tables.event_table(events, clock)
        tables.append(table)
        for event in table.itertuples():
            print(_line(file.name, event), flush=True)

    with ExitStack() as stack:
        add = _sheet(stack, settings, f"{name}.scores")
        for part in parts:
            add(sensor_tables.score_rows(part.scores, part.channel_excess, channels, part.clock, threshold))
            clock = np.empty(source.rows, part.clock.dtype) if clock is None else clock
            clock[part.first : part.first + len(part.clock)] = part.clock
            found(stream.add(part.scores, part.channel_excess))
            progress.show("Scoring", (part.first + len(part.scores)) / source.rows)
        found(stream.finish())
        _sheet(stack, settings, f"{name}.events")(pd.concat(tables, ignore_index=True))
    count = sum(map(len, tables))
    progress.say(f"{count or 'no'} event{'' if count == 1 else 's'} above the threshold of {threshold:.4g}")
    return ANOMALIES if count else CLEAN


def _sheet(stack: ExitStack, settings: ScoreSettings, name: str) -> Callable[[pd.DataFrame], None]:
    """Return what takes a table's rows: a file in the folder asked for, or nothing at all."""
    if settings.out is None:
        return lambda table: None
    return stack.enter_context(Sheet(settings.out / f"{name}.{settings.format}", settings.format)).add


def _line(file: str, event: Any) -> str:
    rows = f"rows {event.first_row} to {event.last_row}"
    when = rows if event.start == event.first_row else f"{_time(event.start)} to {_time(event.end)} ({rows})"
    return (
        f"{file}: {when}, peak {event.peak_score:.4g}, {event.severity:.3g} times the threshold, "
        f"led by {event.leading_channel}"
    )


def _time(at: Any) -> str:
    return at.isoformat() if isinstance(at, pd.Timestamp) else f"{at:.10g} s"
