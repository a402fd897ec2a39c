"""Settings: what every control of a page holds, and the address that restores it.

A setting has a page, a key, a label, a default, and a way to be read from a link and written into one; it is shown or
not. Native widgets (`controls`) and browser components (`placed`) use it alike, prompts set it with `put`, and this
module alone reads and writes the address. Three rules follow:

- The address holds every setting that is shown and not at its default, and nothing else. A setting that a link names
  stays in the address until its control comes up; a setting whose control went away leaves it, and keeps its value.
- A page that is opened from the sidebar shows what it showed before. A page that is opened by an address (a link, Back,
  Forward) shows exactly that address: what it does not name is at its default.
- What a link says wrongly (out of range, off step, repeated, unknown) gets one note at the top of the page, and goes.

The keys of each page, and what older links called them, stand in `links`.
"""

import contextvars
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from aecore.errors import AecoreError, SettingError
from pages.ui.frame import links
from pages.ui.frame.foreign import plain

T = TypeVar("T")

LONGEST = 40  # characters of a link's value that a note repeats
DEFAULT = object()  # for `put`: back to whatever the setting's default is


class Unfit(Exception):
    """A link's text that a setting does not take.

    The reason completes the sentence "The link asks for ..., but"; ``instead`` is the value that comes nearest.
    """

    def __init__(self, reason: str, instead: Any = None) -> None:
        super().__init__(reason)
        self.instead = instead


@dataclass(frozen=True, kw_only=True)
class Setting(Generic[T]):
    """One control of a page.

    Attributes
    ----------
    key : its name in the link and in the session; belongs to one page (`links.KEYS`).
    label : what the page calls it.
    default : its value where nobody has set it; a setting at its default is not in the link.
    read : turns a link's texts (one for each time that the key is repeated) into a value, or raises `Unfit`.
    write : turns a value into a link's text, or into several.
    fit : brings a value that was set before to what the control takes now (fewer options, another range).
    show : turns a value into words; by default as `write` does.
    """

    key: str
    label: str
    default: T
    read: Callable[[list[str]], T]
    write: Callable[[T], str | list[str]]
    fit: Callable[[T], T] = lambda value: value
    show: Callable[[T], str] | None = None

    def words(self, value: T) -> str:
        """Return a value as the page's sentences name it."""
        if self.show is not None:
            return self.show(value)
        text = self.write(value)
        return text if isinstance(text, str) else " to ".join(text)


@dataclass
class _State:
    """What a visitor's session knows of one page."""

    values: dict[str, Any] = field(default_factory=dict)  # of every setting that was shown or put
    linked: dict[str, list[str]] = field(default_factory=dict)  # from the address, for controls that are not up yet
    texts: dict[str, list[str]] = field(default_factory=dict)  # of what is shown and not at its default
    shown: dict[str, tuple[str, ...]] = field(default_factory=dict)  # by key: the parts of the page it was shown in
    inside: dict[str, tuple[str, ...]] = field(default_factory=dict)  # by a part's name: the parts around it
    known: dict[str, Setting[Any]] = field(default_factory=dict)
    moved: dict[str, int] = field(default_factory=dict)  # how often a value was set from outside its control
    applied: dict[str, int] = field(default_factory=dict)  # `moved` as of the last time that a widget took its value
    named: frozenset[str] = frozenset()  # keys of the link that opened the page
    opened: dict[str, list[str]] | None = None  # the address that opens the page in this run
    notes: list[str] = field(default_factory=list)

    def address(self) -> dict[str, list[str]]:
        return dict(sorted({**self.linked, **self.texts}.items()))


class _Part(NamedTuple):
    """A page, or a fragment of one, while its function runs."""

    path: tuple[str, ...]  # the page and the fragments around, outermost first, and its own name
    shown: set[str]


_part: contextvars.ContextVar[_Part | None] = contextvars.ContextVar("part", default=None)
_PAGES, _PAGE = "settings:pages", "settings:page"


