"""The sketch: a digit or a figure drawn with mouse or finger, as 28 x 28 values; its strokes travel in the link."""

import base64
import binascii
import re
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.ui import link
from pages.ui.modules import module, style

SIDE = 28
MOST = 1200  # characters of strokes in a link: 400 points and a few breaks

_component = st.components.v2.component(
    "sketch",
    html='<div class="sketch"></div>',
    css=style("sketch/sketch.css"),
    js=module("shared/inks.js", "sketch/sketch.js"),
)


def sketch(*, key: str, label: str, centred: bool = False, size: int = 280) -> NDArray[np.float32] | None:
    """Values [28, 28] in 0..1 (1: ink) of what was drawn, or None where nothing is.

    ``centred`` brings the drawing to the middle as MNIST's digits were: fitted into 20 x 20, then moved until its
    centre of mass lies in the middle. ``label`` says what to draw; ``size`` is the canvas's side in pixels at most.
    The link carries the strokes (``?key=...``), so that whoever opens it sees the drawing.
    """
    placed = _placed(key)
    data = {"label": label, "centred": centred, "size": size} | placed
    result = _component(key=f"{key}:sketch", data=data, on_drawn_change=lambda: None)
    strokes, image = _read(result.get("drawn"), placed["turn"], centred)
    if strokes is None:
        return None  # a link's strokes: the browser answers with their values at once
    st.session_state[f"{key}:strokes"] = strokes
    link.carry(key, strokes or None)
    return image


def _placed(key: str) -> dict[str, Any]:
    """Strokes for a canvas that is new to the page, with the number of that placing."""
    placed: dict[str, Any] | None = st.session_state.get(f"{key}:placed")
    if placed is not None and f"{key}:sketch" in st.session_state:
        return placed
    strokes = st.session_state.get(f"{key}:strokes", "")
    if key in st.query_params:
        strokes = st.query_params[key]
        if len(strokes) > MOST or not re.fullmatch(r"[\w-]*", strokes, re.ASCII):
            link.note(f"The link's drawing ({key}) is damaged; showing an empty canvas instead.")
            strokes = ""
    placed = {"turn": placed["turn"] + 1 if placed else 1, "strokes": strokes}
    st.session_state[f"{key}:placed"] = placed
    return placed


def _read(answer: Any, turn: int, centred: bool) -> tuple[str | None, NDArray[np.float32] | None]:
    """Strokes and values in the browser's answer, if it is one and belongs to this canvas as it is set now."""
    match answer:
        case {"turn": int(number), "centred": bool(how), "strokes": str(strokes), "pixels": str(text)} if (
            number == turn and how == centred and len(strokes) <= MOST
        ):
            try:
                values = np.frombuffer(base64.b64decode(text, validate=True), np.uint8)
            except binascii.Error:
                return None, None
            if values.size == SIDE * SIDE:
                return strokes, values.reshape(SIDE, SIDE).astype(np.float32) / 255 if values.any() else None
    return None, None
