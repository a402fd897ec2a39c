"""What a scrubber turns under its handle: small descriptions of panels, and their way into one compact message.

In every array the first axis is the handle's position; an array with one row along it stands still.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aecore.errors import DataError, SettingError
from pages.ui.message import Packer

Role = Literal["input", "reconstruction", "lost", "latent", "anomaly", "neutral"]
ROLES: tuple[str, ...] = get_args(Role)


def _frames(values: ArrayLike, title: str, dimensions: tuple[int, ...]) -> NDArray[np.float32]:
    """Values as finite float32 with one of the allowed numbers of dimensions."""
    array = np.asarray(values, dtype=np.float32)
    if array.ndim not in dimensions or array.size == 0:
        wanted = " or ".join(str(d) for d in dimensions)
        raise DataError(f"The panel {title!r} needs a filled array of {wanted} dimensions, got shape {array.shape}.")
    if not np.isfinite(array).all():
        raise DataError(f"The panel {title!r} cannot draw NaN or infinite values; fill or drop them first.")
    return array


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise SettingError(f"role must be one of {', '.join(ROLES)}, got {role!r}.")


def _check_captions(captions: Sequence[str], positions: int, title: str) -> None:
    if captions and positions > 1 and len(captions) != positions:
        raise DataError(
            f"The panel {title!r} has {positions} positions but {len(captions)} captions; give one for each."
        )


def _check_classes(classes: NDArray[Any], count: int, title: str) -> None:
    if classes.shape != (count,):
        raise DataError(f"The panel {title!r} has {count} points but classes of shape {classes.shape}; give one each.")
    outside = classes[(classes < 0) | (classes > 255)]
    if outside.size:
        raise DataError(f"The panel {title!r} needs classes in 0..255, got {outside[0]}.")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One curve: ``values`` [N] stands still, [K, N] moves; its role decides colour, thickness and dash."""

    values: ArrayLike
    role: Role
    label: str = ""  # for the legend; empty: the role's name
    frames: NDArray[np.float32] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _check_role(self.role)
        frames = np.atleast_2d(_frames(self.values, self.label or self.role, (1, 2)))  # (K or 1, N)
        object.__setattr__(self, "frames", frames)


@dataclass(frozen=True, kw_only=True)
class Curves:
    """Lines over a common axis; ``y_range`` None holds every position, so the axis never jumps."""

    title: str
    lines: Sequence[Line]
    y_range: tuple[float, float] | None = None
    captions: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not self.lines:
            raise DataError(f"The panel {self.title!r} has no lines; give at least one.")
        if self.y_range is not None and not self.y_range[0] < self.y_range[1]:
            raise SettingError(f"y_range must rise, got {self.y_range}.")
        _check_captions(self.captions, self.positions, self.title)

    @property
    def positions(self) -> int:
        return max(int(line.frames.shape[0]) for line in self.lines)

    def pack(self, packer: Packer) -> dict[str, Any]:
        low = min(float(line.frames.min()) for line in self.lines)
        high = max(float(line.frames.max()) for line in self.lines)
        room = 0.06 * (high - low) or 1.0
        lines = [
            {
                "role": line.role,
                "label": line.label or line.role,
                "values": packer.add(line.frames, np.int16, low, high),
            }
            for line in self.lines
        ]
        return {"kind": "curves", "y_range": self.y_range or (low - room, high + room), "lines": lines}


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
        _check_role(self.role)
        if not self.limits[0] < self.limits[1]:
            raise SettingError(f"limits must rise from no ink to full ink, got {self.limits}.")
        if self.per_row is not None and self.per_row < 1:
            raise SettingError(f"per_row must be at least 1, got {self.per_row}.")
        tiles = _frames(self.frames, self.title, (3, 4))
        object.__setattr__(self, "tiles", tiles[:, None] if tiles.ndim == 3 else tiles)  # (K, n, H, W)
        _check_captions(self.captions, self.positions, self.title)

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
        _check_role(self.role)
        object.__setattr__(self, "bars", _frames(self.values, self.title, (2,)))  # (K, n)
        _check_captions(self.captions, self.positions, self.title)

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
        points = _frames(self.values, self.title, (3,))  # (K, n, 2)
        if points.shape[2] != 2:
            raise DataError(f"The panel {self.title!r} needs points [K, n, 2], got shape {points.shape}.")
        if self.classes is not None:
            _check_classes(np.asarray(self.classes), points.shape[1], self.title)
        object.__setattr__(self, "points", points)
        _check_captions(self.captions, self.positions, self.title)

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


Panel = Curves | Images | Bars | Points


def pack(panels: Sequence[Panel], scene: dict[str, Any]) -> bytes:
    """One message for the browser: the scene's settings and every frame of every panel."""
    packer = Packer()
    described = [panel.pack(packer) | {"title": panel.title, "captions": list(panel.captions)} for panel in panels]
    return packer.message(scene | {"panels": described})
