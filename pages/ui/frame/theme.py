"""Which palette the visitor's theme asks for."""

import streamlit as st

from aecore.figures.palette import DARK, LIGHT, Palette


def palette() -> Palette:
    """Colours for the theme in use; the light ones until the browser has told."""
    return DARK if st.context.theme.type == "dark" else LIGHT
