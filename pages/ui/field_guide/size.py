"""Choosing a latent size: what three rules say of the digits, the sinusoids or a visitor's own file."""

import numpy as np
import pandas as pd
import streamlit as st

from aecore import export
from aecore.concepts.field_guide import latent_size
from aecore.concepts.field_guide import pretrained as shipped
from aecore.concepts.field_guide.latent_size import Sizing
from aecore.figures import field_guide as figures
from pages.ui import training
from pages.ui.bottleneck import own_recording
from pages.ui.components.scrubber import Curves, Images, Line, Panel, scrubber
from pages.ui.frame import narration, settings
from pages.ui.frame.downloads import Download
from pages.ui.frame.page import fragment
from pages.ui.frame.theme import palette
from pages.ui.inputs import controls
from pages.ui.training.work import Request

NAME = "field_guide"
TRAINING, READING = "field_guide:sizes", "field_guide:cut"
DIGITS, OWN = "digits", "own"
SETS = {DIGITS: "Digits", "sinusoids": "Sinusoids", OWN: "Your own file"}
PROMPTS = {
    "Sinusoids: the truth is known": {"sample": "sinusoids", "tried": settings.DEFAULT},
    "Two numbers": {"sample": DIGITS, "tried": 1},
    "As many as were tried": {"sample": DIGITS, "tried": 9},
}


def show() -> list[Download]:
    narration.say(NAME, "size")
    chosen = controls.choice("Data", "sample", SETS, default=DIGITS)
    sizing = _own() if chosen == OWN else shipped.load_sizing(chosen)
    if sizing is None:
        return []
    _bench(sizing, chosen == DIGITS)
    return [Download("Errors by size", "sizes.csv", lambda: export.csv(_table(sizing)))]


@fragment
def _bench(sizing: Sizing, pictures: bool) -> None:
    k = scrubber(
        _panels(sizing, pictures), label="Numbers in the code", key="tried", values=sizing.sizes,
        default=min(5, len(sizing.sizes) - 1), height=110 if pictures else 180, columns=1 if pictures else 2,
    )  # fmt: skip
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.html(figures.lost_against_size(
            sizing.sizes, sizing.lost, sizing.lost_by_pca, sizing.chosen, k, palette()
        ))  # fmt: skip
    with right:
        st.markdown(latent_size.verdict(sizing))
        here = float(sizing.lost.mean(0)[k])
        st.caption(
            f"At {sizing.sizes[k]} the network loses {here:.1%} of held-out variance, PCA {sizing.lost_by_pca[k]:.1%}. "
            f"The held-out error took {sizing.lost.size} trainings, the other rules none."
        )


def _panels(sizing: Sizing, pictures: bool) -> list[Panel]:
    lost = [f"{share:.0%} lost" for share in sizing.lost.mean(0)]
    if pictures:
        side = int(np.sqrt(sizing.values))
        return [
            Images(title="In", frames=sizing.inputs.reshape(1, -1, side, side), role="input"),
            Images(title="Out", frames=sizing.rebuilt.reshape(len(sizing.sizes), -1, side, side),
                   role="reconstruction", captions=lost),
        ]  # fmt: skip
    return [
        Curves(title=f"Held-out example {n + 1}", captions=lost,
               lines=[Line(values=sizing.inputs[n], role="input"),
                      Line(values=sizing.rebuilt[:, n], role="reconstruction")])
        for n in range(2)
    ]  # fmt: skip


def _own() -> Sizing | None:
    found = own_recording(READING, narration.text(NAME, "own-sizes"), file_key="sized", channel_key="sized_channel")
    if found is None:
        return None
    name, recording = found
    sample = latent_size.of_recording(recording)
    request = Request(task=latent_size.size, args=(sample, 1), signature=name, private=True, source=READING)
    made = training.train_at_once(TRAINING, request)
    return None if made is None else latent_size.from_tree(made.value)


def _table(sizing: Sizing) -> pd.DataFrame:
    return pd.DataFrame({"numbers": sizing.sizes, "lost_by_network": sizing.lost.mean(0),
                         "lost_by_pca": sizing.lost_by_pca})  # fmt: skip
