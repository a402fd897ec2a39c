"""The visitor's own training on the Variants page: any kind, with a strength, epochs and a seed of one's own."""

from typing import Any

import streamlit as st

from aecore import jobs
from aecore.concepts import variants as core
from aecore.concepts import variants_views as views
from aecore.concepts.variants import KINDS, Results, Settings, Shown
from aecore.concepts.variants_training import train
from aecore.figures import tables
from aecore.figures import variants as figures
from pages.ui import controls, live, narration, on_request
from pages.ui.page import in_words
from pages.ui.theme import palette

NAME, TRAINING = "variants", "variants:train"
SETTINGS = "var_(kind|on|strength|start|rounds)"
SOURCES = {"The digits that ship": "digits", "MNIST": "mnist"}


def train_one(made: Results) -> None:
    """Start or watch what was asked for, on the page itself; under it the fragment with the controls."""
    on_request.run(TRAINING, panel)
    _your_own(made)


@st.fragment
def _your_own(made: Results) -> None:
    """Controls, and what the training with them has come to."""
    with in_words():
        settings = _settings()
        if settings is None:
            return
        request = on_request.Request(settings, (train, settings))
        tree = on_request.result(TRAINING, request, narration.text(NAME, "live-words"))
        if tree is not None:
            _show(tree, made, settings)


def _settings() -> Settings | None:
    first, second, third = st.columns(3, gap="large")
    with first:
        kind = KINDS[controls.select("Train", "var_kind", list(KINDS), default=core.VAE)]
        source = SOURCES[controls.choice("On", "var_on", list(SOURCES), default="The digits that ship")]
    with second:
        weight = None
        if kind.varies:
            low, high = min(kind.weights), max(kind.weights)
            step = 1.0 if low >= 2 else 0.01 if high <= 1 else 0.05
            number = list(KINDS).index(kind.name)
            knob = kind.knob.capitalize() if kind.knob.isascii() else kind.knob
            weight = controls.slider(knob, f"var_strength{number}", low=float(low),
                                     high=float(high), default=float(kind.weight), step=step)  # fmt: skip
        seed = int(controls.number("Seed", "var_start", low=0, high=9999, default=0))
    with third:
        if source == "mnist":  # ten thousand pictures: an epoch takes one to three seconds, with convolutions five
            key, most = ("var_rounds_conv", 3) if kind.name == core.CONVOLUTIONAL else ("var_rounds_mnist", 5)
            epochs = int(controls.slider("Epochs", key, low=1, high=most, default=3, step=1))
        else:
            epochs = int(controls.slider("Epochs", "var_rounds", low=5, high=100, default=40, step=5))
    if not core.available(source):
        st.info(narration.text(NAME, "no-mnist"), icon=":material/download:")
        return None
    return Settings(kind=kind.name, weight=weight, epochs=epochs, seed=seed, source=source)


def _show(tree: dict[str, Any], made: Results, settings: Settings) -> None:
    """Pictures and measures of what was trained, beside the table's."""
    shown, colours = Shown(**tree["shown"]), palette()
    left, right = st.columns([3, 2], gap="large")
    with left:
        rows = [
            figures.Row(title, tree["inputs"][i], colours.input, "")
            for i, title in enumerate(("In", "Noise", "Masked"))
        ]
        keys = ("mse", "noise", "mask")
        back = [
            figures.Row("Rebuilt", shown.rebuilt[i], colours.reconstruction, f"{tree['row'][key]:.4f}",
                        shown.samples[i * 6 : i * 6 + 6])
            for i, key in enumerate(keys)
        ]  # fmt: skip
        pairs = [row for pair in zip(rows, back, strict=True) for row in pair]
        st.html(figures.sheet(pairs, ("MSE", "Ten digits", "Samples"), colours))
        st.html(figures.units(tree["inputs"][0], shown.rebuilt[0], shown.exciting, shown.written, colours))
    with right:
        st.html(figures.losses(tree["losses"], colours))
        heads, cells = views.beside(tree["row"], made.rows if settings.source == "digits" else [])
        st.html(tables.table(heads, cells))


def panel(job: jobs.Job) -> None:
    """A running training: its loss, and the ten digits as they come back by now."""
    live.training_panel(job)
    if job.latest and "rebuilt" in job.latest:
        row = figures.Row("Rebuilt", job.latest["rebuilt"], palette().reconstruction, "")
        st.html(figures.sheet([row], ("", "", ""), palette()))
