"""The link that restores the page, read off the address bar by the browser itself."""

from pathlib import Path

import streamlit as st

_ASSETS = Path(__file__).parent
_component = st.components.v2.component(
    "share",
    html=(
        '<div class="share"><label for="address">A link to exactly this</label>'
        '<input id="address" readonly><button type="button">Copy</button><span role="status"></span></div>'
    ),
    css=(_ASSETS / "share.css").read_text(encoding="utf-8"),
    js=(_ASSETS / "share.js").read_text(encoding="utf-8"),
)


def share() -> None:
    """Show the page's address, with every control that is not at its default, and a button that copies it."""
    _component(key="share", data=None)
