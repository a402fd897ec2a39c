"""A scored signal looked at closely: an event, the map of windows, the scores, and what labels say."""

import numpy as np
import pandas as pd
import streamlit as st

from aecore.concepts import sensor_tables, sensors
from aecore.data.uploads import Signal
from aecore.figures import closer, vega
from pages.ui import controls, narration, plots
from pages.ui.foreign import plain
from pages.ui.theme import palette

NAME = "sensor_anomalies"
WINDOW, MAP, SCORES, LABELS = "event", "map", "scores", "labels"
LOOKS = {WINDOW: "The event", MAP: "Latent map", SCORES: "Scores", LABELS: "Against labels"}


def look(
    signal: Signal, analysis: sensors.Analysis, events: pd.DataFrame, threshold: float, chosen: int | None
) -> None:
    """One of the closer looks, by the visitor's choice; ``chosen`` is the open event's place among ``events``."""
    options = {look: label for look, label in LOOKS.items() if look != LABELS or signal.labels is not None}
    what = controls.choice("Look closer", "closer", options, default=WINDOW)
    if what == WINDOW:
        _event(analysis, events, chosen)
    elif what == MAP:
        severity = analysis.scores[analysis.map_rows] / threshold
        plot = closer.latent_map(analysis.map_points, severity, analysis.map_rows, palette())
        _draw(plot, "Codes of windows, coloured by score")
        narration.say(NAME, "map-of-windows")
    elif what == SCORES:
        plot = closer.score_histogram(analysis.normal_scores, analysis.scores, threshold, palette())
        _draw(plot, "Histogram of normal scores and of all scores, with the threshold")
        table = sensor_tables.choice_table(analysis).map(plain)  # a detector that was brought says what it likes
        st.table(table.set_index("chosen"))
    else:
        _metrics(sensor_tables.measures(signal, analysis, threshold))


def _draw(plot: vega.Figure, words: str) -> None:
    st.vega_lite_chart(None, plot.whole, width="stretch", alt=words)


def _event(analysis: sensors.Analysis, events: pd.DataFrame, chosen: int | None) -> None:
    if chosen is None:
        st.info("There is no event at this threshold. Lower it, or choose another signal.")
        return
    event = events.iloc[chosen]
    rows = slice(int(event["start"]), int(event["end"]) + 1)
    peak = rows.start + int(np.argmax(analysis.scores[rows]))
    lead = event["leading_channel"]
    names, values = closer.shares(analysis.channels, analysis.channel_excess[peak])
    plots.plots(
        plots.Bars(
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
