"""The signal's figure: drag over it to zoom in, or to mark the normal stretch; drag the threshold."""

from collections.abc import Hashable
from typing import Any

import numpy as np
import streamlit as st

from aecore.concepts.sensor_anomalies.tasks import SIGMAS, Overview
from aecore.figures import sensor_drawing
from aecore.figures.sensors import Outline
from pages.ui.components import strips
from pages.ui.frame import private, settings
from pages.ui.inputs import controls
from pages.ui.sensors import rules, sources

ZOOM, MARK = "zoom", "mark"
DRAG = {ZOOM: "zooms in", MARK: "marks the normal stretch"}
ALL = (0.0, 100.0)
STEP = 0.1  # % of the rows
KEY, VIEW = "sensors", "sensors:view"
_DRAGGED = "sensors:dragged"
_SHOWN = private.entry("sensors:outline")


def choose_view() -> tuple[float, float]:
    """Draw the control of which rows are drawn, and return it in percent of all."""
    view = controls.range_slider("In view, % of the rows", "view", low=0.0, high=100.0, default=ALL, step=STEP)
    if view != ALL:
        st.button(
            "Show all", key="view:all", on_click=settings.put, args=({"view": ALL},), icon=":material/zoom_out_map:"
        )
    return view


def choose_drag() -> str:
    """Draw the control of what dragging over the figure does, and return it."""
    return controls.choice("Dragging over the figure", "drag", DRAG, default=ZOOM)


def fetch_outline(
    signature: Hashable, data: Any, normal: tuple[int, int], view: tuple[float, float], *, scored: bool
) -> Outline | None:
    """Return what is drawn of a signal, or of a result: until there is an answer, what was drawn of it before."""
    task = sensor_drawing.draw_result if scored else sensor_drawing.draw_signal
    outline: Outline | None = sources.ask(VIEW, signature, task, data, normal, view, words="Drawing")
    if outline is not None:
        st.session_state[_SHOWN] = (signature, scored, outline)
        return outline
    before = st.session_state.get(_SHOWN)
    return before[2] if before is not None and before[:2] == (signature, scored) else None


def put_on_shelf(outline: Outline, overview: Overview | None = None) -> str:
    """Send what does not follow the threshold; returns its name in the browser."""
    levels = None
    if overview is not None:
        names = [f"{sigmas:g} standard deviations" for sigmas in SIGMAS]
        levels = strips.Levels(overview.levels, overview.counts, names)
    return strips.shelve(strips.pack(outline, levels), key=KEY)


def draw(shelved: str, outline: Outline, words: str, drag: str = ZOOM, standing: strips.Standing | None = None) -> None:
    """Draw the scene; a stretch dragged over it becomes the view or the normal stretch, a level the threshold."""

    def stretch(start: float, end: float) -> None:
        low, high = outline.axis.percent(*sorted((start, end)))
        settings.put({"view" if drag == ZOOM else "normal": (low, high) if high > low else ALL})
        st.session_state[_DRAGGED] = True

    def level(place: int) -> None:
        if rules.put_level(place):
            st.session_state[_DRAGGED] = True

    pointer = strips.PointerActions(stretch, level, marks=drag == MARK)
    strips.strips(shelved, key=KEY, words=words, pointer=pointer, standing=standing)


def rerun_if_dragged() -> None:
    """Run the whole page once after a drag: the controls that it set stand outside the part that is run again."""
    if st.session_state.pop(_DRAGGED, False):
        st.rerun()


def look_at(first: int, last: int, length: int) -> None:
    """Zoom to some rows and what is around them."""
    low, high = sensor_drawing.rows_around(first, last, length)
    settings.put({"view": (_down(100 * low / length), _up(100 * high / length))})
    st.session_state[_DRAGGED] = True


def _down(percent: float) -> float:
    return round(float(np.floor(percent / STEP) * STEP), 1)


def _up(percent: float) -> float:
    return min(100.0, round(float(np.ceil(percent / STEP) * STEP), 1))
