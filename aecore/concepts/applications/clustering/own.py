"""A visitor's own drive, brought to once a second and km/h."""

import re
from collections.abc import Generator
from typing import Any

import numpy as np

from aecore.data.readers import uploads
from aecore.data.readers.messages import list_names, quote
from aecore.errors import DataError, TooFewRows

SPEED = re.compile(r"speed|velocity|\bv\b|km/?h|kph|mph", re.IGNORECASE)
UNITS = {"mph": 1.609344, "m/s": 3.6}  # factors to km/h by what the column's name says; km/h otherwise
MAX_SECONDS, FEWEST = 8 * 3600, 240
FASTEST = 400.0  # km/h; beyond, it is no car's speed


def own_drive(name: str, data: bytes) -> Generator[dict[str, Any], None, dict[str, Any]]:
    """Read a table with a column of speed, and of time where it has one; a job's task.

    Returns ``speed`` [T] in km/h once a second, and notes.
    """
    yield {"part": "Reading", "progress": 0.0}
    signal = uploads.read(name, data)
    named = [i for i, channel in enumerate(signal.channels) if SPEED.search(channel)]
    if not named and len(signal.channels) > 1:
        raise DataError(
            f"{quote(name)} has no column that is called speed, only {list_names(signal.channels)}; "
            "rename one to speed."
        )
    column = named[0] if named else 0
    channel, notes = signal.channels[column], list(signal.notes)
    factor = next((f for unit, f in UNITS.items() if unit in channel.lower()), 1.0)
    speed = signal.values[:, column] * factor
    notes.append(
        f"Speed from the column {quote(channel)}, {f'times {factor:g} to' if factor != 1 else 'taken as'} km/h."
    )
    if not -5 <= speed.min() <= speed.max() <= FASTEST:
        raise DataError(
            f"The column {quote(channel)} runs from {speed.min():g} to {speed.max():g}; a speed in km/h lies in "
            f"0..{FASTEST:g}, so name the column after its unit (m/s, mph) or choose another."
        )
    rate = signal.sample_rate or 1.0
    seconds = int(len(speed) / rate)
    if seconds < FEWEST:
        raise TooFewRows(
            f"{quote(name)} holds {seconds} seconds of driving and {FEWEST} are needed; bring a longer drive."
        )
    if signal.sample_rate is None:
        notes.append("No time was found, so rows are taken as seconds.")
    elif rate != 1.0:
        speed = np.interp(np.arange(seconds), np.arange(len(speed)) / rate, speed)
        notes.append(f"Brought from {rate:g} to one row a second.")
    if seconds > MAX_SECONDS:
        notes.append(f"The first {MAX_SECONDS // 3600} hours are used.")
    return {"speed": np.maximum(speed[:MAX_SECONDS], 0.0), "notes": notes}
