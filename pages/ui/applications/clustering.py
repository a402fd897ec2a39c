"""Clustering: a drive cut into windows and clustered by codes, by PCA and as it is, beside its true modes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from aecore.concepts.applications import clustering as core
from aecore.concepts.applications.clustering import CODES, CONTESTANTS, Coder, CycleWindows
from aecore.concepts.applications.k_means import KMeansClusters
from aecore.data.simulators.drive_cycles import NAMES, Cycle
from pages.ui.applications.section import (
    Application,
    OwnFile,
    OwnTraining,
    TrainingControl,
    figure,
    list_values,
    own_network,
)
from pages.ui.components.plots import Axes, Curve, CurvePlot, Stretches, Words, plots
from pages.ui.inputs import controls

NAME = "clustering"
# What is shown once a visitor has brought a drive.
DRIVES = {"own": "yours", "simulated": "simulated"}
LENGTHS = {str(length): f"{length} s" for length in core.LENGTHS}
HIDDEN = "Hidden modes"
CLUSTERS = tuple(f"cluster {i + 1}" for i in range(8))
# Seconds of a drive that are drawn.
MAX_DRAWN = 3_600
TRAINING = OwnTraining(
    key="clu_network", task=core.train, scene=("clu_length",),
    controls=(
        TrainingControl("Numbers in the code", "clu_code", 6, low=2, high=12),
        TrainingControl("Epochs", "clu_epochs", 10, low=2, high=40, step=2),
    ),
)  # fmt: skip

load_pretrained = st.cache_resource(show_spinner=False)(core.load_pretrained)
simulate = st.cache_data(show_spinner=False, max_entries=20)(core.simulate_unseen)


def declare() -> Application:
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
        own=OwnFile(title="Your own drive", label="A drive cycle", key="clu_file", task=core.read_drive),
        onwards=("latent_clusters",),
    )


@figure
def show(own: dict[str, Any] | None) -> None:
    """Draw a drive and the clusters of its windows."""
    left, right = st.columns([1, 2], gap="large")
    with left:
        count = int(controls.slider("Clusters", "clu_count", low=2, high=8, default=5, step=1))
        length = int(controls.choice("Length of a window", "clu_length", LENGTHS, default="60"))
        if own is not None and controls.choice("Drive shown", "clu_source", DRIVES, default="own") != "own":
            own = None
        if own is None:
            driven = simulate(int(controls.slider("Drive", "clu_drive", low=0, high=49, default=0, step=1)))
        else:
            driven = Cycle(own["speed"], np.zeros(len(own["speed"]), np.int8))
        network = own_network(NAME, TRAINING, length)
    coder = load_pretrained()[length] if network.trained is None else Coder.from_tree(network.trained)
    windows = core.cut_windows(driven, length)
    found = core.cluster_windows(coder, windows, count)
    with right:
        st.caption(network.words)
        draw_clusters(driven, windows, found, hidden=own is None)
    lines: list[str] = []
    if own is None:
        said = list_values(core.measure_agreement(found, windows), ".2f")
        lines = [f"Agreement with the hidden modes (adjusted Rand index, 1 is perfect): {said}."]
    draw_typical(coder, windows, found[CODES], lines)


def draw_clusters(driven: Cycle, windows: CycleWindows, found: dict[str, KMeansClusters], *, hidden: bool) -> None:
    """Draw speed over time; below it, each contestant's cluster of every window, and the truth."""
    length = windows.speed.shape[1]
    rows_shown = np.flatnonzero(windows.starts + length <= MAX_DRAWN)
    edges = np.append(windows.starts[rows_shown], windows.starts[rows_shown[-1]] + length)
    rows = {name: found[name].labels[rows_shown] for name in CONTESTANTS}
    names: dict[str, Sequence[str]] = {name: CLUSTERS for name in CONTESTANTS}
    if hidden:
        rows[HIDDEN], names[HIDDEN] = windows.modes[rows_shown], NAMES
    speed = driven.speed[: edges[-1]]
    plots(
        CurvePlot(
            alt="Speed of the drive over time", curves={"speed": Curve(speed, "input", 1.2)},
            x=np.arange(len(speed)) / 60, axes=Axes("min", "km/h", 200),
        ),
        Stretches(
            alt="The cluster of every window, by contestant", edges=edges / 60, rows=rows, names=names, x="min",
            legend=HIDDEN,
        ),
        key="clu_figures",
    )  # fmt: skip


def draw_typical(coder: Coder, windows: CycleWindows, found: KMeansClusters, lines: list[str]) -> None:
    """Draw the window nearest to the centre of each of the codes' clusters."""
    rows = core.find_typical(coder.codes(core.lay_out(windows.speed))[CODES], found)
    counts = np.bincount(found.labels, minlength=len(rows))
    drawn = {
        f"{i + 1}: {counts[i]} windows, {windows.speed[found.labels == i].mean():.0f} km/h":
            Curve(windows.speed[row], i, 2.0, (1, 0) if i % 2 == 0 else (6, 3))
        for i, row in enumerate(rows) if row >= 0
    }  # fmt: skip
    axis, alt = np.arange(windows.speed.shape[1]), f"Speed: {'; '.join(drawn)}"
    words = Words(lines=[*lines, "**A typical window of each cluster**, by the autoencoder's codes"])
    plots(words, CurvePlot(alt=alt, curves=drawn, x=axis, axes=Axes("s", "km/h", 260)), key="clu_typical")
