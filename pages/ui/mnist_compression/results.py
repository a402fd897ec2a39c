"""What a training on the compression page has given: the film under a slider, curves, errors, and files."""

from typing import Any

import numpy as np
import streamlit as st

from aecore import export
from aecore.concepts import mnist_compression as core
from aecore.concepts.mnist_compression import files, pictures
from aecore.figures import mnist as figures
from pages.ui.components.scrubber import scrubber
from pages.ui.figures.panels import Images
from pages.ui.frame.downloads import Download, buttons
from pages.ui.frame.theme import palette
from pages.ui.mnist_compression.training import SOURCES, draw_pictures
from pages.ui.training import work

GIF, PYTHON, BINARY = "image/gif", "text/x-python", "application/octet-stream"


def show(network: core.CompressionNetwork, result: core.Tree) -> None:
    """Draw the film, the curves, errors by class and the worst pictures, and offer the files."""
    judged, history, source = result["judged"], result["history"], result["source"]
    st.markdown(_words(network, source, result))
    names = [f"{at:.3g}" if at % 1 else f"{at:.0f}" for at in result["at"]]
    film = [
        Images(title="In", frames=result["watched"][None] / 255, role="input", per_row=5),
        Images(title="Out, after so many epochs", frames=result["film"] / 255, role="reconstruction", per_row=5,
               captions=[f"squared error {error:.4f}" for error in result["errors"]]),
    ]  # fmt: skip
    if len(names) > 1:
        scrubber(
            film, label="epoch", key="frame", values=_distinct(names), default=len(names) - 1, columns=2, height=250,
            within=(network, source, result["seen"]),
        )  # fmt: skip
    first, second, third = st.columns([3, 4, 4], gap="large")
    with first:
        st.markdown("**Loss**")
        if history["epoch"]:
            chart = figures.losses(history, history["epoch"][-1], palette()).whole
            st.vega_lite_chart(None, chart, width="stretch",
                               alt=f"Loss by epoch, {history['loss'][-1]:.4g} at the end")  # fmt: skip
        else:
            st.caption("Stopped within the first epoch.")
    with second:
        st.markdown("**Error by class**, test pictures")
        classes = pictures.names(source)
        worst = int(np.argmax(judged["by_class"]))
        chart = figures.error_by_class(judged["by_class"], classes, palette()).whole
        st.vega_lite_chart(None, chart, width="stretch",
                           alt=f"Squared error by class, largest for {classes[worst]}")  # fmt: skip
    with third:
        st.markdown(f"**The worst ten** of {judged['count']:,} test pictures")
        draw_pictures(
            judged["worst"],
            judged["worst_rebuilt"],
            f"Rebuilt, squared errors {judged['worst_errors'][0]:.3f} to {judged['worst_errors'][-1]:.3f}",
        )
    buttons(_downloads(network, result))


def _downloads(network: core.CompressionNetwork, result: core.Tree) -> list[Download]:
    mine = work.slots()  # a download is made when no page runs

    def compute(task: Any, *args: Any) -> bytes:
        return bytes(work.compute(mine, task, *args, private=False))

    return [
        Download("Film", "film.gif", lambda: compute(files.make_film, result["watched"], result["film"]), GIF),
        Download("History", "history.csv", lambda: export.csv(files.history(result))),
        Download("Weights", files.WEIGHTS, lambda: files.weights(result["model"]), BINARY),
        Download("ONNX", "mnist_autoencoder.onnx", lambda: compute(files.to_onnx, result["model"]), BINARY),
        Download("PyTorch", "mnist_autoencoder.py", lambda: files.snippet(network).encode(), PYTHON),
    ]


def _words(network: core.CompressionNetwork, source: str, result: core.Tree) -> str:
    judged, count = result["judged"], result["at"][-1]
    epochs = "epoch" if count == 1 else "epochs"
    return (
        f"**{network.kind.capitalize()}, {network.latent_dim} numbers**, after {count:.3g} {epochs} of "
        f"{SOURCES[source]}: squared error **{judged['mse']:.4f}** on {judged['count']:,} test pictures."
    )


def _distinct(names: list[str]) -> list[str]:
    """Return names for the film's frames; two within one rounding are told apart by their place."""
    return [name if names.index(name) == i else f"{name} ({i})" for i, name in enumerate(names)]
