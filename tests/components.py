"""Browser components outside of their pages: what demos and tests of components put around them."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from pages.ui.components import address
from pages.ui.frame import settings
from pages.ui.frame.page import in_words


@contextmanager
def shown_on(page: str) -> Iterator[None]:
    """Run one page's part, so that a component on it has its setting; ``page`` is one that has such keys."""
    settings.begin(page)
    with in_words(), settings.part(page):
        yield
    settings.show_notes()
    address.keep_one_entry_a_page()


def option(name: str, default: str) -> str:
    """Return a word of the demo's address; it stays for the session and leaves the address to the settings."""
    found: str = st.session_state.setdefault(name, st.query_params.get(name, default))
    st.query_params.pop(name, None)
    return found
