"""``denoise``: what the Audio denoising page does, for a file of any length, with a few seconds of it in memory."""

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aecore.audio.denoiser import SpeechDenoiser, checked
from aecore.cli.terminal import ProgressLine, check_target
from aecore.data.readers import sounds
from aecore.data.readers.audio import DAMAGED
from aecore.data.readers.messages import shown
from aecore.errors import DataError, SettingError, UnreadableFile

FORMATS = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG", ".mp3": "MP3"}
# Bytes; beyond, RF64 takes WAV's place.
LARGEST_WAV = 2**32 - 2**16
# Bytes of the widest sample.
WIDEST = 8


@dataclass(frozen=True, kw_only=True)
class DenoiseSettings:
    """What to clean with: the denoiser that ships or one taken away from the page, and how much of its effect."""

    denoiser: Path | None = None
    strength: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise SettingError(f"strength must be in 0..1, got {self.strength:g}.")


def denoise(source: Path, target: Path, settings: DenoiseSettings) -> int:
    """Clean a recording into another file of the same rate, channels and length; returns the exit code.

    The target's name chooses its format; where that is the source's, so is the sample format. It appears when it is
    complete, not before.
    """
    import soundfile

    if target.suffix.lower() not in FORMATS:
        raise SettingError(f"{shown(target.name)} should end in {', '.join(FORMATS)}; choose one of these formats.")
    if target.exists() and source.exists() and target.samefile(source):
        raise SettingError(f"{shown(source.name)} would be written over by itself; give another name.")
    check_target(target)
    cleaner = SpeechDenoiser.load(settings.denoiser) if settings.denoiser else SpeechDenoiser.load()
    progress = ProgressLine(source.name)
    with _open(source) as file:
        sounds.refuse(source.name, file.samplerate, file.channels, file.frames)
        temporary = target.with_name(f".{uuid.uuid4().hex}{target.suffix}")
        try:
            with soundfile.SoundFile(temporary, "w", file.samplerate, file.channels, **_format(file, target)) as out:
                for done, piece in _clean(file, cleaner, settings.strength):
                    out.write(piece)
                    progress.show("Cleaning", done)
            os.replace(temporary, target)
        except DAMAGED as error:
            if isinstance(error, DataError | SettingError):
                raise
            raise DataError(
                f"Could not write {shown(target.name)} at {file.samplerate:,} Hz in {file.channels} channels: the disk "
                "or the format does not take it; choose another place, or .wav."
            ) from error
        finally:
            temporary.unlink(missing_ok=True)
    progress.say(f"cleaned into {target}")
    return 0


def _open(source: Path) -> Any:
    import soundfile

    try:
        return soundfile.SoundFile(source)
    except DAMAGED as error:
        raise UnreadableFile(
            f"{shown(source.name)} cannot be opened as a WAV, FLAC, Ogg or MP3 recording; check the name, or export it "
            "again."
        ) from error


def _format(file: Any, target: Path) -> dict[str, str]:
    wanted = FORMATS[target.suffix.lower()]
    same = file.format in (wanted, f"{wanted}EX")
    if wanted == "WAV" and file.frames * file.channels * WIDEST > LARGEST_WAV:
        wanted = "RF64"
    return {"format": wanted, "subtype": file.subtype} if same else {"format": wanted}


def _clean(file: Any, cleaner: SpeechDenoiser, strength: float) -> Iterator[tuple[float, NDArray[np.float32]]]:
    """Share done and cleaned rows [t, C], piece after piece; the file is read once, from its beginning."""
    held, begins = np.empty((0, file.channels), np.float32), 0  # rows read and still needed, and the first one's number
    for first, last, before, after in cleaner.cuts(file.frames, file.samplerate):
        more = _rows(file, after - begins - len(held))
        held, begins = np.concatenate([held[before - begins :], more]), before
        checked(held)
        yield last / file.frames, cleaner.clean_piece(held, file.samplerate, strength)[first - before : last - before]


def _rows(file: Any, count: int) -> NDArray[np.float32]:
    try:
        rows = np.asarray(file.read(count, dtype="float32", always_2d=True))
    except DAMAGED as error:
        raise UnreadableFile(
            f"{shown(Path(file.name).name)} is damaged: {error}; record or export it again."
        ) from error
    if len(rows) < count:
        raise UnreadableFile(f"{shown(Path(file.name).name)} breaks off before its end; record or export it again.")
    return rows
