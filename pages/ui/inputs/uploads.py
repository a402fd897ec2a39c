"""A visitor's file: taken, kept for the session until it is removed, and named in the link by its fingerprint."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, Literal, NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import get_script_run_ctx

from aecore.data.readers import uploads
from aecore.errors import DataError
from pages.ui.frame import private, settings
from pages.ui.frame.foreign import plain
from pages.ui.frame.settings import Setting
from pages.ui.training import work

MAX_MEGABYTES = 100  # a visitor's share of the server's memory, several copies counted
_NAME_LENGTH = 60  # a link has to stay readable
_LONGEST = 200  # characters of a link's value


class Upload(NamedTuple):
    """Name, content, the content's fingerprint, and Streamlit's name for the file."""

    name: str
    data: bytes
    fingerprint: str
    id: str = ""


def upload(
    label: str, key: str, help: str, *, ask_in: DeltaGenerator | None = None, where: str = "above"
) -> Upload | None:
    """Draw a file chooser; the file stays for the session, across pages, and the link asks for it by fingerprint.

    Every kind of file may be chosen: what cannot be read gets a sentence, not a greyed-out name. A link's wish for a
    file is said below the chooser, or in ``ask_in``, which then says ``where`` the chooser is. Beside a file that is
    kept stands the button that removes it and all that was made of it.
    """
    kept_key = f"{key}:kept"
    turn = st.session_state.get(f"{key}:turn", 0)
    chooser = f"{key}:upload:{turn}" if turn else f"{key}:upload"

    def take() -> None:
        file = st.session_state[chooser]
        if file is None:
            _remove(key)
            return
        st.session_state.pop(f"{key}:removed", None)
        fits = file.size <= MAX_MEGABYTES * 10**6
        data = file.getvalue() if fits else b""
        kept = Upload(file.name, data, uploads.fingerprint(data), file.file_id) if fits else None
        st.session_state[kept_key] = kept

    setting = Setting[str](
        key=key, label=label, default="", read=lambda texts: texts[-1][:_LONGEST], write=str
    )  # fmt: skip
    asked = settings.value(setting)
    file = st.file_uploader(label, key=chooser, help=help, on_change=take)
    if file is not None and file.size > MAX_MEGABYTES * 10**6:
        raise DataError(
            f"{file.name} has {file.size / 10**6:.0f} MB and this page takes {MAX_MEGABYTES}; cut it, keep every n-th "
            "row, or gzip it."
        )
    kept: Upload | None = st.session_state.get(kept_key)
    if kept is None:
        work.start_workers()
        settings.keep(setting, asked)
        if asked:
            with ask_in or nullcontext():
                _ask_for(asked, where)
        elif removed := st.session_state.get(f"{key}:removed"):
            st.success(f"Removed: {plain(removed)}, its table, results and detectors.", icon=":material/delete:")
        return None
    _offer_removal(key, kept)
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


def _offer_removal(key: str, kept: Upload) -> None:
    """Name the file that is kept, and offer to remove it: the chooser forgets its name when the page is left."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Kept for this visit: {plain(kept.name[:_NAME_LENGTH])}, {_size_in_words(len(kept.data))}")
        st.button(
            "Remove my data", key=f"{key}:remove", type="tertiary", icon=":material/delete:", on_click=_remove,
            args=(key,), help="Removes the file and all that was made of it: table, results and detectors.",
        )  # fmt: skip


def _remove(key: str) -> None:
    """Remove a file, and all that this visit has made of its visitor's data."""
    kept: Upload | None = st.session_state.pop(f"{key}:kept", None)
    st.session_state[f"{key}:turn"] = (
        st.session_state.get(f"{key}:turn", 0) + 1
    )  # another chooser: this one has a value
    settings.put({key: settings.DEFAULT})
    private.forget()
    context = get_script_run_ctx()
    if kept is not None:
        st.session_state[f"{key}:removed"] = kept.name[:_NAME_LENGTH]
        if context is not None:
            context.uploaded_file_mgr.remove_file(context.session_id, kept.id)


def _size_in_words(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{max(1, round(size / 1e3)):,} kB"


def _ask_for(asked: str, where: str) -> None:
    name = plain(asked.rpartition("@")[0][:_NAME_LENGTH])
    st.info(
        f"This link was made with a file{f' called {name}' if name else ''}, fingerprint `{_fingerprint(asked)}`. "
        f"All settings are restored; choose that file {where} to see what the sender saw.",
        icon=":material/attach_file:",
    )


def _fingerprint(asked: str) -> str:
    return "".join(c for c in asked.rpartition("@")[2][:12] if c.isalnum())


def request_reading(task: Callable[..., Any], file: Upload, *, keep: int = work.KEPT) -> work.Request:
    """Return the work that reads a visitor's file: alone in a process of its own, since its bytes are untrusted."""
    return work.Request(
        task=task, args=(file.name, file.data), signature=file.fingerprint, lane="short", private=True, isolated=True,
        keep=keep,
    )  # fmt: skip


def show_notes(
    notes: Sequence[str], label: str = "What was done to the file", *, width: Literal["stretch", "content"] = "stretch"
) -> None:
    """Draw a button with the number of notes that a reader took, which opens them."""
    with st.popover(f"{label} ({len(notes)})", width=width):
        st.markdown("\n".join(f"- {plain(note)}" for note in notes))
