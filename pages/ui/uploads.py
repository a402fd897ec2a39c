"""A visitor's file: taken, kept for the session, and named in the link by its fingerprint."""

from contextlib import nullcontext
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aecore.data import uploads
from aecore.errors import DataError
from pages.ui import settings
from pages.ui.foreign import plain
from pages.ui.settings import Setting

MAX_MEGABYTES = 100  # a visitor's share of the server's memory, several copies counted
_NAME_LENGTH = 60  # a link has to stay readable
_LONGEST = 200  # characters of a link's value


class Upload(NamedTuple):
    """Name, content, and the content's fingerprint."""

    name: str
    data: bytes
    fingerprint: str


def upload(
    label: str, key: str, help: str, *, ask_in: DeltaGenerator | None = None, where: str = "above"
) -> Upload | None:
    """File chooser; the file stays for the session, across pages, and the link asks for it by fingerprint.

    Every kind of file may be chosen: what cannot be read gets a sentence, not a greyed-out name. A link's wish for a
    file is said below the chooser, or in ``ask_in``, which then says ``where`` the chooser is.
    """
    kept_key = f"{key}:kept"

    def changed() -> None:
        file = st.session_state[f"{key}:upload"]
        fits = file is not None and file.size <= MAX_MEGABYTES * 10**6
        data = file.getvalue() if fits else b""
        st.session_state[kept_key] = Upload(file.name, data, uploads.fingerprint(data)) if fits else None
        if file is None:
            settings.put({key: settings.DEFAULT})  # taken away by the visitor: no link asks for it any more

    setting = Setting[str](
        key=key, label=label, default="", read=lambda texts: texts[-1][:_LONGEST], write=str
    )  # fmt: skip
    asked = settings.value(setting)
    file = st.file_uploader(label, key=f"{key}:upload", help=help, on_change=changed)
    if file is not None and file.size > MAX_MEGABYTES * 10**6:
        raise DataError(
            f"{file.name} has {file.size / 10**6:.0f} MB and this page takes {MAX_MEGABYTES}; cut it, keep every n-th "
            "row, or gzip it."
        )
    kept: Upload | None = st.session_state.get(kept_key)
    if kept is None:
        settings.keep(setting, asked)
        if asked:
            with ask_in or nullcontext():
                _ask_for(asked, where)
        return None
    wanted = st.session_state.get(f"{key}:wanted")
    if wanted is None or wanted[0] != settings.moves(key):
        wanted = st.session_state[f"{key}:wanted"] = (settings.moves(key), asked)
    if wanted[1] and wanted[1].rpartition("@")[2] != kept.fingerprint:
        with ask_in or nullcontext():
            st.warning(
                f"The link was made with another file than {plain(kept.name)}: its fingerprint was "
                f"`{_fingerprint(wanted[1])}`, this one's is `{kept.fingerprint}`.",
                icon=":material/difference:",
            )
    settings.keep(setting, f"{kept.name[:_NAME_LENGTH]}@{kept.fingerprint}")
    return kept


def _ask_for(asked: str, where: str) -> None:
    name = plain(asked.rpartition("@")[0][:_NAME_LENGTH])
    st.info(
        f"This link was made with a file{f' called {name}' if name else ''}, fingerprint `{_fingerprint(asked)}`. "
        f"All settings are restored; choose that file {where} to see what the sender saw.",
        icon=":material/attach_file:",
    )


def _fingerprint(asked: str) -> str:
    return "".join(c for c in asked.rpartition("@")[2][:12] if c.isalnum())
