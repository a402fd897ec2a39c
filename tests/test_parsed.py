"""Files are parsed once and interpreted often, within bounds on what is read of them, not on what is left."""

import datetime as dt
import io
import json
import logging
import tracemalloc
import zipfile

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aecore.concepts import sensor_anomalies as sensors
from aecore.data.readers import archives as packing
from aecore.data.readers import json_lines, parquet, uploads, workbooks
from aecore.data.readers.options import ReadOptions
from aecore.data.tables import gaps
from aecore.data.tables import table as tables
from aecore.data.tables.table import Signal
from aecore.errors import UnreadableFile
from aecore.jobs.serialization import pack, rebuild, unpack
from aecore.numerics.progress import finish
from tests import files

WHEN = [dt.datetime(2024, 3, 1, 12, 0, i) for i in range(20)]
LOG = files.table().assign(when=[f"2024-03-01 12:00:{i:02d}" for i in range(20)], fault=[0] * 15 + [1] * 5)
FILES = {
    "a.csv": LOG.to_csv(index=False).encode(),
    "gaps.csv": b"t,v,w\n0,1.5,x\n1,,y\n2,bad,\n3,4.5,z\n4,5,\n",
    "comma.csv": b"t;v\n" + b"".join(b"%d;%d,5\n" % (i, i * i) for i in range(9)),
    "a.csv.zip": files.zipped(("a.csv", LOG.to_csv(index=False).encode())),
    "a.xlsx": files.xlsx(S=[["when", "u", "word"], *([w, i * 1.5, "abc"[i % 3]] for i, w in enumerate(WHEN))]),
    "mixed.xlsx": files.xlsx(S=[["a", "b"], [1, 2.5], ["x", None], [True, dt.time(1, 2)], [4, dt.date(2024, 1, 1)]]),
    "a.parquet": files.parquet(LOG.assign(kind=pd.Categorical(["a", "b"] * 10))),
    "a.npy": files.npy(np.asfortranarray(np.random.default_rng(0).normal(size=(30, 3)))),
    "text.npy": files.npy(np.array([["1.5", "x"], ["2.5", "y"], ["3", "z"]])),
    "a.npz": files.npz(a=np.arange(9.0), b=np.arange(9)),
    "a.mat": files.mat(a=np.arange(9.0), b=np.arange(9)),
    "a.wav": files.audio(),
    "a.jsonl": files.records(*({"t": i, "v": i * 1.5, "w": [None, "x", True, 2][i % 4]} for i in range(12))),
}
OPTIONS = [None, ReadOptions(sample_rate=50.0), ReadOptions(time="", label="")]


def same(a: Signal, b: Signal) -> None:
    np.testing.assert_array_equal(a.values, b.values)
    for one, other in ((a.time, b.time), (a.labels, b.labels), (a.missing, b.missing)):
        assert (one is None) == (other is None)
        np.testing.assert_array_equal(one, other)
    assert (a.channels, a.sample_rate, a.notes, a.roles) == (b.channels, b.sample_rate, b.notes, b.roles)


# --- parse once, interpret often ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_a_parsed_file_that_has_travelled_is_interpreted_as_the_file_is_read(name):
    parsed = uploads.parse(name, FILES[name], ReadOptions(channels=("no such column",)))  # columns do not matter yet
    sent = pack(parsed, private=True)
    arrived = unpack(rebuild(sent.head, [bytes(part) for part in sent.parts]))
    assert type(arrived) is type(parsed)
    for options in OPTIONS:
        same(uploads.interpret(arrived, options), uploads.read(name, FILES[name], options))


def test_interpreting_touches_no_reader(monkeypatch):
    parsed = uploads.parse("a.csv", FILES["a.csv"])
    monkeypatch.setattr(uploads, "READERS", {})
    monkeypatch.setattr(uploads, "unpack", None)
    monkeypatch.setattr(pd, "read_csv", None)
    assert uploads.interpret(parsed, ReadOptions(time="when")).roles.time == "when"
    assert uploads.interpret(parsed, ReadOptions(channels=("n",), time="")).channels == ("n",)


def test_interpreting_leaves_the_parsed_cells_as_they_are():
    parsed = uploads.parse("gaps.csv", FILES["gaps.csv"])
    first = uploads.interpret(parsed)
    first.values[:] = 7  # what a caller does to a signal is its own affair
    same(uploads.interpret(parsed), uploads.read("gaps.csv", FILES["gaps.csv"]))


