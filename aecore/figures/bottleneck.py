"""What a waist costs: error against k, spectra, and the waveforms behind the code.

Each figure is a table and a specification that stays the same while its controls move, so that a browser only exchanges
the rows: building a chart anew takes it several times as long.
"""

import base64
import functools
import html
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from aecore.figures.palette import Palette
from aecore.figures.thinning import extremes
from aecore.figures.vega import Figure

Array = NDArray[np.floating[Any]]

WIDTH, HEIGHT = 400, 260  # pixels; a figure takes the width of its column
BOUND = "linear bound"
FLOOR = -60.0  # dB below the loudest line: beyond, there is nothing to see

ERROR_WORDS = "Curves falling with k: the share of variance lost by each machine, and the least for linear ones"
SPECTRA_WORDS = "Spectra of the signal, of its reconstruction and of what was lost, in decibels over frequency"


class Stroke(NamedTuple):
    """How a line is drawn."""

    colour: str
    width: float
    dash: tuple[int, int]


# ---------------------------------------------------------------------- error against k
def error_against_size(lost: Mapping[str, Array], bound: Array, k: int, palette: Palette) -> Figure:
    """Share of variance lost, %, [K + 1] by each machine and the least for linear ones, with today's k marked."""
    curves = {name.split()[0]: values for name, values in lost.items()} | {BOUND: bound}
    sizes, shares = np.arange(len(bound)), [np.minimum(v, 1) * 100 for v in curves.values()]
    everything = {
        "k": np.tile(sizes, len(curves)), "lost": np.concatenate(shares), "by": np.repeat(list(curves), len(sizes)),
    }  # fmt: skip
    today = {"k": np.full(len(curves), k), "lost": [v[k] for v in shares], "by": list(curves)}
    tables = {"curves": pa.table(everything), "today": pa.table(today)}
    return Figure(tables, _error_spec(tuple(curves), len(bound) - 1, palette))


@functools.cache
def _error_spec(names: tuple[str, ...], largest: int, palette: Palette) -> dict[str, Any]:
    strokes = (
        Stroke(palette.quiet, 5.0, (1, 0)),
        Stroke(palette.reconstruction, 2.0, (5, 4)),
        Stroke(palette.reconstruction, 2.5, (1, 0)),
    )
    drawn = (*strokes[: len(names) - 1], Stroke(palette.latent, 1.2, (2, 3)))
    apart = _told_apart("by", names, drawn)
    # the root spreads out the narrow waists, where things happen, and unlike a logarithm it has a place for 0
    scale = alt.Scale(type="sqrt", domain=[0, largest], nice=False)
    values = [k for k in (0, 1, 2, 4, 8, 16, 32, 64) if k <= largest]
    x = alt.X("k:Q", title="k", scale=scale, axis=alt.Axis(values=values))
    y = alt.Y("lost:Q", title=None, scale=alt.Scale(domain=[0, 100]), axis=alt.Axis(tickCount=5))
    lines = alt.Chart(alt.NamedData("curves")).mark_line().encode(x=x, y=y, order="k:Q", **apart)
    today = alt.Chart(alt.NamedData("today"))
    rule = today.transform_filter(alt.datum.by == BOUND).mark_rule(color=palette.latent, strokeWidth=2).encode(x=x)
    points = today.transform_filter(alt.datum.by != BOUND).mark_point(filled=True, size=70, opacity=1)
    return _spec(alt.layer(rule, lines, points.encode(x=x, y=y, color=apart["color"]), height=HEIGHT))


