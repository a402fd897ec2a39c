"""Recordings of sound from files, as arrays of samples: WAV, FLAC, Ogg and MP3, by soundfile."""

import io
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.data.readers.audio import DAMAGED, refuse_format
from aecore.data.readers.edges import parser_edge
from aecore.data.readers.messages import counted, shown
from aecore.errors import DataError, UnreadableFile

MAX_CHANNELS = 8  # 7.1
MAX_SAMPLES = 70_000_000  # of all channels, held at once: three minutes of 8 at 48 kHz; FLAC packs silence 5,000-fold
FULL_SCALE = 0.999  # what a converter at its end gives, give or take a bit
MIN_CLIPPED = 3  # neighbouring samples at full scale; fewer may be a peak that just fits

KINDS = ("wav", "flac", "ogg", "mp3")


class Sound(NamedTuple):
    """A recording: float32 [T, C] with full scale at 1, its rate in Hz, and what is to be said about it."""

    samples: NDArray[np.float32]
    sample_rate: int
    notes: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.sample_rate

    @property
    def mono(self) -> NDArray[np.float32]:
        """Mean of the channels [T]."""
        return self.samples.mean(1) if self.samples.shape[1] > 1 else self.samples[:, 0]


def read(name: str, data: bytes, *, max_seconds: float = np.inf) -> Sound:
    """Decode a file's bytes.

    Raises
    ------
    UnreadableFile
        Where they are no recording, or only a part of one.
    DataError
        Where it is longer than ``max_seconds``, silent, or has more than ``MAX_CHANNELS`` or ``MAX_SAMPLES``.
    """
    if not data:
        raise UnreadableFile(f"{shown(name)} is empty (0 bytes); record or export it again.")
    with parser_edge(name):
        return examined(name, *_decode(name, data, max_seconds))


def _decode(name: str, data: bytes, max_seconds: float) -> tuple[NDArray[np.float32], int]:
    """Return samples [T, C] and the rate in Hz."""
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            refuse_format(name, file, mp3=True)
            rate, channels, frames = int(file.samplerate), int(file.channels), int(file.frames)
            refuse(name, rate, channels, frames, max_seconds)
            if frames * channels > MAX_SAMPLES:
                raise DataError(
                    f"{shown(name)} holds {frames * channels / 1e6:,.0f} million samples, and at most "
                    f"{MAX_SAMPLES // 10**6} million are taken at once; resample it, mix it down or cut it."
                )
            return file.read(dtype="float32", always_2d=True), rate  # [T, C]
    except DataError:
        raise
    except DAMAGED as error:
        raise UnreadableFile(
            f"{shown(name)} breaks off or is no WAV, FLAC, Ogg or MP3 recording; record or export it again."
        ) from error


def refuse(name: str, rate: int, channels: int, frames: int, max_seconds: float = np.inf) -> None:
    """Raise DataError where a file's header promises what is not taken."""
    if frames <= 0 or rate <= 0:
        raise UnreadableFile(f"{shown(name)} is a recording of no length; record or export it again.")
    if channels > MAX_CHANNELS:
        raise DataError(f"{shown(name)} has {channels} channels, and at most {MAX_CHANNELS} are taken; mix them down.")
    if frames > max_seconds * rate:
        raise DataError(
            f"{shown(name)} lasts {frames / rate / 60:.1f} minutes, and at most {max_seconds / 60:g} are taken here; "
            "cut a piece out of it, or clean it whole by: aecore denoise IN OUT."
        )


def examined(name: str, samples: NDArray[Any], rate: int) -> Sound:
    """Check samples [T, C], and note what a listener should know; raises DataError where there is nothing to hear."""
    if not np.isfinite(samples).all():
        raise DataError(f"{shown(name)} holds values that are not finite numbers; export it again.")
    if not np.abs(samples).max(initial=0) > 0:
        raise DataError(f"{shown(name)} is silent from end to end; check the microphone and record again.")
    notes = [f"{len(samples) / rate:,.3g} s in {counted(samples.shape[1], 'channel')} at {rate:,} Hz."]
    if share := clipped_share(samples):
        notes.append(f"Clipped: {share:.2%} of the samples are stuck at full scale; record it softer if you can.")
    level = 20 * np.log10(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    if level < -55:
        notes.append(f"Very soft, {level:.0f} dB below full scale: the last bits of the recorder may be heard.")
    if rate < 16_000:
        notes.append(f"A rate of {rate:,} Hz holds nothing above {rate // 2:,} Hz; consonants will sound dull.")
    return Sound(samples.astype(np.float32, copy=False), rate, tuple(notes))


def clipped_share(samples: NDArray[Any]) -> float:
    """Share of samples [T, C] in runs of at least ``MIN_CLIPPED`` at full scale."""
    at_end = np.abs(samples) >= FULL_SCALE
    if len(samples) < MIN_CLIPPED or not at_end.any():
        return 0.0
    run = at_end[:-2] & at_end[1:-1] & at_end[2:]  # begins a run of three
    inside = np.zeros_like(at_end)
    for shift in range(MIN_CLIPPED):
        inside[shift : len(run) + shift] |= run
    return float(inside.mean())
