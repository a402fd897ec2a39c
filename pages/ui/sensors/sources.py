"""Where the signal comes from: a simulation, or the visitor's file with its columns put right."""

from typing import Any, NamedTuple

import streamlit as st

from aecore.concepts import sensors
from aecore.concepts.sensor_samples import Sample
from aecore.data.options import DECIMALS, DELIMITERS, ENCODINGS, TIME_UNITS, ReadOptions
from aecore.data.uploads import Signal
from pages.ui import controls, work
from pages.ui.uploads import Upload, upload

FOUND, NONE = "found", "none"
AS_FOUND = {FOUND: "as found"}
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|", "blank": " "}


class Source(NamedTuple):
    """A signal, what names it, and the job that trains on it."""

    name: str
    signal: Signal
    signature: object
    task: tuple[Any, ...]  # of ``jobs.submit``, the normal stretch to be added
    private: bool
    sample: Sample | None = None
    saved_task: tuple[Any, ...] | None = None  # scores with a detector that the visitor brought; nothing is trained


@st.cache_data(show_spinner=False, max_entries=20)
def _simulate(sample: Sample) -> Signal:
    return sample.signal()


def simulated(name: str, sample: Sample) -> Source:
    """Return the source that is a sample."""
    return Source(name, _simulate(sample), sample, (sensors.train_sample, sample), False, sample)


def own_file(help: str) -> Source | None:
    """The visitor's file, once it is chosen and read."""
    file = upload("A sensor log", "file", help=help)
    if file is None:
        return None
    text = _text_options()
    found = _parsed(file, text, "found")
    if found is None:
        return None
    options = _column_options(found, text)
    signal = found if options == text else _parsed(file, options, "asked")
    if signal is None:
        return None
    task = (sensors.train, signal.values, signal.channels, signal.sample_rate)
    with st.expander("Score with a saved detector"):
        saved = upload(
            "A detector taken from here before", "detector", help="detector.safetensors; nothing is trained."
        )
    if saved is None:
        return Source(file.name, signal, (file.fingerprint, options), task, True)
    again = (sensors.rescore, saved.data, signal.values, signal.channels)
    return Source(file.name, signal, (file.fingerprint, options, saved.fingerprint), task, True, saved_task=again)


def _parsed(file: Upload, options: ReadOptions, slot: str) -> Signal | None:
    request = work.Request(
        task=sensors.parse, args=(file.name, file.data, options), signature=(file.fingerprint, options), lane="short",
        private=True,
    )  # fmt: skip
    return work.fetch(f"sensors:parse:{slot}", request, words="Reading the file")


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


def _column_options(found: Signal, text: ReadOptions) -> ReadOptions:
    names = list(found.roles.columns) if found.roles else list(found.channels)
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
