"""What a scrubber turns under its handle: small descriptions of panels, and their way into one compact message.

In every array the first axis is the handle's position; an array with one row along it stands still.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aecore.errors import DataError, SettingError
from pages.ui.figures.message import Packer
from pages.ui.figures.panel_checks import Role, as_frames, check_captions, check_classes, check_role


@dataclass(frozen=True, kw_only=True)
class Line:
    """One curve: ``values`` [N] stands still, [K, N] moves; its role decides colour, and usually width and dash."""

    values: ArrayLike
    role: Role
    label: str = ""  # for the legend; empty: the role's name
    width: float | None = None  # pixels
    dash: tuple[float, float] | None = None  # pixels on and off; (0, 0) is solid
    frames: NDArray[np.float32] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_role(self.role)
        frames = np.atleast_2d(as_frames(self.values, self.label or self.role, (1, 2)))  # (K or 1, N)
        object.__setattr__(self, "frames", frames)

    def pack(self, packer: Packer, low: float, high: float) -> dict[str, Any]:
        values = packer.add(self.frames, np.int16, low, high)
        own = {"width": self.width, "dash": self.dash}
        given = {name: value for name, value in own.items() if value is not None}
        return {"role": self.role, "label": self.label or self.role, "values": values, **given}


@dataclass(frozen=True, kw_only=True)
class PanelAxis:
    """A numbered axis over low..high; ``root`` spreads its low end out, as a square root does.

    ``ticks`` are the numbers written beside it; empty: round ones, as many as there is room for.
    """

    low: float
    high: float
    title: str = ""
    ticks: Sequence[float] = ()
    root: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high or (self.root and self.low < 0):
            raise SettingError(f"An axis must rise, from 0 or more for roots, got {self.low} to {self.high}.")

    def pack(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("low", "high", "title", "ticks", "root")}


@dataclass(frozen=True, kw_only=True)
class Curves:
    """Lines over a common axis; ``y_range`` None holds every position, so the axis never jumps.

    With ``axes`` (x, y) the panel has numbers on both and a legend of its own; samples lie evenly along the first.
    ``marked``: the first axis is the handle's own, and a rule and dots show where it stands on lines that stand still.
    """

    title: str
    lines: Sequence[Line]
    y_range: tuple[float, float] | None = None
    axes: tuple[PanelAxis, PanelAxis] | None = None
    marked: bool = False
    captions: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not self.lines:
            raise DataError(f"The panel {self.title!r} has no lines; give at least one.")
        if self.y_range is not None and not self.y_range[0] < self.y_range[1]:
            raise SettingError(f"y_range must rise, got {self.y_range}.")
        if self.marked and (self.axes is None or len({line.frames.shape for line in self.lines}) > 1):
            raise DataError(f"The panel {self.title!r} can only mark the handle on axes, with one value a position.")
        check_captions(self.captions, self.positions, self.title)

    @property
    def positions(self) -> int:
        return max(line.frames.shape[self.marked] for line in self.lines)

    def pack(self, packer: Packer) -> dict[str, Any]:
        low = min(float(line.frames.min()) for line in self.lines)
        high = max(float(line.frames.max()) for line in self.lines)
        room = 0.06 * (high - low) or 1.0
        y_range = (self.axes[1].low, self.axes[1].high) if self.axes else self.y_range or (low - room, high + room)
        return {
            "kind": "curves", "lines": [line.pack(packer, low, high) for line in self.lines], "y_range": y_range,
            "axes": [axis.pack() for axis in self.axes or ()], "marked": self.marked,
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Waves:
    """Waveforms [K, N] on one scale; position k, from 0 to K, shows the first k of them, in rows."""

    title: str
    rows: ArrayLike
    role: Role = "latent"
    captions: Sequence[str] = ()
    waves: NDArray[np.float32] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_role(self.role)
        object.__setattr__(self, "waves", as_frames(self.rows, self.title, (2,)))  # (K, N)
        check_captions(self.captions, self.positions, self.title)

    @property
    def positions(self) -> int:
        return int(self.waves.shape[0]) + 1

    def pack(self, packer: Packer) -> dict[str, Any]:
        reach = float(np.abs(self.waves).max()) or 1.0
        return {"kind": "waves", "role": self.role, "values": packer.add(self.waves, np.int16, -reach, reach)}


@dataclass(frozen=True, kw_only=True)
class Images:
    """Grey pictures in the role's ink: ``frames`` [K, H, W], or [K, n, H, W] tiled ``per_row`` in a row (None: all)."""

    title: str
    frames: ArrayLike
    role: Role = "neutral"
    limits: tuple[float, float] = (0.0, 1.0)  # no ink, full ink
    per_row: int | None = None
    captions: Sequence[str] = ()
    tiles: NDArray[np.float32] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_role(self.role)
        if not self.limits[0] < self.limits[1]:
            raise SettingError(f"limits must rise from no ink to full ink, got {self.limits}.")
        if self.per_row is not None and self.per_row < 1:
            raise SettingError(f"per_row must be at least 1, got {self.per_row}.")
        tiles = as_frames(self.frames, self.title, (3, 4))
        object.__setattr__(self, "tiles", tiles[:, None] if tiles.ndim == 3 else tiles)  # (K, n, H, W)
        check_captions(self.captions, self.positions, self.title)

    @property
    def positions(self) -> int:
        return int(self.tiles.shape[0])

    def pack(self, packer: Packer) -> dict[str, Any]:
        values = packer.add(self.tiles, np.uint8, *self.limits)
        return {"kind": "images", "role": self.role, "per_row": self.per_row or self.tiles.shape[1], "values": values}


