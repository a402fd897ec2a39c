"""Whatever a file holds, the detector gives finite scores or one sentence."""

import contextlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aecore import store
from aecore.anomaly import AnomalyDetector
from aecore.data.readers import uploads
from aecore.data.tables import gaps
from aecore.errors import AecoreError
from tests import files

ROWS = 70
ANY_TIME = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck), max_examples=15)
RULES = [{"sigmas": 4.0}, {"risk": 1e-3}, {"alarms_per_hour": 1.0}]
EXTREME = st.sampled_from([0.0, -0.0, 1.0, 1e-300, 5e-324, 1e-38, 1e29, -1e29, 1e308, np.nan, np.inf, 7.0])


@st.composite
def columns(draw):
    """A channel of noise, steps, a constant or a ramp, at any scale and level, with a few odd values put in."""
    kind = draw(st.sampled_from(["noise", "steps", "constant", "ramp", "few"]))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    values = {
        "noise": rng.normal(size=ROWS), "steps": rng.integers(0, 2, ROWS).astype(float), "constant": np.ones(ROWS),
        "ramp": np.arange(ROWS, dtype=float), "few": rng.choice([0.0, 1e-9, 1.0], ROWS),
    }[kind]  # fmt: skip
    values = values * draw(st.sampled_from([1e-320, 1e-30, 1e-6, 1.0, 1e6, 1e25])) + draw(
        st.sampled_from([0.0, 1.0, -1e6, 1e20])
    )
    for at, value in draw(st.dictionaries(st.integers(0, ROWS - 1), EXTREME, max_size=4)).items():
        values[at] = value
    return values


CLOCKS = {
    "none": None,
    "even": np.arange(ROWS) * 0.5,
    "gap": np.r_[np.arange(ROWS // 2), 100 + np.arange(ROWS - ROWS // 2)],
    "double": np.arange(ROWS) // 2,
    "backwards": np.arange(ROWS)[::-1],
    "wild": np.random.default_rng(0).exponential(1.0, ROWS).cumsum(),
}


def judge(signal):
    """Fit to the signal and ask everything of the detector that a page or the command line does."""
    values, rate = signal.values, signal.sample_rate
    detector = AnomalyDetector(sample_rate=rate).fit(values)
    twin = AnomalyDetector.from_tree(store.loads(store.dumps(detector.to_tree())))
    scores = twin.decision_function(values)
    assert scores.shape == (len(values),)
    for out in (scores, detector.decision_scores_, twin.channel_scores(values), twin.reconstruct(values)):
        assert np.isfinite(out).all()
    assert np.isfinite(detector.threshold_)
    assert np.isfinite(twin.events(values)["severity"]).all()
    assert all(note.endswith(".") for note in detector.notes_)
    for rule in RULES:
        with contextlib.suppress(AecoreError):
            assert np.isfinite(detector.threshold_for(**rule).value)


def judge_file(name, data):
    """Do so for a file; what is refused is refused in one sentence."""
    message = "."
    try:
        judge(gaps.regular(uploads.read(name, data)).signal)
    except AecoreError as error:
        message = str(error)
    assert message.isprintable()
    assert message.endswith(".")


@pytest.mark.usefixtures("brief")
@ANY_TIME
@given(channels=st.lists(columns(), min_size=1, max_size=4), clock=st.sampled_from(sorted(CLOCKS)))
def test_any_table_ends_in_finite_scores_or_one_sentence(channels, clock):
    frame = pd.DataFrame({f"c{i}": values for i, values in enumerate(channels)})
    if CLOCKS[clock] is not None:
        frame.insert(0, "time", CLOCKS[clock])
    judge_file("a.csv", frame.to_csv(index=False).encode())


@pytest.mark.usefixtures("brief")
@ANY_TIME
@given(data=st.binary(min_size=400, max_size=1200), kind=st.sampled_from(["npy", "wav", "csv"]))
def test_random_bytes_that_happen_to_be_a_signal(data, kind):
    """The bytes are the values themselves, in a file that is sound around them."""
    values = np.frombuffer(data[: len(data) // 4 * 4], {"npy": np.float32, "wav": np.int16, "csv": np.int8}[kind])
    if kind == "wav":
        content = files.audio(values=values / 32768.0)
    elif kind == "npy":
        content = files.npy(values)
    else:
        content = pd.DataFrame({"a": values}).to_csv(index=False).encode()
    judge_file(f"a.{kind}", content)


def test_a_signalling_nan_is_a_gap_without_a_warning():
    values = np.r_[np.zeros(40), np.ones(40)].astype(np.float32)
    values.view(np.uint32)[7] = 0x7F800001
    signal = uploads.read("a.npy", files.npy(values))
    assert signal.missing.nonzero()[0].tolist() == [7]


@pytest.mark.parametrize("scale", [1e-30, 1e-6, 1e6, 1e25])
def test_scores_stay_finite_at_any_scale(scale):
    rng = np.random.default_rng(0)
    values = scale * (1 + rng.normal(size=(80, 2)))
    fitted = AnomalyDetector().fit(values)
    assert np.isfinite(fitted.decision_function(1e3 * values)).all()
