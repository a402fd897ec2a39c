"""A visitor's tables of vectors and zips of pictures, made as a visitor would make them."""

import gzip
import io
import zipfile

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from aecore.data.readers import pictures, vectors
from aecore.errors import DataError, TooFewRows, UnreadableFile


def table(rows: int = 80, columns: int = 3, **extra) -> pd.DataFrame:
    values = np.random.default_rng(0).normal(size=(rows, columns))
    return pd.DataFrame(values, columns=[f"v{i}" for i in range(columns)]).assign(**extra)


def as_csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()


def picture(value: int, *, size: tuple[int, int] = (8, 8), mode: str = "L") -> bytes:
    pixels = np.zeros(size[::-1], np.uint8)
    pixels[2:5, 2:6] = value
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, "PNG")
    return file.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def test_a_column_of_words_becomes_the_labels():
    frame = table(species=["setosa", "virginica"] * 40)
    found = vectors.read("iris.csv", as_csv(frame))
    np.testing.assert_allclose(found.x, frame.iloc[:, :3], rtol=1e-5)
    assert found.names == ("setosa", "virginica")
    assert found.labels.tolist() == [0, 1] * 40
    assert found.label == "species"
    assert found.columns == ("species",)


def test_numbers_under_a_telling_name_are_labels_and_others_are_not():
    found = vectors.read("t.csv", as_csv(table(Class=np.arange(80) % 4, gear=np.arange(80) % 5)))
    assert found.label == "Class"
    assert found.names == ("0", "1", "2", "3")
    assert found.x.shape == (80, 4)
    assert set(found.columns) == {"Class", "gear"}


def test_the_visitor_says_which_column_or_that_there_is_none():
    data = as_csv(table(Class=np.arange(80) % 4, gear=np.arange(80) % 5))
    assert vectors.read("t.csv", data, "gear").names == ("0", "1", "2", "3", "4")
    none = vectors.read("t.csv", data, "")
    assert none.labels is None
    assert none.x.shape == (80, 5)
    with pytest.raises(DataError, match="speed"):
        vectors.read("t.csv", data, "speed")


def test_rows_with_gaps_are_left_out_with_their_labels():
    frame = table(kind=["a", "b"] * 40)
    frame.loc[3, "v1"] = np.nan
    found = vectors.read("t.csv.gz", gzip.compress(as_csv(frame)))
    assert found.x.shape == (79, 3)
    assert len(found.labels) == 79
    assert any("1 row" in note for note in found.notes)


def test_a_zip_of_folders_of_pictures_has_their_names_for_labels():
    files = {f"digits/{kind}/{i}.png": picture(100 + i) for kind in ("one", "two") for i in range(40)}
    found = vectors.read("digits.zip", zipped(files | {"__MACOSX/digits/._1.png": b"x", "readme.txt": b"hello"}))
    assert found.x.shape == (80, 64)
    assert found.shape == (8, 8)
    assert found.names == ("one", "two")
    assert np.bincount(found.labels).tolist() == [40, 40]
    assert found.x[0].reshape(8, 8)[3, 3] == pytest.approx(100 / 255)


def test_large_coloured_pictures_on_white_become_small_grey_ink():
    def page(i: int) -> bytes:
        pixels = np.full((120, 100, 3), 255, np.uint8)
        pixels[30:60, 20:80] = [i, 0, 0]
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG")
        return file.getvalue()

    found = vectors.read("scans.zip", zipped({f"{i}.jpg": page(i) for i in range(60)}))
    assert found.shape == (28, 28)
    assert found.labels is None
    assert found.x[0].reshape(28, 28)[10, 14] > 0.9
    assert found.x[0].reshape(28, 28)[24, 2] < 0.05


def test_many_rows_are_thinned_evenly():
    frame = table(rows=12_000)
    found = vectors.read("t.csv", as_csv(frame))
    assert len(found.x) == vectors.MAX_ROWS
    assert found.x[-1, 0] == pytest.approx(frame.iloc[-1, 0], rel=1e-5)


@pytest.mark.parametrize(
    ("name", "data", "error", "named"),
    [
        ("a.csv", b"", UnreadableFile, "empty"),
        ("a.csv", b"a,b\nx,y\nz,w\n" * 40, UnreadableFile, "no column of numbers"),
        ("a.csv", as_csv(table(rows=20)), TooFewRows, "20"),
        ("a.csv", as_csv(table(rows=70, kind=[f"k{i}" for i in range(70)])), None, ""),
        ("a.zip", zipped({"1.png": picture(9)}), TooFewRows, "60"),
        ("a.zip", zipped({f"{i}.png": b"no picture" for i in range(60)}), UnreadableFile, "no picture"),
        ("a.zip", zipped({"a.docx": b"no"}), UnreadableFile, "a.docx"),
        ("a.zip", b"PK\x03\x04 torn", UnreadableFile, "damaged"),
    ],
)
def test_what_cannot_be_read_says_why(name, data, error, named):
    if error is None:
        assert vectors.read(name, data).labels is None
        return
    with pytest.raises(error, match=named):
        vectors.read(name, data)


def test_a_picture_too_large_to_decode_is_refused_by_its_header(monkeypatch):
    monkeypatch.setattr(pictures, "MAX_PIXELS", 60)
    with pytest.raises(UnreadableFile, match="make it smaller"):
        vectors.read("a.zip", zipped({f"{i}.png": picture(9) for i in range(60)}))


def test_labels_of_too_many_kinds_are_refused_where_they_are_asked_for():
    frame = table(rows=70, serial=[f"k{i}" for i in range(70)])
    with pytest.raises(DataError, match="70"):
        vectors.read("a.csv", as_csv(frame), "serial")


def test_a_table_is_parsed_once_for_every_column_of_labels():
    data = gzip.compress(as_csv(table(Class=np.arange(80) % 4, gear=np.arange(80) % 5).assign(when=["2020"] * 80)))
    parsed = vectors.parse("t.csv.gz", data)
    for label in (None, "", "gear"):
        whole, again = vectors.read("t.csv.gz", data, label), vectors.interpret("t.csv.gz", parsed, label)
        np.testing.assert_array_equal(again.x, whole.x)
        assert (again.names, again.columns, again.label, again.notes) == (
            whole.names, whole.columns, whole.label, whole.notes,
        )  # fmt: skip
    with pytest.raises(DataError, match="speed"):
        vectors.interpret("t.csv.gz", parsed, "speed")