@dataclass(frozen=True, kw_only=True)
class Bars:
    """Values [K, n] as bars from zero: the numbers a code keeps."""

    title: str
    values: ArrayLike
    role: Role = "latent"
    captions: Sequence[str] = ()
    bars: NDArray[np.float32] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_role(self.role)
        object.__setattr__(self, "bars", as_frames(self.values, self.title, (2,)))  # (K, n)
        check_captions(self.captions, self.positions, self.title)

    @property
    def positions(self) -> int:
        return int(self.bars.shape[0])

    def pack(self, packer: Packer) -> dict[str, Any]:
        low, high = min(0.0, float(self.bars.min())), max(0.0, float(self.bars.max()))
        return {"kind": "bars", "role": self.role, "values": packer.add(self.bars, np.int16, low, high)}


@dataclass(frozen=True, kw_only=True)
class Points:
    """A cloud [K, n, 2] that moves; ``classes`` [n] (0..255) tells groups apart by colour and shape."""

    title: str
    values: ArrayLike
    classes: ArrayLike | None = None
    captions: Sequence[str] = ()
    points: NDArray[np.float32] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        points = as_frames(self.values, self.title, (3,))  # (K, n, 2)
        if points.shape[2] != 2:
            raise DataError(f"The panel {self.title!r} needs points [K, n, 2], got shape {points.shape}.")
        if self.classes is not None:
            check_classes(np.asarray(self.classes), points.shape[1], self.title)
        object.__setattr__(self, "points", points)
        check_captions(self.captions, self.positions, self.title)

    @property
    def positions(self) -> int:
        return int(self.points.shape[0])

    def pack(self, packer: Packer) -> dict[str, Any]:
        low, high = float(self.points.min()), float(self.points.max())  # one scale for x and y: distances stay true
        packed = {"kind": "points", "values": packer.add(self.points, np.int16, low, high)}
        if self.classes is not None:
            classes = np.asarray(self.classes, dtype=np.float32)[None]  # (1, n): they stand still
            packed["classes"] = packer.add(classes, np.uint8, 0.0, 255.0)
        return packed


Panel = Curves | Waves | Images | Bars | Points


def pack(panels: Sequence[Panel], scene: dict[str, Any]) -> bytes:
    """One message for the browser: the scene's settings and every frame of every panel."""
    packer = Packer()
    described = [panel.pack(packer) | {"title": panel.title, "captions": list(panel.captions)} for panel in panels]
    return packer.message(scene | {"panels": described})
