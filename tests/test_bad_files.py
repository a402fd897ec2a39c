"""Files that are torn, locked, hostile or simply not what they say: one sentence with the way out, or a note."""

import gzip
import io
import pickle
import struct
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aecore.data.readers import archives as packing
from aecore.data.readers import matlab, uploads
from aecore.data.readers.options import DECIMALS, DELIMITERS, ENCODINGS, TIME_UNITS, ReadOptions
from aecore.errors import AecoreError, DataError, SettingError, TooFewRows, UnreadableFile
from tests import files

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
ROWS = b"a,b\n1,2\n3,4\n5,6.5\n"
WAV = files.audio()
HUGE = {"descr": "<f8", "fortran_order": False, "shape": (10**11,)}


def locked_zip():
    """An archive whose member says that it is encrypted: the flag stands in both of its headers."""
    data = bytearray(files.zipped(("a.csv", ROWS)))
    data[data.index(b"PK\x03\x04") + 6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def lying_zip(size):
    """An archive whose member says that it unpacks to `size` bytes."""
    data = bytearray(files.zipped(("a.csv", ROWS)))
    data[data.index(b"PK\x01\x02") + 24 :][:4] = b""
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = struct.pack("<I", size)
    return bytes(data)


def without(data, member):
    """A zip file without one of its members."""
    source = zipfile.ZipFile(io.BytesIO(data))
    return files.zipped(*((name, source.read(name)) for name in source.namelist() if name != member))


def swapped(data, member, old, new):
    """A zip file with bytes of one member replaced."""
    source = zipfile.ZipFile(io.BytesIO(data))
    held = {name: source.read(name) for name in source.namelist()}
    assert old in held[member]
    held[member] = held[member].replace(old, new)
    return files.zipped(*held.items())


def arrow(**columns):
    return files.written(lambda file: pq.write_table(pa.table(columns), file))


SHEET = "xl/worksheets/sheet1.xml"
ENTITIES = b'<!DOCTYPE x [<!ENTITY a "' + b"ha" * 500 + b'">' + b"".join(
    b'<!ENTITY %c "%b">' % (98 + i, b"&%c;" % (97 + i) * 50) for i in range(6)
) + b"]><worksheet "  # fmt: skip

REFUSED = [
    # text
    ("a.csv", b"", UnreadableFile, "is empty (0 bytes)"),
    ("a.csv", b"\n \n", UnreadableFile, "nothing but blank lines"),
    ("a.csv", b"a,b\n", UnreadableFile, "a header but no rows"),
    ("a.csv", b"a,b\n1,2\n", TooFewRows, "holds 1 row"),
    ("a.csv", b"a,b\nnan,nan\n,\n-,-\n", TooFewRows, "holds 0 rows"),
    ("a.csv", b"who,where\nbob,rome\nann,oslo\n", UnreadableFile, "no column of numbers"),
    ("a.csv", (",".join(f"c{i}" for i in range(5000)) + "\n" + "1," * 4999 + "1\n").encode(), UnreadableFile,
     "5,000 columns, and at most 200"),
    ("a.csv", b"1,2\n" + bytes(5000), UnreadableFile, "is binary"),
    ("a.csv", np.random.default_rng(0).bytes(3000), UnreadableFile, "is binary"),
    ("a.csv", b"<!DOCTYPE html><html><table><tr><td>1</td></tr></table></html>", UnreadableFile, "is a web page"),
    ("a.csv", b"%PDF-1.7\n" + bytes(99), UnreadableFile, "is a PDF"),
    ("a.docx", ROWS, UnreadableFile, "of a kind that is not read here"),
    ("a", ROWS, UnreadableFile, "of a kind that is not read here"),
    ("a.pkl", pickle.dumps({"a": [1, 2]}), UnreadableFile, "is a Python pickle"),
    ("a.csv", pickle.dumps(np.arange(5)), UnreadableFile, "is a Python pickle"),
    ("a.mp3", b"ID3" + bytes(99), UnreadableFile, "save it as WAV or FLAC"),
    # packing
    ("a.csv.gz", gzip.compress(ROWS * 99)[:-20], UnreadableFile, "breaks off or is damaged inside its gzip"),
    ("a.csv.gz", gzip.compress(ROWS)[:12] + b"rubbish" * 9, UnreadableFile, "breaks off or is damaged inside its gzip"),
    ("a.csv.gz", ROWS, UnreadableFile, "is not gzip data"),
    ("a.zip", ROWS, UnreadableFile, "is not zip data"),
    ("a.zip", files.zipped(("a.csv", ROWS))[:-30], UnreadableFile, "breaks off or is damaged"),
    ("a.zip", files.zipped(("a.csv", ROWS), compression=0).replace(b"a,b", b"a,x"), UnreadableFile,
     "breaks off or is damaged"),
    ("a.zip", files.zipped(("a/", b""), ("a/b/", b"")), UnreadableFile, "an archive without a file in it"),
    ("a.zip", files.zipped(), UnreadableFile, "an archive without a file in it"),
    ("a.zip", files.zipped(("a.csv", b"")), UnreadableFile, "is empty (0 bytes)"),
    ("a.zip", files.zipped(("a.exe", b"MZ"), ("b.md", b"hi")), UnreadableFile, "only 'a.exe', 'b.md'"),
    ("a.zip", files.zipped(("a.csv", ROWS)).replace(b"a.csv", b"\0.csv"), UnreadableFile,
     "an archive without a file in it"),
    ("a.zip", files.zipped(("../../<script>.exe", b"MZ")), UnreadableFile, "only '<script>.exe'"),
    ("a.zip", files.zipped(("a.csv", ROWS), compression=zipfile.ZIP_LZMA), UnreadableFile, "packed in an unusual way"),
    ("a.zip", files.zipped(*((f"{i}.csv", ROWS) for i in range(10_001))), UnreadableFile, "holds 10,001 files"),
    ("a.zip", locked_zip(), UnreadableFile, "locked by a password"),
    ("a.zip", lying_zip(2**31), UnreadableFile, "holds more than 256 MB"),
    ("a.zip", files.zipped(("a.csv.gz", gzip.compress(gzip.compress(gzip.compress(gzip.compress(ROWS)))))),
     UnreadableFile, "packed in more than 3 layers"),
    ("a.7z", b"7z\xbc\xaf\x27\x1c" + bytes(99), UnreadableFile, "packed with 7-Zip; unpack it"),
    # workbooks
    ("a.xls", OLE, UnreadableFile, "an old Excel workbook (.xls) or one locked by a password"),
    ("a.xlsx", OLE, UnreadableFile, "an old Excel workbook (.xls) or one locked by a password"),
    ("a.xls", ROWS, UnreadableFile, "save it as .xlsx"),
    ("a.xlsx", ROWS, UnreadableFile, "no Excel workbook by its content; if it is text, name it .csv"),
    ("a.xlsx", files.xlsx(S=[[]]), UnreadableFile, "no worksheet with values"),
    ("a.xlsx", files.xlsx(S=[["a", "b"], [1, 2]]), TooFewRows, "holds 1 row"),
    ("a.xlsx", files.xlsx(S=[["a", "b"]]), UnreadableFile, "a header but no rows"),
    ("a.xlsx", files.xlsx(S=[["u"], ["=1+1"], ["=A2*2"]]), UnreadableFile, "formulas without stored values, such as"),
    ("a.xlsx", files.xlsx(S=[["u"], ["bob"], ["ann"]]), UnreadableFile, "no column of numbers"),
    ("a.xlsx", files.xlsx()[:2000], UnreadableFile, "breaks off or is damaged"),
    ("a.xlsx", without(files.xlsx(), SHEET), UnreadableFile, "no worksheet with values"),
    ("a.xlsx", without(files.xlsx(), "[Content_Types].xml"), UnreadableFile, "damaged or oddly made"),
    ("a.xlsx", swapped(files.xlsx(), SHEET, b"</row>", b"</raw>"), UnreadableFile, "damaged or oddly made"),
    ("a.xlsx", swapped(swapped(files.xlsx(), SHEET, b"<worksheet ", ENTITIES), SHEET, b"</v>", b"&g;</v>"),
     UnreadableFile, "damaged or oddly made"),
    ("a.xlsx", swapped(files.xlsx(), SHEET, b'r="A3"', b'r="ZZZZ3"'), UnreadableFile, "damaged or oddly made"),
    ("a.xlsx", files.xlsx(S=[range(5000), range(5000), range(5000)]), UnreadableFile, "5,000 columns, and at most 200"),
    ("a.docx", files.zipped(("[Content_Types].xml", b""), ("word/document.xml", b"")), UnreadableFile,
     "an Office document without a table"),
    ("a.ods", files.zipped(("mimetype", b""), ("content.xml", b"")), UnreadableFile, "an OpenDocument file"),
    # Parquet
    ("a.parquet", files.parquet()[:-300], UnreadableFile, "breaks off, is damaged or is no Parquet file"),
    ("a.parquet", files.parquet()[:50], UnreadableFile, "breaks off, is damaged or is no Parquet file"),
    ("a.parquet", ROWS, UnreadableFile, "breaks off, is damaged or is no Parquet file"),
    ("a.parquet", arrow(a=pa.array([[1], [2]]), b=pa.array([{"x": 1}] * 2)), UnreadableFile,
     "2 columns of lists, structs or bytes and no plain one"),
    ("a.parquet", files.parquet(pd.DataFrame({"a": []})), TooFewRows, "holds 0 rows"),
    ("a.parquet", arrow(**{f"c{i}": pa.array([1, 2]) for i in range(1001)}), UnreadableFile, "1,001 columns"),
    ("a.parquet", arrow(**{f"c{i}": pa.array([1, 2]) for i in range(300)}), DataError, "300 channels"),
    # NumPy
    ("a.npy", files.npy(np.array([{"a": 1}, None]), allow_pickle=True), UnreadableFile, "holds Python objects"),
    ("a.npy", files.npy_claiming(HUGE, bytes(800)), UnreadableFile, "claims 800 GB in 100,000,000,000 values"),
    ("a.npy", files.npy_claiming(HUGE | {"shape": (-5,)}, bytes(80)), UnreadableFile, "claims"),
    ("a.npy", files.npy_claiming(HUGE | {"descr": "|V0"}), UnreadableFile, "claims"),
    ("a.npy", files.npy_claiming("[" * 9000), UnreadableFile, "breaks off or is damaged"),
    ("a.npy", files.npy_claiming("__import__('os')"), UnreadableFile, "breaks off or is damaged"),
    ("a.npy", files.npy(np.arange(99.0))[:-9], UnreadableFile, "claims"),
    ("a.npy", files.npy(np.arange(99.0))[:20], UnreadableFile, "breaks off or is damaged"),
    ("a.npy", ROWS, UnreadableFile, "breaks off or is damaged"),
    ("a.npy", files.npy(np.zeros((4, 5, 6))), UnreadableFile, "no array of rows and channels"),
    ("a.npy", files.npy(np.float64(7)), UnreadableFile, "no array of rows and channels"),
    ("a.npy", files.npy(np.ones(9) + 1j), UnreadableFile, "no array of rows and channels"),
    ("a.npy", files.npy(np.array(["a", "b", "c"])), UnreadableFile, "no column of numbers"),
    ("a.npy", files.npy(np.zeros((300, 250))), DataError, "250 channels, and at most 200"),
    ("a.npz", files.npz(a=np.float64(1), b=np.zeros((2, 2, 2))), UnreadableFile, "no array of rows and channels"),
    ("a.npz", files.npz(), UnreadableFile, "an archive without a file in it"),
    ("a.npz", files.npz(a=np.arange(9))[:-9], UnreadableFile, "breaks off or is damaged"),
    ("a.npz", files.zipped(("a.npy", files.npy_claiming(HUGE))), UnreadableFile, "'a' in 'a.npz' claims 800 GB"),
    ("a.npz", files.zipped(("a.npy", b"\x93NUMPY")), UnreadableFile, "breaks off or is damaged"),
    # MATLAB
    ("a.mat", b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512) + b"\x89HDF\r\n\x1a\n", UnreadableFile, "'-v7'"),
    ("a.mat", b"\x89HDF\r\n\x1a\n" + bytes(99), UnreadableFile, "an HDF5 file"),
    ("a.mat", files.mat(a=np.arange(999.0))[:400], UnreadableFile, "breaks off or is no MATLAB file"),
    ("a.mat", files.mat(a=np.arange(999.0))[:130], UnreadableFile, "breaks off or is no MATLAB file"),
    ("a.mat", files.mat(compressed=False, a=np.arange(9.0)).replace(b"\x09\0\0\0\x48", b"\xff\0\0\0\x48"),
     UnreadableFile, "breaks off or is no MATLAB file"),  # a type number that takes an unguarded reader's process down
    ("a.mat", files.mat(a=np.zeros(99_999))[:-9], UnreadableFile, "breaks off or is no MATLAB file"),
    ("a.mat", ROWS, UnreadableFile, "breaks off or is no MATLAB file"),
    ("a.mat", bytes(2000), UnreadableFile, "breaks off or is no MATLAB file"),
    ("a.mat", files.mat(a={"x": 1}, b="text"), UnreadableFile, "no matrix of real numbers, only a (struct), b (char)"),
    ("a.mat", files.mat(), UnreadableFile, "no matrix of real numbers"),
    # recordings
    ("a.wav", b"", UnreadableFile, "is empty (0 bytes)"),
    ("a.wav", WAV[:44], UnreadableFile, "a recording of no length"),
    ("a.wav", WAV[:30], UnreadableFile, "breaks off, has a header that cannot be right"),
    ("a.wav", WAV[:24] + struct.pack("<I", 0) + WAV[28:], UnreadableFile, "a rate of 0 Hz"),
    ("a.wav", WAV[:22] + struct.pack("<H", 0) + WAV[24:], UnreadableFile, "breaks off, has a header that cannot"),
    ("a.wav", ROWS, UnreadableFile, "is no WAV, FLAC or Ogg recording"),
    ("a.wav", files.audio(values=np.zeros((9, 250))), DataError, "250 channels, and at most 200"),
    ("a.flac", files.audio("FLAC")[:60], UnreadableFile, "breaks off"),
    ("a.ogg", files.audio("OGG")[:500], UnreadableFile, "breaks off"),
    # JSON
    ("a.jsonl", b"a,b\n1,2\n", UnreadableFile, "no JSON records"),
    ("a.json", b'{"a": [1, 2], "b": [3, 4]}', UnreadableFile, "write one object a line"),
    ("a.json", b"[[1, 2], [3, 4]]", UnreadableFile, "no JSON records"),
    ("a.jsonl", b"[" * 100_000, UnreadableFile, "no JSON records"),
    ("a.jsonl", b'{"a": ' + b"9" * 5000 + b"}\n", UnreadableFile, "no JSON records"),
    ("a.jsonl", files.records(*({f"k{i}": i} for i in range(5000))), UnreadableFile, "1,001 columns"),
    ("a.jsonl", files.records({"a": "x"}, {"a": "y"}), UnreadableFile, "no column of numbers"),
    ("a.jsonl", bytes(500), UnreadableFile, "is binary"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "data", "error", "words"), REFUSED, ids=[f"{name}: {words[:40]}" for name, _, _, words in REFUSED]
)
def test_what_cannot_be_read_is_said_in_one_sentence(name, data, error, words):
    with pytest.raises(error) as caught:
        uploads.read(name, data)
    message = str(caught.value)
    assert words in message
    assert message.startswith("'")
    assert message.endswith(".")
    assert message.isprintable()
    assert len(message) < 350


