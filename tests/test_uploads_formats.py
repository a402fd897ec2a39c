"""The same table through every kind of file; what only one kind can hold; and what a visitor may put right."""

import datetime as dt
import decimal
import gzip
import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.io import savemat

from aecore.data.readers import uploads
from aecore.data.readers.options import ReadOptions
from aecore.errors import DataError, SettingError, UnreadableFile
from tests import files

TABLE = files.table()
CHANNELS = ("u [V]", "i [A]", "n")


def noted(signal, words):
    return any(words in note for note in signal.notes)


def matrix():
    return TABLE[list(CHANNELS)].to_numpy()


# --- the same table, whatever it comes in -------------------------------------------------------------------------

NAMED = {
    "log.csv": TABLE.to_csv(index=False).encode(),
    "log.xlsx": files.xlsx(),
    "log.parquet": files.parquet(),
    "log.jsonl": files.jsonl(),
    "log.json": TABLE.to_json(orient="records", double_precision=15).encode(),
    "log.npy": files.npy(TABLE.to_records(index=False)),
}


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("packing", ["plain", "gzip", "zip"])
def test_named_columns_come_back(name, packing):
    data = NAMED[name]
    if packing == "gzip":
        name, data = f"{name}.gz", gzip.compress(data)
    elif packing == "zip":
        data = files.zipped(("folder/", b""), ("__MACOSX/._log.csv", b"x"), (f"folder/{name}", data))
        name = "log.zip"
    signal = uploads.read(name, data)
    np.testing.assert_allclose(signal.values, matrix(), rtol=1e-13)
    np.testing.assert_allclose(signal.time, TABLE["time"], rtol=1e-13)
    assert signal.channels == CHANNELS
    assert signal.sample_rate == 2.0
    assert signal.roles == (tuple(TABLE), "time", None)
    assert signal.values.dtype == np.float64
    assert not signal.missing.any()


@pytest.mark.parametrize(
    ("name", "data", "channels"),
    [
        ("a.npy", files.npy(matrix()), ("column 1", "column 2", "column 3")),
        ("a.npy", files.npy(matrix().astype(">f8")), ("column 1", "column 2", "column 3")),
        ("a.npy", files.npy(np.asfortranarray(matrix())), ("column 1", "column 2", "column 3")),
        ("a.npy", files.npy(matrix().T), ("column 1", "column 2", "column 3")),
        ("a.npz", files.npz(v=matrix()), ("v 1", "v 2", "v 3")),
        ("a.npz", files.npz(a=matrix()[:, 0], b=matrix()[:, 1], c=matrix()[:, 2], k=np.ones(3)), ("a", "b", "c")),
        ("a.mat", files.mat(v=matrix()), ("v 1", "v 2", "v 3")),
        ("a.mat", files.mat(compressed=False, v=matrix(), fs=8000.0, name="pump"), ("v 1", "v 2", "v 3")),
        ("a.mat", files.mat(a=matrix()[:, 0], b=matrix()[:, 1:2], c=matrix()[:, 2]), ("a", "b", "c")),
    ],
)
def test_arrays_come_back(name, data, channels):
    signal = uploads.read(name, data)
    np.testing.assert_array_equal(signal.values, matrix())
    assert signal.channels == channels
    assert signal.time is None


@pytest.mark.parametrize(("kind", "options"), [("WAV", {"subtype": "DOUBLE"}), ("WAV", {"subtype": "FLOAT"}),
                                               ("WAV", {}), ("FLAC", {"subtype": "PCM_24"})])  # fmt: skip
def test_recordings_come_back(kind, options):
    values = np.random.default_rng(0).uniform(-0.9, 0.9, size=(500, 2))
    signal = uploads.read(f"a.{kind.lower()}", files.audio(kind, values, 44_100, **options))
    np.testing.assert_allclose(signal.values, values, atol=2**-15)
    assert signal.channels == ("channel 1", "channel 2")
    assert (signal.sample_rate, signal.time) == (44_100.0, None)


