"""What travels comes back as it went, and nothing that comes back is run."""

import collections
import datetime
import os
import pickle
import re
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aecore.data.tables.table import Signal
from aecore.errors import JobError, SettingError
from aecore.jobs import serialization
from aecore.jobs.serialization import LARGE, Packed, pack, rebuild, seal, unpack, unseal
from aecore.memory import Charge
from tests import tasks_for_jobs as tasks

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary() | st.datetimes(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
)


def travel(value):
    packed = pack(value, private=True)
    return unpack(rebuild(packed.head, [memoryview(bytearray(part)) for part in packed.parts]))


@given(PLAIN)
def test_plain_values(value):
    assert travel(value) == value


@pytest.mark.parametrize(
    "value",
    [
        np.arange(6.0).reshape(2, 3),
        np.zeros((300, 400), order="F"),
        np.arange(100_000)[::2],
        np.array(["a", None, 1.5], object),
        np.array(["ä", "bc"]),
        np.array(["2020-01-01", "NaT"], "datetime64[ns]"),
        np.zeros(2, [("a", "f4"), ("b", "i8")]),
        np.float32(1.5),
        np.array(True),
    ],
    ids=str,
)
def test_arrays(value):
    back = travel(value)
    assert back.dtype == value.dtype
    np.testing.assert_array_equal(back, value)
    if isinstance(value, np.ndarray):
        assert back.flags.writeable


def test_frames():
    frame = pd.DataFrame(
        {
            "a": [1.0, np.nan],
            "text": ["x", None],
            "class": pd.Categorical(["u", "v"], categories=["v", "u"], ordered=True),
            "zone": pd.to_datetime(["2020-01-01", "2021-07-01"]).tz_localize("Europe/Berlin"),
            "whole": pd.array([1, None], dtype="Int64"),
        },
        index=pd.Index(["p", "q"], name="row"),
    )
    frame["a again"] = frame["a"]
    frame.columns = ["a", "text", "class", "zone", "whole", "a"]  # names may come twice
    pd.testing.assert_frame_equal(travel(frame), frame)
    for column in range(frame.shape[1]):
        pd.testing.assert_series_equal(travel(frame.iloc[:, column]), frame.iloc[:, column])
    for index in (pd.RangeIndex(2, 8, 3), pd.DatetimeIndex(["2020", "2021"]), pd.MultiIndex.from_tuples([(1, "a")])):
        pd.testing.assert_index_equal(travel(index), index, exact=True)


def test_dates_and_numbers():
    value = [
        datetime.date(2020, 1, 2), datetime.timedelta(3), datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC), 1 + 2j,
        Decimal("1.5"), collections.deque([1]), collections.OrderedDict(a=1), {1, 2}, frozenset("a"), range(3),
        slice(1, 2), pd.Timestamp("2020-01-01 00:00:00.000000001"), pd.Timedelta(5, "ns"),
    ]  # fmt: skip
    assert travel(value) == value
    assert travel([pd.NaT, pd.NA]) == [pd.NaT, pd.NA] or travel(pd.NaT) is pd.NaT
    assert travel(pd.NA) is pd.NA


def test_this_package_s_records_and_errors():
    signal = Signal(np.ones((3, 1)), ("a",), None, 2.0, ("note",))
    back = travel({"signal": signal})["signal"]
    assert type(back) is Signal
    assert back.channels == ("a",)
    error = travel(SettingError("no."))
    assert type(error) is SettingError
    assert str(error) == "no."


@pytest.mark.parametrize(
    "value", [print, os.system, os, lambda: 1, object(), tasks.Trap("x"), Charge, open, type, np.load, pd.DataFrame]
)
def test_the_sender_refuses_what_may_not_travel(value):
    with pytest.raises(TypeError, match="cannot send|cannot pickle"):
        pack([value], private=True)


class Evil:
    def __init__(self, *reduced):
        self.reduced = reduced

    def __reduce__(self):
        return self.reduced


@pytest.mark.parametrize(
    "value",
    [
        Evil(os.mkdir, ("sprung",)),
        Evil(eval, ("__import__('os').mkdir('sprung')",)),
        Evil(np.load, ("sprung",)),
        Evil(pd.read_pickle, ("sprung",)),
        Evil(np.memmap, ("sprung", "float64", "w+", 0, (10,))),
        Evil(pd.HDFStore, ("sprung",)),
        Evil(serialization.make_record, ("os", "mkdir", {})),
        Evil(serialization.make_record, ("aecore.jobs.dispatch", "os.mkdir", {})),
        Evil(serialization.make_record, ("aecore.jobs.dispatch", "Dispatcher", {})),
        Evil(serialization.make_record, ("aecore.data.tables.table", "Signal.__init__.__globals__", {})),
        Evil(serialization.make_record, ("aecore.data.tables.table", "Signal", (1, 2))),
        Evil(serialization.unpack, (None,)),
        Evil(serialization.seal, (print, ())),
        tasks.Trap("sprung"),
        serialization.make_record,
        Signal,
    ],
    ids=lambda value: re.sub(" at 0x[0-9a-f]+", "", repr(getattr(value, "reduced", value)))[:60],
)
def test_the_receiver_refuses_it_too(value, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    forged = pickle.dumps(value)
    if isinstance(value, type) or callable(value):
        forged = pickle.dumps(value)
    if value is serialization.make_record:  # alone, it is harmless: its attributes cannot be set
        forged = forged[:-1] + b"N}(X\x03\x00\x00\x00abcK\x01u\x86b."
    with pytest.raises(JobError, match="could not be read"):
        unpack(Packed("value", [forged]))
    assert not list(tmp_path.iterdir())


def test_neither_a_task_nor_torn_bytes_are_read_as_a_value():
    with pytest.raises(JobError, match="answered with a task"):
        unpack(seal(tasks.echo, (1,)))
    packed = pack({"a": np.arange(5)}, private=True)
    torn = b"".join(packed.stream)[:-7]
    with pytest.raises(JobError, match="could not be read"):
        unpack(Packed("value", [torn]))
    with pytest.raises(JobError, match="no version of this program"):
        rebuild(["code", 1], [b""])


def test_a_task_s_bytes_are_not_copied_and_its_arrays_are():
    upload, array = os.urandom(10 * LARGE), np.zeros(10 * LARGE)
    sealed = seal(tasks.echo, (upload, array))
    assert any(part is upload for part in sealed.stream)
    assert array.nbytes <= sealed.copied < array.nbytes + 1000
    array[:] = 1
    task, (first, second) = unseal(rebuild(sealed.head, sealed.parts))
    assert task is tasks.echo
    assert first == upload
    assert second.sum() == 0


def test_large_arrays_lie_beside_the_pickle():
    packed = pack({"big": np.zeros(LARGE), "small": np.zeros(3)}, private=True)
    assert [memoryview(buffer).nbytes for buffer in packed.buffers] == [8 * LARGE]
    assert sum(map(len, packed.stream)) < 1000
