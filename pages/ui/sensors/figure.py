"""The signal's figure: drag over it to zoom in, or to mark the normal stretch."""

import numpy as np
import streamlit as st

from aecore.figures import sensors as figures
from pages.ui import controls
from pages.ui.theme import palette

ZOOM, MARK = "zooms in", "marks the normal stretch"
ALL = (0.0, 100.0)
STEP = 0.1  # % of the rows
_DRAGGED = "sensors:dragged"


def view_of(length: int) -> tuple[int, int]:
    """Rows in view, first and last + 1, from the control's percent; at least two."""
    low, high = st.session_state.get("view", ALL)
    first, last = int(length * low / 100), -int(-length * high // 100)
    return min(first, length - 2), max(last, min(first, length - 2) + 2)


def draw(scene: figures.Scene, tables: figures.Tables, words: str, threshold: float | None = None) -> None:
    """Draw the scene; a stretch dragged over it becomes the view or the normal stretch."""
    view, normal = st.session_state.get("view", ALL), st.session_state.get("normal")
    # a new figure after each drag, so that none stays selected
    key = f"strips:{len(scene.clock.x)}:{view}:{normal}:{scene.scores is None}"

    def dragged() -> None:
        chosen = [drag["x"] for drag in st.session_state[key].selection.values() if drag.get("x")]
        for stretch in chosen:
            target = "view" if st.session_state.get("drag", ZOOM) == ZOOM else "normal"
            st.session_state[target] = _percent(scene.clock, stretch)
            st.session_state[_DRAGGED] = True

    figure = figures.strips(scene, palette(), tables=tables, threshold=threshold)
    st.vega_lite_chart(
        None, figure.whole, width="stretch", alt=words, key=key, on_select=dragged,
        selection_mode=figures.brush_names(scene),
    )  # fmt: skip


def rerun_if_dragged() -> None:
    """Run the whole page once after a drag: the controls that it set stand outside the part that is run again."""
    if st.session_state.pop(_DRAGGED, False):
        st.rerun()


def drag_control() -> None:
    """What a hand that drags over the figure does, as a control in the link."""
    controls.choice("Dragging over the figure", "drag", [ZOOM, MARK], default=ZOOM)


def view_control() -> None:
    """Which rows are drawn, as a control in the link."""
    view = controls.range_slider("In view, % of the rows", "view", low=0.0, high=100.0, default=ALL, step=STEP)
    if view != ALL:
        st.button("Show all", key="view:all", on_click=_show_all, icon=":material/zoom_out_map:")


def around(first: int, last: int, length: int) -> tuple[int, int]:
    """Some rows with as many again on both sides, at least 40: first row and last + 1."""
    room = max(last - first + 1, 40)
    return max(0, first - room), min(length, last + 1 + room)


def look_at(first: int, last: int, length: int) -> None:
    """Zoom to some rows and what is around them."""
    low, high = around(first, last, length)
    st.session_state["view"] = (_down(100 * low / length), _up(100 * high / length))
    st.session_state[_DRAGGED] = True


def _show_all() -> None:
    st.session_state["view"] = ALL


def _percent(clock: figures.Clock, stretch: list[float]) -> tuple[float, float]:
    x = clock.at(slice(None))
    first, last = np.searchsorted(x, sorted(stretch))
    low, high = _down(100 * first / len(x)), _up(100 * last / len(x))
    return (low, high) if high > low else ALL


def _down(percent: float) -> float:
    return round(float(np.floor(percent / STEP) * STEP), 1)


def _up(percent: float) -> float:
    return min(100.0, round(float(np.ceil(percent / STEP) * STEP), 1))
