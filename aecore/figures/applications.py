"""Figures of the Applications page's sections: curves over one axis, told apart by colour, dash and width."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from aecore.figures.vega import Figure, field, layer

Array = NDArray[np.floating[Any]]


class Curve(NamedTuple):
    """One curve [T] and how it is drawn."""

    values: Array
    colour: str
    width: float = 1.6
    dash: tuple[int, int] = (1, 0)


class Axes(NamedTuple):
    """Titles of the axes, height in pixels, a range for y that does not follow the curves, and names in a row."""

    x: str
    y: str
    height: int = 220
    y_range: tuple[float, float] | None = None
    names: int = 4


def curves(drawn: Mapping[str, Curve], x: Array, axes: Axes, *, marks: Sequence[float] = ()) -> Figure:
    """Curves by name over ``x`` [T], which rises; ``marks`` are places on x with a vertical rule."""
    count = len(x)
    tables = {
        "curves": pa.table({
            "x": np.tile(np.asarray(x, np.float32), len(drawn)),
            "y": np.concatenate([np.asarray(curve.values, np.float32) for curve in drawn.values()]),
            "of": pa.DictionaryArray.from_arrays(
                np.repeat(np.arange(len(drawn), dtype=np.int8), count), list(drawn)
            ).cast(pa.string()),
        }),
        "marks": pa.table({"x": pa.array(list(marks), pa.float32())}),
    }  # fmt: skip
    return Figure(tables, _spec(drawn, float(x[0]), float(x[-1]), axes))


def _spec(drawn: Mapping[str, Curve], first: float, last: float, axes: Axes) -> dict[str, Any]:
    names = list(drawn)

    def told_apart(values: list[Any], **more: Any) -> dict[str, Any]:
        return field("of", "nominal", sort=names, scale={"domain": names, "range": values}, **more)

    legend = {
        "title": None,
        "orient": "top",
        "symbolType": "stroke",
        "symbolSize": 300,
        "labelLimit": 260,
        "columns": axes.names,
    }
    y_scale: dict[str, Any] = {"domain": list(axes.y_range)} if axes.y_range else {"zero": False}
    x = field("x", title=axes.x, scale={"domain": [first, last], "nice": False}, axis={"tickCount": 8})
    line = {
        "x": x,
        "y": field("y", title=axes.y, scale=y_scale, axis={"tickCount": 5}),
        "color": told_apart([c.colour for c in drawn.values()], legend=legend),
        "strokeDash": told_apart([list(c.dash) for c in drawn.values()], legend=legend),
        "strokeWidth": told_apart([c.width for c in drawn.values()], legend=legend),
    }
    rule = {"type": "rule", "strokeDash": [2, 3], "opacity": 0.6, "color": "#808080"}
    return {
        "layer": [layer("marks", rule, {"x": x}), layer("curves", {"type": "line", "clip": True}, line)],
        "height": axes.height,
        "config": {"view": {"stroke": None}},
    }


class Stretches(NamedTuple):
    """Coloured rows over the axis: for each row a name, and the class of every cell between ``edges`` [N + 1]."""

    edges: Array
    rows: Mapping[str, NDArray[np.integer[Any]]]  # name -> [N]
    names: Mapping[str, Sequence[str]]  # name -> of its classes


# Classes that stay apart by lightness as well as hue, on light and dark.
CLASSES = ("#4E79A7", "#E07B1A", "#3E8E35", "#C8323C", "#9A5FA5", "#B8960C", "#3FA7A0", "#7A7F87")


def stretches(of: Stretches, x_title: str, height: int = 110) -> Figure:
    """Draw one bar a row, coloured by class: what was found above what was hidden."""
    parts = [
        {"from": float(a), "to": float(b), "row": row, "class": of.names[row][label], "colour": CLASSES[label % 8]}
        for row, labels in of.rows.items()
        for a, b, label in zip(of.edges[:-1], of.edges[1:], labels.tolist(), strict=True)
    ]
    table = pa.Table.from_pylist(parts)
    scale = {"domain": [float(of.edges[0]), float(of.edges[-1])], "nice": False}
    bars = {
        "x": field("from", title=x_title, scale=scale, axis={"tickCount": 8}), "x2": {"field": "to"},
        "y": field("row", "nominal", title=None, sort=list(of.rows), axis={"labelLimit": 140, "ticks": False}),
        "color": {"field": "colour", "type": "nominal", "scale": None},
        "tooltip": [field("row", "nominal", title="by"), field("class", "nominal", title="class")],
    }  # fmt: skip
    spec = {"layer": [layer("cells", {"type": "bar", "height": {"band": 0.8}}, bars)], "height": height}
    return Figure({"cells": table}, spec | {"config": {"view": {"stroke": None}}})
