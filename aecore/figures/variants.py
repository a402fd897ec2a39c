"""The variants side by side: their pictures in rows, one measure of all of them with its seeds, a code as bars."""

import html
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from aecore.figures import ink
from aecore.figures.palette import Palette
from aecore.figures.vega import Figure, field, layer

Ink = NDArray[np.uint8]
ROW = 23  # pixels of a variant's row in the figure


class Row(NamedTuple):
    """One line of the sheet: a name, ten pictures and their colour, a note, and pictures drawn from the prior."""

    name: str
    rebuilt: Ink  # [10, H, W]
    colour: str
    note: str
    samples: Ink | None = None  # [n, H, W]


def sheet(rows: Sequence[Row], heads: tuple[str, str, str], palette: Palette) -> str:
    """Rows under one another as HTML; ``heads`` name the notes, the pictures and the samples.

    Where there is little room, as on a phone, a row's pictures stand below its name.
    """
    lines = [_line(*(f"<b>{html.escape(text)}</b>" for text in ("", *heads)))] if any(heads) else []
    for row in rows:
        name = html.escape(row.name)
        drawn = "" if row.samples is None else _strip(row.samples, palette.latent, f"{name}: samples")
        rebuilt = _strip(row.rebuilt, row.colour, f"{name}: ten digits")
        lines.append(_line(name, html.escape(row.note), rebuilt, drawn))
    return f'<div style="font-size:.85rem">{"".join(lines)}</div>'


def _line(name: str, note: str, first: str, second: str) -> str:
    cells = zip(("0 0 9.5rem", "0 0 4rem", "1 1 14rem", "1 1 14rem"), (name, note, first, second), strict=True)
    spans = "".join(f'<span style="flex:{flex};min-width:0">{cell}</span>' for flex, cell in cells)
    return f'<div style="display:flex;flex-wrap:wrap;gap:.2rem .8rem;align-items:center;margin:.3rem 0">{spans}</div>'


def _strip(pictures: Ink, colour: str, words: str) -> str:
    source = ink.url(ink.tiled(pictures, len(pictures)), colour)
    return f'<img src="{source}" alt="{words}" style="width:100%;image-rendering:pixelated;display:block">'


def picture(image: Ink, colour: str, words: str, side: int = 150) -> str:
    """One picture [H, W], enlarged, as HTML."""
    return (
        f'<img src="{ink.url(image, colour)}" alt="{html.escape(words)}" '
        f'style="width:{side}px;max-width:100%;image-rendering:pixelated;border:1px solid #8884;border-radius:4px">'
    )


def dots(
    values: Mapping[str, Sequence[float]], title: str, form: str, palette: Palette, floor: float | None = None
) -> Figure:
    """One measure of every variant: each seed a faint dot, the mean a tick; PCA's mean and a ``floor`` as rules.

    The first variant is PCA.
    """
    names = list(values)
    every = [(name, float(v)) for name in names for v in values[name]]
    means = [float(np.mean(values[name])) for name in names]
    tables = {
        "seeds": pa.table({"variant": [n for n, _ in every], "value": [v for _, v in every]}),
        "means": pa.table({"variant": names, "value": means, "text": [format(m, form) for m in means]}),
        "pca": pa.table({"value": [means[0]]}),
        "floor": pa.table({"value": pa.array([] if floor is None else [floor], pa.float64())}),
    }
    y = field("variant", "nominal", sort=names, title=None, axis={"labelLimit": 200, "ticks": False, "domain": False})
    x = field("value", title=title, scale={"zero": True, "nice": True}, axis={"format": form, "tickCount": 4})
    own = {"condition": {"test": "datum.variant === 'PCA'", "value": palette.quiet}, "value": palette.reconstruction}
    spec = {
        "layer": [
            layer("pca", {"type": "rule", "color": palette.quiet, "strokeDash": [6, 4]}, {"x": x}),
            layer("floor", {"type": "rule", "color": palette.input, "strokeWidth": 1.5}, {"x": x}),
            layer("means", {"type": "bar", "height": 3, "opacity": 0.45}, {"x": x, "y": y, "color": own}),
            layer("seeds", {"type": "point", "filled": True, "size": 34, "opacity": 0.55},
                  {"x": x, "y": y, "color": own}),
            layer("means", {"type": "tick", "thickness": 3, "size": 15}, {"x": x, "y": y, "color": own}),
            layer("means", {"type": "text", "align": "left", "dx": 9, "dy": -1, "color": palette.quiet, "fontSize": 11},
                  {"x": x, "y": y, "text": field("text", "nominal")}),
        ],
        "height": {"step": ROW},
    }  # fmt: skip
    return Figure(tables, spec)


def dots_in_words(values: Mapping[str, Sequence[float]], title: str, form: str, less: bool) -> str:
    """Say a figure's best, its worst and PCA."""
    means = {name: float(np.mean(v)) for name, v in values.items()}
    order = sorted(means, key=means.__getitem__, reverse=not less)
    said = [f"{name} {format(means[name], form)}" for name in (order[0], order[-1])]
    pca = format(means["PCA"], form)
    return f"{title}: best {said[0]}, last {said[1]}, PCA {pca}."


def bars(code: NDArray[np.floating[Any]], palette: Palette) -> Figure:
    """One code [d] as bars from zero."""
    table = pa.table({"unit": np.arange(len(code)), "value": np.asarray(code, np.float64)})
    encoding = {
        "x": field("unit", "ordinal", title="unit", axis={"labels": False, "ticks": False}),
        "y": field("value", title=None, axis={"tickCount": 4}),
    }
    return Figure({"code": table}, {"layer": [layer("code", {"type": "bar", "color": palette.latent}, encoding)],
                                    "height": 120})  # fmt: skip


def units(inputs: Ink, rebuilt: Ink, exciting: Ink, written: Ink, palette: Palette) -> str:
    """Digits, what became of them, what excites each unit and what it writes, as HTML in two columns."""
    parts = [
        ("Ten digits", inputs, palette.input, 5),
        ("Rebuilt", rebuilt, palette.reconstruction, 5),
        ("What excites each unit", exciting, palette.latent, 8),
        ("What each unit writes", written, palette.reconstruction, 8),
    ]
    cells = [
        f'<div><div style="opacity:.8;font-size:.85rem">{title}</div><img src="{ink.url(ink.tiled(images, n), colour)}"'
        f' alt="{title}" style="width:100%;image-rendering:pixelated"></div>'
        for title, images, colour, n in parts
    ]
    style = "display:grid;grid-template-columns:1fr 1fr;gap:.8rem 1.6rem"
    return f'<div style="{style}">{"".join(cells)}</div>'


def losses(values: Sequence[float], palette: Palette) -> Figure:
    """Training loss by epoch."""
    table = pa.table({"epoch": np.arange(1, len(values) + 1), "loss": np.asarray(values, np.float64)})
    encoding = {
        "x": field("epoch", axis={"tickMinStep": 1}),
        "y": field("loss", scale={"zero": False}, axis={"tickCount": 4}),
    }
    line = {"type": "line", "color": palette.reconstruction, "strokeWidth": 2.5}
    return Figure({"losses": table}, {"layer": [layer("losses", line, encoding)], "height": 160})
