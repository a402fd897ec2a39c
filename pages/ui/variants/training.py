"""The visitor's own training on the Variants page: any kind, with a strength, epochs and a seed of one's own."""

from typing import Any

import streamlit as st

from aecore import jobs
from aecore.concepts import variants as core
from aecore.concepts.variants import IDS, KINDS, Results, VariantPictures, VariantSettings
from aecore.concepts.variants import tables as views
from aecore.concepts.variants.training import train
from aecore.figures import tables
from aecore.figures import variants as figures
from pages.ui import training
from pages.ui.frame import narration
from pages.ui.frame.page import fragment
from pages.ui.frame.theme import palette
from pages.ui.inputs import controls
from pages.ui.training.work import Request

NAME, TRAINING = "variants", "variants:train"
KEYS = (
    "var_kind", "var_on", "var_start", "var_rounds", "var_rounds_conv", "var_rounds_mnist",
    *(f"var_strength{n}" for n in range(len(IDS))),
)  # fmt: skip
DIGITS, MNIST = "digits", "mnist"
SOURCES = {DIGITS: "The digits that ship", MNIST: "MNIST"}


@fragment
def train_one(made: Results) -> None:
    """Draw the controls, the training with them, and its result."""
    wanted = _choose_settings()
    if wanted is None:
        return
    settings, keys = wanted
    request = Request(task=train, args=(settings,), signature=settings, settings=keys)
    found = training.train(
        TRAINING, request, words=narration.text(NAME, "live-words"), draw=draw_training, mark="var_trained"
    )
    if found is not None:
        _show(found.value, made, settings)


def _choose_settings() -> tuple[VariantSettings, tuple[str, ...]] | None:
    """Draw the controls; return what they ask for and their keys, or None where its digits are not here."""
    first, second, third = st.columns(3, gap="large")
    keys = ["var_kind", "var_on"]
    with first:
        variant = controls.select("Train", "var_kind", IDS, default="vae")
        source = controls.choice("On", "var_on", SOURCES, default=DIGITS)
    kind = KINDS[IDS[variant]]
    with second:
        weight = None
        if kind.varies:
            low, high = min(kind.weights), max(kind.weights)
            step = 1.0 if low >= 2 else 0.01 if high <= 1 else 0.05
            knob = kind.knob.capitalize() if kind.knob.isascii() else kind.knob
            keys.append(f"var_strength{list(IDS).index(variant)}")
            weight = controls.slider(knob, keys[-1], low=float(low), high=float(high), default=float(kind.weight),
                                     step=step)  # fmt: skip
        seed = int(controls.number("Seed", "var_start", low=0, high=9999, default=0))
    with third:
        if source == MNIST:  # ten thousand pictures: an epoch takes one to three seconds, with convolutions five
            key, most = ("var_rounds_conv", 3) if kind.name == core.CONVOLUTIONAL else ("var_rounds_mnist", 5)
            epochs = int(controls.slider("Epochs", key, low=1, high=most, default=3, step=1))
        else:
            key = "var_rounds"
            epochs = int(controls.slider("Epochs", key, low=5, high=100, default=40, step=5))
    if not core.available(source):
        st.info(narration.text(NAME, "no-mnist"), icon=":material/download:")
        return None
    settings = VariantSettings(kind=kind.name, weight=weight, epochs=epochs, seed=seed, source=source)
    return settings, (*keys, key, "var_start")


def _show(tree: dict[str, Any], made: Results, settings: VariantSettings) -> None:
    """Draw pictures and measures of what was trained, beside the table's."""
    shown, colours = VariantPictures(**tree["shown"]), palette()
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


def draw_training(job: jobs.Job) -> None:
    """Draw a running training: its loss, and the ten digits as they come back by now."""
    training.draw_training(job)
    if job.latest and "rebuilt" in job.latest:
        row = figures.Row("Rebuilt", job.latest["rebuilt"], palette().reconstruction, "")
        st.html(figures.sheet([row], ("", "", ""), palette()))
