"""Recordings of speech and of noise to train a denoiser on, from a folder; none of them ships."""

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.errors import DataError

SAMPLE_RATE = 16_000  # Hz, of the training recordings


class TrainingSet(NamedTuple):
    """What the denoiser may learn from; int16 [T] each, at 16 kHz, with the SHA-256 of every file by its name."""

    speech: list[NDArray[np.int16]]  # one clip a speaker
    noise: list[NDArray[np.int16]]  # the training part of each recording
    hashes: dict[str, str]


def training_set(folder: Path) -> TrainingSet:
    """Read ``speech_train/*.flac`` and the part of ``noise/*.flac`` before the share ``from`` of ``noise/kinds.json``.

    Raises
    ------
    DataError
        Where the folder lacks any of these, or a recording has another rate.
    """
    speech, noise = sorted((folder / "speech_train").glob("*.flac")), sorted((folder / "noise").glob("*.flac"))
    plan = folder / "noise" / "kinds.json"
    if not speech or not noise or not plan.is_file():
        raise DataError(
            f"{folder} should hold speech_train/*.flac, noise/*.flac and noise/kinds.json, and has {len(speech)} clips "
            f"of speech and {len(noise)} of noise; name the folder that has them."
        )
    share = float(json.loads(plan.read_text())["from"])
    recordings = [_read(path) for path in noise]
    return TrainingSet(
        [_read(path) for path in speech],
        [x[: int(share * len(x))] for x in recordings],
        {f"{path.parent.name}/{path.name}": _digest(path) for path in [*speech, *noise]},
    )


def _read(path: Path) -> NDArray[np.int16]:
    import soundfile

    values, rate = soundfile.read(path, dtype="int16")
    if rate != SAMPLE_RATE or values.ndim != 1:
        raise DataError(
            f"{path.name} has {rate} Hz and {values.ndim} dimensions; resample it to {SAMPLE_RATE} Hz mono."
        )
    return np.asarray(values)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
