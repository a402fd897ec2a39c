"""Pictures in rows, a training as it goes, and the two forces against beta."""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
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


def colour_ink(sheet: NDArray[np.uint8], colour: str) -> NDArray[np.uint8]:
    """Grey [H, W] as ink of ``colour`` (``#rrggbb``) on nothing, [H, W, 4]: right on light and dark pages alike."""
    ink = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return np.dstack([np.broadcast_to(np.array(ink, np.uint8), (*sheet.shape, 3)), 255 - sheet])


def forces(betas: Sequence[float], reconstruction: Array, kl: Array, now: int, palette: Palette) -> Figure:
    """Reconstruction and KL, nats a datum [K], against beta, with today's beta marked."""
    names = tuple(f"{beta:g}" for beta in betas)
    nats = np.concatenate([reconstruction, kl]).astype(float)
    rows = {"beta": np.tile(names, 2), "nats": nats, "of": np.repeat(WANTS, len(betas))}
    tables = {"forces": pa.table(rows), "today": pa.table({"beta": [names[now]]})}
    return Figure(tables, _forces_spec(names, palette))


@functools.cache
def _forces_spec(names: tuple[str, ...], palette: Palette) -> Spec:
    x = field("beta", "nominal", sort=list(names), title="β", axis={"labelAngle": 0})
    y = field("nats", title="nats a picture", scale={"type": "sqrt"})  # without a pull, KL dwarfs the rest
    today = layer("today", {"type": "rule", "color": palette.latent, "strokeWidth": 2}, {"x": x})
    lines = layer("forces", {"type": "line", "strokeWidth": 2.5, "point": True}, {"x": x, "y": y} | _two(palette))
    return {"layer": [today, lines], "height": 260}


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
    x = field("epoch", scale={"domain": [1, epochs]}, axis={"tickMinStep": 1})
    encoding = {"x": x, "y": field("nats", title="nats a picture")} | _two(palette)
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


def _two(palette: Palette) -> Spec:
    """Reconstruction solid, KL dashed."""
    colour = {"domain": list(WANTS), "range": [palette.reconstruction, palette.latent]}
    dash = {"domain": list(WANTS), "range": [[1, 0], [6, 4]]}
    return {
        "color": field("of", "nominal", scale=colour, legend={"title": None, "orient": "top"}),
        "strokeDash": field("of", "nominal", scale=dash, legend=None),
    }