def test_an_ogg_recording_comes_back_nearly():
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
    signal = uploads.read("a.ogg", files.audio("OGG", tone, 8000))
    assert signal.values.shape == (8000, 1)
    assert np.corrcoef(signal.values[:, 0], tone)[0, 1] > 0.99


def test_content_outranks_the_name():
    signal = uploads.read("log.csv", files.parquet())
    assert signal.channels == CHANNELS
    assert noted(signal, "By its content 'log.csv' is a Parquet file")
    assert noted(uploads.read("log.csv", files.xlsx()), "is an Excel workbook")
    assert noted(uploads.read("a.wav", files.audio("FLAC")), "A recording of")  # one reader, nothing to say
    assert not noted(uploads.read("a.wav", files.audio("FLAC")), "By its content")


# --- what only some kinds hold ------------------------------------------------------------------------------------


def test_dates_in_a_workbook_and_in_parquet():
    stamps = pd.date_range("2024-03-09 22:00", periods=6, freq="h")
    frame = pd.DataFrame({"when": stamps.tz_localize("Europe/Berlin"), "v": np.arange(6) + 0.5})
    signal = uploads.read("a.parquet", files.parquet(frame))
    np.testing.assert_array_equal(signal.time, (stamps - pd.Timedelta("1h")).to_numpy())  # UTC
    signal = uploads.read("a.xlsx", files.xlsx(S=[["when", "v"], *([s.to_pydatetime(), 1.5] for s in stamps)]))
    np.testing.assert_array_equal(signal.time, stamps.to_numpy())
    assert signal.sample_rate == pytest.approx(1 / 3600, rel=1e-5)


def test_a_workbook_as_people_make_them():
    rows = [
        ["Pump 7", None, None], ["Serial", 77, None], [], ["time", "u", "i"], ["s", "V", "A"],
        [0.0, 1.5, "-"], [0.5, "#DIV/0!", 2.5], [1.0, 2.5, 3.5], [1.5, 3.5, 4.5], [None, None, None],
    ]  # fmt: skip
    signal = uploads.read("a.xlsx", files.xlsx(Notes=[["only text"]], Data=rows, More=[["x"]]))
    assert signal.channels == ("u [V]", "i [A]")
    assert signal.values.tolist() == [[1.5, 2.5], [2, 2.5], [2.5, 3.5], [3.5, 4.5]]
    assert signal.time.tolist() == [0, 0.5, 1, 1.5]
    assert signal.missing.tolist() == [True, True, False, False]
    assert noted(signal, "Worksheet 'Data' read, not 'Notes', 'More'.")
    assert noted(signal, "2 lines above the table skipped.")


def test_clock_times_and_text_numbers_in_a_workbook():
    rows = [["Time", "v"], *([dt.time(10, 0, second), f"{second},5"] for second in range(5))]
    signal = uploads.read("a.xlsx", files.xlsx(S=rows))
    assert signal.time.tolist() == [36000, 36001, 36002, 36003, 36004]
    assert signal.values[:, 0].tolist() == [0.5, 1.5, 2.5, 3.5, 4.5]


