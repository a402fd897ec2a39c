import gzip
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aecore.data.readers import archives as packing
from aecore.data.readers import uploads
from aecore.data.readers.messages import clean_names
from aecore.data.readers.options import ReadOptions
from aecore.errors import AecoreError, DataError, TooFewRows, UnreadableFile

SHARED = Path(__file__).parents[1].parent / "shared" / "data" / "anomaly"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the labelled recordings for measuring are not here")


def read(text, name="log.csv", encoding="utf-8"):
    return uploads.read(name, text if isinstance(text, bytes) else text.encode(encoding))


def noted(signal, words):
    return any(words in note for note in signal.notes)


# --- how a table is written -------------------------------------------------------------------------------------

TABLE = [[1.5, 2.0], [-3.25, 4.0], [1000.5, 5e-3]]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a,b\n1.5,2\n-3.25,4\n1000.5,5e-3\n", "a.csv"),
        ("a;b\n1,5;2\n-3,25;4\n1000,5;0,005\n", "decimal-comma.csv"),
        ("a\tb\n1,5\t2\n-3,25\t4\n1000,5\t5e-3\n", "a.tsv"),
        ("a|b\n1.5|2\n-3.25|4\n1000.5|.005\n", "bars.txt"),
        ("  a      b\n  1.5    2\n -3.25   4\n 1000.5 5E-3\n", "blanks.txt"),
        ('a,b\n"1.5",2\n"-3.25",4\n"1,000.5",0.005\n', "us-thousands.csv"),
        ("a;b\n1,5;2\n-3,25;4\n1.000,5;0,005\n", "german-thousands.csv"),
        ("a;b\n1.5;2\n-3.25;4\n1'000.5;0.005\n", "swiss-thousands.csv"),
        ("a;b\n1,5;2\n-3,25;4\n1\u00a0000,5;0,005\n", "french-thousands.csv"),
        ('a,b\n"1,5",2\n"-3,25",4\n"1000,5","0,005"\n', "quoted-decimal-comma.csv"),
        ("sep=;\r\na;b\r\n1,5;2\r\n-3,25;4\r\n1000,5;0,005\r\n", "spreadsheet.csv"),
        ("a,b\r1.5,2\r-3.25,4\r1000.5,0.005\r", "old-mac.csv"),
        ("# made by a logger\n# a,b\n1.5,2\n-3.25,4\n1000.5,0.005\n", "comments.csv"),
        ("Serial,77\nFirmware,1.2\na,b\n1.5,2\n-3.25,4\n1000.5,0.005", "pairs-above.csv"),
        ("Logger 5\nSerial: 77\n\na,b\n1.5,2\n-3.25,4\n1000.5,0.005", "preamble.csv"),
        (",,\na,b\n\n1.5,2\n-3.25,4\n1000.5,0.005", "empty-rows.csv"),
        ("a,b,\n1.5,2,\n-3.25,4,\n1000.5,0.005,\n", "trailing-comma.csv"),
        ("a,b\n1.5,2\n-3.25,4\n1000.5,0.005\n,\n,\n", "empty-tail.csv"),
        ('"a",b\n1.5,2\n-3.25,4\n1000.5,0.005\n', "quoted-header.csv"),
        (" a , b \n 1.5 , 2 \n -3.25 , 4 \n 1000.5 , 0.005 \n", "padded.csv"),
    ],
)
def test_the_same_table_however_written(text, name):
    signal = read(text, name)
    np.testing.assert_array_equal(signal.values, TABLE)
    assert signal.channels == ("a", "b")
    assert signal.values.dtype == np.float64
    assert signal.time is None
    assert not signal.missing.any()
    assert all(note.endswith(".") for note in signal.notes)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
def test_encodings(encoding):
    signal = read("Temp °C;µV\n1,5;2\n2,5;3\n", encoding=encoding)
    assert signal.channels == ("Temp °C", "µV")
    assert signal.values.tolist() == [[1.5, 2], [2.5, 3]]


