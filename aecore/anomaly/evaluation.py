"""What scores and alarms are worth where labels exist: by row, by event, over all thresholds; never point-adjusted.

Point adjustment counts a whole labelled event as found once one of its rows is flagged; random flags reach a high F1
that way (Kim et al., *Towards a rigorous evaluation of time-series anomaly detection*, AAAI 2022), so it is not here.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.anomaly.events import merge_runs, runs
from aecore.errors import DataError
from aecore.numerics.ranking import average_precision

Array = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]
Runs = Sequence[tuple[int, int]]

BUFFER = 100  # rows; TSB-AD's default reach of the label buffers
RANKS = 250  # thresholds of a curve, evenly spaced by rank, as TSB-AD has them


class DetectionQuality(NamedTuple):
    """Precision, recall and F1, each 0..1; 0 where nothing was flagged."""

    precision: float
    recall: float
    f1: float

    @classmethod
    def of(cls, precision: float, recall: float) -> "DetectionQuality":
        """Add the harmonic mean."""
        both = precision + recall
        return cls(precision, recall, 2 * precision * recall / both if both > 0 else 0.0)


class Detection(NamedTuple):
    """One labelled event (rows, both ends inclusive), and how long it ran before an alarm could be known."""

    first: int
    last: int
    found: bool
    delay_rows: int | None  # None where it was missed
    delay_seconds: float | None  # None without a sample rate, too


class Evaluation(NamedTuple):
    """How scores and alarms compare with labels; see :func:`evaluate`."""

    rows: DetectionQuality
    events: DetectionQuality
    composite_f1: float
    false_alarm_rate: float
    auc_pr: float
    vus_pr: float
    detections: tuple[Detection, ...]

    @property
    def median_delay(self) -> float | None:
        """Median of the detected events' delays in seconds, or in rows where no rate is known; None without any."""
        timed = all(d.delay_seconds is not None for d in self.detections if d.found)
        delays = [d.delay_seconds if timed else d.delay_rows for d in self.detections if d.found]
        return float(np.median(np.array(delays, dtype=float))) if delays else None


def evaluate(
    labels: NDArray[Any],
    scores: Array,
    threshold: float,
    *,
    scored: Flags | None = None,
    merge_gap: int = 0,
    lookahead: int = 0,
    sample_rate: float | None = None,
    buffer: int = BUFFER,
) -> Evaluation:
    """Compare scores [T] and the alarms above ``threshold`` with labels [T] (1 = anomalous).

    Parameters
    ----------
    scored : bool [T]; rows that are False (inside a gap, say) count nowhere. None: all rows count.
    merge_gap : alarms at most so many rows apart are one, as in the event table.
    lookahead : rows after a row that its score draws on; a detector cannot know the score before, so the time to
        detect counts them (and an alarm may show up so many rows before its cause, by hindsight).
    sample_rate : Hz, for delays in seconds.
    buffer : rows; largest reach of the label buffers of VUS-PR.

    Returns
    -------
    Evaluation
        ``rows``: every row is one decision. ``events``: recall is the share of labelled events with a flagged row,
        precision the share of alarms that touch one; as one alarm over everything touches all, read
        ``composite_f1`` with it, which takes recall by event and precision by row (Garg et al., *An evaluation of
        anomaly detection and diagnosis in multivariate time series*, IEEE TNNLS 33, 2022), and
        ``false_alarm_rate``, the share of normal rows flagged. ``auc_pr`` and ``vus_pr`` need no threshold.

    Raises
    ------
    DataError
        Where lengths differ, or all or none of the rows that count are labelled.
    """
    scores = np.asarray(scores, dtype=np.float64)
    counts = np.ones(len(scores), np.bool_) if scored is None else np.asarray(scored, np.bool_)
    marked = np.asarray(labels) > 0
    if not len(marked) == len(scores) == len(counts):
        raise DataError(f"{len(marked)} labels do not fit {len(scores)} scores; each row needs one of both.")
    truth = marked[counts]
    if truth.all() or not truth.any():
        raise DataError(
            f"The labels mark {'every row' if truth.any() else 'no row'} of the {len(truth)} that are scored; "
            "there is nothing to compare with, so bring labels of both kinds."
        )
    flags = (scores > threshold) & counts
    by_row = _by_row(truth, flags[counts])
    detections = _detections(marked, flags, counts, lookahead, sample_rate)
    alarms = [bool((marked & flags)[a : b + 1].any()) for a, b in merge_runs(runs(flags), merge_gap)]
    recall = float(np.mean([d.found for d in detections]))
    return Evaluation(
        rows=by_row,
        events=DetectionQuality.of(float(np.mean(alarms)) if alarms else 0.0, recall),
        composite_f1=DetectionQuality.of(by_row.precision, recall).f1,
        false_alarm_rate=float(flags[counts][~truth].mean()),
        auc_pr=average_precision(truth, scores[counts]),
        vus_pr=vus_pr(truth, scores[counts], buffer=buffer),
        detections=detections,
    )