# ---------------------------------------------------------------------- a page's run
def begin(page: str) -> None:
    """Start a run of a whole page: follow its address where that is new, restore its address where it has none."""
    before = st.session_state.get(_PAGE)
    st.session_state[_PAGE] = page
    pages: dict[str, _State] = st.session_state.setdefault(_PAGES, {})
    first = page not in pages
    state = pages.setdefault(page, _State())
    asked = _address_bar()
    history = _by_history()
    state.opened = None
    if before != page or history:
        state.notes.clear()
    if first or history or (before != page and asked):
        _open(page, state, asked)


def put_right() -> dict[str, dict[str, list[str]]] | None:
    """Return the address that opened the page and what it should be, as "wrong" and "right"; None where it is right.

    The browser puts it right in place: written by Streamlit, it would be a new entry of the browser's history.
    """
    state = _state()
    opened, state.opened = state.opened, None
    right = state.address()
    return None if opened is None or opened == right else {"wrong": opened, "right": right}


@contextmanager
def part(name: str) -> Iterator[None]:
    """Run one part of the page (the page itself, or a fragment); at its end the address says what it shows.

    A part that ends early (an exception, a rerun) has not shown everything, so it leaves what it knew.
    """
    state, outer = _state(), _part.get()
    around = outer.path if outer is not None else state.inside.get(name, ())
    state.inside[name] = around
    mine = _Part((*around, name), set())
    token = _part.set(mine)
    try:
        yield
    except AecoreError:  # it becomes a sentence on the page, which goes on
        if outer is None:
            _write_address(state)
        else:
            outer.shown.update(mine.shown, {key for key, path in state.shown.items() if name in path})
        raise
    finally:
        _part.reset(token)
    if outer is not None:
        outer.shown.update(mine.shown)
        return
    for key in [key for key, path in state.shown.items() if name in path and key not in mine.shown]:
        del state.shown[key]
        state.texts.pop(key, None)
    _write_address(state)


# ---------------------------------------------------------------------- values
def value(setting: Setting[T]) -> T:
    """Return the value with which a component is drawn: from a link or a prompt, else what the component last had."""
    state = _state()
    _declare(state, setting)
    if setting.key in state.linked:
        found = _read(state, setting)
    else:
        found = setting.fit(state.values.get(setting.key, setting.default))
    state.values[setting.key] = found
    return found


def widget_value(setting: Setting[T]) -> T:
    """Return what a native widget's setting holds, and see that the widget, made next with the same key, shows it."""
    state, key = _state(), setting.key
    if key in st.session_state and state.moved.get(key, 0) == state.applied.get(key, 0):
        state.values[key] = st.session_state[key]  # as the visitor left it
    found = value(setting)
    if key not in st.session_state or st.session_state[key] != found:
        st.session_state[key] = found
    state.applied[key] = state.moved.get(key, 0)
    return found


def keep(setting: Setting[T], found: T) -> T:
    """Note what a control was left at; returns it."""
    state = _state()
    state.values[setting.key] = found
    if found == setting.default:
        state.texts.pop(setting.key, None)
    else:
        text = setting.write(found)
        state.texts[setting.key] = [text] if isinstance(text, str) else list(text)
    return found


def put(values: Mapping[str, Any]) -> None:
    """Set settings of this page by their keys, shown or not, before its next run: what a prompt or a button does.

    The value `DEFAULT` puts a setting back to its default.
    """
    state = _state()
    for key, found in values.items():
        _check_key(key)
        _forget(state, key)
        if found is not DEFAULT:
            state.values[key] = found


def follow(key: str, text: str) -> None:
    """Set a setting as a link would that says ``text``; takes effect when its control comes up next."""
    state = _state()
    _check_key(key)
    _forget(state, key)
    state.linked[key] = [text]


def current(key: str, default: Any) -> Any:
    """Return a setting's value elsewhere than at its control, also before it has come up; `default` while unset."""
    state = _state()
    if key in state.linked:
        if key not in state.known:
            return state.linked[key][-1]
        try:
            return state.known[key].read(state.linked[key])
        except Unfit:
            return default
    if key in st.session_state and state.moved.get(key, 0) == state.applied.get(key, 0):
        return st.session_state[key]
    return state.values.get(key, default)


def moves(key: str) -> int:
    """Count how often a setting was set from outside its control: a component is placed anew when this rises."""
    return _state().moved.get(key, 0)


