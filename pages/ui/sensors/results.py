"""What is shown of a scored signal: events, a closer look, and files to take away."""

import numpy as np
import pandas as pd
import streamlit as st

from aecore import export, jobs, store
from aecore.anomaly.evaluation import evaluate
from aecore.concepts import sensors
from aecore.figures import closer
from aecore.figures import sensors as figures
from pages.ui import controls, link, live, narration
from pages.ui.downloads import Download, take_it_with_you
from pages.ui.sensors import figure
from pages.ui.sensors.sources import Source
from pages.ui.theme import palette

NAME = "sensor_anomalies"
WINDOW, MAP, SCORES, LABELS = "The event", "Latent map", "Scores", "Against labels"
EVENT_COLUMNS = {
    "peak_score": st.column_config.NumberColumn("peak score", format="%.3g"),
    "severity": st.column_config.NumberColumn("severity", format="%.2f × threshold"),
    "first_row": "first row", "last_row": "last row", "leading_channel": "leading channel",
}  # fmt: skip


def show(source: Source, analysis: sensors.Analysis, normal: tuple[int, int], threshold: float) -> None:
    """Figure, events, a closer look, downloads."""
    signal = source.signal
    events = analysis.events(threshold, missing=signal.missing)
    # by the detector's own threshold: the strips stay while another is tried
    shown = figures.standing_out(analysis.channel_excess, analysis.scores > analysis.threshold().value)
    scene = figures.Scene(
        clock=figures.Clock.of(signal.time, len(signal.values)), values=signal.values[:, shown],
        channels=[signal.channels[i] for i in shown], normal=normal, view=figure.view_of(len(signal.values)),
        filled=sensors.filled_spans(signal), rebuilt=analysis.rebuilt[:, shown], scores=analysis.scores,
    )  # fmt: skip
    clock = scene.clock
    verdict = figures.Verdict(threshold, list(zip(events["start"], events["end"], strict=True)))
    words = sensors.summary(events, threshold, clock.x)
    tables = figures.judged(scene, verdict, figure.outlines((source.signature, normal), scene))
    figure.draw(scene, tables, words)
    st.markdown(link.plain(words))  # a channel may be named like Markdown
    if len(shown) < len(signal.channels):
        st.caption(f"Drawn: the {len(shown)} of {len(signal.channels)} channels that stand out most.")
    for note in analysis.notes:
        st.warning(link.plain(note), icon=":material/help:")
    table = sensors.event_table(events, clock.x)
    chosen = _choose_event(table, len(clock.x))
    _closer(source, analysis, events, threshold, chosen)
    take_it_with_you(_files(analysis, table, clock, threshold))


def _choose_event(table: pd.DataFrame, length: int) -> int | None:
    """The table of events; returns the chosen one, the strongest without a choice."""
    if table.empty:
        return None
    key = f"events:{length}:{len(table)}"

    def opened() -> None:
        rows = st.session_state[key].selection.rows
        if rows:
            figure.look_at(int(table["first_row"].iloc[rows[0]]), int(table["last_row"].iloc[rows[0]]), length)

    picked = st.dataframe(
        table, hide_index=True, width="stretch", column_config=EVENT_COLUMNS, key=key,
        on_select=opened, selection_mode="single-row",
    )  # fmt: skip
    st.caption("Choose an event to zoom to it; close up, the rebuilt signal is drawn in green under the measured one.")
    rows = picked.selection.rows
    return rows[0] if rows and rows[0] < len(table) else int(table["severity"].argmax())


def _closer(
    source: Source,
    analysis: sensors.Analysis,
    events: pd.DataFrame,
    threshold: float,
    chosen: int | None,
) -> None:
    st.subheader("Look closer", divider="gray")
    options = [WINDOW, MAP, SCORES] + ([LABELS] if source.signal.labels is not None else [])
    what = controls.choice("What to look at", "closer", options, default=WINDOW)
    if what == WINDOW:
        _event(analysis, events, chosen)
    elif what == MAP:
        severity = analysis.scores[analysis.map_rows] / threshold
        plot = closer.latent_map(analysis.map_points, severity, analysis.map_rows, palette())
        st.vega_lite_chart(None, plot.whole, width="stretch", alt="Codes of windows, coloured by score")
        narration.say(NAME, "map-of-windows")
    elif what == SCORES:
        plot = closer.score_histogram(analysis.normal_scores, analysis.scores, threshold, palette())
        words = "Histogram of normal scores and of all scores, with the threshold"
        st.vega_lite_chart(None, plot.whole, width="stretch", alt=words)
        _choices(analysis)
    else:
        _evaluation(source, analysis, threshold)


