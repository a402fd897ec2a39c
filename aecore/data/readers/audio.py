"""WAV, FLAC and Ogg recordings to a `Table`, by soundfile."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pandas as pd

from aecore.data.readers.messages import count_of, quote
from aecore.data.readers.options import ReadOptions
from aecore.data.tables.table import MAX_CELLS, MAX_CHANNELS, Table
from aecore.errors import DataError, UnreadableFile

if TYPE_CHECKING:
    from soundfile import SoundFile

DAMAGED = (
    RuntimeError,
    ValueError,
    TypeError,
    OSError,
    OverflowError,
    MemoryError,
)  # soundfile's own are RuntimeErrors


OFFERED = {  # by libsndfile's names: it opens some thirty formats more, by content, whatever a file is called
    "WAV": ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW", "IMA_ADPCM", "MS_ADPCM"),
    "FLAC": ("PCM_S8", "PCM_16", "PCM_24"),
    "OGG": ("VORBIS", "OPUS"),
    "MP3": ("MPEG_LAYER_I", "MPEG_LAYER_II", "MPEG_LAYER_III"),
}
OFFERED |= {"WAVEX": OFFERED["WAV"], "RF64": OFFERED["WAV"]}


def refuse_format(name: str, file: SoundFile, *, mp3: bool) -> None:
    """Raise UnreadableFile where libsndfile opened what is not offered."""
    if file.format == "MP3" and not mp3 or file.subtype not in OFFERED.get(file.format, ()):
        kinds = "WAV, FLAC, Ogg or MP3" if mp3 else "WAV, FLAC or Ogg"
        raise UnreadableFile(
            f"{quote(name)} is a recording of a kind that is not read here ({file.format}, {file.subtype}); "
            f"save it as {kinds}."
        )


def read_audio(name: str, data: bytes, options: ReadOptions) -> Table:
    """Read a recording as float64 [T, C], full scale at -1 and 1, with the rate that its header states in Hz."""
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(data)) as sound:
            refuse_format(name, sound, mp3=False)
            rate, channels, frames = int(sound.samplerate), int(sound.channels), int(sound.frames)
            if channels <= MAX_CHANNELS and 0 < frames * channels <= MAX_CELLS and rate > 0:
                values = sound.read(dtype="float64", always_2d=True)  # [T, C]
            else:
                raise _refusal(name, rate, channels, frames)
    except DataError:
        raise
    except DAMAGED as error:
        raise UnreadableFile(
            f"{quote(name)} breaks off, has a header that cannot be right (a rate of 0 Hz, say) or is no WAV, FLAC or "
            "Ogg recording; record or export it again."
        ) from error
    columns = {c: values[:, c] for c in range(values.shape[1])}
    names = ("audio",) if channels == 1 else tuple(f"channel {c + 1}" for c in range(channels))
    note = f"A recording of {len(values) / rate:,.3g} s in {count_of(channels, 'channel')} at {rate:,} Hz."
    return Table(pd.DataFrame(columns, copy=False), names, (note,), sample_rate=float(rate))


def _refusal(name: str, rate: int, channels: int, frames: int) -> DataError:
    if rate <= 0:
        return UnreadableFile(f"{quote(name)} states a sample rate of {rate} Hz; export it again with its true rate.")
    if frames <= 0:
        return UnreadableFile(f"{quote(name)} is a recording of no length; record or export it again.")
    if channels > MAX_CHANNELS:
        return DataError(
            f"{quote(name)} holds {channels:,} channels, and at most {MAX_CHANNELS} are taken; keep those that matter."
        )
    return UnreadableFile(
        f"{quote(name)} claims {frames:,} samples in {count_of(channels, 'channel')}, more than the {MAX_CELLS:,} "
        "values that are taken; cut a piece out of it, or resample it."
    )
