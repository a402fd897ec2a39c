"""The field guide's figures: plain Vega-Lite over small tables, and rows of values before and after as SVG."""

import base64
import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from aecore.figures.palette import Palette
from aecore.figures.vega import Figure, Spec, field, layer

Array = NDArray[np.floating[Any]]

HEIGHT = 330  # pixels, the legend included
QUIET: Spec = {"view": {"stroke": None}}
LEGEND: Spec = {"title": None, "orient": "top", "symbolType": "stroke", "symbolStrokeWidth": 3, "labelLimit": 220}


# ---------------------------------------------------------------------- choosing a size
def lost_against_size(
    sizes: Sequence[int], lost: Array, by_pca: Array, chosen: Mapping[str, int], palette: Palette
) -> Figure:
    """Held-out share lost by networks [seeds, K], as a band over the seeds, and by PCA [K]; each rule's choice."""
    tables = {
        "band": pa.table({"k": list(sizes), "low": lost.min(0) * 100, "high": lost.max(0) * 100}),
        "curves": pa.table({
            "k": [*sizes, *sizes], "lost": np.concatenate([lost.mean(0), by_pca]) * 100,
            "by": ["autoencoder"] * len(sizes) + ["PCA"] * len(sizes),
        }),
        "rules": pa.table({"k": list(chosen.values()), "rule": list(chosen), "row": list(range(len(chosen)))}),
    }  # fmt: skip
    scale = {"type": "log", "base": 2, "domain": [1, max(*sizes, *chosen.values())], "nice": False}
    x = field("k", title="numbers in the code", scale=scale, axis={"values": [1, 2, 4, 8, 16, 32, 64]})
    y = field("lost", title="held-out variance lost, %", scale={"domainMin": 0})
    names = ["autoencoder", "PCA"]
    colour = {"domain": names, "range": [palette.reconstruction, palette.quiet]}
    apart = {
        "color": field("by", "nominal", sort=names, scale=colour, legend=LEGEND),
        "strokeDash": field("by", "nominal", sort=names, scale={"domain": names, "range": [[1, 0], [6, 4]]},
                            legend=None),
    }  # fmt: skip
    band = {"x": x, "y": field("low", title=y["title"]), "y2": {"field": "high"}}
    said = {"type": "text", "align": "left", "dx": 4, "color": palette.latent, "fontWeight": "bold"}
    return Figure(tables, {
        "layer": [
            layer("band", {"type": "area", "opacity": 0.25, "color": palette.reconstruction}, band),
            layer("rules", {"type": "rule", "color": palette.latent, "strokeWidth": 1.5, "strokeDash": [3, 3]},
                  {"x": x}),
            layer("curves", {"type": "line", "strokeWidth": 2.5, "point": {"size": 30}}, {"x": x, "y": y, **apart}),
            layer("rules", said | {"y": {"expr": "8 + 16 * datum.row"}}, {"x": x, "text": field("rule", "nominal")}),
        ],
        "height": HEIGHT, "config": QUIET,
    })  # fmt: skip


