"""Where the signal comes from: a simulation, or the visitor's file with its columns put right."""

from typing import Any, NamedTuple

import streamlit as st

from aecore import jobs
from aecore.concepts import sensors
from aecore.concepts.sensor_samples import Sample
from aecore.data.options import DECIMALS, DELIMITERS, ENCODINGS, TIME_UNITS, ReadOptions
from aecore.data.uploads import Signal
from pages.ui import controls, live
from pages.ui.uploads import Upload, upload

AS_FOUND, NONE = "as found", "none"


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
    """A sample's signal."""
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
    def start() -> jobs.Job:
        return jobs.submit(sensors.parse, file.name, file.data, options, lane="short", private=True)

    signature = (file.fingerprint, options)
    return live.work(f"sensors:parse:{slot}", signature, start, lambda _: st.progress(0.0, "Reading the file …"))


def _text_options() -> ReadOptions:
    with st.expander("If the text is read wrongly"):
        names = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|", "blank": " "}
        assert set(names.values()) == set(DELIMITERS)
        delimiter = controls.select("Separator", "separator", [AS_FOUND, *names], default=AS_FOUND)
        decimal = controls.select("Decimal mark", "decimal", [AS_FOUND, *DECIMALS], default=AS_FOUND)
        encoding = controls.select("Encoding", "encoding", [AS_FOUND, *ENCODINGS], default=AS_FOUND)
        header = controls.select("First row", "header", [AS_FOUND, "names", "values"], default=AS_FOUND)
    return ReadOptions(
        delimiter=names.get(delimiter),
        decimal=None if decimal == AS_FOUND else decimal,
        encoding=None if encoding == AS_FOUND else encoding,
        header={"names": True, "values": False}.get(header),
    )


def _column_options(found: Signal, text: ReadOptions) -> ReadOptions:
    names = list(found.roles.columns) if found.roles else list(found.channels)
    with st.expander("Columns and time"):
        time = controls.select("Time", "time", [AS_FOUND, NONE, *names], default=AS_FOUND)
        unit = controls.select("Unit of numeric time", "unit", [AS_FOUND, *TIME_UNITS], default=AS_FOUND)
        rate = controls.number("Rows a second, Hz (0: from time)", "rate", low=0.0, high=1e9, default=0.0)
        label = controls.select("Label, 1 where anomalous", "label", [AS_FOUND, NONE, *names], default=AS_FOUND)
        channels = controls.several("Channels (none: all)", "channels", names)
    roles = {AS_FOUND: None, NONE: ""}
    return ReadOptions(
        delimiter=text.delimiter, decimal=text.decimal, encoding=text.encoding, header=text.header,
        time=roles.get(time, time), time_unit=None if unit == AS_FOUND else unit, sample_rate=rate or None,
        label=roles.get(label, label), channels=tuple(channels) or None,
    )  # fmt: skip
