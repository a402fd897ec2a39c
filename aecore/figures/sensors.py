"""A signal with its normal stretch, scores, threshold and events, one strip a channel over a common time axis."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from aecore.figures.palette import Palette
from aecore.figures.thinning import envelopes, highest, rows_a_bin
from aecore.figures.vega import Figure, Spec, field, layer

Array = NDArray[np.floating[Any]]
Tables = dict[str, pa.Table]

BINS = 600  # pixels a strip of a report is drawn for
SCREEN_BINS = 1200  # pixels of a wide screen
PERMILLE = 1000
STRIP, SCORE = 64, 110  # pixels high
MARGIN = 56  # pixels of a strip's own width for its axis: a stack is given each strip's width without the axes
UNITS = (("days", 86_400.0), ("hours", 3_600.0), ("s", 1.0))  # of long recordings
ENOUGH = 4  # of a unit, for it to be the axis's
_BARE: Spec = {"labels": False, "ticks": False, "title": None, "domain": False}
_INSIDE: Spec = {"offset": -MARGIN, "grid": False, "title": None}


class TimeAxis(NamedTuple):
    """The rows' common axis: ``x`` [T] seconds, datetimes or row numbers."""

    x: NDArray[Any]
    title: str
    temporal: bool = False
    unit: float = 1.0  # of the axis, in those of ``x``

    @classmethod
    def of(cls, time: NDArray[Any] | None, length: int) -> "TimeAxis":
        """Datetimes and seconds as they are; without either, row numbers."""
        if time is None:
            return cls(np.arange(length), "row")
        if np.issubdtype(time.dtype, np.datetime64):
            return cls(time.astype("datetime64[ms]"), "time", temporal=True)
        name, unit = next(u for u in UNITS if time[-1] - time[0] >= ENOUGH * u[1] or u[1] == 1.0)
        return cls(time, f"time [{name}]", unit=unit)

    def at(self, rows: Any) -> NDArray[Any]:
        """Where rows lie on the axis, as numbers: dates in milliseconds, so that no browser moves them to its zone."""
        x = self.x[rows]
        return x.astype(np.int64) if self.temporal else x / self.unit if self.unit != 1.0 else x


class SensorScene(NamedTuple):
    """What is drawn: a signal [T, C], what is known of its rows, and which of them are in view (first, last + 1)."""

    clock: TimeAxis
    values: Array
    channels: Sequence[str]
    normal: tuple[int, int]  # the stretch vouched for: first row, last + 1
    view: tuple[int, int]
    missing: NDArray[np.bool_] | None = None  # [T], rows that were filled in, not measured
    rebuilt: Array | None = None  # [T, C], drawn once rows are far enough apart to tell it from what was measured
    scores: Array | None = None  # [T]


class ScoredView(NamedTuple):
    """What follows from a threshold: the events, first and last row, inclusive."""

    threshold: float
    events: Sequence[tuple[int, int]]


