"""What is shown of a scored signal: its figure, events, a closer look, and files to take away."""

import pandas as pd
import streamlit as st

from aecore import export, store
from aecore.anomaly.thresholds import Threshold
from aecore.concepts import sensor_tables, sensors
from aecore.figures import sensors as figures
from pages.ui import narration, training, work
from pages.ui.downloads import Download, take_it_with_you
from pages.ui.foreign import plain
from pages.ui.sensors import closer, figure, report
from pages.ui.sensors.sources import Source
from pages.ui.strips import Standing

NAME = "sensor_anomalies"
SELF_TEST, _FOUND = "sensors:self-test", "sensors:found"
EVENT_COLUMNS = {
    "peak_score": st.column_config.NumberColumn("peak score", format="%.3g"),
    "severity": st.column_config.NumberColumn("severity", format="%.2f × threshold"),
    "first_row": "first row", "last_row": "last row", "leading_channel": "leading channel",
}  # fmt: skip

SELF_TEST_COLUMNS = {
    "sentence": st.column_config.TextColumn("what is caught", width="large"),
    "caught": st.column_config.NumberColumn(format="percent"),
}


def show(
    source: Source, analysis: sensors.Analysis, scene: figures.Scene, shelved: str, threshold: Threshold, drag: str
) -> None:
    """Draw the figure, the events and a closer look."""
    signal = source.signal
    events = analysis.events(threshold.value, missing=signal.missing)
    summary = sensor_tables.summary(events, threshold.value, scene.clock.x)
    words = "Signal by channel, normal stretch, events and scores over time"
    # said by the figure itself: a browser takes longer for two paragraphs of Markdown than for all that is drawn
    figure.draw(
        shelved, scene.clock, words, drag, Standing(threshold.value, len(events), [summary, threshold.sentence])
    )
    learned = narration.text(NAME, "learned-elsewhere") if source.saved_task else narration.text(NAME, "learned-here")
    reading = narration.text(NAME, "reading")
    st.caption(f"{learned} {reading}")
    if len(scene.channels) < len(signal.channels):
        st.caption(f"Drawn: the {len(scene.channels)} of {len(signal.channels)} channels that stand out most.")
    for note in analysis.notes:
        st.warning(plain(note), icon=":material/help:")
    table = sensor_tables.event_table(events, scene.clock.x)
    chosen = _choose_event(table, len(signal.values), clock=signal.time is not None)
    closer.look(signal, analysis, events, threshold.value, chosen)
    tested = work.finished(SELF_TEST, (source.signature, scene.normal))
    _last()["found"] = report.Findings(
        source.name, signal, scene, analysis, threshold, events, table, summary,
        None if tested is None else tested["table"],
    )  # fmt: skip


def scene(source: Source, analysis: sensors.Analysis, normal: tuple[int, int]) -> figures.Scene:
    """What is drawn of a scored signal whatever the threshold."""
    signal = source.signal
    # by the detector's own threshold: the strips stay while another is tried
    shown = figures.standing_out(analysis.channel_excess, analysis.scores > analysis.threshold().value)
    return figures.Scene(
        clock=figures.Clock.of(signal.time, len(signal.values)), values=signal.values[:, shown],
        channels=[signal.channels[i] for i in shown], normal=normal, view=figure.view_of(len(signal.values)),
        filled=sensor_tables.filled_spans(signal), rebuilt=analysis.rebuilt[:, shown], scores=analysis.scores,
    )  # fmt: skip


def _choose_event(table: pd.DataFrame, length: int, *, clock: bool) -> int | None:
    """Draw the table of events; return the chosen one, or the strongest. Their ends are by the clock, or in rows."""
    if table.empty:
        return None
    key = f"events:{length}"  # the same for more events or fewer: a new grid takes longer to build than all else

    def opened() -> None:
        rows = st.session_state[key].selection.rows
        if rows:
            figure.look_at(int(table["first_row"].iloc[rows[0]]), int(table["last_row"].iloc[rows[0]]), length)

    ends = list(table.columns[:2] if clock else table.columns[2:4])
    picked = st.dataframe(
        table, hide_index=True, width="stretch", column_config=EVENT_COLUMNS, key=key,
        on_select=opened, selection_mode="single-row", column_order=ends + list(table.columns[4:]),
    )  # fmt: skip
    rows = picked.selection.rows
    return rows[0] if rows and rows[0] < len(table) else int(table["severity"].argmax())


def self_test(source: Source, normal: tuple[int, int]) -> None:
    """Offer a test of which faults would be caught in this very signal, and show what it has found."""
    st.subheader("What would be caught?", divider="gray")
    narration.say(NAME, "self-test")
    rows = source.signal.values[slice(*normal)]
    request = work.Request(
        task=sensors.self_test, args=(rows, source.signal.channels, source.signal.sample_rate),
        signature=(source.signature, normal), private=True,
    )  # fmt: skip
    made = training.train(
        SELF_TEST, request, words="It trains detectors of its own on the normal rows, which takes a while.",
        draw=work.draw_progress, label="Run the self-test",
    )  # fmt: skip
    if made is not None:
        found = made.value
        st.dataframe(
            found["table"], hide_index=True, width="stretch", column_config=SELF_TEST_COLUMNS,
            column_order=["sentence", "caught", "size", "unit", "rows", "seconds"],
        )  # fmt: skip
        for note in found["notes"]:
            st.caption(plain(note))


def _last() -> dict[str, report.Findings]:
    held: dict[str, report.Findings] = st.session_state.setdefault(_FOUND, {})
    return held


def downloads() -> None:
    """Files of what ``show`` has shown last: outside the part that follows the threshold, which then moves faster."""
    last, slots = _last(), work.slots()  # a click is answered in a thread that has no session

    def found() -> report.Findings:
        return last["found"]

    def scores() -> pd.DataFrame:
        now = found()
        return sensor_tables.score_table(
            now.analysis, now.scene.clock.x, now.threshold.value, missing=now.signal.missing
        )

    def onnx() -> bytes:
        exported: bytes = work.compute(slots, sensors.to_onnx, found().analysis.detector)
        return exported

    binary = "application/octet-stream"
    take_it_with_you([
        Download("Report", "report.html", lambda: report.html(found(), slots), "text/html"),
        Download("Scores", "scores.csv", lambda: export.csv(scores())),
        Download("Scores, Parquet", "scores.parquet", lambda: export.parquet(scores()), binary),
        Download("Events", "events.csv", lambda: export.csv(found().table)),
        Download("Detector", "detector.safetensors", lambda: store.dumps(found().analysis.detector), binary),
        Download("ONNX", "detector.onnx", onnx, binary),
        Download("Python snippet", "score.py", lambda: sensor_tables.SNIPPET.encode(), "text/x-python"),
    ])  # fmt: skip
