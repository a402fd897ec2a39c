"""The signal's figure: drag over it to zoom in, or to mark the normal stretch; drag the threshold."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aecore.concepts.sensors import Analysis
from aecore.figures import sensors as figures
from pages.ui import controls, settings, strips
from pages.ui.sensors import rules

ZOOM, MARK = "zoom", "mark"
DRAG = {ZOOM: "zooms in", MARK: "marks the normal stretch"}
ALL = (0.0, 100.0)
STEP = 0.1  # % of the rows
KEY = "sensors"
_DRAGGED = "sensors:dragged"


def view_of(length: int) -> tuple[int, int]:
    """Return the rows in view, first and last + 1, from the control's percent; at least two."""
    low, high = settings.current("view", ALL)
    first, last = int(length * low / 100), -int(-length * high // 100)
    return min(first, length - 2), max(last, min(first, length - 2) + 2)


def shelve(
    name: str, scene: figures.Scene, analysis: Analysis | None = None, missing: NDArray[np.bool_] | None = None
) -> str:
    """Send what does not follow the threshold; ``name`` tells signals and detectors apart."""
    name = f"{name} {scene.normal} {scene.view} {analysis is None}"
    return strips.shelve(_packed(name, scene, analysis, missing), key=KEY)


@st.cache_data(show_spinner=False, max_entries=8, scope="session")  # of a visitor's data: nobody else's
def _packed(name: str, _scene: figures.Scene, _analysis: Analysis | None, _missing: NDArray[np.bool_] | None) -> bytes:
    if _analysis is None:
        return strips.pack(_scene)
    joined = _analysis.joined(missing=_missing)
    return strips.pack(_scene, joined, rules.list_levels(_analysis, joined))


def draw(
    shelved: str, clock: figures.Clock, words: str, drag: str = ZOOM, standing: strips.Standing | None = None
) -> None:
    """Draw the scene; a stretch dragged over it becomes the view or the normal stretch, a level the threshold."""

    def stretch(start: float, end: float) -> None:
        settings.put({"view" if drag == ZOOM else "normal": _percent(clock, [start, end])})
        st.session_state[_DRAGGED] = True

    def level(place: int) -> None:
        if rules.put_level(place):
            st.session_state[_DRAGGED] = True

    hand = strips.Hand(stretch, level, marks=drag == MARK)
    strips.strips(shelved, key=KEY, words=words, hand=hand, standing=standing)


def rerun_if_dragged() -> None:
    """Run the whole page once after a drag: the controls that it set stand outside the part that is run again."""
    if st.session_state.pop(_DRAGGED, False):
        st.rerun()


def choose_drag() -> str:
    """Draw the control of what dragging over the figure does, and return it."""
    return controls.choice("Dragging over the figure", "drag", DRAG, default=ZOOM)


def view_control() -> None:
    """Draw the control of which rows are drawn."""
    view = controls.range_slider("In view, % of the rows", "view", low=0.0, high=100.0, default=ALL, step=STEP)
    if view != ALL:
        st.button(
            "Show all", key="view:all", on_click=settings.put, args=({"view": ALL},), icon=":material/zoom_out_map:"
        )


def around(first: int, last: int, length: int) -> tuple[int, int]:
    """Some rows with as many again on both sides, at least 40: first row and last + 1."""
    room = max(last - first + 1, 40)
    return max(0, first - room), min(length, last + 1 + room)


def look_at(first: int, last: int, length: int) -> None:
    """Zoom to some rows and what is around them."""
    low, high = around(first, last, length)
    settings.put({"view": (_down(100 * low / length), _up(100 * high / length))})
    st.session_state[_DRAGGED] = True


def _percent(clock: figures.Clock, stretch: list[float]) -> tuple[float, float]:
    x = clock.at(slice(None))
    first, last = np.searchsorted(x, sorted(stretch))
    low, high = _down(100 * first / len(x)), _up(100 * last / len(x))
    return (low, high) if high > low else ALL


def _down(percent: float) -> float:
    return round(float(np.floor(percent / STEP) * STEP), 1)


def _up(percent: float) -> float:
    return min(100.0, round(float(np.ceil(percent / STEP) * STEP), 1))
