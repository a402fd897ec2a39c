"""Training that starts when a visitor asks for it: offered inside a fragment, run and watched on the page itself.

A running job's panel renews itself, and such a fragment must not lie in another: so the fragment with the controls only
offers and asks, and the page, which runs again at once, starts the work and keeps what comes of it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import streamlit as st

from aecore import jobs
from pages.ui import live


class Request(NamedTuple):
    """What would be trained: a signature that names the data, and the task with its arguments."""

    signature: object
    task: tuple[Any, ...]
    private: bool = False


def result(slot: str, request: Request, words: str) -> Any | None:
    """What training on exactly these data has given; where nothing has, ``words`` and a button that asks for it."""
    st.session_state[f"{slot}:now"] = request.signature
    done = st.session_state.get(f"{slot}:done")
    if done is not None and done[0] == request.signature:
        return done[1]
    asked: Request | None = st.session_state.get(f"{slot}:asked")
    if asked is not None and asked.signature == request.signature and live.running(slot):
        return None  # its panel is on the page
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(words, icon=":material/model_training:")
        if st.button("Train on these", key=f"{slot}:ask", type="primary"):
            live.forget(slot)  # what was stopped or failed before begins anew
            st.session_state[f"{slot}:asked"] = request
            st.rerun()
    return None


def run(slot: str, draw: Callable[[jobs.Job], None] = live.training_panel) -> None:
    """Start or watch what was asked for, while its data are the ones on the page; ``draw`` shows it running."""
    request: Request | None = st.session_state.get(f"{slot}:asked")
    if request is None or request.signature != st.session_state.get(f"{slot}:now"):
        return
    outcome = live.work(slot, request.signature, lambda: jobs.submit(*request.task, private=request.private), draw)
    if outcome is not None:
        st.session_state[f"{slot}:done"] = (request.signature, outcome)
