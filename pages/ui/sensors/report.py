"""The sensor page as one HTML file that opens anywhere, without a network."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from aecore import export
from aecore.anomaly.thresholds import Threshold
from aecore.concepts import sensor_tables
from aecore.concepts.sensors import Analysis
from aecore.data.uploads import Signal
from aecore.figures import closer, vega
from aecore.figures import sensors as figures
from aecore.figures.palette import LIGHT
from pages.ui import work
from pages.ui.sensors import figure

WIDTH = 900  # pixels
CLOSE_UPS = 3  # of the strongest events
LISTED = 500  # events


class Findings(NamedTuple):
    """What the page shows of a signal at one threshold, and what the report tells."""

    name: str
    signal: Signal
    scene: figures.Scene
    analysis: Analysis
    threshold: Threshold
    events: pd.DataFrame  # as `find_events` lists them
    table: pd.DataFrame  # the same on the signal's clock
    summary: str
    self_test: pd.DataFrame | None = None


def html(found: Findings, slots: work.Slots) -> bytes:
    """Draw and write the report; the pictures are made in a worker."""
    strongest = found.events["severity"].nlargest(CLOSE_UPS).index if len(found.events) else []
    events = [found.events.loc[i] for i in strongest]
    pictures = [_overview(found), *(picture for event in events for picture in _event(found, event))]
    pictures += [_histogram(found), _map(found)]
    drawn = work.compute(slots, vega.drawings, pictures, WIDTH)
    whole, *close, histogram, windows = drawn
    first, last = found.scene.normal
    learned = f"the detector was trained on rows {first:,} to {last - 1:,}, which were vouched for as normal"
    if first == last:
        learned = "the detector was trained elsewhere; nothing was learned from this file"
    said = [
        f"{len(found.scene.values):,} rows, {len(found.analysis.channels)} channels; {learned}.",
        found.summary,
        found.threshold.sentence,
        *found.analysis.notes,
        export.Drawing(whole, "Signal, normal stretch, events and score over time"),
    ]
    sections = [export.Section("What was found", said), export.Section("Events", _listed(found))]
    for event, strip, shares in zip(events, close[::2], close[1::2], strict=True):
        heading = f"Event at rows {event['start']:,} to {event['end']:,}, led by {event['leading_channel']}"
        parts = [
            export.Drawing(strip, "Measured and rebuilt signal around the event"),
            "Measured in red, rebuilt in green where the rows are far enough apart. Below: each channel's error at the "
            "peak, times its usual normal error.",
            export.Drawing(shares, "Error of each channel at the event's peak"),
        ]
        sections.append(export.Section(heading, parts))
    sections += [
        export.Section("Scores", [export.Drawing(histogram, "Histogram of normal and of all scores")]),
        export.Section("Latent map", [export.Drawing(windows, "Codes of windows, coloured by score")]),
        export.Section("What was chosen, and why", [sensor_tables.choice_table(found.analysis)]),
    ]
    if metrics := sensor_tables.measures(found.signal, found.analysis, found.threshold.value):
        measures = pd.DataFrame({"measure": list(metrics), "value": list(metrics.values())})
        sections.append(export.Section("Against labels, row by row, never point-adjusted", [measures]))
    if found.self_test is not None:
        sections.append(export.Section("Self-test: the smallest fault that would be caught", [found.self_test]))
    if found.signal.notes:
        sections.append(export.Section("What was done to the file", list(found.signal.notes)))
    return export.report(f"Sensor anomalies: {found.name}", sections)


def _listed(found: Findings) -> list[str | pd.DataFrame | export.Drawing]:
    if found.table.empty:
        return ["None at this threshold."]
    more = len(found.table) - LISTED
    return [found.table.head(LISTED), *([f"And {more:,} more; the table of events has them all."] if more > 0 else [])]


def _overview(found: Findings) -> vega.Figure:
    return _drawn(found, found.scene._replace(view=(0, len(found.scene.values))))


def _event(found: Findings, event: pd.Series) -> tuple[vega.Figure, vega.Figure]:
    first, last = int(event["start"]), int(event["end"])
    scores, excess = found.analysis.scores, found.analysis.channel_excess
    peak = first + int(np.argmax(scores[first : last + 1]))
    view = figure.around(first, last, len(scores))
    shares = closer.channel_shares(found.analysis.channels, excess[peak], LIGHT)
    return _drawn(found, found.scene._replace(view=view)), shares


def _drawn(found: Findings, scene: figures.Scene) -> vega.Figure:
    ends = list(zip(found.events["start"], found.events["end"], strict=True))
    tables = figures.judged(scene, figures.Verdict(found.threshold.value, ends), figures.outlines(scene))
    return figures.strips(scene, LIGHT, tables=tables, threshold=found.threshold.value)


def _histogram(found: Findings) -> vega.Figure:
    analysis = found.analysis
    return closer.score_histogram(analysis.normal_scores, analysis.scores, found.threshold.value, LIGHT)


def _map(found: Findings) -> vega.Figure:
    analysis = found.analysis
    times = analysis.scores[analysis.map_rows] / found.threshold.value
    return closer.latent_map(analysis.map_points, times, analysis.map_rows, LIGHT)