READ = [
    ("a.csv", b"v\n1\n=1+1\n3\n4\n", [[1], [2], [3], [4]], "1 cell of 'v' without a number"),
    ("a.csv", b"v\n1\n1e308\n3\n", [[1], [2], [3]], "infinite or huge value"),
    ("a.csv", b"v\n1\noops\n3\n?\n5\n", [[1], [2], [3], [4], [5]], "1 cell of 'v' without a number"),
    ("a.csv", b"v,e\n1,\n3,nan\n", [[1], [3]], "Without any value, left out: e."),
    ("a.csv", b"when,v\n2024-01-01,1\n02.01.2024,2\n01/03/2024,3\n", [[1], [2], [3]], "dates in 3 formats"),
    ("a.csv", b"time,v\n3,1\n2,2\n1,3\n", [[3], [2], [1]], "Time runs backwards throughout"),
    ("a.csv", b"a,a\n1,2\n3,4\n", [[1, 2], [3, 4]], ""),
    ("a.csv", "°C,v\n1,2\n3,4\n".encode("latin-1"), [[1, 2], [3, 4]], "LATIN-1"),
    ("a.csv", b"a,b\n1,2\n3,4\n" + b"\0" * 5, [[1, 2], [3, 4]], "5 zero bytes"),
    ("a.csv", b"a,b\n1,2\n3\n4,5,6\n7,8\n", [[1, 2], [3, 5], [7, 8]], "more cells than the others"),
    ("a.csv", files.npy(np.array([[1.0, 2], [3, 4], [5, 6]])), [[1, 2], [3, 4], [5, 6]], "is a NumPy array"),
    ("a.xlsx", files.xlsx(S=[["u", "f"], [1, "=A2"], [2, "=A3"]]), [[1], [2]], "Formulas without stored values"),
    ("a.xlsx", files.xlsx(S=[["v"], [1], ["#DIV/0!"], [3], [1e308], [5]]), [[1], [2], [3], [4], [5]],
     "infinite or huge"),
    ("a.xlsx", files.xlsx(S=[["v"], [1], ["_xD800_"], [3]]), [[1], [2], [3]], "without a number"),
    ("a.xlsx", files.xlsx(S=[*[[]] * 300, ["v"], [1], [2]]), [[1], [2]], ""),
    ("a.npy", files.npy(np.array([1, np.nan, 3, np.inf, 5])), [[1], [2], [3], [4], [5]], "2 gaps"),
    ("a.npy", files.npy(np.array([["1.5", "x"], ["2.5", "y"], ["3", "z"]])), [[1.5], [2.5], [3]], "column 2"),
    ("a.npy", files.npy(np.array([b"1.5", b"\xff", b"2.5"])), [[1.5], [2], [2.5]], "without a number"),
    ("a.npy", files.npy_claiming(HUGE | {"descr": "<U1", "shape": (3,)}, b"\x31\0\0\0\xff\xff\xff\xff\x33\0\0\0"),
     [[1], [2], [3]], "without a number"),
    ("a.npz", files.npz(a=np.array([1.0, 2, 4]), b=np.ones(2)), [[1], [2], [4]], "left out: b (2 rows)"),
    ("a.npz", files.npz(a=np.array([1, 2, 4]), o=np.zeros((2, 2, 2))), [[1], [2], [4]], "'o', of shape [2, 2, 2]"),
    ("a.jsonl", b'{"a": 1}\nrubbish\n{"a": NaN}\n{"a": 1e999}\n{"a": 4}\n', [[1], [2], [3], [4]], "1 line without"),
    ("a.jsonl", b'{"a": 1}\n{"a": "\\ud800"}\n{"a": 3}\n', [[1], [2], [3]], "without a number"),
    ("a.jsonl", b'{"a": 1}\n{"a": 1' + b"0" * 400 + b'}\n{"a": 3}\n', [[1], [2], [3]], "infinite or huge"),
    ("a.parquet", arrow(a=pa.array([1.0, None, 3.0]), b=pa.array([[1]] * 3)), [[1], [2], [3]], "left out: b."),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "data", "values", "words"), READ, ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_can_be_read_is_read_with_a_note(name, data, values, words):
    signal = uploads.read(name, data)
    np.testing.assert_allclose(signal.values, values)
    assert any(words in note for note in signal.notes) or not words
    assert all(note.endswith(".") and note.isprintable() for note in signal.notes)


