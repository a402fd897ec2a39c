"""The detector against independent readings: numpy's windows, scikit-learn's PCA, planted faults."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from sklearn.decomposition import PCA

from aecore import store
from aecore.anomaly import AnomalyDetector, find_events, log_score_threshold, scoring, thresholds
from aecore.anomaly.diagnostics import two_levels
from aecore.anomaly.events import merge_runs, runs
from aecore.anomaly.hyperparameters import (
    choose_latent_dim,
    choose_own_row,
    choose_step,
    choose_window,
    dominant_period,
    find_period,
)
from aecore.anomaly.network import FitRecipe, WindowNetwork, train
from aecore.anomaly.scoring import ErrorMeasure
from aecore.anomaly.thresholds import (
    PRIOR_SPREAD,
    PRIOR_STRETCHES,
    by_quantile,
    false_alarms_per_hour,
    peaks_over_threshold,
    poisson_interval,
)
from aecore.anomaly.windows import chunks, covering, mean_over_covering, sliding, summed_at_rows, window_starts
from aecore.errors import DataError, SettingError, StoreError, TooFewRows
from aecore.numerics.pca import decompose


def signal(rows=1200, channels=3, seed=0, period=25):
    rng = np.random.default_rng(seed)
    t = np.arange(rows)[:, None]
    return np.sin(2 * np.pi * t / period + np.arange(channels)) * [2, 1, 5][:channels] + 0.1 * rng.normal(
        size=(rows, channels)
    )


@pytest.fixture(scope="module")
def fitted():
    return AnomalyDetector().fit(signal(seed=1))


@pytest.fixture(scope="module")
def lone():
    return AnomalyDetector().fit(signal(seed=1, channels=1))


# ------------------------------------------------------------------ windows
def test_sliding_windows_are_slices():
    x = np.arange(30, dtype=np.float32).reshape(10, 3)
    rows = sliding(x, 4)
    assert rows.shape == (7, 12)
    for i in range(7):
        np.testing.assert_array_equal(rows[i], x[i : i + 4].ravel())


# length, window, step: every window; steps that meet the end and that do not; a step as long as the window; one window
GRIDS = [(20, 4, 1), (22, 4, 3), (23, 4, 3), (21, 5, 5), (24, 5, 5), (9, 9, 4)]


def starts_of(length, window, step):
    return sorted({*range(0, length - window + 1, step), length - window})


@pytest.mark.parametrize(("length", "window", "step"), GRIDS)
def test_windows_at_steps_begin_where_counting_says(length, window, step):
    assert window_starts(length, window, step).tolist() == starts_of(length, window, step)


@pytest.mark.parametrize(("length", "window", "step"), GRIDS)
def test_the_mean_over_covering_windows_is_what_a_loop_gives(length, window, step):
    starts = starts_of(length, window, step)
    values = np.random.default_rng(0).normal(size=(len(starts), 2))
    got = mean_over_covering(values, length, window, step)
    first, last = covering(length, window, step)
    for row in range(length):
        over = [i for i, start in enumerate(starts) if start <= row < start + window]
        np.testing.assert_allclose(got[row], values[over].mean(0))
        assert over == list(range(first[row], last[row] + 1))


@pytest.mark.parametrize("step", [1, 2, 3, 5])
def test_what_windows_say_of_rows_is_summed_where_they_lie(step):
    parts = np.random.default_rng(0).normal(size=(6, 5, 2))
    expected = np.zeros((5 * step + 5, 2))
    for i in range(6):
        expected[i * step : i * step + 5] += parts[i]
    np.testing.assert_allclose(summed_at_rows(parts, step), expected)


@pytest.mark.parametrize("step", [1, 2, 7])
@pytest.mark.parametrize(("length", "window", "size"), [(100, 7, 10), (20, 20, 8), (21, 20, 1), (50, 7, 1000)])
def test_chunks_hold_every_window_once(length, window, size, step):
    ranges = list(chunks(length, window, size=size, step=step))
    held = [list(range(first, last - window + 1, step)) for first, last in ranges]
    assert [start for starts in held for start in starts] == starts_of(length, window, step)
    assert max(map(len, held)) <= size


@pytest.mark.parametrize("which", ["fitted", "lone"])
def test_scores_in_chunks_equal_scores_in_one_piece(which, request, monkeypatch):
    fitted = request.getfixturevalue(which)
    x = signal(seed=2, channels=len(fitted.channels_))
    assert (fitted.measure_.step > 1) == (which == "lone")
    whole, rebuilt = fitted.decision_function(x), fitted.reconstruct(x)
    monkeypatch.setattr(scoring, "CHUNK_VALUES", 101 * fitted.window_ * len(fitted.channels_))
    np.testing.assert_allclose(fitted.decision_function(x), whole, rtol=1e-5)
    np.testing.assert_allclose(fitted.reconstruct(x), rebuilt, atol=1e-4)


@pytest.mark.parametrize("step", [1, 3])
@pytest.mark.parametrize("absolute", [True, False])
def test_row_errors_are_what_loops_over_windows_give(absolute, step):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 2)).astype(np.float32)
    network = WindowNetwork(5 * 2, latent_dim=1, hidden=0)  # all weights 0: rebuilds nothing, so the error is x
    got = ErrorMeasure(window=5, step=step, smoothing=1, absolute=absolute, own_row=0.5).errors(network, x)
    error = np.abs(x) if absolute else x**2
    for row in (0, 3, 20, 38, 39):
        windows = [error[start : start + 5].mean(0) for start in starts_of(40, 5, step) if start <= row < start + 5]
        np.testing.assert_allclose(got[row], np.mean(windows, 0) + 0.5 * error[row], rtol=1e-5)


def test_long_windows_are_looked_at_in_steps_and_tell_the_same(lone):
    """Scores by every window and scores by every fourth one are the same, but for a few percent beside a fault."""
    x = signal(seed=3, channels=1)
    x[300] += 3
    x[700:725] = x[700]
    every, each = lone.measure_._replace(step=1), lone.measure_
    assert each.step == lone.window_ // 24 == 4
    dense, sparse = (m.scores(m.errors(lone.model_, lone.scaling_.apply(x))) for m in (every, each))
    assert np.abs(np.log(sparse / dense)).max() < 0.15
    assert np.abs(np.log(sparse / dense)).mean() < 0.01
    assert sparse.max() == pytest.approx(dense.max(), rel=1e-3)


def test_steps_stay_short_in_the_longest_windows():
    assert [choose_step(window, lone=True).value for window in (8, 42, 96, 184, 256)] == [1, 1, 4, 6, 6]
    assert [choose_step(window, lone=False).value for window in (20, 50, 128)] == [1, 1, 3]


def test_a_detector_saved_before_there_were_steps_looks_at_every_window(lone):
    tree = lone.to_tree()
    del tree["choices"]["step"]
    assert AnomalyDetector.from_tree(tree).measure_ == lone.measure_._replace(step=1)


# ------------------------------------------------------------------ the network
def recipe(**changes):
    return FitRecipe(
        **{"latent_dim": 3, "hidden": 16, "noise": 0.0, "absolute": False, "epochs": 4, "batch": 64} | changes
    )


def test_principal_components_are_scikit_learn_s():
    rows = np.random.default_rng(0).normal(size=(300, 6)).astype(np.float32) * [9, 5, 3, 2, 1, 0.5]
    ours, theirs = decompose(rows), PCA().fit(rows)
    np.testing.assert_allclose(ours.variances, theirs.explained_variance_ * 299 / 300, rtol=1e-4)
    np.testing.assert_allclose(np.abs(np.sum(ours.components * theirs.components_, axis=1)), 1, rtol=1e-4)


def test_the_network_starts_as_pca():
    rows = sliding(signal(channels=2).astype(np.float32), 10)
    network = WindowNetwork(20, latent_dim=3, hidden=16, copies=1)
    network.start([decompose(rows)], seed=0)
    alone, pca = network.single(0), PCA(3).fit(rows)
    expected = pca.inverse_transform(pca.transform(rows))
    np.testing.assert_allclose(alone(torch.from_numpy(rows)).detach().numpy(), expected, atol=1e-4)


def test_side_by_side_each_network_learns_from_its_own_windows():
    calm, rough = (sliding(scale * signal(seed=s).astype(np.float32), 10) for s, scale in ((0, 1), (1, 4)))
    windows = np.concatenate([calm, rough])
    members = [np.arange(len(calm)), len(calm) + np.arange(len(rough))]
    *_, end = train(windows, members, recipe(), seed=0)
    for own, other in ((0, 1), (1, 0)):
        x = torch.from_numpy(windows[members[own]])
        with torch.inference_mode():
            errors = [float(((end.networks.single(i)(x) - x) ** 2).mean()) for i in (own, other)]
        assert errors[0] < errors[1]


def test_training_bends_the_network_where_pca_cannot_follow():
    """Windows of chirps fill a curved surface: with as many numbers in the code, the network rebuilds them better."""
    t = np.linspace(0, 1, 4000)
    x = np.sin(2 * np.pi * (20 * t + 20 * t**2))[:, None].astype(np.float32)
    windows = sliding(x, 32)
    *_, end = train(windows, [np.arange(len(windows))], recipe(epochs=10), seed=0)
    pca = PCA(3).fit(windows)
    theirs = np.square(pca.inverse_transform(pca.transform(windows)) - windows).mean()
    with torch.inference_mode():
        ours = np.square(end.networks.single(0)(torch.from_numpy(windows)).numpy() - windows).mean()
    assert ours < 0.5 * theirs


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
    assert choose_window(signal(channels=1, period=70), asked=None).value == 140
    assert choose_window(signal(channels=1, period=25), asked=None).value == 96
    assert choose_window(signal(channels=1, rows=100), asked=None).value == 25
    assert choose_window(np.random.default_rng(0).normal(size=(2000, 4)), asked=None).value == 20


def test_a_falling_line_has_no_period():
    assert dominant_period(np.linspace(1, 0, 60)[:, None]) is None


def test_a_row_s_own_error_counts_where_nothing_repeats():
    noise = np.random.default_rng(0).normal(size=(2000, 1))
    assert choose_own_row(find_period(noise), hidden=64).value == pytest.approx(0.2, abs=0.05)
    assert choose_own_row(find_period(signal(channels=1)), hidden=64).value == 0


def test_every_choice_has_its_reason(fitted, lone):
    for choices in (fitted.choices_, lone.choices_):
        assert all(len(choice.reason) > 10 for choice in choices.values())
    assert fitted.choices_["hidden"].value == 0
    assert lone.choices_["hidden"].value == 64


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


def test_a_short_stretch_leans_on_the_prior_and_a_long_one_does_not():
    scores = np.random.default_rng(0).lognormal(0.0, 0.01, 1000)
    short = np.log(log_score_threshold(scores, 1, memory=1000 // 3))
    stretches = 1000 / (1000 // 3)
    pooled = (stretches * np.log(scores).var() + PRIOR_STRETCHES * PRIOR_SPREAD**2) / (stretches + PRIOR_STRETCHES)
    assert short - np.log(scores).mean() == pytest.approx(np.sqrt(pooled))
    long = np.log(log_score_threshold(np.resize(scores, 300_000), 1, memory=1))
    assert long - np.log(scores).mean() == pytest.approx(0.01, rel=0.1)


def test_scores_at_two_levels_do_not_push_the_threshold_out_of_reach():
    """A room by night and by day: no score lies beyond the day's, so the deviation of both says nothing of a tail."""
    rng = np.random.default_rng(0)
    scores = np.exp(np.r_[rng.uniform(-2, -1.5, 6000), rng.uniform(0, 0.5, 6000)])
    threshold = log_score_threshold(scores, 4, memory=100)
    assert scores.max() < threshold < 1.3 * scores.max()
    assert np.exp(np.log(scores).mean() + 4 * np.log(scores).std()) > 10 * scores.max()
    assert "bounded by the highest" in by_quantile(scores, 4, memory=100).sentence
    rising = [log_score_threshold(scores, sigmas, memory=100) for sigmas in np.arange(0, 8, 0.25)]
    assert np.all(np.diff(rising) > 0)


