"""Interpolation: two measurements, and what lies between them, under a slider."""

from typing import Any

import numpy as np
import streamlit as st

from aecore.concepts.applications import interpolation as core
from aecore.concepts.applications.interpolation import FADE, MIDDLE, PLAIN, ROUND, STRAIGHT, VAE, Ends, Way
from aecore.data.simulators.drive_windows import RATED_TORQUE
from pages.ui.applications.section import BUILTIN, OWN, Application, OwnTraining, TrainingControl, figure, own_network
from pages.ui.components import plots as figures
from pages.ui.components.plots import Axes, Curve, Words, plots
from pages.ui.components.scrubber import Curves, Images, Line, Panel, scrubber
from pages.ui.inputs import controls

NAME = "interpolation"
DATA = {"currents": "phase currents", "shapes": "shapes"}
WALKS = {"round": "round the middle", "straight": "straight"}
NETWORKS = {BUILTIN: "as they ship", OWN: "trained here"}
PULLS = {"none": "none", "weak": "weak", "builtin": "as it ships", "strong": "strong", "very_strong": "very strong"}
# Multiples of the built-in networks' beta.
TIMES = {"none": 0.0, "weak": 0.1, "builtin": 1.0, "strong": 10.0, "very_strong": 30.0}


def _training_args(kind: core.Kind, pull: str) -> tuple[core.InterpolationTraining]:
    return (core.InterpolationTraining(kind=kind, beta=core.BETA[kind] * TIMES[pull]),)


TRAINING = OwnTraining(
    key="int_networks", task=core.train, args=_training_args, scene=("int_data",), label="Networks",
    title="Train them here", names=NETWORKS, wide=True,
    controls=(TrainingControl("Pull of the KL term", "int_pull", "builtin", options=PULLS),),
)  # fmt: skip

load_pretrained = st.cache_resource(show_spinner=False)(core.load_pretrained)


def declare() -> Application:
    return Application(
        title="Interpolation",
        show=show,
        scene=("int_data", "int_walk", "int_way", "int_speed", "int_torque", "int_figure", "int_size", "int_angle"),
        prompts={
            "Straight through the code": {"int_data": "currents", "int_walk": "straight", "int_way": MIDDLE},
            "Too far apart for anybody": {"int_data": "currents", "int_speed": (1_900.0, 3_900.0),
                                          "int_walk": "round"},
            "A star that grows": {"int_data": "shapes", "int_figure": "star", "int_size": (5.0, 9.0),
                                  "int_angle": (0.0, 0.0)},
        },
        tables=("middle",),
        onwards=("vae_morphing",),
    )  # fmt: skip


@figure
def show(_own: Any) -> None:
    """Draw both ends, and the way of each network between them."""
    with st.container(horizontal=True):
        kind: core.Kind = controls.choice("What is measured", "int_data", DATA, default="currents")  # type: ignore[assignment]
        chosen = controls.choice("Way through the code", "int_walk", WALKS, default="round")
    walk = ROUND if chosen == "round" else STRAIGHT
    ends = _choose_currents() if kind == "currents" else _choose_shapes()
    network = own_network(NAME, TRAINING, kind)
    networks = load_pretrained()[kind] if network.trained is None else core.networks_from_tree(network.trained)
    st.caption(network.words)
    made = core.walk_between(networks, ends)
    at = scrubber(
        _panels(kind, made, walk), label="share of the way", key="int_way",
        values=[f"{share:.2f}" for share in np.linspace(0, 1, core.STEPS)], default=MIDDLE, columns=3, height=210,
    )  # fmt: skip
    _draw_errors(made, walk, at)


def _choose_currents() -> Ends:
    left, right = st.columns(2, gap="large")
    with left:
        speeds = controls.range_slider("Speeds of both ends, rpm", "int_speed", low=1_800.0, high=4_000.0,
                                       default=(2_500.0, 3_300.0), step=50.0, format="%d")  # fmt: skip
    with right:
        torques = controls.range_slider("Torques of both ends, N m", "int_torque", low=18.0, high=90.0,
                                        default=(45.0, 63.0), step=1.0, format="%d")  # fmt: skip
    loads = [torque / RATED_TORQUE for torque in torques]
    return Ends(first=(speeds[0], loads[0]), last=(speeds[1], loads[1]))


def _choose_shapes() -> Ends:
    left, middle, right = st.columns([2, 2, 2], gap="large")
    with left:
        figure = controls.choice("Figure", "int_figure", list(core.FIGURES), default="star")
    with middle:
        sizes = controls.range_slider("Sizes, pixels", "int_size", low=5.0, high=9.0, default=(5.5, 8.5), step=0.1,
                                      format="%.1f")  # fmt: skip
    with right:
        angles = controls.range_slider("Angles, degrees", "int_angle", low=-40.0, high=40.0, default=(0.0, 0.0),
                                       format="%d", step=1.0)  # fmt: skip
    return Ends(kind="shapes", first=(sizes[0], angles[0]), last=(sizes[1], angles[1]), figure=figure)


def _panels(kind: core.Kind, made: Way, walk: str) -> list[Panel]:
    chosen = f"{VAE}, {walk}"
    captions = {name: [f"{100 * e:.0f} % off" for e in made.error(name)] for name in (chosen, FADE)}
    if kind == "shapes":
        return [
            Images(title="Truth", frames=made.truth, role="input"),
            Images(title=f"VAE, {walk}", frames=made.walks[chosen], role="reconstruction", captions=captions[chosen]),
            Images(title=FADE, frames=made.walks[FADE], role="lost", captions=captions[FADE]),
        ]
    top = 1.05 * max(float(np.abs(values).max()) for values in (made.truth, *made.walks.values()))
    truth = Line(values=made.truth[:, 0], role="input", label="truth")
    return [
        Curves(title="Truth, phase a, 12 ms", lines=[truth], y_range=(-top, top)),
        Curves(
            title=f"VAE, {walk}",
            lines=[truth, Line(values=made.walks[chosen][:, 0], role="reconstruction", label="decoded")],
            y_range=(-top, top), captions=captions[chosen],
        ),
        Curves(
            title=FADE, lines=[truth, Line(values=made.walks[FADE][:, 0], role="lost", label="faded")],
            y_range=(-top, top), captions=captions[FADE],
        ),
    ]  # fmt: skip


def _draw_errors(made: Way, walk: str, at: int) -> None:
    """Draw the error of every contestant along the way, and in words where the slider stands."""
    shares = np.linspace(0, 1, core.STEPS)
    names = {f"{VAE}, {walk}": ("reconstruction", 2.6, (1, 0)), f"{PLAIN}, {walk}": ("latent", 1.8, (6, 3)),
             FADE: ("quiet", 1.8, (2, 3))}  # fmt: skip
    drawn = {name: Curve(100 * made.error(name), *stroke) for name, stroke in names.items()}
    alt = "Error of the VAE, the plain autoencoder and the cross-fade along the way"
    axes = Axes("share of the way", "error, % of the truth's rms", 200)
    errors = ", ".join(f"{name} {100 * made.error(name)[at]:.0f} % off the truth" for name in names)
    words = Words(lines=[f"At {shares[at]:.0%} of the way: {errors}."])
    plots(
        figures.CurvePlot(alt=alt, curves=drawn, x=shares, axes=axes, marks=[shares[at]]), words,
        key="int_errors",
    )  # fmt: skip
