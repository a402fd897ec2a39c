"""Parts of the Variants page: all of them at once, in pictures, in one figure and in one table."""

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from aecore.concepts import variants as core
from aecore.concepts.variants import IDS, NAMES, PCA, Results
from aecore.concepts.variants import tables as views
from aecore.concepts.variants.measure import MEASURES
from aecore.figures import tables
from aecore.figures import variants as figures
from pages.ui.frame import narration, settings
from pages.ui.frame.page import fragment
from pages.ui.frame.theme import palette
from pages.ui.inputs import controls

NAME = "variants"
CONDITIONS = {"clean": "As they are", "noise": "With noise", "mask": "Masked"}
ERRORS = {"clean": ("mse", 0), "noise": ("noise", 1), "mask": ("mask", 2)}  # by condition: a measure, and its inputs
OFFERED = {m.key: m for m in MEASURES if m.key not in ("parameters", "norm")}
WITH_PCA = {"pca": PCA} | IDS

results = st.cache_resource(show_spinner=False)(core.load_pretrained)


@fragment
def all_of_them(made: Results) -> None:
    """Draw the sheet of pictures, with what is done to the digits before they go in."""
    chosen = controls.choice("The digits go in", "var_input", CONDITIONS, default="clean")
    key, place = ERRORS[chosen]
    colours = palette()
    errors = views.by_variant(made.rows, key)
    rows = [figures.Row("In", made.inputs[place], colours.input, "")]
    rows += [
        figures.Row(name, made.shown[name].rebuilt[place], colours.reconstruction, f"{np.mean(errors[name]):.4f}",
                    made.shown[name].samples[:10])
        for name in NAMES
    ]  # fmt: skip
    st.html(figures.sheet(rows, (OFFERED[key].title, "Ten digits", "Ten samples"), colours))
    st.caption(narration.text(NAME, "sheet"))


@fragment
def one_measure(made: Results) -> None:
    """Draw one measure of all variants, with its seeds."""
    titles = {key: measure.title for key, measure in OFFERED.items()}
    measure = OFFERED[controls.choice("Measure", "var_measure", titles, default="mse")]
    values = views.by_variant(made.rows, measure.key)
    floor = made.floor if measure.key == "frechet" else None
    less = "less is better" if measure.less else "more is better"
    st.caption(f"{measure.words[0].upper()}{measure.words[1:]}; {less}.")
    st.html(figures.dots(values, (measure.title, measure.form, measure.less), palette(), floor))
    st.caption(narration.text(NAME, "measures"))


def table(made: Results) -> None:
    """Draw every measure of every variant."""
    heads, rows, best = views.table(made.rows)
    st.html(tables.table(heads, rows, best))
    st.caption(narration.text(NAME, "table"))


def closer(sections: Mapping[str, str], keys: Mapping[str, Sequence[str]]) -> str:
    """Return which section is open; a link that names none, but a setting of one (by ``keys``), opens that."""
    if settings.current("var_closer", None) is None:
        for section, those in keys.items():
            if any(map(settings.is_awaited, those)):
                settings.put({"var_closer": section})
                break
    return controls.choice("Look closer", "var_closer", sections, default=next(iter(sections)), labelled=False)
