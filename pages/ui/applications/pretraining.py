"""Pre-training: samples get labels by a slider, linear probes are fitted as it moves, networks on request."""

from typing import Any

import numpy as np
import streamlit as st

from aecore.concepts.applications import comparisons
from aecore.concepts.applications import pretraining as core
from aecore.concepts.applications.pretraining import CODES, PCA, RAW, SCALE, SCRATCH, TUNED, Labelling, Material
from aecore.data.simulators.drive_windows import LENGTH
from aecore.figures.ink import tile
from pages.ui.applications.section import (
    BUILTIN,
    OWN,
    Application,
    OwnTraining,
    TrainingControl,
    figure,
    list_values,
    own_network,
)
from pages.ui.components.plots import Axes, Curve, CurvePlot, Sheet, Words, plots
from pages.ui.inputs import controls

NAME = "pretraining"
TASKS: dict[str, core.PretrainingTask] = {"faults": "machine faults", "digits": "digits"}
# Digits shown beside one another.
PER_ROW = 30
STROKES = {
    RAW: ("input", 1.6, (1, 0)), PCA: ("quiet", 1.8, (6, 3)), CODES: ("latent", 2.4, (1, 0)),
    SCRATCH: ("anomaly", 1.8, (2, 2)), TUNED: ("reconstruction", 2.8, (1, 0)),
}  # fmt: skip


TRAINING = OwnTraining(
    key="pre_networks", task=core.compare, scene=("pre_task", "pre_labels", "pre_draw"), label="Networks", wide=True,
    title="Train networks on these labels", names={BUILTIN: "as measured", OWN: "trained here"},
    controls=(TrainingControl("Seed of the networks", "pre_seed", 0, low=0, high=99),),
)  # fmt: skip


@st.cache_resource(show_spinner=False)
def load_pretrained() -> dict[core.PretrainingTask, tuple[Material, dict[str, core.Features]]]:
    """Return each task's data as every method gets them."""
    return {task: (built.material, core.extract_features(*built)) for task, built in core.load_pretrained().items()}


def declare() -> Application:
    return Application(
        title="Pre-training",
        show=show,
        scene=("pre_task", "pre_labels", "pre_draw"),
        prompts={
            "One label a class": {"pre_task": "faults", "pre_labels": 1},
            "A hundred of them": {"pre_task": "faults", "pre_labels": 100},
            "Digits, where it hardly matters": {"pre_task": "digits", "pre_labels": 3},
        },
        tables=("accuracy",),
        onwards=("latent_clusters",),
    )


@figure
def show(_own: Any) -> None:
    """Draw controls, what was labelled, and accuracy by the number of labels."""
    left, middle, right = st.columns([2, 3, 2], gap="large")
    with left:
        task = TASKS[controls.choice("Data", "pre_task", TASKS, default="faults")]
    with middle:
        count = int(controls.slider("Labels a class", "pre_labels", low=1, high=core.MOST, default=10, step=1))
    with right:
        draw = int(controls.slider("Draw of the labelled data", "pre_draw", low=0, high=99, default=0, step=1))
    data, seen = load_pretrained()[task]
    labelling = Labelling(task=task, per_class=count, draw=draw)
    rows = core.choose_rows(data, labelling)
    found = {name: core.fit_probe(data, seen[name], rows).accuracy for name in core.PROBES}
    network = own_network(NAME, TRAINING, labelling)
    own = {} if network.trained is None else dict(network.trained["accuracy"])
    shown, curve = st.columns([1, 2], gap="large")
    with shown:
        _draw_labelled(task, data, rows, count)
    with curve:
        st.caption(network.words)
        _draw_accuracy(task, count, found | own)
    said = list_values(found | own, ".1%")
    plots(Words(lines=[f"These {len(rows)} labels, {len(data.test.y)} test data: {said} right."]), key="pre_told")


def _draw_labelled(task: core.PretrainingTask, data: Material, rows: np.ndarray, count: int) -> None:
    """Draw the samples that got labels: digits as pictures, machines as one window a class."""
    if task == "digits":
        pictures = data.pool.x[rows].reshape(len(data.names), count, 8, 8)[:, :PER_ROW].reshape(-1, 8, 8)
        title = f"{count} labelled of each digit" + (f", {PER_ROW} shown" if count > PER_ROW else "")
        sheet = tile(pictures, min(count, PER_ROW))
        plots(Sheet(alt=title, title=title, values=sheet, ink="input"), key="pre_labelled")
        return
    x = 100 / SCALE * data.pool.x[rows].reshape(len(data.names), count, 3, LENGTH)[:, 0, 0]
    inks = ("normal", "input", "latent", "anomaly", "reconstruction")
    dashes = ((1, 0), (1, 0), (6, 3), (2, 2), (8, 2))
    drawn = {name: Curve(x[n], inks[n], 1.6, dashes[n]) for n, name in enumerate(data.names)}
    axes = Axes("electrical angle, °", "phase a off its sine, % of the amplitude", 260)
    angle, alt = np.arange(LENGTH) * 360 / LENGTH, "The first labelled turn of every class, phase a"
    plots(CurvePlot(alt=alt, curves=drawn, x=angle, axes=axes), key="pre_labelled")


def _draw_accuracy(task: core.PretrainingTask, count: int, now: dict[str, float]) -> None:
    """Draw means over the seeds against labels a class, on a scale where 1 to 100 are evenly told apart."""
    table = comparisons.read("pretraining")["accuracy"]
    drawn = {name: Curve(mean, *STROKES[name]) for name, mean in table.curves(task)[1].items()}
    alt = "Test accuracy against labels a class: " + ", ".join(f"{name} {a:.0%} now" for name, a in now.items())
    levels = np.log10(core.LEVELS)
    axes = Axes("labels a class", "test accuracy, %", 260, logarithmic="x", ticks=levels.tolist())
    plots(CurvePlot(alt=alt, curves=drawn, x=levels, axes=axes, marks=[float(np.log10(count))]), key="pre_accuracy")
