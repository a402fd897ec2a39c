"""The player: takes of one length under one transport; which is heard changes, where does not.

Sound and pictures travel once, in a message that is then named by its hash. What Python hears back is the chosen
take, the strength and whether all are equally loud; these go into the link.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aecore.errors import DataError, SettingError
from aecore.figures.audio import colour_map
from pages.ui.components.modules import module, style
from pages.ui.components.placed import Placed
from pages.ui.figures.message import Packer
from pages.ui.frame.settings import Setting, Unfit
from pages.ui.inputs import controls

Role = Literal["input", "reconstruction", "latent", "neutral"]
Bytes = NDArray[np.uint8]

MAX_BYTES = (
    24 * 10**6
)  # of samples in one message: seconds on a slow line, and a phone holds twice as much while it plays
LOWEST_RATE, HIGHEST_RATE = 8_000, 96_000  # Hz, what every browser's AudioBuffer takes
FULL = 100  # %, the strength where only the chosen take is heard

_component = st.components.v2.component(
    "player",
    html='<div class="player"></div>',
    css=style("player/player.css"),
    js=module("shared/hand.js", "shared/inks.js", "shared/message.js", "player/player.js"),
)


@dataclass(frozen=True, kw_only=True, eq=False)  # arrays do not compare to one truth
class Take:
    """One version of the sound: ``samples`` [T] or [T, 2], ``spectrogram`` [F, N], the lowest frequency first.

    A ``pinned`` take's spectrogram is always drawn; the others share one place, where the chosen one is shown. A
    ``wet`` take can be mixed with the dry one.
    """

    name: str  # in the link
    label: str
    samples: NDArray[np.int16]
    spectrogram: Bytes | None = None
    role: Role = "neutral"
    pinned: bool = False
    wet: bool = False

    def __post_init__(self) -> None:
        if self.role not in get_args(Role):
            raise SettingError(f"role must be one of {', '.join(get_args(Role))}, got {self.role!r}.")
        if self.samples.dtype != np.int16 or self.samples.ndim not in (1, 2) or self.samples.size == 0:
            got = f"{self.samples.dtype} of shape {self.samples.shape}"
            raise DataError(f"The take {self.label!r} needs 16-bit samples [T] or [T, 2], got {got}.")
        if self.samples.ndim == 2 and self.samples.shape[1] > 2:
            raise DataError(f"The take {self.label!r} has {self.samples.shape[1]} channels; mix them to two at most.")


@dataclass(frozen=True, kw_only=True, eq=False)
class TimeMap:
    """A picture [F, N] between the takes' spectrograms: the mask, 0 dark or pale, 255 full."""

    label: str
    values: Bytes
    words: str = ""  # what it shows, for those who cannot see it


class Heard(NamedTuple):
    """What the visitor listens to."""

    take: str
    strength: int  # %, of the take against the dry one
    matched: bool  # all takes equally loud


