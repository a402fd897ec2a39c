"""Sensor anomalies: a log in, a normal stretch, and out come scores, events and a detector."""

import streamlit as st

from aecore import jobs
from aecore.concepts import sensor_shipped, sensors
from aecore.figures import sensors as figures
from pages.ui import controls, link, live, narration
from pages.ui.page import frame, why
from pages.ui.sensors import figure, results, rules, samples, sources

NAME = "sensor_anomalies"
SAMPLE, OWN = "Simulated inverter", "Your own file"
SAMPLES = {SAMPLE: samples.inverter, "Ball bearing": samples.bearing, "Office room": samples.room}


def trained(source: sources.Source, normal: tuple[float, float]) -> sensors.Analysis | None:
    """The result for a normal stretch, or None while its training is on screen."""
    if source.sample is not None and (tree := sensor_shipped.shipped(source.sample, normal)):
        return sensors.Analysis.from_tree(tree)
    task = source.saved_task or (*source.task, normal)
    tree = live.work(
        "sensors:train", (source.signature, task[0].__name__, normal),
        lambda: jobs.submit(*task, private=source.private), live.training_panel, again="Train",
    )  # fmt: skip
    return None if tree is None else sensors.Analysis.from_tree(tree)


@st.fragment
def judged(source: sources.Source, analysis: sensors.Analysis, scene: figures.Scene, shelved: str, rule: str) -> None:
    """Everything that follows the threshold, and no more: moving it runs this part alone."""
    figure.rerun_if_dragged()
    threshold = rules.threshold(f"{source.signature} {scene.normal}", rule, analysis)
    results.show(source, analysis, scene, shelved, threshold)


def workbench() -> None:
    chosen = controls.choice("Signal", "source", [*SAMPLES, OWN], default=SAMPLE)
    left, right = st.columns([1, 3], gap="large")
    with left:
        source = sources.own_file(narration.text(NAME, "upload")) if chosen == OWN else sources.simulated(
            chosen, SAMPLES[chosen]()
        )  # fmt: skip
        normal = controls.range_slider(
            "Normal stretch, % of the rows", "normal", low=0.0, high=100.0, default=sensors.DEFAULT_NORMAL, step=0.1,
            help="The detector learns from these rows only: choose a stretch that you would vouch for.",
        )  # fmt: skip
        figure.view_control()
    with right:
        if source is None:
            narration.say(NAME, "upload")
            return
        signal = source.signal
        rows = sensors.normal_rows(len(signal.values), normal)
        name = str(source.signature)
        analysis = trained(source, normal)
        if analysis is None:
            clock = figures.Clock.of(signal.time, len(signal.values))
            scene = figures.Scene(
                clock=clock, values=signal.values[:, : figures.MAX_STRIPS],
                channels=signal.channels[: figures.MAX_STRIPS], normal=rows, view=figure.view_of(len(clock.x)),
            )  # fmt: skip
            figure.drag_control()
            figure.draw(figure.shelve(name, scene), clock, "The signal as measured")
        else:
            scene = results.scene(source, analysis, rows)
            judge, hand = st.columns(2)
            with judge:
                rule = rules.choose()
            with hand, st.container(gap=None):
                figure.drag_control()
                shelved = figure.shelve(name, scene, analysis, signal.missing)
            judged(source, analysis, scene, shelved, rule)
            results.downloads()
            results.self_test(source, rows)
        if signal.notes:
            with st.expander(f"What was done to the file ({len(signal.notes)})"):
                st.markdown("\n".join(f"- {link.plain(note)}" for note in signal.notes))


with frame(NAME):
    workbench()
    controls.try_this({
        "A weak sensor offset": {"source": SAMPLE, "fault": "Sensor offset", "severity": 0.1},
        "A spall on a bearing's inner race": {"source": "Ball bearing", "spall": "On the inner race"},
        "Call the fault normal": {"source": SAMPLE, "fault": "Open switch", "normal": (50.0, 80.0)},
    })  # fmt: skip
    why(NAME)
