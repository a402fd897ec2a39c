"""Parts of the Variants page: all of them at once, in pictures, in one figure and in one table."""

import re

import numpy as np
import streamlit as st

from aecore.concepts import variants as core
from aecore.concepts import variants_views as views
from aecore.concepts.variants import KINDS, NAMES, PCA, Results
from aecore.concepts.variants_measures import MEASURES
from aecore.figures import tables
from aecore.figures import variants as figures
from pages.ui import controls, link, narration
from pages.ui.page import in_words
from pages.ui.theme import palette

NAME = "variants"
CONDITIONS = {"As they are": ("mse", 0), "With noise": ("noise", 1), "Masked": ("mask", 2)}
OFFERED = {m.title: m for m in MEASURES if m.key not in ("parameters", "norm")}

results = st.cache_resource(show_spinner=False)(core.shipped)


@st.fragment
def all_of_them(made: Results) -> None:
    """The sheet of pictures, with what is done to the digits before they go in."""
    with in_words():
        chosen = controls.choice("The digits go in", "var_input", list(CONDITIONS), default="As they are")
        key, place = CONDITIONS[chosen]
        colours = palette()
        errors = views.by_variant(made.rows, key)
        rows = [figures.Row("In", made.inputs[place], colours.input, "")]
        rows += [
            figures.Row(name, made.shown[name].rebuilt[place], colours.reconstruction, f"{np.mean(errors[name]):.4f}",
                        made.shown[name].samples[:10])
            for name in NAMES
        ]  # fmt: skip
        st.html(figures.sheet(rows, ("Test MSE", "Ten digits", "Ten samples"), colours))
        st.caption(narration.text(NAME, "sheet"))


@st.fragment
def one_measure(made: Results) -> None:
    """One measure of all, with its seeds."""
    with in_words():
        measure = OFFERED[controls.choice("Measure", "var_measure", list(OFFERED), default="Test MSE")]
        values = views.by_variant(made.rows, measure.key)
        floor = made.floor if measure.key == "frechet" else None
        less = "less is better" if measure.less else "more is better"
        st.caption(f"{measure.words[0].upper()}{measure.words[1:]}; {less}.")
        st.html(figures.dots(values, (measure.title, measure.form, measure.less), palette(), floor))
        st.caption(narration.text(NAME, "measures"))


def table(made: Results) -> None:
    """Every measure of every variant."""
    heads, rows, best = views.table(made.rows)
    st.html(tables.table(heads, rows, best))
    st.caption(narration.text(NAME, "table"))


def closer(sections: list[str], settings: dict[str, str]) -> str:
    """Which section is open; a link that names none, but settings of one (keys that match), opens that."""
    if "var_closer" not in st.session_state and "var_closer" not in st.query_params:
        for section, keys in settings.items():
            if any(re.match(keys, key) for key in st.query_params):
                st.session_state["var_closer"] = section
                link.carry("var_closer", section)  # a control that is not there yet does not bring it to the address
    return controls.choice("Look closer", "var_closer", sections, default=sections[0], labelled=False)


def names(*, pca: bool) -> list[str]:
    """Name the variants to choose from."""
    return [PCA, *KINDS] if pca else list(KINDS)
