"""Metrics against scikit-learn, against a slow reading of TSB-AD's definition, and on cases worked out by hand."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_fscore_support

from aecore.anomaly.evaluation import evaluate, vus_pr
from aecore.errors import DataError
from aecore.numerics.ranking import average_precision

BENCH = Path(__file__).parents[1].parent / "shared" / "bench" / "anomaly_eval.py"


def labelled(seed: int, rows: int = 700) -> tuple[np.ndarray, np.ndarray]:
    """Labels with a few runs (some touching an end, some a few rows apart) and scores that know a little of them."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(rows, int)
    for start in rng.integers(-10, rows - 1, rng.integers(1, 9)):
        labels[max(start, 0) : max(start, 0) + rng.integers(1, 60)] = 1
    scores = rng.normal(size=rows).astype(np.float32) + labels * rng.choice([0, 1, 3])
    return labels, np.round(scores, 1) if seed % 2 else scores  # rounded: with ties


def by_the_book(labels: np.ndarray, scores: np.ndarray, buffer: int) -> float:
    """VUS-PR by plain loops over buffers, thresholds and rows."""
    n, y = len(labels), labels > 0
    found = [(a, b) for a in range(n) for b in range(a, n)
             if y[a : b + 1].all() and (a == 0 or not y[a - 1]) and (b == n - 1 or not y[b + 1])]  # fmt: skip
    thresholds = np.sort(scores)[::-1][np.linspace(0, n - 1, 250).astype(int)]
    areas = []
    for w in range(buffer + 1):
        soft = y.astype(float)
        covered = y.copy()
        for a, b in found:
            for i in range(max(a - w // 2, 0), min(b + w // 2 + 1, n)):
                covered[i] = True
                if i < a or i > b:
                    soft[i] += np.sqrt(1 - max(a - i, i - b) / w)
        soft = np.minimum(soft, 1)
        ids = np.cumsum(np.diff(np.r_[0, covered.astype(int)]) == 1) * covered
        area = before = 0.0
        for threshold in thresholds:
            flagged = scores >= threshold
            hits = (soft * flagged).sum()
            touched = np.mean([flagged[ids == i].any() for i in range(1, ids.max() + 1)])
            recall = min(hits / ((y.sum() + np.where(y, 1, soft * flagged).sum()) / 2), 1) * touched
            area += (recall - before) * hits / flagged.sum()
            before = recall
        areas.append(area)
    return float(np.mean(areas))


# ------------------------------------------------------------------ over all thresholds
@pytest.mark.parametrize("seed", range(6))
def test_average_precision_is_scikit_learns(seed):
    labels, scores = labelled(seed)
    assert average_precision(labels, scores) == pytest.approx(average_precision_score(labels, scores), rel=1e-12)


@pytest.mark.parametrize(("seed", "buffer"), [(0, 0), (1, 1), (2, 7)])
def test_vus_pr_is_what_plain_loops_give(seed, buffer):
    labels, scores = labelled(seed, rows=120)
    assert vus_pr(labels, scores, buffer=buffer) == pytest.approx(by_the_book(labels, scores, buffer), rel=1e-9)


@pytest.mark.skipif(not BENCH.is_file(), reason="the evaluation script to compare with is not beside the checkout")
@pytest.mark.parametrize("seed", range(8))
def test_vus_pr_is_the_evaluation_scripts(seed):
    spec = importlib.util.spec_from_file_location("anomaly_eval", BENCH)
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    labels, scores = labelled(seed)
    for buffer in (0, 1, 60, 101):
        assert vus_pr(labels, scores, buffer=buffer) == pytest.approx(bench.vus_pr(labels, scores, buffer), rel=1e-9)


def test_vus_pr_of_a_long_signal_is_small_for_scores_that_know_nothing():
    labels = np.zeros(300_000, int)
    labels[np.random.default_rng(0).integers(0, len(labels), 200)] = 1
    value = vus_pr(labels, np.random.default_rng(1).normal(size=len(labels)))
    assert 0 < value < 0.1


def test_a_perfect_score_has_full_marks_and_a_reversed_one_nearly_none():
    labels = np.zeros(1000, int)
    labels[400:500] = 1
    assert average_precision(labels, labels.astype(float)) == 1
    assert vus_pr(labels, labels.astype(float), buffer=0) == pytest.approx(1)
    assert vus_pr(labels, -labels.astype(float), buffer=0) < 0.11


# ------------------------------------------------------------------ at one threshold
@pytest.mark.parametrize("seed", range(4))
def test_rows_are_counted_as_scikit_learn_counts_them(seed):
    labels, scores = labelled(seed)
    result = evaluate(labels, scores, 1.0)
    expected = precision_recall_fscore_support(labels, scores > 1.0, average="binary")[:3]
    np.testing.assert_allclose(result.rows, expected)
    assert result.false_alarm_rate == pytest.approx((scores[labels == 0] > 1).mean())


def test_events_by_hand():
    #                  0  1  2  3  4  5  6  7  8  9 10 11
    labels = np.array([0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0])
    scores = np.array([0, 0, 0, 5, 5, 0, 0, 0, 0, 0, 0, 5])
    result = evaluate(labels, scores, 1, sample_rate=2.0)
    assert result.events == (0.5, 0.5, 0.5)  # one of two events found, one of two alarms right
    assert result.rows == pytest.approx((2 / 3, 2 / 5, 0.5))  # not 3 of 5: nothing is adjusted
    assert result.detections == ((2, 4, True, 1, 0.5), (8, 9, False, None, None))
    assert result.median_delay == 0.5
    assert result.composite_f1 == pytest.approx(2 * (2 / 3) * 0.5 / (2 / 3 + 0.5))


def test_a_flicker_is_one_alarm():
    labels = np.array([0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
    scores = np.array([0, 0, 9, 0, 9, 0, 0, 0, 9, 0])
    assert evaluate(labels, scores, 1).events.precision == pytest.approx(1 / 3)
    assert evaluate(labels, scores, 1, merge_gap=1).events.precision == pytest.approx(1 / 2)


def test_what_a_score_sees_ahead_counts_as_delay():
    labels, scores = np.zeros(50, int), np.zeros(50)
    labels[20:40], scores[14:30] = 1, 1
    assert evaluate(labels, scores, 0.5).detections[0].delay_rows == 0
    assert evaluate(labels, scores, 0.5, lookahead=10).detections[0].delay_rows == 4  # row 14 is known at row 24


def test_an_alarm_over_everything_does_not_pay():
    labels = np.zeros(1000, int)
    labels[500:510] = 1
    result = evaluate(labels, np.ones(1000), 0.5)
    assert result.events.recall == 1
    assert result.composite_f1 < 0.02 and result.rows.f1 < 0.02 and result.false_alarm_rate == 1


def test_rows_in_gaps_count_nowhere():
    labels, scores = labelled(2)
    scored = np.random.default_rng(3).random(len(labels)) > 0.3
    spoilt = np.where(scored, scores, 99)
    result = evaluate(labels, spoilt, 1.0, scored=scored)
    np.testing.assert_allclose(
        result.rows, precision_recall_fscore_support(labels[scored], scores[scored] > 1, average="binary")[:3]
    )
    assert result.auc_pr == pytest.approx(average_precision_score(labels[scored], scores[scored]))
    whole = np.array([0, 1, 1, 0, 0, 1, 0])
    result = evaluate(whole, np.array([0, 9, 9, 0, 0, 0, 0]), 1.0, scored=np.array([1, 0, 1, 1, 1, 0, 1], bool))
    assert result.detections == ((1, 2, True, 1, None),)  # an event that lies in a gap cannot be missed


def test_nothing_flagged_is_zero_not_an_error():
    labels, scores = labelled(1)
    result = evaluate(labels, scores, 1e9)
    assert result.rows == result.events == (0, 0, 0)
    assert result.median_delay is None


@pytest.mark.parametrize(
    ("labels", "message"), [(np.zeros(9), "no row of the 9"), (np.ones(9), "every row"), (np.ones(4), "4 labels")]
)
def test_labels_that_say_nothing_are_refused(labels, message):
    with pytest.raises(DataError, match=message):
        evaluate(labels, np.arange(9.0), 3)
