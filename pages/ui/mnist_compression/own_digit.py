"""The visitor's own digit on the compression page: drawn or photographed, framed step by step, and rebuilt."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import streamlit as st

from aecore.concepts.mnist_compression import own_digit as own
from aecore.concepts.mnist_compression.budget import as_bytes
from aecore.data.readers import uploads
from aecore.figures import mnist as figures
from pages.ui.components.sketch import sketch
from pages.ui.frame import narration
from pages.ui.frame.page import fragment
from pages.ui.frame.theme import palette
from pages.ui.inputs import controls
from pages.ui.inputs.uploads import request_reading, upload
from pages.ui.training import work
from pages.ui.training.work import Request

NAME = "mnist_compression"
READING, REBUILDING = "mnist:photo", "mnist:own"
DRAW, PHOTO = "draw", "photo"
WAYS = {DRAW: "Draw one", PHOTO: "Photo of one"}


@fragment
def own_digit(trained: dict[str, Any] | None, name: Hashable) -> None:
    """Take a digit, show each step into MNIST's frame, and what the networks make of it.

    ``trained`` is the model that the visitor has trained, if any, and ``name`` tells it from others.
    """
    how = controls.choice("A digit", "hand", WAYS, default=DRAW)
    left, right = st.columns([1, 3], gap="large")
    with left:
        steps = _draw() if how == DRAW else _read_photo()
    with right:
        if steps is None:
            narration.say(NAME, "own")
        else:
            _show(steps, trained, name)


def _draw() -> Sequence[own.DigitStep] | None:
    drawn = sketch(key="strokes", label="Draw one digit")
    return None if drawn is None else own.from_sketch(drawn)


def _read_photo() -> Sequence[own.DigitStep] | None:
    """Take a photo and have a worker open it."""
    file = upload("A photo of one digit", "photo", help=narration.text(NAME, "photo"))
    if file is None:
        return None
    steps = work.fetch(READING, request_reading(own.read_photo, file, keep=1), words="Reading the photo")
    return None if steps is None else own.steps_of(steps)


def _show(steps: Sequence[own.DigitStep], trained: dict[str, Any] | None, name: Hashable) -> None:
    colours = palette()
    for column, step in zip(st.columns(5), steps, strict=False):
        with column:
            st.html(figures.rows_of_pictures([(step.title, as_bytes(step.image)[None], colours.input)]))
    digit = as_bytes(steps[-1].image)
    request = Request(
        task=own.rebuild, args=(digit, trained), signature=(uploads.fingerprint(digit.tobytes()), name), lane="short",
        private=True,
    )  # fmt: skip
    rebuilt = work.fetch(REBUILDING, request, words="Through the networks")
    if rebuilt is None:
        return
    pictures = np.stack([entry["rebuilt"] for entry in rebuilt.values()])
    captions = [f"{network}: {entry['mse']:.3f}" for network, entry in rebuilt.items()]
    st.html(figures.rows_of_pictures([("Rebuilt, with squared errors", pictures, colours.reconstruction)], captions))