# ---------------------------------------------------------------------- spectra
def spectra(lines: Mapping[str, Array], sample_rate: float | None, palette: Palette) -> Figure:
    """Amplitudes [F] of input, reconstruction and what was lost, in dB below the input's loudest line.

    ``lines`` holds them in that order; F lines lie from 0 to half the sample rate (or half a cycle a sample).
    """
    loudest = max(float(next(iter(lines.values())).max()), 1e-12)
    count = len(next(iter(lines.values())))
    frequency = np.arange(count) * ((sample_rate or 2.0 * (count - 1)) / (2 * (count - 1)))
    rows = []
    for amplitude in lines.values():
        decibels = 20 * np.log10(np.maximum(amplitude / loudest, 1e-9))
        rows.append(np.maximum(decibels, FLOOR))
    spec = _spectra_spec(tuple(lines), sample_rate, float(frequency[-1]), palette)
    columns = {
        "frequency": np.tile(frequency, len(lines)), "level": np.concatenate(rows), "of": np.repeat(list(lines), count),
    }  # fmt: skip
    return Figure({"spectra": pa.table(columns)}, spec)


@functools.cache
def _spectra_spec(names: tuple[str, ...], sample_rate: float | None, last: float, palette: Palette) -> dict[str, Any]:
    strokes = (
        Stroke(palette.input, 1.4, (1, 0)),
        Stroke(palette.reconstruction, 2.6, (1, 0)),
        Stroke(palette.quiet, 1.4, (5, 4)),
    )
    title = "Hz" if sample_rate else "cycles a window"
    x = alt.X("frequency:Q", title=title, scale=alt.Scale(domain=[0, last], nice=False), axis=alt.Axis(tickCount=6))
    y = alt.Y("level:Q", title=None, scale=alt.Scale(domain=[FLOOR, 0]), axis=alt.Axis(tickCount=4))
    return _spec(
        alt.Chart(alt.NamedData("spectra"), height=HEIGHT)
        .mark_line()
        .encode(x=x, y=y, **_told_apart("of", names, strokes))
    )


# ---------------------------------------------------------------------- waveforms
def waveforms(shapes: Array, palette: Palette, words: str) -> str:
    """Waveforms [k, L] in rows, the first at the top left, as HTML with ``words`` for those who do not see.

    No chart: 64 curves of 256 points without an axis are drawn at once as paths, and cost a chart's grammar dearly.
    """
    count, length = shapes.shape
    columns = max(1, math.ceil(math.sqrt(count)))
    rows = max(1, -(-count // columns))
    wide, high = WIDTH / columns, HEIGHT / rows
    tallest = max(float(np.abs(shapes).max(initial=0.0)), 1e-12)
    paths = []
    for i, shape in enumerate(shapes):
        keep = extremes(shape, max(16, round(wide)))
        x = wide * (i % columns + 0.05 + 0.9 * keep / (length - 1))
        y = high * (i // columns + 0.5 - 0.45 * shape[keep] / tallest)
        paths.append("M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True)))
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<path d="{"".join(paths)}" fill="none" stroke="{palette.latent}" stroke-width="1.5"/></svg>'
    )
    source = base64.b64encode(svg.encode()).decode()
    return f'<img src="data:image/svg+xml;base64,{source}" alt="{html.escape(words)}" style="width:100%">'


# ---------------------------------------------------------------------- shared
def _told_apart(field: str, names: Sequence[str], strokes: Sequence[Stroke]) -> dict[str, Any]:
    """Encode names by colour, dash and width, in one legend."""
    legend = alt.Legend(
        title=None, orient="top-right", symbolType="stroke", symbolSize=300, labelLimit=220, rowPadding=4, padding=6
    )  # in the corner that curves leave free: they fall
    shared: dict[str, Any] = {"sort": list(names), "legend": legend}

    def scale(values: list[Any]) -> alt.Scale:
        return alt.Scale(domain=list(names), range=values)

    return {
        "color": alt.Color(f"{field}:N", scale=scale([s.colour for s in strokes]), **shared),
        "strokeDash": alt.StrokeDash(f"{field}:N", scale=scale([list(s.dash) for s in strokes]), **shared),
        "strokeWidth": alt.StrokeWidth(f"{field}:N", scale=scale([s.width for s in strokes]), **shared),
    }


def _spec(chart: alt.Chart | alt.LayerChart | alt.FacetChart) -> dict[str, Any]:
    """Specify the chart without a theme, which is the page's; its rows come beside it."""
    spec: dict[str, Any] = chart.to_dict()
    return spec | {"config": {"view": {"stroke": None}}}
