"""The link: every control is in the URL, and what a link says wrongly becomes a note instead of a traceback.

Widgets carry their own value to the URL (``bind="query-params"``); this module checks what a link brought before the
widget reads it.
"""

from collections.abc import Callable

import streamlit as st

_NOTES = "link:notes"


def begin(page: str) -> None:
    """Start a page's run: forget the notes of the page that was open before."""
    if st.session_state.get("link:page") != page:
        st.session_state["link:page"] = page
        st.session_state[_NOTES] = []


def note(text: str) -> None:
    """Keep a sentence about the link for the top of the page."""
    notes = st.session_state.setdefault(_NOTES, [])
    if text not in notes:
        notes.append(text)


def show_notes() -> None:
    """Show what was wrong with the link, with a way to put it away."""
    notes = st.session_state.get(_NOTES, [])
    if notes:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.info("  \n".join(notes), icon=":material/link_off:")
            st.button("Dismiss", key="link:dismiss", on_click=notes.clear, type="tertiary")


def check(key: str, accepts: Callable[[list[str]], bool], *, default: object, allowed: str) -> None:
    """Before the widget ``key`` is first made: note a value in the link that it will not take."""
    if key in st.session_state or key not in st.query_params:
        return
    brought = st.query_params.get_all(key)
    if not accepts(brought):
        shown = ", ".join(brought)[:40]
        note(f"The link asks for {key} = {plain(shown)}, but {allowed}; showing {default} instead.")


def carry(key: str, value: str | None) -> None:
    """Put a value that no widget binds (a file's fingerprint) into the URL, or take it out."""
    if value is None:
        st.query_params.pop(key, None)
    elif st.query_params.get(key) != value:
        st.query_params[key] = value


def plain(text: str) -> str:
    """Text from outside as it is, not as Markdown."""
    return "".join(f"\\{c}" if c in r"\`*_{}[]()<>#+-.!|$~:" else c for c in text if c.isprintable())
