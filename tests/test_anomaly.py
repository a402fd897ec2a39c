"""The detector against independent readings: numpy's windows, scikit-learn's PCA, planted faults."""

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA

from aecore import store
from aecore.anomaly import AnomalyDetector, detector, find_events, log_score_threshold
from aecore.anomaly.choices import choose_latent_dim, choose_window, dominant_period
from aecore.anomaly.events import merged, runs
from aecore.anomaly.windows import chunks, mean_over_covering, sliding
from aecore.errors import DataError, SettingError, StoreError, TooFewRows


def signal(rows=1200, channels=3, seed=0, period=25):
    rng = np.random.default_rng(seed)
    t = np.arange(rows)[:, None]
    return np.sin(2 * np.pi * t / period + np.arange(channels)) * [2, 1, 5][:channels] + 0.1 * rng.normal(
        size=(rows, channels)
    )


@pytest.fixture(scope="module")
def fitted():
    return AnomalyDetector().fit(signal(seed=1))


# ------------------------------------------------------------------ windows
def test_sliding_windows_are_slices():
    x = np.arange(30, dtype=np.float32).reshape(10, 3)
    rows = sliding(x, 4)
    assert rows.shape == (7, 12)
    for i in range(7):
        np.testing.assert_array_equal(rows[i], x[i : i + 4].ravel())


def test_the_mean_over_covering_windows_is_what_a_loop_gives():
    values = np.random.default_rng(0).normal(size=(17, 2))
    got = mean_over_covering(values, 20, 4)
    for row in range(20):
        covering = [i for i in range(17) if i <= row < i + 4]
        np.testing.assert_allclose(got[row], values[covering].mean(0))


@pytest.mark.parametrize(("length", "window", "size"), [(100, 7, 10), (20, 20, 8), (21, 20, 1), (50, 3, 1000)])
def test_chunks_hold_every_window_once(length, window, size):
    starts = [first + i for first, last in chunks(length, window, size=size) for i in range(last - first - window + 1)]
    assert starts == list(range(length - window + 1))


def test_scores_in_chunks_equal_scores_in_one_piece(fitted, monkeypatch):
    x = signal(seed=2)
    whole, rebuilt = fitted.decision_function(x), fitted.reconstruct(x)
    monkeypatch.setattr(detector, "CHUNK", 101)
    np.testing.assert_allclose(fitted.decision_function(x), whole, rtol=1e-5)
    np.testing.assert_allclose(fitted.reconstruct(x), rebuilt, atol=1e-4)


# ------------------------------------------------------------------ choices
@pytest.mark.parametrize("period", [16, 25, 80])
def test_the_period_is_found(period):
    assert abs(dominant_period(signal(period=period)) - period) <= 1


def test_noise_has_no_period():
    assert dominant_period(np.random.default_rng(0).normal(size=(2000, 3))) is None


def test_the_window_follows_the_period_and_bows_to_the_data():
    assert choose_window(signal(period=30), asked=None).value == 30
    assert choose_window(signal(rows=100, period=30), asked=None).value == 10
    assert choose_window(np.zeros((5000, 200)), asked=None).value * 200 <= 1024
    assert choose_window(signal(), asked=12).value == 12


def test_the_code_keeps_ninety_percent_of_the_variance():
    x = np.random.default_rng(0).normal(size=(500, 8)) * [9, 5, 3, 1, 1, 1, 1, 1]
    eigenvalues = PCA().fit(x).explained_variance_
    choice = choose_latent_dim(eigenvalues, asked=None)
    share = np.cumsum(eigenvalues) / eigenvalues.sum()
    assert share[choice.value - 1] >= 0.9 > share[choice.value - 2]


# ------------------------------------------------------------------ thresholds and events
def test_the_threshold_is_a_log_normal_s_quantile():
    scores = np.random.default_rng(0).lognormal(1.0, 0.3, 200_000)
    assert log_score_threshold(scores, 2) == pytest.approx(np.exp(1.0 + 2 * 0.3), rel=0.01)


