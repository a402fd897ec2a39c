"""Where the signal comes from: a simulation, or the visitor's file with its columns put right.

A simulated signal is here; a visitor's is in a worker, and a handle stands for it. Everything that is shown of either
is asked for in the same way (`ask`, `compute`).
"""

from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

import streamlit as st

from aecore.concepts.sensor_anomalies import tasks as sensor_tasks
from aecore.concepts.sensor_anomalies.samples import SensorSample
from aecore.concepts.sensor_anomalies.tasks import Profile
from aecore.data.readers.options import DECIMALS, DELIMITERS, ENCODINGS, TIME_UNITS, ReadOptions
from aecore.data.readers.uploads import Signal
from aecore.errors import DataGone
from aecore.jobs import Handle
from aecore.numerics.progress import finish
from pages.ui.inputs import controls
from pages.ui.inputs.uploads import Upload, upload
from pages.ui.training import work

READING, COLUMNS = "sensors:read", "sensors:columns"
TABLES = 2  # that a visitor may have in a worker's memory: there and back again
FOUND, NONE = "found", "none"
AS_FOUND = {FOUND: "as found"}
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|", "blank": " "}


class SensorSource(NamedTuple):
    """A signal, or the handle of one; ``signature`` tells it from others."""

    name: str
    signature: Hashable
    profile: Profile
    signal: Signal | Handle
    sample: SensorSample | None = None
    saved: Upload | None = None  # a detector that the visitor brought; nothing is trained


# ---------------------------------------------------------------------- asking
def ask(slot: str, signature: Hashable, task: Callable[..., Any], data: Any, *args: Any, words: str) -> Any | None:
    """Return what a task says of data, which may be a handle; None while its panel stands in for the answer.

    ``signature`` tells the data from others where they are here.
    """
    if not isinstance(data, Handle):
        return _answer_here(signature, task.__name__, args, task, data)
    request = work.Request(
        task=task, args=(data, *args), signature=(task.__name__, data.id, args), lane="short", private=True,
        source=READING,
    )  # fmt: skip
    return work.fetch(slot, request, words=words)


def compute(slots: work.Slots, task: Callable[..., Any], data: Any, *args: Any, here: bool = True) -> Any:
    """Return what a task makes of data, for a download; not ``here`` but in a worker where it loads much or takes long.

    Where the data are gone, the page's next run reads them again.
    """
    if here and not isinstance(data, Handle):
        return finish(task(data, *args))
    try:
        return work.compute(slots, task, data, *args)
    except DataGone:
        slots.forget_slot(READING)
        raise


@st.cache_resource(show_spinner=False, max_entries=60)  # of samples, which are everybody's; nobody changes them
def _answer_here(signature: Hashable, name: str, args: tuple[Any, ...], _task: Callable[..., Any], _data: Any) -> Any:
    return finish(_task(_data, *args))


# ---------------------------------------------------------------------- samples
@st.cache_resource(show_spinner=False, max_entries=20)
def _simulate(sample: SensorSample) -> Signal:
    return sample.signal()


def simulate(name: str, sample: SensorSample) -> SensorSource:
    """Return the source that is a sample."""
    signal = _simulate(sample)
    return SensorSource(name, sample, sensor_tasks.describe(signal), signal, sample)


# ---------------------------------------------------------------------- a visitor's file
def own_file(help: str) -> SensorSource | None:
    """Return the visitor's file as a source, once it is chosen and read."""
    file = upload("A sensor log", "file", help=help)
    if file is None:
        return None
    text = _text_options()
    read = work.Request(
        task=sensor_tasks.read_file, args=(file.name, file.data, text), signature=(file.fingerprint, text),
        lane="short", private=True, isolated=True, keep=TABLES,
    )  # fmt: skip
    table = work.fetch_held(READING, read, words="Reading the file")
    if table is None:
        return None
    options = _column_options(table.summary, text)
    interpret = work.Request(
        task=sensor_tasks.read_columns, args=(table.value, options), signature=(table.value.id, options),
        lane="short", private=True, source=READING, keep=TABLES,
    )  # fmt: skip
    signal = work.fetch_held(COLUMNS, interpret, words="Reading the columns")
    if signal is None:
        return None
    with st.expander("Score with a saved detector"):
        saved = upload(
            "A detector taken from here before", "detector", help="detector.safetensors; nothing is trained."
        )
    return SensorSource(file.name, signal.value.id, signal.summary, signal.value, saved=saved)


def _text_options() -> ReadOptions:
    with st.expander("If the text is read wrongly"):
        assert set(SEPARATORS.values()) == set(DELIMITERS)
        delimiter = _select("Separator", "separator", {name: name for name in SEPARATORS})
        decimal = _select("Decimal mark", "decimal", {mark: mark for mark in DECIMALS})
        encoding = _select("Encoding", "encoding", {name: name for name in ENCODINGS})
        header = _select("First row", "header", {"names": "names", "values": "values"})
    return ReadOptions(
        delimiter=SEPARATORS.get(delimiter),
        decimal=None if decimal == FOUND else decimal,
        encoding=None if encoding == FOUND else encoding,
        header={"names": True, "values": False}.get(header),
    )


def _column_options(names: tuple[str, ...], text: ReadOptions) -> ReadOptions:
    roles = {f"{name} (column)" if name in (FOUND, NONE) else name: name for name in names}  # by their ids
    with st.expander("Columns and time"):
        time = _select("Time", "time", {NONE: "none"} | roles)
        unit = _select("Unit of numeric time", "unit", {unit: unit for unit in TIME_UNITS})
        rate = controls.number("Rows a second, Hz (0: from time)", "sample_rate", low=0.0, high=1e9, default=0.0)
        label = _select("Label, 1 where anomalous", "label", {NONE: "none"} | roles)
        channels = controls.several("Channels (none: all)", "channels", roles)
    columns: dict[str, str | None] = {FOUND: None, NONE: ""} | roles
    return ReadOptions(
        delimiter=text.delimiter, decimal=text.decimal, encoding=text.encoding, header=text.header,
        time=columns[time], time_unit=None if unit == FOUND else unit, sample_rate=rate or None,
        label=columns[label], channels=tuple(roles[channel] for channel in channels) or None,
    )  # fmt: skip


def _select(label: str, key: str, options: dict[str, str]) -> str:
    return controls.select(label, key, AS_FOUND | options, default=FOUND)
