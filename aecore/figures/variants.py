"""The variants side by side: their pictures in rows, one measure of all of them with its seeds, a code as bars."""

import html
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.figures import ink
from aecore.figures.palette import Palette
from aecore.figures.plain import ChartAxis, ChartLine, Word, chart, linear

Ink = NDArray[np.uint8]
ROW = 23  # pixels of a variant's row in the figure


class VariantRow(NamedTuple):
    """One line of the sheet: a name, ten pictures and their colour, a note, and pictures drawn from the prior."""

    name: str
    rebuilt: Ink  # [10, H, W]
    colour: str
    note: str
    samples: Ink | None = None  # [n, H, W]


def sheet(rows: Sequence[VariantRow], heads: tuple[str, str, str], palette: Palette) -> str:
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
    source = ink.url(ink.tile(pictures, len(pictures)), colour)
    return f'<img src="{source}" alt="{words}" style="width:100%;image-rendering:pixelated;display:block">'


def picture(image: Ink, colour: str, words: str, side: int = 150) -> str:
    """One picture [H, W], enlarged, as HTML."""
    return (
        f'<img src="{ink.url(image, colour)}" alt="{html.escape(words)}" '
        f'style="width:{side}px;max-width:100%;image-rendering:pixelated;border:1px solid #8884;border-radius:4px">'
    )


def dots(
    values: Mapping[str, Sequence[float]], measure: tuple[str, str, bool], palette: Palette, floor: float | None = None
) -> str:
    """One measure of every variant: each seed a faint dot, the mean a bar; PCA's mean and a ``floor`` as rules.

    ``measure`` is its title, how a number is written, and whether less is better. The first variant is PCA.
    """
    title, form, less = measure
    names = list(values)
    means = [float(np.mean(values[name])) for name in names]
    every = [float(v) for name in names for v in values[name]]
    x = linear([*every, *([] if floor is None else [floor])], title, zero=True, form=form, count=4)
    x = x._replace(high=x.high + 0.25 * (x.high - x.low))  # room for the last number, beside its point and not on it
    y = ChartAxis(len(names) - 0.5, -0.5, "", tuple(range(len(names))), labels=tuple(names))
    rules = [ChartLine([means[0]] * 2, [y.low, y.high], palette.quiet, "", 1.5, "6 4")]
    if floor is not None:
        rules.append(ChartLine([floor] * 2, [y.low, y.high], palette.input, "real digits", 1.5))
    lines, texts = [], []
    for row, (name, mean) in enumerate(zip(names, means, strict=True)):
        colour = palette.quiet if row == 0 else palette.reconstruction
        lines.append(ChartLine([x.low, mean], [row, row], colour, "", 3, "", 0, 0.45))
        lines.append(ChartLine(values[name], [row] * len(values[name]), colour, "", 0, "", 7, 0.5))
        lines.append(ChartLine([mean, mean], [row - 0.3, row + 0.3], colour, "", 3))
        texts.append(Word(max(mean, *values[name]), row, format(mean, form)))
    words = dots_in_words(values, title, form, less)
    return chart([*rules, *lines], x, y, words, height=ROW * len(names), over=texts)


def dots_in_words(values: Mapping[str, Sequence[float]], title: str, form: str, less: bool) -> str:
    """Say a figure's best, its worst and PCA."""
    means = {name: float(np.mean(v)) for name, v in values.items()}
    order = sorted(means, key=means.__getitem__, reverse=not less)
    said = [f"{name} {format(means[name], form)}" for name in (order[0], order[-1])]
    pca = format(means["PCA"], form)
    return f"{title}: best {said[0]}, last {said[1]}, PCA {pca}."


def bars(code: NDArray[np.floating[Any]], palette: Palette, words: str) -> str:
    """One code [d] as bars from zero."""
    thick = max(1.5, 120 / len(code))
    lines = [ChartLine([unit, unit], [0, value], palette.latent, "", thick) for unit, value in enumerate(code.tolist())]
    x = ChartAxis(-0.5, len(code) - 0.5, "unit")
    return chart(lines, x, linear([0.0, *code.tolist()], zero=True, count=4), words, height=110)


def units(inputs: Ink, rebuilt: Ink, exciting: Ink, written: Ink, palette: Palette) -> str:
    """Digits, what became of them, what excites each unit and what it writes, as HTML in two columns."""
    parts = [
        ("Ten digits", inputs, palette.input, 5),
        ("Rebuilt", rebuilt, palette.reconstruction, 5),
        ("What excites each unit", exciting, palette.latent, 8),
        ("What each unit writes", written, palette.reconstruction, 8),
    ]
    cells = [
        f'<div><div style="opacity:.8;font-size:.85rem">{title}</div><img src="{ink.url(ink.tile(images, n), colour)}"'
        f' alt="{title}" style="width:100%;image-rendering:pixelated"></div>'
        for title, images, colour, n in parts
    ]
    style = "display:grid;grid-template-columns:1fr 1fr;gap:.8rem 1.6rem"
    return f'<div style="{style}">{"".join(cells)}</div>'


def losses(values: Sequence[float], palette: Palette) -> str:
    """Training loss by epoch."""
    last = len(values)
    x = ChartAxis(1, max(2, last), "epoch", tuple(sorted({1.0, float((1 + last) // 2), float(last)})))
    line = ChartLine(np.arange(1, last + 1), values, palette.reconstruction)
    return chart([line], x, linear(values, "loss", count=4), f"Training loss, {values[-1]:.4g} at the end", height=140)
