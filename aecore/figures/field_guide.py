"""The field guide's figures as HTML: curves, a gallery of histories, a confusion matrix, values before and after."""

import base64
import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aecore.figures import ink
from aecore.figures.palette import Palette
from aecore.figures.plain import Band, ChartAxis, ChartLine, Word, bars, chart, linear, losses

Array = NDArray[np.floating[Any]]

SIZES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)  # where an axis over code sizes is numbered
DASHED = "6 4"


# ---------------------------------------------------------------------- choosing a size
def lost_against_size(
    sizes: Sequence[int], lost: Array, by_pca: Array, chosen: Mapping[str, int], now: int, palette: Palette
) -> str:
    """Held-out share lost by networks [seeds, K], as a band over the seeds, and by PCA [K]; each rule's choice."""
    mean, percent = 100 * lost.mean(0), 100 * lost
    x = _octaves([*sizes, *chosen.values()])
    y = linear([*percent.ravel(), *(100 * by_pca)], "held-out variance lost, %", zero=True)
    rules = [_upright(k, y, palette.latent, "3 3", 1.5) for k in chosen.values()]
    names: list[Band | Word] = [
        Word(k, y.high - (0.03 + 0.07 * row) * (y.high - y.low), rule, palette.latent)
        for row, (rule, k) in enumerate(chosen.items())
    ]
    lines = [
        _upright(sizes[now], y, palette.quiet, "", 1.5),
        *rules,
        ChartLine(sizes, 100 * by_pca, palette.quiet, "PCA", 2.5, DASHED, 6),
        ChartLine(sizes, mean, palette.reconstruction, "autoencoder", 2.5, "", 7),
    ]
    band = Band(sizes, percent.min(0), percent.max(0), palette.reconstruction)
    words = "Held-out variance lost against the size of the code, falling; dashed lines mark what each rule chose"
    return chart(lines, x, y, words, over=[band, *names])


def _octaves(sizes: Sequence[int]) -> ChartAxis:
    low, high = min(sizes), max(sizes)
    ticks = tuple(k for k in SIZES if low <= k <= high)
    return ChartAxis(low, high, "numbers in the code", ticks, scale="log")


def _upright(at: float, y: ChartAxis, colour: str, dash: str = "", width: float = 2.0) -> ChartLine:
    return ChartLine([at, at], [y.low, y.high], colour, "", width, dash)


# ---------------------------------------------------------------------- a bent line
def lost_against_bend(turns: Sequence[int], lost: Mapping[str, Array], floor: Array, now: int, palette: Palette) -> str:
    """Held-out share lost [T] by machine against the bend, with the floor that noise sets and today's bend marked."""
    percent = {name: np.maximum(100 * v, 0.01) for name, v in (*lost.items(), ("noise across the line", floor))}
    x = ChartAxis(turns[0], turns[-1], "how far the line turns, degrees", tuple(turns))
    y = losses([v for values in percent.values() for v in values], "variance lost, %")
    looks = ((palette.quiet, 5.0, ""), (palette.input, 1.8, "5 4"), (palette.reconstruction, 2.5, ""),
             (palette.normal, 1.5, "2 3"))  # fmt: skip
    lines = [
        ChartLine(turns, values, colour, name, width, dash, width + 3)
        for (name, values), (colour, width, dash) in zip(percent.items(), looks, strict=True)
    ]
    words = "Variance lost by PCA and the linear autoencoder rises with the bend; the nonlinear one's stays low"
    return chart([_upright(turns[now], y, palette.latent), *lines], x, y, words)


# ---------------------------------------------------------------------- histories
def history(train: Array, validation: Array | None, palette: Palette, words: str) -> str:
    """Loss by epoch on what is learnt and on what is held out; logarithmic where every loss is positive."""
    lines = [ChartLine(np.arange(1, len(train) + 1), train, palette.reconstruction, "training")]
    if validation is not None:
        lines.append(ChartLine(np.arange(1, len(validation) + 1), validation, palette.input, "held out", 2.2, "5 3"))
    everything = [v for line in lines for v in line.y] or [1.0]
    epochs = linear([1, max(2, *(len(line.x) for line in lines))], "epoch")
    x = epochs._replace(low=1, high=max(2, len(train)), ticks=tuple(t for t in epochs.ticks if 1 <= t <= len(train)))
    return chart(lines, x, losses(everything, "loss"), words, height=180)


FLOOR, CEILING = 1e-3, 10.0  # of the first loss: beyond, there is nothing to see
TENS = ChartAxis(FLOOR, CEILING, "", (0.001, 0.01, 0.1, 1.0, 10.0), scale="log")
SHARE = ChartAxis(0, 100, "", (0.0, 50.0, 100.0))