# ---------------------------------------------------------------------- a bent line
def lost_against_bend(turns: Sequence[int], lost: Mapping[str, Array], floor: Array, now: int,
                      palette: Palette) -> Figure:  # fmt: skip
    """Held-out share lost [T] by machine against the bend, with the floor that noise sets and today's bend marked."""
    curves = {name: values for name, values in lost.items()} | {"noise across the line": floor}
    names = list(curves)
    table = pa.table({
        "turn": list(turns) * len(names), "lost": np.maximum(np.concatenate(list(curves.values())), 1e-4) * 100,
        "by": np.repeat(names, len(turns)).tolist(),
    })  # fmt: skip
    colours = [palette.quiet, palette.input, palette.reconstruction, palette.normal]
    dashes = [[1, 0], [5, 4], [1, 0], [2, 3]]
    x = field("turn", title="how far the line turns, degrees")
    y = field("lost", title="variance lost, %", scale={"type": "log", "nice": False}, axis={"tickCount": 4})
    apart = {
        "color": field("by", "nominal", sort=names, scale={"domain": names, "range": colours},
                       legend=LEGEND | {"columns": 2}),
        "strokeDash": field("by", "nominal", sort=names, scale={"domain": names, "range": dashes}, legend=None),
        "strokeWidth": field("by", "nominal", sort=names, scale={"domain": names, "range": [5, 1.6, 2.5, 1.5]},
                             legend=None),
    }  # fmt: skip
    rule = layer("now", {"type": "rule", "color": palette.latent, "strokeWidth": 2}, {"x": x})
    tables = {"curves": table, "now": pa.table({"turn": [turns[now]]})}
    lines = layer("curves", {"type": "line", "point": {"size": 25}}, {"x": x, "y": y, **apart})
    return Figure(tables, {"layer": [rule, lines], "height": HEIGHT, "config": QUIET})


# ---------------------------------------------------------------------- histories
def history(train: Array, validation: Array | None, palette: Palette, *, title: str = "", height: int = 200,
            legend: bool = True) -> Figure:  # fmt: skip
    """Loss by epoch on what is learnt and on what is held out; logarithmic where every loss is positive."""
    curves = {"training": train} | ({} if validation is None else {"held out": validation})
    names = list(curves)
    table = pa.table({
        "epoch": np.concatenate([np.arange(1, len(v) + 1) for v in curves.values()]),
        "loss": np.concatenate(list(curves.values())), "of": np.repeat(names, [len(v) for v in curves.values()]),
    })  # fmt: skip
    positive = all(len(v) == 0 or float(np.min(v)) > 0 for v in curves.values())
    scale: Spec = {"type": "log", "nice": False} if positive else {"type": "symlog"}
    x = field("epoch", title="epoch" if legend else None, axis={"tickMinStep": 1, "tickCount": 4})
    y = field("loss", title="loss" if legend else None, scale=scale, axis={"tickCount": 3, "format": "~g"})
    colour = {"domain": ["training", "held out"], "range": [palette.reconstruction, palette.input]}
    dash = {"domain": ["training", "held out"], "range": [[1, 0], [5, 3]]}
    encoding = {
        "x": x, "y": y, "color": field("of", "nominal", scale=colour, legend=LEGEND if legend else None),
        "strokeDash": field("of", "nominal", scale=dash, legend=None),
    }  # fmt: skip
    spec = layer("curves", {"type": "line", "strokeWidth": 2.2}, encoding)
    return Figure({"curves": table}, spec | {"height": height, "config": QUIET} | ({"title": title} if title else {}))


SMALL = 150  # pixels a side of a chart in the gallery
FLOOR, CEILING = 1e-3, 10.0  # of the first loss: beyond, there is nothing to see


def gallery(kinds: Mapping[str, tuple[Array, Array | None]], mine: Array | None, palette: Palette) -> Figure:
    """Curves of each kind relative to the first loss, over the share of the epochs; a visitor's own over each."""
    rows: dict[str, list[Any]] = {"kind": [], "at": [], "loss": [], "of": []}
    for kind, (train, validation) in kinds.items():
        for of, curve in (("training", train), ("held out", validation), ("yours", mine)):
            if curve is None or not len(curve):
                continue
            first = float(mine[0] if of == "yours" and mine is not None else train[0])
            rows["kind"] += [kind] * len(curve)
            rows["at"] += np.linspace(0, 100, len(curve)).tolist()
            rows["loss"] += np.clip(curve / (first or 1.0), FLOOR, CEILING).tolist()
            rows["of"] += [of] * len(curve)
    names = ["training", "held out", "yours"]
    colour = {"domain": names, "range": [palette.reconstruction, palette.input, palette.latent]}
    dash = {"domain": names, "range": [[1, 0], [5, 3], [1, 0]]}
    encoding = {
        "x": field("at", title="% of the epochs", axis={"values": [0, 50, 100]}),
        "y": field("loss", title=None, scale={"type": "log", "domain": [FLOOR, CEILING]},
                   axis={"values": [0.001, 0.01, 0.1, 1, 10], "format": "~g"}),
        "color": field("of", "nominal", sort=names, scale=colour, legend=LEGEND),
        "strokeDash": field("of", "nominal", sort=names, scale=dash, legend=None),
    }  # fmt: skip
    inner = {"mark": {"type": "line", "strokeWidth": 2}, "encoding": encoding, "width": SMALL, "height": SMALL - 40}
    facet = field("kind", "nominal", sort=list(kinds), title=None, header={"labelFontWeight": "bold"})
    spec = {"data": {"name": "curves"}, "facet": facet, "columns": 4, "spec": inner, "config": QUIET}
    return Figure({"curves": pa.table(rows)}, spec)


