"""The glossary: every word with a link to the figure that shows it."""

import contextlib
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAPIException

from aecore.concepts.field_guide.curved import TURNS
from aecore.concepts.field_guide.glossary import Term, matching
from pages.ui import controls, link, narration
from pages.ui.downloads import Download
from pages.ui.page import Page, existing

NAME = "field_guide"
PROMPTS = {"What leaks": {"term": "learnt from"}, "All about VAEs": {"term": "VAE"}, "Every word": {"term": ""}}


def show() -> list[Download]:
    narration.say(NAME, "glossary")
    wanted = st.text_input("Find a word", key="term", bind="query-params", persist_state="session", max_chars=40)
    files = {page.name: page for page in existing()}
    terms = [term for term in matching(wanted) if term.page in files]
    if not terms:
        st.info("No word here holds that; try a shorter piece of it.", icon=":material/search_off:")
    third = -(-len(terms) // 3)
    for column, start in zip(st.columns(3, gap="large"), range(0, 3 * third, max(third, 1)), strict=False):
        for term in terms[start : start + third]:
            with column:
                _lead(term, files[term.page])
                st.caption(term.meaning)
    return []


def _lead(term: Term, page: Page) -> None:
    """Draw the word as a link to its page; on this page a link would leave what the address says as it was."""
    label = f"**{term.word}**"
    if term.page == NAME:
        key = f"word:{term.word}"
        st.button(label, key=key, icon=page.icon, type="tertiary", on_click=_open, args=(term.settings,))
    else:
        st.page_link(page.file, label=label, icon=page.icon, query_params=term.settings or None)


def _open(settings: dict[str, str]) -> None:
    """Set controls and address: a control that is not on the page yet would not bring its value there itself."""
    controls.put(_as_controls(settings))
    for key, text in settings.items():
        with contextlib.suppress(StreamlitAPIException):  # bound to a control that is there, which brings it along
            link.carry(key, text)


def _as_controls(settings: dict[str, str]) -> dict[str, Any]:
    """What a link says, as the controls hold it: faults are a list, a bend is a position."""
    read = {"wrong": lambda text: [text], "bend": lambda text: TURNS.index(int(text))}
    return {key: read.get(key, str)(text) for key, text in settings.items()}