def vus_pr(labels: NDArray[Any], scores: Array, *, buffer: int = BUFFER) -> float:
    """Volume under the precision-recall surface over label buffers of 0..``buffer`` rows, as TSB-AD defines it.

    A buffer of ``w`` rows softens every labelled event: ``sqrt(1 - d / w)`` at ``d <= w // 2`` rows from it. Recall
    is scaled by the share of (softened) events that were touched at all. Paparrizos et al., *Volume under the
    surface* (VLDB 2022); Liu & Paparrizos, *The elephant in the room* (NeurIPS 2024).
    """
    truth, s = np.asarray(labels) > 0, np.asarray(scores, dtype=np.float64)
    ordered = np.sort(s)[::-1]
    thresholds = ordered[np.linspace(0, len(s) - 1, RANKS).astype(int)]  # [R], falling
    predicted = np.searchsorted(-ordered, -thresholds, side="right")  # [R] rows at or above each threshold
    rank = np.searchsorted(-thresholds, -s, side="left")  # [T] first threshold that each row reaches
    inside = _sum_above(rank[truth], np.ones(truth.sum()))  # [R]
    first, last = np.array(runs(truth)).T
    near, nearest, second = _distances(truth, first, last, reach=buffer // 2)
    top = np.maximum.reduceat(s, np.stack([first, np.minimum(last + 1, len(s) - 1)], 1).ravel())[::2]
    top = np.maximum(top, s[last])  # a run at the very end
    areas = []
    for w in range(buffer + 1):
        half = w // 2
        top = np.maximum.reduce([top, s[np.maximum(first - half, 0)], s[np.minimum(last + half, len(s) - 1)]])
        alone = np.sqrt(np.maximum(1 - nearest / max(w, 1), 0))
        # two buffers that meet add up to more than one, and are cut there: each is at least sqrt(1/2)
        soft = np.where(nearest > half, 0.0, np.where(second > half, alone, 1.0))
        extra = _sum_above(rank[near], soft)
        recall = np.minimum((inside + extra) / (truth.sum() + extra / 2), 1)
        recall *= _share_reached(top, first[1:] - last[:-1] > 2 * half, thresholds)
        areas.append(float(np.sum(np.diff(recall, prepend=0.0) * (inside + extra) / predicted)))
    return float(np.mean(areas))


def _by_row(truth: Flags, flags: Flags) -> DetectionQuality:
    hits = float((truth & flags).sum())
    return DetectionQuality.of(hits / flags.sum() if flags.any() else 0.0, hits / truth.sum())


def _detections(
    marked: Flags, flags: Flags, counts: Flags, lookahead: int, sample_rate: float | None
) -> tuple[Detection, ...]:
    """One entry a labelled event with at least one row that counts."""
    out = []
    for first, last in runs(marked):
        if not counts[first : last + 1].any():
            continue
        found = bool(flags[first : last + 1].any())
        delay = None
        if found:
            early = max(first - lookahead, 0)
            delay = early + int(np.argmax(flags[early : last + 1])) + lookahead - first
        seconds = None if delay is None or sample_rate is None else delay / sample_rate
        out.append(Detection(first, last, found, delay, seconds))
    return tuple(out)


def _sum_above(rank: NDArray[np.intp], weights: Array) -> Array:
    """Sum of the weights of rows at or above each of the thresholds, from the first threshold that each row reaches."""
    return np.cumsum(np.bincount(rank, weights, minlength=RANKS))


def _distances(
    truth: Flags, first: NDArray[np.intp], last: NDArray[np.intp], *, reach: int
) -> tuple[NDArray[np.intp], Array, Array]:
    """Unlabelled rows within ``reach`` of a labelled run, with their distance to the nearest run and to the second."""
    edges = np.zeros(len(truth) + 1, np.intp)
    np.add.at(edges, np.maximum(first - reach, 0), 1)
    np.add.at(edges, np.minimum(last + reach + 1, len(truth)), -1)
    near = np.flatnonzero((np.cumsum(edges[:-1]) > 0) & ~truth)
    far = np.iinfo(np.intp).max // 4
    starts, ends = np.r_[first, far, far], np.r_[-far, -far, last]
    after = np.searchsorted(first, near)  # index of the next run
    both = np.stack([starts[after] - near, starts[after + 1] - near, near - ends[after + 1], near - ends[after]])
    nearest, second = np.sort(both, axis=0)[:2]
    return near, nearest, second


def _share_reached(top: Array, apart: Flags, thresholds: Array) -> Array:
    """Share of runs that reach each threshold; runs that are not ``apart`` from their neighbour count as one."""
    peaks = np.sort(np.maximum.reduceat(top, np.r_[0, np.flatnonzero(apart) + 1]))
    return (len(peaks) - np.searchsorted(peaks, thresholds, side="left")) / len(peaks)