def test_runs_and_merging():
    flags = np.array([1, 1, 0, 0, 1, 0, 0, 0, 0, 1], bool)
    assert runs(flags) == [(0, 1), (4, 4), (9, 9)]
    assert merged(runs(flags), 2) == [(0, 4), (9, 9)]
    assert merged([], 5) == []


def test_events_name_peak_severity_and_leader():
    scores = np.array([0, 3, 5, 0, 0, 0, 0, 4.0])
    excess = np.array([[1, 1]] * 8, float)
    excess[2] = [1, 7]
    events = find_events(scores, excess, 2.0, channels=["a", "b"], merge_gap=1)
    assert events.iloc[0].tolist() == [1, 2, 5.0, 2.5, "b"]
    assert events["start"].tolist() == [1, 7]


def test_no_events_is_an_empty_table_with_its_columns():
    events = find_events(np.zeros(5), np.zeros((5, 1)), 1.0, channels=["a"], merge_gap=1)
    assert len(events) == 0
    assert list(events.columns) == ["start", "end", "peak_score", "severity", "leading_channel"]


# ------------------------------------------------------------------ the detector
def test_a_planted_fault_is_found_and_its_channel_leads(fitted):
    x = signal(seed=3)
    x[700:760, 1] += 1.5
    scores = fitted.decision_function(x)
    assert scores.dtype == np.float32
    assert scores.shape == (1200,)
    assert 680 <= scores.argmax() <= 780
    events = fitted.events(x)
    worst = events.loc[events["severity"].idxmax()]
    assert worst["start"] <= 740
    assert worst["end"] >= 720
    assert worst["leading_channel"] == "channel 2"


def test_normal_rows_raise_few_alarms(fitted):
    assert fitted.predict(signal(rows=5000, seed=4)).mean() < 0.02


def test_held_out_scores_calibrate_the_threshold(fitted):
    assert fitted.decision_scores_.shape == (1200,)
    assert fitted.threshold_ == pytest.approx(log_score_threshold(fitted.decision_scores_, 4.0))
    np.testing.assert_array_equal(fitted.labels_, fitted.decision_scores_ > fitted.threshold_)
    # scores of unseen rows look like the held-out ones, which in-sample scores need not
    unseen = fitted.decision_function(signal(rows=4000, seed=5))
    assert np.median(unseen) == pytest.approx(np.median(fitted.decision_scores_), rel=0.15)


def test_channel_scores_add_up_to_the_score(fitted):
    x = signal(seed=6)
    np.testing.assert_allclose(fitted.channel_scores(x).mean(1), fitted.decision_function(x), rtol=1e-5)


def test_the_reconstruction_is_in_the_signal_s_units(fitted):
    x = signal(seed=7) + 100 * np.array([0, 0, 0])
    rebuilt = fitted.reconstruct(x)
    assert rebuilt.shape == x.shape
    assert np.abs(rebuilt - x).mean() < 0.2 * x.std()


def test_gradient_descent_starts_from_pca_and_improves_on_it():
    """On the absolute error it is trained for, the detector's network beats PCA on windows it has not seen."""
    heavy = np.random.default_rng(0).standard_t(2, size=(2400, 3)) * 0.2
    train, test = (signal(rows=1200, seed=s) + part for s, part in ((8, heavy[:1200]), (9, heavy[1200:])))
    fitted = AnomalyDetector(window=20, latent_dim=4).fit(train)
    rows = sliding(fitted._scaled(test), 20)
    pca = PCA(4).fit(sliding(fitted._scaled(train), 20))
    ours = np.abs(fitted._rebuild(rows, fitted.model_).reshape(len(rows), -1) - rows).mean()
    theirs = np.abs(pca.inverse_transform(pca.transform(rows)) - rows).mean()
    assert ours < theirs


def test_the_same_seed_gives_the_same_scores():
    x = signal()
    a, b = (AnomalyDetector(seed=3).fit(x).decision_function(x) for _ in range(2))
    np.testing.assert_array_equal(a, b)


