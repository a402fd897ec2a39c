"""Scores and events of a signal that arrives in blocks: the same as in one piece, in memory that does not grow."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore.anomaly.events import find_events, merge_runs, runs
from aecore.anomaly.fitted import FittedDetector

Array = NDArray[np.floating[Any]]
Score = Callable[[Array], tuple[Array, Array]]  # values [T, C] -> scores [T], channel_excess [T, C]


class Piece(NamedTuple):
    """Rows of a signal with their neighbours, enough to score some of them for good."""

    values: Array  # [N, C]
    clock: NDArray[Any]  # [N]
    first: int  # of the N rows, those from this one ...
    last: int  # ... up to, not including, this one are scored
    start: int  # row number, in the whole signal, of the first of the N


class Scored(NamedTuple):
    """Rows whose scores no later row can change."""

    first: int  # row number in the whole signal
    clock: NDArray[Any]  # [N]
    scores: Array  # [N]
    channel_excess: Array  # [N, C]


def reach(detector: FittedDetector) -> int:
    """Rows to either side that a row's score draws on; one more than its windows hold, as the last may be off step."""
    return detector.window_ + detector.smoothing_.value // 2


def score_blocks(
    blocks: Iterable[tuple[Array, NDArray[Any]]], score: Score, *, reach: int, least: int, step: int
) -> Iterator[Scored]:
    """Score blocks of values [N, C] with their clocks [N] as if they had come in one piece; see `pieces`."""
    for piece in pieces(blocks, reach=reach, least=least, step=step):
        yield take_scored(piece, *score(piece.values))


def pieces(blocks: Iterable[tuple[Array, NDArray[Any]]], *, reach: int, least: int, step: int) -> Iterator[Piece]:
    """Cut blocks of values [N, C] with their clocks [N] into pieces that can be scored in any order, anywhere.

    ``reach`` rows are kept from before a block, and as many held back at its end until the next one is there.
    ``least`` rows are what is needed at once; a piece begins at a multiple of ``step``. Every row is scored in one.
    """
    held: tuple[Array, NDArray[Any]] | None = None
    known = start = 0  # rows at the head of ``held`` that are scored already; row number of its first
    for values, clock in blocks:
        held = (values, clock) if held is None else (np.concatenate([held[0], values]), np.append(held[1], clock))
        ready = len(held[0]) - reach
        if ready <= known or len(held[0]) < least:
            continue
        yield Piece(*held, known, ready, start)
        cut = max(0, ready - reach) // step * step
        held, known, start = (held[0][cut:], held[1][cut:]), ready - cut, start + cut
    if held is not None:
        yield Piece(*held, known, len(held[0]), start)


def take_scored(piece: Piece, scores: Array, channel_excess: Array) -> Scored:
    """Take from what was said of all rows [N] of a piece, what is final."""
    rows = slice(piece.first, piece.last)
    return Scored(piece.start + piece.first, piece.clock[rows], scores[rows], channel_excess[rows])


class EventStream:
    """Finds the events of scores that arrive in parts, each as soon as it cannot go on.

    ``add`` and ``finish`` return tables like :func:`find_events`, with row numbers of the whole signal.
    """

    def __init__(self, threshold: float, *, channels: tuple[str, ...], merge_gap: int) -> None:
        self._threshold, self._channels, self._gap = threshold, channels, merge_gap
        self._start = 0  # row number of the first row kept
        self._scores: Array = np.empty(0, np.float32)
        self._excess: Array = np.empty((0, len(channels)), np.float32)

    def add(self, scores: Array, channel_excess: Array) -> pd.DataFrame:
        """Take the next rows; return the events that ended before or within them."""
        self._scores = np.concatenate([self._scores, scores])
        self._excess = np.concatenate([self._excess, channel_excess])
        found = merge_runs(runs(self._scores > self._threshold), self._gap)
        over = not found or found[-1][1] + self._gap + 1 < len(self._scores)
        return self._until(len(self._scores) if over else found[-1][0])

    def finish(self) -> pd.DataFrame:
        """Return an event that was still going on."""
        return self._until(len(self._scores))

    def _until(self, cut: int) -> pd.DataFrame:
        events = find_events(
            self._scores[:cut], self._excess[:cut], self._threshold, channels=self._channels, merge_gap=self._gap
        )
        events[["start", "end"]] += self._start
        self._start += cut
        self._scores, self._excess = self._scores[cut:], self._excess[cut:]
        return events
