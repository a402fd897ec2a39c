"""The visitor's own digit on the compression page: drawn or photographed, framed step by step, and rebuilt."""

import numpy as np
import streamlit as st

from aecore import jobs
from aecore.concepts import mnist_compression_own as own
from aecore.concepts.mnist_compression_budget import as_bytes
from aecore.data import uploads
from aecore.figures import mnist as figures
from pages.ui import controls, live, narration
from pages.ui.page import in_words
from pages.ui.sketch import sketch
from pages.ui.theme import palette
from pages.ui.uploads import upload

NAME = "mnist_compression"
REBUILDING = "mnist:own"
DRAW, PHOTO = "Draw one", "Photo of one"


def own_digit(trained: str | None) -> None:
    """Take a digit, show each step into MNIST's frame, and what the networks make of it; errors in words."""
    how = controls.choice("A digit", "hand", [DRAW, PHOTO], default=DRAW)
    left, right = st.columns([1, 3], gap="large")
    with in_words():
        with left:
            steps = _drawn() if how == DRAW else _photographed()
        with right:
            if steps is None:
                narration.say(NAME, "own")
            else:
                _show(steps, trained)


def _drawn() -> list[own.Step] | None:
    drawn = sketch(key="strokes", label="Draw one digit")
    return None if drawn is None else own.from_sketch(drawn)


def _photographed() -> list[own.Step] | None:
    file = upload("A photo of one digit", "photo", help=narration.text(NAME, "photo"))
    return None if file is None else own.from_photo(file.name, file.data)


def _show(steps: list[own.Step], trained: str | None) -> None:
    colours = palette()
    for column, step in zip(st.columns(5), steps, strict=False):
        with column:
            st.html(figures.rows_of_pictures([(step.title, as_bytes(step.image)[None], colours.input)]))
    digit = as_bytes(steps[-1].image)
    signature = uploads.fingerprint(digit.tobytes()), trained
    rebuilt = live.work(
        REBUILDING, signature, lambda: jobs.submit(own.rebuild, digit, trained, lane="short", private=True),
        lambda _: st.progress(0.0, "Through the networks …"),
    )  # fmt: skip
    if rebuilt is None:
        return
    pictures = np.stack([entry["rebuilt"] for entry in rebuilt.values()])
    captions = [f"{name}: {entry['mse']:.3f}" for name, entry in rebuilt.items()]
    st.html(figures.rows_of_pictures([("Rebuilt, with squared errors", pictures, colours.reconstruction)], captions))
