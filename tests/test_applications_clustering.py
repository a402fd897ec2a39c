"""Drives within their modes' limits; windows; k-means and the Rand index beside scikit-learn's; a visitor's drive."""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from aecore.concepts.applications import clustering as core
from aecore.concepts.applications import comparisons
from aecore.concepts.applications.k_means import adjusted_rand, k_means
from aecore.data.simulators.drive_cycles import MODES, NAMES, Cycle, CycleSettings, cycle, power, stretch, wandering
from aecore.errors import AecoreError, SettingError, TooFewRows
from aecore.numerics.progress import finish
from tests.benchmarks import applications_clustering as bench


# ---------------------------------------------------------------------- data
@pytest.mark.parametrize("name", NAMES)
def test_a_mode_keeps_to_its_speeds_and_accelerations(name):
    mode = MODES[name]._replace(unrest=0.0)
    speed = stretch(mode, 1200, 1.0, np.random.default_rng(0), begin=mode.floor)
    assert mode.top[0] - 1e-9 <= speed.max() <= mode.top[1] + 1e-9
    change = np.diff(speed) / 3.6
    assert change.max() <= 1.35 * mode.accelerate[1]  # whole seconds round the ramps
    assert change.min() >= -1.35 * mode.brake[1]


def test_every_second_carries_the_mode_that_made_it():
    driven = cycle(CycleSettings(stretches=20, seed=4))
    changes = np.flatnonzero(np.diff(driven.modes)) + 1
    lengths = np.diff([0, *changes, len(driven.modes)])
    assert len(lengths) == 20
    assert lengths.min() >= 120
    assert lengths.max() <= 420
    assert np.abs(np.diff(driven.speed)).max() / 3.6 < 4.5  # m/s^2, the driver's unrest included
    motorway, parking = (driven.speed[driven.modes == NAMES.index(n)].mean() for n in ("motorway", "parking"))
    assert motorway > 90 > 10 > parking
    with pytest.raises(SettingError):
        CycleSettings(longest=60.0)


def test_unrest_has_the_spread_and_the_memory_that_are_said():
    noise = wandering(200_000, np.random.default_rng(0))
    assert noise.std() == pytest.approx(1.0, rel=0.03)
    assert np.corrcoef(noise[:-8], noise[8:])[0, 1] == pytest.approx(np.exp(-1), abs=0.03)


def test_power_at_constant_speed_is_rolling_and_air():
    v = 100 / 3.6
    expected = v * (1600 * 9.81 * 0.010 + 0.5 * 1.2 * 0.28 * 2.2 * v**2) / 1e3
    np.testing.assert_allclose(power(np.full(10, 100.0)), expected)
    assert power(np.zeros(5)).max() == 0


# ---------------------------------------------------------------------- windows and clusters
def test_windows_are_cut_in_order_and_labelled_by_their_majority():
    driven = Cycle(np.arange(100.0), np.repeat([0, 1], [55, 45]).astype(np.int8))
    windows = core.cut_windows(driven, 20)
    assert windows.starts.tolist() == [0, 20, 40, 60, 80]
    np.testing.assert_array_equal(windows.speed[1], np.arange(20.0, 40.0))
    assert windows.modes.tolist() == [0, 0, 0, 1, 1]
    with pytest.raises(TooFewRows):
        core.cut_windows(driven, 60)


@pytest.mark.parametrize("length", core.LENGTHS)
def test_inputs_are_60_points_of_log_speed_and_acceleration(length):
    ramp = np.linspace(10, 40, length)[None]
    x = core.lay_out(ramp)[0]
    assert np.expm1(1.5 * x[0]) == pytest.approx(10, rel=1e-3)
    assert np.expm1(1.5 * x[59]) == pytest.approx(40, rel=1e-3)
    np.testing.assert_allclose(x[60:], 30 / (length - 1) / 3.6, rtol=1e-4)


