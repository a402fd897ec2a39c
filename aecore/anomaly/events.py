"""From flagged rows to events that a person can act on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
COLUMNS = ["start", "end", "peak_score", "severity", "leading_channel"]


def runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """List the runs of True as (first, last) rows, both inclusive."""
    edges = np.diff(np.r_[0, flags.astype(np.int8), 0])
    return list(zip(np.flatnonzero(edges == 1).tolist(), (np.flatnonzero(edges == -1) - 1).tolist(), strict=True))


def merged(found: Sequence[tuple[int, int]], gap: int) -> list[tuple[int, int]]:
    """Join runs that are at most ``gap`` quiet rows apart: one fault that flickers is one event."""
    out: list[tuple[int, int]] = []
    for first, last in found:
        if out and first - out[-1][1] - 1 <= gap:
            out[-1] = (out[-1][0], last)
        else:
            out.append((first, last))
    return out


def closed(scores: Array, gap: int) -> Array:
    """Return scores [T] with short dips filled up: above any threshold, their runs are those of the scores, ``merged``.

    A flag that stands for a threshold is filled where it lies in no quiet stretch of more than ``gap`` rows. For all
    thresholds at once that is a closing by a segment of ``gap + 1`` rows: the least, over the segments that hold a row,
    of the highest score within (Serra, *Image Analysis and Mathematical Morphology*, 1982, chapter XII).
    """
    from scipy.ndimage import grey_closing  # not on the way to a page's first paint

    # Before the first row and after the last nothing is flagged.
    padded = np.pad(scores, gap, constant_values=-np.inf)
    found: Array = grey_closing(padded, size=(gap + 1,))[gap : gap + len(scores)]
    return found


def counts(joined: Array, levels: Array) -> NDArray[np.int64]:
    """How many events ``closed`` scores [T] have above each of some rising ``levels`` [K]."""
    before = np.concatenate([[-np.inf], joined[:-1]])
    begins = joined > before  # an event begins here at every level from the row before up to, not including, this one
    from_, to = (np.searchsorted(levels, x[begins]) for x in (before, joined))
    change = np.bincount(from_, minlength=len(levels) + 1) - np.bincount(to, minlength=len(levels) + 1)
    return np.cumsum(change)[: len(levels)]


def find_events(
    scores: Array,
    channel_excess: Array,
    threshold: float,
    *,
    channels: Sequence[str],
    merge_gap: int,
) -> pd.DataFrame:
    """Events where ``scores`` [T] pass ``threshold``, in row numbers, both ends inclusive.

    ``channel_excess`` [T, C] says how many times its usual normal error each channel shows; the largest at the peak
    leads. ``severity`` is the peak over the threshold, so 2 is twice what it takes to be flagged.
    """
    rows = []
    for first, last in merged(runs(scores > threshold), merge_gap):
        peak = first + int(np.argmax(scores[first : last + 1]))
        leader = channels[int(np.argmax(channel_excess[peak]))]
        severity = float(scores[peak] / threshold) if threshold > 0 else float("inf")
        rows.append((first, last, float(scores[peak]), severity, leader))
    table = pd.DataFrame(rows, columns=COLUMNS)
    return (
        table if rows else table.astype({"start": "int64", "end": "int64", "peak_score": "float", "severity": "float"})
    )
