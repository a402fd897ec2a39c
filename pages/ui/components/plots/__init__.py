"""Plots on canvases, for figures that follow a control: curves over one axis, coloured stretches of it, small pictures.

A message that changes is redrawn in the same place within a few milliseconds, where a Vega view exchanges its rows in
50 to 200: its expressions are interpreted one by one in a page that allows no compiled ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import ArrayLike, NDArray

from aecore.errors import DataError
from pages.ui.components.modules import module, style
from pages.ui.figures.message import Packer

_component = st.components.v2.component(
    "plots",
    html='<div class="plots"></div>',
    css=style("plots/plots.css"),
    js=module(
        "shared/hand.js", "shared/inks.js", "shared/message.js", "shared/times.js", "shared/axes.js", "plots/plots.js"
    ),
)

Ink = str | int  # a role of the palette by name, or a class by number
MOST_LETTERS = 24  # of a bar's name
AROUND = 0.05  # of the curves' range, above and below them


class Curve(NamedTuple):
    """One curve [T] and how it is drawn; ``dash`` is pixels on and off, (1, 0) a solid line."""

    values: ArrayLike
    ink: Ink
    width: float = 1.6
    dash: tuple[int, int] = (1, 0)


class Axes(NamedTuple):
    """Titles of the axes, height in pixels, a range for y that does not follow the curves, and which are logarithmic.

    Of a logarithmic axis ("x" or "y") the curves hold powers of ten; ``ticks`` are its numbers, as powers too.
    """

    x: str
    y: str
    height: int = 220
    y_range: tuple[float, float] | None = None
    logarithmic: Literal["", "x", "y"] = ""
    ticks: Sequence[float] = ()


@dataclass(frozen=True, kw_only=True)
class CurvePlot:
    """Curves by name over ``x`` [T], which rises; ``marks`` are places on x with a vertical rule."""

    alt: str
    curves: Mapping[str, Curve]
    x: NDArray[Any]
    axes: Axes
    marks: Sequence[float] = ()
    values: NDArray[np.float32] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        values = np.array([curve.values for curve in self.curves.values()], np.float32)  # (C, T)
        if values.ndim != 2 or values.shape[1] != len(self.x) or values.size == 0:
            raise DataError(f"Curves {values.shape} do not lie over {len(self.x)} places; give each one value a place.")
        if not np.isfinite(values).all():
            raise DataError("Curves cannot be drawn through NaN or infinite values; fill or drop them first.")
        object.__setattr__(self, "values", values)

    def pack(self, packer: Packer) -> dict[str, Any]:
        """Describe the curves and append their values."""
        low, high = float(self.values.min()), float(self.values.max())
        room = AROUND * (high - low) or 0.5
        y_low, y_high = self.axes.y_range or (low - room, high + room)
        drawn = [
            {"name": name, "ink": curve.ink, "width": curve.width, "dash": [] if curve.dash[1] == 0 else curve.dash,
             "values": packer.add(row, np.int16, low, high)}
            for (name, curve), row in zip(self.curves.items(), self.values, strict=True)
        ]  # fmt: skip
        return {
            "kind": "curves", "unit": self.axes.y, "height": self.axes.height, "curves": drawn,
            "marks": list(self.marks), "x": packer.exact(np.asarray(self.x, np.float32)),
            "axes": [
                _axis(self.axes.x, float(self.x[0]), float(self.x[-1])) | self._powers("x"),
                _axis("", y_low, y_high) | self._powers("y"),
            ],
        }  # fmt: skip

    def _powers(self, axis: str) -> dict[str, Any]:
        return {"power": True, "ticks": list(self.axes.ticks)} if axis == self.axes.logarithmic else {}


@dataclass(frozen=True, kw_only=True)
class BarPlot:
    """A bar [N] a name, from 0 to the right in one ink; ``title`` stands above, ``x`` names the axis."""

    alt: str
    title: str
    names: Sequence[str]
    values: NDArray[Any]
    x: str
    ink: Ink

    def pack(self, packer: Packer) -> dict[str, Any]:
        """Describe the bars; there are few."""
        short = [name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS - 1]}…" for name in self.names]
        places = [[n + 0.5, name] for n, name in enumerate(short)]
        y = _axis("", 0, 1) | {"low": len(short), "high": 0, "names": places}  # the first one on top
        return {
            "kind": "bars", "unit": self.title, "legend": [], "values": np.asarray(self.values, float).tolist(),
            "ink": self.ink, "axes": [_axis(self.x, 0.0, float(np.max(self.values))), y],
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Stretches:
    """Rows over one axis, every cell between ``edges`` [N + 1] in the colour of its class.

    ``rows`` hold classes [N] by name, ``names`` their words; the row ``legend`` names its colours.
    """

    alt: str
    edges: NDArray[Any]
    rows: Mapping[str, NDArray[np.integer[Any]]]
    names: Mapping[str, Sequence[str]]
    x: str
    legend: str = ""

    def pack(self, packer: Packer) -> dict[str, Any]:
        """Describe the rows and append their classes."""
        rows = [
            {"name": name, "names": list(self.names[name]), "classes": packer.exact(labels.astype(np.uint8))}
            for name, labels in self.rows.items()
        ]
        legend = [{"name": name, "ink": n} for n, name in enumerate(self.names.get(self.legend, ()))]
        return {
            "kind": "stretches", "unit": self.legend and f"{self.legend}:", "rows": rows, "legend": legend,
            "edges": packer.exact(np.asarray(self.edges, np.float32)),
            "axes": [_axis(self.x, float(self.edges[0]), float(self.edges[-1])), _axis("", 0, 1)],
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Grey values 0..1 [H, W] as the ink of one role, each at most ``most`` pixels wide."""

    alt: str
    title: str
    values: NDArray[Any]
    ink: str
    most: float = 5.0

    def pack(self, packer: Packer) -> dict[str, Any]:
        """Describe the picture and append its pixels."""
        pixels = packer.exact(np.rint(255 * np.clip(self.values, 0, 1)).astype(np.uint8))
        return {
            "kind": "sheet", "unit": self.title, "legend": [], "shape": self.values.shape, "ink": self.ink,
            "most": self.most, "pixels": pixels,
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Words:
    """Paragraphs, or the items of a list, in which ``**so much**`` is bold; cheaper for a browser than Markdown."""

    lines: Sequence[str]
    list: bool = False
    alt: str = ""

    def pack(self, packer: Packer) -> dict[str, Any]:
        """Describe the words."""
        lines = [[(part, n % 2 == 1) for n, part in enumerate(line.split("**")) if part] for line in self.lines]
        return {"kind": "words", "unit": "", "legend": [], "lines": lines, "list": self.list}


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Numbers side by side: (name, value, what to hold it against)."""

    facts: Sequence[tuple[str, str, str]]
    alt: str = ""

    def pack(self, packer: Packer) -> dict[str, Any]:
        """Describe the numbers."""
        return {"kind": "facts", "unit": "", "legend": [], "facts": list(self.facts)}


Plot = CurvePlot | BarPlot | Stretches | Sheet | Words | Facts


def plots(*figures: Plot, key: str) -> None:
    """Draw figures under one another, their axes in line; the same ``key`` keeps its place while they change."""
    packer = Packer()
    described = [figure.pack(packer) | {"alt": figure.alt} for figure in figures]
    _component(key=key, data=packer.message({"figures": described}))


def _axis(title: str, low: float, high: float) -> dict[str, Any]:
    return {"title": title, "low": low, "high": max(high, low + 1e-6), "ticks": [], "root": False, "power": False}