def test_gzip_is_known_by_content_too():
    packed = gzip.compress(b"a,b\n1,2\n3,4\n")
    for name in ("log.csv.gz", "log.csv", "LOG.CSV.GZ"):
        assert uploads.read(name, packed).values.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("text", "channels"),
    [
        ("1,2\n3,4\n5,6.5\n", ("column 1", "column 2")),
        ("nan,2\n3,4\n5,6.5\n", ("column 1", "column 2")),
        (",0,1\n0,1.5,2\n1,2.5,3\n2,3.5,4\n", ("0", "1")),  # as a data frame without names is written
        ("u,1,2\n7,5,6\n9,6,7\n5,7,8\n", ("u", "1", "2")),
        ("u,i\nV,A\n1,2\n3,4\n", ("u [V]", "i [A]")),
        ("u,i\n[V],[A]\n1,2\n3,4\n", ("u [V]", "i [A]")),
        ("a,a,a\n1,2,3\n4,5,6\n", ("a", "a (2)", "a (3)")),
        ('"a\nunit",b\n1,2\n3,4\n', ("a unit", "b")),
        ("=1+1,b\n1,2\n3,4\n", ("=1+1", "b")),
        ("n" * 500 + ",b\n1,2\n3,4\n", ("n" * 59 + "…", "b")),
        ("a\x1b[31m,b\n1,2\n3,4\n", ("a [31m", "b")),
    ],
)
def test_names(text, channels):
    assert read(text).channels == channels


def test_made_unique_even_where_the_number_is_taken():
    assert clean_names(["a", "a (2)", "a", ""]) == ("a", "a (2)", "a (3)", "column 4")


# --- time -------------------------------------------------------------------------------------------------------

HOURS = pd.date_range("2024-03-09 22:00", periods=6, freq="h").to_numpy().astype("datetime64[ns]")


@pytest.mark.parametrize(
    "form",
    ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M:%S.%f",
     "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%d-%b-%Y %H:%M:%S", "%Y/%m/%d %H:%M:%S"],
)  # fmt: skip
def test_dates_as_loggers_write_them(form):
    days = pd.date_range("2024-03-01", periods=40, freq="D") + pd.Timedelta("22h")  # a day above 12 settles the order
    signal = read("when,v\n" + "".join(f"{day.strftime(form)},{i}\n" for i, day in enumerate(days)))
    np.testing.assert_array_equal(signal.time, days.to_numpy())
    assert signal.channels == ("v",)
    assert signal.sample_rate == pytest.approx(1 / 86400, rel=1e-5)


def test_the_day_comes_first_where_only_so_time_runs_forward():
    signal = read("date,v\n" + "".join(f"{day:02d}/03/2024,{day}\n" for day in range(1, 12)))
    assert signal.time[0] == np.datetime64("2024-03-01")
    assert signal.time[-1] == np.datetime64("2024-03-11")


def test_three_formats_in_one_column():
    signal = read("when,v\n2024-01-01 00:00:00,1\n02.01.2024 00:00:00,2\n01/03/2024 00:00:00,3\n2024-01-04T00:00Z,4\n")
    np.testing.assert_array_equal(signal.time, pd.date_range("2024-01-01", periods=4).to_numpy())
    assert noted(signal, "3 formats")


def test_offsets_become_utc():
    signal = read("time,v\n2024-01-01T01:00:00+01:00,1\n2024-01-01T00:00:01Z,2\n2024-01-01T02:00:02+02:00,3\n")
    assert signal.time.astype("datetime64[s]").tolist() == pd.date_range("2024-01-01", periods=3, freq="s").tolist()


@pytest.mark.parametrize("scale", [1, 10**3, 10**6, 10**9])
def test_unix_time(scale):
    stamps = HOURS.astype(np.int64) // (10**9 // scale)
    signal = read("timestamp,v\n" + "".join(f"{stamp},1.5\n" for stamp in stamps))
    assert np.abs((signal.time - HOURS).astype(np.int64)).max() < 1000  # ns; floats hold no finer
    assert signal.sample_rate == pytest.approx(1 / 3600, rel=1e-5)


