"""The scrubber: frames that follow a slider while it is dragged; where it is left goes to Python and into the link.

The browser holds every frame, so nothing is asked of the server during a drag; the position stays out of the message
with the frames, which is sent once and then named by its hash.
"""

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from aecore.errors import DataError, SettingError
from pages.ui.components.modules import module, style
from pages.ui.components.placed import Placed
from pages.ui.figures.panel_checks import Role
from pages.ui.figures.panels import Bars, Curves, Images, Line, Panel, PanelAxis, Points, Waves, pack
from pages.ui.frame.settings import Setting, Unfit

__all__ = [
    "PanelAxis", "Bars", "Below", "Curves", "Images", "Line", "Panel", "Points", "Role", "Waves",
    "parse_position", "scrubber",
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
    """Draw panels that turn with one slider, each ``height`` pixels high, ``columns`` side by side."""

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
    within: object = None,
) -> int:
    """Panels over one handle, and more ``below`` it; returns the position (0..K-1) where the handle was left.

    ``label`` names what the handle sets ("k"); ``values`` are the positions' names (None: 0..K-1), shown beside it and
    written into the link as ``?key=value`` (a key is one page's own). ``default`` is a position. ``height`` is a
    panel's, in pixels; ``columns`` how many panels stand side by side (None: all that fit). ``autoplay`` turns the
    frames once at first view. ``within`` names what the frames are of: of another, the slider goes to ``default``. A
    link that names no position is noted at the top of the page.
    """
    below = below or Below([])
    everything = [*panels, *below.panels]
    count = _positions(everything)
    names = [str(value) for value in (range(count) if values is None else values)]
    if len(names) != count:
        raise DataError(f"The scrubber {key!r} has {count} frames but {len(names)} values; give one for each frame.")
    if not 0 <= default < count:
        raise SettingError(f"default must be a position in 0..{count - 1}, got {default}.")
    placed = Placed(_setting(key, label, names, default), f"{key}:handle", within)
    rows = [Below(panels, height, columns or len(panels)), below]
    stages = [{"count": len(row.panels), "height": row.height, "columns": row.columns} for row in rows]
    scene = {"key": key, "label": label, "names": names, "stages": stages, "autoplay": autoplay}
    data = pack(everything, scene | placed.message())
    result = _component(key=f"{key}:handle", data=data, on_position_change=lambda: None)

    def read(answer: dict[str, object]) -> int | None:
        index = answer.get("index")
        return min(index, count - 1) if isinstance(index, int) and index >= 0 else None

    return placed.accept(result.get("position"), read)


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


def _setting(key: str, label: str, names: Sequence[str], default: int) -> Setting[int]:
    """Return the setting of a position among ``names``."""

    def read(texts: list[str]) -> int:
        found = parse_position(texts[0], names) if len(texts) == 1 else None
        if found is None:
            raise Unfit(f"there is only {names[0]} to {names[-1]}")
        return found

    return Setting(
        key=key, label=label, default=default, read=read, write=lambda position: names[position],
        fit=lambda position: min(position, len(names) - 1),
    )  # fmt: skip
