"""Anomaly detection: one fault at a time on a simulated inverter or bearing, scored by three monitors."""

from typing import Any

import numpy as np
import streamlit as st

from aecore import export
from aecore.concepts import sensor_anomalies as sensors
from aecore.concepts.applications import anomaly as core
from aecore.concepts.applications.anomaly import ALARM, AUTOENCODER, CONTESTANTS, PCA, FaultScene
from aecore.data.readers.uploads import Signal
from aecore.data.simulators.recording import SimulatedRecording
from aecore.figures.thinning import extremes
from aecore.numerics.ranking import RocCurve, roc_curve
from pages.ui import training
from pages.ui.applications.section import (
    Application,
    OwnFile,
    OwnTraining,
    TrainingControl,
    draw_notes,
    figure,
    own_network,
    reading,
)
from pages.ui.components.plots import Axes, Curve, CurvePlot, Words, plots
from pages.ui.frame.downloads import Download, buttons
from pages.ui.frame.foreign import plain
from pages.ui.inputs import controls
from pages.ui.training.work import Request

NAME = "anomaly"
LEARNING = "applications:anomaly:learn"
MACHINES = {"inverter": "inverter currents", "bearing": "bearing vibration"}
FAULTS = {
    "inverter": {"open_switch": "open switch", "offset": "sensor offset", "gain": "sensor gain",
                 "inter_turn": "inter-turn short", "none": "none"},
    "bearing": {"outer": "outer race", "inner": "inner race", "ball": "ball", "none": "none"},
}  # fmt: skip
# Points of a curve.
DRAWN = 700
ROC_POINTS = 200
STROKES = {
    AUTOENCODER: ("reconstruction", 2.6, (1, 0)), PCA: ("latent", 1.6, (6, 3)), ALARM: ("anomaly", 1.8, (2, 2)),
}  # fmt: skip

TRAINING = OwnTraining(
    key="ano_network", task=core.train, scene=("ano_machine",),
    controls=(TrainingControl("Operating points", "ano_points", 12, low=4, high=24, step=2),),
)  # fmt: skip

load_pretrained = st.cache_resource(show_spinner=False)(core.load_pretrained)


def declare() -> Application:
    return Application(
        title="Anomaly detection",
        show=show,
        scene=("ano_machine", "ano_fault", "ano_spall", "ano_severity", "ano_speed_inverter", "ano_speed_bearing",
               "ano_load", "ano_noise"),
        prompts={
            "A short between turns": {"ano_machine": "inverter", "ano_fault": "inter_turn"},
            "A weak spall": {"ano_machine": "bearing", "ano_spall": "ball", "ano_severity": 0.05},
            "Nothing wrong": {"ano_fault": "none", "ano_spall": "none"},
        },
        tables=("auc", "found", "delay"),
        own=OwnFile(
            title="Your own currents or vibration", label="A log, a channel in each column", key="ano_file",
            task=sensors.parse, show=score_own,
        ),
        onwards=("sensor_anomalies",),
    )  # fmt: skip


@figure
def show(_own: Any) -> None:
    """Draw controls, the simulated signal, and the scores of each monitor."""
    left, right = st.columns([1, 2], gap="large")
    with left:
        scene = choose_scene()
        network = own_network(NAME, TRAINING, scene.machine)
    trained = network.trained
    monitors = load_pretrained()[scene.machine] if trained is None else core.monitors_from_tree(trained)
    made = core.simulate_scene(scene)
    scores = {name: monitors[name](made.values) for name in CONTESTANTS}
    with right:
        st.caption(network.words)
        draw_scores(scene, made, scores)
    if scene.fault != "none":
        draw_roc(scene, made, scores)


def choose_scene() -> FaultScene:
    """Draw the controls of machine, fault, severity, speed, load and noise."""
    machine: core.Machine = controls.choice("Machine", "ano_machine", MACHINES, default="inverter")  # type: ignore[assignment]
    faults, (low, high) = FAULTS[machine], core.SPEEDS[machine]
    key = "ano_fault" if machine == "inverter" else "ano_spall"
    fault = controls.select("Fault, from the middle on", key, faults, default=next(iter(faults)))
    severity = controls.slider("Severity", "ano_severity", low=0.05, high=1.0, default=0.4, step=0.05)
    speed = controls.slider(
        "Speed, rpm", f"ano_speed_{machine}", low=low, high=high, default=float(np.mean(core.TEST_SPEEDS[machine])),
        step=50.0,
    )  # fmt: skip
    load = controls.slider("Load, of the rated", "ano_load", low=0.2, high=1.0, default=0.6, step=0.05)
    noise = controls.slider("Noise, of what was learnt", "ano_noise", low=0.0, high=1.0, default=0.3, step=0.05)
    quiet, loud = core.NOISES[machine]
    return FaultScene(machine=machine, fault=fault, severity=severity, speed_rpm=speed, load=load,
                 noise=quiet + noise * (loud - quiet))  # fmt: skip


