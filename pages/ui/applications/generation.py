"""Generation: a rare fault, more examples of it by three ways, and what a classifier gains from them."""

from typing import Any

import numpy as np
import streamlit as st

from aecore.concepts.applications import comparisons
from aecore.concepts.applications import generation as core
from aecore.concepts.applications.generation import AS_MANY, JITTER, SMOTE, VAE, FaultGenerator, Shortage
from pages.ui.applications.section import Application, OwnTraining, TrainingControl, figure, own_network
from pages.ui.components import plots as figures
from pages.ui.components.plots import Axes, Curve, Words, plots
from pages.ui.components.scrubber import Curves, Line, Panel, scrubber
from pages.ui.inputs import controls

NAME = "generation"
FAULTS: dict[str, core.RareFault] = {"misfiring": "misfiring switch", "inter_turn": "inter-turn short"}
# Synthetic examples under the slider.
SHOWN = 16
DRAWS = (VAE, SMOTE, JITTER)
STROKES = {
    core.NONE: ("quiet", 1.6, (2, 3)), core.REPEAT: ("normal", 1.6, (1, 0)), JITTER: ("anomaly", 1.8, (2, 2)),
    SMOTE: ("latent", 1.8, (6, 3)), VAE: ("reconstruction", 2.8, (1, 0)),
}  # fmt: skip

TRAINING = OwnTraining(
    key="gen_vae", task=core.compare, scene=("gen_fault", "gen_rare", "gen_draw"), label="VAE", wide=True,
    controls=(
        TrainingControl("Synthetic examples for the classifier", "gen_count", AS_MANY - AS_MANY % 50, low=50,
                        high=1_000, step=50),
    ),
)  # fmt: skip

load_pretrained = st.cache_resource(show_spinner=False)(core.load_pretrained)


def declare() -> Application:
    return Application(
        title="Generation",
        show=show,
        scene=("gen_fault", "gen_rare", "gen_draw", "gen_example"),
        prompts={
            "Only five examples": {"gen_fault": "misfiring", "gen_rare": "5"},
            "Enough of them": {"gen_fault": "misfiring", "gen_rare": "50"},
            "A fault that hides": {"gen_fault": "inter_turn", "gen_rare": "20"},
        },
        tables=("recall", "precision", "synthetic", "copies"),
        onwards=("vae_morphing", "sensor_anomalies"),
    )


@figure
def show(_own: Any) -> None:
    """Draw controls, synthetic examples beside what is nearest to them, and recall by the number of examples."""
    left, middle, right = st.columns([3, 3, 2], gap="large")
    with left:
        fault = FAULTS[controls.choice("Rare fault", "gen_fault", FAULTS, default="misfiring")]
    with middle:
        examples = int(controls.choice("Examples there are", "gen_rare", [str(n) for n in core.EXAMPLES],
                                       default="20"))  # fmt: skip
    with right:
        draw = int(controls.slider("Draw", "gen_draw", low=0, high=99, default=0, step=1))
    ships = load_pretrained()
    generator = ships.generators[fault, examples]
    network = own_network(NAME, TRAINING, Shortage(fault=fault, examples=examples, seed=draw))
    if network.trained is not None:
        generator = FaultGenerator.from_tree(network.trained["generator"])
    st.caption(network.words)
    _draw_examples(generator, ships.unseen[fault], draw)
    if network.trained is not None:
        _describe_classifiers(network.trained)
    _draw_recall(fault, examples)


def _describe_classifiers(made: dict[str, Any]) -> None:
    """Say what the classifiers of the visitor's training found."""
    found = [f"{name} {made['recall'][name]:.0%} and {made['precision'][name]:.0%}" for name in core.METHODS]
    st.markdown(f"Recall and precision of the classifiers trained here: {', '.join(found)}.")


def _draw_examples(generator: FaultGenerator, unseen: core.Array, draw: int) -> None:
    """Draw synthetic examples under a slider, each over the real one it is nearest to."""
    made = {method: core.synthesise(method, generator, SHOWN, draw) for method in DRAWS}
    found = {method: core.find_copies(x, generator.rare, unseen) for method, x in made.items()}
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
    said = ", ".join(f"{method} {np.median(copy.distance):.0f} A" for method, copy in found.items())
    usual = next(iter(found.values())).usual
    words = (
        f"No copies? A real example that nobody has shown lies {usual:.0f} A rms from the nearest of the "
        f"{len(generator.rare)} (median); synthetic ones: {said}."
    )
    plots(Words(lines=[words]), key="gen_told")


def _draw_recall(fault: core.RareFault, examples: int) -> None:
    """Draw recall against the number of examples, as measured over the seeds."""
    table = comparisons.read("generation")["recall"]
    conditions, means = table.curves(fault)
    counts = np.array([int(condition.split(", ")[1].split()[0]) for condition in conditions], float)
    drawn = {name: Curve(100 * mean, *STROKES[name]) for name, mean in means.items()}
    alt = "Recall of a classifier against the number of real examples, by way of making more of them"
    axes = Axes("examples of the rare fault", "recall, %", 220, (0, 100))
    plots(figures.CurvePlot(alt=alt, curves=drawn, x=counts, axes=axes, marks=[examples]), key="gen_recall")
