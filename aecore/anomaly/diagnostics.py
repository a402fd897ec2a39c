"""What is worth saying of a normal stretch: channels left out, and signs that it was not all normal."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aecore.anomaly.events import merge_runs, runs
from aecore.data.readers.messages import one_line

Array = NDArray[np.floating[Any]]

TWO_LEVELS = 0.85  # share of the variance that two levels explain; 0.64 for one normal distribution, 0.75 for a uniform
APART = 2.0  # times; two levels closer than this are a drift that every machine shows
LISTED = 5


def constant_channels(names: Sequence[str]) -> list[str]:
    """One note for channels that stay out of the model."""
    if not names:
        return []
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    listed = ", ".join(map(one_line, names[:LISTED])) + more
    if len(names) == 1:
        return [f"{listed} is constant in the normal stretch: it stays out of the model, and is flagged when it moves."]
    return [f"{listed} are constant in the normal stretch: they stay out of the model, and are flagged when they move."]


def not_all_normal(held_out_scores: Array, threshold: float, gap: int) -> list[str]:
    """Point out events and two levels in the scores [T] of normal rows that their network had not seen."""
    notes = []
    found = merge_runs(runs(held_out_scores > threshold), gap)
    if found:
        places = ", ".join(f"{first} to {last}" for first, last in found[:LISTED])
        count = "1 event" if len(found) == 1 else f"{len(found)} events"
        more = " ..." if len(found) > LISTED else ""
        notes.append(f"The normal stretch holds {count} (its rows {places}{more}): leave them out if they are faults.")
    share, ratio = two_levels(held_out_scores)
    if share > TWO_LEVELS and ratio > APART:
        notes.append(
            f"The scores of the normal stretch lie at two levels, one {ratio:.1f} times the other: it may hold two "
            "ways of running, or a fault; choose a stretch of one kind, or a longer one of both."
        )
    return notes


def two_levels(scores: Array) -> tuple[float, float]:
    """Share of the variance of the log scores that the best split in two explains, and the ratio of the two levels.

    Otsu, *A threshold selection method from gray-level histograms* (1979), on the sorted values themselves.
    """
    logs = np.sort(np.log(np.maximum(scores, 1e-12), dtype=np.float64))
    variance = logs.var()
    if variance <= 0:
        return 0.0, 1.0
    n = np.arange(1, len(logs))
    low = np.cumsum(logs)[:-1] / n
    high = (logs.sum() - np.cumsum(logs)[:-1]) / (len(logs) - n)
    between = n * (len(logs) - n) / len(logs) ** 2 * (high - low) ** 2
    best = int(np.argmax(between))
    return float(between[best] / variance), float(np.exp(high[best] - low[best]))
