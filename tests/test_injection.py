"""The self-test: faults do what they say, the smallest caught one is truly the smallest, and nobody saw the rows."""

import re

import numpy as np
import pandas as pd
import pytest

from aecore.anomaly import AnomalyDetector
from aecore.anomaly.faults import FAULTS, duration, say, sizes
from aecore.anomaly.injection import CAUGHT, FIT_SHARE, self_test, self_testing
from aecore.errors import SettingError, TooFewRows


def normal(rows=2400, seed=0):
    rng = np.random.default_rng(seed)
    t = np.arange(rows)
    return pd.DataFrame(
        {
            "ia [A]": 30 * np.sin(2 * np.pi * t / 25) + rng.normal(size=rows),
            "level": 5 + 0.5 * rng.normal(size=rows),
            "still": np.full(rows, 3.0),
        }
    )


class Limits:
    """Scores by hand: a row's score is its largest distance from the limits given; sees one row only."""

    class smoothing_:
        value = 1

    window_, sample_rate, threshold_ = 1, 4.0, 0.0

    def __init__(self, low, high):
        self.low, self.high, self.seen = low, high, []

    def fitting(self, rows):
        self.fitted = np.array(rows)
        self.channels_, self.active_ = tuple(rows.columns), np.ones(rows.shape[1], bool)
        return iter(())

    def decision_function(self, x):
        self.seen.append(x)
        return np.maximum(x - self.high, self.low - x).max(1)


@pytest.fixture(scope="module")
def result():
    return self_test(AnomalyDetector(sample_rate=50.0), normal())


def by_kind(result, channel):
    return {finding.kind: finding for finding in result.findings if finding.channel == channel}


# ------------------------------------------------------------------ the faults
@pytest.mark.parametrize("kind", FAULTS)
def test_faults_leave_what_comes_before_alone_and_change_what_they_should(kind):
    clean = np.sin(np.arange(60) / 4)[None].repeat(2, 0) + 2
    x, noise = clean.copy(), np.random.default_rng(0).normal(size=clean.shape)
    FAULTS[kind].apply(x, 20, 10, np.array([[0.5], [-0.5]]), noise)
    np.testing.assert_array_equal(x[:, :20], clean[:, :20])
    after = {
        "spike": (x[:, 20] - clean[:, 20], [0.5, -0.5]),
        "drift": (x[:, [20, 24, 29, 59]] - clean[:, [20, 24, 29, 59]], np.outer([0.5, -0.5], [0.1, 0.5, 1, 1])),
        "stuck": (x[:, 20:30], clean[:, [19] * 10]),
        "dropout": (x[:, 20:30], np.zeros((2, 10))),
        "noise": (x[:, 20:30] - clean[:, 20:30], 0.5 * noise[:, 20:30]),
        "frequency": (x[:, 20::2][:, :19], clean[:, 20:39]),  # half as fast
    }[kind]
    np.testing.assert_allclose(*after, atol=1e-12)
    if kind in {"stuck", "dropout", "noise"}:
        np.testing.assert_array_equal(x[:, 30:], clean[:, 30:])


def test_sizes_grow_in_even_steps_over_the_whole_range():
    grid = np.array(sizes("channel", scale=3.7, longest=100))
    assert grid[0] == pytest.approx(0.037, rel=0.3) and grid[-1] == pytest.approx(370, rel=0.3)
    assert (grid[1:] / grid[:-1]).max() < 1.3
    assert sizes("time", scale=3.7, longest=20) == [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20]
    assert sizes("share", scale=3.7, longest=20)[0] == 0.001


def test_sizes_and_durations_read_well():
    assert say("drift", 3.2, 400, unit="A", sample_rate=10.0) == "a drift of 3.2 A over 40 s"
    assert say("stuck", 12, 12, unit="A", sample_rate=None) == "a value stuck for 12 rows"
    assert say("frequency", 0.016, 50, unit="", sample_rate=1e3) == "a frequency lower by 1.6 % over 50 ms"
    assert say("spike", 1250, 1, unit="", sample_rate=None) == "a spike of 1,250"
    assert duration(1, None) == "1 row" and duration(5, 1e6) == "5 µs" and duration(7200, 1.0) == "7,200 s"


# ------------------------------------------------------------------ against a detector that can be worked out
def test_the_smallest_caught_size_is_where_the_limit_lies():
    x = pd.DataFrame({"p [bar]": np.zeros(400), "q": np.zeros(400)})
    x += 0.1 * np.where(np.arange(400) % 2, 1, -1)[:, None]
    detector = Limits(-1.0, 1.0)
    findings = by_kind(self_test(detector, x), "p [bar]")
    assert findings["spike"].size == 1.25  # 1.0 + 0.1 would do on every other row only: not 90 % of the positions
    assert findings["drift"].size == 1.25
    assert findings["spike"].sentence == "p [bar]: a spike of 1.25 bar is caught; smaller ones are not."
    assert findings["stuck"].size is findings["dropout"].size is None
    assert re.fullmatch(r"p \[bar\]: not even a value stuck for [\d.]+ s is caught\.", findings["stuck"].sentence)
    assert findings["stuck"].seconds == findings["stuck"].rows / 4


