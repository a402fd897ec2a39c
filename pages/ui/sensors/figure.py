"""The signal's figure: drag over it to zoom in, or to mark the normal stretch."""

import numpy as np
import streamlit as st

from aecore.figures import sensors as figures
from pages.ui import controls

ZOOM, MARK = "zooms in", "marks the normal stretch"
ALL = (0.0, 100.0)
STEP = 0.1  # % of the rows
_DRAGGED = "sensors:dragged"


def view_of(length: int) -> tuple[int, int]:
    """Rows in view, first and last + 1, from the control's percent; at least two."""
    low, high = st.session_state.get("view", ALL)
    first, last = int(length * low / 100), -int(-length * high // 100)
    return min(first, length - 2), max(last, min(first, length - 2) + 2)


def draw(strips: list[figures.Strip], clock: figures.Clock, words: str) -> None:
    """Draw strips over each other; a stretch dragged over them becomes the view or the normal stretch."""
    view, normal = st.session_state.get("view", ALL), st.session_state.get("normal")
    key = f"strips:{len(clock.x)}:{view}:{normal}"  # a new figure after each drag, so that none stays selected

    brushes = [f"drag{i}" for i in range(len(strips))]

    def dragged() -> None:
        chosen = [drag["x"] for drag in st.session_state[key].selection.values() if drag.get("x")]
        for stretch in chosen:
            target = "view" if st.session_state.get("drag", ZOOM) == ZOOM else "normal"
            st.session_state[target] = _percent(clock, stretch)
            st.session_state[_DRAGGED] = True

    st.altair_chart(
        figures.stacked(strips, brushes=brushes), width="stretch", alt=words, key=key, on_select=dragged,
        selection_mode=brushes,
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="bottom"):
        controls.choice("Dragging over the figure", "drag", [ZOOM, MARK], default=ZOOM)
        if tuple(view) != ALL:
            st.button("Show all", key="view:all", on_click=_show_all, icon=":material/zoom_out_map:")


def rerun_if_dragged() -> None:
    """Run the whole page once after a drag: the controls that it set stand outside the part that is run again."""
    if st.session_state.pop(_DRAGGED, False):
        st.rerun()


def view_control() -> None:
    """Which rows are drawn, as a control in the link."""
    controls.range_slider("In view, % of the rows", "view", low=0.0, high=100.0, default=ALL, step=STEP)


def look_at(first: int, last: int, length: int) -> None:
    """Zoom to some rows with as many again on both sides."""
    room = max(last - first + 1, 40)
    low, high = max(0, first - room), min(length, last + 1 + room)
    st.session_state["view"] = (_down(100 * low / length), _up(100 * high / length))
    st.session_state[_DRAGGED] = True


def _show_all() -> None:
    st.session_state["view"] = ALL
    st.session_state[_DRAGGED] = True


def _percent(clock: figures.Clock, stretch: list[float]) -> tuple[float, float]:
    x = clock.x.astype("int64") if clock.temporal else clock.x
    first, last = np.searchsorted(x, sorted(stretch))
    low, high = _down(100 * first / len(x)), _up(100 * last / len(x))
    return (low, high) if high > low else ALL


def _down(percent: float) -> float:
    return round(float(np.floor(percent / STEP) * STEP), 1)


def _up(percent: float) -> float:
    return min(100.0, round(float(np.ceil(percent / STEP) * STEP), 1))
