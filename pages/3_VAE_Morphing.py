"""VAE morphing: a plain autoencoder's latent plane and a VAE's under one pointer, decoded as it moves."""

import streamlit as st

from aecore.concepts.vae_morphing import Morphing
from pages.ui import controls, latent_pad, narration, on_request
from pages.ui import vae_morphing as ui
from pages.ui import vae_morphing_closer as closer
from pages.ui.downloads import buttons, take_it_with_you
from pages.ui.page import frame, in_words, why

NAME = "vae_morphing"


@st.fragment
def bench(made: Morphing) -> None:
    """The maps, and under them one closer look, which may draw on the maps, with what there is to take from it."""
    with in_words():
        top = st.container()
        looks = closer.sections()
        chosen = controls.choice("A closer look", "closer", list(looks), default="Walk")
        at = latent_pad.rests(ui.POINTER, made.span)
        look = looks[chosen](made, at)
        with top:
            at = ui.maps(made, look.marks, look.paths)
            st.markdown(ui.summary(made, at))
        buttons(look.downloads)


with frame(NAME):
    on_request.run(ui.TRAINING, ui.training_panel)
    bench(ui.networks())
    controls.try_this({
        "Into the plain autoencoder's deepest hole": {"pictures": ui.SHAPES, "networks": ui.SHIPPED,
                                                      "z": ui.deepest_hole()},
        "Walk from a circle to a star": {"pictures": ui.SHAPES, "walk_from": "circle", "walk_to": "star",
                                         "closer": "Walk"},
        "Give one picture's code its noise": {"closer": "Noise in z"},
    })  # fmt: skip
    left, right = st.columns(2, gap="large")
    with left:
        narration.say(NAME, "what-to-notice")
    with right:
        narration.say(NAME, "one-pointer")
    why(NAME)
    take_it_with_you([])
