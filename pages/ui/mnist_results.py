"""What a training on the compression page has come to: the film under a handle, curves, errors, and the way on."""

from typing import Any

import numpy as np
import streamlit as st

from aecore.concepts import mnist_compression as core
from aecore.concepts import mnist_compression_pictures as pictures
from aecore.figures import mnist as figures
from pages.ui import live
from pages.ui import mnist_training as training
from pages.ui.panels import Images
from pages.ui.scrubber import scrubber
from pages.ui.theme import palette


def show(asked: training.Asked, result: core.Tree) -> None:
    """The film under a handle, the curves, errors by class and the worst; and a way to go on."""
    judged, history = result["judged"], result["history"]
    st.markdown(_words(asked, result))
    names = [f"{at:.3g}" if at % 1 else f"{at:.0f}" for at in result["at"]]
    film = [
        Images(title="In", frames=result["watched"][None] / 255, role="input", per_row=5),
        Images(title="Out, after so many epochs", frames=result["film"] / 255, role="reconstruction", per_row=5,
               captions=[f"squared error {error:.4f}" for error in result["errors"]]),
    ]  # fmt: skip
    if len(names) > 1:
        scrubber(
            film, label="epoch", key="frame", values=_distinct(names), default=len(names) - 1, columns=2, height=250
        )
    st.button(
        "Train on", key="mnist:more", icon=":material/fast_forward:", on_click=training.ask_for_more,
        args=(asked, result["seen"]), disabled=live.running(training.TRAINING),
        help="From where it stands, for as many epochs as the slider above says",
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
        classes = pictures.names(asked.training.source)
        worst = int(np.argmax(judged["by_class"]))
        chart = figures.error_by_class(judged["by_class"], classes, palette()).whole
        st.vega_lite_chart(None, chart, width="stretch",
                           alt=f"Squared error by class, largest for {classes[worst]}")  # fmt: skip
    with third:
        st.markdown(f"**The worst ten** of {judged['count']:,} test pictures")
        training.pictures_now(
            judged["worst"],
            judged["worst_rebuilt"],
            f"Rebuilt, squared errors {judged['worst_errors'][0]:.3f} to {judged['worst_errors'][-1]:.3f}",
        )


def _words(asked: training.Asked, result: core.Tree) -> str:
    judged, count = result["judged"], result["at"][-1]
    epochs = "epoch" if count == 1 else "epochs"
    name = next(label for label, source in training.SOURCES.items() if source == asked.training.source)
    return (
        f"**{asked.network.kind.capitalize()}, {asked.network.latent_dim} numbers**, after {count:.3g} {epochs} of "
        f"{name}: squared error **{judged['mse']:.4f}** on {judged['count']:,} test pictures."
    )


def _distinct(names: list[str]) -> list[str]:
    """Names of the film's frames; two within one rounding are told apart by their place."""
    seen: dict[str, Any] = {}
    return [seen.setdefault((n, i), n) if names.index(n) == i else f"{n} ({i})" for i, n in enumerate(names)]
