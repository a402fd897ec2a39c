"""The glossary: every word with a link to the figure that shows it."""

import streamlit as st

from aecore.concepts import Concept
from aecore.concepts.field_guide.glossary import Term, matching
from pages.ui.frame import narration, settings
from pages.ui.frame.downloads import Download
from pages.ui.frame.page import existing
from pages.ui.inputs import controls

NAME = "field_guide"
LONGEST = 40  # characters of a word that is looked for
PROMPTS = {"What leaks": {"term": "learnt from"}, "All about VAEs": {"term": "VAE"}, "Every word": {"term": ""}}


def show() -> list[Download]:
    narration.say(NAME, "glossary")
    wanted = controls.text("Find a word", "term", longest=LONGEST)
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


def _lead(term: Term, page: Concept) -> None:
    """Draw the word as a link to its page; on this page a button does what the link would."""
    label = f"**{term.word}**"
    if term.page == NAME:
        key = f"word:{term.word}"
        st.button(label, key=key, icon=page.icon, type="tertiary", on_click=_open, args=(term.settings,))
    else:
        st.page_link(page.file, label=label, icon=page.icon, query_params=term.settings or None)


def _open(asked: dict[str, str]) -> None:
    for key, text in asked.items():
        settings.follow(key, text)
