"""Strips: channels of a signal over one time axis, its scores below them, and the threshold a line under the hand.

What is drawn travels in a message of its own (`shelve`) and is then named by its hash, and so does where the threshold
stands: moving it sends a few bytes, and no script again. The browser holds every level that the threshold may take with
its number of events, and what it needs to shade them: scores whose short dips are filled up, a maximum for each pixel.
It follows the hand alone; Python hears of the level where the hand lets go, and of the stretch that was dragged over.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aecore.figures.sensors import Scene, floor, lines
from aecore.figures.thinning import highest, rows_a_bin
from pages.ui.message import Packer
from pages.ui.modules import module, style

BINS = 1200  # pixels of a wide screen

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


class Hand(NamedTuple):
    """What a hand does: ``stretch(from, to)`` of the axis was dragged over, ``level(k)`` is where the line was left."""

    stretch: Callable[[float, float], None]
    level: Callable[[int], None]
    marks: bool = False  # a stretch is drawn in the colour of the normal one


def pack(
    scene: Scene, joined: NDArray[np.floating[Any]] | None = None, levels: Levels | None = None, *, bins: int = BINS
) -> bytes:
    """Everything that does not follow the threshold, thinned: its size has a bound, however long the signal is.

    ``joined`` [T] are the scores whose runs above a level are the events there; they come with ``levels``.
    """
    packer = Packer()
    first, last = scene.view
    points = lines(scene, bins)
    starts = np.arange(first, last, rows_a_bin(last - first, bins))
    ends = np.append(starts[1:], last) - 1
    filled = np.zeros(last - first, np.uint8)
    for begin, end in scene.filled:
        filled[max(begin - first, 0) : max(end + 1 - first, 0)] = 1
    normal = [max(scene.normal[0], first), min(scene.normal[1], last) - 1]
    x = scene.clock.at(np.array([first, last - 1]))

    def places(rows: NDArray[Any]) -> NDArray[np.float32]:
        """Share of the axis, 0..1, at which rows lie."""
        return ((scene.clock.at(rows) - x[0]) / (x[1] - x[0] or 1)).astype(np.float32)

    def line(name: str) -> dict[str, Any]:
        values = points.values[name].astype(np.float32)
        return packer.add(values, np.int16, float(values.min()), float(values.max()))

    parts = [part for part in ("measured", "rebuilt") if f"{part} 0" in points.values]
    channels = [{"name": name} | {part: line(f"{part} {i}") for part in parts} for i, name in enumerate(scene.channels)]
    described: dict[str, Any] = {
        "x": {
            "low": float(x[0]), "high": float(x[1]), "title": scene.clock.title, "temporal": scene.clock.temporal,
            "whole": bool(np.issubdtype(x.dtype, np.integer)),
        },
        "at": packer.exact(places(points.rows)), "from": packer.exact(places(starts)), "to": packer.exact(places(ends)),
        "normal": places(np.array(normal)).tolist() if normal[0] <= normal[1] else [],
        "filled": packer.exact(highest(filled, bins)), "channels": channels,
    }  # fmt: skip
    if scene.scores is not None and joined is not None and levels is not None:
        described["score"] = {
            "line": packer.exact(points.values["score"].astype(np.float32)),
            "joined": packer.exact(highest(joined[first:last], bins).astype(np.float32)),
            "low": floor(scene.scores), "high": float(scene.scores.max()),
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


def strips(scene: str, *, key: str, words: str, hand: Hand, standing: Standing | None = None) -> None:
    """Draw what lies on the shelf as ``scene``, and the threshold where it stands; with none, the signal alone.

    The same ``key`` keeps its place on the page while all else changes; ``words`` say what is seen.
    """
    own = f"{key}:strips"

    def dragged() -> None:
        match st.session_state[own].get("stretch"):
            case {"from": int() | float() as start, "to": int() | float() as end}:
                hand.stretch(float(start), float(end))

    def let_go() -> None:
        match st.session_state[own].get("level"):
            case {"index": int(index)} if index >= 0:
                hand.level(index)

    heard = _heard(st.session_state.get(own))
    message = {"scene": scene, "words": words, "marks": hand.marks, "key": key}
    stands = {"key": key, "heard": heard} | (standing._asdict() if standing else {"threshold": None, "told": []})
    with st.container(gap=None):
        _placing(key=f"{key}:standing", data=stands)
        _component(key=own, data=Packer().message(message), on_stretch_change=dragged, on_level_change=let_go)


def _heard(state: Any) -> int:
    """Number of the last level that the browser sent: what is placed before it was heard is overtaken."""
    match (state or {}).get("level"):
        case {"turn": int(turn)}:
            return turn
    return 0
