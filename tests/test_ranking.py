"""Ranking measures against scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from aecore.numerics.ranking import average_precision, roc_auc, roc_curve


@pytest.mark.parametrize("decimals", [1, 12], ids=["equal scores", "all different"])
@pytest.mark.parametrize("seed", range(3))
def test_areas_are_scikit_learn_s(seed, decimals):
    rng = np.random.default_rng(seed)
    labels = rng.random(500) < 0.3
    scores = (rng.normal(size=500) + labels).round(decimals)
    assert roc_auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), rel=1e-12)
    assert average_precision(labels, scores) == pytest.approx(average_precision_score(labels, scores), rel=1e-12)


def test_a_thinned_curve_has_about_the_same_area():
    rng = np.random.default_rng(0)
    labels = (rng.random(3000) < 0.4).astype(int)
    scores = rng.normal(size=3000) + labels
    thin = roc_curve(labels, scores, points=200)
    assert len(thin.false) < 210
    assert thin.auc == pytest.approx(roc_auc_score(labels, scores), abs=0.01)
