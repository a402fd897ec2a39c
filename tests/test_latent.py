"""Maps and what lies between codes, held against definitions, scikit-learn and SciPy."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import chi2, kstest, norm
from sklearn.datasets import make_blobs
from sklearn.decomposition import PCA
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from aecore import latent
from aecore.errors import SettingError, TooFewRows


@pytest.fixture(scope="module")
def blobs():
    x, labels = make_blobs(120, 6, centers=4, cluster_std=4.0, random_state=1)
    return x.astype(np.float32), labels


def test_knn_is_leave_one_out_by_scikit_learn(blobs):
    x, labels = blobs
    expected = cross_val_score(KNeighborsClassifier(7), x, labels, cv=LeaveOneOut()).mean()
    assert latent.knn_accuracy(x, labels, neighbours=7) == pytest.approx(expected)


def test_knn_leaves_a_datum_out_of_its_own_vote_even_among_twins():
    codes = np.zeros((30, 2), np.float32)
    labels = np.arange(30) % 2
    assert latent.knn_accuracy(codes, labels, neighbours=1) < 1


def test_silhouette_is_its_definition(blobs):
    x, labels = blobs
    distance = cdist(x, x)
    values = []
    for i, own in enumerate(labels):
        a = distance[i, (labels == own) & (np.arange(len(x)) != i)].mean()
        b = min(distance[i, labels == other].mean() for other in set(labels) - {own})
        values.append((b - a) / max(a, b))
    assert latent.silhouette(x, labels) == pytest.approx(np.mean(values), rel=1e-4)


def test_trustworthiness_is_its_definition(blobs):
    x, _ = blobs
    codes, n, k = x[:, :2], len(x), 10
    ranks = np.argsort(np.argsort(cdist(x, x), 1), 1)  # 0 is the datum itself
    near = np.argsort(cdist(codes, codes), 1)[:, 1 : k + 1]
    cost = sum(max(0, ranks[i, j] - k) for i in range(n) for j in near[i])
    assert latent.trustworthiness(codes, x) == pytest.approx(1 - 2 * cost / (n * k * (2 * n - 3 * k - 1)), rel=1e-6)


def test_purity_of_clusters_far_apart_and_of_one_cloud():
    x, labels = make_blobs(90, 2, centers=[[0, 0], [50, 0], [0, 50]], random_state=0)
    assert latent.kmeans_purity(x, labels) == 1.0
    assert latent.kmeans_purity(np.random.default_rng(0).normal(size=(900, 2)), np.arange(900) % 3) < 0.5


def test_a_map_without_labels_is_measured_by_trustworthiness_alone(blobs):
    x, labels = blobs
    assert latent.organisation(x, x, None)[:2] == (None, None)
    full = latent.organisation(x, x, labels)
    assert full.trustworthiness == 1.0
    assert None not in full
    with pytest.raises(TooFewRows, match="10"):
        latent.organisation(x[:10], x[:10], None)


def test_principal_components_are_scikit_learn_s(blobs):
    x, _ = blobs
    mine, theirs = latent.Principal.fit(x, 3), PCA(3).fit(x)
    np.testing.assert_allclose(np.abs((mine.components * theirs.components_).sum(1)), 1, atol=1e-4)
    np.testing.assert_allclose(
        mine.decode(mine.encode(x)), theirs.inverse_transform(theirs.transform(x)), rtol=1e-3, atol=1e-3
    )
    assert latent.Principal.fit(x[:, :2], 5).encode(x[:, :2]).shape == (120, 5)


@pytest.mark.parametrize("method", ["PCA", "t-SNE"])
def test_projections_end_in_two_dimensions_and_leave_two_alone(blobs, method):
    x, labels = blobs
    codes = latent.project(x, method)
    assert codes.shape == (120, 2)
    assert latent.knn_accuracy(codes, labels) > 0.5
    assert latent.project(x[:, :2], method) is not None
    np.testing.assert_array_equal(latent.project(x[:, :2], method), x[:, :2])
    with pytest.raises(SettingError, match="Isomap"):
        latent.project(x, "Isomap")


def test_a_spherical_walk_keeps_angular_speed_and_length():
    a, b = np.array([2.0, 0.0]), np.array([0.0, 1.0])
    path = latent.walk(a, b, 5, spherical=True)
    turned = np.arctan2(path[:, 1], path[:, 0])
    np.testing.assert_allclose(turned, np.linspace(0, np.pi / 2, 5), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(path, axis=1), np.linspace(2, 1, 5), rtol=1e-6)


@pytest.mark.parametrize(("a", "b"), [([1, 0], [3, 0]), ([1, 0], [-1, 0]), ([0, 0], [1, 2])])
def test_where_no_one_circle_leads_there_the_walk_is_straight(a, b):
    straight = np.linspace(a, b, 7)
    np.testing.assert_allclose(latent.walk(np.array(a), np.array(b), 7, spherical=True), straight, atol=1e-6)
    np.testing.assert_allclose(latent.walk(np.array(a), np.array(b), 7), straight, atol=1e-6)


def test_the_quantile_grid_stands_for_equal_shares_from_the_top_left():
    grid = latent.quantile_grid(4).reshape(4, 4, 2)
    np.testing.assert_allclose(norm.cdf(grid[0, :, 0]), [0.125, 0.375, 0.625, 0.875], atol=1e-6)
    assert grid[0, 0, 1] == pytest.approx(norm.ppf(0.875), abs=1e-6)


def test_the_nearest_distance_is_scipy_s():
    rng = np.random.default_rng(0)
    x, data = rng.random((700, 5), dtype=np.float32), rng.random((90, 5), dtype=np.float32)
    np.testing.assert_allclose(latent.nearest_distance(x, data), cdist(x, data).min(1), atol=1e-3)


def test_one_held_out_datum_in_a_hundred_is_implausible_by_its_own_reference():
    rng = np.random.default_rng(0)
    reference = latent.Reference.fit(
        rng.normal(size=(400, 3)).astype(np.float32), held := rng.normal(size=(1000, 3)).astype(np.float32)
    )
    assert (reference.strangeness(held) > 1).mean() == pytest.approx(0.01, abs=0.001)


def test_the_central_mass_is_a_normal_cut_at_nine_tenths():
    points = latent.central_mass(4000, 2).astype(np.float64)
    radius = (points**2).sum(1)
    assert radius.max() <= chi2.ppf(0.9, 2)
    assert kstest(chi2.cdf(radius, 2) / 0.9, "uniform").pvalue > 0.01


def test_holes_are_where_a_decoder_leaves_the_data():
    """Data on the left half plane, a decoder that copies: the right half is one hole."""
    rng = np.random.default_rng(0)
    everything = rng.uniform(-4, 4, (22_000, 2)).astype(np.float32)
    everything[:, 0] = -np.abs(everything[:, 0])
    reference = latent.Reference.fit(everything[2000:], everything[:2000])
    strangeness = latent.hole_map(lambda z: z, reference, 3.0, side=31)
    assert (strangeness[:, 20:] > 1).all()
    assert (strangeness[:, :14] > 1).mean() < 0.05
    upper = latent.hole_map(lambda z: z[:, ::-1], reference, 3.0, side=31)
    assert (upper[20:] > 1).all()  # row 0 is the lowest
    assert latent.hole_share(lambda z: z, reference) == pytest.approx(0.5, abs=0.1)


def test_whitened_codes_have_mean_nought_and_covariance_one():
    rng = np.random.default_rng(0)
    codes = (rng.normal(size=(500, 2)) @ [[3.0, 1.0], [0.0, 0.2]] + [5, -7]).astype(np.float32)
    white = latent.Whitening.fit(codes)
    u = (codes - white.mean) @ white.into
    np.testing.assert_allclose(u.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(np.cov(u.T), np.eye(2), atol=1e-3)
    np.testing.assert_allclose(u @ white.back + white.mean, codes, atol=1e-3)
    flat = latent.Whitening.fit(np.stack([codes[:, 0], np.zeros(500, np.float32)], 1))
    assert np.isfinite(flat.into).all()


def test_a_neighbour_map_unrolls_a_bent_sheet_the_same_each_time():
    along, across = np.random.default_rng(0).uniform(size=(2, 400))
    bent = np.stack([np.cos(4 * along), np.sin(4 * along), across], 1).astype(np.float32)
    laid = latent.neighbour_map(bent)
    assert abs(np.corrcoef(laid[:, 0], along)[0, 1]) > 0.99
    assert laid.mean(0) == pytest.approx(0, abs=1e-5) and laid.std(0) == pytest.approx(1, rel=1e-5)
    assert np.array_equal(laid, latent.neighbour_map(bent))
