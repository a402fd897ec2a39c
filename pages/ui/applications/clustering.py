"""Clustering: a drive cut into windows and sorted by codes, by PCA and as it is, beside the modes that made it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from aecore.concepts.applications import clustering as core
from aecore.concepts.applications.clustering import CODES, CONTESTANTS, Coder, Windows
from aecore.concepts.applications.clustering.k_means import Clusters
from aecore.concepts.applications.clustering.own import own_drive
from aecore.concepts.applications.clustering.training import train
from aecore.data.simulators.drive_cycles import NAMES, Cycle
from aecore.numerics.threads import one_thread
from pages.ui.applications import shell
from pages.ui.applications.shell import Application, OwnFile, ShownNetwork
from pages.ui.components.plots import Axes, Curve, Curves, Stretches, Words, plots
from pages.ui.frame.foreign import plain
from pages.ui.frame.page import fragment
from pages.ui.inputs import controls
from pages.ui.training.work import Request

NAME = "clustering"
DRIVES = {"own": "yours", "simulated": "simulated"}  # once a visitor has brought one
LENGTHS = {str(length): f"{length} s" for length in core.LENGTHS}
HIDDEN = "Hidden modes"
CLUSTERS = tuple(f"cluster {i + 1}" for i in range(8))
MAX_DRAWN = 3_600  # seconds of a drive

shipped = st.cache_resource(show_spinner=False)(core.shipped)
simulated = st.cache_data(show_spinner=False, max_entries=20)(core.unseen)


def section() -> Application:
    return Application(
        title="Clustering",
        show=show,
        scene=("clu_count", "clu_length", "clu_source", "clu_drive"),
        prompts={
            "Two clusters: slow and fast": {"clu_count": 2},
            "Short windows": {"clu_length": "30", "clu_count": 5},
            "More clusters than modes": {"clu_count": 8, "clu_source": "simulated"},
        },
        tables=("agreement",),
        own=OwnFile(title="Your own drive", label="A drive cycle", key="clu_file", task=own_drive, show=own),
        onwards=("latent_clusters",),
    )


@fragment
def show(own: dict[str, Any] | None) -> None:
    """Draw a drive and how it is sorted."""
    with one_thread():
        left, right = st.columns([1, 2], gap="large")
        with left:
            count = int(controls.slider("Clusters", "clu_count", low=2, high=8, default=5, step=1))
            length = int(controls.choice("Length of a window", "clu_length", LENGTHS, default="60"))
            if own is not None and controls.choice("Drive shown", "clu_source", DRIVES, default="own") != "own":
                own = None
            if own is None:
                driven = simulated(int(controls.slider("Drive", "clu_drive", low=0, high=49, default=0, step=1)))
            else:
                driven = Cycle(own["speed"], np.zeros(len(own["speed"]), np.int8))
            network = own_network(length)
        coder = shipped()[length] if network.trained is None else Coder.from_tree(network.trained)
        windows = core.cut(driven, length)
        found = core.sorted_into(coder, windows, count)
        with right:
            st.caption(network.words)
            figures(driven, windows, found, hidden=own is None)
        told: list[str] = []
        if own is None:
            said = core.agreement(found, windows)
            best = max(said, key=lambda name: said[name])
            words = (f"{'**' if n == best else ''}{n} {v:.2f}{'**' if n == best else ''}" for n, v in said.items())
            told = [f"Agreement with the hidden modes (adjusted Rand index, 1 is perfect): {', '.join(words)}."]
        typical(coder, windows, found[CODES], told)


def own_network(length: int) -> ShownNetwork:
    """Offer to train the network of one length of windows."""

    def request() -> Request:
        code = int(controls.slider("Numbers in the code", "clu_code", low=2, high=12, default=6, step=1))
        epochs = int(controls.slider("Epochs", "clu_epochs", low=2, high=40, default=10, step=2))
        args = (length, code, epochs)
        return Request(task=train, args=args, signature=args, settings=("clu_length", "clu_code", "clu_epochs"))

    return shell.own_network(NAME, "clu_network", request, keys=("clu_code", "clu_epochs"))


def figures(driven: Cycle, windows: Windows, found: dict[str, Clusters], *, hidden: bool) -> None:
    """Speed over time; below it, what each contestant sorted every window into, and the truth."""
    length = windows.speed.shape[1]
    kept = np.flatnonzero(windows.starts + length <= MAX_DRAWN)
    edges = np.append(windows.starts[kept], windows.starts[kept[-1]] + length)
    rows = {name: found[name].labels[kept] for name in CONTESTANTS}
    names: dict[str, Sequence[str]] = {name: CLUSTERS for name in CONTESTANTS}
    if hidden:
        rows[HIDDEN], names[HIDDEN] = windows.modes[kept], NAMES
    speed = driven.speed[: edges[-1]]
    plots(
        Curves(
            alt="Speed of the drive over time", curves={"speed": Curve(speed, "input", 1.2)},
            x=np.arange(len(speed)) / 60, axes=Axes("min", "km/h", 200),
        ),
        Stretches(
            alt="The cluster of every window, by contestant", edges=edges / 60, rows=rows, names=names, x="min",
            legend=HIDDEN,
        ),
        key="clu_figures",
    )  # fmt: skip


def typical(coder: Coder, windows: Windows, found: Clusters, told: list[str]) -> None:
    """The window nearest to the centre of each of the codes' clusters."""
    rows = core.typical(coder.codes(core.inputs(windows.speed))[CODES], found)
    counts = np.bincount(found.labels, minlength=len(rows))
    drawn = {
        f"{i + 1}: {counts[i]} windows, {windows.speed[found.labels == i].mean():.0f} km/h":
            Curve(windows.speed[row], i, 2.0, (1, 0) if i % 2 == 0 else (6, 3))
        for i, row in enumerate(rows) if row >= 0
    }  # fmt: skip
    axis, alt = np.arange(windows.speed.shape[1]), f"Speed: {'; '.join(drawn)}"
    words = Words(lines=[*told, "**A typical window of each cluster**, by the autoencoder's codes"])
    plots(words, Curves(alt=alt, curves=drawn, x=axis, axes=Axes("s", "km/h", 260)), key="clu_typical")


def own(_fingerprint: str, made: dict[str, Any]) -> None:
    """Say how a visitor's drive was read; it takes the simulated one's place."""
    st.markdown("\n".join(f"- {plain(note)}" for note in made["notes"]))
