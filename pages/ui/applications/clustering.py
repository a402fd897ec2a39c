"""Clustering: a drive cut into windows and sorted by codes, by PCA and as it is, beside the modes that made it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from aecore import jobs
from aecore.concepts.applications import clustering as core
from aecore.concepts.applications.clustering import CODES, CONTESTANTS, Coder, Windows
from aecore.concepts.applications.clustering_own import own_drive
from aecore.concepts.applications.clustering_training import train
from aecore.concepts.applications.k_means import Clusters
from aecore.concepts.one_thread import one_thread
from aecore.data.drive_cycles import NAMES, Cycle
from pages.ui import controls, link, live, narration, on_request
from pages.ui.applications import shell
from pages.ui.applications.shell import Section
from pages.ui.page import in_words
from pages.ui.plots import Axes, Curve, Curves, Stretches, Words, plots
from pages.ui.uploads import upload

NAME = "applications"
TRAINING, READING = "applications:clustering", "applications:clustering:own"
LENGTHS = {f"{length} s": length for length in core.LENGTHS}
HIDDEN = "Hidden modes"
CLUSTERS = tuple(f"cluster {i + 1}" for i in range(8))
MAX_DRAWN = 3_600  # seconds of a drive

shipped = st.cache_resource(show_spinner=False)(core.shipped)
simulated = st.cache_data(show_spinner=False, max_entries=20)(core.unseen)


def section() -> Section:
    return Section(
        title="Clustering",
        hired=narration.text(NAME, "clustering-hired"),
        show=show,
        tables=("agreement",),
        verdict=narration.text(NAME, "clustering-verdict"),
        code=narration.text(NAME, "clustering-code"),
        why=narration.text(NAME, "clustering-why"),
        prompts={
            "Two clusters: slow and fast": {"clu_count": 2},
            "Short windows": {"clu_length": "30 s", "clu_count": 5},
            "More clusters than modes": {"clu_count": 8},
        },
        onwards=("latent_clusters",),
    )


def show() -> None:
    on_request.run(TRAINING)
    top = st.container()
    made = own()
    with top:
        bench(made)


@st.fragment
def bench(own: dict[str, Any] | None) -> None:
    """A drive and how it is sorted."""
    with in_words(), one_thread():
        left, right = st.columns([1, 2], gap="large")
        with left:
            count = int(controls.slider("Clusters", "clu_count", low=2, high=8, default=5, step=1))
            length = LENGTHS[controls.choice("Length of a window", "clu_length", list(LENGTHS), default="60 s")]
            draw = int(controls.slider("Drive", "clu_drive", low=0, high=49, default=0, step=1))
            coder = chosen_network(length)
        driven = simulated(draw) if own is None else Cycle(own["speed"], np.zeros(len(own["speed"]), np.int8))
        windows = core.cut(driven, length)
        found = core.sorted_into(coder, windows, count)
        with right:
            figures(driven, windows, found, hidden=own is None)
        told: list[str] = []
        if own is None:
            said = core.agreement(found, windows)
            best = max(said, key=lambda name: said[name])
            words = (f"{'**' if n == best else ''}{n} {v:.2f}{'**' if n == best else ''}" for n, v in said.items())
            told = [f"Agreement with the hidden modes (adjusted Rand index, 1 is perfect): {', '.join(words)}."]
        typical(coder, windows, found[CODES], told)


def chosen_network(length: int) -> Coder:
    """The coder that ships, or what the visitor has trained."""
    with shell.training("Train it here", "clu_network", "as it ships") as shown:
        if not shown:
            return shipped()[length]
        which = controls.choice("Network", "clu_network", ["as it ships", "trained here"], default="as it ships")
        code = int(controls.slider("Numbers in the code", "clu_code", low=2, high=12, default=6, step=1))
        epochs = int(controls.slider("Epochs", "clu_epochs", low=2, high=40, default=10, step=2))
        if which == "as it ships":
            return shipped()[length]
        request = on_request.Request((length, code, epochs), (train, length, code, epochs))
        tree = on_request.result(TRAINING, request, narration.text(NAME, "clustering-train"))
    return shipped()[length] if tree is None else Coder.from_tree(tree)


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


def own() -> dict[str, Any] | None:
    """The visitor's drive, once it is read; it takes the simulated one's place."""
    with st.expander("Your own drive", icon=":material/upload_file:"):
        file = upload("A drive cycle", "clu_file", help=narration.text(NAME, "clustering-upload"))
        if file is None:
            st.markdown(narration.text(NAME, "clustering-upload"))
            return None
        task = (own_drive, file.name, file.data)
        made: dict[str, Any] | None = live.work(
            READING, file.fingerprint, lambda: jobs.submit(*task, lane="short", private=True), live.progress_bar,
            training=False,
        )  # fmt: skip
        for note in made["notes"] if made else ():
            st.markdown(f"- {link.plain(note)}")
        return made