def test_every_flat_type_of_parquet():
    columns = {
        "timestamp": pa.array(np.arange(4) * 1_000 + 1_700_000_000_000).cast(pa.timestamp("ms", "UTC")),
        "category": pa.array(["1.5", "2.5", "1.5", "2.5"]).dictionary_encode(),
        "decimal": pa.array([decimal.Decimal("1.25"), None, decimal.Decimal("2.25"), decimal.Decimal("3.25")]),
        "half": pa.array(np.array([1.5, 2.5, 3.5, 4.5], np.float16)),
        "gap": pa.array([1, None, 3, 4]),
        "switch": pa.array([True, None, False, True]),
        "took": pa.array([1, 2, 3, 5], pa.duration("ms")),
        "date": pa.array([1, 2, 3, 4], pa.date32()),
        "blob": pa.array([b"1", b"\xff", b"\0", b"4"]),
        "none": pa.nulls(4),
        "list": pa.array([[1], [2], [3], [4]]),
        "struct": pa.array([{"a": 1}] * 4),
    }
    signal = uploads.read("a.parquet", files.written(lambda file: pq.write_table(pa.table(columns), file)))
    expected = {"category": [1.5, 2.5, 1.5, 2.5], "decimal": [1.25, 1.75, 2.25, 3.25], "half": [1.5, 2.5, 3.5, 4.5],
                "gap": [1, 2, 3, 4], "switch": [1, 0.5, 0, 1], "took": [1e-3, 2e-3, 3e-3, 5e-3]}  # fmt: skip
    assert signal.channels == tuple(expected)
    np.testing.assert_allclose(signal.values.T, list(expected.values()), rtol=1e-12)
    assert signal.time[1] == np.datetime64("2023-11-14T22:13:21")
    assert signal.sample_rate == 1.0
    assert noted(signal, "Columns of lists, structs or bytes left out: blob, list, struct.")
    assert noted(signal, "Without any value, left out: none.")


def test_json_with_objects_inside_missing_keys_and_a_torn_end():
    data = files.records(
        {"t": 0, "s": {"u": 1.5, "deep": {"x": 1}}, "tags": [1]}, {"t": 1, "s": {"u": 2.5}}, {"t": 2, "extra": 5},
        {"t": 3, "s": {"u": 4.5}, "extra": 8},
    )  # fmt: skip
    signal = uploads.read("a.ndjson", data + b'\n{"t": 4, "s": {"u"')
    assert signal.channels == ("s.u", "extra")
    assert signal.values.tolist() == [[1.5, 5], [2.5, 5], [3.5, 5], [4.5, 8]]
    assert signal.missing.tolist() == [True, True, True, False]
    assert noted(signal, "Lists left out: s.deep, tags.")
    assert noted(signal, "1 line without a JSON object skipped.")


def test_matlab_variables_of_another_length_or_kind_are_said():
    held = {"DE_time": np.arange(50.0)[:, None] ** 2, "RPM": 1796.0, "meta": {"a": 1}, "who": "bench 3"}
    signal = uploads.read("a.mat", files.written(lambda file: savemat(file, held)))
    assert signal.channels == ("DE_time",)
    assert noted(signal, "RPM (1 row)")
    assert noted(signal, "meta (struct), who (char)")


def test_named_arrays_take_their_parts():
    signal = uploads.read("a.npz", files.npz(time=np.arange(9) / 4, v=np.arange(9) ** 2, label=np.arange(9) > 6))
    assert signal.channels == ("v",)
    assert signal.sample_rate == 4.0
    assert signal.labels.tolist() == [0] * 7 + [1, 1]
    assert signal.roles == (("time", "v", "label"), "time", "label")


def test_the_first_readable_file_of_an_archive():
    packed = files.zipped(("readme.md", b"hello"), ("b/one.csv", b"a,b\n1,2\n3,4\n"), ("two.csv", b"c\n1\n2\n"))
    signal = uploads.read("logs.zip", packed)
    assert signal.channels == ("a", "b")
    assert noted(signal, "'one.csv' read from the archive; 2 other files left out.")
    inner = files.zipped(("one.csv.gz", gzip.compress(b"a,b\n1,2\n3,4\n")))
    assert uploads.read("logs.zip", inner).channels == ("a", "b")


def test_where_a_member_wants_to_go_is_nobodys_business():
    packed = files.zipped(("../../etc/<b>cron</b>.csv", b"a,b\n1,2\n3,4\n"))
    signal = uploads.read("logs.zip", packed)
    assert signal.values.tolist() == [[1, 2], [3, 4]]
    assert not noted(signal, "..")


# --- what a visitor may put right ---------------------------------------------------------------------------------


