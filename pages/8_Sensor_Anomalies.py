"""Sensor anomalies: a log in, a normal stretch, and out come scores, events and a detector."""

import streamlit as st

from aecore.concepts import sensor_shipped, sensors
from aecore.figures import sensors as figures
from pages.ui import controls, narration, settings, training
from pages.ui.foreign import plain
from pages.ui.page import fragment, frame, in_words, why
from pages.ui.sensors import figure, results, rules, samples, sources
from pages.ui.work import Request

NAME = "sensor_anomalies"
INVERTER, BEARING, ROOM, OWN = "inverter", "bearing", "room", "own"
SIGNALS = {INVERTER: "Simulated inverter", BEARING: "Ball bearing", ROOM: "Office room", OWN: "Your own file"}
SAMPLES = {INVERTER: samples.inverter, BEARING: samples.bearing, ROOM: samples.room}
USUAL = {"normal": sensors.DEFAULT_NORMAL, "view": figure.ALL}  # of what a prompt shows


def train(source: sources.Source, normal: tuple[float, float]) -> sensors.Analysis | None:
    """Return the result for a normal stretch, or None while its training is on screen."""
    if source.sample is not None and (tree := sensor_shipped.shipped(source.sample, normal)):
        return sensors.Analysis.from_tree(tree)
    task, *args = source.saved_task or (*source.task, normal)
    request = Request(
        task=task, args=tuple(args), signature=(source.signature, task.__name__, normal), private=source.private
    )
    made = training.train_at_once("sensors:train", request, label="Score again" if source.saved_task else "Train")
    return None if made is None else sensors.Analysis.from_tree(made.value)


@fragment
def follow_threshold(
    source: sources.Source, analysis: sensors.Analysis, scene: figures.Scene, shelved: str, rule: str, drag: str
) -> None:
    """Show everything that follows the threshold, and no more: moving it runs this part alone."""
    figure.rerun_if_dragged()
    threshold = rules.choose_threshold(f"{source.signature} {scene.normal}", rule, analysis)
    results.show(source, analysis, scene, shelved, threshold, drag)


def workbench() -> None:
    """Show a signal, what is normal of it, and what a detector says of the rest."""
    chosen = controls.choice("Signal", "source", SIGNALS, default=INVERTER)
    left, right = st.columns([1, 3], gap="large")
    with left:
        source = sources.own_file(narration.text(NAME, "upload")) if chosen == OWN else sources.simulated(
            SIGNALS[chosen], SAMPLES[chosen]()
        )  # fmt: skip
        saved = source is not None and source.saved_task is not None
        normal = sensors.DEFAULT_NORMAL if saved else controls.range_slider(
            "Normal stretch, % of the rows", "normal", low=0.0, high=100.0, default=sensors.DEFAULT_NORMAL, step=0.1,
            help="The detector learns from these rows only: choose a stretch that you would vouch for.",
        )  # fmt: skip
        figure.view_control()
    with right:
        if source is None:
            narration.say(NAME, "upload")
            return
        signal = source.signal
        rows = (0, 0) if saved else sensors.normal_rows(len(signal.values), normal)
        name = str(source.signature)
        analysis = train(source, normal)
        if analysis is None:
            clock = figures.Clock.of(signal.time, len(signal.values))
            scene = figures.Scene(
                clock=clock, values=signal.values[:, : figures.MAX_STRIPS],
                channels=signal.channels[: figures.MAX_STRIPS], normal=rows, view=figure.view_of(len(clock.x)),
            )  # fmt: skip
            drag = figure.ZOOM if saved else figure.choose_drag()
            figure.draw(figure.shelve(name, scene), clock, "The signal as measured", drag)
        else:
            scene = results.scene(source, analysis, rows)
            threshold, pointer = st.columns(2)
            with threshold:
                rule = rules.choose_rule()
            with pointer, st.container(gap=None):
                drag = figure.ZOOM if saved else figure.choose_drag()
                shelved = figure.shelve(name, scene, analysis, signal.missing)
            follow_threshold(source, analysis, scene, shelved, rule, drag)
            results.downloads()
            if not saved:
                results.self_test(source, rows)
        if signal.notes:
            with st.expander(f"What was done to the file ({len(signal.notes)})"):
                st.markdown("\n".join(f"- {plain(note)}" for note in signal.notes))


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