def test_options_on_text_belong_to_the_parsing():
    text = ReadOptions(delimiter=";", decimal=",", encoding="utf-8", header=True, time="t", sample_rate=None)
    assert text.of_text() == ReadOptions(delimiter=";", decimal=",", encoding="utf-8", header=True)
    parsed = uploads.parse("comma.csv", FILES["comma.csv"], text)
    assert uploads.interpret(parsed).values[:, -1].tolist() == [i * i + 0.5 for i in range(9)]


def test_a_parsed_file_knows_its_size():
    values = np.random.default_rng(0).normal(size=(50_000, 4))
    assert uploads.parse("a.npy", files.npy(values)).nbytes == values.nbytes
    words = pd.DataFrame({"v": np.arange(1000.0), "w": ["word"] * 1000})
    size = uploads.parse("a.csv", words.to_csv(index=False).encode()).nbytes
    assert 1000 * (8 + 4) <= size <= 1000 * 64


def run(task):
    return finish(task)


def test_the_jobs_do_the_two_halves():
    parsed = run(sensors.parse_file("a.csv", FILES["a.csv"]))
    options = ReadOptions(time="when")
    signal = run(sensors.interpret(parsed, options))
    same(signal, gaps.regular(uploads.read("a.csv", FILES["a.csv"], options)).signal)
    same(signal, run(sensors.parse("a.csv", FILES["a.csv"], options)))


def test_an_array_of_twenty_million_cells_is_read_in_twice_its_memory():
    data = files.npy((np.arange(20_000_000) % 251).astype(np.uint8).reshape(-1, 2))
    tracemalloc.start()
    parsed = uploads.parse("a.npy", data)
    signal = uploads.interpret(parsed)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert signal.values.nbytes == 160_000_000
    assert peak < 2.1 * signal.values.nbytes, peak


# --- workbooks ----------------------------------------------------------------------------------------------------


def rewritten(book: bytes, **parts: bytes) -> bytes:
    """A workbook with other content in some of its parts."""
    source = zipfile.ZipFile(io.BytesIO(book))
    held = {name: source.read(name) for name in source.namelist()} | parts
    return files.zipped(*held.items())


def sheet(rows: bytes) -> dict[str, bytes]:
    space = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    return {"xl/worksheets/sheet1.xml": b"<worksheet %b><sheetData>%b</sheetData></worksheet>" % (space, rows)}


def test_cells_are_what_openpyxl_finds_in_them():
    book = openpyxl.Workbook()
    page = book.active
    rows = [
        ["int", "float", "text", "flag", "when", "day", "clock", "span", "error", "formula"],
        *(
            [i, i / 3, f"word {i}", i % 2 == 0, dt.datetime(2024, 1, 1, 3, 4, i), dt.date(2024, 1, i + 1),
             dt.time(1, 2, i), dt.timedelta(hours=30, seconds=i), "#DIV/0!", f"={i}+1"]
            for i in range(9)
        ),
        [None, -1e300, "  kept  ", None, dt.datetime(1900, 1, 2), None, None, None, "_x000D_", None],
    ]  # fmt: skip
    for row in rows:
        page.append(row)
    data = files.written(book.save)
    read = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True).active
    expected = [list(row) for row in read.iter_rows(values_only=True)]
    found = workbooks._read("a.xlsx", data).sheet
    assert [number for number, _ in found.rows] == list(range(1, len(rows) + 1))
    for (_, cells), row in zip(found.rows, expected, strict=True):
        assert cells + [None] * (len(row) - len(cells)) == row
        assert [type(cell) for cell in cells] == [type(cell) for cell in row[: len(cells)]]
    assert found.formulas[0] == (2, 10, "=0+1")


def test_inline_and_rich_texts_and_cells_without_references_are_read():
    rows = (
        b'<row><c t="inlineStr"><is><t>u</t></is></c><c t="inlineStr"><is><r><t>w </t></r><r><t>[V]</t></r>'
        b"<rPh><t>hint</t></rPh></is></c></row>"
        b"<row><c><v>1</v></c><c><v>2.5</v></c></row><row/><row><c><v>3</v></c><c><v>1e2</v></c></row>"
    )
    signal = uploads.read("a.xlsx", rewritten(files.xlsx(), **sheet(rows)))
    assert signal.channels == ("u", "w [V]")
    assert signal.values.tolist() == [[1, 2.5], [2, 51.25], [3, 100]]


def test_dates_of_old_macintosh_books_count_from_1904():
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    for row in [["when", "v"], *([w, float(i)] for i, w in enumerate(WHEN))]:
        book.active.append(row)
    signal = uploads.read("a.xlsx", files.written(book.save))
    assert signal.time[0] == np.datetime64(WHEN[0])


