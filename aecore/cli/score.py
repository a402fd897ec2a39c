"""``train`` and ``score``: what the Sensor anomalies page does, for files."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore.anomaly.detector import AnomalyDetector
from aecore.anomaly.streaming import EventStream, Piece, Scored, pieces, reach, take_scored
from aecore.cli import distributed_scoring
from aecore.cli.reports import Format, TableWriter, name_results
from aecore.cli.sources import RowSource, Stretch, open_source
from aecore.cli.terminal import ProgressLine, check_target
from aecore.concepts import sensor_anomalies as sensors
from aecore.concepts.sensor_anomalies import tables as sensor_tables
from aecore.errors import AecoreError
from aecore.numerics.progress import finish

CLEAN, ANOMALIES, ERROR = 0, 1, 2  # exit codes


@dataclass(frozen=True, kw_only=True)
class ScoreSettings:
    """What to score with, where, and where the tables go; without a detector each file trains its own."""

    detector: Path | None = None
    distributed: bool = False  # over the workers of a cluster, instead of in this process
    normal: Stretch
    out: Path | None = None
    format: Format = "csv"


def train(file: Path, detector: Path, normal: Stretch) -> int:
    """Train on a file's normal stretch and write the detector; returns the exit code."""
    check_target(detector)
    progress = ProgressLine(_name(file))
    learnt = _learn(open_source(file), normal, progress)
    learnt.save(detector)
    progress.say(f"threshold {learnt.threshold_:.4g}; detector written to {detector}")
    return CLEAN


def score(files: Sequence[Path], settings: ScoreSettings) -> int:
    """Score files, one line an event on standard output; returns the exit code.

    A file that cannot be scored is said on standard error, and the others are scored all the same.
    """
    steps = _read(files, settings)
    where = distributed_scoring.score_over_workers if settings.distributed else distributed_scoring.score_here
    named, codes = name_results(list(files)), []
    for number, mine in groupby(where(steps, _make_request), key=lambda step: step[0].number):
        file = files[number]
        try:
            codes.append(_score_one(file, named[number], mine, settings))
        except AecoreError as error:
            ProgressLine(_name(file)).say(f"error: {error}")
            codes.append(ERROR)
    return max(codes)


class _Step(NamedTuple):
    """One thing to do for a file: say why it cannot be scored, or score a piece of it."""

    number: int  # of the file
    source: RowSource | None = None
    detector: AnomalyDetector | None = None
    piece: Piece | None = None
    error: AecoreError | None = None


def _read(files: Sequence[Path], settings: ScoreSettings) -> Iterator[_Step]:
    """Yield the pieces of one file after the other; an error is a file's last step."""
    given = None if settings.detector is None else AnomalyDetector.load(settings.detector)
    for number, file in enumerate(files):
        progress = ProgressLine(_name(file))
        try:
            source = open_source(file)
            for note in source.notes:
                progress.say(note)
            mine = given or _learn(source, settings.normal, progress)
            for piece in pieces(source.blocks(), reach=reach(mine), least=mine.window_, step=mine.measure_.step):
                yield _Step(number, source, mine, piece)
        except AecoreError as error:
            yield _Step(number, error=error)


def _make_request(step: _Step) -> distributed_scoring.ScoreRequest:
    """Return what is to be scored in a step: values [N, C] as the detector learnt them."""
    if step.error is not None or step.piece is None or step.source is None or step.detector is None:
        return None
    return step.detector, sensors.arrange_columns(step.piece.values, step.source.channels, step.detector.channels_)


def _learn(source: RowSource, normal: Stretch, progress: ProgressLine) -> AnomalyDetector:
    first, last = normal.within(source.rows)
    steps = sensors.fit_detector(source.between(first, last), source.channels, source.sample_rate)
    detector: AnomalyDetector
    detector, _ = finish(steps, lambda report: progress.show(report["part"], report["progress"]))
    return detector


def _score_one(
    file: Path, name: str, steps: Iterable[tuple[_Step, distributed_scoring.PendingScores]], settings: ScoreSettings
) -> int:
    """Write the tables of a file and print its events; an error in any step leaves no table behind."""
    first, parts = _open_steps(steps)
    source, detector, progress = first.source, first.detector, ProgressLine(_name(file))
    assert source is not None and detector is not None
    threshold, channels = detector.threshold_, detector.channels_
    stream = EventStream(threshold, channels=channels, merge_gap=detector.window_)
    tables: list[pd.DataFrame] = []
    clock: NDArray[Any] | None = None  # of all rows so far: an event may begin in an earlier part

    def write_events(events: pd.DataFrame) -> None:
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
            write_events(stream.add(part.scores, part.channel_excess))
            progress.show("Scoring", (part.first + len(part.scores)) / source.rows)
        write_events(stream.finish())
        _sheet(stack, settings, f"{name}.events")(pd.concat(tables, ignore_index=True))
    count = sum(map(len, tables))
    progress.say(f"{count or 'no'} event{'' if count == 1 else 's'} above the threshold of {threshold:.4g}")
    return ANOMALIES if count else CLEAN


def _open_steps(steps: Iterable[tuple[_Step, distributed_scoring.PendingScores]]) -> tuple[_Step, Iterator[Scored]]:
    """Look at a file's first step, and return it with all scored parts; raises what a step could not do."""
    steps = iter(steps)
    head = next(steps)
    if head[0].error is not None:
        raise head[0].error

    def parts() -> Iterator[Scored]:
        for step, scores in (head, *steps):
            if step.error is not None:
                raise step.error
            assert step.piece is not None
            yield take_scored(step.piece, *scores())

    return head[0], parts()


def _sheet(stack: ExitStack, settings: ScoreSettings, name: str) -> Callable[[pd.DataFrame], None]:
    """Return what takes a table's rows: a file in the folder asked for, or nothing at all."""
    if settings.out is None:
        return lambda table: None
    return stack.enter_context(TableWriter(settings.out / f"{name}.{settings.format}", settings.format)).add


def _name(file: Path) -> str:
    return file.name or str(file)  # a folder's path may end without a name


def _line(file: str, event: Any) -> str:
    rows = f"rows {event.first_row} to {event.last_row}"
    when = rows if event.start == event.first_row else f"{_time(event.start)} to {_time(event.end)} ({rows})"
    return (
        f"{file}: {when}, peak {event.peak_score:.4g}, {event.severity:.3g} times the threshold, "
        f"led by {event.leading_channel}"
    )


def _time(at: Any) -> str:
    return at.isoformat() if isinstance(at, pd.Timestamp) else f"{at:.10g} s"
