"""What is shown of a scored signal: its figure, events, a closer look, and files to take away."""

from typing import Any

import pandas as pd
import streamlit as st

from aecore.concepts.sensor_anomalies import tables as sensor_tables
from aecore.concepts.sensor_anomalies import tasks as sensor_tasks
from aecore.concepts.sensor_anomalies.tasks import LISTED, Findings, Rule
from aecore.figures.sensors import Outline
from pages.ui import training
from pages.ui.components.strips import Standing
from pages.ui.frame import narration, private
from pages.ui.frame.downloads import Download, take_it_with_you
from pages.ui.frame.foreign import plain
from pages.ui.sensors import closer, figure, report, sources
from pages.ui.sensors.report import SensorView
from pages.ui.sensors.scoring import SensorResult
from pages.ui.sensors.sources import READING, SensorSource
from pages.ui.training import work

NAME = "sensor_anomalies"
SELF_TEST, DETECTING = "sensors:self-test", "sensors:detect"
_SHOWN = private.entry("sensors:shown")
EVENT_COLUMNS = {
    "peak_score": st.column_config.NumberColumn("peak score", format="%.3g"),
    "severity": st.column_config.NumberColumn("severity", format="%.2f × threshold"),
    "first_row": "first row", "last_row": "last row", "leading_channel": "leading channel",
}  # fmt: skip

SELF_TEST_COLUMNS = {
    "sentence": st.column_config.TextColumn("what is caught", width="large"),
    "caught": st.column_config.NumberColumn(format="percent"),
}


def detect(source: SensorSource, result: SensorResult, rule: Rule) -> Findings | None:
    """Return what is found above the threshold of a rule: until there is an answer, what was found before."""
    found = sources.ask(
        DETECTING, result.signature, sensor_tasks.detect, result.scored, rule, words="Looking for events"
    )
    if found is not None:
        return found
    last: SensorView | None = st.session_state.get(_SHOWN, {}).get("now")
    return last.found if last is not None and last.result.signature == result.signature else None


def show(
    source: SensorSource,
    result: SensorResult,
    outline: Outline,
    shelved: str,
    found: Findings,
    normal: tuple[int, int],
    drag: str,
) -> None:
    """Draw the figure, the events and a closer look."""
    overview = result.overview
    if found.refusal:
        instead = f"SensorView instead: {sensor_tasks.DEFAULT:g} standard deviations."
        st.warning(f"{plain(found.refusal)} {instead}", icon=":material/error:")
    words = "Signal by channel, normal stretch, events and scores over time"
    # said by the figure itself: a browser takes longer for two paragraphs of Markdown than for all that is drawn
    told = [found.summary, found.threshold.sentence]
    figure.draw(shelved, outline, words, drag, Standing(found.threshold.value, found.total, told))
    learned = narration.text(NAME, "learned-elsewhere") if source.saved else narration.text(NAME, "learned-here")
    reading = narration.text(NAME, "reading")
    st.caption(f"{learned} {reading}")
    if overview.drawn < len(overview.channels):
        st.caption(f"Drawn: the {overview.drawn} of {len(overview.channels)} channels that stand out most.")
    for note in overview.notes:
        st.warning(plain(note), icon=":material/help:")
    if len(found.events) < found.total:
        st.caption(f"Listed: the {LISTED:,} strongest of {found.total:,} events; the file of events has them all.")
    chosen = _choose_event(found.events, source.profile.rows, clock=source.profile.timed)
    closer.look(source, result, found, chosen)
    _last()["now"] = SensorView(source, result, normal, found)


def _choose_event(table: pd.DataFrame, length: int, *, clock: bool) -> int | None:
    """Draw the table of events; return the chosen one, or the strongest. Their ends are by the clock, or in rows."""
    if table.empty:
        return None
    key = f"events:{length}"  # the same for more events or fewer: a new grid takes longer to build than all else

    def open_event() -> None:
        rows = st.session_state[key].selection.rows
        if rows:
            figure.look_at(int(table["first_row"].iloc[rows[0]]), int(table["last_row"].iloc[rows[0]]), length)

    ends = list(table.columns[:2] if clock else table.columns[2:4])
    picked = st.dataframe(
        table, hide_index=True, width="stretch", column_config=EVENT_COLUMNS, key=key,
        on_select=open_event, selection_mode="single-row", column_order=ends + list(table.columns[4:]),
    )  # fmt: skip
    rows = picked.selection.rows
    return rows[0] if rows and rows[0] < len(table) else int(table["severity"].argmax())


def offer_self_test(source: SensorSource, normal: tuple[int, int]) -> None:
    """Offer a test of which faults would be caught in this very signal, and show what it has found."""
    st.subheader("What would be caught?", divider="gray")
    narration.say(NAME, "self-test")
    request = _self_test(source, normal)
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


def _self_test(source: SensorSource, normal: tuple[int, int]) -> work.Request:
    return work.Request(
        task=sensor_tasks.find_smallest_faults, args=(source.signal, normal), signature=(source.signature, normal),
        private=True, source=READING,
    )  # fmt: skip


def _last() -> dict[str, SensorView]:
    held: dict[str, SensorView] = st.session_state.setdefault(_SHOWN, {})
    return held


def offer_downloads() -> None:
    """Offer files of what `show` has shown last: outside the part that follows the threshold, which so moves faster."""
    last, slots = _last(), work.slots()  # a click is answered in a thread that has no session

    def write(task: Any, *args: Any, here: bool = True) -> bytes:
        return sources.compute(slots, task, last["now"].result.scored, *args, here=here)

    def threshold() -> float:
        return last["now"].found.threshold.value

    def write_scores(kind: str) -> bytes:
        return write(sensor_tasks.write_scores, threshold(), kind)

    def write_report() -> bytes:
        shown = last["now"]
        request = _self_test(shown.source, shown.normal)
        tested = slots.get(SELF_TEST, request.signature)
        table = tested.outcome["table"] if tested is not None and tested.whole else None
        return report.write(shown, table, slots)

    binary = "application/octet-stream"
    take_it_with_you([
        Download("Report", "report.html", write_report, "text/html"),
        Download("Scores", "scores.csv", lambda: write_scores("csv")),
        Download("Scores, Parquet", "scores.parquet", lambda: write_scores("parquet"), binary),
        Download("Events", "events.csv", lambda: write(sensor_tasks.write_events, threshold())),
        Download("Detector", "detector.safetensors", lambda: write(sensor_tasks.write_detector), binary),
        Download("ONNX", "detector.onnx", lambda: write(sensor_tasks.write_onnx, here=False), binary),
        Download("Python snippet", "score.py", lambda: sensor_tables.SNIPPET.encode(), "text/x-python"),
    ])  # fmt: skip