def test_bombs_are_not_unpacked_beyond_the_limit(monkeypatch):
    monkeypatch.setattr(packing, "MAX_BYTES", 2**20)
    zeros = b"0\n" * 2**20
    book = files.zipped(("xl/workbook.xml", b""), ("xl/sharedStrings.xml", zeros))
    arrays = files.zipped(("a.npy", zeros))
    monkeypatch.setattr(matlab, "MAX_BYTES", 2**20)
    with pytest.raises(UnreadableFile, match="breaks off or is no MATLAB file"):
        uploads.read("a.mat", files.mat(a=np.zeros((2**14, 9))))
    for name, data in {
        "a.csv.gz": gzip.compress(zeros), "a.zip": files.zipped(("a.csv", zeros)), "a.xlsx": book, "a.npz": arrays,
        "b.zip": files.zipped(("a.csv.gz", gzip.compress(zeros))),
    }.items():  # fmt: skip
        assert len(data) < 10_000
        with pytest.raises(UnreadableFile, match="holds more than 1 MB; split it"):
            uploads.read(name, data)


# --- anything at all ----------------------------------------------------------------------------------------------

WHOLE = {
    "a.csv": files.table(8).to_csv(index=False).encode(),
    "a.csv.gz": gzip.compress(files.table(8).to_csv(index=False).encode()),
    "a.zip": files.zipped(("a.csv", ROWS)),
    "a.xlsx": files.xlsx(files.table(8)),
    "a.parquet": files.parquet(files.table(8), compression="none"),
    "b.parquet": files.parquet(files.table(8)),
    "a.npy": files.npy(files.table(8).to_records(index=False)),
    "b.npy": files.npy(files.table(8).to_numpy()),
    "a.npz": files.npz(a=np.arange(9.0), b=np.arange(9)),
    "a.mat": files.mat(a=np.arange(9.0), b=np.arange(9)),
    "b.mat": files.mat(compressed=False, a=np.arange(9.0), s={"x": 1}, c="text"),
    "a.wav": files.audio(values=np.sin(np.arange(40))),
    "a.flac": files.audio("FLAC", np.sin(np.arange(40))),
    "a.ogg": files.audio("OGG", np.sin(np.arange(40))),
    "a.jsonl": files.jsonl(files.table(8)),
    "a.json": files.table(8).to_json(orient="records").encode(),
}
ANY_TIME = settings(deadline=None, suppress_health_check=list(HealthCheck))


