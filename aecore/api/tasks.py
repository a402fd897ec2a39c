"""Tasks that the interface submits to a worker: the pages' own functions, from bytes to bytes."""

import json
from collections.abc import Generator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore import export, store
from aecore.api.responses import FileResult
from aecore.concepts import audio_denoising
from aecore.concepts import sensor_anomalies as sensors
from aecore.concepts.sensor_anomalies import tables as sensor_tables
from aecore.errors import DataError

# Cells of an answer with a line for each row: some 100 MB of CSV.
MAX_TABLE_CELLS = 5_000_000
# Such a table has the columns time, score, scored and flagged.
FIXED_COLUMNS = 4
# Events of an answer; a log with more alarms than that has none worth reading one by one.
MAX_EVENTS = 10_000

Progress = dict[str, Any]


def score(
    name: str, data: bytes, detector: bytes | None, normal: tuple[float, float], kind: str
) -> Generator[Progress, None, FileResult]:
    """Score a log, by a detector or by one trained on its normal stretch (percent of the rows); a SCORE_FORMATS out."""
    signal = yield from sensors.parse(name, data)
    cells = len(signal.values) * (signal.values.shape[1] + FIXED_COLUMNS)
    if kind in ("csv", "parquet") and cells > MAX_TABLE_CELLS:
        raise DataError(
            f"A table of scores may have {MAX_TABLE_CELLS:,} cells and this log's would have {cells:,}: cut the log, "
            "send fewer channels, or ask for format=json."
        )
    if detector is None:
        tree = yield from sensors.train(signal.values, signal.channels, signal.sample_rate, normal)
    else:
        tree = yield from sensors.rescore(detector, signal.values, signal.channels)
    if kind == "detector":
        return FileResult(store.dumps(tree["detector"]), "application/octet-stream", "detector.safetensors")
    analysis, threshold = sensors.Analysis.from_tree(tree), float(tree["detector"]["threshold"])
    clock = np.arange(len(signal.values)) if signal.time is None else signal.time
    if kind != "json":
        table = sensor_tables.score_table(analysis, clock, threshold, missing=signal.missing)
        written = export.csv(table) if kind == "csv" else export.parquet(table)
        return FileResult(written, "text/csv" if kind == "csv" else "application/vnd.apache.parquet", f"scores.{kind}")
    events = analysis.events(threshold, missing=signal.missing)
    notes = [*signal.notes, *analysis.notes]
    if len(events) > MAX_EVENTS:
        notes.append(f"Of {len(events):,} events the {MAX_EVENTS:,} most severe are listed.")
        listed = events.nlargest(MAX_EVENTS, "severity").sort_values("start")
    else:
        listed = events
    found = {
        "summary": sensor_tables.summary(events, threshold, clock),
        "rows": len(signal.values),
        "channels": list(analysis.channels),
        "sample_rate": signal.sample_rate,
        "threshold": threshold,
        "events": _records(sensor_tables.event_table(listed, clock)),
        "notes": notes,
    }
    return FileResult(
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode(), "application/json", "events.json"
    )


def denoise(name: str, data: bytes, strength: float) -> Generator[Progress, None, FileResult]:
    """Clean a recording with the denoiser that ships, into a WAV of the same rate, length and channels."""
    from aecore.audio.denoiser import SpeechDenoiser  # torch

    sound = yield from audio_denoising.parse(name, data)
    pieces: list[NDArray[np.float32]] = []
    for piece in SpeechDenoiser.load().denoising(sound.samples, sound.sample_rate, strength=strength):
        pieces.append(piece)
        yield {"progress": sum(map(len, pieces)) / len(sound.samples)}
    return FileResult(export.wav(np.concatenate(pieces), sound.sample_rate), "audio/wav", "cleaned.wav")


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): _plain(value) for name, value in row.items()} for row in table.to_dict("records")]


def _plain(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value.item() if isinstance(value, np.generic) else value