def probabilities(shares: Mapping[str, float], palette: Palette) -> Figure:
    """How well each kind explains the curves, in the order given."""
    table = pa.table({"kind": list(shares), "share": [100 * v for v in shares.values()]})
    x = field("share", title="probability, %", scale={"domain": [0, 100]}, axis={"tickCount": 5})
    y = field("kind", "nominal", sort=list(shares), title=None, axis={"labelLimit": 200})
    bars = layer("shares", {"type": "bar", "color": palette.latent}, {"x": x, "y": y})
    return Figure({"shares": table}, bars | {"height": {"step": 24}, "config": QUIET})


def confusion(counts: NDArray[np.int64], truths: Sequence[str], answers: Sequence[str], palette: Palette) -> Figure:
    """Draw counts [truths, answers] as squares, darker for more; what is right lies on the diagonal."""
    rows = [
        {"truth": truth, "answer": answer, "count": int(counts[i, j]), "share": counts[i, j] / max(1, counts[i].sum())}
        for i, truth in enumerate(truths) for j, answer in enumerate(answers) if counts[i, j]
    ]  # fmt: skip
    table = pa.Table.from_pylist(rows)
    x = field("answer", "nominal", sort=list(answers), scale={"domain": list(answers)}, title="answer",
              axis={"labelAngle": -40, "orient": "top", "labelLimit": 160, "labelOverlap": False})  # fmt: skip
    y = field("truth", "nominal", sort=list(truths), scale={"domain": list(truths)}, title="truth",
              axis={"labelLimit": 160})  # fmt: skip
    depth = field("share", scale={"domain": [0, 1], "range": [0.15, 1]}, legend=None)
    mark = {"type": "rect", "cornerRadius": 2, "color": palette.latent}
    layers = [layer("counts", mark, {"x": x, "y": y, "opacity": depth})]
    for ink, shown in (("white", "datum.share > 0.5"), (palette.quiet, "datum.share <= 0.5")):
        text = {"type": "text", "fontWeight": "bold", "color": ink}
        said = {"x": x, "y": y, "text": field("count")}
        layers.append(layer("counts", text, said, transform=[{"filter": shown}]))
    return Figure({"counts": table}, {"layer": layers, "height": {"step": 28}, "config": QUIET})


