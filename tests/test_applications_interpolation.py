"""Interpolation: walks against the simulator, the unseen region, and a row of the table made again."""

import numpy as np
import pytest

from aecore.concepts.applications import comparisons
from aecore.concepts.applications import interpolation as core
from aecore.concepts.applications.interpolation import FADE, MIDDLE, STEPS, Ends, InterpolationTraining
from aecore.data.simulators.drive_windows import SAMPLE_RATE
from aecore.errors import SettingError
from tests.applications import collect
from tests.benchmarks import applications_interpolation as benchmark


def test_the_truth_half_way_is_the_sine_half_way():
    made = core.walk_between({}, Ends(first=(2_400.0, 0.5), last=(3_000.0, 0.7)))
    time = np.arange(64) / SAMPLE_RATE
    wanted = 0.6 * 300 * np.sin(2 * np.pi * 4 * 2_700 / 60 * time)
    assert np.abs(made.truth[MIDDLE, 0] - wanted).max() < 4  # A; dead time and ripple are the rest


def test_a_fade_is_the_mean_of_both_ends_and_its_error_is_against_the_truth():
    made = core.walk_between({}, Ends(first=(2_400.0, 0.5), last=(3_000.0, 0.7)))
    fade = made.walks[FADE]
    np.testing.assert_allclose(fade[MIDDLE], (fade[0] + fade[-1]) / 2, atol=1e-3)
    off = np.sqrt(np.mean((fade[MIDDLE] - made.truth[MIDDLE]) ** 2) / np.mean(made.truth[MIDDLE] ** 2))
    assert made.error(FADE)[MIDDLE] == pytest.approx(off, rel=1e-5)
    assert made.error(FADE)[0] < 0.02 < 0.2 < off


def test_nothing_that_is_learnt_lies_where_middles_are_judged():
    drawn = core.drive_windows.draw(200, seed=1, conditions=("healthy",), outside=core.UNSEEN, aligned=True)
    assert not any(core.UNSEEN.holds(s, p) for s, p in zip(drawn.speeds, drawn.loads, strict=True))
    for kind, gap, turned in (("currents", 1_600.0, False), ("shapes", 3.0, False), ("shapes", 60.0, True)):
        for ends in core.draw_pairs(kind, gap, 7, 20, turned=turned):
            one, two = ends.between(0.5)
            if kind == "currents":
                assert core.UNSEEN.holds(one, two)
            else:
                assert 6.6 <= one <= 7.4 and -8 <= two <= 8


def test_what_ships_beats_the_fade_where_no_training_datum_is():
    networks = core.load_pretrained()
    near = core.middle_errors(networks["currents"], core.draw_pairs("currents", 800.0, 77, 10))
    assert near["VAE, round"] < 0.5 * near[FADE]
    assert set(networks) == set(core.KINDS)
    made = core.walk_between(networks["shapes"], Ends(kind="shapes", first=(5.5, 0.0), last=(8.5, 0.0)))
    assert made.walks["VAE, straight"].shape == (STEPS, 28, 28)
    assert made.error("VAE, straight")[MIDDLE] < made.error(FADE)[MIDDLE]


def test_a_row_s_fade_is_made_again_by_its_script():
    """What needs no training; the networks are trained for one epoch only."""
    shipped = comparisons.read("interpolation")["middle"]
    condition = "shapes, 3 pixels in size"
    again = benchmark.row(condition, benchmark.SEEDS[0], epochs=1)
    row = dict(zip(shipped.contestants, shipped.values[shipped.conditions.index(condition), :, 0], strict=True))
    assert again.keys() == row.keys()
    assert again[FADE] == pytest.approx(row[FADE], rel=1e-3)
    assert all(again[name] > row[name] for name in row if name != FADE)  # which a longer training makes smaller


@pytest.mark.release
def test_a_row_of_the_table_is_made_again_by_its_script():
    shipped = comparisons.read("interpolation")["middle"]
    condition = "shapes, 3 pixels in size"
    again = benchmark.row(condition, benchmark.SEEDS[0])
    row = shipped.values[shipped.conditions.index(condition), :, 0]
    for name, value in zip(shipped.contestants, row, strict=True):
        assert again[name] == pytest.approx(value, rel=0.3, abs=3)  # weights differ in their last bits across machines
    assert again[FADE] == pytest.approx(row[shipped.contestants.index(FADE)], rel=1e-3)


def test_a_short_training_reports_and_can_be_read():
    steps, tree = collect(core.train(InterpolationTraining(kind="shapes", epochs=1)))
    networks = core.networks_from_tree(tree)
    assert [step["part"] for step in steps[1:]] == [core.VAE, core.PLAIN]
    assert steps[-1]["progress"] == 1.0
    assert networks[core.VAE].decoder.outputs == 784


def test_settings_that_are_none_get_a_sentence():
    with pytest.raises(SettingError, match="load must be in"):
        Ends(first=(2_000.0, 7.0))
    with pytest.raises(SettingError, match="size must be in 5..9, got 2"):
        Ends(kind="shapes", first=(2.0, 0.0), last=(7.0, 0.0))
    with pytest.raises(SettingError, match="beta"):
        InterpolationTraining(beta=-1.0)
