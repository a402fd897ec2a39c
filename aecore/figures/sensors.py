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


class Scene(NamedTuple):
    """What is drawn: a signal [T, C], what is known of its rows, and which of them are in view (first, last + 1)."""

    clock: Clock
    values: Array
    channels: Sequence[str]
    normal: tuple[int, int]  # the stretch vouched for: first row, last + 1
    view: tuple[int, int]
    events: Sequence[tuple[int, int]] = ()  # first and last row, inclusive
    filled: Sequence[tuple[int, int]] = ()  # rows that were not measured
    rebuilt: Array | None = None  # drawn once rows are far enough apart to tell it from what was measured


def signal_strips(scene: Scene, palette: Palette) -> list[Strip]:
    """One strip a channel: measured line, the normal stretch behind it, events and filled gaps shaded."""
    bands = [
        _bands(scene, [(scene.normal[0], scene.normal[1] - 1)], palette.normal, 0.25),
        _bands(scene, scene.events, palette.anomaly, 0.4),
        _bands(scene, scene.filled, palette.latent, 0.3),
    ]
    close = scene.rebuilt is not None and scene.view[1] - scene.view[0] <= 2 * BINS
    strips = []
    for i, name in enumerate(scene.channels):
        layers = [_line(scene, scene.values[:, i], palette.input, 1.2 if close else 1.0)]
        if close and scene.rebuilt is not None:
            layers.insert(0, _line(scene, scene.rebuilt[:, i], palette.reconstruction, 2.8))
        strips.append(alt.layer(*bands, *layers, height=STRIP, title=_title(name)))
    return strips


def score_strip(scene: Scene, scores: Array, threshold: float, palette: Palette) -> Strip:
    """Score of every row on a logarithmic scale, what lies above the threshold filled."""
    floor = max(float(scores.min()), 1e-6) * 0.8
    first, last = scene.view
    keep = first + extremes(scores[first:last], BINS)
    data = pd.DataFrame({"x": scene.clock.x[keep], "score": np.maximum(scores[keep], floor)})
    data["over"] = np.maximum(data["score"], threshold)
    scale = alt.Scale(type="log", domain=[floor, max(float(scores.max()), threshold) * 1.2], nice=False)
    base = alt.Chart(data).encode(x=_x(scene))
    y = alt.Y("score:Q", scale=scale, axis=alt.Axis(tickCount=4, format="~g", **_INSIDE))
    line = base.mark_line(color=palette.anomaly, strokeWidth=1.4).encode(y=y)
    above = base.mark_area(color=palette.anomaly, opacity=0.35).encode(
        y=alt.Y("over:Q", scale=scale), y2=alt.datum(threshold)
    )
    ends = pd.DataFrame({"x": scene.clock.x[[first, last - 1]], "y": [threshold, threshold]})
    rule = alt.Chart(ends).mark_line(color=palette.quiet, strokeDash=[6, 4], strokeWidth=1.5)
    rule = rule.encode(x=_x(scene), y=alt.Y("y:Q", scale=scale))
    return alt.layer(above, line, rule, height=SCORE, title=_title(f"score; dashed: the threshold of {threshold:.3g}"))


def stacked(strips: Sequence[Strip], *, brushes: Sequence[str] = ()) -> alt.VConcatChart:
    """Put strips under each other; time is the same for all and labelled under the last.

    With ``brushes``, a name a strip, a stretch dragged over a strip is its selection, in the clock's units.
    """
    for strip in strips[:-1]:
        for layer in _leaves(strip):
            layer.encoding.x.axis = alt.Axis(labels=False, ticks=False, title=None, domain=False)
    if brushes:
        drags = [alt.selection_interval(name=name, encodings=["x"]) for name in brushes]
        strips = [strip.add_params(drag) for strip, drag in zip(strips, drags, strict=True)]
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


def _x(scene: Scene) -> alt.X:
    first, last = scene.view[0], scene.view[1] - 1
    ends = scene.clock.x[[first, last]]
    if scene.clock.temporal:  # as the file has it, not moved to the visitor's time zone
        scale = alt.Scale(type="utc", rangeMin=MARGIN, domain=ends.astype("int64").tolist(), nice=False)
        return alt.X("x:T", scale=scale, title=scene.clock.title)
    scale = alt.Scale(nice=False, zero=False, rangeMin=MARGIN, domain=ends.tolist())
    return alt.X("x:Q", scale=scale, title=scene.clock.title)


def _line(scene: Scene, values: Array, colour: str, width: float) -> alt.Chart:
    first, last = scene.view
    seen = values[first:last]
    keep = extremes(seen, BINS)
    data = pd.DataFrame({"x": scene.clock.x[first + keep], "value": seen[keep]})
    y = alt.Y("value:Q", scale=alt.Scale(zero=False, nice=False, padding=4), axis=alt.Axis(tickCount=3, **_INSIDE))
    return alt.Chart(data).mark_line(color=colour, strokeWidth=width).encode(x=_x(scene), y=y)


def _bands(scene: Scene, rows: Sequence[tuple[int, int]], colour: str, opacity: float) -> alt.Chart:
    low, high = scene.view
    seen = [(max(first, low), min(last, high - 1)) for first, last in rows if first < high and last >= low]
    first, last = (np.array([pair[i] for pair in seen], dtype=int) for i in (0, 1))
    spans = pd.DataFrame({"x": scene.clock.x[first], "x2": scene.clock.x[last]})
    # the outline keeps a band in sight that is narrower than a pixel
    mark = alt.Chart(spans).mark_rect(color=colour, opacity=opacity, stroke=colour, strokeWidth=1)
    return mark.encode(x=_x(scene), x2="x2")
