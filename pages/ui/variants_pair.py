"""Two variants under the same input: a test digit, one drawn, or one from a file; spoilt as much as is wanted."""

import numpy as np
import streamlit as st

from aecore.concepts import variants as core
from aecore.concepts import variants_own as own
from aecore.concepts.dense import Array
from aecore.concepts.variants import Network, Results
from aecore.figures import variants as figures
from pages.ui import controls, narration
from pages.ui.page import in_words
from pages.ui.sketch import sketch
from pages.ui.theme import palette
from pages.ui.uploads import upload
from pages.ui.variants import names

NAME = "variants"
DIGIT, DRAW, FILE = "A test digit", "Draw one", "Upload one"
SETTINGS = "var_(how|sigma|masked|pair|digit)"
TEN = [str(digit) for digit in range(10)]


@st.fragment
def two_of_them(made: Results) -> None:
    """One input, two networks, and their codes."""
    st.markdown(narration.text(NAME, "pair-words"))
    first, second, third = st.columns([3, 2, 2], gap="large")
    with first:
        how = controls.choice("Input", "var_how", [DIGIT, DRAW, FILE], default=DIGIT)
    with second:
        noise = controls.slider("Noise σ", "var_sigma", low=0.0, high=0.8, default=0.0, step=0.05)
    with third:
        masked = controls.slider("Share masked", "var_masked", low=0.0, high=0.8, default=0.0, step=0.05)
    left, middle, right = st.columns([2, 3, 3], gap="large")
    with in_words():
        with left:
            clean = _input(made, how)
            if clean is None:
                return
            x = own.spoilt(clean, noise, masked)
            st.html(figures.picture(_ink(x), palette().input, "What goes in"))
        for column, key, default in ((middle, "one", core.GAUSSIAN), (right, "other", core.PLAIN)):
            with column:
                chosen = controls.select("Variant", f"var_pair_{key}", names(pca=True), default=default)
                _through(made, chosen, made.networks[chosen], x, clean)


def _input(made: Results, how: str) -> Array | None:
    """The picture [8, 8] that goes in, before it is spoilt; None until there is one."""
    if how == DIGIT:
        digit = controls.select("Digit", "var_digit", TEN, default="3")
        return np.float32(made.inputs[0, int(digit)] / np.float32(255))
    from aecore.concepts import mnist_compression_own as framing  # image filters: not on the way to the first paint

    if how == DRAW:
        st.caption(narration.text(NAME, "draw"))
        drawn = sketch(key="var_pen", label="Draw one digit", size=220)
        return None if drawn is None else own.to_eight(_cropped(framing.from_sketch(drawn)))
    file = upload("A picture of one digit", "var_picture", help=narration.text(NAME, "upload"))
    return None if file is None else own.to_eight(_cropped(framing.from_photo(file.name, file.data)))


def _cropped(steps: list) -> Array:
    return next(step.image for step in steps if step.title == "Cropped")


def _through(made: Results, chosen: str, network: Network, x: Array, clean: Array) -> None:
    """What a network makes of the picture."""
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
