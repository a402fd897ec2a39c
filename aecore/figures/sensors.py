"""A signal with its normal stretch, scores, threshold and events, one strip a channel over a common time axis."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from aecore.figures.palette import Palette
from aecore.figures.thinning import envelopes
from aecore.figures.vega import Figure, Spec, field, layer

Array = NDArray[np.floating[Any]]
Tables = dict[str, pa.Table]

BINS = 600  # pixels a strip is drawn for
STRIP, SCORE = 64, 110  # pixels high
MARGIN = 56  # pixels of a strip's own width for its axis: a stack is given each strip's width without the axes
UNITS = (("days", 86_400.0), ("hours", 3_600.0), ("s", 1.0))  # of long recordings
ENOUGH = 4  # of a unit, for it to be the axis's
MAX_STRIPS = 8  # more do not fit a screen
_BARE: Spec = {"labels": False, "ticks": False, "title": None, "domain": False}
_INSIDE: Spec = {"offset": -MARGIN, "grid": False, "title": None}


class Clock(NamedTuple):
    """The rows' common axis: ``x`` [T] seconds, datetimes or row numbers."""

    x: NDArray[Any]
    title: str
    temporal: bool = False
    unit: float = 1.0  # of the axis, in those of ``x``

    @classmethod
    def of(cls, time: NDArray[Any] | None, length: int) -> "Clock":
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


class Scene(NamedTuple):
    """What is drawn: a signal [T, C], what is known of its rows, and which of them are in view (first, last + 1)."""

    clock: Clock
    values: Array
    channels: Sequence[str]
    normal: tuple[int, int]  # the stretch vouched for: first row, last + 1
    view: tuple[int, int]
    filled: Sequence[tuple[int, int]] = ()  # first and last row, inclusive, of what was not measured
    rebuilt: Array | None = None  # [T, C], drawn once rows are far enough apart to tell it from what was measured
    scores: Array | None = None  # [T]


class Verdict(NamedTuple):
    """What follows from a threshold: the events, first and last row, inclusive."""

    threshold: float
    events: Sequence[tuple[int, int]]


# ---------------------------------------------------------------------- rows
def outlines(scene: Scene) -> Tables:
    """Everything drawn that does not follow the threshold, at screen resolution."""
    first, last = scene.view
    lines = {f"measured {i}": scene.values[first:last, i] for i in range(len(scene.channels))}
    if scene.scores is not None:
        lines["score"] = np.maximum(scene.scores[first:last], _floor(scene.scores))
    tables = {
        "normal": _bands(scene, [(scene.normal[0], scene.normal[1] - 1)]),
        "filled": _bands(scene, scene.filled),
        "lines": _lines(scene, lines),
    }
    if scene.rebuilt is not None:
        end = last if last - first <= 2 * BINS else first  # closer than this, it is told from what was measured
        rebuilt = {f"rebuilt {i}": scene.rebuilt[first:end, i] for i in range(len(scene.channels))}
        tables["rebuilt"] = _lines(scene, rebuilt)
    return tables


def judged(scene: Scene, verdict: Verdict, drawn: Tables) -> Tables:
    """``drawn`` outlines with what follows the threshold: few rows, so that moving it exchanges few."""
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


def _lines(scene: Scene, columns: dict[str, Array]) -> pa.Table:
    """Rows in view of several columns in one table: less to send than a table each, and to read."""
    rows, values = envelopes(np.stack(list(columns.values()), axis=1, dtype=np.float64), BINS)
    return pa.table({"x": scene.clock.at(scene.view[0] + rows)} | dict(zip(columns, values.T, strict=True)))


def _bands(scene: Scene, rows: Sequence[tuple[int, int]]) -> pa.Table:
    low, high = scene.view
    seen = [(max(first, low), min(last, high - 1)) for first, last in rows if first < high and last >= low]
    ends = np.array(seen, dtype=np.int64).reshape(-1, 2)
    return pa.table({"x": scene.clock.at(ends[:, 0]), "x2": scene.clock.at(ends[:, 1])})


def _floor(scores: Array) -> float:
    """Least score that a logarithmic axis shows."""
    return max(float(scores.min()), 1e-6) * 0.8


