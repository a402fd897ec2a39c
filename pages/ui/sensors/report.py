"""The sensor page as one HTML file that opens anywhere, without a network."""

from typing import NamedTuple

import pandas as pd

from aecore import export
from aecore.concepts.sensor_anomalies import tasks as sensor_tasks
from aecore.concepts.sensor_anomalies.tasks import Findings
from aecore.figures import sensor_drawing
from pages.ui.sensors import sources
from pages.ui.sensors.scoring import SensorResult
from pages.ui.sensors.sources import SensorSource
from pages.ui.training import work

LISTED = 500  # events


class SensorView(NamedTuple):
    """What the page shows: a signal, a result, the normal rows (first, last + 1), and what passes the threshold."""

    source: SensorSource
    result: SensorResult
    normal: tuple[int, int]
    found: Findings


def write(shown: SensorView, self_test: pd.DataFrame | None, slots: work.Slots) -> bytes:
    """Write the report; its pictures are drawn where the data are."""
    source, result, normal, found = shown
    overview, threshold = result.overview, found.threshold
    drawn = sources.compute(slots, sensor_drawing.draw_report, result.scored, normal, threshold.value, here=False)
    first, last = normal
    learned = f"the detector was trained on rows {first:,} to {last - 1:,}, which were vouched for as normal"
    if source.saved is not None:
        learned = "the detector was trained elsewhere; nothing was learned from this file"
    said = [
        f"{source.profile.rows:,} rows, {len(overview.channels)} channels; {learned}.",
        found.summary,
        threshold.sentence,
        *overview.notes,
        export.Drawing(drawn.whole, "Signal, normal stretch, events and score over time"),
    ]
    sections = [export.Section("What was found", said), export.Section("Events", _list_events(found))]
    for (start, end, lead), strip, shares in zip(drawn.events, drawn.strips, drawn.shares, strict=True):
        parts = [
            export.Drawing(strip, "Measured and rebuilt signal around the event"),
            "Measured in red, rebuilt in green where the rows are far enough apart. Below: each channel's error at the "
            "peak, times its usual normal error.",
            export.Drawing(shares, "Error of each channel at the event's peak"),
        ]
        sections.append(export.Section(f"Event at rows {start:,} to {end:,}, led by {lead}", parts))
    sections += [
        export.Section("Scores", [export.Drawing(drawn.histogram, "Histogram of normal and of all scores")]),
        export.Section("Latent map", [export.Drawing(drawn.map, "Codes of windows, coloured by score")]),
        export.Section("What was chosen, and why", [overview.choices]),
    ]
    measures = {}
    if source.profile.labelled:
        measures = sources.compute(slots, sensor_tasks.compare_labels, result.scored, threshold.value)
    if measures:
        table = pd.DataFrame({"measure": list(measures), "value": list(measures.values())})
        sections.append(export.Section("Against labels, row by row, never point-adjusted", [table]))
    if self_test is not None:
        sections.append(export.Section("Self-test: the smallest fault that would be caught", [self_test]))
    if source.profile.notes:
        sections.append(export.Section("What was done to the file", list(source.profile.notes)))
    return export.report(f"Sensor anomalies: {source.name}", sections)


def _list_events(found: Findings) -> list[str | pd.DataFrame | export.Drawing]:
    if found.events.empty:
        return ["None at this threshold."]
    more = found.total - min(LISTED, len(found.events))
    said = [f"And {more:,} more; the table of events has them all."] if more > 0 else []
    return [found.events.head(LISTED), *said]
