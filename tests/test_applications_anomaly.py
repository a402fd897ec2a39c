"""Monitors without torch beside the detector itself; features, ROC and delay against what is known of them."""

import numpy as np
import pytest
from scipy.stats import kurtosis
from sklearn.metrics import roc_auc_score

from aecore.anomaly import AnomalyDetector
from aecore.anomaly.windows import sliding
from aecore.concepts.applications import anomaly as core
from aecore.concepts.applications import comparisons
from aecore.errors import SettingError, StoreError
from aecore.numerics.ranking import roc_auc, roc_curve


@pytest.fixture(scope="module")
def fitted():
    """A detector of few healthy rows, and these rows."""
    rows = core.draw_healthy("inverter", 0, points=1)[:600]
    return AnomalyDetector(window=8, latent_dim=6).fit(rows), rows


def test_the_rebuilder_is_the_detectors_network(fitted):
    import torch

    detector, rows = fitted
    ours = core.read_rebuilder(detector.to_tree(), rows)
    x = detector.scaling_.apply(rows)
    with torch.inference_mode():
        rebuilt = detector.model_(torch.from_numpy(sliding(x, 8))).numpy()
    expected = np.abs(rebuilt - sliding(x, 8)).reshape(-1, 8, 5).mean(1)
    np.testing.assert_allclose(ours.errors(rows), expected, atol=1e-4)
    score = ours(rows)
    assert score.shape == (600,)
    assert np.median(score[:150]) == pytest.approx(1.0)


def test_pca_with_every_component_rebuilds_everything(fitted):
    detector, rows = fitted
    like = core.read_rebuilder(detector.to_tree(), rows)
    whole = core.fit_pca(like._replace(encode=np.zeros((40, 40), np.float32)), rows)
    assert whole.errors(rows).max() < 1e-3
    few = core.fit_pca(like, rows).errors(rows)
    assert few.mean() > 10 * whole.errors(rows).mean()


def test_a_score_looks_back_only(fitted):
    detector, rows = fitted
    judge = core.Monitor(core.read_rebuilder(detector.to_tree(), rows), 20, 1.0)
    changed = rows.copy()
    changed[400:] += 50
    np.testing.assert_array_equal(judge(rows)[:400], judge(changed)[:400])
    assert judge(changed)[400] > judge(rows)[400]


def test_features_are_rms_and_kurtosis_of_the_last_rows():
    x = np.random.default_rng(0).gamma(2.0, size=(500, 2))
    made = core.measure_features(x, 100, ("rms", "kurtosis"))
    for row in (99, 250, 499):
        window = x[row - 99 : row + 1]
        np.testing.assert_allclose(made[row, 0], window.std(0), rtol=1e-6)
        np.testing.assert_allclose(made[row, 1], kurtosis(window, axis=0, fisher=False), rtol=1e-6)
    np.testing.assert_array_equal(made[:99], np.broadcast_to(made[99], made[:99].shape))


def test_roc_and_its_area_are_scikit_learns():
    rng = np.random.default_rng(0)
    labels = (rng.random(3000) < 0.4).astype(int)
    scores = rng.normal(size=3000) + labels
    curve = roc_curve(labels, scores)
    assert curve.auc == pytest.approx(roc_auc_score(labels, scores), abs=1e-3)
    assert roc_curve(labels, scores, points=200).auc == pytest.approx(curve.auc, abs=0.01)


def test_a_delay_counts_from_the_onset_and_only_a_new_alarm():
    labels = np.repeat([0, 1], 100)
    scores = np.zeros(200)
    assert np.isnan(core.delay(scores, labels, 10.0))
    scores[130:] = 2
    assert core.delay(scores, labels, 10.0) == pytest.approx(3.0)
    scores[90:] = 2
    assert np.isnan(core.delay(scores, labels, 10.0))


@pytest.mark.parametrize("machine", core.MACHINES)
def test_no_healthy_draw_lies_where_the_tests_are(machine):
    rng = np.random.default_rng(0)
    learnt = [core.draw_scene(machine, rng) for _ in range(200)]
    low, high = core.TEST_SPEEDS[machine]
    assert not [s for s in learnt if low < s.speed_rpm < high]
    assert not [s for s in learnt if core.TEST_LOADS[0] < s.load < core.TEST_LOADS[1]]
    test = [core.draw_scene(machine, rng, core.FAULTS[machine][0], unseen=True) for _ in range(50)]
    assert all(low <= s.speed_rpm <= high for s in test)
    with pytest.raises(SettingError):
        core.FaultScene(machine=machine, fault="rust")


@pytest.mark.parametrize(("machine", "fault"), [("inverter", "open_switch"), ("bearing", "outer")])
def test_what_ships_rings_after_a_plain_fault_begins(machine, fault):
    judges = core.load_pretrained()[machine]
    speed = float(np.mean(core.TEST_SPEEDS[machine]))
    noise = core.NOISES[machine][0]
    made = core.simulate_scene(
        core.FaultScene(machine=machine, fault=fault, severity=0.6, speed_rpm=speed, noise=noise, seed=1)
    )
    for name in (core.AUTOENCODER, core.PCA):
        scores = judges[name](made.values)
        assert roc_auc(made.labels, scores) > 0.9
        healthy, faulty = ((scores[made.labels == label] > 1).mean() for label in (0, 1))
        assert faulty > healthy + 0.5
    again = core.monitors_from_tree(core.monitors_to_tree(judges))
    np.testing.assert_allclose(again[core.ALARM](made.values), judges[core.ALARM](made.values))
    with pytest.raises(StoreError):
        core.monitors_from_tree({"Autoencoder": {"kind": "Rebuilder"}})


def test_the_shown_tables_hold_what_they_should():
    tables = comparisons.read("anomaly")
    assert tables["auc"].contestants == core.CONTESTANTS
    assert ((tables["auc"].values >= 0) & (tables["auc"].values <= 1)).all()
    assert ((tables["found"].values >= 0) & (tables["found"].values <= 100)).all()


def test_one_row_of_the_shown_tables_comes_again_by_what_ships():
    """Seed 0 is the one that ships: its judges give the row that is shown."""
    from tests.benchmarks import applications_anomaly as bench

    table = comparisons.read("anomaly")["auc"]
    again = bench.judged("bearing", "outer", 0, core.load_pretrained()["bearing"])["auc"]
    place = table.conditions.index("spall, outer race")
    for i, name in enumerate(table.contestants):
        assert again[name] == pytest.approx(table.values[place, i, 0], abs=0.01)
