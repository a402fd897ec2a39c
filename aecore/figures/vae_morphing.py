"""Pictures in rows, a training as it goes, and the two forces against beta."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore.figures.palette import Palette

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


def falling(steps: Sequence[dict[str, Any]], palette: Palette) -> alt.Chart:
    """Reconstruction and KL by epoch, of a training's reports so far."""
    epochs = [step["epoch"] for step in steps]
    table = pd.DataFrame(
        {
            "epoch": np.tile(epochs, 2),
            "nats": [step["reconstruction"] for step in steps] + [step["kl"] for step in steps],
            "of": np.repeat(WANTS, len(steps)),
        }
    )
    domain = [1, max(steps[-1]["epochs"], 2)]
    return (
        alt.Chart(table)
        .mark_line(strokeWidth=2.5)
        .encode(
            x=alt.X("epoch:Q", scale=alt.Scale(domain=domain), axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("nats:Q", title="nats a picture"), color=_two(palette), strokeDash=_dash(),
        )
        .properties(height=LIVE_HEIGHT)
    )  # fmt: skip


def codes(points: Array, labels: NDArray[Any], span: float, palette: Palette) -> alt.Chart:
    """Codes [n, 2] as they are after an epoch, on axes that stay; those outside are left out."""
    table = pd.DataFrame({"x": points[:, 0], "y": points[:, 1], "kind": labels.astype(int)})
    table = table[(table[["x", "y"]].abs() <= span).all(axis=1)]
    scale = alt.Scale(domain=[-span, span])
    colour = alt.Color("kind:N", scale=alt.Scale(domain=list(range(10)), range=list(palette.classes)), legend=None)
    return (
        alt.Chart(table)
        .mark_point(filled=True, size=16, opacity=0.7)
        .encode(x=alt.X("x:Q", scale=scale, axis=None), y=alt.Y("y:Q", scale=scale, axis=None), color=colour)
        .properties(height=LIVE_HEIGHT)
    )


def _two(palette: Palette) -> alt.Color:
    scale = alt.Scale(domain=list(WANTS), range=[palette.reconstruction, palette.latent])
    return alt.Color("of:N", scale=scale, legend=alt.Legend(title=None, orient="top"))


def _dash() -> alt.StrokeDash:
    return alt.StrokeDash("of:N", scale=alt.Scale(domain=list(WANTS), range=[[1, 0], [6, 4]]), legend=None)