def test_delimiter_and_decimal_mark():
    data = b"a;b\n1,234;2\n3,456;4\n"
    assert uploads.read("a.csv", data).values.tolist() == [[1.234, 2], [3.456, 4]]
    assert uploads.read("a.csv", data, ReadOptions(decimal=".")).values.tolist() == [[1234, 2], [3456, 4]]
    assert uploads.read("a.csv", b"a b;1\n2;3\n4;5\n", ReadOptions(delimiter=";")).channels == ("a b", "1")


def test_encoding():
    data = "T °C;v\n1;2\n3;4\n".encode("cp437")
    assert uploads.read("a.csv", data).channels != ("T °C", "v")
    assert uploads.read("a.csv", data, ReadOptions(encoding="cp437")).channels == ("T °C", "v")
    assert uploads.read("a.csv", b"\xef\xbb\xbfa,b\n1,2\n3,4\n", ReadOptions(encoding="utf-8")).channels == ("a", "b")


def test_header_or_none():
    data = b"2019,2020\n1.5,2.5\n3.5,4.5\n"
    assert uploads.read("a.csv", data).values.shape == (3, 2)
    told = uploads.read("a.csv", data, ReadOptions(header=True))
    assert told.channels == ("2019", "2020")
    assert told.values.tolist() == [[1.5, 2.5], [3.5, 4.5]]
    data = b"low,2\n1.5,2.5\n3.5,4.5\n"
    assert uploads.read("a.csv", data).channels == ("low", "2")
    assert uploads.read("a.csv", data, ReadOptions(header=False)).values.tolist() == [[1.5, 2], [1.5, 2.5], [3.5, 4.5]]
    book = files.xlsx(S=[[2019, 2020], [1.5, 2.5], [3.5, 4.5]])
    assert uploads.read("a.xlsx", book, ReadOptions(header=True)).channels == ("2019", "2020")


def test_columns_take_the_parts_they_are_given():
    text = "clock,label,a,b,state\n" + "".join(f"{5 * i},{i % 3},{i * i},{-i},{i // 8}\n" for i in range(10))
    sniffed = uploads.read("a.csv", text.encode())
    assert sniffed.channels == ("clock", "label", "a", "b", "state")
    assert sniffed.roles == (("clock", "label", "a", "b", "state"), None, None)
    options = ReadOptions(time="clock", time_unit="ms", label="state", channels=("b", "a"))
    told = uploads.read("a.csv", text.encode(), options)
    assert told.channels == ("b", "a")
    np.testing.assert_array_equal(told.values[:, 1], np.arange(10) ** 2)
    np.testing.assert_allclose(told.time, 5e-3 * np.arange(10))
    assert told.sample_rate == 200.0
    assert told.labels.tolist() == [0] * 8 + [1, 1]
    assert told.roles == (sniffed.roles.columns, "clock", "state")


def test_a_part_may_be_nobodys():
    text = b"time,label,v\n1,0,1.5\n2,1,2.5\n3,0,3.5\n"
    assert uploads.read("a.csv", text, ReadOptions(time="", label="")).channels == ("time", "label", "v")
    kept = uploads.read("a.csv", text, ReadOptions(channels=("label", "time")))
    assert (kept.channels, kept.time, kept.labels) == (("label", "time"), None, None)


@pytest.mark.parametrize(("unit", "factor"), [("s", 1), ("ms", 1e3), ("us", 1e6), ("ns", 1e9)])
def test_a_unit_makes_dates_of_what_counts_from_1970(unit, factor):
    stamps = (1_700_000_000 + np.arange(5)) * int(factor)
    text = "clock,v\n" + "".join(f"{stamp},1.5\n" for stamp in stamps)
    signal = uploads.read("a.csv", text.encode(), ReadOptions(time="clock", time_unit=unit))
    expected = np.datetime64("2023-11-14T22:13:20") + np.arange(5).astype("timedelta64[s]")
    assert np.abs((signal.time - expected).astype(np.int64)).max() < 1000  # ns