class SignalAxis(NamedTuple):
    """The axis of a whole signal, as far as a page needs it that does not hold the signal's clock.

    ``before`` and ``after`` [1000] say where on it each tenth of a percent of the rows ends and begins.
    """

    title: str
    temporal: bool
    whole: bool  # it counts rows
    before: Array
    after: Array

    @classmethod
    def of(cls, clock: TimeAxis) -> "SignalAxis":
        """Read the axis off a signal's clock."""
        length, parts = len(clock.x), np.arange(PERMILLE)
        last = -(-(parts + 1) * length // PERMILLE) - 1
        whole = bool(np.issubdtype(clock.at(np.arange(2)).dtype, np.integer))
        before, after = (clock.at(rows).astype(np.float64) for rows in (last, parts * length // PERMILLE))
        return cls(clock.title, clock.temporal, whole, before, after)

    def percent(self, start: float, end: float) -> tuple[float, float]:
        """Return the percent of the rows that lie from ``start`` to ``end``, in tenths, not less than all of them."""
        low, high = np.searchsorted(self.before, start), np.searchsorted(self.after, end)
        return round(float(low) / 10, 1), round(float(high) / 10, 1)


class Outline(NamedTuple):
    """A scene at the resolution of a screen; places are shares of the axis in view, 0..1, and m bins hold n points."""

    axis: SignalAxis
    ends: tuple[float, float]  # of the view, on the axis
    at: NDArray[np.float32]  # [n]
    starts: NDArray[np.float32]  # [m], each bin's first row
    stops: NDArray[np.float32]  # [m], and its last
    normal: tuple[float, ...]  # from and to; empty where none of it is in view
    filled: NDArray[np.uint8]  # [m], 1 where a row of the bin was filled in
    channels: tuple[str, ...]
    lines: dict[str, NDArray[np.float32]]  # by the names of `lines`, [n]
    joined: NDArray[np.float32] | None  # [m], the highest of each bin
    lowest: float  # that the score's axis shows
    highest: float


class Lines(NamedTuple):
    """Lines through the rows in view: their points' rows [n] and, by the line's name, values [n]."""

    rows: NDArray[np.int64]
    values: dict[str, Array]


# ---------------------------------------------------------------------- rows
def lines(scene: SensorScene, bins: int) -> Lines:
    """Every line of the scene at a resolution of so many bins: ``measured <i>``, ``rebuilt <i>``, ``score``.

    What is rebuilt is there where every row is: only so close is it told from what was measured.
    """
    first, last = scene.view
    drawn = {f"measured {i}": scene.values[first:last, i] for i in range(len(scene.channels))}
    if scene.rebuilt is not None and rows_a_bin(last - first, bins) == 1:
        drawn |= {f"rebuilt {i}": scene.rebuilt[first:last, i] for i in range(len(scene.channels))}
    if scene.scores is not None:
        drawn["score"] = np.maximum(scene.scores[first:last], floor(scene.scores))
    found = {name: envelopes(line[:, None], bins) for name, line in drawn.items()}
    rows = next(iter(found.values()))[0]  # all have the same
    return Lines(first + rows, {name: values[:, 0] for name, (_, values) in found.items()})


def outline(scene: SensorScene, joined: Array | None = None, bins: int = SCREEN_BINS) -> Outline:
    """Thin a scene to so many bins: its size has a bound, however long the signal is.

    ``joined`` [T] are the scores whose runs above a level are the events there.
    """
    first, last = scene.view
    points = lines(scene, bins)
    starts = np.arange(first, last, rows_a_bin(last - first, bins))
    stops = np.append(starts[1:], last) - 1
    missing = np.zeros(last - first, np.uint8) if scene.missing is None else scene.missing[first:last].astype(np.uint8)
    normal = np.array([max(scene.normal[0], first), min(scene.normal[1], last) - 1])
    x = scene.clock.at(np.array([first, last - 1]))

    def places(rows: NDArray[Any]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = ((scene.clock.at(rows) - x[0]) / (x[1] - x[0] or 1)).astype(np.float32)
        return found

    scores = scene.scores
    return Outline(
        SignalAxis.of(scene.clock), (float(x[0]), float(x[1])), places(points.rows), places(starts), places(stops),
        tuple(places(normal).tolist()) if normal[0] <= normal[1] else (), highest(missing, bins),
        tuple(scene.channels), {name: values.astype(np.float32) for name, values in points.values.items()},
        None if joined is None else highest(joined[first:last], bins).astype(np.float32),
        0.0 if scores is None else floor(scores), 0.0 if scores is None else float(scores.max()),
    )  # fmt: skip


def outlines(scene: SensorScene) -> Tables:
    """Everything drawn that does not follow the threshold, at a report's resolution."""
    points = lines(scene, BINS)
    return {
        "normal": _bands(scene, [(scene.normal[0], scene.normal[1] - 1)]),
        "filled": _bands(scene, _filled_stretches(scene)),
        "lines": pa.table({"x": scene.clock.at(points.rows)} | points.values),
    }


def add_threshold(scene: SensorScene, verdict: ScoredView, drawn: Tables) -> Tables:
    """``drawn`` outlines with what follows the threshold."""
    x, score = (drawn["lines"][name].to_numpy() for name in ("x", "score"))
    above = np.r_[False, score > verdict.threshold, False]
    keep = above[1:-1] | above[:-2] | above[2:]  # with a neighbour on either side, where the filled area closes
    level = np.full(len(x), verdict.threshold)
    filled = {"x": x[keep], "value": np.maximum(score, level)[keep], "threshold": level[keep]}
    return drawn | {
        "events": _bands(scene, verdict.events),
        "above": pa.table(filled),
        "threshold": pa.table({"x": x[[0, -1]], "value": level[[0, -1]]}),
    }


def _filled_stretches(scene: SensorScene) -> list[tuple[int, int]]:
    """Return first and last row of the stretches in view that were filled in; of a long view, to a bin."""
    if scene.missing is None:
        return []
    first, last = scene.view
    step = rows_a_bin(last - first, BINS)
    edges = np.flatnonzero(np.diff(np.r_[False, highest(scene.missing[first:last], BINS), False]))
    return [(first + a * step, min(first + b * step, last) - 1) for a, b in edges.reshape(-1, 2).tolist()]


def _bands(scene: SensorScene, rows: Sequence[tuple[int, int]]) -> pa.Table:
    low, high = scene.view
    seen = [(max(first, low), min(last, high - 1)) for first, last in rows if first < high and last >= low]
    ends = np.array(seen, dtype=np.int64).reshape(-1, 2)
    return pa.table({"x": scene.clock.at(ends[:, 0]), "x2": scene.clock.at(ends[:, 1])})


def floor(scores: Array) -> float:
    """Least score that a logarithmic axis shows."""
    return max(float(scores.min()), 1e-6) * 0.8


# ---------------------------------------------------------------------- specification
def strips(scene: SensorScene, palette: Palette, *, tables: Tables, threshold: float | None = None) -> Figure:
    """One strip a channel: measured line, the normal stretch behind it, events and filled gaps shaded; the score last.

    For paper; on a page the same is drawn by a canvas, under a hand (``pages.ui.components.strips``).
    """
    parts = [_channel(name, i, scene, tables, palette) for i, name in enumerate(scene.channels)]
    if scene.scores is not None and threshold is not None:
        parts.append(_score(scene.scores, threshold, palette))
    for part in parts:
        under = part is parts[-1]
        part["encoding"] = {"x": _x(scene, {"title": scene.clock.title} if under else _BARE)}
    spec: Spec = {
        "vconcat": parts, "spacing": 4, "resolve": {"scale": {"x": "shared"}}, "config": {"view": {"stroke": None}},
    }  # fmt: skip
    return Figure(tables, spec)


def _channel(name: str, i: int, scene: SensorScene, tables: Tables, palette: Palette) -> Spec:
    drawn = [name for name in (f"measured {i}", f"rebuilt {i}") if name in tables["lines"].column_names]
    values = np.concatenate([tables["lines"][name].to_numpy() for name in drawn])
    scale = {"domain": [float(values.min()), float(values.max())], "zero": False, "nice": False, "padding": 4}
    axis = {"tickCount": 3, **_INSIDE}
    measured, rebuilt = ({"y": field(f"{name} {i}", scale=scale, axis=axis)} for name in ("measured", "rebuilt"))
    layers = [_band("normal", palette.normal, 0.25), _band("filled", palette.latent, 0.3)]
    if scene.scores is not None:
        layers.append(_band("events", palette.anomaly, 0.4))
    if len(drawn) > 1:
        thick = {"type": "line", "color": palette.reconstruction, "strokeWidth": 2.8}
        layers.append(layer("lines", thick, rebuilt))
    layers.append(layer("lines", {"type": "line", "color": palette.input, "strokeWidth": 1.1}, measured))
    return {"layer": layers, "height": STRIP, "title": _title(name)}


def _score(scores: Array, threshold: float, palette: Palette) -> Spec:
    """Score of every row on a logarithmic scale, what lies above the threshold filled."""
    scale = {"type": "log", "domain": [floor(scores), 1.2 * max(float(scores.max()), threshold)], "nice": False}
    axis = {"tickCount": 4, "format": "~g", **_INSIDE}
    y, score = ({"y": field(name, scale=scale, axis=axis)} for name in ("value", "score"))
    area = {"type": "area", "color": palette.anomaly, "opacity": 0.35}
    line = {"type": "line", "color": palette.anomaly, "strokeWidth": 1.4}
    dashed = {"type": "line", "color": palette.quiet, "strokeDash": [6, 4], "strokeWidth": 1.5}
    layers = [
        layer("above", area, y | {"y2": {"field": "threshold"}}),
        layer("lines", line, score),
        layer("threshold", dashed, y),
    ]
    return {"layer": layers, "height": SCORE, "title": _title("score; dashed: the threshold")}


def _band(table: str, colour: str, opacity: float) -> Spec:
    # the outline keeps a band in sight that is narrower than a pixel
    mark = {"type": "rect", "color": colour, "opacity": opacity, "stroke": colour, "strokeWidth": 1}
    return layer(table, mark, {"x2": {"field": "x2"}})


def _title(text: str) -> Spec:
    return {
        "text": text, "anchor": "start", "dx": MARGIN, "offset": 2, "fontSize": 12, "fontWeight": "normal",
        "limit": 600,
    }  # fmt: skip


def _x(scene: SensorScene, axis: Spec) -> Spec:
    ends = scene.clock.at([scene.view[0], scene.view[1] - 1]).tolist()
    if scene.clock.temporal:  # as the file has it, not moved to the visitor's time zone
        scale: Spec = {"type": "utc", "rangeMin": MARGIN, "domain": ends, "nice": False}
        return field("x", "temporal", scale=scale, axis=axis)
    return field("x", scale={"nice": False, "zero": False, "rangeMin": MARGIN, "domain": ends}, axis=axis)
