"""Pre-training: labels drawn under a slider, linear probes fitted as it moves, networks trained on request."""

from typing import Any

import numpy as np
import streamlit as st

from aecore.concepts.applications import measured
from aecore.concepts.applications import pretraining as core
from aecore.concepts.applications.pretraining import CODES, PCA, RAW, SCRATCH, TUNED, Labelling, Material
from aecore.concepts.applications.pretraining.training import SCALE, compare
from aecore.data.simulators.drive_windows import LENGTH
from aecore.figures.ink import tile
from aecore.numerics.threads import one_thread
from pages.ui.applications import shell
from pages.ui.applications.shell import Application, ShownNetwork
from pages.ui.components.plots import Axes, Curve, Curves, Sheet, Words, plots
from pages.ui.frame.page import fragment
from pages.ui.inputs import controls
from pages.ui.training.work import Request

NAME = "pretraining"
TASKS: dict[str, core.Task] = {"faults": "machine faults", "digits": "digits"}
NETWORKS = {shell.BUILTIN: "as measured", shell.OWN: "trained here"}
PER_ROW = 30  # digits shown beside one another
STROKES = {
    RAW: ("input", 1.6, (1, 0)), PCA: ("quiet", 1.8, (6, 3)), CODES: ("latent", 2.4, (1, 0)),
    SCRATCH: ("anomaly", 1.8, (2, 2)), TUNED: ("reconstruction", 2.8, (1, 0)),
}  # fmt: skip


@st.cache_resource(show_spinner=False)
def shipped() -> dict[core.Task, tuple[Material, dict[str, core.Features]]]:
    """Each task's data as every method sees them."""
    return {task: (ships.material, core.features(*ships)) for task, ships in core.shipped().items()}


def section() -> Application:
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


@fragment
def show(_own: Any) -> None:
    """Draw controls, what was labelled, and accuracy by the number of labels."""
    with one_thread():
        left, middle, right = st.columns([2, 3, 2], gap="large")
        with left:
            task = TASKS[controls.choice("Data", "pre_task", TASKS, default="faults")]
        with middle:
            count = int(controls.slider("Labels a class", "pre_labels", low=1, high=core.MOST, default=10, step=1))
        with right:
            draw = int(controls.slider("Draw of the labelled data", "pre_draw", low=0, high=99, default=0, step=1))
        data, seen = shipped()[task]
        labelling = Labelling(task=task, per_class=count, draw=draw)
        rows = core.labelled(data, labelling)
        found = {name: core.probed(data, seen[name], rows).accuracy for name in core.PROBES}
        network = own_network(labelling)
        own = {} if network.trained is None else dict(network.trained["accuracy"])
        shown, curve = st.columns([1, 2], gap="large")
        with shown:
            _labelled(task, data, rows, count)
        with curve:
            st.caption(network.words)
            _accuracy(task, count, found | own)
        _told(data, rows, found | own)


def own_network(labelling: Labelling) -> ShownNetwork:
    """Offer to train networks on these labels."""

    def request() -> Request:
        seed = int(controls.slider("Seed of the networks", "pre_seed", low=0, high=99, default=0, step=1))
        return Request(task=compare, args=(labelling, seed), signature=(labelling, seed),
                       settings=("pre_task", "pre_labels", "pre_draw", "pre_seed"))  # fmt: skip

    title = "Train networks on these labels"
    return shell.own_network(
        NAME,
        "pre_networks",
        request,
        keys=("pre_seed",),
        label="Networks",
        title=title,
        shown=NETWORKS,
        wide=True,
    )


def _labelled(task: core.Task, data: Material, rows: np.ndarray, count: int) -> None:
    """What the labels fell on: digits as pictures, machines as one window a class."""
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
    plots(Curves(alt=alt, curves=drawn, x=angle, axes=axes), key="pre_labelled")


def _accuracy(task: core.Task, count: int, now: dict[str, float]) -> None:
    """Means over the seeds against labels a class, on a scale where 1 to 100 are evenly told apart."""
    table = measured.read("pretraining")["accuracy"]
    rows = [n for n, condition in enumerate(table.conditions) if condition.startswith(task)]
    drawn = {
        name: Curve(table.mean[rows, table.contestants.index(name)], *STROKES[name]) for name in table.contestants
    }  # fmt: skip
    alt = "Test accuracy against labels a class: " + ", ".join(f"{name} {a:.0%} now" for name, a in now.items())
    levels = np.log10(core.LEVELS)
    axes = Axes("labels a class", "test accuracy, %", 260, logarithmic="x", ticks=levels.tolist())
    plots(Curves(alt=alt, curves=drawn, x=levels, axes=axes, marks=[float(np.log10(count))]), key="pre_accuracy")


def _told(data: Material, rows: np.ndarray, now: dict[str, float]) -> None:
    best = max(now, key=lambda name: now[name])
    told = ", ".join(f"{'**' if n == best else ''}{n} {a:.1%}{'**' if n == best else ''}" for n, a in now.items())
    plots(Words(lines=[f"These {len(rows)} labels, {len(data.test.y)} test data: {told} right."]), key="pre_told")