def test_flags_that_were_there_before_do_not_count_as_caught():
    x = pd.DataFrame({"p": np.random.default_rng(0).normal(size=400)})
    result = self_test(Limits(9.0, -9.0), x)  # everything is outside: all rows are flagged anyway
    assert result.false_alarm_rate == 1
    assert all(finding.size is None and finding.caught == 0 for finding in result.findings)
    assert "100.0 % of the held-out normal rows" in result.notes[0]


def test_training_and_threshold_have_seen_none_of_the_rows_that_faults_are_put_into():
    x = pd.DataFrame({"p": np.arange(1000.0) * (-1) ** np.arange(1000)})  # every row tells its own number
    detector = Limits(-np.inf, np.inf)
    list(self_testing(detector, x, positions=30))
    assert np.abs(detector.fitted).max() < FIT_SHARE * 1000
    assert all(np.abs(seen).max() > 699 for seen in detector.seen)


# ------------------------------------------------------------------ with the detector itself
def test_every_fault_has_a_finding_and_holds_what_it_says(result):
    assert result.positions >= 20 and result.fitted_rows == 1680 and result.held_out_rows == 720
    findings = by_kind(result, "ia [A]")
    assert set(findings) == set(FAULTS)
    assert "frequency" not in by_kind(result, "level")  # noise has no frequency to shift
    assert not by_kind(result, "still")  # constant: not in the model
    for finding in result.findings:
        assert (finding.caught >= CAUGHT) == (finding.size is not None)
    assert findings["drift"].unit == "A" and findings["stuck"].unit == "s" and findings["frequency"].unit == "%"
    assert findings["drift"].size is not None and findings["noise"].size is not None
    assert list(result.table()["sentence"]) == [finding.sentence for finding in result.findings]


def test_a_drift_of_the_reported_size_is_caught_when_put_in_by_hand(result):
    finding = by_kind(result, "ia [A]")["drift"]
    x = normal()
    detector = AnomalyDetector(sample_rate=50.0).fit(x[: result.fitted_rows])

    def share_caught(size):
        caught = []
        for first in np.linspace(result.fitted_rows, len(x) - 2 * finding.rows, 20).astype(int):
            spoilt = x.copy()
            ramp = np.minimum(np.arange(1, len(x) - first + 1) / finding.rows, 1)
            spoilt.loc[spoilt.index[first:], "ia [A]"] += size * ramp * (-1) ** (first % 2)
            caught.append(detector.predict(spoilt)[first : first + finding.rows].any())
        return np.mean(caught)

    assert share_caught(1.3 * finding.size) >= 0.9
    assert share_caught(0.6 * finding.size) < 0.9


def test_more_noise_hides_more(result):
    loud = normal()
    loud["level"] += 2 * np.random.default_rng(5).normal(size=len(loud))
    hidden = self_test(AnomalyDetector(), loud, channels=["level"])
    assert by_kind(hidden, "level")["drift"].size > 1.5 * by_kind(result, "level")["drift"].size


def test_it_reports_as_it_goes_and_can_be_left():
    steps = self_testing(AnomalyDetector(), normal(), channels=["level"])
    reports = [next(steps) for _ in range(6)]
    steps.close()  # in the midst of training
    reports += self_testing(AnomalyDetector(), normal(), channels=["level"])
    shares = [report.progress for report in reports[6:]]
    assert reports[:6] == reports[6:12]
    assert shares == sorted(shares) and 0 <= shares[0] < shares[-1] <= 1
    assert reports[6].part.startswith("Training") and reports[-1].part == "Testing level"


def test_a_higher_threshold_catches_less(result):
    strict = self_test(
        AnomalyDetector(), normal(), channels=["level"], threshold=lambda detector: 2 * detector.threshold_
    )
    assert by_kind(strict, "level")["drift"].size > by_kind(result, "level")["drift"].size


@pytest.mark.parametrize(
    ("rows", "options", "error", "message"),
    [
        (100, {}, TooFewRows, "100 normal rows are too few for a self-test"),
        (200, {"positions": 60}, TooFewRows, "at least 400"),
        (400, {"positions": 5}, SettingError, "at least 20"),
        (400, {"channels": ["still"]}, SettingError, "must be among ia"),
    ],
)
def test_what_cannot_be_tested_is_said(rows, options, error, message):
    with pytest.raises(error, match=message):
        self_test(AnomalyDetector(), normal(rows), **options)


def test_the_shortest_stretch_that_is_taken_works():
    assert self_test(AnomalyDetector(), normal(160)).held_out_rows == 48
