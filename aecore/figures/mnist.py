"""The compression page's figures: pictures in rows, errors against the code size, a training's curves, errors by class.

Rows of small pictures are one PNG a row, enlarged by the browser without smoothing: dozens of charts would cost more
than the training that they show.
"""

import functools
import html
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from aecore.figures import ink
from aecore.figures.palette import Palette
from aecore.figures.vega import Figure, Spec, field, layer

HEIGHT = 240
LABEL_SIZE = "font-size:0.85rem"
Ink = NDArray[np.uint8]
Corner = Literal["bottom-left", "top-right"]


def rows_of_pictures(rows: Sequence[tuple[str, Ink, str]], captions: Sequence[str] = ()) -> str:
    """Rows of (label, pictures uint8 [n, H, W], colour) under one another as HTML; ``captions`` one a column.

    Ink is drawn in the row's colour on nothing, so that it stands on light and on dark pages; the label is also the
    row's text alternative.
    """
    parts = []
    for label, pictures, colour in rows:
        source = ink.url(np.concatenate(list(pictures), 1), colour)
        parts.append(
            f'<div style="{LABEL_SIZE};opacity:.8;margin-top:.3rem">{html.escape(label)}</div>'
            f'<img src="{source}" alt="{html.escape(label)}" '
            'style="width:100%;image-rendering:pixelated;display:block">'
        )
    if captions:
        cells = "".join(f'<span style="text-align:center">{html.escape(c)}</span>' for c in captions)
        grid = f"display:grid;grid-template-columns:repeat({len(captions)},1fr)"
        parts.append(f'<div style="{grid};{LABEL_SIZE};opacity:.8">{cells}</div>')
    return f"<div>{''.join(parts)}</div>"


def error_against_size(curves: Mapping[str, Sequence[float]], sizes: Sequence[int], k: int, palette: Palette) -> Figure:
    """Squared error at each code size, by method; both axes in octaves, today's size marked."""
    rows = {
        "k": np.tile(sizes, len(curves)),
        "mse": np.concatenate([np.asarray(values, float) for values in curves.values()]),
        "by": np.repeat(list(curves), len(sizes)),
    }
    tables = {"errors": pa.table(rows), "today": pa.table({"k": [k]})}
    return Figure(tables, _against_size_spec(tuple(curves), tuple(sizes), palette))


@functools.cache
def _against_size_spec(names: tuple[str, ...], sizes: tuple[int, ...], palette: Palette) -> Spec:
    x = field("k", title="numbers in the code", scale={"type": "log", "base": 2}, axis={"values": list(sizes)})
    y = field(
        "mse", title="squared error", scale={"type": "log", "nice": False},
        axis={"values": [0.002, 0.005, 0.01, 0.02, 0.05], "format": "~g"},
    )  # fmt: skip
    apart = _apart("by", names, [palette.reconstruction, palette.quiet], "bottom-left")
    mark = {"type": "line", "strokeWidth": 2.5, "point": {"size": 45, "filled": True}}
    today = layer("today", {"type": "rule", "color": palette.latent, "strokeWidth": 2}, {"x": x})
    return {"layer": [today, layer("errors", mark, {"x": x, "y": y} | apart)], "height": HEIGHT}


def losses(history: Mapping[str, Sequence[Any]], epochs: int, palette: Palette) -> Figure:
    """Training and validation loss by epoch, with room for the epochs to come; unfinished ones may be fractions."""
    parts = {"training": history["loss"], "validation": history["validation"]}
    known = [
        (float(epoch), float(loss), name)
        for name, values in parts.items()
        for epoch, loss in zip(history["epoch"], values, strict=True)
        if loss is not None and loss == loss
    ]
    epoch, loss, of = zip(*known, strict=True) if known else ((), (), ())
    rows = {
        "epoch": pa.array(epoch, pa.float64()),
        "loss": pa.array(loss, pa.float64()),
        "of": pa.array(of, pa.string()),
    }
    return Figure({"losses": pa.table(rows)}, _losses_spec(max(epochs, 1), palette))


@functools.cache
def _losses_spec(epochs: int, palette: Palette) -> Spec:
    encoding = {
        "x": field("epoch", scale={"domain": [0, epochs]}, axis={"tickMinStep": 1}),
        "y": field("loss", scale={"zero": False}, axis={"tickCount": 4}),
    } | _apart("of", ("training", "validation"), [palette.reconstruction, palette.latent], "top-right")
    return layer("losses", {"type": "line", "strokeWidth": 2.5, "point": {"size": 22}}, encoding, height=180)


def error_by_class(errors: Sequence[float], names: Sequence[str], palette: Palette) -> Figure:
    """Mean squared error of each class's test pictures, as bars with their numbers."""
    rows = {"class": list(names), "mse": np.asarray(errors, float) * 1000}  # thousandths: short numbers fit bars
    return Figure({"classes": pa.table(rows)}, _by_class_spec(tuple(names), palette))


@functools.cache
def _by_class_spec(names: tuple[str, ...], palette: Palette) -> Spec:
    angle = 0 if max(map(len, names)) < 3 else -40
    x = field("class", "nominal", title=None, sort=list(names), axis={"labelAngle": angle})
    y = field("mse", title="squared error, thousandths", axis={"tickCount": 4, "format": "~g"})
    bars = layer("classes", {"type": "bar", "color": palette.reconstruction}, {"x": x, "y": y})
    mark = {"type": "text", "dy": -7, "color": palette.quiet, "fontSize": 11}
    numbers = layer("classes", mark, {"x": x, "y": y, "text": field("mse", format=".1f")})
    return {"layer": [bars, numbers], "height": HEIGHT}


def _apart(column: str, names: Sequence[str], colours: Sequence[str], corner: Corner) -> Spec:
    """Tell names apart by colour and dash, in one legend."""
    legend = {"title": None, "orient": corner, "symbolType": "stroke", "symbolStrokeWidth": 3}
    sort, domain = list(names), list(names)
    return {
        "color": field(column, "nominal", sort=sort, scale={"domain": domain, "range": list(colours)}, legend=legend),
        "strokeDash": field(
            column, "nominal", sort=sort, scale={"domain": domain, "range": [[1, 0], [6, 4]]}, legend=legend
        ),
    }