@pytest.mark.parametrize(
    ("name", "factor"),
    [("time", 1), ("t", 1), ("Time [ms]", 1e-3), ("time_us", 1e-6), ("time (min)", 60), ("Zeit/s", 1)],
)
def test_elapsed_time_becomes_seconds(name, factor):
    signal = read(f"{name},v\n" + "".join(f"{5 * i},{i}\n" for i in range(20)))
    np.testing.assert_allclose(signal.time, 5.0 * factor * np.arange(20))
    assert signal.sample_rate == pytest.approx(1 / (5 * factor), rel=1e-5)


@pytest.mark.parametrize(
    ("name", "factor"),
    [("ms", 1e-3), ("us", 1e-6), ("Millis", 1e-3), ("microseconds", 1e-6), ("timestamp_ms", 1e-3), ("time_us", 1e-6)],
)
def test_a_column_called_by_its_unit_is_time_where_it_rises_steadily(name, factor):
    signal = read(f"v,{name}\n" + "".join(f"{np.sin(n)},{500 + 10 * n}\n" for n in range(40)))
    assert signal.channels == ("v",)
    np.testing.assert_allclose(signal.time, factor * (500 + 10 * np.arange(40)))


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("v,ms", lambda n: (n * n % 7, 20 + 5 * (n % 3))),  # a delay
        ("v,ms", lambda n: (n * n % 7, 2**n)),
        ("ms,us", lambda n: (n, 1000 * n)),  # which of the two?
        ("time [s],ms", lambda n: (n, 10 * n)),  # time is known without it
    ],
)
def test_a_column_called_by_a_unit_that_does_not_run_like_a_clock_stays_a_channel(header, row):
    signal = read(f"v2,{header}\n" + "".join(f"1,{a},{b}\n" for a, b in map(row, range(40))))
    assert "ms" in signal.channels


def test_rate_survives_rounded_times():
    times = "".join(f"{i / 12000:.6g},{i % 7}\n" for i in range(60_000))
    assert read("time,v\n" + times).sample_rate == pytest.approx(12000, rel=1e-4)


def test_day_and_clock_in_two_columns():
    signal = read("Date;Time;v\n01.02.2024;23:59:59;1,5\n02.02.2024;00:00:00;2,5\n02.02.2024;00:00:01;3\n")
    assert signal.time[0] == np.datetime64("2024-02-01T23:59:59")
    assert (signal.channels, signal.sample_rate) == (("v",), 1.0)


def test_day_and_clock_parted_by_a_blank():
    signal = read("time value\n2024-01-01 00:00:00 1\n2024-01-01 00:00:01 2\n2024-01-01 00:00:02 3\n", "log.txt")
    assert signal.time[2] == np.datetime64("2024-01-01T00:00:02")
    assert signal.channels == ("value",)


def test_clock_times_cross_midnight():
    signal = read("Time,v\n23:59:58,1\n23:59:59.5,2\n00:00:01,3\n")
    assert signal.time.tolist() == [86398.0, 86399.5, 86401.0]


def test_time_without_a_name_is_known_by_even_steps():
    signal = read("".join(f"{i / 10:g} {i * i}\n" for i in range(20)), "log.txt")
    np.testing.assert_allclose(signal.time, np.arange(20) / 10)
    assert signal.channels == ("column 2",)


def test_row_counters_are_no_channel_and_no_time():
    for header in ("index", "", "Unnamed: 0"):
        signal = read(f"{header},v\n" + "".join(f"{i},{i * i}\n" for i in range(20)))
        assert signal.channels == ("v",)
        assert signal.time is None


def test_a_second_clock_is_left_out_and_said():
    signal = read("time,elapsed [s],v\n" + "".join(f"2024-01-{i + 1:02d},{86400 * i},{i * i}\n" for i in range(20)))
    assert signal.channels == ("v",)
    assert noted(signal, "'elapsed [s]' counts time as well")


@pytest.mark.parametrize("name", ["T", "tmin", "Time to failure", "date of birth"])
def test_names_that_only_look_like_time(name):
    signal = read(f"{name},v\n" + "".join(f"{20 + i // 2},{i * i}\n" for i in range(20)))
    assert signal.channels == (name, "v")
    assert signal.time is None


