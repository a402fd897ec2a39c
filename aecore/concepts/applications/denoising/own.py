"""A visitor's own currents through the denoiser that ships."""

from collections.abc import Generator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore.concepts.applications.denoising import LENGTH, MODES, shipped
from aecore.data.readers import uploads
from aecore.errors import TooFewRows

MAX_SAMPLES, CHUNK = 200_000, 10_000
PEAK = 0.6  # of the network's own scale: an amplitude that it has seen much of


def clean_own(name: str, data: bytes) -> Generator[dict[str, Any], None, dict[str, Any]]:
    """Read a file and clean each of its channels; a job's task.

    Returns channels, ``measured``, ``live`` and ``afterwards`` [T, C] in the file's units, ``sample_rate`` and notes.
    """
    yield {"part": "Reading", "progress": 0.0}
    signal = uploads.read(name, data)
    if len(signal.values) < LENGTH:
        raise TooFewRows(f"{len(signal.values)} samples are fewer than one window of {LENGTH}; bring a longer trace.")
    measured, notes = signal.values[:MAX_SAMPLES], list(signal.notes)
    if len(signal.values) > MAX_SAMPLES:
        notes.append(f"Of {len(signal.values):,} samples the first {MAX_SAMPLES:,} were cleaned.")
    denoiser = shipped().networks["current"]
    cleaned: dict[str, NDArray[np.float64]] = {mode: np.empty_like(measured) for mode in MODES}
    for channel in range(measured.shape[1]):
        column = measured[:, channel]
        low, high = np.percentile(column, (0.5, 99.5))
        base = ((low + high) / 2, max((high - low) / 2 / PEAK, 1e-12))
        for first in range(0, len(column), CHUNK):
            before, after = min(first, LENGTH), LENGTH  # whole windows over every sample of the chunk
            part = column[first - before : first + CHUNK + after]
            if len(part) < LENGTH:
                part, before = column[-LENGTH:], LENGTH - (len(column) - first)
            for mode in MODES:
                cleaned[mode][first : first + CHUNK, channel] = denoiser(part, base, mode)[before:][:CHUNK]
            yield {"part": "Cleaning", "progress": (channel + first / len(column)) / measured.shape[1]}
    return {
        "channels": list(signal.channels), "measured": measured, "sample_rate": signal.sample_rate, "notes": notes,
        **cleaned,
    }  # fmt: skip


def own_table(result: dict[str, Any]) -> pd.DataFrame:
    """Bring what `clean_own` gave into a table to take away."""
    columns = {}
    for i, channel in enumerate(result["channels"]):
        columns[channel] = result["measured"][:, i]
        columns[f"{channel} cleaned, as it comes"] = result["live"][:, i]
        columns[f"{channel} cleaned, afterwards"] = result["afterwards"][:, i]
    return pd.DataFrame(columns)