def check(name, data, options=None):
    """Either a sound signal comes out, or one sentence."""
    message, signal = "", None
    try:
        signal = uploads.read(name, data, options)
    except AecoreError as error:
        message = str(error)
    if signal is None:
        assert message.isprintable()
        assert message.endswith(".")
        return
    rows, channels = signal.values.shape
    assert np.isfinite(signal.values).all()
    assert len(set(signal.channels)) == channels > 0
    assert set(signal.channels) <= set(signal.roles.columns)
    assert signal.missing.shape == (rows,)
    assert signal.labels is None or set(signal.labels.tolist()) <= {0, 1}
    assert signal.time is None or (len(signal.time) == rows and not pd.isna(signal.time).any())
    assert signal.sample_rate is None or 0 < signal.sample_rate < np.inf
    assert all(note.endswith(".") and note.isprintable() for note in signal.notes)


@settings(ANY_TIME, max_examples=200)
@given(name=st.sampled_from(sorted({*uploads.list_extensions(), "xls", "exe"})), data=st.binary(max_size=400))
def test_random_bytes_under_every_name(name, data):
    check(f"a.{name}", data)


@settings(ANY_TIME, max_examples=400)
@given(name=st.sampled_from(sorted(WHOLE)), data=st.data())
def test_whole_files_with_a_few_bytes_changed_or_cut(name, data):
    spoilt = bytearray(WHOLE[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(spoilt) - 1))
        spoilt[at] = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF, spoilt[at] ^ 1, spoilt[at] ^ 0x80]))
    cut = data.draw(st.one_of(st.none(), st.integers(0, len(spoilt))))
    check(name, bytes(spoilt[:cut]))


