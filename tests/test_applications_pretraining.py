"""Pre-training: probes against scikit-learn, draws of labels, and a row of the table made again."""

import numpy as np
import pytest

from aecore.concepts.applications import comparisons
from aecore.concepts.applications import pretraining as core
from aecore.concepts.applications.pretraining import CODES, PCA, RAW, SCRATCH, TUNED, Labelling
from aecore.data.datasets import digits
from aecore.errors import SettingError
from aecore.numerics.dense import DenseNetwork
from tests.applications import collect
from tests.benchmarks import applications_pretraining as benchmark


@pytest.fixture(scope="module")
def ships() -> dict[core.PretrainingTask, core.PretrainedEncoder]:
    return core.load_pretrained()


@pytest.mark.parametrize("count", [20, 200])
def test_a_probe_is_ridge_regression_of_scaled_data(count):
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(0)
    x, asked = rng.normal(3, 2, (count, 40)).astype(np.float32), rng.normal(3, 2, (50, 40)).astype(np.float32)
    y = rng.integers(0, 4, count)
    mean, scale = x.mean(0), x.std()
    ridge = Ridge(alpha=2.5).fit((x - mean) / scale, np.eye(4)[y])
    wanted = ridge.predict((asked - mean) / scale).argmax(1)
    np.testing.assert_array_equal(core.predict_by_ridge(x, y, asked, 4, 2.5), wanted)


def test_a_smaller_draw_is_the_beginning_of_a_larger_one_and_no_class_is_left_out(ships):
    data = ships["digits"].material
    few = core.choose_rows(data, Labelling(per_class=3, draw=5)).reshape(10, 3)
    many = core.choose_rows(data, Labelling(per_class=100, draw=5)).reshape(10, 100)
    np.testing.assert_array_equal(many[:, :3], few)
    assert (data.pool.y[many] == np.arange(10)[:, None]).all()
    other = core.choose_rows(data, Labelling(per_class=3, draw=6)).reshape(10, 3)
    assert (other != few).any()


def test_splits_share_nothing_and_ship_as_they_are(ships):
    data = ships["digits"].material
    again = core.load_material("digits")
    for part, fresh in zip(data[:3], again[:3], strict=True):
        np.testing.assert_allclose(part.x, fresh.x, atol=1e-6)
        np.testing.assert_array_equal(part.y, fresh.y)
    assert len(data.pool.x) + len(data.validation.x) + len(data.test.x) == len(digits.load().images)
    machines = ships["machine faults"].material
    assert np.bincount(machines.pool.y).min() == core.POOL // 5
    assert len(machines.test.x) == core.TEST


def test_features_are_of_one_number_and_know_no_label(ships):
    data, encoder = ships["machine faults"]
    seen = core.extract_features(data, encoder)
    assert seen[PCA].pool.shape == seen[CODES].pool.shape == (core.POOL, encoder.outputs)
    assert seen[RAW].test is data.test.x
    centred = data.pool.x - data.pool.x.mean(0)
    values = np.linalg.svd(centred, compute_uv=False)[: encoder.outputs]
    np.testing.assert_allclose(np.linalg.norm(seen[PCA].pool, axis=0), values, rtol=1e-3)


def test_a_probe_on_digits_is_far_better_than_a_guess(ships):
    data, encoder = ships["digits"]
    seen = core.extract_features(data, encoder)
    rows = core.choose_rows(data, Labelling(per_class=10, draw=3))
    for name in core.PROBES:
        assert core.fit_probe(data, seen[name], rows).accuracy > 0.75


def test_a_row_s_probes_are_made_again_by_its_script(ships, monkeypatch):
    """What needs no training: probes of raw values, of PCA, and of the codes of an encoder from another seed."""
    table = comparisons.read("pretraining")["accuracy"]
    monkeypatch.setattr(benchmark, "learnt", lambda task, seed: (ships[task].material, ships[task].encoder))
    monkeypatch.setattr(benchmark, "score_network", lambda *args, **settings: 0.0)
    condition = "digits, 3 a class"
    again = benchmark.row(condition, benchmark.SEEDS[0])
    row = dict(zip(table.contestants, table.values[table.conditions.index(condition), :, 0], strict=True))
    assert again.keys() == row.keys()
    assert again[RAW] == pytest.approx(row[RAW], abs=0.01)
    assert again[PCA] == pytest.approx(row[PCA], abs=1)
    assert again[CODES] == pytest.approx(row[CODES], abs=12)


@pytest.mark.release
def test_a_row_of_the_table_is_made_again_by_its_script():
    shipped = comparisons.read("pretraining")["accuracy"]
    condition, seed = "digits, 3 a class", benchmark.SEEDS[0]
    again = benchmark.row(condition, seed)
    row = shipped.values[shipped.conditions.index(condition), :, 0]
    for name, value in zip(shipped.contestants, row, strict=True):
        assert again[name] == pytest.approx(value, abs=6)  # weights differ in their last bits across machines
    assert again[RAW] == pytest.approx(row[shipped.contestants.index(RAW)], abs=0.01)


def test_a_visitor_s_training_reports_and_ends_with_both_networks(monkeypatch):
    monkeypatch.setattr(core, "FINE_EPOCHS", 2)
    steps, result = collect(core.compare(Labelling(per_class=1), seed=0, epochs=1))
    assert set(result["accuracy"]) == {SCRATCH, TUNED}
    assert DenseNetwork.from_tree(result["encoder"]).outputs == core.COMPONENTS["digits"]
    assert [s["progress"] for s in steps] == sorted(s["progress"] for s in steps)


def test_settings_that_are_none_get_a_sentence():
    with pytest.raises(SettingError, match=r"per_class must be in 1\.\.100, got 0"):
        Labelling(per_class=0)
    with pytest.raises(SettingError, match="task"):
        Labelling(task="letters")  # type: ignore[arg-type]
