"""What a visit holds of a visitor's own data beside the work in its slots, and how all of it goes at once.

A cache of such data is the visit's own and is made with `cache`; an entry of the session that holds some is named with
`entry`. `forget` clears them all, with the work on private data, its results and what workers hold for it.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import streamlit as st

from pages.ui.training import work

P = ParamSpec("P")
T = TypeVar("T")

_caches: dict[str, Callable[[], None]] = {}  # what clears them, by the names of their functions
_entries: set[str] = set()


def cache(max_entries: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorate a function whose results, made of a visitor's data, are kept for the visit and no longer."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        cached = st.cache_data(show_spinner=False, max_entries=max_entries, scope="session")(function)
        name = f"{function.__module__}.{function.__qualname__}"  # a page's script makes its functions anew in each run
        _caches[name] = cached.clear
        return cached

    return decorate


def entry(key: str) -> str:
    """Note that the session holds something of a visitor's data under this key, and return it."""
    _entries.add(key)
    return key


def forget() -> None:
    """Stop and drop everything that this visit has of its visitor's data."""
    work.slots().forget_private()
    for clear in _caches.values():
        clear()
    for key in _entries:
        st.session_state.pop(key, None)
