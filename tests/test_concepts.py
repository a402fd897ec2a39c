"""What ships equals what the code computes; results survive the store; tables say what the figures say."""

import io
import re

import numpy as np
import pandas as pd
import pytest

from aecore import export, store
from aecore.anomaly import AnomalyDetector
from aecore.concepts import home
from aecore.concepts import sensor_anomalies as sensors
from aecore.concepts.sensor_anomalies import pretrained as sensor_shipped
from aecore.concepts.sensor_anomalies import tables as sensor_tables
from aecore.concepts.sensor_anomalies.samples import InverterSample
from aecore.data.datasets import digits
from aecore.errors import SettingError
from aecore.numerics.progress import finish


def run(task):
    """Progress and result of a job's generator."""
    progress = []
    return progress, finish(task, progress.append)


@pytest.fixture(scope="module")
def trained():
    return run(sensors.train_sample(InverterSample(), sensors.DEFAULT_NORMAL))


def test_the_shipped_result_is_what_training_gives(trained):
    shipped = sensors.Analysis.from_tree(sensor_shipped.load_pretrained(InverterSample(), sensors.DEFAULT_NORMAL))
    fresh = sensors.Analysis.from_tree(trained[1])
    np.testing.assert_allclose(shipped.scores, fresh.scores, rtol=1e-2)  # processors differ in the last digits
    assert shipped.choices == fresh.choices
    assert shipped.threshold(sigmas=4).value == pytest.approx(fresh.threshold(sigmas=4).value, rel=1e-2)


@pytest.mark.parametrize("name", list(sensor_shipped.SAMPLES))
def test_every_sample_ships_with_its_fault_found(name):
    sample = sensor_shipped.SAMPLES[name]
    signal, tree = sample.signal(), sensor_shipped.load_pretrained(sample, sensors.DEFAULT_NORMAL)
    analysis = sensors.Analysis.from_tree(tree)
    assert analysis.channels == signal.channels
    assert analysis.rebuilt.shape == analysis.channel_excess.shape == signal.values.shape
    assert np.isfinite(analysis.rebuilt).all()
    part = slice(3000, 4000)  # shipped at half precision, and still as fine as the eye can tell
    own = AnomalyDetector.from_tree(tree["detector"]).reconstruct(signal.values[part])[200:-200]
    assert (np.abs(own - analysis.rebuilt[part][200:-200]) < 0.01 * tree["detector"]["scale"]).all()
    events = analysis.events(analysis.threshold().value)
    assert 1 <= len(events) <= 3
    assert all(signal.labels[e.start : e.end + 1].any() for e in events.itertuples())


def test_rows_that_were_filled_in_and_their_neighbours_count_for_nothing(trained):
    analysis = sensors.Analysis.from_tree(trained[1])
    peak, reach = int(analysis.scores.argmax()), analysis.window - 1 + analysis.choices["smoothing"][0] // 2
    missing = np.zeros(len(analysis.scores), dtype=bool)
    missing[2000] = True  # one row, filled in well
    missing[peak : peak + analysis.window] = True
    table = sensor_tables.score_table(analysis, np.arange(len(missing)), analysis.threshold().value, missing=missing)
    unscored = np.flatnonzero(~table["scored"])
    assert unscored[0] == 2000
    assert (unscored[1], unscored[-1]) == (peak - reach, peak + analysis.window - 1 + reach)
    assert not table["flagged"][unscored].any()
    assert table["flagged"].sum() > 100
    assert np.isfinite(table["score"]).all()
    events = analysis.events(analysis.threshold().value, missing=missing)
    assert events["peak_score"].max() < analysis.scores[peak]


def test_the_report_holds_no_markup_but_its_own_and_loads_nothing():
    table = pd.DataFrame({"<i>channel</i>": ["<script>alert(1)</script>", "b"], "peak": [1.23456789, 2.0]})
    drawing = export.SvgDrawing('<svg xmlns="http://www.w3.org/2000/svg"></svg>', 'a "figure"')
    text = export.report("<pump>.csv", [export.Section("A & B", ["x < y", table, drawing])]).decode()
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<i>" not in text
    assert "<title>&lt;pump&gt;.csv</title>" in text
    assert "x &lt; y" in text
    assert "1.23457" in text
    assert "default-src 'none'" in text
    assert not re.search(r"(src|href)\s*=", text)


def test_nothing_ships_for_other_settings():
    assert sensor_shipped.load_pretrained(InverterSample(seed=1), sensors.DEFAULT_NORMAL) is None
    assert sensor_shipped.load_pretrained(InverterSample(), (0.0, 40.0)) is None


