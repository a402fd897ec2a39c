"""What a detector says of a signal, as tables and sentences; and how to go on without the page."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore.anomaly.evaluation import evaluate
from aecore.concepts.sensor_anomalies import Analysis, Array
from aecore.data.readers.uploads import Signal

DAY = 86_400.0  # s
SNIPPET = '''"""Score a log with the detector that was trained on the sensor page: python score.py LOG.csv

Needs the package aecore, which `pip install -r requirements.txt` in the project's folder installs.
"""

import sys

from aecore.anomaly import AnomalyDetector
from aecore.data import gaps, uploads

with open(sys.argv[1], "rb") as file:
    signal = gaps.regular(uploads.read(sys.argv[1], file.read())).signal
detector = AnomalyDetector.load("detector.safetensors")
scores = detector.decision_function(signal.values)
print(detector.events(signal.values))
print(f"{(scores > detector.threshold_).mean():.2%} of the rows pass the threshold of {detector.threshold_:.4g}")
'''


def score_table(
    analysis: Analysis, clock: NDArray[Any], threshold: float, *, missing: NDArray[np.bool_] | None = None
) -> pd.DataFrame:
    """One line a row of the signal: time, score, whether it counts, flag, each channel's excess over its normal error.

    Where rows are ``missing`` [T] from the file and were filled in, those that are not `Analysis.find_trusted` carry a
    finite score and count for nothing: ``scored`` is False and they are not flagged.
    """
    table = score_rows(analysis.scores, analysis.channel_excess, analysis.channels, clock, threshold)
    if missing is not None:
        table["scored"] = analysis.find_trusted(missing)
        table["flagged"] *= table["scored"]
    return table


def score_rows(
    scores: Array, channel_excess: Array, channels: Sequence[str], clock: NDArray[Any], threshold: float
) -> pd.DataFrame:
    """Build lines of ``score_table`` for some rows of a signal."""
    table = pd.DataFrame(channel_excess, columns=[f"excess of {name}" for name in channels])
    table.insert(0, "time", clock)
    table.insert(1, "score", scores)
    table.insert(2, "scored", True)
    table.insert(3, "flagged", (scores > threshold).astype(np.int8))
    return table


def event_table(events: pd.DataFrame, clock: NDArray[Any]) -> pd.DataFrame:
    """Events with their ends on the signal's clock (datetimes, seconds or rows) as well as in rows."""
    start, end = events["start"].to_numpy(), events["end"].to_numpy()
    more = {name: events[name].to_numpy() for name in events.columns.drop(["start", "end"])}
    return pd.DataFrame({"start": clock[start], "end": clock[end], "first_row": start, "last_row": end} | more)


def summary(events: pd.DataFrame, threshold: float, clock: NDArray[Any]) -> str:
    """Say what was found in one or two sentences."""
    if events.empty:
        return f"No event: no row's score passes the threshold of {threshold:.3g}."
    worst = events.iloc[int(events["severity"].argmax())]
    when = clock[int(worst["start"])]
    if np.issubdtype(clock.dtype, np.datetime64):
        shown = str(when)[:19].replace("T", " ")
    elif np.issubdtype(clock.dtype, np.integer):
        shown = f"row {when:,}"
    else:
        shown = f"{when:,.0f} s, {when / DAY:.2f} days," if when >= DAY else f"{when:g} s"
    count = "1 event" if len(events) == 1 else f"{len(events)} events"
    return (
        f"{count} above the threshold of {threshold:.3g}. The strongest begins at {shown} and peaks at "
        f"{worst['severity']:.3g} times the threshold; {worst['leading_channel']} leads it."
    )


def choice_table(analysis: Analysis) -> pd.DataFrame:
    """List what the detector chose from the normal rows, and why."""
    return pd.DataFrame(
        {"chosen": name.replace("_", " "), "value": str(value), "why": why}
        for name, (value, why) in analysis.choices.items()
    )


def measures(signal: Signal, analysis: Analysis, threshold: float) -> dict[str, str]:
    """Return how scores and events compare with the labels, by name; empty where there is nothing to compare."""
    if signal.labels is None or not signal.labels.any() or signal.labels.all():
        return {}
    scored = None if signal.missing is None else analysis.find_trusted(signal.missing)
    result = evaluate(
        signal.labels, analysis.scores, threshold,
        scored=scored, merge_gap=analysis.window, sample_rate=signal.sample_rate,
    )  # fmt: skip
    unit = "s" if signal.sample_rate else "rows"
    return {
        "Precision, rows": f"{result.rows.precision:.1%}", "Recall, rows": f"{result.rows.recall:.1%}",
        "F1, rows": f"{result.rows.f1:.2f}", "F1, events": f"{result.events.f1:.2f}",
        "Precision, events": f"{result.events.precision:.1%}", "Recall, events": f"{result.events.recall:.1%}",
        "False alarms, normal rows": f"{result.false_alarm_rate:.2%}",
        "Median time to detect": "none found" if result.median_delay is None else f"{result.median_delay:.3g} {unit}",
        "AUC-PR": f"{result.auc_pr:.2f}", "VUS-PR": f"{result.vus_pr:.2f}",
    }  # fmt: skip
