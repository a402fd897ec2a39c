"""Dimension reduction: knobs in front of a decoder of flux maps, dragged in the browser; and a visitor's own map."""

from typing import Any

import numpy as np
import streamlit as st

from aecore import export
from aecore.concepts.applications import dimensions as core
from aecore.concepts.applications.dimensions import Mapper
from aecore.concepts.applications.dimensions.own import own_map, own_table
from aecore.concepts.applications.dimensions.training import train
from aecore.data.simulators.flux_maps import D_POINTS, POLE_PAIRS, Q_POINTS, torque
from aecore.numerics.threads import one_thread
from pages.ui.applications import shell
from pages.ui.applications.shell import Application, OwnFile, ShownNetwork
from pages.ui.components.knobs import Machine, Surface, knobs
from pages.ui.components.plots import Words, plots
from pages.ui.frame import narration, settings
from pages.ui.frame.downloads import Download, buttons
from pages.ui.frame.foreign import plain
from pages.ui.frame.page import fragment
from pages.ui.inputs import controls
from pages.ui.training.work import Request

NAME = "dimensions"
MACHINES = {"own": "yours", "simulated": "simulated"}  # once a visitor has brought a map
TORQUE = 1.5 * POLE_PAIRS

shipped = st.cache_resource(show_spinner=False)(core.shipped)


def section() -> Application:
    return Application(
        title="Dimension reduction",
        show=show,
        scene=("dim_size", "dim_source", "dim_machine", "dim_knobs"),
        prompts={
            "Two knobs only": {"dim_size": "2"},
            "Six knobs, another machine": {"dim_size": "6", "dim_source": "simulated", "dim_machine": 7},
            "The machine hardest to copy": {
                "dim_size": "3", "dim_source": "simulated", "dim_machine": hardest(), "dim_network": settings.DEFAULT,
            },
        },
        tables=("flux", "torque", "needed", "downstream"),
        own=OwnFile(title="Your own flux map", label="A flux map", key="dim_file", task=own_map, show=own),
        onwards=("bottleneck", "latent_clusters"),
    )  # fmt: skip


@st.cache_data(show_spinner=False)
def hardest() -> int:
    """Return the number of the shown machine that three knobs copy worst."""
    ships = shipped()
    return int(core.flux_error(ships.machines, ships.mappers[3].rebuilt(ships.machines)).argmax()) + 1


@fragment
def show(own: dict[str, Any] | None) -> None:
    """Draw the knobs and maps of one machine: a test machine, or the visitor's."""
    with one_thread():
        left, right = st.columns(2, gap="large", vertical_alignment="bottom")
        with left:
            size = int(controls.choice("Knobs", "dim_size", [str(s) for s in core.SIZES], default="4"))
        with right:
            name, truth = machine(own)
        network = own_network(size)
        mapper = shipped().mappers[size] if network.trained is None else Mapper.from_tree(network.trained)
        st.caption(network.words)
        code = mapper.encoder(truth[None])[0]
        knobs(mapper.decoder, Machine(name, truth, code), surfaces(truth), shape=(D_POINTS, Q_POINTS), torque=TORQUE,
              key="dim_knobs")  # fmt: skip
        rebuilt = mapper.rebuilt(truth[None])
        flux, made = (float(of(truth[None], rebuilt)[0]) for of in (core.flux_error, core.torque_error))
        st.caption(narration.text(shell.NAME, "dimensions-figure"))
        told = (
            f"**{name.capitalize()}** through {size} numbers instead of {core.NUMBERS}: flux off by {flux:.2f} %, "
            f"torque by {made:.2f} % of its largest (rms). The code: {', '.join(f'{v:+.2f}' for v in code)}."
        )
        plots(Words(lines=[told]), key="dim_told")


def machine(own: dict[str, Any] | None) -> tuple[str, Any]:
    """Draw the choice of a machine; returns its name and its maps."""
    if own is not None and controls.choice("Machine", "dim_source", MACHINES, default="own") == "own":
        return "your machine", own["rows"]
    number = int(controls.slider("Machine, which nothing learnt from", "dim_machine", low=1, high=core.SHOWN,
                                 default=1, step=1))  # fmt: skip
    return f"machine {number}", shipped().machines[number - 1]


def surfaces(truth: Any) -> list[Surface]:
    """Return three maps on scales that leave room around what the machine has."""
    flux, most = core.as_maps(truth[None])[0], float(torque(core.as_maps(truth[None])).max())
    low = float(flux[0].min())
    return [
        Surface("torque", "Torque", "reconstruction", 0.0, 1.25 * most),
        Surface("psi_d", "Flux ψd", "latent", min(low, 0.0) - 0.1, 1.1),
        Surface("psi_q", "Flux ψq", "latent", 0.0, 1.1),
    ]


def own_network(size: int) -> ShownNetwork:
    """Offer to train the network of so many knobs."""

    def request() -> Request:
        epochs = int(controls.slider("Epochs", "dim_epochs", low=5, high=100, default=40, step=5))
        return Request(task=train, args=(size, epochs), signature=(size, epochs), settings=("dim_size", "dim_epochs"))

    return shell.own_network(NAME, "dim_network", request, keys=("dim_epochs",), wide=True)


def own(_fingerprint: str, made: dict[str, Any]) -> None:
    """Say how well a visitor's map goes through every number of knobs."""
    st.markdown("\n".join(f"- {plain(note)}" for note in made["notes"]))
    sizes = shipped().mappers
    rows = [np.concatenate([made["rows"], mapper.rebuilt(made["rows"][None])[0]]) for mapper in sizes.values()]
    errors = [float(core.flux_error(made["rows"][None], row[None, core.NUMBERS :])[0]) for row in rows]
    st.markdown(
        "Flux error by number of knobs: "
        + ", ".join(f"{size}: {error:.2f} %" for size, error in zip(sizes, errors, strict=True))
        + ". A machine unlike the family that was learnt is off by more; train a network on your own family then."
    )
    buttons([Download("Map through 6 knobs", "flux-map.csv", lambda: export.csv(own_table(made, sizes[6])))])