def _event(analysis: sensors.Analysis, events: pd.DataFrame, chosen: int | None) -> None:
    if chosen is None:
        st.info("There is no event at this threshold. Lower it, or choose another signal.")
        return
    event = events.iloc[chosen]
    rows = slice(int(event["start"]), int(event["end"]) + 1)
    peak = rows.start + int(np.argmax(analysis.scores[rows]))
    plot = closer.channel_shares(analysis.channels, analysis.channel_excess[peak], palette())
    words = "Error of each channel at the event's peak, times its usual error"
    st.vega_lite_chart(None, plot.whole, width="stretch", alt=words)
    lead = link.plain(str(event["leading_channel"]))
    st.caption(f"At its peak, row {peak:,}: {lead} is furthest from what the model expects of it.")


def _choices(analysis: sensors.Analysis) -> None:
    rows = [
        {"chosen": name.replace("_", " "), "value": str(v), "why": why} for name, (v, why) in analysis.choices.items()
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")


def self_test(source: Source, normal: tuple[int, int]) -> None:
    """On request: the smallest fault of each kind that would be caught in this very signal."""
    st.subheader("What would be caught?", divider="gray")
    narration.say(NAME, "self-test")
    signature = (source.signature, normal)
    if st.session_state.get("sensors:self-test") != signature:
        if not st.button("Run the self-test", key="self-test:run", type="primary", icon=":material/science:"):
            return
        st.session_state["sensors:self-test"] = signature
    rows = source.signal.values[slice(*normal)]
    found = live.work(
        "sensors:self-test", signature,
        lambda: jobs.submit(sensors.self_test, rows, source.signal.channels, source.signal.sample_rate, private=True),
        lambda job: st.progress((job.latest or {}).get("progress", 0.0), (job.latest or {}).get("part", "Starting")),
        again="Run again",
    )  # fmt: skip
    if found is not None:
        st.dataframe(found["table"], hide_index=True, width="stretch")
        for note in found["notes"]:
            st.caption(link.plain(note))


@st.cache_data(show_spinner=False, max_entries=20)
def _measured(labels, scores, threshold, scored, merge_gap, sample_rate):
    return evaluate(labels, scores, threshold, scored=scored, merge_gap=merge_gap, sample_rate=sample_rate)


def _evaluation(source: Source, analysis: sensors.Analysis, threshold: float) -> None:
    signal = source.signal
    if not signal.labels.any() or signal.labels.all():
        st.info("The label column marks no row, or every row, so there is nothing to compare with.")
        return
    scored = ~signal.missing if signal.missing is not None else None
    result = _measured(signal.labels, analysis.scores, threshold, scored, analysis.window, signal.sample_rate)
    unit = "s" if signal.sample_rate else "rows"
    delay = "none found" if result.median_delay is None else f"{result.median_delay:.3g} {unit}"
    figures_ = {
        "Precision, rows": f"{result.rows.precision:.1%}", "Recall, rows": f"{result.rows.recall:.1%}",
        "F1, rows": f"{result.rows.f1:.2f}", "F1, events": f"{result.events.f1:.2f}",
        "False alarms, normal rows": f"{result.false_alarm_rate:.2%}", "AUC-PR": f"{result.auc_pr:.2f}",
        "VUS-PR": f"{result.vus_pr:.2f}", "Median time to detect": delay,
    }  # fmt: skip
    for row in range(0, len(figures_), 4):
        for column, (name, value) in zip(st.columns(4), list(figures_.items())[row : row + 4], strict=True):
            column.metric(name, value)
    st.caption("Row by row, never point-adjusted. Over the whole file, the normal stretch included.")


def _files(analysis: sensors.Analysis, table: pd.DataFrame, clock: figures.Clock, threshold: float) -> list[Download]:
    def scores() -> pd.DataFrame:
        return sensors.score_table(analysis, clock.x, threshold)

    binary = "application/octet-stream"
    return [
        Download("Scores", "scores.csv", lambda: export.csv(scores())),
        Download("Scores, Parquet", "scores.parquet", lambda: export.parquet(scores()), binary),
        Download("Events", "events.csv", lambda: export.csv(table)),
        Download("Detector", "detector.safetensors", lambda: store.dumps(analysis.detector), binary),
        Download(
            "ONNX",
            "detector.onnx",
            lambda: jobs.submit(sensors.to_onnx, analysis.detector, private=True).result(),
            binary,
        ),
        Download("Python snippet", "score.py", lambda: sensors.SNIPPET.encode(), "text/x-python"),
    ]
