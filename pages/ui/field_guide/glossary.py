"""The glossary: every word with a link to the figure that shows it."""

import streamlit as st

from aecore.concepts.field_guide.glossary import matching
from pages.ui import narration
from pages.ui.downloads import Download
from pages.ui.page import existing

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
            page = files[term.page]
            column.page_link(page.file, label=f"**{term.word}**", icon=page.icon, query_params=term.settings or None)
            column.caption(term.meaning)
    return []
