"""MNIST compression: ten digits through k numbers, trained before your eyes; what JPEG and PCA do with the bytes."""

from typing import Any

import streamlit as st

from aecore import export
from aecore.concepts.mnist_compression import pretrained as shipped
from aecore.data.datasets import drawn_digits
from pages.ui.frame import narration
from pages.ui.frame.downloads import Download, take_it_with_you
from pages.ui.frame.page import fragment, frame, why
from pages.ui.inputs import controls
from pages.ui.mnist_compression import results as mnist_results
from pages.ui.mnist_compression import sizes as mnist
from pages.ui.mnist_compression import training as mnist_training
from pages.ui.mnist_compression.own_digit import own_digit

NAME = "mnist_compression"
TWO = shipped.SIZES.index(2)


@st.cache_resource(show_spinner=False)
def sizes() -> dict[int, shipped.Size]:
    return shipped.load_sizes()


@fragment
def opening(now: dict[str, Any]) -> None:
    """Digits through every built-in code size, and the same bytes spent otherwise; ``now`` takes what is shown."""
    originals = drawn_digits.load()
    k = mnist.sizes_under_the_handle(sizes(), originals)
    now["rows"] = sizes()[k].rows
    left, right = st.columns([2, 3], gap="large")
    with left:
        mnist.curve(k)
    with right:
        narration.say(NAME, "what-to-notice")
    st.subheader("The same bytes, spent otherwise", divider="gray")
    mnist.budget(mnist.without_twins(now["rows"]), sizes()[k].shown, originals)
    narration.say(NAME, "budget")


@fragment
def workbench() -> None:
    """The visitor's own training, and the visitor's own digit through what came of it."""
    st.subheader("Train one", divider="gray")
    network, chosen = mnist_training.choose()
    made = mnist_training.train(network, chosen)
    if made is not None:
        mnist_results.show(network, made.value)
    st.subheader("A digit of yours", divider="gray")
    if made is None:
        own_digit(None, None)
    else:
        own_digit(made.value["model"], (network, chosen, made.value["seen"]))


with frame(NAME):
    now: dict[str, Any] = st.session_state.setdefault("mnist:now", {})
    opening(now)
    workbench()
    usual = mnist_training.DEFAULTS
    controls.try_this({
        "Two numbers a digit": {"numbers": TWO} | usual | {"latent": 2},
        "The log2 rule: ten numbers": usual | {"latent": 10},
        "A learning rate that is too high": usual | {"rate": "0.1", "epochs": 3},
    })  # fmt: skip
    why(NAME)
    take_it_with_you([
        Download("Same bytes", "same_bytes.csv", lambda: export.csv(mnist.table(now["rows"]))),
    ] if now.get("rows") else [])  # fmt: skip
