"""A detector looked at closely: which channels an event is made of, where windows lie, how scores are spread."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore.figures.palette import Palette

Array = NDArray[np.floating[Any]]

MAX_CHANNELS = 12
BINS = 60


def channel_shares(channels: Sequence[str], excess: Array, palette: Palette) -> alt.Chart:
    """How many times its usual normal error each channel [C] shows, the largest first; 1 is as usual."""
    data = pd.DataFrame({"channel": list(channels), "excess": excess}).nlargest(MAX_CHANNELS, "excess")
    x = alt.X("excess:Q", title="times the usual normal error", axis=alt.Axis(tickCount=5))
    y = alt.Y("channel:N", sort=data["channel"].tolist(), title=None, axis=alt.Axis(labelLimit=160))
    return alt.Chart(data, height=alt.Step(22)).mark_bar(color=palette.anomaly).encode(x=x, y=y)


def latent_map(points: Array, severity: Array, start: NDArray[Any], palette: Palette) -> alt.Chart:
    """Windows in the first two principal directions of their codes [n, 2], coloured by score over the threshold [n]."""
    data = pd.DataFrame({"x": points[:, 0], "y": points[:, 1], "times": severity, "row": start}).sort_values("times")
    steps = [0.0, 1.0, max(2.0, float(severity.max()))]
    scale = alt.Scale(domain=steps, range=[palette.normal, palette.latent, palette.anomaly])
    colour = alt.Color("times:Q", title="score / threshold", scale=scale)
    axis = alt.Axis(labels=False, ticks=False)
    return (
        alt.Chart(data, height=360)
        .mark_circle(size=26, opacity=0.75)
        .encode(
            x=alt.X("x:Q", title="first direction of the code", axis=axis, scale=alt.Scale(zero=False)),
            y=alt.Y("y:Q", title="second direction", axis=axis, scale=alt.Scale(zero=False)),
            color=colour,
            tooltip=[alt.Tooltip("row:Q", title="window starts at row"), alt.Tooltip("times:Q", format=".2f")],
        )
    )


def score_histogram(
    normal: Array, all_scores: Array, threshold: float, palette: Palette
) -> alt.LayerChart | alt.FacetChart:
    """Held-out normal scores beside all scores, on a logarithmic axis, the threshold dashed."""
    edges = np.geomspace(
        max(min(normal.min(), all_scores.min()), 1e-9), max(all_scores.max(), threshold) * 1.05, BINS + 1
    )
    named = {"normal stretch, held out": normal, "the whole signal": all_scores}
    parts = [
        pd.DataFrame(
            {"low": edges[:-1], "high": edges[1:], "share": np.histogram(v, edges)[0] / len(v) * 100, "of": name}
        )
        for name, v in named.items()
    ]
    scale = alt.Scale(type="log", nice=False)
    colour = alt.Color(
        "of:N", title=None, scale=alt.Scale(domain=list(named), range=[palette.normal, palette.anomaly]),
        legend=alt.Legend(orient="top", labelLimit=240),
    )  # fmt: skip
    bars = alt.Chart(pd.concat(parts)).mark_rect(opacity=0.55).encode(
        x=alt.X("low:Q", scale=scale, title="score"), x2="high", color=colour,
        y=alt.Y("share:Q", title="share of the rows, %", stack=None), y2=alt.datum(0),
    )  # fmt: skip
    rule = alt.Chart(pd.DataFrame({"x": [threshold]})).mark_rule(color=palette.quiet, strokeDash=[6, 4], strokeWidth=2)
    return alt.layer(bars, rule.encode(x=alt.X("x:Q", scale=scale)), height=300)
