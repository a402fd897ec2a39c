"""A detector looked at closely: which channels an event is made of, where windows lie, how scores are spread."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from aecore.figures.palette import Palette
from aecore.figures.vega import Figure, Spec, field, layer

Array = NDArray[np.floating[Any]]

MAX_CHANNELS = 12
BINS = 60
TIMES = "times the usual normal error"
_QUIET: Spec = {"view": {"stroke": None}}


def shares(channels: Sequence[str], excess: Array) -> tuple[list[str], Array]:
    """Channels that show the most of their usual normal error [C], the largest first, and how many times it."""
    top = np.argsort(-excess, kind="stable")[:MAX_CHANNELS]
    return [str(channels[i]) for i in top], excess[top].astype(np.float64)


def channel_shares(channels: Sequence[str], excess: Array, palette: Palette) -> Figure:
    """How many times its usual normal error each channel [C] shows, the largest first; 1 is as usual."""
    names, values = shares(channels, excess)
    shown = pa.table({"channel": names, "excess": values})
    x = field("excess", title=TIMES, axis={"tickCount": 5})
    y = field("channel", "nominal", sort="-x", title=None, axis={"labelLimit": 160})
    bars = layer("shares", {"type": "bar", "color": palette.anomaly}, {"x": x, "y": y})
    return Figure({"shares": shown}, bars | {"height": {"step": 22}, "config": _QUIET})


def latent_map(points: Array, severity: Array, rows: NDArray[Any], palette: Palette) -> Figure:
    """Windows in the first two principal directions of their codes [n, 2], coloured by score over the threshold [n]."""
    order = np.argsort(severity, kind="stable")  # the strange ones are drawn last, on top
    x, y = points[order].T.astype(np.float64)
    data = pa.table({"x": x, "y": y, "times": severity[order].astype(np.float64), "row": rows[order]})
    colours = {"domain": [0, 1, 3], "range": [palette.normal, palette.latent, palette.anomaly]}
    colours |= {"clamp": True, "interpolate": "rgb"}
    bare = {"labels": False, "ticks": False}
    encoding = {
        "x": field("x", title="first direction of the code", axis=bare, scale={"zero": False}),
        "y": field("y", title="second direction", axis=bare, scale={"zero": False}),
        "color": field("times", title="score / threshold", scale=colours),
        "tooltip": [field("row", title="row in the middle of the window"), field("times", format=".2f")],
    }
    mark = {"type": "circle", "size": 26, "opacity": 0.75}
    return Figure({"windows": data}, layer("windows", mark, encoding) | {"height": 360})


class Histogram(NamedTuple):
    """Edges [B + 1] of bins, and in each the percent [B] of the normal rows and of all rows."""

    edges: Array
    normal: Array
    all: Array


def count_scores(normal: Array, all_scores: Array) -> Histogram:
    """Count held-out scores of normal rows, and all scores, in bins of equal width on a logarithmic axis."""
    lowest = max(float(min(normal.min(), all_scores.min())), 1e-9)
    edges = np.geomspace(lowest, max(float(all_scores.max()), float(normal.max()), lowest * 1.01), BINS + 1)
    edges[-1] *= 1 + 1e-9  # rounding must not leave the largest outside
    return Histogram(edges, *(np.histogram(scores, edges)[0] / len(scores) * 100 for scores in (normal, all_scores)))


def score_histogram(counted: Histogram, threshold: float, palette: Palette) -> Figure:
    """Draw held-out normal scores beside all scores, the threshold dashed."""
    named = {"normal stretch, held out": counted.normal, "the whole signal": counted.all}
    bins = {
        "low": np.tile(counted.edges[:-1], len(named)), "high": np.tile(counted.edges[1:], len(named)),
        "share": np.concatenate(list(named.values())), "of": np.repeat(list(named), BINS),
    }  # fmt: skip
    scale = {"type": "log", "nice": False}
    legend = {"orient": "top", "labelLimit": 240, "columnPadding": 30}
    colour = {"domain": list(named), "range": [palette.normal, palette.anomaly]}
    bars = {
        "x": field("low", scale=scale, title="score"), "x2": {"field": "high"},
        "y": field("share", title="share of the rows, %", stack=None), "y2": {"datum": 0},
        "color": field("of", "nominal", title=None, scale=colour, legend=legend),
    }  # fmt: skip
    dashed = {"type": "rule", "color": palette.quiet, "strokeDash": [6, 4], "strokeWidth": 2}
    layers = [
        layer("bins", {"type": "rect", "opacity": 0.55}, bars),
        layer("threshold", dashed, {"x": field("x", scale=scale)}),
    ]
    tables = {"bins": pa.table(bins), "threshold": pa.table({"x": [threshold]})}
    return Figure(tables, {"layer": layers, "height": 300, "config": _QUIET})