SPARSE = b"".join(b'<row r="%d"><c r="XFD%d"/></row>' % (i, i) for i in range(1, 2001))


def test_cells_that_are_not_there_cost_nothing():
    tracemalloc.start()
    with pytest.raises(UnreadableFile, match="no worksheet with values"):
        uploads.read("a.xlsx", rewritten(files.xlsx(), **sheet(SPARSE)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000  # a row as wide as a sheet may be takes 131 kB


@pytest.mark.parametrize("rows", [SPARSE, b"<row/>" * 2000, b"<x/>" * 8000], ids=["empty cells", "empty rows", "other"])
def test_everything_that_is_read_of_a_workbook_counts(rows, monkeypatch):
    monkeypatch.setattr(workbooks, "MAX_CELLS", 1500)
    with pytest.raises(UnreadableFile, match="more than the 1,500 cells that are read of a workbook, empty ones"):
        uploads.read("a.xlsx", rewritten(files.xlsx(), **sheet(rows)))


def test_rows_count_over_all_sheets(monkeypatch):
    monkeypatch.setattr(workbooks, "MAX_CELLS", 500)
    book = files.xlsx(**{f"S{i}": [["note", *range(99)]] for i in range(9)})
    with pytest.raises(UnreadableFile, match="more than the 500 cells"):
        uploads.read("a.xlsx", book)


RELATIONS = b"""<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Type="http://x/relationships/worksheet" Target="worksheets/sheet1.xml" Id="rId1"/>
<Relationship Type="http://x/relationships/styles" Target="/xl/styles.xml" Id="rId2"/>
<Relationship Type="http://x/relationships/sharedStrings" Target="sharedStrings.xml" Id="rId3"/></Relationships>"""


def with_strings(strings: bytes, rows: bytes) -> bytes:
    """A workbook whose texts lie in a part of their own, as spreadsheet programs write them."""
    parts = {"xl/_rels/workbook.xml.rels": RELATIONS, "xl/sharedStrings.xml": b"<sst>%b</sst>" % strings}
    return rewritten(files.xlsx(), **parts, **sheet(rows))


def test_shared_strings_are_found_by_their_number():
    strings = b"<si><t>u</t></si><si><r><t>w</t></r><r><t xml:space='preserve'> [V]</t></r><rPh><t>x</t></rPh></si>"
    rows = b'<row><c t="s"><v>1</v></c><c t="s"><v>0</v></c></row>' + b"<row><c><v>1.5</v></c><c><v>2</v></c></row>" * 3
    signal = uploads.read("a.xlsx", with_strings(strings, rows))
    assert signal.channels == ("w [V]", "u")
    with pytest.raises(UnreadableFile, match="damaged or oddly made"):
        uploads.read("a.xlsx", with_strings(strings, rows.replace(b"<v>0<", b"<v>7<")))
    with pytest.raises(UnreadableFile, match="damaged or oddly made"):
        uploads.read("a.xlsx", with_strings(strings, rows.replace(b"<v>0<", b"<v>-1<")))


def test_shared_strings_count(monkeypatch):
    monkeypatch.setattr(workbooks, "MAX_CELLS", 1500)
    with pytest.raises(UnreadableFile, match="more than the 1,500 cells"):
        uploads.read("a.xlsx", with_strings(b"<si><t/></si>" * 2000, b"<row><c><v>1</v></c></row>" * 5))


def test_one_shared_text_in_many_cells_stays_short():
    rows = b'<row><c><v>1.5</v></c><c t="s"><v>0</v></c></row>' * 2000
    parsed = uploads.parse("a.xlsx", with_strings(b"<si><t>%b</t></si>" % (b"7" * 200_000), rows))
    assert parsed.nbytes < 2000 * 500


def test_one_long_text_in_many_cells_stays_short():
    rows = [["u", "w"], *([i * 1.5, "7" * 30_000] for i in range(300))]
    parsed = uploads.parse("a.xlsx", files.xlsx(S=rows))
    assert parsed.nbytes < 300 * 500


def test_a_workbook_that_declares_entities_is_refused():
    entities = (
        b'<!DOCTYPE x [<!ENTITY a "1">]><worksheet><sheetData><row><c><v>&a;</v></c></row></sheetData></worksheet>'
    )
    with pytest.raises(UnreadableFile, match="damaged or oddly made"):
        uploads.read("a.xlsx", rewritten(files.xlsx(), **{"xl/worksheets/sheet1.xml": entities}))


# --- Parquet ------------------------------------------------------------------------------------------------------


def written(table: pa.Table, **options) -> bytes:
    return files.written(lambda file: pq.write_table(table, file, **options))


def test_one_long_string_for_many_rows_stays_coded():
    coded = pa.DictionaryArray.from_arrays(pa.array(np.zeros(3000, np.int32)), pa.array(["7" * 200_000]))
    data = written(pa.table({"s": coded, "v": np.arange(3000.0)}), compression="zstd", store_schema=False)
    assert len(data) < 10_000
    before = pa.default_memory_pool().max_memory()
    assert uploads.parse("a.parquet", data).nbytes < 3000 * (parquet.MAX_TEXT + 32)
    assert pa.default_memory_pool().max_memory() < max(before, 40_000_000)


def test_columns_that_unpack_to_too_much_are_refused_by_the_footer(monkeypatch):
    monkeypatch.setattr(parquet, "MAX_BYTES", 1_000_000)
    values = pa.table({"v": np.random.default_rng(0).normal(size=200_000)})
    with pytest.raises(UnreadableFile, match="holds more than 256 MB"):
        uploads.read("a.parquet", written(values))


def test_a_footer_that_lies_about_its_rows_is_found_out(monkeypatch):
    monkeypatch.setattr(tables, "MAX_CELLS", 100_000)
    rows = 300_000
    data = bytearray(written(pa.table({"v": np.zeros(rows)}), row_group_size=rows))
    foot = len(data) - 8 - int.from_bytes(data[-8:-4], "little")

    def number(value, width=0):  # zigzag, then seven bits a byte
        value, out = 2 * value, []
        while value or not out or len(out) < width:
            out.append(value & 0x7F)
            value >>= 7
        return bytes([*(part | 0x80 for part in out[:-1]), out[-1]])

    honest = b"\x16" + number(rows)
    found = False
    for at in range(foot, len(data) - 8):
        if data[at : at + len(honest)] != honest:
            continue
        lying = bytearray(data)
        lying[at + 1 : at + len(honest)] = number(10, len(honest) - 1)
        if pq.ParquetFile(io.BytesIO(bytes(lying))).metadata.num_rows != 10:
            continue
        found = True
        with pytest.raises(UnreadableFile, match="about 131,072 rows of 1 column"):  # as they came, not as stated
            uploads.read("a.parquet", bytes(lying))
    assert found


NONE, STAMPS = pa.nulls(20, pa.timestamp("us")), pa.array(np.arange(20) * 10**6, pa.timestamp("us"))
FAR = pa.array([-62_135_596_800 + i for i in range(20)], pa.timestamp("s"))


@pytest.mark.parametrize(
    "columns", [{"v": 0, "ended": NONE}, {"timestamp": NONE, "v": 0}, {"started": NONE, "measured_at": STAMPS, "v": 0},
                {"v": 0, "when": FAR}, {"v": 0, "when": pa.array([2**31 - 1 - i for i in range(20)], pa.date32())}],
    ids=["last", "first", "before another", "year 1", "year 5,881,580"],
)  # fmt: skip
def test_dates_without_a_value_in_our_centuries_are_no_clock(columns):
    held = {name: pa.array(np.arange(20) ** 1.5) if name == "v" else column for name, column in columns.items()}
    signal = uploads.read("a.parquet", written(pa.table(held)))
    assert signal.channels == ("v",)
    assert (signal.time is not None) == ("measured_at" in columns)


def test_a_column_of_dates_with_some_missing_is_a_clock_and_says_so():
    when = pa.array([None if i in (3, 4, 9) else i * 10**6 for i in range(20)], pa.timestamp("us"))
    signal = uploads.read("a.parquet", written(pa.table({"when": when, "v": np.arange(20) ** 1.5})))
    assert signal.sample_rate == 1.0
    assert any("3 cells without one filled by straight lines" in note for note in signal.notes)


@pytest.mark.parametrize("text", ["١٠:٠٠:{:02d}", "{:02d}:１０:００", "２０２４-01-{:02d}"])
def test_clocks_and_dates_in_other_digits_are_read_as_text(text):
    rows = "".join(f"{text.format(i)},{i * i}\n" for i in range(1, 20))
    assert uploads.read("a.csv", f"when,v\n{rows}".encode()).channels == ("v",)


# --- JSON ---------------------------------------------------------------------------------------------------------


def peak_of(name: str, data: bytes, words: str) -> int:
    tracemalloc.start()
    with pytest.raises(UnreadableFile, match=words):
        uploads.read(name, data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_an_array_of_nothing_is_read_item_by_item():
    data = b"[" + b"{}," * 300_000 + b"{}]"
    assert peak_of("a.json", data, "no JSON records") < 8 * len(data)  # whole, it takes thirtyfold


def test_a_record_of_nested_lists_is_refused_by_its_length():
    deep = b'{"a": [' + b"[]," * 500_000 + b"[]]}"
    assert peak_of("a.jsonl", deep, "a record of more than 256 kB") < 8 * len(deep)
    assert peak_of("a.json", b"[{}," + deep + b"]", "a record of more than 256 kB") < 8 * len(deep)


def test_items_without_end_are_refused(monkeypatch):
    monkeypatch.setattr(json_lines, "MAX_ITEMS", 1000)
    for data in (b"[" + b"{}," * 2000 + b"{}]", b"{}\n" * 2000):
        with pytest.raises(UnreadableFile, match="more than 1,000 lines or items"):
            uploads.read("a.json", data)


@pytest.mark.parametrize("window", [200, 1 << 18])
def test_arrays_are_read_across_windows_as_json_reads_them(window, monkeypatch):
    monkeypatch.setattr(json_lines, "MAX_RECORD", window)
    records = [{"v": i * 1.25, "ü": "é€😀" * (i % 3), "n": {"x": i}} for i in range(300)]
    expected = pd.DataFrame(records)["v"].tolist()
    for text in (
        json.dumps(records),
        json.dumps(records, indent=1, ensure_ascii=False),
        f"\n {json.dumps(records)} \n",
    ):
        signal = uploads.read("a.json", text.encode(), ReadOptions(time=""))
        assert signal.values[:, 0].tolist() == expected
        assert signal.channels == ("v", "n.x")


def test_an_array_that_breaks_off_keeps_its_whole_items():
    text = json.dumps([{"v": i * 1.5} for i in range(50)]).encode()[:-9]
    signal = uploads.read("a.json", text)
    assert len(signal.values) == 49
    assert "1 line without a JSON object skipped." in signal.notes


def test_columns_are_gathered_across_blocks(monkeypatch):
    monkeypatch.setattr(json_lines, "BLOCK", 7)
    rows = [{"i": i, "f": i / 2, "late": i} if i > 20 else {"i": i, "f": None if i == 3 else i} for i in range(40)]
    signal = uploads.read("a.jsonl", files.records(*rows), ReadOptions(time=""))
    assert signal.channels == ("i", "f", "late") or signal.channels == ("f", "late")
    late = signal.values[:, signal.channels.index("late")]
    assert late[21:].tolist() == list(range(21, 40))
    assert signal.missing[3] and signal.missing[:21].all()


# --- other bounds, and the edge -----------------------------------------------------------------------------------


def test_gzip_sets_aside_no_more_than_comes():
    data = packing.gzip.compress(b"1,2\n" * 1000)
    tracemalloc.start()
    packing.unpack("a.csv.gz", data, ("csv",))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


def test_long_texts_of_arrays_are_cut():
    parsed = uploads.parse("a.npz", files.npz(s=np.array([b"x" * 50_000] * 40), v=np.arange(40.0)))
    assert parsed.nbytes < 40 * 500


def test_variables_without_end_are_refused():
    many = files.mat(compressed=False, **{f"v{i}": np.arange(3.0) for i in range(1100)})
    with pytest.raises(UnreadableFile, match="breaks off or is no MATLAB file"):
        uploads.read("a.mat", many)


@pytest.mark.parametrize("error", [ZeroDivisionError("a,b secret"), MemoryError()], ids=["unexpected", "memory"])
def test_what_a_reader_did_not_expect_becomes_a_sentence_and_its_kind_is_logged(error, monkeypatch, caplog):
    def broken(name, data, options):
        raise error

    monkeypatch.setattr(uploads, "READERS", uploads.READERS | {"csv": broken})
    with caplog.at_level(logging.WARNING), pytest.raises(UnreadableFile, match=r"'a.csv' .*; .*\.") as raised:
        uploads.read("a.csv", b"a,b\n1,2\n")
    assert "secret" not in str(raised.value) + caplog.text
    assert ("ZeroDivisionError" in caplog.text) == isinstance(error, ZeroDivisionError)


def test_what_the_interpretation_did_not_expect_becomes_a_sentence(monkeypatch):
    parsed = uploads.parse("a.csv", b"a,b\n1,2\n3,4\n")
    monkeypatch.setattr(tables.clocks, "take", lambda *_, **__: 1 / 0)
    with pytest.raises(UnreadableFile, match="damaged or oddly made"):
        uploads.interpret(parsed)
