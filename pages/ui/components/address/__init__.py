"""The browser's history: settings change the address in place, only another page is a new entry."""

from urllib.parse import urlencode

import streamlit as st

from pages.ui.components.modules import module
from pages.ui.frame import settings

_component = st.components.v2.component(
    "address", html='<div class="address" hidden></div>', js=module("address/address.js")
)


def keep_one_entry_a_page() -> None:
    """Have the browser keep one entry of its history for each page that is visited, whatever is set there."""
    change = settings.put_right()
    data = None if change is None else {name: urlencode(query, doseq=True) for name, query in change.items()}
    _component(key="address", data=data)
