"""A scored signal looked at closely: an event, the map of windows, the scores, and what labels say."""

import streamlit as st

from aecore.concepts.sensor_anomalies import tasks as sensor_tasks
from aecore.concepts.sensor_anomalies.tasks import Findings
from aecore.figures import closer, sensor_drawing, vega
from pages.ui.components import plots
from pages.ui.frame import narration
from pages.ui.frame.foreign import plain
from pages.ui.frame.theme import palette
from pages.ui.inputs import controls
from pages.ui.sensors import sources
from pages.ui.sensors.scoring import SensorResult
from pages.ui.sensors.sources import SensorSource

NAME = "sensor_anomalies"
EVENT, MAP, SCORES, LABELS = "event", "map", "scores", "labels"
LOOKS = {EVENT: "The event", MAP: "Latent map", SCORES: "Scores", LABELS: "Against labels"}
LOOK = "sensors:look"


def look(source: SensorSource, result: SensorResult, found: Findings, chosen: int | None) -> None:
    """Draw one of the closer looks, by the visitor's choice; ``chosen`` is the open event's place in the table."""
    options = {look: label for look, label in LOOKS.items() if look != LABELS or source.profile.labelled}
    what = controls.choice("Look closer", "closer", options, default=EVENT)
    threshold, overview = found.threshold.value, result.overview
    if what == EVENT:
        _event(result, found, chosen)
    elif what == MAP:
        severity = overview.map_scores / threshold
        plot = closer.latent_map(overview.map_points, severity, overview.map_rows, palette())
        _draw(plot, "Codes of windows, coloured by score")
        narration.say(NAME, "map-of-windows")
    elif what == SCORES:
        counted = sources.ask(LOOK, result.signature, sensor_drawing.count_scores, result.scored, words="Counting")
        if counted is not None:
            plot = closer.score_histogram(counted, threshold, palette())
            _draw(plot, "Histogram of normal scores and of all scores, with the threshold")
        # a detector that was brought says what it likes
        st.table(overview.choices.map(plain).set_index("chosen"))
    else:
        compared = sources.ask(
            LOOK, result.signature, sensor_tasks.compare_labels, result.scored, threshold, words="Comparing"
        )
        if compared is not None:
            _metrics(compared)


def _draw(plot: vega.Figure, words: str) -> None:
    st.vega_lite_chart(None, plot.whole, width="stretch", alt=words)


def _event(result: SensorResult, found: Findings, chosen: int | None) -> None:
    if chosen is None:
        st.info("There is no event at this threshold. Lower it, or choose another signal.")
        return
    lead, peak = found.events["leading_channel"].iloc[chosen], found.peaks[chosen]
    names, values = closer.shares(result.overview.channels, found.excess[chosen])
    plots.plots(
        plots.BarPlot(
            alt="Error of each channel at the event's peak, times its usual error", x=closer.TIMES, ink="anomaly",
            title=f"At its peak, row {peak:,}: {lead} is furthest from what the model expects of it.",
            names=names, values=values,
        ),
        key="sensors:shares",
    )  # fmt: skip


def _metrics(found: dict[str, str]) -> None:
    if not found:
        st.info("The label column marks no row, or every row, so there is nothing to compare with.")
        return
    items = list(found.items())
    for row in range(0, len(items), 4):
        for column, (name, value) in zip(st.columns(4), items[row : row + 4], strict=False):
            column.metric(name, value)
    st.caption("Row by row, never point-adjusted. Over the whole file, the normal stretch included.")