def _ceiling(scores: Array, threshold: float) -> float:
    """Highest value on the score's axis; where the threshold lies beyond the scores it moves in steps, not along."""
    highest = float(scores.max())
    return 1.2 * max(highest, 2.0 ** np.ceil(np.log2(threshold)) if threshold > highest else 0.0)


# ---------------------------------------------------------------------- specification
def strips(
    scene: Scene, palette: Palette, *, tables: Tables, threshold: float | None = None, brushes: bool = True
) -> Figure:
    """One strip a channel: measured line, the normal stretch behind it, events and filled gaps shaded; the score last.

    With ``brushes``, a stretch dragged over strip i is the selection ``drag<i>``, in the clock's units.
    """
    parts = [_channel(name, i, scene, tables, palette) for i, name in enumerate(scene.channels)]
    if scene.scores is not None and threshold is not None:
        parts.append(_score(scene.scores, threshold, palette))
    for i, part in enumerate(parts):
        under = part is parts[-1]
        part["encoding"] = {"x": _x(scene, {"title": scene.clock.title} if under else _BARE)}
        if brushes:
            drag = {"name": f"drag{i}", "select": {"type": "interval", "encodings": ["x"]}}
            part["layer"][0]["params"] = [drag]
    spec: Spec = {
        "vconcat": parts, "spacing": 4, "resolve": {"scale": {"x": "shared"}}, "config": {"view": {"stroke": None}},
    }  # fmt: skip
    return Figure(tables, spec)


def brush_names(scene: Scene) -> list[str]:
    """Name the selections of ``strips``, one a strip."""
    return [f"drag{i}" for i in range(len(scene.channels) + (scene.scores is not None))]


def _channel(name: str, i: int, scene: Scene, tables: Tables, palette: Palette) -> Spec:
    # a domain in numbers: one that follows the rows is found anew, and every line drawn anew, whenever any row changes
    drawn = [
        (table, name) for table, name in (("lines", f"measured {i}"), ("rebuilt", f"rebuilt {i}")) if table in tables
    ]
    values = np.concatenate([tables[table][name].to_numpy() for table, name in drawn])
    scale = {"domain": [float(values.min()), float(values.max())], "zero": False, "nice": False, "padding": 4}
    axis = {"tickCount": 3, **_INSIDE}
    measured, rebuilt = ({"y": field(f"{name} {i}", scale=scale, axis=axis)} for name in ("measured", "rebuilt"))
    layers = [_band("normal", palette.normal, 0.25), _band("filled", palette.latent, 0.3)]
    if scene.scores is not None:
        layers.append(_band("events", palette.anomaly, 0.4))
    if scene.rebuilt is not None:
        thick = {"type": "line", "color": palette.reconstruction, "strokeWidth": 2.8}
        layers.append(layer("rebuilt", thick, rebuilt))
    layers.append(layer("lines", {"type": "line", "color": palette.input, "strokeWidth": 1.1}, measured))
    return {"layer": layers, "height": STRIP, "title": _title(name)}


def _score(scores: Array, threshold: float, palette: Palette) -> Spec:
    """Score of every row on a logarithmic scale, what lies above the threshold filled."""
    scale = {"type": "log", "domain": [_floor(scores), _ceiling(scores, threshold)], "nice": False}
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


def _x(scene: Scene, axis: Spec) -> Spec:
    ends = scene.clock.at([scene.view[0], scene.view[1] - 1]).tolist()
    if scene.clock.temporal:  # as the file has it, not moved to the visitor's time zone
        scale: Spec = {"type": "utc", "rangeMin": MARGIN, "domain": ends, "nice": False}
        return field("x", "temporal", scale=scale, axis=axis)
    return field("x", scale={"nice": False, "zero": False, "rangeMin": MARGIN, "domain": ends}, axis=axis)


def standing_out(channel_excess: Array, flagged: NDArray[np.bool_]) -> list[int]:
    """Up to eight channels to draw, in their own order: those furthest above normal while flagged (or at all)."""
    excess = channel_excess[flagged] if flagged.any() else channel_excess
    top = np.argsort(-excess.max(0), kind="stable")[:MAX_STRIPS]
    return sorted(int(i) for i in top)
