"""The latent pad: maps of codes under one pointer, each with its own trained decoder running in the browser.

All maps share one pair of axes, so a network whose codes have another scale is handed over in common units, with the
change of units folded into its weights. Codes, hole maps and marks travel in one message; the weights, which are larger
and change less often, in another. Where the pointer is left goes to Python and into the link as ``?key=x,y``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aecore.errors import DataError, SettingError
from aecore.numerics.dense import DenseNetwork
from pages.ui.components import networks
from pages.ui.components.modules import PLANE, module, style
from pages.ui.components.placed import Placed
from pages.ui.figures.message import Packer
from pages.ui.figures.panel_checks import ROLES, Role
from pages.ui.frame.settings import Setting, Unfit

HOLE_RANGE = 2.0  # times the reference distance; beyond, the shading stays the same
DECIMALS = 2  # of a position in the link, and where the browser leaves the pointer

_component = st.components.v2.component(
    "latent_pad",
    html='<div class="latent-pad"></div>',
    css=style("latent_pad/latent_pad.css"),
    js=module(*PLANE, "latent_pad/latent_pad.js"),
)


class Position(NamedTuple):
    """Where the pointer was left, in the plane's units."""

    x: float
    y: float


class Mark(NamedTuple):
    """A code and its spread, drawn as a cross with ellipses of one and two standard deviations; 0 draws no ellipse."""

    mu: tuple[float, float]
    sigma: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class Pad:
    """One map: codes [N, 2] with labels [N] that index ``names``, and the decoder that runs under the pointer.

    ``holes`` [G, G] is how far what is decoded there lies from the nearest real datum, as a share of the distance that
    counts as a hole (row 0 at the lowest y). Of a code with more than two numbers, ``axes`` follow the pointer and
    ``fixed`` gives the others. ``paths`` are lines [M, 2] across the map, the first one solid, the others dashed.
    """

    title: str
    decoder: DenseNetwork
    codes: NDArray[Any]
    labels: NDArray[Any]
    names: Sequence[str]
    role: Role = "reconstruction"
    caption: str = ""
    holes: NDArray[Any] | None = None
    axes: tuple[int, int] = (0, 1)
    fixed: Sequence[float] | None = None
    mark: Mark | None = None
    paths: Sequence[NDArray[Any]] = ()

    def __post_init__(self) -> None:
        codes, labels, inputs = np.asarray(self.codes), np.asarray(self.labels), self.decoder.inputs
        if codes.ndim != 2 or codes.shape[1] != 2 or labels.shape != codes.shape[:1]:
            raise DataError(
                f"The map {self.title!r} needs codes [N, 2] and a label for each, got {codes.shape} and {labels.shape}."
            )
        if not np.isfinite(codes).all():
            raise DataError(f"The map {self.title!r} cannot draw codes that are NaN or infinite.")
        if len(labels) and not 0 <= labels.min() <= labels.max() < len(self.names):
            raise DataError(
                f"The map {self.title!r} has labels up to {labels.max()} for {len(self.names)} names; name every class."
            )
        if self.role not in ROLES:
            raise SettingError(f"role must be one of {', '.join(ROLES)}, got {self.role!r}.")
        if len(set(self.axes)) != 2 or not all(0 <= axis < inputs for axis in self.axes):
            raise SettingError(f"axes must be two of the code's {inputs} numbers, got {self.axes}.")
        if self.fixed is not None and len(self.fixed) != inputs:
            raise SettingError(f"fixed must give all {inputs} numbers of the code, got {len(self.fixed)}.")


def latent_pad(
    pads: Sequence[Pad],
    *,
    key: str,
    span: float,
    label: str = "codes, coloured by class",
    shape: tuple[int, int] = (28, 28),
    default: tuple[float, float] = (0.0, 0.0),
    height: int = 400,
) -> Position:
    """Maps over -span..span side by side; returns where the pointer was left.

    ``label`` says what the maps show, for those who do not see them; ``shape`` is a decoded picture's; ``height`` the
    most that a map takes, in pixels. A link that names no place in the plane is noted at the top of the page. The page
    sends the decoders (`networks.send`), outside of what runs with every change: they are large.
    """
    _check(pads, shape, span)
    placed = Placed(position_setting(key, "the pointer", span, default), f"{key}:pad")
    scene = {"key": key, "label": label, "shape": shape, "span": span, "height": height} | placed.message(list)
    result = _component(key=f"{key}:pad", data=_pack(pads, scene), on_position_change=lambda: None)
    return placed.accept(result.get("position"), lambda answer: _read(answer, span))