def test_a_pair_is_a_window_and_its_neighbour_sorted():
    given, wanted = core.draw_pairs(30, 0, drives=1)
    assert given.shape == wanted.shape
    assert (np.diff(wanted[:, :60], axis=1) >= 0).all()
    half = len(given) // 2
    np.testing.assert_array_equal(np.sort(given[half:, :60], 1), wanted[:half, :60])  # forth and back


def test_k_means_is_as_good_as_scikit_learns():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(c, 0.6, (60, 3)) for c in ((0, 0, 0), (3, 0, 0), (0, 4, 0), (2, 2, 5))])
    ours, theirs = k_means(x, 4), KMeans(4, n_init=10, random_state=0).fit(x)
    assert ours.inertia == pytest.approx(theirs.inertia_, rel=1e-6)
    assert adjusted_rand_score(ours.labels, theirs.labels_) == 1.0
    assert (np.diff(np.bincount(ours.labels)) <= 0).all()
    assert k_means(np.zeros((5, 2)), 3).inertia == 0
    for wrong in (0, 6):
        with pytest.raises(AecoreError):
            k_means(np.zeros((5, 2)), wrong)


def test_the_rand_index_is_scikit_learns():
    rng = np.random.default_rng(1)
    for _ in range(20):
        one, other = rng.integers(0, 4, 50), rng.integers(0, 3, 50)
        assert adjusted_rand(one, other) == pytest.approx(adjusted_rand_score(one, other))
    assert adjusted_rand(one, one) == 1.0
    assert adjusted_rand(np.zeros(9, int), np.zeros(9, int)) == 1.0


def test_the_typical_window_is_the_one_nearest_to_the_middle():
    codes = np.array([[0.0], [1.0], [1.2], [9.0], [10.0], [10.5]])
    found = k_means(codes, 2)
    assert sorted(core.find_typical(codes, found).tolist()) == [1, 4]


def test_a_coder_learns_and_comes_back_as_it_went():
    coder = core.Coder.from_tree(finish(core.train(60, 3, 2, drives=2)))
    windows = core.cut_windows(core.simulate_unseen(0), 60)
    again = core.Coder.from_tree(coder.to_tree())
    for name, codes in coder.codes(core.lay_out(windows.speed)).items():
        np.testing.assert_allclose(again.codes(core.lay_out(windows.speed))[name], codes, atol=0.02)
    said = core.measure_agreement(core.cluster_windows(coder, windows, 5), windows)
    assert set(said) == set(core.CONTESTANTS)
    assert all(-0.5 <= value <= 1 for value in said.values())


# ---------------------------------------------------------------------- a visitor's drive
def test_own_drive_is_brought_to_seconds_and_kilometres_an_hour():
    t = np.arange(0, 600, 0.5)
    lines = "\n".join(f"{a:.1f},{10 + 5 * np.sin(a / 30):.4f}" for a in t)
    made = finish(core.read_drive("drive.csv", f"time [s],speed [m/s]\n{lines}".encode()))
    assert len(made["speed"]) == pytest.approx(600, abs=1)
    np.testing.assert_allclose(made["speed"][:590], 3.6 * (10 + 5 * np.sin(np.arange(590) / 30)), atol=0.1)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"rpm,torque\n" + b"\n".join(b"%d,%d" % (i, i * i % 7) for i in range(300)), "rename"),
        (b"speed\n" + b"\n".join(b"%d" % (i % 50) for i in range(100)), "longer"),
        (b"speed\n" + b"\n".join(b"%d" % (i * 10) for i in range(300)), "km/h"),
    ],
)
def test_bad_drives_get_one_sentence(data, words):
    with pytest.raises(AecoreError, match=words):
        finish(core.read_drive("drive.csv", data))


# ---------------------------------------------------------------------- the shown numbers
def test_one_row_of_the_shown_table_comes_again():
    """What needs no training: the mean speed and the raw windows, of one seed."""
    table = comparisons.read("clustering")["agreement"]
    again = bench.agreement(120, 0, core.load_pretrained()[120])
    for name in (bench.MEAN, core.RAW):
        place = table.conditions.index("windows of 120 s"), table.contestants.index(name), 0
        assert again[name] == pytest.approx(table.values[place], abs=0.02)