@pytest.mark.parametrize("memory", [1, 20, 200])
def test_a_tail_is_followed_as_far_as_a_log_normal_one_goes(memory):
    scores = np.repeat(np.random.default_rng(0).lognormal(0.0, 0.3, 4000 // memory), memory)
    n = len(scores) / memory
    pooled = (n * np.log(scores).var() + PRIOR_STRETCHES * PRIOR_SPREAD**2) / (n + PRIOR_STRETCHES)
    fitted = np.log(scores).mean() + 4 * np.sqrt(pooled)
    assert np.log(log_score_threshold(scores, 4, memory=memory)) == pytest.approx(fitted, abs=0.1)


@pytest.mark.parametrize(("count", "low", "high"), [(0, 0.0, 3.6889), (1, 0.0253, 5.5716), (10, 4.7954, 18.3904)])
def test_the_poisson_interval_is_garwood_s(count, low, high):
    assert poisson_interval(count) == pytest.approx((low, high), abs=1e-4)
    if count:
        assert stats.poisson.sf(count - 1, low) == pytest.approx(0.025, abs=1e-4)
    assert stats.poisson.cdf(count, high) == pytest.approx(0.025, abs=1e-4)


@pytest.mark.parametrize("risk", [1e-2, 1e-3, 1e-4])
def test_peaks_over_threshold_finds_an_exponential_s_quantile(risk):
    scores = np.random.default_rng(0).exponential(1.0, 20_000)
    assert peaks_over_threshold(scores, risk).value == pytest.approx(-np.log(risk), rel=0.1)


@pytest.mark.parametrize("shape", [-0.4, -0.2, 0.0, 0.2, 0.8])
@pytest.mark.parametrize("count", [40, 600])
def test_the_tail_is_as_likely_as_scipy_s_fit_of_it(count, shape):
    excesses = stats.genpareto.rvs(shape, scale=0.03, size=count, random_state=np.random.default_rng(1))
    got, scale = thresholds._pareto(excesses)
    theirs, _, their_scale = stats.genpareto.fit(excesses / excesses.mean(), floc=0)
    mine, best = (
        stats.genpareto.logpdf(excesses, c, scale=s).sum()
        for c, s in ((got, scale), (theirs, their_scale * excesses.mean()))
    )
    assert mine >= best - 1e-3


def test_equal_excesses_have_a_tail_that_ends_with_them():
    shape, scale = thresholds._pareto(np.full(50, 0.2))
    assert shape == pytest.approx(-1) and 0.2 < scale / -shape < 0.4


def test_beyond_what_was_seen_a_threshold_says_that_it_is_extrapolated():
    scores = np.random.default_rng(0).exponential(1.0, 1000)
    seen, guessed = peaks_over_threshold(scores, 1e-2), peaks_over_threshold(scores, 1e-5)
    assert not seen.extrapolated
    assert guessed.extrapolated and "extrapolated" in guessed.sentence
    assert guessed.value > scores.max()
    with pytest.raises(SettingError, match="risk must lie"):
        peaks_over_threshold(scores, 0.5)
    with pytest.raises(TooFewRows, match="in the tail"):
        peaks_over_threshold(scores[:50], 1e-2)


def test_alarms_an_hour_are_counted_where_the_stretch_is_long_enough():
    hours, rate = 10, 1.0
    scores = np.random.default_rng(0).exponential(1.0, int(hours * 3600 * rate))
    found = false_alarms_per_hour(scores, 2.0, sample_rate=rate, gap=5)
    assert len(merge_runs(runs(scores > found.value), 5)) == pytest.approx(20, abs=3)
    assert not found.extrapolated
    fresh = np.random.default_rng(1).exponential(1.0, 100 * 3600)
    assert len(merge_runs(runs(fresh > found.value), 5)) / 100 == pytest.approx(2.0, rel=0.5)


def test_ten_normal_minutes_cannot_vouch_for_one_alarm_an_hour():
    scores = np.random.default_rng(0).exponential(1.0, 600)
    found = false_alarms_per_hour(scores, 1.0, sample_rate=1.0, gap=0)
    assert found.extrapolated
    assert "10 minutes" in found.sentence and "no alarm" in found.sentence
    assert "22" in found.sentence  # an hour, the upper end for none in ten minutes: 3.69 * 6
    assert found.value >= scores.max()
    fleeting = false_alarms_per_hour(scores, 1.0, sample_rate=1000.0, gap=0)
    assert "0 to 22,000 an hour" in fleeting.sentence  # in digits, not as 2.2e+04
    with pytest.raises(SettingError, match="must be positive"):
        false_alarms_per_hour(scores, 0, sample_rate=1.0, gap=0)


def test_a_fitted_detector_changes_its_threshold_without_training(fitted):
    assert fitted.threshold_for(sigmas=4.0).value == fitted.threshold_ == fitted.threshold_at(4.0)
    assert fitted.threshold_for(sigmas=6.0).value > fitted.threshold_
    assert fitted.threshold_for(risk=1e-3).value > np.median(fitted.decision_scores_)
    with pytest.raises(SettingError, match="sampling rate"):
        fitted.threshold_for(alarms_per_hour=1.0)
    with pytest.raises(SettingError, match="exactly one"):
        fitted.threshold_for(sigmas=4.0, risk=1e-3)
    timed = AnomalyDetector.from_tree(fitted.to_tree())
    timed.sample_rate = 10.0
    assert timed.threshold_for(alarms_per_hour=1.0).extrapolated


def test_runs_and_merging():
    flags = np.array([1, 1, 0, 0, 1, 0, 0, 0, 0, 1], bool)
    assert runs(flags) == [(0, 1), (4, 4), (9, 9)]
    assert merge_runs(runs(flags), 2) == [(0, 4), (9, 9)]
    assert merge_runs([], 5) == []


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
    assert fitted.threshold_ == log_score_threshold(fitted.decision_scores_, 4.0, memory=fitted.memory_)
    np.testing.assert_array_equal(fitted.labels_, fitted.decision_scores_ > fitted.threshold_)
    # scores of unseen rows look like the held-out ones, which in-sample scores need not
    unseen = fitted.decision_function(signal(rows=4000, seed=5))
    assert np.median(unseen) == pytest.approx(np.median(fitted.decision_scores_), rel=0.15)


def test_channel_scores_add_up_to_the_score(fitted):
    x = signal(seed=6)
    excess = fitted.channel_excess(fitted.channel_scores(x)).astype(float)
    np.testing.assert_allclose(np.sqrt((excess**2).mean(1)), fitted.decision_function(x), rtol=1e-5)


def test_a_well_known_channel_is_not_drowned_by_a_noisy_one():
    rng = np.random.default_rng(0)
    x = np.column_stack([signal(rows=3000, channels=1)[:, 0], rng.normal(size=(3000, 2))])
    fitted = AnomalyDetector().fit(x[:2000])
    x[2500:2560, 0] += 0.5
    worst = fitted.events(x).sort_values("severity").iloc[-1]
    assert worst["leading_channel"] == "channel 1"
    assert worst["start"] <= 2540 <= worst["end"]


def test_the_reconstruction_is_in_the_signal_s_units(fitted):
    x = signal(seed=7) + 100 * np.array([0, 0, 0])
    rebuilt = fitted.reconstruct(x)
    assert rebuilt.shape == x.shape
    assert np.abs(rebuilt - x).mean() < 0.2 * x.std()


def test_gradient_descent_improves_on_pca():
    """On the absolute error it is trained for, the detector's network beats PCA on windows it has not seen."""
    heavy = np.random.default_rng(0).standard_t(2, size=(2400, 3)) * 0.2
    train_part, test = (signal(rows=1200, seed=s) + part for s, part in ((8, heavy[:1200]), (9, heavy[1200:])))
    fitted = AnomalyDetector(window=20, latent_dim=4).fit(train_part)
    rows = sliding(fitted.scaling_.apply(test), 20)
    pca = PCA(4).fit(sliding(fitted.scaling_.apply(train_part), 20))
    with torch.inference_mode():
        ours = np.abs(fitted.model_(torch.from_numpy(rows)).numpy() - rows).mean()
    theirs = np.abs(pca.inverse_transform(pca.transform(rows)) - rows).mean()
    assert ours < theirs


def test_a_fit_gives_the_threads_back(fitted):
    before = torch.get_num_threads()
    AnomalyDetector().fit(signal(rows=200))
    fitted.decision_function(signal())
    assert torch.get_num_threads() == before


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
    assert fitted.notes_[0].startswith("channel 4 is constant")


@pytest.mark.parametrize(("level", "step"), [(7.0, 0.1), (0.0, 1e-3), (-1e6, 100.0)])
def test_a_constant_channel_that_moves_is_flagged_and_leads(level, step):
    x = np.column_stack([signal(), np.full(1200, level)])
    fitted = AnomalyDetector().fit(x)
    x[500:520, 3] += step
    assert fitted.predict(x)[500:520].all()
    events = fitted.events(x, threshold=fitted.threshold_at(8.0))
    assert events[["start", "end", "leading_channel"]].to_numpy().tolist() == [[500, 519, "channel 4"]]


def test_a_normal_stretch_that_is_not_normal_is_pointed_out(fitted):
    assert fitted.notes_ == []
    x = signal(seed=1)
    x[600:640] += 8
    assert "holds 1 event" in " ".join(AnomalyDetector().fit(x).notes_)
    x = signal(seed=1)
    x[600:] += np.random.default_rng(0).normal(size=(600, 3))
    assert "two levels" in " ".join(AnomalyDetector().fit(x).notes_)


def test_two_levels_are_told_from_one():
    rng = np.random.default_rng(0)
    share, _ = two_levels(rng.lognormal(0, 0.3, 5000))
    assert share == pytest.approx(2 / np.pi, abs=0.02)  # what a split at the mean explains of a normal distribution
    share, ratio = two_levels(np.r_[rng.lognormal(0, 0.1, 500), rng.lognormal(np.log(5), 0.1, 300)])
    assert share > 0.95
    assert ratio == pytest.approx(5, rel=0.05)


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("rows", [50, 60, 101])
def test_few_rows_are_enough(rows, channels):
    x = signal(rows=rows, channels=channels)
    assert np.isfinite(AnomalyDetector().fit(x).decision_function(x)).all()


def test_a_single_channel_s_lone_spike_and_broken_shape_are_found(lone):
    x = signal(seed=3, channels=1)
    x[300] += 3
    x[700:725] = x[700]
    events = lone.events(x)
    for row in (300, 712):
        assert ((events["start"] <= row) & (row <= events["end"])).any()


@pytest.mark.usefixtures("brief")
def test_two_hundred_channels_and_one():
    x = np.random.default_rng(0).normal(size=(400, 200))
    assert np.isfinite(AnomalyDetector().fit(x).decision_function(x)).all()
    assert AnomalyDetector().fit(x[:, 0]).decision_function(x[:, 0]).shape == (400,)


def test_an_absurd_value_scores_high_and_finite(fitted):
    x = signal(seed=1)
    x[600, 0] = -1e29
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
    assert first.part == first.epoch == 0
    steps.close()


def test_a_fit_reports_between_the_starts_of_its_networks():
    """Principal components of wide windows take seconds; a cancelled fit must not sit through all of them."""
    reports = list(AnomalyDetector().fitting(signal(rows=200)))
    epochs = [report.epoch for report in reports if report.part == 0]
    assert epochs == [0, 0, 0, 0, *range(1, reports[0].epochs + 1)]
    assert all(np.isnan(report.loss) == (report.epoch == 0) for report in reports)


def test_progress_rises_to_one():
    progress = [step.progress for step in AnomalyDetector().fitting(signal(rows=200))]
    assert progress == sorted(progress)
    assert progress[-1] == pytest.approx(1)


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        (np.zeros((20, 2)), TooFewRows, "20 normal rows are too few"),
        (np.zeros((1, 2)), TooFewRows, "1 normal row is too few"),
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


def test_codes_are_those_of_the_windows_asked_for(fitted):
    x = signal(seed=2)
    codes = fitted.codes(x, np.array([0, 7, 500]))
    assert codes.shape == (3, fitted.latent_dim_)
    np.testing.assert_allclose(fitted.codes(x[7:], np.array([0])), codes[1:2], rtol=1e-4, atol=1e-5)
