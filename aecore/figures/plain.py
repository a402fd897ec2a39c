"""Charts as plain HTML, which a browser draws at once: no chart library has to come first.

Lines and dots are one SVG picture, stretched to the room that there is; words are the page's own text over it, so that
they keep their size on a phone and take the theme's colour.
"""

import base64
import html
import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from numpy.typing import NDArray

Values = Sequence[float] | NDArray[Any]
Scale = Literal["linear", "log", "symlog"]
EDGE = 1.5  # % of the room at each side: dots on the edge are not cut
SMALL = "font-size:.78rem;line-height:1.1;opacity:.8;white-space:nowrap"


class ChartAxis(NamedTuple):
    """Values from ``low`` to ``high`` along one side; ``labels`` in place of the ticks' numbers."""

    low: float
    high: float
    title: str = ""
    ticks: tuple[float, ...] = ()
    form: str = "g"
    scale: Scale = "linear"
    labels: tuple[str, ...] = ()

    def place(self, value: float) -> float:
        """Where a value lies, in % of the room; what is outside lies on the edge."""
        inside = min(max(value, min(self.low, self.high)), max(self.low, self.high))
        low, high, here = (_transform(v, self.scale) for v in (self.low, self.high, inside))
        return EDGE + (100 - 2 * EDGE) * (here - low) / ((high - low) or 1.0)

    def texts(self) -> tuple[str, ...]:
        """Say what stands at each tick."""
        return self.labels or tuple(format(tick, self.form) for tick in self.ticks)


class ChartLine(NamedTuple):
    """Points joined, or with ``width`` 0 only their dots of that many pixels; a ``label`` puts it into the legend."""

    x: Values
    y: Values
    colour: str
    label: str = ""
    width: float = 2.5  # pixels
    dash: str = ""  # pixels on and off, as in SVG
    dots: float = 0  # pixels across
    opacity: float = 1.0


class Band(NamedTuple):
    """What lies between two curves."""

    x: Values
    low: Values
    high: Values
    colour: str


class Word(NamedTuple):
    """Text beside a point."""

    x: float
    y: float
    text: str
    colour: str = "inherit"


# ---------------------------------------------------------------------- axes that fit
def linear(
    values: Sequence[float], title: str = "", *, zero: bool = False, form: str = "g", count: int = 5
) -> ChartAxis:
    """Fit an even axis around values [N], to round numbers."""
    low, high = min(values), max(values)
    if zero:
        low, high = min(0.0, low), max(0.0, high)
    if low == high:
        low, high = low - 0.5, high + 0.5
    step = _step((high - low) / count)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(round(i * step, 12) for i in range(first, last + 1))
    return ChartAxis(ticks[0], ticks[-1], title, ticks, form)


