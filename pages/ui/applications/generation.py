"""Generation: a rare fault, more examples of it by three ways, and what a classifier gains from them."""

from typing import Any

import numpy as np
import streamlit as st

from aecore.concepts.applications import generation as core
from aecore.concepts.applications import measured
from aecore.concepts.applications.generation import JITTER, SMOTE, VAE, Generator, Shortage
from aecore.concepts.applications.generation_training import AS_MANY, compare
from aecore.concepts.one_thread import one_thread
from pages.ui import controls, narration, on_request
from pages.ui import plots as figures
from pages.ui.applications import shell
from pages.ui.applications.shell import Section
from pages.ui.page import in_words
from pages.ui.plots import Axes, Curve, Words, plots
from pages.ui.scrubber import Curves, Line, Panel, scrubber

NAME = "applications"
TRAINING = "applications:generation"
SHOWN = 16  # synthetic examples under the handle
DRAWS = (VAE, SMOTE, JITTER)
STROKES = {
    core.NONE: ("quiet", 1.6, (2, 3)), core.REPEAT: ("normal", 1.6, (1, 0)), JITTER: ("anomaly", 1.8, (2, 2)),
    SMOTE: ("latent", 1.8, (6, 3)), VAE: ("reconstruction", 2.8, (1, 0)),
}  # fmt: skip

shipped = st.cache_resource(show_spinner=False)(core.shipped)


def section() -> Section:
    return Section(
        title="Generation",
        hired=narration.text(NAME, "generation-hired"),
        show=show,
        tables=("recall", "precision", "synthetic", "copies"),
        verdict=narration.text(NAME, "generation-verdict"),
        code=narration.text(NAME, "generation-code"),
        why=narration.text(NAME, "generation-why"),
        prompts={
            "Only five examples": {"gen_fault": "misfiring switch", "gen_rare": "5"},
            "Enough of them": {"gen_fault": "misfiring switch", "gen_rare": "50"},
            "A fault that hides": {"gen_fault": "inter-turn short", "gen_rare": "20"},
        },
        onwards=("vae_morphing", "sensor_anomalies"),
    )


def show() -> None:
    on_request.run(TRAINING, _panel)
    bench()


def _panel(job: Any) -> None:
    from pages.ui import live

    live.training_panel(job) if "epoch" in (job.latest or {}) else live.progress_bar(job)


@st.fragment
def bench() -> None:
    """Controls, synthetic examples beside what is nearest to them, and recall by the number of examples."""
    with in_words(), one_thread():
        left, middle, right = st.columns([3, 3, 2], gap="large")
        with left:
            fault: core.Fault = controls.choice("Rare fault", "gen_fault", list(core.FAULTS), default=core.FAULTS[0])  # type: ignore[assignment]
        with middle:
            examples = int(controls.choice("Examples there are", "gen_rare", [str(n) for n in core.EXAMPLES],
                                           default="20"))  # fmt: skip
        with right:
            draw = int(controls.slider("Draw", "gen_draw", low=0, high=99, default=0, step=1))
        ships = shipped()
        generator = ships.generators[fault, examples]
        own = _own(Shortage(fault=fault, examples=examples, seed=draw))
        if own is not None:
            generator = core.generator_from_tree(own["generator"])
        _examples(generator, ships.unseen[fault], draw)
        _recall(fault, examples, own)


def _own(shortage: Shortage) -> dict[str, Any] | None:
    """A VAE and five classifiers of the visitor's own, or None."""
    with shell.training("Train it here", "gen_vae", "as it ships") as shown:
        if not shown:
            return None
        which = controls.choice("VAE", "gen_vae", ["as it ships", "trained here"], default="as it ships")
        count = int(controls.slider("Synthetic examples for the classifier", "gen_count", low=50, high=1_000,
                                    default=AS_MANY - AS_MANY % 50, step=50))  # fmt: skip
        if which == "as it ships":
            return None
        request = on_request.Request((shortage, count), (compare, shortage, count))
        tree: dict[str, Any] | None = on_request.result(TRAINING, request, narration.text(NAME, "generation-train"))
        if tree is not None:
            told = [f"{name} {tree['recall'][name]:.0%} and {tree['precision'][name]:.0%}" for name in core.METHODS]
            st.markdown(f"Recall and precision with {count} synthetic examples: {', '.join(told)}.")
        return tree


def _examples(generator: Generator, unseen: core.Array, draw: int) -> None:
    """Synthetic examples under a handle, each over the real one it is nearest to."""
    made = {method: core.synthetic(method, generator, SHOWN, draw) for method in DRAWS}
    found = {method: core.copies(x, generator.rare, unseen) for method, x in made.items()}
    rare = core.as_currents(generator.rare)
    values = {method: core.as_currents(x) for method, x in made.items()}
    top = 1.05 * max(float(np.abs(v).max()) for v in (rare, *values.values()))
    panels: list[Panel] = [
        Curves(
            title=f"{method}, phase a, 12 ms",
            lines=[
                Line(values=rare[found[method].nearest, 0], role="input", label="nearest real one"),
                Line(values=values[method][:, 0], role="reconstruction", label="synthetic"),
            ],
            y_range=(-top, top),
            captions=[f"{apart:.0f} A apart, rms" for apart in found[method].distance],
        )
        for method in DRAWS
    ]
    names = [str(n + 1) for n in range(SHOWN)]
    scrubber(panels, label="synthetic example", key="gen_example", values=names, columns=3, height=200)
    told = ", ".join(f"{method} {np.median(copy.distance):.0f} A" for method, copy in found.items())
    usual = next(iter(found.values())).usual
    words = (
        f"No copies? A real example that nobody has shown lies {usual:.0f} A rms from the nearest of the "
        f"{len(generator.rare)} (median); synthetic ones: {told}."
    )
    plots(Words(lines=[words]), key="gen_told")


def _recall(fault: core.Fault, examples: int, own: dict[str, Any] | None) -> None:
    """Recall against the number of examples, as measured over the seeds, and the visitor's own in the middle of it."""
    table = measured.read("generation")["recall"]
    rows = [n for n, condition in enumerate(table.conditions) if condition.startswith(fault)]
    counts = np.array([int(table.conditions[n].split(", ")[1].split()[0]) for n in rows], float)
    drawn = {
        name: Curve(100 * table.mean[rows, table.contestants.index(name)], *STROKES[name])
        for name in table.contestants
    }  # fmt: skip
    alt = "Recall of a classifier against the number of real examples, by way of making more of them"
    axes = Axes("examples of the rare fault", "recall, %", 220, (0, 100))
    plots(figures.Curves(alt=alt, curves=drawn, x=counts, axes=axes, marks=[examples]), key="gen_recall")