@dataclass(frozen=True, kw_only=True, eq=False)
class Stage:
    """Takes on one time axis; the frequency [F] of each picture's row in Hz, what its bytes 0 and 255 mean in dB."""

    label: str
    takes: Sequence[Take]
    sample_rate: int
    frequencies: NDArray[np.floating[Any]]
    decibels: tuple[float, float] = (-80.0, 0.0)
    maps: Sequence[TimeMap] = ()
    dry: str | None = None  # the name of the take that the wet ones are mixed with

    def __post_init__(self) -> None:
        if not self.takes:
            raise DataError("The player needs at least one take.")
        if len({take.samples.shape for take in self.takes}) > 1:
            shapes = ", ".join(f"{take.label} {take.samples.shape}" for take in self.takes)
            raise DataError(f"The takes of a player need one shape, got {shapes}.")
        if not LOWEST_RATE <= self.sample_rate <= HIGHEST_RATE:
            allowed = f"{LOWEST_RATE}..{HIGHEST_RATE} Hz"
            raise SettingError(f"sample_rate must be in {allowed} for a browser to play it, got {self.sample_rate}.")
        if self.dry is not None and self.dry not in self.names:
            raise SettingError(f"dry must be one of {', '.join(self.names)}, got {self.dry!r}.")
        pictures = [take.spectrogram for take in self.takes if take.spectrogram is not None]
        shapes = {picture.shape for picture in [*pictures, *(drawn.values for drawn in self.maps)]}
        if len(shapes) > 1 or any(shape[0] != len(self.frequencies) for shape in shapes):
            rows = len(self.frequencies)
            raise DataError(f"The pictures of a player need one shape [{rows}, N], got {sorted(shapes)}.")

    @property
    def names(self) -> list[str]:
        return [take.name for take in self.takes]

    @property
    def seconds(self) -> float:
        return len(self.takes[0].samples) / self.sample_rate

    def pack(self, scene: dict[str, Any]) -> bytes:
        """One message: settings, samples and pictures of every take, and the colours of both themes."""
        packer = Packer()
        dry = None if self.dry is None else self.names.index(self.dry)
        takes = [self._take(take, packer) for take in self.takes]
        maps = [{"label": m.label, "words": m.words, "picture": packer.exact(m.values)} for m in self.maps]
        tables = {
            f"{theme}-{kind}": packer.exact(colour_map(kind, dark=theme == "dark"))
            for theme in ("light", "dark") for kind in ("heat", "mask")
        }  # fmt: skip
        return packer.message({
            "label": self.label, "rate": self.sample_rate, "dry": dry, "decibels": self.decibels, "takes": takes,
            "frequencies": [round(float(f), 2) for f in self.frequencies], "maps": maps, "tables": tables, **scene,
        })  # fmt: skip

    def _take(self, take: Take, packer: Packer) -> dict[str, Any]:
        dry = self.takes[self.names.index(self.dry)].samples if self.dry is not None else take.samples
        described = {
            "name": take.name, "label": take.label, "role": take.role, "pinned": take.pinned,
            "wet": take.wet and take.name != self.dry, "samples": packer.exact(take.samples),
            "peak": float(np.abs(take.samples.astype(np.int32)).max()) / 32768,
            "power": _product(take.samples, take.samples), "cross": _product(take.samples, dry),
            "words": self._words(take),
        }  # fmt: skip
        if take.spectrogram is not None:
            described["picture"] = packer.exact(take.spectrogram)
        return described

    def _words(self, take: Take) -> str:
        """What the spectrogram shows, for those who cannot see it."""
        if take.spectrogram is None:
            return f"{self.seconds:.1f} seconds"
        low, high = float(self.frequencies[0]), float(self.frequencies[-1])
        span = f"{self.seconds:.1f} seconds, {low:.0f} to {high:.0f} hertz"
        if not take.spectrogram.any():
            return f"{span}, silent"
        rows = take.spectrogram.mean(1)
        loudest = float(self.frequencies[int(rows.argmax())])
        return f"{span}, loudest on average near {loudest:.0f} hertz"


def player(stage: Stage, *, key: str, default: str, absent: Mapping[str, str] | None = None) -> Heard:
    """Draw the takes and return what the visitor listens to; ``default`` is the take chosen at first.

    The choice is in the link as ``?key=name``, ``?key-strength=percent`` and ``?key-loudness=same``. ``absent`` says
    why a take of that name may not be among them.
    """
    placed = Placed(_settings(key, stage, default, absent or {}), f"{key}:player")
    data = stage.pack(placed.message(lambda values: Heard(*values)._asdict()))
    result = _component(key=f"{key}:player", data=data, on_heard_change=lambda: None)
    return Heard(*placed.accept(result.get("heard"), lambda answer: _read(answer, stage.names)))


def _settings(
    key: str, stage: Stage, default: str, absent: Mapping[str, str]
) -> tuple[Setting[str], Setting[int], Setting[bool]]:
    """Return the settings of the take, of the strength and of whether all takes are equally loud."""
    labels = {take.name: take.label for take in stage.takes}
    chosen = controls.choice_setting("the take", key, labels, default=default)

    def read_take(texts: list[str]) -> str:
        if len(texts) == 1 and texts[0] in absent and texts[0] not in labels:
            raise Unfit(absent[texts[0]])
        return chosen.read(texts)

    def read(texts: list[str]) -> bool:
        if texts != ["same"]:
            raise Unfit("it takes same")
        return True

    return (
        replace(chosen, read=read_take),
        controls.number_setting("Strength", f"{key}-strength", low=0, high=FULL, default=FULL, step=1),
        Setting(key=f"{key}-loudness", label="Loudness", default=False, read=read, write=lambda _: "same"),
    )


def _read(answer: dict[str, Any], names: Sequence[str]) -> Heard | None:
    """Return the browser's answer, if it is one."""
    match answer:
        case {"take": str(take), "strength": int(strength), "matched": bool(matched)} if (
            take in names and 0 <= strength <= FULL
        ):
            return Heard(take, strength, matched)
    return None


def _product(a: NDArray[np.int16], b: NDArray[np.int16]) -> float:
    """Mean product of two takes, full scale 1: the power where they are one."""
    return float(np.mean(a.astype(np.float32) * b.astype(np.float32), dtype=np.float64)) / 32768**2