# ---------------------------------------------------------------------- samples
def told_apart(sizes: Sequence[int], shares: Mapping[str, Array], now: int, palette: Palette) -> Figure:
    """How often samples of each way are told from real data, mean over seeds [K], against the code's size."""
    names = list(shares)
    table = pa.table({
        "k": list(sizes) * len(names), "told": np.concatenate([100 * v for v in shares.values()]),
        "by": np.repeat(names, len(sizes)).tolist(),
    })  # fmt: skip
    colours = [palette.input, palette.quiet, palette.anomaly, palette.reconstruction, palette.latent]
    dashes = [[1, 0], [6, 4], [4, 2], [1, 0], [8, 3]]
    x = field("k", title="numbers in the code", scale={"type": "log", "base": 2}, axis={"values": list(sizes)})
    y = field("told", title="told from real digits, %", scale={"domain": [45, 100]})
    apart = {
        "color": field("by", "nominal", sort=names, scale={"domain": names, "range": colours},
                       legend=LEGEND | {"columns": 2}),
        "strokeDash": field("by", "nominal", sort=names, scale={"domain": names, "range": dashes}, legend=None),
    }  # fmt: skip
    rule = layer("now", {"type": "rule", "color": palette.quiet, "strokeWidth": 1.5}, {"x": x})
    lines = layer("curves", {"type": "line", "strokeWidth": 2.5, "point": {"size": 30}}, {"x": x, "y": y, **apart})
    tables = {"curves": table, "now": pa.table({"k": [sizes[now]]})}
    return Figure(tables, {"layer": [rule, lines], "height": HEIGHT, "config": QUIET})


# ---------------------------------------------------------------------- before and after
WIDE, HIGH = 320, 26


def before_and_after(before: Array, after: Array, names: tuple[str, str], form: str, ideal: float | None,
                     palette: Palette) -> str:  # fmt: skip
    """Values before and after [seeds] on one axis, as HTML: a mark a seed, the means joined, the ideal dotted.

    ``names`` say what was done before and after, ``form`` how a value is written.
    """
    everything = [*before, *after, *([] if ideal is None else [ideal])]
    low, high = min(everything), max(everything)
    room = 0.08 * (high - low) or 1.0

    def at(value: float) -> float:
        return 10 + (WIDE - 20) * (value - low + room) / (high - low + 2 * room)

    a, b, middle = at(float(np.mean(before))), at(float(np.mean(after))), HIGH / 2
    parts = [_rule(8, WIDE - 8, middle, f'stroke="{palette.quiet}" stroke-opacity=".35"')]
    if ideal is not None:
        parts.append(_tick(at(ideal), HIGH / 2, f'stroke="{palette.quiet}" stroke-width="2" stroke-dasharray="2 3"'))
    for values, colour in ((before, palette.anomaly), (after, palette.reconstruction)):
        parts += [_tick(at(float(v)), 7, f'stroke="{colour}" stroke-width="1.5" stroke-opacity=".55"') for v in values]
    parts.append(_rule(a, b, middle, f'stroke="{palette.reconstruction}" stroke-width="2"'))
    ring = f'fill="none" stroke="{palette.anomaly}" stroke-width="2.5"'
    parts.append(f'<circle cx="{a:.1f}" cy="{middle}" r="6" {ring}/>')
    parts.append(f'<circle cx="{b:.1f}" cy="{middle}" r="6.5" fill="{palette.reconstruction}"/>')
    said = [f"{np.mean(v):{form}}" for v in (before, after)]
    words = html.escape(f"{names[0]}: {said[0]}; {names[1]}: {said[1]}; means over {len(before)} seeds")
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}">{"".join(parts)}</svg>'
    source = base64.b64encode(svg.encode()).decode()
    picture = f'<img src="data:image/svg+xml;base64,{source}" alt="{words}" style="width:100%;display:block">'
    sides = "".join(
        f'<span style="flex:1;text-align:{side}"><b style="color:{colour}">{mark} {value}</b><br>{html.escape(name)}'
        "</span>"
        for side, colour, mark, value, name in (
            ("left", palette.anomaly, "○", said[0], names[0]),
            ("right", palette.reconstruction, "●", said[1], names[1]),
        )
    )
    return f'<div style="font-size:.85rem">{picture}<div style="display:flex;gap:1rem">{sides}</div></div>'


def _rule(x1: float, x2: float, y: float, style: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y}" x2="{x2:.1f}" y2="{y}" {style}/>'


def _tick(x: float, half: float, style: str) -> str:
    return f'<line x1="{x:.1f}" y1="{HIGH / 2 - half}" x2="{x:.1f}" y2="{HIGH / 2 + half}" {style}/>'
