import numpy as np
import pytest

from aecore.data.datasets.signals import MAX_COMPLEXITY, SinusoidFamily, windows
from aecore.errors import SettingError, TooFewRows


def rank(signals, share=0.9999):
    """Principal directions that hold `share` of the variance, by numpy's SVD."""
    power = np.linalg.svd(signals - signals.mean(0), compute_uv=False) ** 2
    return int(np.searchsorted(np.cumsum(power) / power.sum(), share)) + 1


@pytest.mark.parametrize(("complexity", "low", "high"), [(1, 2, 2), (2, 4, 4), (10, 18, 20), (40, 64, 80)])
@pytest.mark.parametrize("seed", [0, 1, 7])
def test_complexity_sets_the_rank(complexity, low, high, seed):
    assert low <= rank(SinusoidFamily(complexity=complexity, seed=seed).draw(1000, seed=3)) <= high


def test_frequencies_drawn_per_signal_would_not():
    rng = np.random.default_rng(0)  # the oracle for why frequencies belong to the family
    turns = 2 * np.pi * rng.uniform(1, 64, size=(1000, 1)) * np.arange(256) / 256
    assert rank(np.sin(turns + rng.uniform(0, 2 * np.pi, size=(1000, 1)))) > 60


def test_the_error_curve_bends():
    family = SinusoidFamily(complexity=10)
    signals = family.draw(1000, seed=0)
    power = np.linalg.svd(signals - signals.mean(0), compute_uv=False) ** 2
    gained = power / power.sum()
    assert gained[:4].sum() > 2.5 * gained[12:16].sum()


@pytest.mark.parametrize("length", [128, 256, 1024])
def test_frequencies_are_apart_and_inside(length):
    frequencies = SinusoidFamily(complexity=MAX_COMPLEXITY, length=length, seed=5).frequencies
    band = (length / 4 - 1) / MAX_COMPLEXITY
    assert frequencies.min() >= 1
    assert frequencies.max() <= length / 4
    assert np.diff(frequencies).min() >= 0.4 * band - 1e-9


def test_raising_complexity_adds_components():
    many = SinusoidFamily(complexity=12, seed=4)
    few = SinusoidFamily(complexity=5, seed=4)
    np.testing.assert_array_equal(many.frequencies[:5], few.frequencies)


def test_the_spectrum_holds_the_frequencies_and_nothing_else():
    family = SinusoidFamily(complexity=3, length=4096, seed=2)
    window = np.hanning(4096)
    spectrum = np.abs(np.fft.rfft(family.draw(200, seed=0) * window)).mean(0)
    peaks = [bin_ for bin_ in range(1, 2048) if spectrum[bin_] == spectrum[max(0, bin_ - 3) : bin_ + 4].max()]
    strongest = sorted(sorted(peaks, key=lambda bin_: -spectrum[bin_])[:3])
    np.testing.assert_allclose(strongest, np.sort(family.frequencies), atol=0.6)
    far = np.min(np.abs(np.arange(2049)[:, None] - family.frequencies), axis=1) > 8
    assert spectrum[far].max() < 1e-3 * spectrum.max()


@pytest.mark.parametrize("complexity", [1, 6, 40])
def test_power_is_one(complexity):
    signals = SinusoidFamily(complexity=complexity).draw(4000, seed=1)
    assert np.mean(signals**2) == pytest.approx(1.0, abs=0.02)
    assert signals.dtype == np.float32
    assert signals.shape == (4000, 256)


def test_noise_is_white_and_as_large_as_asked():
    clean, noisy = SinusoidFamily(complexity=3, noise=0.5).draw_noisy(500, seed=1)
    noise = noisy - clean
    assert noise.std() == pytest.approx(0.5, rel=0.02)
    assert abs(np.mean(noise[:, 1:] * noise[:, :-1])) < 0.01
    np.testing.assert_array_equal(clean, SinusoidFamily(complexity=3).draw(500, seed=1))


def test_seeds_reproduce():
    family = SinusoidFamily(complexity=4)
    np.testing.assert_array_equal(family.draw(5, seed=1), SinusoidFamily(complexity=4).draw(5, seed=1))
    assert not np.array_equal(family.draw(5, seed=1), family.draw(5, seed=2))
    assert not np.array_equal(family.frequencies, SinusoidFamily(complexity=4, seed=1).frequencies)


@pytest.mark.parametrize(
    "settings",
    [{"complexity": 0}, {"complexity": 41}, {"complexity": 3, "length": 8}, {"complexity": 3, "noise": -1.0},
     {"complexity": 3, "noise": float("nan")}, {"complexity": 3, "seed": -1}],
)  # fmt: skip
def test_settings_outside_are_refused(settings):
    with pytest.raises(SettingError, match="got"):
        SinusoidFamily(**settings)


def test_windows_follow_each_other():
    cut = windows(np.arange(10), length=4, hop=3)
    np.testing.assert_array_equal(cut, [[0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 8, 9]])
    assert cut.dtype == np.float32
    assert cut.flags.c_contiguous


def test_windows_that_cannot_be_cut():
    with pytest.raises(TooFewRows, match="does not fit"):
        windows(np.arange(3), length=4, hop=1)
    with pytest.raises(SettingError, match="got 4 and 0"):
        windows(np.arange(9), length=4, hop=0)
    with pytest.raises(SettingError, match="shape"):
        windows(np.zeros((9, 2)), length=4, hop=1)