def gallery(kinds: Mapping[str, tuple[Array, Array | None]], mine: Array | None, palette: Palette) -> str:
    """Curves of each kind relative to the first loss, over the share of the epochs; a visitor's own over each."""
    cells = []
    for kind, (train, validation) in kinds.items():
        curves = [(train, train, palette.reconstruction, ""), (validation, train, palette.input, "5 3"),
                  (mine, mine, palette.latent, "")]  # fmt: skip
        lines = [
            ChartLine(
                np.linspace(0, 100, len(curve)), np.clip(curve / (first[0] or 1), FLOOR, CEILING), colour, "", 2, dash
            )
            for curve, first, colour, dash in curves if curve is not None and first is not None and len(curve)
        ]  # fmt: skip
        words = f"Loss relative to the first one, over % of the epochs: {kind}"
        cells.append(f"<div><b>{html.escape(kind)}</b>{chart(lines, SHARE, TENS, words, height=100)}</div>")
    style = "display:grid;grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr));gap:.4rem 1.6rem;font-size:.85rem"
    return f'<div style="{style}">{"".join(cells)}</div>'


def probabilities(shares: Mapping[str, float], palette: Palette) -> str:
    """How well each kind explains the curves, in the order given."""
    said = ", ".join(f"{kind} {share:.0%}" for kind, share in shares.items() if share >= 0.01)
    return bars(list(shares.items()), palette.latent, f"How probable each kind is, given the curves: {said}")


def confusion(counts: NDArray[np.int64], truths: Sequence[str], answers: Sequence[str], palette: Palette) -> str:
    """Draw counts [truths, answers] as squares, darker for more; what is right lies on the diagonal."""
    upright = "writing-mode:vertical-rl;transform:rotate(180deg);font-weight:400;text-align:left;padding:.2rem .1rem"
    top = "".join(f'<th scope="col" style="{upright}">{html.escape(answer)}</th>' for answer in answers)
    body = ""
    for truth, row in zip(truths, counts, strict=True):
        cells = "".join(_square(int(n), int(n) / max(1, int(row.sum())), palette) for n in row)
        side = "text-align:right;font-weight:400;padding-right:.5rem;white-space:nowrap"
        body += f'<tr><th scope="row" style="{side}">{html.escape(truth)}</th>{cells}</tr>'
    style = "border-collapse:separate;border-spacing:2px;font-size:.82rem;table-layout:auto"
    corner = '<td style="vertical-align:bottom;text-align:right;padding-right:.5rem;opacity:.7">truth ↓ answer →</td>'
    table = f'<table style="{style}"><thead><tr>{corner}{top}</tr></thead><tbody>{body}</tbody></table>'
    return f'<div style="overflow-x:auto">{table}</div>'


def _square(count: int, share: float, palette: Palette) -> str:
    depth = round(255 * (0.15 + 0.85 * share)) if count else 12
    colour = "Canvas" if share > 0.5 else "inherit"
    style = f"background:{palette.latent}{depth:02x};color:{colour};width:1.9rem;height:1.75rem;text-align:center"
    return f'<td style="{style};font-weight:700;border-radius:3px">{count or ""}</td>'


def examples(inputs: Array, rebuilt: Array, palette: Palette) -> str:
    """Pictures [n, H, W] in 0..1 over what was made of them, apart from each other, as HTML."""
    rows = []
    for label, pictures, colour in (
        ("In: held-out examples", inputs, palette.input),
        ("Out: what was made of them", rebuilt, palette.reconstruction),
    ):
        inked = np.rint(255 * np.clip(pictures, 0, 1)).astype(np.uint8)
        images = "".join(
            f'<img src="{ink.url(one, colour)}" alt="" style="width:100%;image-rendering:pixelated;'
            'background:#8881;border-radius:3px">' for one in inked
        )  # fmt: skip
        grid = f"display:grid;grid-template-columns:repeat({len(inked)},minmax(0,1fr));gap:.5rem"
        rows.append(
            f'<div style="font-size:.85rem;opacity:.8;margin:.3rem 0">{label}</div>'
            f'<div role="img" aria-label="{label}" style="{grid}">{images}</div>'
        )
    return "".join(rows)


def example(values: Array, rebuilt: Array, palette: Palette) -> str:
    """One held-out datum [D] and what was made of it, value by value."""
    at = np.arange(1, len(values) + 1)
    lines = [ChartLine(at, values, palette.input, "in", 1.5), ChartLine(at, rebuilt, palette.reconstruction, "out")]
    y = linear([*values, *rebuilt], "a held-out example, in standard deviations", zero=True)
    x = ChartAxis(1, len(values), "value", (1.0, float(len(values))))
    return chart(lines, x, y, "A held-out example over what was made of it", height=130)


# ---------------------------------------------------------------------- samples
def told_apart(sizes: Sequence[int], shares: Mapping[str, Array], now: int, palette: Palette) -> str:
    """How often samples of each way are told from real data, mean over seeds [K], against the code's size."""
    looks = ((palette.input, ""), (palette.quiet, DASHED), (palette.anomaly, "4 2"), (palette.reconstruction, ""),
             (palette.latent, "8 3"))  # fmt: skip
    x = _octaves(sizes)._replace(ticks=tuple(sizes))
    y = ChartAxis(45, 100, "told from real digits, %", (50.0, 60.0, 70.0, 80.0, 90.0, 100.0))
    lines = [
        ChartLine(sizes, 100 * values, colour, name, 2.5, dash, 7)
        for (name, values), (colour, dash) in zip(shares.items(), looks, strict=False)
    ]
    words = "How often samples of each way are told from real digits, against the size of the code"
    return chart([_upright(sizes[now], y, palette.quiet, "", 1.5), *lines], x, y, words)


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
