"""Latent clusters: PCA, an autoencoder and a VAE lay out the same data; a brush links their maps."""

import streamlit as st

from aecore import export, latent
from aecore.concepts import latent_clusters as clusters
from aecore.concepts.latent_clusters import IDS, SIZES, ClusterMaps, ClusterSettings
from aecore.concepts.latent_clusters import tables as views
from aecore.concepts.latent_clusters.training import lay_out, train
from pages.ui import latent_clusters as ui
from pages.ui import training
from pages.ui.frame import narration, settings
from pages.ui.frame.downloads import Download, take_it_with_you
from pages.ui.frame.page import fragment, frame, why
from pages.ui.inputs import controls
from pages.ui.training.work import Request

NAME, TRAINING, FOLD = "latent_clusters", "latent_clusters:train", "latent_clusters:tuned"
DIGITS, MNIST, OWN = "digits", "mnist", "own"
DATA = {DIGITS: "Digits that ship", MNIST: "MNIST", OWN: "Your own"}
FIND = {DIGITS: ui.digits, MNIST: ui.mnist_digits, OWN: ui.own}
PCA = "pca"
PROJECTIONS = {PCA: "PCA", "tsne": "t-SNE", "umap": "UMAP"}
NOBODY = ""  # no class has an empty name
TUNING = {"pull": 0.1, "cluster_epochs": 60, "weights": 0}  # settings in the fold, with their defaults
TRAINED_WITH = ("size", "projection", "without", "pull", "cluster_epochs", "weights")

shipped = st.cache_resource(show_spinner=False)(clusters.load_pretrained)


def choose(source: str, names: tuple[str, ...]) -> ClusterSettings:
    """Draw the controls and return what they ask for."""
    left, middle, right = st.columns([3, 2, 2], gap="large")
    with left:
        size = int(controls.choice("Numbers in the code", "size", [str(s) for s in SIZES], default="2"))
    projection = PCA
    if size > 2:
        there = {name: label for name, label in PROJECTIONS.items() if label in latent.projections()}
        with middle:
            projection = controls.choice("Drawn by", "projection", there, default=PCA)
    with right:
        kinds = {NOBODY: "nobody"} | {name: name for name in names}
        left_out = controls.select("Never show the networks", "without", kinds, default=NOBODY)
    with st.expander("How they are trained", icon=":material/tune:", expanded=_is_tuned()):
        one, two, three = st.columns(3, gap="large")
        with one:
            weight = controls.slider(
                "β, the VAE's pull to the middle", "pull", low=0.0, high=8.0, default=TUNING["pull"], step=0.05
            )
        with two:
            epochs = int(
                controls.slider("Epochs", "cluster_epochs", low=5, high=120, default=TUNING["cluster_epochs"], step=5)
            )
        with three:
            seed = int(
                controls.slider("Seed of the weights", "weights", low=0, high=99, default=TUNING["weights"], step=1)
            )
    return ClusterSettings(
        source=source, size=size, projection=PROJECTIONS[projection],
        without=None if left_out == NOBODY else names.index(left_out), beta=weight, epochs=epochs, seed=seed,
    )  # fmt: skip


def _is_tuned() -> bool:
    """Return whether a setting in the fold has left its default, or is in the link: in this visit, it is open then."""
    tuned = any(settings.named_by_link(key) or settings.current(key, own) != own for key, own in TUNING.items())
    st.session_state[FOLD] = tuned or st.session_state.get(FOLD, False)
    return bool(st.session_state[FOLD])


def lay_out_all(source: ui.CodeSource, wanted: ClusterSettings) -> ClusterMaps | None:
    """Return three maps, or None while their training is on the screen."""
    if made := shipped(wanted):
        return made
    task, args = (lay_out, (wanted, source.data)) if source.private else (train, (wanted,))
    request = Request(
        task=task, args=args, signature=(source.signature, wanted), settings=TRAINED_WITH, private=source.private
    )
    trained = training.train_at_once(TRAINING, request, draw=ui.draw_forming)
    return None if trained is None else clusters.from_tree(trained.value)


@fragment
def explore(signature: object, made: ClusterMaps, data: clusters.Collection) -> None:
    if made.projected:
        st.caption(narration.text(NAME, "projected").format(projection=made.projected))
    rows = ui.linked_maps(signature, made, data)
    if len(rows):
        ui.brushed_set(data, rows)
    else:
        st.caption(narration.text(NAME, "brush"))


@fragment
def film(made: ClusterMaps, data: clusters.Collection) -> None:
    ui.forming(made, data)


@fragment
def misfits(made: ClusterMaps, data: clusters.Collection) -> None:
    ui.worst(made, data, IDS[controls.choice("Machine", "machine", IDS, default="autoencoder")])


with frame(NAME):
    kind = controls.choice("Data", "data", DATA, default=DIGITS)
    source = FIND[kind]()
    made = None
    if source is not None:
        wanted = choose(kind, source.data.names)
        made = lay_out_all(source, wanted)
    if source is not None and made is not None:
        explore((source.signature, wanted), made, source.data)
        st.subheader(narration.text(NAME, "organised"), divider="gray")
        ui.numbers(made)
        st.markdown(views.auc_in_words(made, ui.escape_names(source.data), wanted.without))
        narration.say(NAME, "measures")
        st.subheader(narration.text(NAME, "forming"), divider="gray")
        film(made, source.data)
        st.subheader(narration.text(NAME, "misfits"), divider="gray")
        misfits(made, source.data)
        narration.say(NAME, "what-fits-nowhere")
    controls.try_this({
        "Eight numbers instead of two": {"data": DIGITS, "size": "8"},
        "Never show them a 4": {"data": DIGITS, "without": "4"},
        "Look at the first epochs": {"data": DIGITS, "epoch": 2},
    })  # fmt: skip
    why(NAME)
    take_it_with_you([
        Download("Codes", "codes.csv", lambda: export.csv(views.point_table(made, source.data))),
        Download("Measures", "measures.csv", lambda: export.csv(views.measure_table(made))),
    ] if made and source else [])  # fmt: skip