MAPPED = {
    "a.csv": b"time,label,v,w,day,clock\n"
    + b"".join(b"%d,%d,%d.5,x,2024-01-0%d,10:00:0%d\n" % ((i,) * 5) for i in range(9)),
    "b.csv": b"1;2;3\n4,5;6;7\n8,5;9;1\n",
    "a.xlsx": files.xlsx(S=[["time", "label", "v"], ["s", "-", "V"], *([i, i % 2, i * 1.5] for i in range(9))]),
    "a.parquet": files.parquet(pd.DataFrame({"time": range(9), "label": [0.5] * 9, "v": range(9)})),
    "a.wav": files.audio(),
}
PART = st.sampled_from([None, None, "", "time", "label", "v", "w", "day", "clock", "column 1", "channel 1"])


@settings(ANY_TIME, max_examples=300)
@given(data=st.data(), name=st.sampled_from(sorted(MAPPED)))
def test_any_options_on_any_file(data, name):
    said = {
        "delimiter": st.sampled_from([None, *DELIMITERS]), "decimal": st.sampled_from([None, *DECIMALS]),
        "encoding": st.sampled_from([None, *ENCODINGS]), "header": st.sampled_from([None, True, False]),
        "time": PART, "label": PART, "time_unit": st.sampled_from([None, *TIME_UNITS]),
        "sample_rate": st.sampled_from([None, None, 1e-9, 100.0]),
        "channels": st.one_of(st.none(), st.lists(PART.filter(bool), max_size=3).map(tuple)),
    }  # fmt: skip
    keys = data.draw(st.sets(st.sampled_from(sorted(said)), max_size=4))
    try:
        options = ReadOptions(**{key: data.draw(said[key]) for key in keys})
    except SettingError:
        return
    check(name, MAPPED[name], options)


