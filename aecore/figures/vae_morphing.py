"""Pictures in rows, a training as it goes, and the two forces against beta."""

import functools
from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from aecore.figures.palette import Palette
from aecore.figures.vega import Figure, Spec, field, layer

Array = NDArray[np.floating[Any]]

WANTS = ("reconstruction", "KL")
LIVE_HEIGHT = 230  # pixels


def mosaic(images: Array, per_row: int, *, gap: int = 2) -> NDArray[np.uint8]:
    """Pictures [n, H, W] in 0..1 beside and under one another, dark ink on white: [rows, columns] of grey."""
    count, height, width = images.shape
    rows = -(-count // per_row)
    sheet = np.full((rows * (height + gap) - gap, per_row * (width + gap) - gap), 255, np.uint8)
    for n, image in enumerate(grey(images)):
        top, left = n // per_row * (height + gap), n % per_row * (width + gap)
        sheet[top : top + height, left : left + width] = image
    return sheet


def grey(images: Array, *, enlarged: int = 1) -> NDArray[np.uint8]:
    """Pictures [n, H, W] in 0..1 as dark ink on white, each value ``enlarged`` pixels wide and high."""
    values = np.rint(255 * (1 - np.clip(images, 0, 1))).astype(np.uint8)
    return values.repeat(enlarged, 1).repeat(enlarged, 2)


def inked(sheet: NDArray[np.uint8], colour: str) -> NDArray[np.uint8]:
    """Grey [H, W] as ink of ``colour`` (``#rrggbb``) on nothing, [H, W, 4]: right on light and dark pages alike."""
    ink = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return np.dstack([np.broadcast_to(np.array(ink, np.uint8), (*sheet.shape, 3)), 255 - sheet])


def forces(
    betas: Sequence[float], reconstruction: Array, kl: Array, now: int, palette: Palette
) -> alt.LayerChart | alt.FacetChart:
    """Reconstruction and KL, nats a datum [K], against beta, with today's beta marked."""
    names = [f"{beta:g}" for beta in betas]
    table = pd.DataFrame(
        {
            "beta": np.tile(names, 2),
            "nats": np.concatenate([reconstruction, kl]),
            "of": np.repeat(WANTS, len(betas)),
        }
    )
    x = alt.X("beta:N", sort=names, title="β", axis=alt.Axis(labelAngle=0))
    lines = alt.Chart(table).mark_line(strokeWidth=2.5, point=True)
    y = alt.Y("nats:Q", title="nats a picture", scale=alt.Scale(type="sqrt"))  # without a pull, KL dwarfs the rest
    drawn = lines.encode(x=x, y=y, color=_two(palette), strokeDash=_dash())
    today = alt.Chart(pd.DataFrame({"beta": [names[now]]})).mark_rule(color=palette.latent, strokeWidth=2)
    return alt.layer(today.encode(x=x), drawn).properties(height=260)


def falling(steps: Sequence[dict[str, Any]], palette: Palette) -> Figure:
    """Reconstruction and KL by epoch, of a training's reports so far."""
    epochs = [step["epoch"] for step in steps]
    rows = {
        "epoch": np.tile(epochs, 2),
        "nats": np.array([step["reconstruction"] for step in steps] + [step["kl"] for step in steps], float),
        "of": np.repeat(WANTS, len(steps)),
    }
    return Figure({"losses": pa.table(rows)}, _falling_spec(max(steps[-1]["epochs"], 2), palette))


@functools.cache
def _falling_spec(epochs: int, palette: Palette) -> Spec:
    colour = {"domain": list(WANTS), "range": [palette.reconstruction, palette.latent]}
    dash = {"domain": list(WANTS), "range": [[1, 0], [6, 4]]}
    encoding = {
        "x": field("epoch", scale={"domain": [1, epochs]}, axis={"tickMinStep": 1}),
        "y": field("nats", title="nats a picture"),
        "color": field("of", "nominal", scale=colour, legend={"title": None, "orient": "top"}),
        "strokeDash": field("of", "nominal", scale=dash, legend=None),
    }
    return layer("losses", {"type": "line", "strokeWidth": 2.5}, encoding, height=LIVE_HEIGHT)


def codes(points: Array, labels: NDArray[Any], span: float, palette: Palette) -> Figure:
    """Codes [n, 2] as they are after an epoch, on axes that stay; those outside are left out."""
    inside = (np.abs(points) <= span).all(axis=1)
    x, y = np.asarray(points[inside], float).T
    rows = {"x": x, "y": y, "kind": labels[inside].astype(int)}
    return Figure({"codes": pa.table(rows)}, _codes_spec(span, palette))


@functools.cache
def _codes_spec(span: float, palette: Palette) -> Spec:
    classes = {"domain": list(range(len(palette.classes))), "range": list(palette.classes)}
    axes = {axis: field(axis, scale={"domain": [-span, span]}, axis=None) for axis in "xy"}
    encoding = axes | {"color": field("kind", "nominal", scale=classes, legend=None)}
    return layer("codes", {"type": "point", "filled": True, "size": 16, "opacity": 0.7}, encoding, height=LIVE_HEIGHT)


def _two(palette: Palette) -> alt.Color:
    scale = alt.Scale(domain=list(WANTS), range=[palette.reconstruction, palette.latent])
    return alt.Color("of:N", scale=scale, legend=alt.Legend(title=None, orient="top"))


def _dash() -> alt.StrokeDash:
    return alt.StrokeDash("of:N", scale=alt.Scale(domain=list(WANTS), range=[[1, 0], [6, 4]]), legend=None)
