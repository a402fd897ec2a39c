"""The value of a browser component: placed by a link, a prompt or the page, and moved by the visitor.

The browser answers with the number of the placing that its answer belongs to. An answer with an older number belongs
to a component that has since been placed elsewhere, and does not count. The number and the place travel only when the
component has to be put somewhere, so that the rest of its message can be sent once and named by its hash.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import streamlit as st

from pages.ui.frame import settings
from pages.ui.frame.settings import Setting

T = TypeVar("T")


class Placing(NamedTuple, Generic[T]):
    """Where a component was put last, and the number of that placing."""

    turn: int
    start: T


class _Known(NamedTuple, Generic[T]):
    """The last placing, and what it rested on."""

    placing: Placing[T]
    moves: int  # of the setting, from outside the component
    within: object


class Placed(Generic[T]):
    """The settings of one component, for one run of the page.

    Parameters
    ----------
    shown : the setting that the component shows; of several, the value is the tuple of theirs.
    component : the key of the component itself, which is new to the page where the session does not hold it.
    within : what else the place belongs to (a network, a file): another one places the component anew, at its default.
    """

    def __init__(self, shown: Setting[T] | tuple[Setting[Any], ...], component: str, within: object = None) -> None:
        self._many = isinstance(shown, tuple)
        self._settings: tuple[Setting[Any], ...] = shown if isinstance(shown, tuple) else (shown,)
        key = f"{component}:placing"
        known: _Known[T] | None = st.session_state.get(key)
        values = [settings.value(each) for each in self._settings]
        moves = sum(settings.moves(each.key) for each in self._settings)
        if known is not None and known.within != within and known.moves == moves:
            values = [each.default for each in self._settings]  # nobody has asked for a place in what is shown now
        if known is None or (known.moves, known.within) != (moves, within) or component not in st.session_state:
            turn = known.placing.turn + 1 if known else 1
            known = _Known(Placing(turn, self._join(values)), moves, within)
            st.session_state[key] = known
        self.placing: Placing[T] = Placing(known.placing.turn, self._fit(known.placing.start))

    def message(self, start: Callable[[T], Any] = lambda value: value) -> dict[str, Any]:
        """Return what the browser needs: the number of the placing and the place, as ``start`` writes it."""
        return {"turn": self.placing.turn, "start": start(self.placing.start)}

    def accept(self, answer: Any, read: Callable[[dict[str, Any]], T | None]) -> T:
        """Return where the visitor left the component, and keep it; ``read`` takes the browser's answer or refuses."""
        found = None
        if isinstance(answer, dict) and answer.get("turn") == self.placing.turn:
            found = read(answer)
        value = self.placing.start if found is None else found
        for setting, part in zip(self._settings, self._apart(value), strict=True):
            settings.keep(setting, part)
        return value

    def peek(self, component: str, name: str, read: Callable[[dict[str, Any]], T | None]) -> T:
        """Return where the visitor left the component before it is drawn in this run."""
        return self.accept((st.session_state.get(component) or {}).get(name), read)

    def _apart(self, value: Any) -> Sequence[Any]:
        return value if self._many else (value,)

    def _join(self, values: Sequence[Any]) -> Any:
        return tuple(values) if self._many else values[0]

    def _fit(self, value: T) -> Any:
        return self._join([s.fit(part) for s, part in zip(self._settings, self._apart(value), strict=True)])
