"""MNIST compression: ten digits through k numbers, trained before your eyes; what JPEG and PCA do with the bytes."""

from typing import Any

import streamlit as st

from aecore import export, jobs
from aecore.concepts import mnist_compression_files as files
from aecore.concepts import mnist_compression_shipped as shipped
from aecore.data import drawn_digits
from pages.ui import controls, mnist, mnist_results, narration
from pages.ui import mnist_training as training
from pages.ui.downloads import Download, take_it_with_you
from pages.ui.mnist_own import own_digit
from pages.ui.page import frame, in_words, why

NAME = "mnist_compression"
GIF, PYTHON, BINARY = "image/gif", "text/x-python", "application/octet-stream"


@st.cache_resource(show_spinner=False)
def sizes() -> dict[int, shipped.Size]:
    return shipped.sizes()


@st.fragment
def opening(now: dict[str, Any]) -> None:
    """Digits through every code size that ships, and the same bytes spent otherwise."""
    with in_words():
        originals = drawn_digits.load()
        k = mnist.sizes_under_the_handle(sizes(), originals)
        now["rows"] = sizes()[k].rows
        left, right = st.columns([2, 3], gap="large")
        with left:
            mnist.curve(k)
        with right:
            narration.say(NAME, "what-to-notice")
        st.subheader("The same bytes, spent otherwise", divider="gray")
        rows = mnist.without_twins(now["rows"])
        mnist.budget(rows, sizes()[k].shown, originals)
        narration.say(NAME, "budget")


def onnx(model: dict[str, Any]) -> bytes:
    return bytes(jobs.submit(files.to_onnx, model, lane="short").result(timeout=120))


def downloads(now: dict[str, Any], done: tuple[training.Asked, dict[str, Any]] | None) -> list[Download]:
    table = Download("Same bytes", "same_bytes.csv", lambda: export.csv(mnist.table(now["rows"])))
    if done is None:
        return [table] if now.get("rows") else []
    asked, result = done
    return [
        Download("Film", "film.gif", lambda: files.film(result["watched"], result["film"]), GIF),
        Download("History", "history.csv", lambda: export.csv(files.history(result))),
        Download("Weights", files.WEIGHTS, lambda: files.weights(result["model"]), BINARY),
        Download("ONNX", "mnist_autoencoder.onnx", lambda: onnx(result["model"]), BINARY),
        Download("PyTorch", "mnist_autoencoder.py", lambda: files.snippet(asked.network).encode(), PYTHON),
        table,
    ]


with frame(NAME):
    now: dict[str, Any] = st.session_state.setdefault("mnist:now", {})
    opening(now)
    st.subheader("Train one", divider="gray")
    training.offer()
    done = training.trained()
    if done is not None:
        mnist_results.show(*done)
    st.subheader("A digit of yours", divider="gray")
    own_digit(None if done is None else done[0].key)
    controls.try_this({
        "Two numbers a digit": {"numbers": 0, "latent": 2},
        "The log2 rule: ten numbers": {"latent": 10, "epochs": 5},
        "A learning rate that is too high": {"rate": "0.1", "epochs": 3},
    })  # fmt: skip
    why(NAME)
    take_it_with_you(downloads(now, done))