def rests(key: str, span: float, default: tuple[float, float] = (0.0, 0.0)) -> Position:
    """Return where the pointer of the pad ``key`` was left, also before the pad is drawn in this run."""
    placed = Placed(position_setting(key, "the pointer", span, default), f"{key}:pad")
    return placed.peek(f"{key}:pad", "position", lambda answer: _read(answer, span))


def position_setting(key: str, label: str, span: float, default: tuple[float, float]) -> Setting[Position]:
    """Return the setting of a place within -span..span of a plane."""

    def read(texts: list[str]) -> Position:
        found = from_text(texts[0]) if len(texts) == 1 else None
        if found is None or max(map(abs, found)) > span:
            raise Unfit(f"it takes x,y within ±{span:g}")
        return Position(*found)

    return Setting(
        key=key, label=label, default=Position(*default), read=read, write=to_text, fit=lambda found: Position(*found)
    )


def to_text(position: tuple[float, ...]) -> str:
    """Numbers as a link carries them: ``0.5,-1.25``."""
    return ",".join(f"{round(value, DECIMALS):g}" for value in position)


def from_text(text: str, count: int = 2) -> tuple[float, ...] | None:
    """As many finite numbers as asked for, or None."""
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        return None
    return values if len(values) == count and all(map(math.isfinite, values)) else None


def _check(pads: Sequence[Pad], shape: tuple[int, int], span: float) -> None:
    if not pads:
        raise DataError("A latent pad needs at least one map.")
    if not span > 0:
        raise SettingError(f"span must be positive, got {span}.")
    for pad in pads:
        if pad.decoder.outputs != shape[0] * shape[1]:
            raise DataError(
                f"The decoder of {pad.title!r} gives {pad.decoder.outputs} numbers, and a picture of "
                f"{shape[0]} by {shape[1]} has {shape[0] * shape[1]}."
            )


def _pack(pads: Sequence[Pad], scene: dict[str, Any]) -> bytes:
    packer = Packer()
    return packer.message(scene | {"pads": [describe(pad, packer, scene["span"]) for pad in pads]})


def describe(pad: Pad, packer: Packer, span: float) -> dict[str, Any]:
    """A map for the browser, its arrays in the packer."""
    codes = np.asarray(pad.codes, dtype=np.float32)
    reach = max(2 * span, 1e-6)  # codes farther out are outside what is drawn, but still somebody's nearest
    described = {
        "title": pad.title,
        "caption": pad.caption,
        "role": pad.role,
        "names": list(pad.names),
        "network": networks.name_of(pad.decoder),
        "axes": pad.axes,
        "fixed": list(pad.fixed) if pad.fixed is not None else [0.0] * pad.decoder.inputs,
        "codes": packer.add(codes, np.int16, -reach, reach),
        "labels": packer.exact(np.asarray(pad.labels, dtype=np.uint8)),
        "paths": [np.asarray(path, dtype=float).round(3).ravel().tolist() for path in pad.paths],
    }
    if pad.holes is not None:
        described["holes"] = packer.add(np.asarray(pad.holes, dtype=np.float32), np.uint8, 0.0, HOLE_RANGE)
    if pad.mark is not None:
        described["mark"] = {"mu": [float(v) for v in pad.mark.mu], "sigma": [float(v) for v in pad.mark.sigma]}
    return described


def _read(answer: dict[str, Any], span: float) -> Position | None:
    """Return the place in the browser's answer, if it is one."""
    match answer:
        case {"x": int() | float() as x, "y": int() | float() as y} if abs(x) <= span and abs(y) <= span:  # no NaN
            return Position(round(float(x), DECIMALS), round(float(y), DECIMALS))
    return None
