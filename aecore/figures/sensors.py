"""A signal with its normal stretch, scores, threshold and events, one strip a channel over a common time axis."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore.figures.palette import Palette
from aecore.figures.thinning import extremes

Array = NDArray[np.floating[Any]]
Strip = alt.LayerChart | alt.FacetChart  # what alt.layer says it returns

BINS = 600  # pixels a strip is drawn for
STRIP, SCORE = 64, 110  # pixels high
MARGIN = 56  # pixels of a strip's own width for its axis: a stack is given each strip's width without the axes
_INSIDE: dict[str, Any] = {"offset": -MARGIN, "grid": False, "title": None}
MAX_STRIPS = 8  # more do not fit a screen


class Clock(NamedTuple):
    """The rows' common axis: ``x`` [T] seconds, datetimes or row numbers."""

    x: NDArray[Any]
    title: str
    temporal: bool = False

    @classmethod
    def of(cls, time: NDArray[Any] | None, length: int) -> "Clock":
        """Datetimes and seconds as they are; without either, row numbers."""
        if time is None:
            return cls(np.arange(length), "row")
        if np.issubdtype(time.dtype, np.datetime64):
            return cls(time.astype("datetime64[ms]"), "time", temporal=True)
        return cls(time, "time [s]")


def signal_strips(
    clock: Clock, values: Array, channels: Sequence[str], palette: Palette, *, normal: tuple[int, int]
) -> list[Strip]:
    """One strip a channel [T, C]: the measured line over the stretch named normal (rows first..last - 1)."""
    band = _bands(clock, [(normal[0], normal[1] - 1)], palette.normal, 0.25)
    return [
        alt.layer(band, _line(clock, values[:, i], palette.input), height=STRIP, title=_title(name))
        for i, name in enumerate(channels)
    ]


def scored_strips(
    clock: Clock,
    values: Array,
    channels: Sequence[str],
    palette: Palette,
    *,
    normal: tuple[int, int],
    events: pd.DataFrame,
) -> list[Strip]:
    """``signal_strips`` with the events shaded."""
    shade = _bands(clock, list(zip(events["start"], events["end"], strict=True)), palette.anomaly, 0.4)
    strips = signal_strips(clock, values, channels, palette, normal=normal)
    return [
        alt.layer(shade, strip, height=STRIP, title=_title(name)) for strip, name in zip(strips, channels, strict=True)
    ]


def score_strip(clock: Clock, scores: Array, threshold: float, palette: Palette) -> Strip:
    """Score of every row on a logarithmic scale, what lies above the threshold filled."""
    floor = max(float(scores.min()), 1e-6) * 0.8
    keep = extremes(scores, BINS)
    data = pd.DataFrame({"x": clock.x[keep], "score": np.maximum(scores[keep], floor)})
    data["over"] = np.maximum(data["score"], threshold)
    scale = alt.Scale(type="log", domain=[floor, max(float(scores.max()), threshold) * 1.2], nice=False)
    base = alt.Chart(data).encode(x=_x(clock))
    y = alt.Y("score:Q", scale=scale, axis=alt.Axis(tickCount=4, format="~g", **_INSIDE))
    line = base.mark_line(color=palette.anomaly, strokeWidth=1.4).encode(y=y)
    above = base.mark_area(color=palette.anomaly, opacity=0.35).encode(
        y=alt.Y("over:Q", scale=scale), y2=alt.datum(threshold)
    )
    ends = pd.DataFrame({"x": clock.x[[0, -1]], "y": [threshold, threshold]})
    rule = alt.Chart(ends).mark_line(color=palette.quiet, strokeDash=[6, 4], strokeWidth=1.5)
    rule = rule.encode(x=_x(clock), y=alt.Y("y:Q", scale=scale))
    title = _title(f"score; dashed: the threshold of {threshold:.3g}")
    return alt.layer(above, line, rule, height=SCORE, title=title)


def stacked(strips: Sequence[Strip]) -> alt.VConcatChart:
    """Put strips under each other; time is the same for all and labelled under the last."""
    for strip in strips[:-1]:
        for layer in _leaves(strip):
            layer.encoding.x.axis = alt.Axis(labels=False, ticks=False, title=None, domain=False)
    return alt.vconcat(*strips, spacing=4).resolve_scale(x="shared").configure_view(stroke=None)


def standing_out(channel_excess: Array, flagged: NDArray[np.bool_]) -> list[int]:
    """Up to eight channels to draw, in their own order: those furthest above normal while flagged (or at all)."""
    excess = channel_excess[flagged] if flagged.any() else channel_excess
    top = np.argsort(-excess.max(0), kind="stable")[:MAX_STRIPS]
    return sorted(int(i) for i in top)


def _leaves(chart: Any) -> list[alt.Chart]:
    if isinstance(chart, alt.LayerChart):
        return [leaf for layer in chart.layer for leaf in _leaves(layer)]
    return [chart]


def _title(text: str) -> alt.Title:
    return alt.Title(text, anchor="start", dx=MARGIN, offset=2, fontSize=12, fontWeight="normal", limit=600)


def _x(clock: Clock) -> alt.X:
    if clock.temporal:  # as the file has it, not moved to the visitor's time zone
        return alt.X("x:T", scale=alt.Scale(type="utc", rangeMin=MARGIN), title=clock.title)
    return alt.X("x:Q", scale=alt.Scale(nice=False, zero=False, rangeMin=MARGIN), title=clock.title)


def _line(clock: Clock, values: Array, colour: str) -> alt.Chart:
    keep = extremes(values, BINS)
    data = pd.DataFrame({"x": clock.x[keep], "value": values[keep]})
    low, high = float(values.min()), float(values.max())
    room = 0.12 * (high - low) or max(abs(high), 1.0) * 0.1  # bands stay visible above and below a dense line
    scale = alt.Scale(domain=[low - room, high + room], nice=False)
    y = alt.Y("value:Q", scale=scale, axis=alt.Axis(tickCount=3, **_INSIDE))
    return alt.Chart(data).mark_line(color=colour, strokeWidth=1).encode(x=_x(clock), y=y)


def _bands(clock: Clock, rows: Sequence[tuple[int, int]], colour: str, opacity: float) -> alt.Chart:
    first, last = (np.array([pair[i] for pair in rows], dtype=int) for i in (0, 1))
    spans = pd.DataFrame({"x": clock.x[first], "x2": clock.x[last]})
    # the outline keeps a band in sight that is narrower than a pixel
    rect = {"color": colour, "opacity": opacity, "stroke": colour, "strokeWidth": 1}
    return alt.Chart(spans).mark_rect(**rect).encode(x=_x(clock), x2="x2")
