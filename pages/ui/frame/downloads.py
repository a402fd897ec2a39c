"""Downloads: files that are made when they are asked for, and the link."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import streamlit as st

from pages.ui.components.share import share


class Download(NamedTuple):
    """A button; ``make`` runs on the click, so that a page does not pay for files that nobody takes."""

    label: str
    file: str
    make: Callable[[], bytes]
    mime: str = "text/csv"


def take_it_with_you(downloads: Sequence[Download]) -> None:
    """Heading, a row of download buttons, and the link that restores the page."""
    st.subheader("Take it with you", divider="gray")
    buttons(downloads)
    share()


def buttons(downloads: Sequence[Download]) -> None:
    """A row of download buttons: also inside a fragment, where what there is to take changes with the controls."""
    with st.container(horizontal=True):
        for d in downloads:
            st.download_button(
                d.label,
                d.make,
                file_name=d.file,
                mime=d.mime,
                on_click="ignore",
                icon=":material/download:",
                key=d.file,
            )