def draw_scores(scene: FaultScene, made: SimulatedRecording, scores: dict[str, Any]) -> None:
    """Draw the signal around the onset, and the scores over the whole recording; 1 is the alarm."""
    near = np.flatnonzero(np.abs(made.time - core.ONSET) < 0.02)
    unit = "A" if scene.machine == "inverter" else "g"
    strokes = (("input", 1.4, (1, 0)), ("quiet", 1.2, (5, 3)), ("normal", 1.2, (2, 2)))
    names = [name.split(" [")[0] for name in made.channels[: 3 if scene.machine == "inverter" else 2]]
    rows = np.unique(np.concatenate([extremes(s, DRAWN // 3) for s in scores.values()]))
    lines = {name: Curve(np.log10(np.maximum(scores[name][rows], 1e-2)), *STROKES[name]) for name in CONTESTANTS}
    lines["alarm"] = Curve(np.zeros(len(rows)), "quiet", 1.0, (2, 3))
    plots(
        CurvePlot(
            alt="The measured signal around the onset of the fault", marks=[0.0],
            curves={name: Curve(made.values[near, c], *strokes[c]) for c, name in enumerate(names)},
            x=1e3 * (made.time[near] - core.ONSET), axes=Axes("ms around the onset", unit, 200),
        ),
        CurvePlot(
            alt="Scores of three monitors over time", marks=[core.ONSET], curves=lines, x=made.time[rows],
            axes=Axes("s", "score, 1 is the alarm", 290, logarithmic="y", ticks=range(-2, 4)),
        ),
        key="ano_figures",
    )  # fmt: skip


def draw_roc(scene: FaultScene, made: SimulatedRecording, scores: dict[str, Any]) -> None:
    """Draw the ROC of the rows shown, and how long after the onset each monitor raised an alarm."""
    left, right = st.columns([1, 2], gap="large", vertical_alignment="center")
    at = np.linspace(0, 1, 101)
    found = {name: roc_curve(made.labels, score, ROC_POINTS) for name, score in scores.items()}
    lines = {name: Curve(np.interp(at, curve.false, curve.found), *STROKES[name]) for name, curve in found.items()}
    with left:
        axes = Axes("healthy rows in alarm", "faulty rows found", 260, (0.0, 1.0))
        plots(CurvePlot(alt="ROC curves of the three monitors", curves=lines, x=at, axes=axes), key="ano_roc")
    with right:
        lines = [_describe(name, curve, scores[name], made, scene.machine) for name, curve in found.items()]
        plots(Words(lines=lines, list=True), key="ano_told")


def _describe(name: str, curve: RocCurve, score: Any, made: SimulatedRecording, machine: core.Machine) -> str:
    late = core.delay(score, made.labels, core.sample_rate(machine))
    rang = "no new alarm" if np.isnan(late) else f"alarm {1e3 * late:.1f} ms after the onset"
    return f"**{name}**: area under the curve {curve.auc:.3f}, {rang}"


def score_own(fingerprint: str, signal: Signal) -> None:
    """Train the detector on the first 30 % of a visitor's log, and draw the scores of all of it."""
    draw_notes(signal.notes)
    request = Request(
        task=sensors.train, args=(signal.values, signal.channels, signal.sample_rate, sensors.DEFAULT_NORMAL),
        signature=fingerprint, private=True, source=reading(NAME),
    )  # fmt: skip
    made = training.train_at_once(LEARNING, request)
    if made is None:
        return
    analysis = sensors.Analysis.from_tree(made.value)
    threshold = analysis.threshold()
    events = analysis.events(threshold.value)
    rows = extremes(analysis.scores, DRAWN)
    plots(
        CurvePlot(
            alt="Score of every row; above 1 is an alarm", marks=[0.3 * len(analysis.scores)], x=rows,
            curves={
                "score / alarm": Curve(analysis.scores[rows] / threshold.value, "reconstruction", 2.0),
                "alarm": Curve(np.ones(len(rows)), "quiet", 1.0, (2, 3)),
            },
            axes=Axes("row", "", 200),
        ),
        key="ano_own",
    )  # fmt: skip
    st.markdown(f"{len(events)} {'event' if len(events) == 1 else 'events'}. {plain(threshold.sentence)}")
    buttons([Download("Events", "own-events.csv", lambda: export.csv(events))])
