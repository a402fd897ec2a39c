"""Sensor anomalies: a log in, a normal stretch, and out come scores, events and a detector."""

import streamlit as st

from aecore.concepts import sensor_anomalies as sensors
from aecore.figures.sensors import Outline
from pages.ui.frame import narration, settings
from pages.ui.frame.foreign import plain
from pages.ui.frame.page import fragment, frame, in_words, why
from pages.ui.inputs import controls
from pages.ui.sensors import figure, results, rules, samples, scoring, sources
from pages.ui.sensors.scoring import SensorResult
from pages.ui.sensors.sources import SensorSource

NAME = "sensor_anomalies"
INVERTER, BEARING, ROOM, OWN = "inverter", "bearing", "room", "own"
SIGNALS = {INVERTER: "Simulated inverter", BEARING: "Ball bearing", ROOM: "Office room", OWN: "Your own file"}
SAMPLES = {INVERTER: samples.inverter, BEARING: samples.bearing, ROOM: samples.room}
USUAL = {"normal": sensors.DEFAULT_NORMAL, "view": figure.ALL}  # of what a prompt shows


@fragment
def follow_threshold(
    source: SensorSource,
    result: SensorResult,
    outline: Outline,
    shelved: str,
    normal: tuple[int, int],
    rule: str,
    drag: str,
) -> None:
    """Show everything that follows the threshold, and no more: moving it runs this part alone."""
    figure.rerun_if_dragged()
    found = results.detect(source, result, rules.choose_level(rule))
    if found is None:
        figure.draw(shelved, outline, "The signal and its scores", drag)
    else:
        results.show(source, result, outline, shelved, found, normal, drag)


def show_signal(source: SensorSource, normal: tuple[float, float], view: tuple[float, float]) -> None:
    """Show a signal and what a detector says of it, or its training and the signal alone."""
    rows = (0, 0) if source.saved else sensors.normal_rows(source.profile.rows, normal)
    result = scoring.score(source, normal)
    if result is None:
        drag = figure.ZOOM if source.saved else figure.choose_drag()
        outline = figure.fetch_outline(source.signature, source.signal, rows, view, scored=False)
        if outline is not None:
            figure.draw(figure.put_on_shelf(outline), outline, "The signal as measured", drag)
        return
    threshold, pointer = st.columns(2)
    with threshold:
        rule = rules.choose_rule()
    with pointer, st.container(gap=None):
        drag = figure.ZOOM if source.saved else figure.choose_drag()
        outline = figure.fetch_outline(result.signature, result.scored, rows, view, scored=True)
        if outline is None:
            return
        shelved = figure.put_on_shelf(outline, result.overview)
    follow_threshold(source, result, outline, shelved, rows, rule, drag)
    results.offer_downloads()
    if not source.saved:
        results.offer_self_test(source, rows)


def workbench() -> None:
    """Show a signal, what is normal of it, and what a detector says of the rest."""
    chosen = controls.choice("Signal", "source", SIGNALS, default=INVERTER)
    left, right = st.columns([1, 3], gap="large")
    with left:
        if chosen == OWN:
            source = sources.own_file(narration.text(NAME, "upload"))
        else:
            source = sources.simulate(SIGNALS[chosen], SAMPLES[chosen]())
        normal = sensors.DEFAULT_NORMAL
        if source is None or source.saved is None:
            normal = controls.range_slider(
                "Normal stretch, % of the rows", "normal", low=0.0, high=100.0, default=normal, step=0.1,
                help="The detector learns from these rows only: choose a stretch that you would vouch for.",
            )  # fmt: skip
        view = figure.choose_view()
    with right:
        if source is None:
            narration.say(NAME, "upload")
            return
        show_signal(source, normal, view)
        if source.profile.notes:
            with st.expander(f"What was done to the file ({len(source.profile.notes)})"):
                st.markdown("\n".join(f"- {plain(note)}" for note in source.profile.notes))


with frame(NAME):
    with in_words(), settings.part(f"{NAME}:workbench"):
        workbench()
    controls.try_this({
        "A weak sensor offset": USUAL | {"source": INVERTER, "fault": "offset", "severity": 0.1},
        "A spall on a bearing's inner race": USUAL | {"source": BEARING, "spall": "inner", "depth": 0.3},
        "Call the fault normal": USUAL | {
            "source": INVERTER, "fault": "open_switch", "severity": 0.5, "normal": (50.0, 80.0)
        },
    })  # fmt: skip
    why(NAME)
