"""The scrubber: frames that turn under a handle while it is dragged; where it is left goes to Python and into the link.

The browser holds every frame, so nothing is asked of the server during a drag. The position stays out of the data
message, which is sent once and then named by its hash: the handle's place travels only when the handle has to be put
somewhere (first view, a return to the page, ``move``), and each such placing carries a number. An answer from
the browser that bears an older number belongs to a handle that has since been placed elsewhere, and is ignored.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import streamlit as st

from aecore.errors import DataError, SettingError
from pages.ui import link
from pages.ui.modules import module, style
from pages.ui.panel_checks import Role
from pages.ui.panels import Axis, Bars, Curves, Images, Line, Panel, Points, Waves, pack

__all__ = [
    "Axis", "Bars", "Below", "Curves", "Images", "Line", "Panel", "Points", "Role", "Waves",
    "move", "parse_position", "scrubber",
]  # fmt: skip

_component = st.components.v2.component(
    "scrubber",
    html='<div class="scrubber"></div>',
    css=style("scrubber/scrubber.css"),
    js=module(
        "shared/hand.js", "shared/inks.js", "shared/message.js",
        "shared/times.js", "shared/axes.js", "scrubber/arranging.js", "scrubber/drawing.js", "scrubber/scrubber.js",
    ),
)  # fmt: skip


class Below(NamedTuple):
    """Panels under the handle, each ``height`` pixels high, ``columns`` side by side."""

    panels: Sequence[Panel]
    height: int = 240
    columns: int = 3


def scrubber(
    panels: Sequence[Panel],
    *,
    label: str,
    key: str,
    values: Sequence[object] | None = None,
    default: int = 0,
    height: int = 180,
    columns: int | None = None,
    below: Below | None = None,
    autoplay: bool = False,
) -> int:
    """Panels over one handle, and more ``below`` it; returns the position (0..K-1) where the handle was left.

    ``label`` names what the handle sets ("k"); ``values`` are the positions' names (None: 0..K-1), shown beside it and
    written into the link as ``?key=value`` (a key is one page's own). ``default`` is a position. ``height`` is a
    panel's, in pixels; ``columns`` how many panels stand side by side (None: all that fit). ``autoplay`` turns the
    frames once at first view. A link that names no position is noted at the top of the page.
    """
    below = below or Below([])
    everything = [*panels, *below.panels]
    count = _positions(everything)
    names = [str(value) for value in (range(count) if values is None else values)]
    if len(names) != count:
        raise DataError(f"The scrubber {key!r} has {count} frames but {len(names)} values; give one for each frame.")
    if not 0 <= default < count:
        raise SettingError(f"default must be a position in 0..{count - 1}, got {default}.")
    placed = _placed(key, names, default)
    rows = [Below(panels, height, columns or len(panels)), below]
    stages = [{"count": len(row.panels), "height": row.height, "columns": row.columns} for row in rows]
    scene = {"key": key, "label": label, "names": names, "stages": stages, "autoplay": autoplay} | placed
    result = _component(key=_handle(key), data=pack(everything, scene), on_position_change=lambda: None)
    position = min(_left(result.get("position"), placed), count - 1)
    st.session_state[f"{key}:left"] = position
    link.carry(key, None if position == default else names[position])
    return position


def move(key: str, position: int) -> None:
    """Put the handle of the scrubber ``key`` at a position, before or between its runs (a button's callback, say)."""
    if position < 0:
        raise SettingError(f"position must be at least 0, got {position}.")
    st.session_state[key] = position  # no widget's own: the handle takes it when it is next on the page


def parse_position(text: str, names: Sequence[str]) -> int | None:
    """The position that a link's text names, or None; numbers may be written in another way ("8.0", "08")."""
    text = text.strip()
    if text in names:
        return list(names).index(text)
    try:
        number = float(text)
        return [float(name) for name in names].index(number)
    except ValueError:
        return None


def _positions(panels: Sequence[Panel]) -> int:
    """How many positions the panels have: all the same number, but for those that stand still."""
    counts = {panel.positions for panel in panels} - {1}
    if len(counts) != 1:
        raise DataError(
            f"The panels of a scrubber need one common number of positions, got {sorted(counts) or 'none'}."
        )
    return counts.pop()


def _handle(key: str) -> str:
    return f"{key}:handle"


def _placed(key: str, names: list[str], default: int) -> dict[str, int]:
    """Where the handle was last put and the number of that placing; a component new to the page is placed anew."""
    placed: dict[str, int] | None = st.session_state.get(f"{key}:placed")
    asked = st.session_state.pop(key, None)
    if asked is None and placed is not None and _handle(key) in st.session_state:
        return placed | {"start": min(placed["start"], len(names) - 1)}
    if asked is not None:
        start = min(asked, len(names) - 1)
    elif key in st.query_params:
        start = _linked(key, names, default)
    else:
        start = min(st.session_state.get(f"{key}:left", default), len(names) - 1)
    placed = {"turn": placed["turn"] + 1 if placed else 1, "start": start}
    st.session_state[f"{key}:placed"] = placed
    return placed


def _linked(key: str, names: list[str], default: int) -> int:
    """The position that the link asks for, or the default and a note."""
    text = st.query_params[key]
    position = parse_position(text, names)
    if position is None:
        asked = f"The link asks for {key} = {link.plain(text[:40])}"
        link.note(f"{asked}, but there is only {names[0]} to {names[-1]}; showing {names[default]} instead.")
        return default
    return position


def _left(answer: Any, placed: dict[str, int]) -> int:
    """The position in the browser's answer, if it is one and belongs to this placing of the handle."""
    match answer:
        case {"turn": int(turn), "index": int(index)} if turn == placed["turn"] and index >= 0:
            return index
    return placed["start"]
