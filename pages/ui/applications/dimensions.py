"""Dimension reduction: knobs in front of a decoder of flux maps, dragged in the browser; and a visitor's own map."""

from typing import Any

import numpy as np
import streamlit as st

from aecore import export
from aecore.concepts.applications import dimensions as core
from aecore.concepts.applications.dimensions import Mapper
from aecore.data.simulators.flux_maps import D_POINTS, POLE_PAIRS, Q_POINTS, torque
from pages.ui.applications.section import (
    Application,
    OwnFile,
    OwnTraining,
    TrainingControl,
    draw_notes,
    figure,
    own_network,
    text,
)
from pages.ui.components.knobs import Machine, Surface, knobs
from pages.ui.components.plots import Words, plots
from pages.ui.frame import settings
from pages.ui.frame.downloads import Download, buttons
from pages.ui.inputs import controls

NAME = "dimensions"
# What is shown once a visitor has brought a map.
MACHINES = {"own": "yours", "simulated": "simulated"}
TORQUE = 1.5 * POLE_PAIRS

TRAINING = OwnTraining(
    key="dim_network", task=core.train, scene=("dim_size",), wide=True,
    controls=(TrainingControl("Epochs", "dim_epochs", 40, low=5, high=100, step=5),),
)  # fmt: skip

load_pretrained = st.cache_resource(show_spinner=False)(core.load_pretrained)


def declare() -> Application:
    return Application(
        title="Dimension reduction",
        show=show,
        scene=("dim_size", "dim_source", "dim_machine", "dim_knobs"),
        prompts={
            "Two knobs only": {"dim_size": "2"},
            "Six knobs, another machine": {"dim_size": "6", "dim_source": "simulated", "dim_machine": 7},
            "The machine hardest to copy": {
                "dim_size": "3", "dim_source": "simulated", "dim_machine": find_hardest(),
                "dim_network": settings.DEFAULT,
            },
        },
        tables=("flux", "torque", "needed", "downstream"),
        own=OwnFile(title="Your own flux map", label="A flux map", key="dim_file", task=core.read_map, show=rate_own),
        onwards=("bottleneck", "latent_clusters"),
        texts=("figure",),
    )  # fmt: skip


@st.cache_data(show_spinner=False)
def find_hardest() -> int:
    """Return the number of the shown machine that three knobs copy worst."""
    ships = load_pretrained()
    return int(core.flux_error(ships.machines, ships.mappers[3].reconstruct(ships.machines)).argmax()) + 1


@figure
def show(own: dict[str, Any] | None) -> None:
    """Draw the knobs and maps of one machine: a test machine, or the visitor's."""
    left, right = st.columns(2, gap="large", vertical_alignment="bottom")
    with left:
        size = int(controls.choice("Knobs", "dim_size", [str(s) for s in core.SIZES], default="4"))
    with right:
        name, truth = choose_machine(own)
    network = own_network(NAME, TRAINING, size)
    mapper = load_pretrained().mappers[size] if network.trained is None else Mapper.from_tree(network.trained)
    st.caption(network.words)
    code = mapper.encoder(truth[None])[0]
    knobs(mapper.decoder, Machine(name, truth, code), lay_out_surfaces(truth), shape=(D_POINTS, Q_POINTS),
          torque=TORQUE, key="dim_knobs")  # fmt: skip
    rebuilt = mapper.reconstruct(truth[None])
    flux, made = (float(of(truth[None], rebuilt)[0]) for of in (core.flux_error, core.torque_error))
    st.caption(text(NAME, "figure"))
    line = (
        f"**{name.capitalize()}** through {size} numbers instead of {core.NUMBERS}: flux off by {flux:.2f} %, "
        f"torque by {made:.2f} % of its largest (rms). The code: {', '.join(f'{v:+.2f}' for v in code)}."
    )
    plots(Words(lines=[line]), key="dim_told")


def choose_machine(own: dict[str, Any] | None) -> tuple[str, Any]:
    """Draw the choice of a machine; returns its name and its maps."""
    if own is not None and controls.choice("Machine", "dim_source", MACHINES, default="own") == "own":
        return "your machine", own["rows"]
    number = int(controls.slider("Machine, which nothing learnt from", "dim_machine", low=1, high=core.SHOWN,
                                 default=1, step=1))  # fmt: skip
    return f"machine {number}", load_pretrained().machines[number - 1]


def lay_out_surfaces(truth: Any) -> list[Surface]:
    """Return three maps on scales that leave room around what the machine has."""
    flux, most = core.as_maps(truth[None])[0], float(torque(core.as_maps(truth[None])).max())
    low = float(flux[0].min())
    return [
        Surface("torque", "Torque", "reconstruction", 0.0, 1.25 * most),
        Surface("psi_d", "Flux ψd", "latent", min(low, 0.0) - 0.1, 1.1),
        Surface("psi_q", "Flux ψq", "latent", 0.0, 1.1),
    ]


def rate_own(_fingerprint: str, made: dict[str, Any]) -> None:
    """Say how well a visitor's map goes through every number of knobs."""
    draw_notes(made["notes"])
    sizes = load_pretrained().mappers
    rows = [np.concatenate([made["rows"], mapper.reconstruct(made["rows"][None])[0]]) for mapper in sizes.values()]
    errors = [float(core.flux_error(made["rows"][None], row[None, core.NUMBERS :])[0]) for row in rows]
    st.markdown(
        "Flux error by number of knobs: "
        + ", ".join(f"{size}: {error:.2f} %" for size, error in zip(sizes, errors, strict=True))
        + ". A machine unlike the family that was learnt is off by more; train a network on your own family then."
    )
    buttons([Download("Map through 6 knobs", "flux-map.csv", lambda: export.csv(core.map_table(made, sizes[6])))])
