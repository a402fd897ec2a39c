"""Generation: SMOTE and jitter by their definitions, copies known as such, and a row of the table made again."""

import numpy as np
import pytest

from aecore.concepts.applications import comparisons
from aecore.concepts.applications import generation as core
from aecore.concepts.applications.generation import JITTER, NONE, REPEAT, SMOTE, VAE, Shortage
from aecore.errors import SettingError, TooFewRows
from tests.applications import collect
from tests.benchmarks import applications_generation as benchmark
from tests.benchmarks import applications_generation_counts as counts

RARE = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 10.0]], np.float32)


def test_smote_draws_on_the_lines_between_neighbours():
    made = core.smote(RARE, 400, np.random.default_rng(0), neighbours=1)
    on_the_first_line = np.isclose(made[:, 1], 0) & (made[:, 0] >= 0) & (made[:, 0] <= 1)
    up = made[~on_the_first_line]  # from the third to its nearest, the first
    assert 200 < on_the_first_line.sum() < 330
    np.testing.assert_allclose(up[:, 0], 0, atol=1e-6)
    assert up[:, 1].min() >= 0 and up[:, 1].max() <= 10


def test_jitter_has_the_rms_that_was_asked_for():
    made = core.jitter(np.zeros((1, 192), np.float32), 500, np.random.default_rng(0), amperes=9.0)
    assert core.as_currents(made).std() == pytest.approx(9.0, rel=0.02)


def test_copies_are_at_no_distance_and_others_as_far_as_they_are():
    unseen = RARE + np.float32(1)
    found = core.find_copies(np.array([[1.0, 0.0], [3.0, 0.0]], np.float32), RARE, unseen)
    np.testing.assert_allclose(found.distance, [0, 2 * 300 / np.sqrt(2)], rtol=1e-6)
    assert found.nearest.tolist() == [1, 1]
    assert found.usual == pytest.approx(300.0)  # medians of 1, sqrt 2 and sqrt 2, shared over two values


def test_tests_lie_where_nothing_was_learnt():
    data = core.draw_windows(Shortage(examples=4), healthy=30)
    assert len(data.rare) == 4 and len(data.healthy) == 30
    again = core.draw_windows(Shortage(examples=4), healthy=30)
    np.testing.assert_array_equal(data.test_rare, again.test_rare)
    peak = core.as_currents(data.test_healthy).max((1, 2)) / 300
    assert peak.min() > 0.42 and peak.max() < 0.82  # the loads that tests are drawn from, and noise


def test_what_ships_draws_new_examples_and_no_copies():
    ships = core.load_pretrained()
    assert set(ships.generators) == {(fault, n) for fault in core.FAULTS for n in core.EXAMPLES}
    generator = ships.generators["misfiring switch", 20]
    unseen = ships.unseen["misfiring switch"]
    made = {m: core.synthesise(m, generator, 100, 0) for m in core.METHODS}
    assert len(made[NONE]) == 0 and all(made[m].shape == (100, 192) for m in (REPEAT, JITTER, SMOTE, VAE))
    apart = {m: np.median(core.find_copies(made[m], generator.rare, unseen).distance) for m in (REPEAT, SMOTE, VAE)}
    assert apart[REPEAT] < 0.01 and apart[VAE] > 3
    np.testing.assert_array_equal(made[VAE], core.synthesise(VAE, generator, 100, 0))


def test_a_row_s_distances_are_made_again_by_its_script(monkeypatch):
    """What needs no training: how near to the examples those methods come that have no network."""
    condition, seed = "misfiring switch, 20 examples", benchmark.SEEDS[0]
    table = comparisons.read("generation")["copies"]
    data = core.draw_windows(Shortage(fault="misfiring switch", examples=20, seed=seed))
    generator = core.load_pretrained().generators["misfiring switch", 20]._replace(rare=data.rare)
    monkeypatch.setattr(benchmark, "made", lambda condition, seed: (data, generator))
    again = benchmark.copies(condition, seed)
    row = dict(zip(table.contestants, table.values[table.conditions.index(condition), :, 0], strict=True))
    for method in (REPEAT, JITTER, SMOTE):
        assert again[method] == pytest.approx(row[method], abs=0.01)


@pytest.mark.release
def test_a_row_of_the_table_is_made_again_by_its_script():
    condition, seed = "misfiring switch, 20 examples", benchmark.SEEDS[0]
    tables = comparisons.read("generation")
    place = tables["recall"].conditions.index(condition)
    for table, row in (("recall", benchmark.recall), ("precision", benchmark.precision), ("copies", benchmark.copies)):
        again = row(condition, seed)
        for name, value in zip(tables[table].contestants, tables[table].values[place, :, 0], strict=True):
            assert again[name] == pytest.approx(value, abs=0.08)  # weights differ in their last bits across machines


@pytest.mark.release
def test_a_row_by_number_of_synthetic_examples_is_made_again(monkeypatch):
    seed, table = counts.SEEDS[0], comparisons.read("generation")["synthetic"]
    monkeypatch.setattr(counts, "made", lambda seed: benchmark.made(counts.ROW, seed))  # as above: trained once
    again = counts.recall(table.conditions[0], seed)
    for name, value in zip(table.contestants, table.values[0, :, 0], strict=True):
        assert again[name] == pytest.approx(value, abs=0.1)


def test_what_is_too_little_gets_a_sentence():
    with pytest.raises(TooFewRows, match="1 examples"):
        core.smote(RARE[:1], 5, np.random.default_rng(0))
    with pytest.raises(SettingError, match="examples must be in 2..200, got 1"):
        Shortage(examples=1)
    with pytest.raises(SettingError, match="fault"):
        Shortage(fault="rust")  # type: ignore[arg-type]


def test_a_visitor_s_comparison_reports_and_scores_every_method(monkeypatch):
    monkeypatch.setattr(core, "EPOCHS", 1)
    monkeypatch.setattr(core, "CLASSIFIER_EPOCHS", 1)
    steps, result = collect(core.compare(Shortage(examples=5), count=20))
    assert set(result["recall"]) == set(core.METHODS) == set(result["precision"])
    assert [s["progress"] for s in steps] == sorted(s["progress"] for s in steps)
