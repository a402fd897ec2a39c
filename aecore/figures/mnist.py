"""The compression page's figures: pictures in rows, errors against the code size, a training's curves, errors by class.

Rows of small pictures are one PNG a row, enlarged by the browser without smoothing: dozens of charts would cost more
than the training that they show.
"""

import html
from collections.abc import Sequence
from typing import Any, Literal

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore.figures import ink
from aecore.figures.palette import Palette

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


def error_against_size(
    curves: dict[str, Sequence[float]], sizes: Sequence[int], k: int, palette: Palette
) -> alt.LayerChart | alt.FacetChart:
    """Squared error at each code size, by method; both axes in octaves, today's size marked."""
    names = list(curves)
    data = pd.concat(
        [pd.DataFrame({"k": list(sizes), "mse": list(v), "by": name}) for name, v in curves.items()], ignore_index=True
    )
    lines = (
        alt.Chart(data)
        .mark_line(point=alt.OverlayMarkDef(size=45, filled=True), strokeWidth=2.5)
        .encode(
            x=alt.X("k:Q", title="numbers in the code", scale=alt.Scale(type="log", base=2),
                    axis=alt.Axis(values=list(sizes))),
            y=alt.Y("mse:Q", title="squared error", scale=alt.Scale(type="log", nice=False),
                    axis=alt.Axis(values=[0.002, 0.005, 0.01, 0.02, 0.05], format="~g")),
            **_apart("by", names, [palette.reconstruction, palette.quiet], "bottom-left"),
        )
    )  # fmt: skip
    rule = alt.Chart(pd.DataFrame({"k": [k]})).mark_rule(color=palette.latent, strokeWidth=2).encode(x="k:Q")
    return alt.layer(rule, lines, height=HEIGHT)


def losses(history: dict[str, Sequence[Any]], epochs: int, palette: Palette) -> alt.Chart:
    """Training and validation loss by epoch, with room for the epochs to come; unfinished ones may be fractions."""
    names = ["training", "validation"]
    parts = []
    for name, key in zip(names, ("loss", "validation"), strict=True):
        frame = pd.DataFrame({"epoch": history["epoch"], "loss": history[key], "of": name})
        parts.append(frame.dropna())
    data = pd.concat([part for part in parts if len(part)] or [parts[0]], ignore_index=True)
    return (
        alt.Chart(data)
        .mark_line(strokeWidth=2.5, point={"size": 22})
        .encode(
            x=alt.X("epoch:Q", scale=alt.Scale(domain=[0, max(epochs, 1)]), axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("loss:Q", title="loss", scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=4)),
            **_apart("of", names, [palette.reconstruction, palette.latent], "top-right"),
        )
        .properties(height=180)
    )


def error_by_class(errors: Sequence[float], names: Sequence[str], palette: Palette) -> alt.LayerChart | alt.FacetChart:
    """Mean squared error of each class's test pictures, as bars with their numbers."""
    data = pd.DataFrame({"class": list(names), "mse": np.asarray(errors) * 1000})  # thousandths: short numbers fit bars
    angle = 0 if max(map(len, names)) < 3 else -40
    base = alt.Chart(data).encode(
        x=alt.X("class:N", title=None, sort=list(names), axis=alt.Axis(labelAngle=angle)),
        y=alt.Y("mse:Q", title="squared error, thousandths", axis=alt.Axis(tickCount=4, format="~g")),
    )
    bars = base.mark_bar(color=palette.reconstruction)
    numbers = base.mark_text(dy=-7, color=palette.quiet, fontSize=11).encode(text=alt.Text("mse:Q", format=".1f"))
    return alt.layer(bars, numbers, height=HEIGHT)


def _apart(field: str, names: list[str], colours: list[str], corner: Corner) -> dict[str, Any]:
    """Tell names apart by colour and dash, in one legend."""
    legend = alt.Legend(title=None, orient=corner, symbolType="stroke", symbolStrokeWidth=3)
    return {
        "color": alt.Color(f"{field}:N", sort=names, scale=alt.Scale(domain=names, range=colours), legend=legend),
        "strokeDash": alt.StrokeDash(
            f"{field}:N", sort=names, scale=alt.Scale(domain=names, range=[[1, 0], [6, 4]]), legend=legend
        ),
    }
