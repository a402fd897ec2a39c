"""Pre-training: labels drawn under a slider, linear probes fitted as it moves, networks trained on request."""

from typing import Any

import numpy as np
import streamlit as st

from aecore.concepts.applications import measured
from aecore.concepts.applications import pretraining as core
from aecore.concepts.applications.pretraining import CODES, PCA, RAW, SCRATCH, TUNED, Labelling, Material
from aecore.concepts.applications.pretraining_training import SCALE, compare
from aecore.data.drive_windows import LENGTH
from aecore.figures.applications import Axes, Curve, curves
from aecore.figures.vae_morphing import inked, mosaic
from pages.ui import controls, narration, on_request
from pages.ui.applications.shell import Section
from pages.ui.page import in_words
from pages.ui.theme import palette

NAME = "applications"
TRAINING = "applications:pretraining"
PER_ROW = 30  # digits shown beside one another


@st.cache_resource(show_spinner=False)
def shipped() -> dict[core.Task, tuple[Material, dict[str, core.Features]]]:
    """Each task's data as every method sees them."""
    return {task: (ships.material, core.features(*ships)) for task, ships in core.shipped().items()}


def section() -> Section:
    return Section(
        title="Pre-training",
        hired=narration.text(NAME, "pretraining-hired"),
        show=show,
        tables=("accuracy",),
        verdict=narration.text(NAME, "pretraining-verdict"),
        code=narration.text(NAME, "pretraining-code"),
        why=narration.text(NAME, "pretraining-why"),
        prompts={
            "One label a class": {"pre_task": "machine faults", "pre_labels": 1},
            "A hundred of them": {"pre_task": "machine faults", "pre_labels": 100},
            "Digits, where it hardly matters": {"pre_task": "digits", "pre_labels": 3},
        },
        onwards=("latent_clusters",),
    )


def show() -> None:
    on_request.run(TRAINING)
    bench()


@st.fragment
def bench() -> None:
    """Controls, what was labelled, and accuracy by the number of labels."""
    with in_words():
        left, middle, right = st.columns([2, 3, 2], gap="large")
        with left:
            task: core.Task = controls.choice("Data", "pre_task", list(core.TASKS), default="machine faults")  # type: ignore[assignment]
        with middle:
            count = int(controls.slider("Labels a class", "pre_labels", low=1, high=core.MOST, default=10, step=1))
        with right:
            draw = int(controls.slider("Draw of the labelled data", "pre_draw", low=0, high=99, default=0, step=1))
        data, seen = shipped()[task]
        labelling = Labelling(task=task, per_class=count, draw=draw)
        rows = core.labelled(data, labelling)
        found = {name: core.probed(data, seen[name], rows).accuracy for name in core.PROBES}
        own = _own(labelling)
        shown, curve = st.columns([1, 2], gap="large")
        with shown:
            _labelled(task, data, rows, count)
        with curve:
            _accuracy(task, count, found | own)
        _told(data, rows, found | own)


def _own(labelling: Labelling) -> dict[str, float]:
    """Accuracy of networks that the visitor had trained on these labels; none before."""
    with st.expander("Train networks on these labels", icon=":material/model_training:"):
        seed = int(controls.slider("Seed of the networks", "pre_seed", low=0, high=99, default=0, step=1))
        request = on_request.Request((labelling, seed), (compare, labelling, seed))
        tree: dict[str, Any] | None = on_request.result(TRAINING, request, narration.text(NAME, "pretraining-train"))
        return {} if tree is None else dict(tree["accuracy"])


def _labelled(task: core.Task, data: Material, rows: np.ndarray, count: int) -> None:
    """What the labels fell on: digits as pictures, machines as one window a class."""
    colours = palette()
    if task == "digits":
        pictures = data.pool.x[rows].reshape(len(data.names), count, 8, 8)[:, :PER_ROW].reshape(-1, 8, 8)
        sheet = mosaic(pictures, min(count, PER_ROW), gap=1)
        sheet = sheet.repeat(max(1, 300 // sheet.shape[1]), 0).repeat(max(1, 300 // sheet.shape[1]), 1)
        st.markdown(f"**Labelled:** {count} of each digit")
        st.image(inked(sheet, colours.input), width="stretch" if count > 4 else "content")
        return
    x = 100 / SCALE * data.pool.x[rows].reshape(len(data.names), count, 3, LENGTH)[:, 0, 0]
    inks = (colours.normal, colours.input, colours.latent, colours.anomaly, colours.reconstruction)
    dashes = ((1, 0), (1, 0), (6, 3), (2, 2), (8, 2))
    drawn = {name: Curve(x[n], inks[n], 1.6, dashes[n]) for n, name in enumerate(data.names)}
    axes = Axes("electrical angle, °", "phase a off its sine, % of the amplitude", 260)
    figure = curves(drawn, np.arange(LENGTH) * 360 / LENGTH, axes)
    st.vega_lite_chart(None, figure.whole, width="stretch", alt="The first labelled turn of every class, phase a")


def _accuracy(task: core.Task, count: int, now: dict[str, float]) -> None:
    """Means over the seeds against labels a class, on a scale where 1 to 100 are evenly told apart."""
    table = measured.read("pretraining")["accuracy"]
    rows = [n for n, condition in enumerate(table.conditions) if condition.startswith(task)]
    colours = palette()
    strokes = {
        RAW: (colours.input, 1.6, (1, 0)), PCA: (colours.quiet, 1.8, (6, 3)), CODES: (colours.latent, 2.4, (1, 0)),
        SCRATCH: (colours.anomaly, 1.8, (2, 2)), TUNED: (colours.reconstruction, 2.8, (1, 0)),
    }  # fmt: skip
    levels = np.log10(core.LEVELS)
    drawn = {name: Curve(table.mean[rows, table.contestants.index(name)], *strokes[name]) for name in table.contestants}
    axes = Axes("labels a class, as a power of ten", "test accuracy, %", 260)
    figure = curves(drawn, levels, axes, marks=[float(np.log10(count))])
    words = "Test accuracy against labels a class: " + ", ".join(f"{name} {a:.0%} now" for name, a in now.items())
    st.vega_lite_chart(None, figure.whole, width="stretch", alt=words)


def _told(data: Material, rows: np.ndarray, now: dict[str, float]) -> None:
    best = max(now, key=lambda name: now[name])
    told = ", ".join(f"{'**' if n == best else ''}{n} {a:.1%}{'**' if n == best else ''}" for n, a in now.items())
    st.markdown(f"These {len(rows)} labels, {len(data.test.y)} test data: {told} right.")
