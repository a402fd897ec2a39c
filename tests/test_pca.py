"""The one principal component analysis against scikit-learn's."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from aecore.numerics.pca import Principal, decompose


@pytest.fixture
def rows():
    return (np.random.default_rng(0).normal(size=(300, 6)) * [9, 5, 3, 2, 1, 0.5] + 4).astype(np.float32)


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_directions_and_variances_are_scikit_learn_s(rows, precision):
    ours, theirs = decompose(rows, precision=precision), PCA().fit(rows)
    np.testing.assert_allclose(ours.mean, theirs.mean_, rtol=1e-5)
    np.testing.assert_allclose(ours.variances, theirs.explained_variance_ * 299 / 300, rtol=1e-4)
    np.testing.assert_allclose(np.abs(np.sum(ours.components * theirs.components_, axis=1)), 1, rtol=1e-4)


@pytest.mark.parametrize("k", [0, 2, 6])
def test_what_is_rebuilt_is_scikit_learn_s(rows, k):
    ours, theirs = Principal.fit(rows, 6).keep(k), PCA(k, svd_solver="full").fit(rows)
    expected = theirs.inverse_transform(theirs.transform(rows)) if k else np.broadcast_to(rows.mean(0), rows.shape)
    np.testing.assert_allclose(ours.decode(ours.encode(rows)), expected, atol=1e-4)


def test_directions_beyond_the_data_are_zeros(rows):
    ours = Principal.fit(rows[:, :1], 2)
    assert ours.components[1] == 0
    np.testing.assert_allclose(ours.decode(ours.encode(rows[:, :1])), rows[:, :1], rtol=1e-5)