def test_a_rate_stands_in_for_time():
    signal = uploads.read("a.csv", b"time,v\n1,1.5\n1,2.5\n2,3.5\n", ReadOptions(sample_rate=50.0))
    assert (signal.channels, signal.time, signal.sample_rate) == (("v",), None, 50.0)
    assert noted(signal, "rows count at 50 Hz, as asked")
    assert uploads.read("a.wav", files.audio(), ReadOptions(sample_rate=50.0)).sample_rate == 50.0


def test_either_half_of_day_and_clock_may_be_named_as_time():
    text = b"Date,Hour,v\n01.02.2024,23:59:59,1.5\n02.02.2024,00:00:00,2.5\n02.02.2024,00:00:01,3\n"
    for column in ("Date", "Hour"):
        signal = uploads.read("a.csv", text, ReadOptions(time=column))
        assert signal.time[0] == np.datetime64("2024-02-01T23:59:59")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"time": "nope"}, "No column is called 'nope'; the columns are t, a, who"),
        ({"label": "nope"}, "No column is called 'nope'"),
        ({"channels": ("a", "x", "y")}, "No column is called 'x', 'y'"),
        ({"channels": ("a", "who")}, "holds no numbers in who"),
        ({"time": "who"}, "'who' does not run like a clock"),
        ({"time": "a"}, "'a' does not run like a clock"),
        ({"time": "a", "time_unit": "ms"}, "'a' does not run like a clock"),
        ({"label": "who"}, "'who' holds neither numbers nor the word normal"),
        ({"channels": ("a",), "delimiter": ";"}, "No column is called 'a'"),
    ],
)
def test_parts_that_cannot_be_played(options, words):
    data = b"t,a,who\n1,5.5,bob\n2,1.5,ann\n3,7.5,eve\n4,2.5,joe\n"
    with pytest.raises(DataError, match=words) as caught:
        uploads.read("a.csv", data, ReadOptions(**options))
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"delimiter": "x"}, "delimiter must be one of"),
        ({"decimal": "'"}, "decimal must be one of"),
        ({"encoding": "rot13"}, "encoding must be one of"),
        ({"time_unit": "fortnight"}, "time_unit must be one of"),
        ({"sample_rate": 0.0}, "sample_rate must be above 0"),
        ({"sample_rate": float("nan")}, "sample_rate must be above 0"),
        ({"sample_rate": 2e9}, "sample_rate must be above 0"),
        ({"sample_rate": 1.0, "time": "t"}, "exclude each other"),
        ({"channels": ()}, "at least one column"),
        ({"channels": ("t",), "time": "t"}, "cannot be a channel and time"),
        ({"time": "t", "label": "t"}, "must be two columns"),
        ({"decimal": ",", "delimiter": ","}, "must differ"),
    ],
)
def test_options_are_held_against_their_range(options, words):
    with pytest.raises(SettingError, match=words) as caught:
        ReadOptions(**options)
    assert str(caught.value).isprintable()


def test_a_table_too_long_for_a_workbook_is_sent_to_csv(monkeypatch):
    from aecore.data.readers import workbooks

    monkeypatch.setattr(workbooks, "MAX_CELLS", 50)
    with pytest.raises(UnreadableFile, match="more than the 50 cells that are read of a workbook"):
        uploads.read("a.xlsx", files.xlsx())


def test_a_remark_of_pythons_past_is_no_error():
    data = io.BytesIO()
    np.lib.format.write_array_header_1_0(data, {"descr": "<f8", "fortran_order": False, "shape": (3,)})
    text = data.getvalue().replace(b"(3,)", b"(3L,)").replace(b"   \n", b"  \n")
    assert uploads.read("a.npy", text + np.arange(3.0).tobytes()).values[:, 0].tolist() == [0, 1, 2]
