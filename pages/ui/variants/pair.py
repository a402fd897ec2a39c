"""Two variants on one input: a test digit, a drawn one or one from a file, with as much noise as is asked for."""

import numpy as np
import streamlit as st

from aecore.concepts.variants import Results, VariantNetwork, own
from aecore.figures import variants as figures
from aecore.numerics.dense import Array
from pages.ui.components.sketch import sketch
from pages.ui.frame import narration
from pages.ui.frame.page import fragment
from pages.ui.frame.theme import palette
from pages.ui.inputs import controls
from pages.ui.inputs.uploads import request_reading, upload
from pages.ui.training import work
from pages.ui.variants import WITH_PCA

NAME = "variants"
READING = "variants:picture"
DIGIT, DRAW, FILE = "digit", "draw", "file"
INPUTS = {DIGIT: "A test digit", DRAW: "Draw one", FILE: "Upload one"}
KEYS = (
    "var_how", "var_sigma", "var_masked", "var_pair_one", "var_pair_other", "var_digit", "var_pen", "var_picture",
)  # fmt: skip
TEN = [str(digit) for digit in range(10)]


@fragment
def two_of_them(made: Results) -> None:
    """Draw one input, what two networks make of it, and their codes."""
    st.markdown(narration.text(NAME, "pair-words"))
    first, second, third = st.columns([3, 2, 2], gap="large")
    with first:
        how = controls.choice("Input", "var_how", INPUTS, default=DIGIT)
    with second:
        noise = controls.slider("Noise σ", "var_sigma", low=0.0, high=0.8, default=0.0, step=0.05)
    with third:
        masked = controls.slider("Share masked", "var_masked", low=0.0, high=0.8, default=0.0, step=0.05)
    left, *columns = st.columns([2, 3, 3], gap="large")
    pair = []
    for column, key, default in zip(columns, ("one", "other"), ("gaussian", "undercomplete"), strict=True):
        with column:
            pair.append(WITH_PCA[controls.select("Variant", f"var_pair_{key}", WITH_PCA, default=default)])
    with left:
        clean = _input(made, how)
        if clean is None:
            return
        x = own.corrupt(clean, noise, masked)
        st.html(figures.picture(_ink(x), palette().input, "What goes in"))
    for column, chosen in zip(columns, pair, strict=True):
        with column:
            _through(made, chosen, made.networks[chosen], x, clean)


def _input(made: Results, how: str) -> Array | None:
    """Return the picture [8, 8] that goes in, before noise and mask; None until there is one."""
    if how == DIGIT:
        digit = controls.select("Digit", "var_digit", TEN, default="3")
        return np.float32(made.inputs[0, int(digit)] / np.float32(255))
    from aecore.concepts.mnist_compression import (
        own_digit as framing,  # image filters: not on the way to the first paint
    )

    if how == DRAW:
        st.caption(narration.text(NAME, "draw"))
        drawn = sketch(key="var_pen", label="Draw one digit", size=220)
        return None if drawn is None else own.to_eight(_crop(framing.from_sketch(drawn)))
    file = upload("A picture of one digit", "var_picture", help=narration.text(NAME, "upload"))
    if file is None:
        return None
    steps = work.fetch(READING, request_reading(framing.read_photo, file), words="Reading the picture")
    return None if steps is None else own.to_eight(_crop(framing.steps_of(steps)))


def _crop(steps: list) -> Array:
    return next(step.image for step in steps if step.title == "Cropped")


def _through(made: Results, chosen: str, network: VariantNetwork, x: Array, clean: Array) -> None:
    """Draw what a network makes of the picture."""
    flat = x.reshape(1, -1)
    told = made.classifier(flat).argmax(1)
    code = network.encode(flat, told)
    rebuilt = network.decode(code, told)[0]
    error = float(((np.clip(rebuilt, 0, 1) - clean.ravel()) ** 2).mean())
    colours = palette()
    picture, bars = st.columns([2, 3])
    with picture:
        st.html(figures.picture(_ink(rebuilt), colours.reconstruction, f"{chosen} makes of it"))
        st.caption(f"squared error to the clean picture **{error:.4f}**")
    with bars:
        st.html(figures.bars(code[0], colours, f"The code of {chosen}: {len(code[0])} numbers"))
    if network.told:
        st.caption(narration.text(NAME, "told").format(digit=int(told[0]), accuracy=made.accuracy))


def _ink(x: Array) -> np.ndarray:
    return np.rint(np.clip(x, 0, 1) * 255).astype(np.uint8).reshape(8, 8)
