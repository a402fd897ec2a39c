"""The sketch: a digit or a figure drawn with mouse or finger, as 28 x 28 values; its strokes travel in the link."""

import base64
import binascii
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.ui.components.modules import module, style
from pages.ui.components.placed import Placed
from pages.ui.frame.settings import Setting, Unfit

SIDE = 28
MOST = 1200  # characters of strokes in a link: 400 points and a few breaks
STEPS, BREAK = 8, 255  # a point's bytes count eighths of a value's side; two breaks part strokes

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
    placed = Placed(_setting(key, label), f"{key}:sketch")
    turn, strokes = placed.placing
    data = {"label": label, "centred": centred, "size": size, "turn": turn, "strokes": strokes}
    drawn = _component(key=f"{key}:sketch", data=data, on_drawn_change=lambda: None).get("drawn")

    left = placed.accept(drawn, lambda answer: _read(answer, centred))
    answered = isinstance(drawn, dict) and drawn.get("turn") == turn and _read(drawn, centred) == left
    return _values(drawn) if answered else None  # a link's strokes: the browser answers with their pixels at once


def _setting(key: str, label: str) -> Setting[str]:
    def read(texts: list[str]) -> str:
        if len(texts) != 1 or len(texts[0]) > MOST or not _is_strokes(texts[0]):
            raise Unfit("its strokes are damaged")
        return texts[0]

    return Setting(key=key, label=label, default="", read=read, write=str, show=lambda found: "an empty canvas")


def _read(answer: dict[str, Any], centred: bool) -> str | None:
    """Return the strokes in the browser's answer, if it is one."""
    match answer:
        case {"centred": bool(how), "strokes": str(found)} if how == centred and len(found) <= MOST:
            return found
    return None


def _is_strokes(text: str) -> bool:
    """Return whether a link's text is strokes as the browser writes them: points of two bytes, breaks of two 255."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return False
    pairs = list(zip(data[::2], data[1::2], strict=False))
    return len(data) % 2 == 0 and all(max(pair) <= SIDE * STEPS or pair == (BREAK, BREAK) for pair in pairs)


def _values(answer: dict[str, Any]) -> NDArray[np.float32] | None:
    """Return the pixels [28, 28] in the browser's answer; None where they are none, or all empty."""
    try:
        values = np.frombuffer(base64.b64decode(str(answer.get("pixels")), validate=True), np.uint8)
    except binascii.Error:
        return None
    if values.size != SIDE * SIDE or not values.any():
        return None
    return values.reshape(SIDE, SIDE).astype(np.float32) / 255