def losses(values: Sequence[float], title: str = "", *, most: int = 5) -> ChartAxis:
    """Fit an axis to losses [N]: in decades where all are positive, else in decades above and below zero."""
    low, high = min(values), max(values)
    if low > 0:
        low, high = low / 1.05, high * 1.05
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        fine = 3 if high / low < 30 else 1
        every = [10.0**d * m for d in decades for m in (1, 2, 5)[:fine]]
        scale: Scale = "log"
    else:
        deepest = math.ceil(math.log10(max(-low, high, 10.0)))
        powers = [10.0**d for d in range(deepest, -1, -max(1, deepest // 3))]
        every, scale, most = [*(-p for p in powers), 0.0, *reversed(powers)], "symlog", 9
    inside = [tick for tick in every if low <= tick <= high] or [low]
    return ChartAxis(low, high, title, tuple(inside[:: -(-len(inside) // most)]), scale=scale)


def _step(rough: float) -> float:
    """Round a step up to 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= rough * (1 - 1e-9))


def _transform(value: float, scale: Scale) -> float:
    if scale == "log":
        return math.log10(value)
    return math.copysign(math.log1p(abs(value)), value) if scale == "symlog" else value


# ---------------------------------------------------------------------- a chart
def chart(
    lines: Sequence[ChartLine],
    x: ChartAxis,
    y: ChartAxis,
    words: str,
    *,
    height: int = 260,
    over: Sequence[Band | Word] = (),
) -> str:
    """Lines over numbered axes as HTML, ``height`` pixels high without its margins; ``words`` say what it shows."""
    bands = [part for part in over if isinstance(part, Band)]
    texts = "".join(_word(part, x, y) for part in over if isinstance(part, Word))
    picture = _picture([*(_area(b, x, y) for b in bands), *(_path(line, x, y) for line in lines)], x, y)
    left = "".join(
        f'<span style="position:absolute;right:0;top:{100 - y.place(at):.2f}%;transform:translateY(-50%)">'
        f"{html.escape(text)}</span>" for at, text in zip(y.ticks, y.texts(), strict=True)
    )  # fmt: skip
    below = "".join(
        f'<span style="position:absolute;left:{x.place(at):.2f}%;transform:translateX(-50%)">{html.escape(text)}</span>'
        for at, text in zip(x.ticks, x.texts(), strict=True)
    )
    widest = max(y.texts(), key=len, default="")
    return (
        f'<div role="img" aria-label="{html.escape(words)}" style="margin-bottom:.6rem">{_head(lines, y.title)}'
        '<div style="display:grid;grid-template-columns:auto minmax(0,1fr);column-gap:.5rem">'
        f'<div style="position:relative;{SMALL}"><span style="visibility:hidden">{html.escape(widest)}</span>{left}'
        "</div>"
        f'<div style="position:relative;height:{height}px">{picture}{texts}</div><div></div>'
        f'<div style="position:relative;height:1.2rem;margin-top:.3rem;{SMALL}">{below}</div><div></div>'
        f'<div style="text-align:center;{SMALL}">{html.escape(x.title)}</div></div></div>'
    )


def _head(lines: Sequence[ChartLine], title: str) -> str:
    """Give the upright axis's title, and a key to the lines that have a label."""
    keys = "".join(
        '<span style="display:inline-flex;align-items:center;gap:.4rem">'
        f'<span style="width:1.4rem;border-top:{max(2, min(line.width, 4)):g}px '
        f'{"dashed" if line.dash else "solid"} {line.colour}"></span>{html.escape(line.label)}</span>'
        for line in lines if line.label
    )  # fmt: skip
    if not keys and not title:
        return ""
    said = f'<span style="opacity:.85">{html.escape(title)}</span>' if title else ""
    style = "display:flex;flex-wrap:wrap;gap:.1rem 1.2rem;font-size:.82rem;margin-bottom:.5rem"
    return f'<div style="{style}">{said}{keys}</div>'


def _picture(parts: Sequence[str], x: ChartAxis, y: ChartAxis) -> str:
    grid = "".join(f"M0 {100 - y.place(at):.2f}H100" for at in y.ticks)
    grid += "".join(f"M{x.place(at):.2f} 0V100" for at in x.ticks)
    rest = "<style>path{fill:none;vector-effect:non-scaling-stroke;stroke-linejoin:round}</style>"
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" preserveAspectRatio="none">'
        f'{rest}<path d="{grid}" stroke="#888" stroke-opacity=".18"/>{"".join(parts)}</svg>'
    )
    source = base64.b64encode(svg.encode()).decode()
    return f'<img src="data:image/svg+xml;base64,{source}" alt="" style="position:absolute;width:100%;height:100%">'


def _path(line: ChartLine, x: ChartAxis, y: ChartAxis) -> str:
    at = [(x.place(a), 100 - y.place(b)) for a, b in zip(line.x, line.y, strict=True)]
    style = f'stroke="{line.colour}" stroke-opacity="{line.opacity:g}"'
    found = ""
    if line.width and at:
        joined = "L".join(f"{a:.2f} {b:.2f}" for a, b in at)
        found += f'<path d="M{joined}" {style} stroke-width="{line.width:g}" stroke-dasharray="{line.dash or "none"}"/>'
    if line.dots:  # strokes of no length with round ends: they stay round however the picture is stretched
        spots = "".join(f"M{a:.2f} {b:.2f}h.001" for a, b in at)
        found += f'<path d="{spots}" {style} stroke-width="{line.dots:g}" stroke-linecap="round"/>'
    return found


def _area(band: Band, x: ChartAxis, y: ChartAxis) -> str:
    there = [f"{x.place(a):.2f} {100 - y.place(b):.2f}" for a, b in zip(band.x, band.low, strict=True)]
    back = [f"{x.place(a):.2f} {100 - y.place(b):.2f}" for a, b in zip(band.x, band.high, strict=True)]
    return f'<path d="M{"L".join([*there, *reversed(back)])}Z" style="fill:{band.colour};fill-opacity:.25"/>'


def _word(word: Word, x: ChartAxis, y: ChartAxis) -> str:
    """Text to the right of its point, or to the left where there is no room on the right."""
    across, down = x.place(word.x), 100 - y.place(word.y)
    side = f"left:calc({across:.2f}% + 6px)" if across < 80 else f"right:calc({100 - across:.2f}% + 6px)"
    style = f"position:absolute;{side};top:{down:.2f}%;transform:translateY(-50%);color:{word.colour}"
    halo = "text-shadow:0 0 3px Canvas,0 0 3px Canvas"  # lines below it stay out of its letters
    text = html.escape(word.text)
    return f'<span style="{style};{halo};font-size:.78rem;line-height:1;white-space:nowrap">{text}</span>'


# ---------------------------------------------------------------------- bars
def bars(shares: Sequence[tuple[str, float]], colour: str, words: str) -> str:
    """Rows of a name, a bar of a share in 0..1, and the share in per cent, as HTML."""
    rows = "".join(
        f'<div>{html.escape(name)}</div><div style="background:#8883;border-radius:3px">'
        f'<div style="width:{100 * share:.1f}%;height:.8rem;background:{colour};border-radius:3px"></div></div>'
        f'<div style="text-align:right">{share:.0%}</div>' for name, share in shares
    )  # fmt: skip
    style = "display:grid;grid-template-columns:auto 1fr 2.6rem;gap:.35rem .8rem;align-items:center;font-size:.85rem"
    return f'<div role="img" aria-label="{html.escape(words)}" style="{style}">{rows}</div>'