def test_a_file_that_runs_backwards_is_turned_round():
    signal = read("time,v,label\n3,1,0\n2,2,0\n1,nan,1\n0,9,0\n")
    assert signal.time.tolist() == [0, 1, 2, 3]
    assert signal.values[:, 0].tolist() == [9, 5.5, 2, 1]
    assert signal.labels.tolist() == [0, 1, 0, 0]
    assert signal.missing.tolist() == [False, True, False, False]
    assert noted(signal, "turned round")


def test_jumps_back_and_repeats_are_kept_and_said():
    rows = [*range(20), *range(20)]
    signal = read("time,v\n" + "".join(f"{t},{i}\n" for i, t in enumerate(rows)))
    assert signal.time.tolist() == rows
    assert noted(signal, "jumps back at 1 row;")
    signal = read("time,v\n0,1\n1,2\n1,3\n2,4\n3,5\n4,6\n5,6\n")
    assert signal.values[:, 0].tolist() == [1, 2, 3, 4, 5, 6, 6]
    assert noted(signal, "stands still at 1 row;")


def test_irregular_steps_give_no_rate():
    signal = read("time,v\n" + "".join(f"{2.0**i},{i}\n" for i in range(12)))
    assert signal.sample_rate is None
    assert noted(signal, "irregular")


def test_a_torn_date_is_filled_and_said():
    days = [f"2024-01-{day:02d}" for day in range(1, 25)]
    days[5] = "oops"
    signal = read("time,v\n" + "".join(f"{day},1\n" for day in days))
    np.testing.assert_array_equal(signal.time, pd.date_range("2024-01-01", periods=24).to_numpy())
    assert noted(signal, "1 cell without one")


# --- labels, gaps, odd columns ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["label", "Label", "anomaly", "is_anomaly", "Is Anomaly", "outlier", "fault"])
@pytest.mark.parametrize("marks", ["0 1 0", "0.0 1.0 0.0", "False True False", "0 1 "])
def test_labels_are_taken_out(name, marks):
    rows = "".join(f"{i},{mark}\n" for i, mark in enumerate(marks.split(" ")))
    signal = read(f"v,{name}\n{rows}")
    assert signal.labels.tolist() == [0, 1, 0]
    assert signal.labels.dtype == np.int8
    assert signal.channels == ("v",)
    assert noted(signal, "taken as labels (1 row marked)")


@pytest.mark.parametrize("words", ["normal,Inner race,normal", "OK,not ok,ok", "no fault,short,", "none,drift,"])
@pytest.mark.parametrize("name", ["label", "state"])
def test_labels_may_be_words(name, words):
    rows = "".join(f"{i},{word}\n" for i, word in enumerate(words.split(",")))
    signal = uploads.read("a.csv", f"v,{name}\n{rows}".encode(), ReadOptions(label=None if name == "label" else name))
    assert signal.labels.tolist() == [0, 1, 0]
    assert signal.channels == ("v",)


def test_words_without_one_for_normal_are_no_labels():
    signal = read("v,label\n1,red\n2,blue\n3,red\n")
    assert signal.labels is None
    assert noted(signal, "left out: label")


def test_a_label_of_more_than_two_values_is_a_channel():
    signal = read("v,label\n1,0\n2,2\n3,1\n")
    assert signal.channels == ("v", "label")
    assert signal.labels is None


def test_changepoints_are_left_out_and_said():
    signal = read("v,changepoint,anomaly\n1,0,0\n2,1,1\n3,0,1\n")
    assert signal.channels == ("v",)
    assert signal.labels.tolist() == [0, 1, 1]
    assert noted(signal, "'changepoint' holds marks")


def test_gaps_are_bridged_and_masked():
    signal = read("a,b\n,1\n1,2\n,nan\n-,4\n4,5\n")
    assert signal.values.tolist() == [[1, 1], [1, 2], [2, 3], [3, 4], [4, 5]]
    assert signal.missing.tolist() == [True, False, True, True, False]
    assert noted(signal, "4 gaps in 3 rows filled by straight lines: a (3), b (1).")