def test_progress_tells_stage_epoch_and_a_falling_loss(trained):
    progress, _ = trained
    training = [step for step in progress if step["part"] == "Training the detector"]
    assert [step["epoch"] for step in training] == list(range(1, training[0]["epochs"] + 1))
    assert training[-1]["loss"] < training[0]["loss"]
    assert "epoch" not in progress[0]  # before the training: nothing to draw yet
    shares = [step["progress"] for step in progress]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)


def test_a_result_survives_the_store(trained):
    tree = store.loads(store.dumps(trained[1]))
    before, after = (sensors.Analysis.from_tree(t) for t in (trained[1], tree))
    np.testing.assert_array_equal(before.scores, after.scores)
    pd.testing.assert_frame_equal(before.events(0.1), after.events(0.1))


def test_the_planted_fault_is_the_event(trained):
    analysis = sensors.Analysis.from_tree(trained[1])
    signal = InverterSample().signal()
    events = analysis.events(analysis.threshold(sigmas=4).value)
    worst = events.loc[events["severity"].idxmax()]
    first, last = np.flatnonzero(signal.labels)[[0, -1]]
    assert abs(worst["start"] - first) < 200
    assert abs(worst["end"] - last) < 200


def test_tables_share_the_clock(trained):
    analysis = sensors.Analysis.from_tree(trained[1])
    clock = InverterSample().signal().time
    threshold = analysis.threshold(sigmas=4).value
    events = analysis.events(threshold)
    table = sensor_tables.event_table(events, clock)
    np.testing.assert_array_equal(table["start"], clock[events["start"]])
    scores = sensor_tables.score_table(analysis, clock, threshold)
    assert len(scores) == len(clock)
    assert scores["flagged"].sum() == (analysis.scores > threshold).sum()
    assert f"begins at {clock[events['start'][0]]:g}" in sensor_tables.summary(events, threshold, clock)
    days = sensor_tables.summary(events, threshold, clock * 1e6)
    assert f"begins at {clock[events['start'][0]] * 1e6:,.0f} s, " in days
    assert " days, and peaks" in days
    assert sensor_tables.summary(events.iloc[:0], threshold, clock).startswith("No event")


@pytest.mark.parametrize("normal", [(30.0, 30.0), (40.0, 20.0), (-1.0, 20.0), (0.0, 101.0)])
def test_a_normal_stretch_that_is_none_says_so(normal):
    with pytest.raises(SettingError, match="normal stretch must run upwards"):
        sensors.normal_rows(100, normal)


def test_home_ships_held_out_digits_and_honest_numbers():
    shown = home.load()
    _, test = digits.split(seed=0)
    assert shown.rebuilt.shape == (10, home.LATENT_DIM + 1, 8, 8)
    for digit, image in enumerate(shown.images):
        distance = np.abs(test.images[test.labels == digit] - image).reshape(-1, 64).max(1).min()
        assert distance < 1 / 255
    assert shown.kept[4] > shown.kept_by_pca[4] + 0.1
    error = ((shown.rebuilt - shown.images[:, None]) ** 2).mean((0, 2, 3))
    assert error[8] < error[2] < error[0]


def test_home_s_frames_are_what_the_shipped_network_decodes():
    import torch

    from aecore.models import from_tree

    tree = store.read(home.ASSET)
    model = from_tree(tree["model"])
    with torch.inference_mode():
        codes = torch.from_numpy(tree["codes"])
        for k in (0, 3, 16):
            decoded = model.decode(model.keep(codes, k)).clamp(0, 1).numpy()
            np.testing.assert_allclose(tree["rebuilt"][:, k] / 255, decoded, atol=1 / 255)


def test_csv_disarms_formulas_and_keeps_numbers():
    frame = pd.DataFrame({"=cmd()": ["+1", "-x", "@y", "plain"], "n": [-1.5, 2, 3, 4]})
    text = export.csv(frame).decode()
    assert text.splitlines()[0] == "'=cmd(),n"
    back = pd.read_csv(io.StringIO(text))
    assert back.iloc[:, 0].tolist() == ["'+1", "'-x", "'@y", "plain"]
    assert back["n"].tolist() == [-1.5, 2, 3, 4]
    assert list(frame.columns) == ["=cmd()", "n"]


def test_the_sample_is_whole_and_its_normal_stretch_is_normal():
    signal = InverterSample().signal()
    assert np.isfinite(signal.values).all()
    first, last = sensors.normal_rows(len(signal.values), sensors.DEFAULT_NORMAL)
    assert not signal.labels[first:last].any()
    assert signal.labels.any()
    assert store.key("sample", InverterSample()) != store.key("sample", InverterSample(seed=1))
