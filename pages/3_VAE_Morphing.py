"""VAE morphing: a plain autoencoder's latent plane and a VAE's under one pointer, decoded as it moves."""

import streamlit as st

from pages.ui import vae_morphing as ui
from pages.ui.components import latent_pad, networks
from pages.ui.frame import narration
from pages.ui.frame.downloads import buttons, take_it_with_you
from pages.ui.frame.page import fragment, frame, why
from pages.ui.inputs import controls
from pages.ui.vae_morphing import closer

NAME = "vae_morphing"


@fragment
def bench(shown: ui.Networks) -> None:
    """Draw the maps, and under them one closer look, which may draw on the maps, with its downloads."""
    made = shown.made
    top = st.container()
    looks = closer.sections()
    chosen = controls.choice(
        "A closer look", "look", {name: closer.LABELS[name] for name in looks}, default=closer.WALK
    )
    at = latent_pad.rests(ui.POINTER, made.span)
    look = looks[chosen](made, at)
    with top:
        if shown.words:
            st.caption(shown.words)
        at = ui.maps(made, look.marks, look.paths)
        st.markdown(ui.summary(made, at))
    buttons(look.downloads)


with frame(NAME):
    shown = ui.networks()
    bench(shown)
    networks.send([shown.made.plain.decoder, shown.made.vae.decoder], key=f"{ui.POINTER}:networks")
    controls.try_this({
        "Into the plain autoencoder's deepest hole": {"images": ui.SHAPES, "networks": ui.BUILT_IN,
                                                      "z": ui.deepest_hole()},
        "Walk from a circle to a star": {"images": ui.SHAPES, "look": closer.WALK, "walk_from": "circle",
                                         "walk_to": "star"},
        "Give one picture's code its noise": {"look": closer.NOISE},
    })  # fmt: skip
    left, right = st.columns(2, gap="large")
    with left:
        narration.say(NAME, "what-to-notice")
    with right:
        narration.say(NAME, "one-pointer")
    why(NAME)
    take_it_with_you([])
