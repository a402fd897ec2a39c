"""Latent clusters: PCA, an autoencoder and a VAE lay out the same data; a brush links their maps."""

from typing import Any

import streamlit as st

from aecore import export, jobs, latent
from aecore.concepts import latent_clusters as clusters
from aecore.concepts import latent_clusters_views as views
from aecore.concepts.latent_clusters import MACHINES, PLAIN, SIZES, Clusters, Settings
from aecore.concepts.latent_clusters_training import lay_out, train
from pages.ui import controls, live, narration
from pages.ui import latent_clusters as ui
from pages.ui.downloads import Download, take_it_with_you
from pages.ui.page import frame, in_words, why

NAME, TRAINING = "latent_clusters", "latent_clusters:train"
SOURCES = {"Digits that ship": ("digits", ui.digits), "MNIST": ("mnist", ui.mnist_digits), "Your own": ("own", ui.own)}
NOBODY = "nobody"

shipped = st.cache_resource(show_spinner=False)(clusters.shipped)


def settings(source: str, names: tuple[str, ...]) -> Settings:
    left, middle, right = st.columns([3, 2, 2], gap="large")
    with left:
        size = int(controls.choice("Numbers in the code", "size", [str(s) for s in SIZES], default="2"))
    with middle:
        projection = (
            controls.choice("Drawn by", "projection", latent.projections(), default="PCA") if size > 2 else "PCA"
        )
    with right:
        left_out = controls.select("Never show the networks", "without", [NOBODY, *names], default=NOBODY)
        without = None if left_out == NOBODY else names.index(left_out)
    with st.expander("How they are trained", icon=":material/tune:"):
        one, two, three = st.columns(3, gap="large")
        with one:
            weight = controls.slider(
                "β, the VAE's pull to the middle", "pull", low=0.0, high=8.0, default=0.1, step=0.05
            )
        with two:
            epochs = int(controls.slider("Epochs", "epochs", low=5, high=120, default=60, step=5))
        with three:
            seed = int(controls.slider("Seed of the weights", "weights", low=0, high=99, default=0, step=1))
    return Settings(
        source=source, size=size, projection=projection, without=without, beta=weight, epochs=epochs, seed=seed
    )


def trained(source: ui.Source, wanted: Settings) -> Clusters | None:
    """Three maps, or None while their training is on screen."""
    if made := shipped(wanted):
        return made
    task: tuple[Any, ...] = (lay_out, wanted, source.data) if source.private else (train, wanted)
    tree = live.work(
        TRAINING, (source.signature, wanted), lambda: jobs.submit(*task, private=source.private), ui.forming_panel,
        again="Train",
    )  # fmt: skip
    return None if tree is None else clusters.from_tree(tree)


@st.fragment
def explore(signature: object, made: Clusters, data: clusters.Collection) -> None:
    with in_words():
        if made.projected:
            st.caption(narration.text(NAME, "projected").format(projection=made.projected))
        rows = ui.linked_maps(signature, made, data)
        if len(rows):
            ui.brushed_set(data, rows)
        else:
            st.caption(narration.text(NAME, "brush"))


@st.fragment
def film(made: Clusters, data: clusters.Collection) -> None:
    with in_words():
        ui.forming(made, data)


@st.fragment
def misfits(made: Clusters, data: clusters.Collection) -> None:
    with in_words():
        ui.worst(made, data, controls.choice("Machine", "machine", list(MACHINES), default=PLAIN))


with frame(NAME):
    chosen = controls.choice("Data", "data", list(SOURCES), default="Digits that ship")
    kind, find = SOURCES[chosen]
    source = find()
    made = None
    if source is not None:
        wanted = settings(kind, source.data.names)
        made = trained(source, wanted)
    if source is not None and made is not None:
        explore((source.signature, wanted), made, source.data)
        st.subheader(narration.text(NAME, "organised"), divider="gray")
        ui.numbers(made)
        st.markdown(views.auc_in_words(made, source.data, wanted.without))
        narration.say(NAME, "measures")
        st.subheader(narration.text(NAME, "forming"), divider="gray")
        film(made, source.data)
        st.subheader(narration.text(NAME, "misfits"), divider="gray")
        misfits(made, source.data)
        narration.say(NAME, "what-fits-nowhere")
    controls.try_this({
        "Eight numbers instead of two": {"data": "Digits that ship", "size": "8"},
        "Never show them a 4": {"data": "Digits that ship", "without": "4"},
        "Look at the first epochs": {"data": "Digits that ship", "epoch": 2},
    })  # fmt: skip
    why(NAME)
    take_it_with_you([
        Download("Codes", "codes.csv", lambda: export.csv(views.point_table(made, source.data))),
        Download("Measures", "measures.csv", lambda: export.csv(views.measure_table(made))),
    ] if made and source else [])  # fmt: skip
