"""Dimension reduction: knobs in front of a decoder of flux maps, dragged in the browser; and a visitor's own map."""

from typing import Any

import numpy as np
import streamlit as st

from aecore import export, jobs
from aecore.concepts.applications import dimensions as core
from aecore.concepts.applications.dimensions import Mapper
from aecore.concepts.applications.dimensions_own import own_map, own_table
from aecore.concepts.applications.dimensions_training import train
from aecore.concepts.one_thread import one_thread
from aecore.data.flux_maps import D_POINTS, POLE_PAIRS, Q_POINTS, torque
from pages.ui import controls, link, live, narration, on_request
from pages.ui.applications import shell
from pages.ui.applications.shell import Section
from pages.ui.downloads import Download, buttons
from pages.ui.knobs import Machine, Surface, knobs
from pages.ui.page import in_words
from pages.ui.plots import Words, plots
from pages.ui.uploads import upload

NAME = "applications"
TRAINING, READING = "applications:dimensions", "applications:dimensions:own"
TORQUE = 1.5 * POLE_PAIRS

shipped = st.cache_resource(show_spinner=False)(core.shipped)


def section() -> Section:
    return Section(
        title="Dimension reduction",
        hired=narration.text(NAME, "dimensions-hired"),
        show=show,
        tables=("flux", "torque", "needed", "downstream"),
        verdict=narration.text(NAME, "dimensions-verdict"),
        code=narration.text(NAME, "dimensions-code"),
        why=narration.text(NAME, "dimensions-why"),
        prompts={
            "Two knobs only": {"dim_size": "2"},
            "Six knobs, another machine": {"dim_size": "6", "dim_machine": 7},
            "The machine hardest to copy": {"dim_size": "3", "dim_machine": hardest()},
        },
        onwards=("bottleneck", "latent_clusters"),
    )


@st.cache_data(show_spinner=False)
def hardest() -> int:
    """The shown machine that three knobs copy worst."""
    ships = shipped()
    return int(core.flux_error(ships.machines, ships.mappers[3].rebuilt(ships.machines)).argmax()) + 1


def show() -> None:
    on_request.run(TRAINING)
    top = st.container()
    made = own_machine()
    with top:
        bench(made)


@st.fragment
def bench(own: dict[str, Any] | None) -> None:
    """Knobs and maps of one machine: a test machine, or the visitor's."""
    with in_words(), one_thread():
        left, middle, right = st.columns([2, 2, 2], gap="large", vertical_alignment="bottom")
        with left:
            size = int(controls.choice("Knobs", "dim_size", [str(s) for s in core.SIZES], default="4"))
        with middle:
            number = int(controls.slider("Machine, which nothing learnt from", "dim_machine", low=1, high=core.SHOWN,
                                         default=1, step=1))  # fmt: skip
        with right:
            mapper = chosen_network(size)
        name, truth = f"machine {number}", shipped().machines[number - 1]
        if own is not None:
            name, truth = "your machine", own["rows"]
        code = mapper.encoder(truth[None])[0]
        knobs(mapper.decoder, Machine(name, truth, code), surfaces(truth), shape=(D_POINTS, Q_POINTS), torque=TORQUE,
              key="dim_knobs")  # fmt: skip
        rebuilt = mapper.rebuilt(truth[None])
        flux, made = (float(of(truth[None], rebuilt)[0]) for of in (core.flux_error, core.torque_error))
        st.caption(narration.text(NAME, "dimensions-figure"))
        told = (
            f"**{name.capitalize()}** through {size} numbers instead of {core.NUMBERS}: flux off by {flux:.2f} %, "
            f"torque by {made:.2f} % of its largest (rms). The code: {', '.join(f'{v:+.2f}' for v in code)}."
        )
        plots(Words(lines=[told]), key="dim_told")


def surfaces(truth: Any) -> list[Surface]:
    """Three maps on scales that leave room around what the machine has."""
    flux, most = core.as_maps(truth[None])[0], float(torque(core.as_maps(truth[None])).max())
    low = float(flux[0].min())
    return [
        Surface("torque", "Torque", "reconstruction", 0.0, 1.25 * most),
        Surface("psi_d", "Flux ψd", "latent", min(low, 0.0) - 0.1, 1.1),
        Surface("psi_q", "Flux ψq", "latent", 0.0, 1.1),
    ]


def chosen_network(size: int) -> Mapper:
    """The network that ships, or what the visitor has trained."""
    with shell.training("Train it here", "dim_network", "as it ships", popover=True) as shown:
        if not shown:
            return shipped().mappers[size]
        which = controls.choice("Network", "dim_network", ["as it ships", "trained here"], default="as it ships")
        epochs = int(controls.slider("Epochs", "dim_epochs", low=5, high=100, default=40, step=5))
        if which == "as it ships":
            return shipped().mappers[size]
        request = on_request.Request((size, epochs), (train, size, epochs))
        tree = on_request.result(TRAINING, request, narration.text(NAME, "dimensions-train"))
    return shipped().mappers[size] if tree is None else Mapper.from_tree(tree)


def own_machine() -> dict[str, Any] | None:
    """The visitor's map on the grid, once it is read; it takes the test machine's place."""
    with st.expander("Your own flux map", icon=":material/upload_file:"):
        file = upload("A flux map", "dim_file", help=narration.text(NAME, "dimensions-upload"))
        if file is None:
            st.markdown(narration.text(NAME, "dimensions-upload"))
            return None
        task = (own_map, file.name, file.data)
        made: dict[str, Any] | None = live.work(
            READING, file.fingerprint, lambda: jobs.submit(*task, lane="short", private=True), live.progress_bar,
            training=False,
        )  # fmt: skip
        if made is None:
            return None
        for note in made["notes"]:
            st.markdown(f"- {link.plain(note)}")
        sizes = shipped().mappers
        rows = [np.concatenate([made["rows"], mapper.rebuilt(made["rows"][None])[0]]) for mapper in sizes.values()]
        errors = [float(core.flux_error(made["rows"][None], row[None, core.NUMBERS :])[0]) for row in rows]
        st.markdown(
            "Flux error by number of knobs: "
            + ", ".join(f"{size}: {error:.2f} %" for size, error in zip(sizes, errors, strict=True))
            + ". A machine unlike the family that was learnt is off by more; train a network on your own family then."
        )
        buttons([Download("Map through 6 knobs", "flux-map.csv", lambda: export.csv(own_table(made, sizes[6])))])
    return made
