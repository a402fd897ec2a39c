"""Three maps of the same data under one brush, and pictures of what was brushed."""

import base64
import functools
import io
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from aecore.figures.palette import Palette
from aecore.figures.vega import Figure

Array = NDArray[np.floating[Any]]

SIDE, GAP = 310, 14  # pixels of a map, and between two
# As many in a row as the room on the page has: read in the browser, whatever calls itself a phone.
ROW = f"clamp(floor((containerSize()[0] + {GAP}) / {SIDE + GAP}), 1, 3)"
BRUSH = "brush"
MAP_WORDS = "Maps of the same data by three machines; what is brushed in one is marked in all"


def maps(table: pd.DataFrame, machines: Sequence[str], names: Sequence[str], palette: Palette) -> Figure:
    """Scatter of ``table`` a machine, linked by one brush, side by side as far as there is room.

    Columns: row, ``"<machine> x"`` and ``"<machine> y"``, and where there are some, label and image (a data URL);
    ``linked`` says which rows stand out until a brush is drawn: those that a link has brushed.
    """
    spec = _maps_spec(tuple(machines), len(names), _characters(names), tuple(table.columns), palette)
    return Figure({"maps": pa.Table.from_pandas(table, preserve_index=False)}, _name_classes(spec, list(names)))


def _name_classes(node: Any, names: list[str]) -> Any:
    """Copy a specification with the classes' names in place of their numbers."""
    if isinstance(node, dict):
        return {key: names if key == "domain" else _name_classes(part, names) for key, part in node.items()}
    return [_name_classes(part, names) for part in node] if isinstance(node, list) else node


# A brush redraws nothing, and building three linked charts takes longer than all else on its way. Names are put in
# afterwards: they are a visitor's, and what is kept here outlives the visit.
@functools.lru_cache(maxsize=64)
def _maps_spec(
    machines: tuple[str, ...], classes: int, characters: bool, columns: tuple[str, ...], palette: Palette
) -> dict[str, Any]:
    brush = alt.selection_interval(name=BRUSH, resolve="global")
    shown: Any = alt.value(palette.latent)
    if "label" in columns:
        scale = alt.Scale(domain=list(range(classes)), range=[palette.of_class(i) for i in range(classes)])
        shown = alt.Color("label:N", scale=scale, legend=None if characters else alt.Legend(title=None))
    tips = [alt.Tooltip(field) for field in ("image:N", "label:N", "row:Q") if field[:-2] in columns]
    within: Any = brush
    if "linked" in columns:
        unbrushed = f"datum.linked && !length(data('{BRUSH}_store'))"
        within = {"test": {"or": [{"param": BRUSH, "empty": False}, unbrushed]}}
    charts = []
    for machine in machines:
        base = alt.Chart(alt.NamedData("maps"), title=machine, width=SIDE, height=SIDE)
        marked = base.mark_text(fontSize=10, fontWeight="bold") if characters and "label" in columns else (
            base.mark_point(filled=True, size=22)
        )  # fmt: skip
        charts.append(
            marked.encode(
                x=alt.X(f"{machine} x:Q", axis=None, scale=alt.Scale(zero=False)),
                y=alt.Y(f"{machine} y:Q", axis=None, scale=alt.Scale(zero=False)),
                color=alt.condition(within, shown, alt.value(palette.quiet)),
                opacity=alt.condition(within, alt.value(0.9), alt.value(0.12)),
                tooltip=tips,
                **({"text": alt.Text("label:N")} if characters and "label" in columns else {}),
            ).add_params(brush)
        )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Automatically deduplicated selection")  # one brush for all is the intention
        spec: dict[str, Any] = alt.concat(*charts, spacing=GAP).to_dict()
    return spec | {"columns": {"signal": ROW}, "config": {"view": {"strokeOpacity": 0.15}}}


def forming(codes: Array, labels: NDArray[Any] | None, palette: Palette) -> alt.Chart:
    """Codes [n, 2] as they are now, while a network is trained; colours as on the maps."""
    data = pd.DataFrame({"x": codes[:, 0], "y": codes[:, -1], "kind": 0 if labels is None else labels})
    scale = alt.Scale(domain=list(range(len(palette.classes))), range=list(palette.classes))
    colour: Any = alt.value(palette.latent) if labels is None else alt.Color("kind:N", scale=scale, legend=None)
    return (
        alt.Chart(data, height=220)
        .mark_point(filled=True, size=18, opacity=0.8)
        .encode(
            x=alt.X("x:Q", axis=None, scale=alt.Scale(zero=False)),
            y=alt.Y("y:Q", axis=None, scale=alt.Scale(zero=False)),
            color=colour,
        )
    )


def class_counts(counts: pd.DataFrame, palette: Palette) -> alt.Chart:
    """Bars of ``kind`` and ``count``, as high as wide."""
    return (
        alt.Chart(counts, height=max(120, 22 * len(counts)))
        .mark_bar(color=palette.latent)
        .encode(
            x=alt.X("count:Q", title="data", axis=alt.Axis(tickMinStep=1, tickCount=4)),
            y=alt.Y("kind:N", sort=None, title=None, axis=alt.Axis(labelOverlap=False)),
            tooltip=["kind:N", "count:Q", alt.Tooltip("share:Q", format=".1%")],
        )
    )


def montage(images: Array, ink: str, *, per_row: int, scale: int = 1) -> NDArray[np.uint8]:
    """Pictures [n, H, W] in 0..1 beside one another, in ink on nothing: RGBA [rows * H, per_row * W, 4]."""
    count, height, width = images.shape
    rows = max(1, -(-count // per_row))
    sheet = np.zeros((rows * per_row, height + 1, width + 1), np.float32)  # one pixel between them
    sheet[:count, :height, :width] = images
    tiled = sheet.reshape(rows, per_row, height + 1, width + 1).transpose(0, 2, 1, 3)
    flat = tiled.reshape(rows * (height + 1), per_row * (width + 1))
    whole = np.kron(flat, np.ones((scale, scale), np.float32))
    made = np.empty((*whole.shape, 4), np.uint8)
    made[..., :3] = [int(ink[i : i + 2], 16) for i in (1, 3, 5)]
    made[..., 3] = np.rint(np.clip(whole, 0, 1) * 255)
    return made


def data_urls(images: Array, *, scale: int) -> list[str]:
    """Each picture [H, W] of [n, H, W] in 0..1 as a PNG in a data URL, black on white, for a tooltip."""
    from PIL import Image

    grey = np.rint(255 - np.clip(images, 0, 1) * 240).astype(np.uint8) & 0xF0  # 16 levels: half the bytes
    urls = []
    for picture in np.kron(grey, np.ones((1, scale, scale), np.uint8)):
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "PNG")
        urls.append("data:image/png;base64," + base64.b64encode(file.getvalue()).decode())
    return urls


def read_brush(selection: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Ranges by field of what the browser reports of the brush; empty where nothing is brushed."""
    ranges = selection.get(BRUSH, {})
    return {field: (float(low), float(high)) for field, (low, high) in ranges.items()}


def _characters(names: Sequence[str]) -> bool:
    """Whether each kind can stand for itself on the map."""
    return bool(names) and all(len(name) == 1 for name in names)