@pytest.mark.parametrize("bad", ["inf", "-inf", "1e308", "-1e39", "9" * 400, "1e400"])
def test_what_no_float32_holds_is_a_gap(bad):
    signal = read(f"a,b\n1,1\n2,{bad}\n3,3\n")
    assert signal.values[:, 1].tolist() == [1, 2, 3]
    assert signal.missing.tolist() == [False, True, False]


@pytest.mark.parametrize("bad", ["=1+1", "oops", "1 2 3", "#REF!", "12:30", "0x1F", "1_000"])
def test_cells_that_are_no_number_are_gaps(bad):
    signal = read(f"a,b\n1,1\n2,{bad}\n3,3\n4,4\n")
    assert signal.values[:, 1].tolist() == [1, 2, 3, 4]
    assert signal.missing.tolist() == [False, True, False, False]


def test_columns_without_numbers_are_left_out_and_said():
    signal = read("who,a,none\nx,1,\ny,2,\nz,3,\n")
    assert signal.channels == ("a",)
    assert noted(signal, "Without numbers, left out: who.")
    assert noted(signal, "Without any value, left out: none.")


def test_a_constant_channel_stays_and_is_said():
    signal = read("a,b\n1,7\n2,7\n3,7\n")
    assert signal.channels == ("a", "b")
    assert noted(signal, "Constant throughout: b.")


def test_switches_become_numbers():
    assert read("on,v\nTrue,1\nFalse,2\n").values.tolist() == [[1, 1], [0, 2]]


def test_ragged_rows():
    signal = read("a,b\n1,2\n3\n4,5,6\n7,8\n")
    assert signal.values.tolist() == [[1, 2], [3, 5], [7, 8]]
    assert noted(signal, "1 row with more cells than the others skipped.")


def test_long_rows_above_the_table_are_not_counted_as_skipped():
    signal = read("Logger, 5, of 7\na,b\n1,2\n3,4\n5,6,9,9\n7,8\n9,1\n5,5,5\n")
    assert signal.values.tolist() == [[1, 2], [3, 4], [7, 8], [9, 1]]
    assert noted(signal, "2 rows with more cells than the others skipped.")


def test_quoted_newlines_and_open_quotes():
    assert read('note,v\n"line\nbreak",1\n"b\n\nc",2\n').values.tolist() == [[1], [2]]
    signal = read('a,b\n1,2\n"3,4\n5,6\n7,8\n')
    assert signal.values[:, 1].tolist() == [2, 4, 6, 8]
    assert noted(signal, "never closed")


def test_zero_bytes_of_a_torn_log_are_taken_out():
    signal = read(b"a,b\n" + b"1,2\n3,4\n" * 50 + b"\0" * 100)
    assert signal.values.shape == (100, 2)
    assert noted(signal, "100 zero bytes")


# --- what cannot be read ----------------------------------------------------------------------------------------