COLUMN = st.one_of(
    st.lists(st.floats(), min_size=5, max_size=5).map(np.array),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=5, max_size=5).map(np.array),
    st.lists(st.booleans(), min_size=5, max_size=5).map(np.array),
    st.lists(st.integers(0, 4 * 10**18), min_size=5, max_size=5).map(lambda v: np.array(v).astype("datetime64[ns]")),
    st.lists(st.text(st.characters(codec="utf-8"), max_size=4), min_size=5, max_size=5).map(
        lambda v: np.array(v, dtype=object)
    ),
)
NAMES = st.sampled_from(["time", "t [ms]", "label", "anomaly", "date", "a", "b", "", "index", "=1+1", "<b>", "\u2028"])


@settings(ANY_TIME, max_examples=150)
@given(
    columns=st.dictionaries(NAMES, COLUMN, min_size=1, max_size=4), kind=st.sampled_from(["parquet", "jsonl", "npz"])
)
def test_random_tables_in_binary_and_json(columns, kind):
    if kind == "npz":
        data = files.npz(**{name or "x": v.astype(str) if v.dtype == object else v for name, v in columns.items()})
    else:
        frame = pd.DataFrame(columns)
        if kind == "jsonl":  # as loggers write it: what JSON lacks becomes text
            data = files.records(*({k: v if isinstance(v, (int, float)) else str(v) for k, v in row.items()}
                                   for row in frame.to_dict("records")))  # fmt: skip
        else:
            data = files.parquet(frame)
    check(f"a.{kind}", data)