def named_by_link(key: str) -> bool:
    """Return whether the address that opened the page names this setting."""
    return key in _state().named


def differs(key: str) -> bool:
    """Return whether a setting is not at its default, shown or not."""
    state = _state()
    if key in state.linked or key not in state.values:
        return key in state.linked
    known = state.known.get(key)
    return known is None or current(key, known.default) != known.default


def is_awaited(key: str) -> bool:
    """Return whether a link names a setting whose control has not come up yet."""
    return key in _state().linked


def describe(keys: Sequence[str]) -> str:
    """Name settings that have been shown, with their values: "Epochs 20, Seed 0"."""
    state = _state()
    parts = [(state.known[key], state.values[key]) for key in keys if key in state.known and key in state.values]
    return ", ".join(f"{setting.label} {setting.words(found)}" for setting, found in parts)


def snapshot(keys: Sequence[str]) -> dict[str, Any]:
    """Return the values of settings, for `put` to restore."""
    values = _state().values
    return {key: values[key] for key in keys if key in values}


# ---------------------------------------------------------------------- notes
def note(text: str) -> None:
    """Keep a sentence about the link for the top of the page."""
    notes = _state().notes
    if text not in notes:
        notes.append(text)


def show_notes() -> None:
    """Show what was wrong with the link, with a button that dismisses it."""
    notes = _state().notes
    if notes:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.info("  \n".join(notes), icon=":material/link_off:")
            st.button("Dismiss", key="link:dismiss", on_click=notes.clear, type="tertiary")


# ---------------------------------------------------------------------- inside
def _state() -> _State:
    found: _State = st.session_state[_PAGES][st.session_state[_PAGE]]
    return found


def _declare(state: _State, setting: Setting[Any]) -> None:
    _check_key(setting.key)
    state.known[setting.key] = setting
    mine = _part.get()
    if mine is not None:
        state.shown[setting.key] = mine.path
        mine.shown.add(setting.key)


def _check_key(key: str) -> None:
    page = st.session_state[_PAGE]
    if not links.belongs(key, page):
        raise SettingError(f"{key!r} is not declared as a setting of the page {page!r}: add it to links.KEYS.")


def _open(page: str, state: _State, asked: dict[str, list[str]]) -> None:
    """Follow an address: every setting that it does not name goes back to its default."""
    for key in {*state.values, *state.linked, *state.known}:
        _forget(state, key)
    state.texts.clear()
    state.opened = asked
    asked = links.translate(page, asked)
    state.named = frozenset(asked)
    for key, texts in asked.items():
        if links.belongs(key, page):
            state.linked[key] = texts
        else:
            note(f"The link holds {plain(key[:LONGEST])}, which is no setting of this page.")


def _forget(state: _State, key: str) -> None:
    state.values.pop(key, None)
    state.linked.pop(key, None)
    state.moved[key] = state.moved.get(key, 0) + 1


def _read(state: _State, setting: Setting[T]) -> T:
    """Read what a link says of a setting; the default, or what comes nearest, and a note where that is nothing."""
    texts = state.linked.pop(setting.key)
    state.moved[setting.key] = state.moved.get(setting.key, 0) + 1
    try:
        return setting.read(texts)
    except Unfit as reason:
        found: T = setting.default if reason.instead is None else reason.instead
        asked = plain(", ".join(texts)[:LONGEST]) or "nothing"
        shown = plain(setting.words(found)) or "none"
        note(f"The link asks for {plain(setting.label)} = {asked}, but {reason}; showing {shown} instead.")
        return found


def _address_bar() -> dict[str, list[str]]:
    return {key: st.query_params.get_all(key) for key in st.query_params}


def _write_address(state: _State) -> None:
    address = state.address()
    if address != _address_bar() and state.opened is None:
        st.query_params.from_dict(address)


def _by_history() -> bool:
    """Return whether the browser's Back or Forward led here.

    Streamlit tells its own widgets so and nobody else: without it, Back to an address that holds no setting could not
    be told from a click in the sidebar. `tests/test_settings.py` fails where the attribute goes.
    """
    context = get_script_run_ctx()
    return bool(context is not None and context.is_history_navigation)
