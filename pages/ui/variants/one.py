"""One variant on the Variants page: its card, and a slider for its strength."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aecore.concepts.variants import IDS, KINDS, Results, StrengthSweep, VariantPictures
from aecore.concepts.variants import tables as views
from aecore.figures import variants as figures
from pages.ui.components import scrubber
from pages.ui.components.scrubber import Images
from pages.ui.frame import narration
from pages.ui.frame.page import fragment
from pages.ui.frame.theme import palette
from pages.ui.inputs import controls

NAME = "variants"


@fragment
def one_of_them(made: Results) -> None:
    """Draw a card beside its pictures, which follow the handle."""
    variant = controls.choice("Variant", "var_variant", IDS, default="l1", labelled=False)
    chosen = IDS[variant]
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.markdown(narration.text(NAME, variant))
    with right:
        if chosen in made.sweeps:
            _sweep(variant, made, made.sweeps[chosen])
        else:
            _pictures(made.inputs[0], made.shown[chosen])


def strength_key(variant: str) -> str:
    """Return the key of a variant's handle: each has its own, so that a link restores all of them."""
    return f"var_weight{list(IDS).index(variant)}"


def _sweep(variant: str, made: Results, sweep: StrengthSweep) -> None:
    """Draw the ten digits, and what each unit answers to and writes, at every built-in strength."""
    kind = KINDS[IDS[variant]]
    units = [f"{row['used']:.0f} of {row['size']} in use" for row in sweep.rows]
    busy = [f"{row['active']:.0%} active a digit" for row in sweep.rows]
    panels = [
        Images(title="Ten digits", frames=made.inputs[None, 0] / 255, role="input", per_row=5),
        Images(title="Rebuilt", frames=np.stack([s.rebuilt[0] for s in sweep.shown]) / 255, role="reconstruction",
               per_row=5, captions=[f"test MSE {row['mse']:.4f}" for row in sweep.rows]),
        Images(title="Excited by", frames=_stack([s.exciting for s in sweep.shown]) / 255, role="latent",
               per_row=8, captions=units),
        Images(title="Writes", frames=_stack([s.written for s in sweep.shown]) / 255,
               role="reconstruction", per_row=8, captions=busy),
    ]  # fmt: skip
    position = scrubber.scrubber(
        panels, label=kind.knob, key=strength_key(variant), values=[f"{w:g}" for w in sweep.weights],
        default=sweep.weights.index(kind.weight), columns=2, height=210,
    )  # fmt: skip
    st.markdown(views.in_words(kind.name, sweep, position))


def _stack(parts: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Units' pictures [U, H, W] of networks that may differ in U, as one array; missing ones are empty."""
    most = max(len(part) for part in parts)
    return np.stack([np.concatenate([p, np.zeros((most - len(p), *p.shape[1:]), np.uint8)]) for p in parts])


def _pictures(inputs: NDArray[np.uint8], shown: VariantPictures) -> None:
    """The same for a variant without a strength."""
    st.html(figures.units(inputs, shown.rebuilt[0], shown.exciting, shown.written, palette()))