def test_scores_do_not_depend_on_a_channel_s_unit():
    x = signal(seed=1)
    scaled = x * [1, 1000, 1] + [0, 5e4, 0]
    a, b = (AnomalyDetector().fit(v).decision_function(v) for v in (x, scaled))
    np.testing.assert_allclose(a, b, rtol=0.02)


def test_a_constant_channel_stays_out_of_the_model():
    x = np.column_stack([signal(), np.full(1200, 7.0)])
    fitted = AnomalyDetector().fit(x)
    assert fitted.active_.tolist() == [True, True, True, False]
    assert (fitted.channel_scores(x)[:, 3] == 0).all()
    np.testing.assert_allclose(fitted.reconstruct(x)[:, 3], 7.0)


@pytest.mark.parametrize("rows", [50, 60, 101])
def test_few_rows_are_enough(rows):
    x = signal(rows=rows)
    assert np.isfinite(AnomalyDetector().fit(x).decision_function(x)).all()


def test_two_hundred_channels_and_one():
    x = np.random.default_rng(0).normal(size=(400, 200))
    assert np.isfinite(AnomalyDetector().fit(x).decision_function(x)).all()
    assert AnomalyDetector().fit(x[:, 0]).decision_function(x[:, 0]).shape == (400,)


def test_an_absurd_value_scores_high_and_finite(fitted):
    x = signal(seed=1)
    x[600, 0] = 1e29
    scores = fitted.decision_function(x)
    assert np.isfinite(scores).all()
    assert 500 < scores.argmax() < 700


def test_saved_and_loaded_it_scores_the_same(fitted, tmp_path):
    fitted.save(tmp_path / "pump.safetensors")
    twin = AnomalyDetector.load(tmp_path / "pump.safetensors")
    x = pd.DataFrame(signal(seed=2))
    np.testing.assert_array_equal(twin.decision_function(x), fitted.decision_function(x))
    assert twin.threshold_ == fitted.threshold_
    assert twin.choices_ == fitted.choices_
    pd.testing.assert_frame_equal(twin.events(x), fitted.events(x))


def test_a_file_that_is_no_detector_is_refused(tmp_path):
    store.write(tmp_path / "other.safetensors", {"format": "something"})
    with pytest.raises(StoreError, match="not a detector"):
        AnomalyDetector.load(tmp_path / "other.safetensors")
    store.write(tmp_path / "list.safetensors", [1, 2])
    with pytest.raises(StoreError):
        AnomalyDetector.load(tmp_path / "list.safetensors")


def test_leaving_the_fit_cancels():
    steps = AnomalyDetector().fitting(signal())
    first = next(steps)
    assert first.part == 0
    assert first.epoch == 1
    steps.close()


def test_progress_rises_to_one():
    progress = [step.progress for step in AnomalyDetector().fitting(signal(rows=200))]
    assert progress == sorted(progress)
    assert progress[-1] == pytest.approx(1)


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        (np.zeros((20, 2)), TooFewRows, "20 normal rows are too few"),
        (np.ones((100, 2)), DataError, "Every channel is constant"),
        (np.full((100, 2), np.nan), DataError, "missing, infinite"),
        (np.full((100, 2), 1e300), DataError, "absurdly large"),
        (np.array([["a", "b"]] * 100), DataError, "not a number"),
        (np.zeros((0, 2)), DataError, "a table of rows and channels"),
        (np.zeros((10, 2, 2)), DataError, "a table of rows and channels"),
    ],
)
def test_rows_that_cannot_be_learnt_from_say_so(bad, error, message):
    with pytest.raises(error, match=message):
        AnomalyDetector().fit(bad)


def test_a_signal_of_another_shape_says_so(fitted):
    with pytest.raises(DataError, match="2 channels"):
        fitted.decision_function(signal(channels=2))
    with pytest.raises(TooFewRows, match="fewer than one window"):
        fitted.decision_function(signal(rows=5))


@pytest.mark.parametrize("setting", [{"window": 1}, {"latent_dim": 0}, {"sample_rate": 0.0}])
def test_settings_out_of_range_say_so(setting):
    with pytest.raises(SettingError, match=f"{next(iter(setting))} must be"):
        AnomalyDetector(**setting)