WIDE = "\n".join([",".join(f"c{i}" for i in range(300))] + [",".join(str(i + j) for i in range(300)) for j in range(3)])


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"", UnreadableFile, "is empty"),
        (b"\n\n  \n", UnreadableFile, "blank lines"),
        (b"a,b\n", UnreadableFile, "header but no rows"),
        (b"a\nb\nc\n", UnreadableFile, "no column of numbers"),
        (b"name,city\nbob,rome\nann,oslo\n", UnreadableFile, "no column of numbers"),
        (b"a,b\n1970-01-01,x\n1970-01-02,y\n", UnreadableFile, "no column of numbers"),
        (b"label\n0\n1\n0\n", UnreadableFile, "no column of numbers"),
        (b"a,b\n1,2\n", TooFewRows, "holds 1 row"),
        (np.random.default_rng(0).bytes(5000), UnreadableFile, "binary"),
        (b"\0" * 1000, UnreadableFile, "binary"),
        (b"PK\x03\x04" + bytes(200), UnreadableFile, "Excel workbook"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), UnreadableFile, "PNG image"),
        (gzip.compress(b"a,b\n" + b"1,2\n" * 1000)[:-20], UnreadableFile, "breaks off"),
        (gzip.compress(b"a,b\n1,2\n")[:20] + b"rubbish" * 9, UnreadableFile, "breaks off or is damaged"),
        (gzip.compress(b""), UnreadableFile, "blank"),
        (b"x" * 5_000_000, UnreadableFile, "lines too long"),
        (b"a,b\n1," + b"x" * 3_000_000 + b"\n2,3\n3,4\n", UnreadableFile, "lines too long"),
        (WIDE.encode(), DataError, "300 channels, and at most 200"),
        (("1," * 5000 + "1\n").encode() * 3, UnreadableFile, "5,001 columns"),
        (b"1,1\n" * 12_000_000, UnreadableFile, "more than the 20,000,000 cells"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_read_is_said_in_a_sentence(data, error, words):
    with pytest.raises(error, match=words) as caught:
        uploads.read("log.csv", data)
    message = str(caught.value)
    assert message.startswith("'log.csv' ")
    assert message.endswith(".")
    assert "\n" not in message


@pytest.mark.parametrize("name", ["log.doc", "log", "csv"])
def test_unknown_kinds_name_the_known_ones(name):
    with pytest.raises(UnreadableFile, match=r"bring \.csv, \.tsv, \.txt"):
        uploads.read(name, b"a,b\n1,2\n3,4\n")


def test_names_are_shown_bounded_and_printable():
    with pytest.raises(UnreadableFile) as caught:
        uploads.read("a\x1b[31m\n" + "n" * 500 + ".csv", b"")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 150


def test_a_name_that_promises_gzip():
    with pytest.raises(UnreadableFile, match="not gzip"):
        uploads.read("log.csv.gz", b"a,b\n1,2\n")


def test_a_bomb_is_not_unpacked_beyond_the_limit(monkeypatch):
    monkeypatch.setattr(packing, "MAX_BYTES", 2**20)
    asked = []
    unpack = gzip.GzipFile.read

    def spy(self, size=-1):
        asked.append(size)
        return unpack(self, size)

    monkeypatch.setattr(gzip.GzipFile, "read", spy)
    with pytest.raises(UnreadableFile, match="more than 1 MB"):
        uploads.read("log.csv.gz", gzip.compress(b"1,2\n" * 10_000_000, 1))
    assert asked == [2**20, 1]


def test_accepted_and_fingerprint():
    assert {"csv", "xlsx", "parquet", "npy", "npz", "mat", "jsonl", "gz", "zip"} <= set(uploads.list_extensions())
    assert uploads.fingerprint(b"abc") == "ba7816bf8f01"  # FIPS 180-2's own example
    assert uploads.fingerprint(b"abd") != uploads.fingerprint(b"abc")


# --- anything at all --------------------------------------------------------------------------------------------

CELLS = st.one_of(
    st.sampled_from(
        ["", "a", "time", "label", "date", "t [ms]", "index", "nan", "inf", "1", "0", "-3.5", "1,5", "1e308", "1e400",
         "=1+1", "2024-01-01", "01.02.2024", "2024-01-01T00:00:00Z", "9999-12-31", "10:00:00", "99:99:99", "1.234,5",
         "1,234.5", '"x', '"y"', "'", "1'000", "#", "#N/A", "-", "True", "9" * 400, "\0", "\u2028", "\u0663",
         "20240101100000", "1700000000", "1700000000000", "12:30 PM", " 1 ", "\\", "1+2j", "NaT"]
    ),
    st.integers(-(10**19), 10**20).map(str),
    st.floats().map(str),
    st.text(max_size=4),
)  # fmt: skip
DELIMITERS = st.sampled_from([",", ";", "\t", "|", " "])
ANY_TIME = settings(deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def ragged(draw):
    rows = draw(st.lists(st.lists(CELLS, max_size=4), max_size=8))
    delimiter, end = draw(DELIMITERS), draw(st.sampled_from(["\n", "\r\n", "\r", "\n\n"]))
    encoding = draw(st.sampled_from(["utf-8", "utf-16", "utf-16-le", "latin-1"]))
    return end.join(delimiter.join(row) for row in rows).encode(encoding, "replace")


@st.composite
def tables(draw):
    """Columns that each draw from a few values, so that times, labels and gaps really come about."""
    count = draw(st.integers(2, 12))
    pools = draw(st.lists(st.lists(CELLS, min_size=1, max_size=3), min_size=1, max_size=4))
    columns = [[draw(CELLS), *(draw(st.sampled_from(pool)) for _ in range(count))] for pool in pools]
    delimiter = draw(DELIMITERS)
    return "\n".join(delimiter.join(row) for row in zip(*columns, strict=True)).encode("utf-8", "replace")


def check(name, data):
    """Either a sound signal comes out, or one sentence."""
    message, signal = "", None
    try:
        signal = uploads.read(name, data)
    except AecoreError as error:
        message = str(error)
    if signal is None:
        assert message.isprintable()
        assert message.endswith(".")
        return
    rows, channels = signal.values.shape
    assert np.isfinite(signal.values).all()
    assert len(set(signal.channels)) == channels > 0
    assert signal.missing.shape == (rows,)
    assert signal.labels is None or set(signal.labels.tolist()) <= {0, 1}
    assert signal.time is None or (len(signal.time) == rows and not pd.isna(signal.time).any())
    assert signal.sample_rate is None or 0 < signal.sample_rate < np.inf
    assert all(note.endswith(".") and "\n" not in note for note in signal.notes)


@settings(ANY_TIME, max_examples=150)
@given(data=st.binary(max_size=300), name=st.sampled_from(["a.csv", "a.csv.gz", "a.txt"]))
def test_random_bytes(data, name):
    check(name, data)


@settings(ANY_TIME, max_examples=150)
@given(data=ragged())
def test_random_ragged_rows(data):
    check("a.csv", data)


@settings(ANY_TIME, max_examples=250)
@given(data=tables())
def test_random_tables(data):
    check("a.csv", data)


@settings(ANY_TIME, max_examples=60)
@given(
    values=st.lists(st.lists(st.floats(-1e30, 1e30), min_size=3, max_size=3), min_size=2, max_size=20),
    delimiter=st.sampled_from([";", "\t"]),
    decimal=st.sampled_from([".", ","]),
)
def test_what_pandas_writes_comes_back(values, delimiter, decimal):
    frame = pd.DataFrame(values, columns=["x", "y", "z"])
    signal = read(frame.to_csv(index=False, sep=delimiter, decimal=decimal))
    np.testing.assert_allclose(signal.values, frame.to_numpy(), rtol=1e-12, atol=1e-300)


# --- real recordings --------------------------------------------------------------------------------------------


@needs_shared
@pytest.mark.parametrize("collection", ["skab", "nab", "ucr", "cwru"])
def test_real_recordings_go_through_unedited(collection):
    files = [path for path in sorted((SHARED / collection).glob("*.csv*")) if path.name != "manifest.csv"]
    assert files
    for path in files:
        signal = uploads.read(path.name, path.read_bytes())
        frame = pd.read_csv(path)
        expected = frame.drop(columns=[name for name in ("time", "index", "label", "changepoint") if name in frame])
        assert signal.channels == tuple(expected.columns)
        np.testing.assert_allclose(signal.values, expected.to_numpy(), rtol=1e-12)
        np.testing.assert_array_equal(signal.labels, frame["label"])
        assert not signal.missing.any()
        if collection in ("skab", "nab"):
            np.testing.assert_array_equal(signal.time, pd.to_datetime(frame["time"]).to_numpy())
        assert signal.sample_rate == {"skab": 1.0, "cwru": 12000.0}.get(collection, signal.sample_rate)


@needs_shared
def test_skab_as_published_with_semicolons():
    path = SHARED / "skab" / "valve1_0.csv"
    frame = pd.read_csv(path).rename(columns={"time": "datetime", "label": "anomaly"})
    frame[["anomaly", "changepoint"]] = frame[["anomaly", "changepoint"]].astype(float)
    written = io.StringIO()
    frame.to_csv(written, sep=";", index=False)
    published, prepared = read(written.getvalue()), uploads.read(path.name, path.read_bytes())
    for field in ("values", "time", "labels"):
        np.testing.assert_array_equal(getattr(published, field), getattr(prepared, field))
    assert published.channels == prepared.channels
