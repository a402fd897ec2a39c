"""Parts of the VAE morphing page: which networks, the two maps under one pointer, and training one's own."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from aecore import jobs
from aecore.concepts import vae_morphing as morphing
from aecore.concepts.vae_morphing import Morphing
from aecore.concepts.vae_morphing.training import MAX_BETA, MorphingSettings, train
from aecore.figures import vae_morphing as figures
from aecore.paths import MODELS
from pages.ui import training
from pages.ui.components.latent_pad import Mark, Pad, Position, latent_pad
from pages.ui.frame import narration
from pages.ui.frame.downloads import Download
from pages.ui.frame.theme import palette
from pages.ui.inputs import controls
from pages.ui.training import work

NAME = "vae_morphing"
TRAINING = "vae_morphing:train"
POINTER = "z"
SHAPES, DIGITS = "shapes", "digits"  # as `vae_morphing` names them, too
IMAGES = {SHAPES: "Shapes", DIGITS: "Handwritten digits"}
BUILT_IN, OWN = "builtin", "own"
NETWORKS = {BUILT_IN: "Built-in", OWN: "Train your own"}


class Networks(NamedTuple):
    """Two networks to show, and words on which they are, where the controls leave that open."""

    made: Morphing
    words: str = ""


class Look(NamedTuple):
    """What a section adds to the maps, and what it gives away."""

    marks: dict[str, Mark]
    paths: dict[str, Any]
    downloads: list[Download]


_load_shipped = st.cache_resource(show_spinner=False)(morphing.load_pretrained)


@st.cache_resource(show_spinner=False, max_entries=4)
def _load_trained(settings: MorphingSettings, whole: bool, _tree: dict[str, Any]) -> Morphing:
    return morphing.from_tree(_tree)


def networks() -> Networks:
    """Return the networks that the controls ask for; the built-in ones until a visitor's own are trained."""
    there = {kind: label for kind, label in IMAGES.items() if (MODELS / f"morphing_{kind}.safetensors").is_file()}
    with st.container(horizontal=True):
        kind = controls.choice("Pictures", "images", there, default=next(iter(there)))
        which = controls.choice("Networks", "networks", NETWORKS, default=BUILT_IN)
    if which == BUILT_IN:
        return Networks(_load_shipped(kind))
    left, middle, right = st.columns([2, 2, 1], gap="large")
    with left:
        beta = controls.slider("β, weight of the KL term", "own_beta", low=0.0, high=MAX_BETA, default=1.0, step=0.25)
    with middle:
        width = int(controls.slider("Units in the widest layer", "own_width", low=32, high=512, default=256, step=32))
    with right:
        seed = int(controls.number("Seed", "own_seed", low=0, high=999, default=0))
    settings = MorphingSettings(kind=kind, beta=beta, width=width, seed=seed)
    request = work.Request(
        task=train, args=(settings,), signature=settings, settings=("images", "own_beta", "own_width", "own_seed")
    )
    found = training.train(
        TRAINING, request, words=narration.text(NAME, "train"), draw=draw_training, shown_by={"networks": "own"}
    )
    if found is None:
        return Networks(_load_shipped(kind), narration.text(NAME, "shown-built-in"))
    return Networks(_load_trained(settings, found.whole, found.value), narration.text(NAME, "shown-own"))


def deepest_hole() -> tuple[float, float]:
    """Return the place where the built-in plain autoencoder of the shapes decodes its least plausible picture."""
    made = _load_shipped(SHAPES)
    x, y = morphing.deepest_hole(made.plain, made.span)
    return round(x, 2), round(y, 2)


def draw_training(job: jobs.Job) -> None:
    """Draw a running training: what reconstruction and KL cost, and the codes after the last epoch."""
    if job.latest is None:
        st.progress(0.0, work.time_left(job).capitalize())
        return
    now = job.latest
    st.progress(now["progress"], f"{now['part']}: epoch {now['epoch']} of {now['epochs']}, {work.time_left(job)}")
    steps = [step for step in job.progress if step["part"] == now["part"]]
    left, right = st.columns(2, gap="large")
    words = f"Reconstruction {now['reconstruction']:.1f} and KL {now['kl']:.1f} nats a picture"
    left.vega_lite_chart(None, figures.falling(steps, palette()).whole, width="stretch", alt=words)
    codes, labels = np.asarray(now["codes"], np.float32), np.asarray(now["labels"])
    chart = figures.codes(codes, labels, morphing.SPAN, palette()).whole
    right.vega_lite_chart(None, chart, width="stretch", alt=f"Codes of {len(labels)} pictures after this epoch")


def maps(made: Morphing, marks: dict[str, Mark], paths: dict[str, Sequence[Any]]) -> Position:
    """Both maps under one pointer; marks and paths by the map's name."""
    pads = [
        Pad(
            title=plane.name, decoder=plane.decoder, codes=plane.codes, labels=plane.labels, names=made.names,
            caption=f"{plane.hole_share:.0%} holes", holes=plane.holes,
            mark=marks.get(plane.name), paths=paths.get(plane.name, ()),
        )
        for plane in (made.plain, made.vae)
    ]  # fmt: skip
    label = f"codes of {len(made.plain.labels):,} pictures; shaded where what is decoded is implausible"
    return latent_pad(pads, key=POINTER, span=made.span, shape=made.shape, label=label, height=420)


def summary(made: Morphing, at: Position) -> str:
    """What lies under the pointer on both maps, and how much of each map's middle is a hole."""
    here = []
    for plane in (made.plain, made.vae):
        times = morphing.distance_to_data(plane, np.array([at]), made.span)[0]
        kind = "a hole" if times > 1 else "plausible"
        here.append(f"the {plane.name if plane is made.vae else plane.name.lower()} decodes something {kind} "
                    f"({times:.1f} × the limit)")  # fmt: skip
    shares = f"{made.plain.hole_share:.0%} of the plain autoencoder's central mass is a hole, {made.vae.hole_share:.0%}"
    return f"At ({at.x:g}, {at.y:g}) {' and '.join(here)}. {shares} of the VAE's."
