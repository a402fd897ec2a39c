"""The frame around every page: title, promise, notes on the link, errors as sentences, and the way to the next."""

import ctypes
import functools
import gc
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

import streamlit as st
from threadpoolctl import threadpool_limits

from aecore import jobs
from aecore.concepts import CONCEPTS, Concept
from aecore.errors import AecoreError
from aecore.paths import ROOT
from pages.ui.components import address
from pages.ui.frame import guard, narration, settings
from pages.ui.frame.foreign import plain
from pages.ui.training import work

P = ParamSpec("P")
T = TypeVar("T")

PAINTED = 6.0  # s; by then the browser has drawn what the script sent, and the cores are free for the workers' start
TIDY_EVERY = 5.0  # s
TIDY_ALL_EVERY = 60.0  # s; a collection of everything holds the lock that all visitors share, with fifty tabs for 0.1 s
ICON = ROOT / "assets" / "icon.png"  # a named icon would have every visitor's browser ask another site for it


def existing() -> list[Concept]:
    """Concepts whose page is there, in the primer's order."""
    return [concept for concept in CONCEPTS if (ROOT / concept.file).is_file()]


@contextmanager
def frame(name: str) -> Iterator[None]:
    """Everything around a page's own content; an AecoreError inside becomes one sentence and the page stays usable."""
    guard.install()
    title = narration.text(name, "title")
    st.set_page_config(page_title=f"{title} · Autoencoders", page_icon=ICON, layout="wide")
    settings.begin(name)
    st.title(title)
    st.markdown(narration.text(name, "promise"))
    notes = st.container()
    with in_words(), settings.part(name):
        yield
    with notes:
        settings.show_notes()
    address.keep_one_entry_a_page()
    _onwards(name)
    _warm_up()
    _tidy_up()


def fragment(function: Callable[P, T]) -> Callable[P, T | None]:
    """Decorate a part of a page that runs again by itself: its errors become sentences, its settings follow the link.

    This is `st.fragment` for everything that holds a control or may be refused.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T | None:
        with in_words(), settings.part(f"{function.__module__}.{function.__qualname__}"):
            return function(*args, **kwargs)
        return None

    decorated: Callable[P, T | None] = st.fragment(run)
    return decorated


@contextmanager
def in_words() -> Iterator[None]:
    """Turn an AecoreError inside into one sentence in place of what would stand there."""
    try:
        yield
    except AecoreError as error:
        st.error(plain(str(error)), icon=":material/error:")


def why(name: str, say: Callable[[], None] | None = None) -> None:
    """The maths, folded; by default the text's own section on it."""
    _fold(f"{name}:why", say or (lambda: narration.say(name, "why")))


@st.fragment
def _fold(key: str, say: Callable[[], None]) -> None:
    """Words that are sent when they are unfolded: typesetting formulas that nobody sees would delay every figure."""
    unfolded = st.expander("Why", icon=":material/function:", key=key, on_change="rerun")
    if unfolded.open:
        with unfolded:
            say()


def _onwards(name: str) -> None:
    """Lead to the next page that is there, or back to the first; Home has its map instead."""
    pages = existing()
    here = next(i for i, page in enumerate(pages) if page.name == name)
    if here == 0:
        return
    st.divider()
    page = pages[(here + 1) % len(pages)]
    label = f"{'Back to the start' if page is pages[0] else 'Next'}: {narration.text(page.name, 'title')}"
    st.page_link(page.file, label=label, icon=page.icon)


@st.cache_resource(show_spinner=False)
def _tidy_up() -> threading.Thread:
    """Once a server: collect what closed tabs have left, files above all, at times instead of after every change.

    What stands when the first page is drawn, modules above all, stays as long as the process and is set aside. What is
    young is looked through often; everything, only after a tab or a file has gone, or a minute has passed.
    """

    def collect() -> None:
        gc.collect()
        gc.freeze()
        threadpool_limits(1, user_api="blas")  # pages' products are small, and many visitors' runs share the cores
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
        last = time.monotonic()
        while True:
            time.sleep(TIDY_EVERY)
            if guard.gone.is_set() or time.monotonic() - last > TIDY_ALL_EVERY:
                guard.gone.clear()
                gc.collect()
                threadpool_limits(1, user_api="blas")  # of libraries that a page has loaded since
                last = time.monotonic()
            else:
                gc.collect(1)
            guard.tidy()
            if trim is not None:
                trim(0)  # glibc keeps what is freed in every thread's own heap, and every run is a thread of its own

    thread = threading.Thread(target=collect, name="tidy-up", daemon=True)
    thread.start()
    return thread


@st.cache_resource(show_spinner=False)
def _warm_up() -> threading.Thread:
    """Once a server, after its first page is drawn: start the workers, so that the first training need not wait."""

    def warm() -> None:
        jobs.warm(work.LOADED)
        jobs.warm()

    thread = threading.Timer(PAINTED, warm)
    thread.name, thread.daemon = "warm-up", True
    thread.start()
    return thread
