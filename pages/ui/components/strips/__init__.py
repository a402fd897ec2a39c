"""Strips: channels of a signal over one time axis, its scores below, and the threshold, a line that the pointer moves.

What is drawn travels in a message of its own (`shelve`) and is then named by its hash, and so does where the threshold
stands: moving it sends a few bytes, and no script again. The browser holds every level that the threshold may take with
its number of events, and what it needs to shade them: scores whose short dips are filled up, a maximum for each pixel.
It follows the pointer alone; Python hears of the level where the pointer lets go, and of the stretch that was dragged
over.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aecore.figures.sensors import Outline
from pages.ui.components.modules import module, style
from pages.ui.figures.message import Packer

_component = st.components.v2.component(
    "strips",
    html='<div class="strips"></div>',
    css=style("strips/strips.css"),
    js=module(
        "shared/hand.js", "shared/shelf.js", "shared/inks.js", "shared/message.js", "shared/times.js", "shared/axes.js",
        "strips/painting.js", "strips/strips.js",
    ),
)  # fmt: skip
_shelving = st.components.v2.component(
    "strips_scenes",
    html='<div class="scenes" hidden></div>',
    js=module("shared/shelf.js", "shared/message.js", "strips/shelving.js"),
)
_placing = st.components.v2.component(
    "strips_standing",
    html='<div class="standing" hidden></div>',
    js=module("shared/shelf.js", "strips/placing.js"),
)


class Levels(NamedTuple):
    """Where the threshold may stand: rising levels [K], the number of events at each, and what each is called."""

    values: NDArray[np.floating[Any]]
    counts: NDArray[np.integer[Any]]
    names: list[str]


class PointerActions(NamedTuple):
    """What the pointer does: it drags over ``stretch(from, to)`` of the axis, or leaves the line at ``level(k)``."""

    stretch: Callable[[float, float], None]
    level: Callable[[int], None]
    marks: bool = False  # a stretch is drawn in the colour of the normal one


def pack(outline: Outline, levels: Levels | None = None) -> bytes:
    """Return the message of everything that does not follow the threshold; scores are drawn where levels are known."""
    packer = Packer()

    def line(name: str) -> dict[str, Any]:
        values = outline.lines[name]
        return packer.add(values, np.int16, float(values.min()), float(values.max()))

    parts = [part for part in ("measured", "rebuilt") if f"{part} 0" in outline.lines]
    channels = [
        {"name": name} | {part: line(f"{part} {i}") for part in parts} for i, name in enumerate(outline.channels)
    ]
    low, high = outline.ends
    axis = outline.axis
    described: dict[str, Any] = {
        "x": {"low": low, "high": high, "title": axis.title, "temporal": axis.temporal, "whole": axis.whole},
        "at": packer.exact(outline.at), "from": packer.exact(outline.starts), "to": packer.exact(outline.stops),
        "normal": list(outline.normal), "filled": packer.exact(outline.filled), "channels": channels,
    }  # fmt: skip
    if outline.joined is not None and levels is not None:
        described["score"] = {
            "line": packer.exact(outline.lines["score"]), "joined": packer.exact(outline.joined),
            "low": outline.lowest, "high": outline.highest,
            "levels": packer.exact(levels.values.astype(np.float32)),
            "counts": packer.exact(levels.counts.astype(np.float32)), "names": levels.names,
        }  # fmt: skip
    return packer.message(described)


def shelve(message: bytes, *, key: str) -> str:
    """Put what `pack` made on the browser's shelf, where the strips find it by the name that is returned."""
    _shelving(key=f"{key}:scene", data=message)
    (length,) = np.frombuffer(message, "<u4", 1)
    name: str = json.loads(message[4 : 4 + length])["digest"]
    return name


class Standing(NamedTuple):
    """Where the threshold stands, how many events pass it, and what is said of it below the figure."""

    threshold: float
    count: int
    told: Sequence[str]


def strips(scene: str, *, key: str, words: str, pointer: PointerActions, standing: Standing | None = None) -> None:
    """Draw what lies on the shelf as ``scene``, and the threshold where it stands; with none, the signal alone.

    The same ``key`` keeps its place on the page while all else changes; ``words`` say what is seen.
    """
    own = f"{key}:strips"

    def take_stretch() -> None:
        match st.session_state[own].get("stretch"):
            case {"from": int() | float() as start, "to": int() | float() as end}:
                pointer.stretch(float(start), float(end))

    def take_level() -> None:
        match st.session_state[own].get("level"):
            case {"index": int(index)} if index >= 0:
                pointer.level(index)

    heard = _heard(st.session_state.get(own))
    message = {"scene": scene, "words": words, "marks": pointer.marks, "key": key}
    stands = {"key": key, "heard": heard} | (standing._asdict() if standing else {"threshold": None, "told": []})
    with st.container(gap=None):
        _placing(key=f"{key}:standing", data=stands)
        _component(key=own, data=Packer().message(message), on_stretch_change=take_stretch, on_level_change=take_level)


def _heard(state: Any) -> int:
    """Number of the last level that the browser sent: what is placed before it was heard is overtaken."""
    match (state or {}).get("level"):
        case {"turn": int(turn)}:
            return turn
    return 0
