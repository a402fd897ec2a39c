"""Text from files: inert where a table is taken away, on one line where it is shown, and in no cache."""

import csv
import gc
import io
import unicodedata

import numpy as np
import pandas as pd
import pytest

from aecore import export, store
from aecore.anomaly import AnomalyDetector
from aecore.anomaly.network import WindowNetwork
from aecore.concepts import latent_clusters
from aecore.concepts import sensor_anomalies as sensors
from aecore.concepts.sensor_anomalies import tables as sensor_tables
from aecore.data.readers import messages as wording
from aecore.errors import AecoreError, StoreError
from aecore.figures import latent_clusters as figures
from aecore.figures.palette import LIGHT
from aecore.numerics.progress import finish

MARKUP = "[sign in](https://evil.example) ![](https://evil.example/p.png) <b>"

# --- tables that are taken away -----------------------------------------------------------------------------------

EVIL = [
    '=HYPERLINK("http://evil")', "＝1+1", "＋1", "－1", "＠SUM(A1)", "﹦1", "⁼1", "−1", " =1+1", "\t=1", "\r=1", "\n=1",
    'u;=HYPERLINK("http://evil")', "u;＝1", "u,+1", "u\t@A1", "u|-1", "u\n=1", "u\r\n=1", 'u;"=1"', "u; =1", "u;'=1",
    "a;b;=1", "\u2028=1", "u;\u00a0=1",
]  # fmt: skip


def formula(cell: str) -> bool:
    """Whether a spreadsheet may take a cell for a formula."""
    bare = unicodedata.normalize("NFKC", cell).lstrip(' \t\r\n\v\f"\u2028\u2029').replace("\u2212", "-")
    return bare.startswith(("=", "+", "-", "@"))


@pytest.mark.parametrize("cell", EVIL)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_no_cell_is_a_formula_whatever_a_locale_separates_by(cell, separator):
    frame = pd.DataFrame({"n": [1.5], "leading_channel": [cell], cell: ["x"]})
    text = export.csv(frame).decode()
    rows = list(csv.reader(io.StringIO(text), delimiter=separator))
    naive = [part for line in text.splitlines() for part in line.split(separator)]  # as the crudest reader cuts
    found = [part for row in rows for part in row] + naive
    assert not [part for part in found if formula(part)]


def test_ordinary_texts_and_numbers_stay_as_they_are():
    frame = pd.DataFrame({"v": [-1.5, 2.0], "when": pd.to_datetime(["2024-01-01", "2024-01-02"]), "word": ["a-b", "c"]})
    back = pd.read_csv(io.BytesIO(export.csv(frame)), parse_dates=["when"])
    pd.testing.assert_frame_equal(back, frame, check_dtype=False)


# --- sentences ----------------------------------------------------------------------------------------------------


def test_foreign_text_fits_a_line():
    assert wording.one_line("a\nb\t\x1b[31m  c\u202e", 60) == "a b [31m c"
    assert wording.one_line("x" * 10**6, 100) == "x" * 99 + "…"
    assert wording.one_line("  ") == ""


@pytest.fixture(scope="module")
def fitted():
    t = np.arange(120)[:, None]
    values = np.sin(t / 4 + np.arange(2)) + 0.05 * np.random.default_rng(0).normal(size=(120, 2))
    detector = AnomalyDetector(window=8, latent_dim=2).fit(values)
    return detector.to_tree(), values


def rescored(tree, values):
    steps = sensors.rescore(store.dumps(tree), values, ("channel 1", "channel 2"))
    return finish(steps)


def test_texts_of_a_forged_detector_are_bounded_and_unknown_choices_left_out(fitted):
    tree, values = fitted
    forged = store.loads(store.dumps(tree))
    forged["choices"]["window"][1] = f"{MARKUP}\n\n# {'x' * 5000}\u202e"
    forged["choices"]["**:red[ALARM]**"] = [1, "x" * 5_000_000]
    forged["notes"] = [f"a\nb {MARKUP}" * 100] * 60
    table = sensor_tables.choice_table(sensors.Analysis.from_tree(rescored(forged, values)))
    assert not table.astype("str").apply(lambda column: column.str.contains("ALARM")).any(axis=None)
    assert all(text.isprintable() and len(text) <= 400 for text in table["why"])
    loaded = AnomalyDetector.from_tree(forged)
    assert len(loaded.notes_) == 20 and all(note.isprintable() and len(note) <= 400 for note in loaded.notes_)


@pytest.mark.parametrize(
    ("where", "what"),
    [(("model", "config", "size"), 20_000_000), (("model", "config", "hidden"), 500_000),
     (("model", "config", "latent_dim"), True), (("choices", "smoothing"), [10**9, "x"]),
     (("choices", "step"), [10**9, "x"]), (("choices", "step"), [0, "x"]), (("choices", "own_row"), ["1", "x"]),
     (("asked", "sample_rate"), float("inf")), (("seed",), "x"), (("channels",), ["a" * 10_000, "b"])],
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else None,
)  # fmt: skip
def test_a_detector_whose_sizes_cannot_be_right_is_refused(fitted, where, what, monkeypatch):
    forged = store.loads(store.dumps(fitted[0]))
    node = forged
    for key in where[:-1]:
        node = node[key]
    node[where[-1]] = what
    if where[0] == "model":
        monkeypatch.setattr(WindowNetwork, "__init__", None)  # no network is made of sizes that the weights deny
    with pytest.raises(StoreError, match="does not hold an anomaly detector"):
        AnomalyDetector.from_tree(forged)


def test_a_detector_comes_back_as_it_was_saved(fitted, tmp_path):
    detector = AnomalyDetector.from_tree(fitted[0])
    detector.save(tmp_path / "d.safetensors")
    again = AnomalyDetector.load(tmp_path / "d.safetensors")
    assert again.choices_ == detector.choices_ and again.notes_ == detector.notes_
    np.testing.assert_array_equal(again.decision_function(fitted[1]), detector.decision_function(fitted[1]))


def test_sentences_about_channels_stay_on_one_line():
    names = ("evil\n\nname", "b" * 500)
    with pytest.raises(AecoreError) as raised:
        sensors.arrange_columns(np.zeros((5, 2)), ("b" * 500, "c"), names)
    assert str(raised.value).isprintable() and len(str(raised.value)) < 400
    values = np.column_stack([np.sin(np.arange(200) / 5), np.ones(200)])
    frame = pd.DataFrame(values, columns=["moving", "still\nand evil"])
    notes = AnomalyDetector(window=8, latent_dim=2).fit(frame).notes_
    assert all(note.isprintable() for note in notes) and any("still and evil" in note for note in notes)


# --- caches -------------------------------------------------------------------------------------------------------


def test_charts_keep_no_label_and_no_more_than_some_of_themselves():
    machines = latent_clusters.MACHINES
    columns = {f"{machine} {axis}": [0.0, 1.0] for machine in machines for axis in "xy"}
    for number in range(3):
        names = (f"private diagnosis {number}", f"other {number}")
        table = pd.DataFrame({"row": [0, 1], "label": names, f"extra {number % 100}": [0, 1], **columns})
        spec = figures.maps(table, machines, names, LIGHT).spec
        assert f"'domain': ['{names[0]}', '{names[1]}']" in str(spec)
    assert figures._maps_spec.cache_info().maxsize == 64
    held = gc.get_referents(figures._maps_spec)
    assert "private diagnosis" not in str(held)
    assert "private diagnosis" not in str(figures._maps_spec(machines, 2, False, ("row", "label", *columns), LIGHT))
