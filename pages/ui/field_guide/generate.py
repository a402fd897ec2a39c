"""Can a plain autoencoder generate? Samples by five ways at every size of the code, with their measures."""

import numpy as np
import pandas as pd
import streamlit as st

from aecore import export
from aecore.concepts.field_guide import generation
from aecore.concepts.field_guide import pretrained as shipped
from aecore.concepts.field_guide.generation import MEASURES, REAL, WAYS, Generated
from aecore.figures import field_guide as figures
from aecore.figures import tables
from pages.ui.components.scrubber import Images, scrubber
from pages.ui.frame import narration
from pages.ui.frame.downloads import Download
from pages.ui.frame.page import fragment
from pages.ui.frame.theme import palette

NAME = "field_guide"
PROMPTS = {"Two numbers": {"drawn_by": 0}, "Eight": {"drawn_by": 2}, "Sixteen: where Gaussians miss": {"drawn_by": 3}}


def show() -> list[Download]:
    narration.say(NAME, "generate")
    made = shipped.load_samples()
    _bench(made)
    narration.say(NAME, "generate-measures")
    narration.say(NAME, "other-ways")
    return [Download("Measures of samples", "samples.csv", lambda: export.csv(_everything(made)))]


@fragment
def _bench(made: Generated) -> None:
    panels = [
        Images(title=way, frames=made.pictures[way], role="input" if way == REAL else "reconstruction", per_row=8,
               captions=[f"{m.mean(0)[1]:.0%} told apart" for m in made.measures[way]])
        for way in WAYS
    ]  # fmt: skip
    k = scrubber(panels, label="Numbers in the code", key="drawn_by", values=made.sizes, default=2, height=130,
                 columns=3)  # fmt: skip
    left, right = st.columns(2, gap="large")
    with left:
        told = {way: made.measures[way][:, :, 1].mean(1) for way in WAYS}
        st.html(figures.told_apart(made.sizes, told, k, palette()))
    with right:
        st.markdown(generation.verdict(made, k))
        st.html(_shares(made, k))


def _shares(made: Generated, k: int) -> str:
    """Every measure of every way at one size of the code, as HTML."""
    heads = [("Drawn by", ""), *((name.capitalize(), "") for name in MEASURES)]
    rows = []
    for way in WAYS:
        by_seed = made.measures[way][k]  # (seeds, measures)
        spread = by_seed.std(0, ddof=1) if len(by_seed) > 1 else np.zeros(by_seed.shape[1])
        shares = zip(by_seed.mean(0), spread, strict=True)
        rows.append([way, *(f"{mean:.0%} ± {deviation:.0%}" for mean, deviation in shares)])
    return tables.table(heads, rows)


def _everything(made: Generated) -> pd.DataFrame:
    return pd.concat([_table(made, k).assign(numbers=size) for k, size in enumerate(made.sizes)])


def _table(made: Generated, k: int) -> pd.DataFrame:
    rows = []
    for way in WAYS:
        by_seed = made.measures[way][k]  # (seeds, measures)
        rows.append({"way": way, **dict(zip(MEASURES, by_seed.mean(0).tolist(), strict=True)),
                     "told_apart_sd": float(by_seed[:, 1].std(ddof=1)) if len(by_seed) > 1 else 0.0})  # fmt: skip
    return pd.DataFrame(rows)
