"""Spectrograms and masks as pictures, in colours whose lightness follows the value evenly, for either theme."""

import functools
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore.figures.palette import Palette

Kind = Literal["heat", "mask"]
Bytes = NDArray[np.uint8]

LEVELS = 256


class _Ramp(NamedTuple):
    """Way through OKLCh from value 0 to value 255."""

    lightness: tuple[float, float]
    chroma: float
    hue: tuple[float, float]  # degrees
    turn: float  # where chroma stands at value 255: 1 back at grey after a peak in the middle, 0.5 at its peak


# Silence lies near the page's own background in both themes, so that what sounds stands out from the page.
_RAMPS: dict[tuple[Kind, bool], _Ramp] = {
    ("heat", True): _Ramp((0.17, 0.95), 0.17, (285.0, 465.0), 0.95),  # violet, red, yellow
    ("heat", False): _Ramp((0.985, 0.24), 0.17, (85.0, -75.0), 0.9),  # pale yellow, red, deep violet
    ("mask", True): _Ramp((0.17, 0.88), 0.14, (288.0, 288.0), 0.6),
    ("mask", False): _Ramp((0.985, 0.36), 0.17, (288.0, 288.0), 0.6),
}

# OKLab to linear sRGB: B. Ottosson, "A perceptual color space for image processing" (2020)
_LMS = np.array(
    [[1.0, 0.3963377774, 0.2158037573], [1.0, -0.1055613458, -0.0638541728], [1.0, -0.0894841775, -1.2914855480]]
)
_RGB = np.array([
    [4.0767416621, -3.3077115913, 0.2309699292],
    [-1.2684380046, 2.6097574011, -0.3413193965],
    [-0.0041960863, -0.7034186147, 1.7076147010],
])  # fmt: skip


@functools.cache
def colour_map(kind: Kind, *, dark: bool) -> Bytes:
    """Colours [256, 3] of the values 0..255, by equal steps of OKLab lightness; chroma yields where sRGB ends."""
    ramp = _RAMPS[kind, dark]
    t = np.linspace(0.0, 1.0, LEVELS)
    lightness = ramp.lightness[0] + t * (ramp.lightness[1] - ramp.lightness[0])
    hue = np.radians(ramp.hue[0] + t * (ramp.hue[1] - ramp.hue[0]))
    chroma = ramp.chroma * np.sin(np.pi * ramp.turn * t) ** 0.8
    fits = np.zeros_like(t)  # the largest share of the chroma that sRGB can show
    for share in np.linspace(0.0, 1.0, 65):
        linear = _linear(lightness, share * chroma, hue)
        inside = (linear >= -1e-4).all(1) & (linear <= 1 + 1e-4).all(1)
        fits = np.where(inside, share, fits)
    linear = _linear(lightness, fits * chroma, hue).clip(0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)  # IEC 61966-2-1
    return np.rint(255 * encoded).astype(np.uint8)


def _linear(lightness: NDArray[Any], chroma: NDArray[Any], hue: NDArray[Any]) -> NDArray[Any]:
    lab = np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], axis=1)  # (256, 3)
    return (lab @ _LMS.T) ** 3 @ _RGB.T  # (256, 3)


def picture(values: Bytes, kind: Kind, *, dark: bool, height: int = 0) -> Bytes:
    """Image [H, N, 3] of a spectrogram or mask [F, N] whose first row is the lowest frequency, drawn at the bottom.

    Rows are repeated until the picture is at least ``height`` pixels high.
    """
    repeats = max(1, -(-height // len(values)))
    return colour_map(kind, dark=dark)[np.repeat(values[::-1], repeats, axis=0)]


def gains(
    names: Sequence[str], values: Sequence[float], title: str, palette: Palette
) -> alt.LayerChart | alt.FacetChart:
    """One bar a method, in decibels; the network's own in green, losses to the left of zero."""
    data = pd.DataFrame({"method": list(names), "dB": list(values)})
    data["colour"] = [palette.reconstruction if i == 0 else palette.quiet for i in range(len(data))]
    data["text"] = [f"{value:+.1f}" for value in values]
    y = alt.Y("method:N", sort=None, title=None, axis=alt.Axis(labelLimit=180))
    room = [min(0.0, *values) - 1.5, max(0.0, *values) + 1.5]
    base = alt.Chart(data, height=26 * len(data) + 60).encode(
        x=alt.X("dB:Q", title=title, scale=alt.Scale(domain=room)), y=y
    )
    bars = base.mark_bar(height=16).encode(color=alt.Color("colour:N", scale=None))
    right = base.transform_filter("datum.dB >= 0").mark_text(align="left", dx=4).encode(text="text:N")
    left = base.transform_filter("datum.dB < 0").mark_text(align="right", dx=-4).encode(text="text:N")
    text = [layer.encode(color=alt.value(palette.quiet)) for layer in (right, left)]
    return alt.layer(bars, *text)


MEL_ROWS = 112
LOWEST = 60.0  # Hz; below lies no voice


def mel_rows(hertz: NDArray[np.floating[Any]], count: int = MEL_ROWS) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Rows of a picture with linear frequencies [F] that lie evenly in pitch as heard, and their frequencies in Hz.

    m = 2595 log10(1 + f / 700): O'Shaughnessy, "Speech Communication" (1987).
    """
    low, high = (2595 * np.log10(1 + f / 700) for f in (LOWEST, float(hertz[-1])))
    wanted = 700 * (10 ** (np.linspace(low, high, count) / 2595) - 1)
    rows = np.abs(np.asarray(hertz)[None, :] - wanted[:, None]).argmin(1)
    return rows, wanted
