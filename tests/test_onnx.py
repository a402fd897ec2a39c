"""The exported file, run by onnxruntime from raw rows, against the detector itself."""

import json
import sys

import numpy as np
import onnx
import onnxruntime
import pytest

from aecore.anomaly import AnomalyDetector, onnx_export
from aecore.anomaly.onnx_export import dumps, to_onnx
from aecore.anomaly.streaming import reach
from aecore.concepts import sensor_anomalies as sensors
from aecore.errors import StoreError
from aecore.numerics.progress import finish

CASES = {"one": 1, "eight": 8}  # channels; of the eight one is constant


def signal(case, rows, seed=0):
    channels, rng = CASES[case], np.random.default_rng(seed)
    x = 1000 + 30 * np.sin(np.arange(rows)[:, None] / 4 + np.arange(channels)) + rng.normal(size=(rows, channels))
    if case == "one":
        x = 5 + rng.normal(size=(rows, 1))  # without a shape, a row's own error counts too
    if case == "eight":
        x[:, 1] = 7
    return x


@pytest.fixture(scope="module", params=CASES)
def exported(request):
    case = request.param
    with pytest.MonkeyPatch.context() as patch:  # how well it has learnt does not matter
        patch.setattr("aecore.anomaly.network.STEPS_PER_EPOCH", 8)
        detector = AnomalyDetector(sample_rate=50.0 if case == "one" else None).fit(signal(case, 500))
    data = dumps(detector, dtype="float32" if case == "eight" else "float64")
    return case, detector, data, onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("longer", [0, 1, 7, 150, 2500])
def test_scores_from_raw_rows_are_the_detectors(exported, longer):
    case, detector, _, session = exported
    rows = detector.window_ + longer
    x = signal(case, rows, seed=1)
    x[rows // 2] += 40
    x[-1, 0] = 1e12  # out of all bounds
    if case == "eight":
        x[20:25, 1] += 1e-3 * (longer > 100)  # what never moved, moves
        x = x.astype(np.float32)
    scores, channel_scores = session.run(None, {"rows": x})
    expected = detector.decision_function(x)
    assert scores.dtype == channel_scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(channel_scores, detector.channel_scores(x), rtol=1e-4, atol=1e-4)
    assert (expected > detector.threshold_).any()


def test_the_cases_take_every_way_through_the_graph(exported):
    case, detector, _, _ = exported
    assert (detector.measure_.own_row > 0) == (CASES[case] == 1)
    assert detector.measure_.absolute == (CASES[case] > 1)
    assert detector.active_.all() == (CASES[case] == 1)


def test_the_file_tells_what_a_controller_needs_and_nothing_of_where_it_was_made(exported):
    case, detector, data, session = exported
    facts = session.get_modelmeta().custom_metadata_map
    assert float(facts["threshold"]) == detector.threshold_
    assert json.loads(facts["channels"]) == list(detector.channels_)
    assert facts["sample_rate"] == ("50.0" if case == "one" else "")
    assert int(facts["window"]) == detector.window_ and int(facts["lookahead"]) == reach(detector)
    assert int(facts["step"]) == detector.measure_.step == (4 if case == "one" else 1)
    assert b"/" + b"site-packages" not in data and b"aecore/anomaly" not in data
    assert [node.name for node in session.get_inputs()] == ["rows"]
    assert session.get_inputs()[0].shape == ["T", CASES[case]]


def test_it_is_written_whole_or_not_at_all(exported, tmp_path, monkeypatch):
    _, detector, data, _ = exported
    monkeypatch.setattr(onnx_export, "dumps", lambda *_, **__: data)  # takes seconds
    detector.to_onnx(tmp_path / "d.onnx")
    onnx.checker.check_model(tmp_path / "d.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["d.onnx"]
    with pytest.raises(StoreError, match="Could not write"):
        to_onnx(detector, tmp_path / "no" / "where.onnx")


def test_the_page_s_export_leaves_nothing_on_a_disk(exported):
    """The file holds a visitor's channel names; a worker keeps them in memory."""
    _, detector, _, _ = exported
    made, listening = [], [True]

    def listen(event, args):
        if listening[0] and event.startswith("tempfile.mk"):
            made.append(args)

    sys.addaudithook(listen)  # cannot be taken off again, only told to be deaf
    try:
        data = finish(sensors.to_onnx(detector.to_tree()))
    finally:
        listening[0] = False
    assert made == []
    onnx.checker.check_model(onnx.load_model_from_string(data))
