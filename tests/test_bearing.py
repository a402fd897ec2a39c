import numpy as np
import pytest
from scipy.signal import hilbert, welch

from aecore.data.simulators.bearing import (
    DAMPING,
    PATHS,
    SAMPLE_RATE,
    STRONGEST,
    BearingFault,
    BearingSettings,
    Geometry,
    frequencies,
    load_share,
    ring,
    simulate,
    strikes,
)
from aecore.errors import SettingError

QUIET = BearingSettings(noise=0.0, slip=0.0, seconds=2.0)


def envelope_spectrum(signal):
    """(Hz, amplitude) of the envelope above 2 kHz, where only the ringing is: an analysis of its own kind."""
    spectrum = np.fft.rfft(signal)
    spectrum[np.fft.rfftfreq(len(signal), 1 / SAMPLE_RATE) < 2000] = 0
    envelope = np.abs(hilbert(np.fft.irfft(spectrum, len(signal))))
    found = np.abs(np.fft.rfft(envelope - envelope.mean())) / len(signal)
    return np.fft.rfftfreq(len(signal), 1 / SAMPLE_RATE), found


def height(spectrum, at):
    """Largest amplitude within a Hertz of `at`."""
    hertz, found = spectrum
    return found[np.abs(hertz - at) <= 1.0].max()


def test_frequencies_of_a_6205_as_published():
    # Bearing Data Center, Case Western Reserve University: drive end 6205-2RS, multiples of the shaft's frequency
    found = frequencies(Geometry(), 1.0)
    multiples = [found.outer, found.inner, 2 * found.ball, found.cage]
    np.testing.assert_allclose(multiples, [3.5848, 5.4152, 4.7135, 0.39828], rtol=2e-4)


@pytest.mark.parametrize("contact", [0.0, 15.0, 40.0])
def test_frequencies_belong_together(contact):
    geometry = Geometry(balls=13, ball=12.0, pitch=60.0, contact=contact)
    found = frequencies(geometry, 25.0)
    assert found.outer + found.inner == pytest.approx(13 * 25.0)  # what passes one race or the other
    assert found.outer == pytest.approx(13 * found.cage)  # each turn of the cage brings every ball past
    assert found.inner == pytest.approx(13 * (25.0 - found.cage))


@pytest.mark.parametrize("kind", ["outer", "inner", "ball"])
def test_strikes_come_as_often_as_geometry_says(kind):
    settings = BearingSettings(slip=0.0, seconds=10.0)
    found = frequencies(settings.geometry, settings.shaft)
    rate = {"outer": found.outer, "inner": found.inner, "ball": 2 * found.ball}[kind]
    times, strengths = strikes(settings, kind, np.random.default_rng(0))
    np.testing.assert_allclose(np.diff(times), 1 / rate, rtol=1e-9)
    assert abs(len(times) - 10.0 * rate) <= 1
    assert strengths.max() == pytest.approx(1.0, abs=0.01)
    assert (strengths == 1).all() == (kind == "outer")


def test_slip_makes_each_interval_stray_on_its_own():
    settings = BearingSettings(slip=0.02, seconds=60.0)
    times, _ = strikes(settings, "outer", np.random.default_rng(0))
    intervals = np.diff(times) * frequencies(settings.geometry, settings.shaft).outer
    assert intervals.mean() == pytest.approx(1.0, abs=1e-3)
    assert intervals.std() == pytest.approx(0.02, rel=0.05)
    assert abs(np.corrcoef(intervals[1:], intervals[:-1])[0, 1]) < 0.05
    assert times[-1] > 59.9


def test_a_ring_is_the_formula_between_samples_too():
    times, strengths = np.array([0.00103, 0.00277, 0.0041]), np.array([1.0, 0.5, 2.0])
    count, resonance = 120, 3100.0
    t = np.arange(count) / SAMPLE_RATE
    omega = 2 * np.pi * resonance
    expected = sum(
        np.where(
            t >= at, a * np.exp(-DAMPING * omega * (t - at)) * np.sin(omega * np.sqrt(1 - DAMPING**2) * (t - at)), 0
        )
        for at, a in zip(times, strengths, strict=True)
    )
    np.testing.assert_allclose(ring(count, times, strengths, resonance), expected, atol=1e-12)


def test_load_zone():
    np.testing.assert_allclose(load_share(np.radians([0, 60, 90, 180, 270])), [1, 0.5**1.5, 0, 0, 0], atol=1e-12)


@pytest.mark.parametrize("channel", [0, 1])
def test_the_resonance_rings(channel):
    recording = simulate(QUIET, BearingFault(kind="outer"))
    hertz, power = welch(recording.values[:, channel], SAMPLE_RATE, nperseg=1200)
    assert hertz[power.argmax()] == pytest.approx(PATHS[channel][1] * QUIET.resonance, rel=0.03)


def test_envelopes_show_each_fault_at_its_frequency_with_its_sidebands():
    settings = BearingSettings(seconds=4.0, noise=0.05, slip=0.002)
    shaft = settings.shaft
    found = frequencies(settings.geometry, shaft)
    for kind, rate, side in [
        ("outer", found.outer, 0),
        ("inner", found.inner, shaft),
        ("ball", 2 * found.ball, found.cage),
    ]:
        spectrum = envelope_spectrum(simulate(settings, BearingFault(kind=kind)).values[:, 0])
        hertz, floor = spectrum[0], np.median(spectrum[1])
        assert height(spectrum, rate) > 10 * floor
        others = {"outer": found.outer, "inner": found.inner, "ball": 2 * found.ball}
        others.pop(kind)
        assert all(height(spectrum, other) < 0.3 * height(spectrum, rate) for other in others.values())
        if side:
            assert height(spectrum, side) > 10 * floor
            assert height(spectrum, rate - side) > 5 * floor
            assert height(spectrum, rate + side) > 5 * floor
        else:
            strongest = hertz[(hertz > 50) & (hertz < 150)][spectrum[1][(hertz > 50) & (hertz < 150)].argmax()]
            assert strongest == pytest.approx(rate, abs=0.5)


def test_severity_and_load_are_in_proportion():
    def ringing(severity, load):
        settings = BearingSettings(noise=0.0, slip=0.0, seconds=1.0, load=load)
        return (
            simulate(settings, BearingFault(kind="outer", severity=severity)).values - simulate(settings).values
        ).astype(float)

    whole = ringing(1.0, 1.0)
    np.testing.assert_allclose(ringing(0.5, 1.0), 0.5 * whole, atol=1e-4)
    np.testing.assert_allclose(ringing(1.0, 0.2), 0.2 * whole, atol=1e-4)
    assert np.abs(whole[:, 0]).max() == pytest.approx(STRONGEST * 0.95, rel=0.08)  # the first peak comes a bit damped
    assert np.abs(whole[:, 1]).max() == pytest.approx(PATHS[1][0] * STRONGEST * 0.95, rel=0.08)


def test_healthy_rows_stay_as_they_are():
    settings = BearingSettings(seconds=1.0, seed=3)
    healthy, faulty = simulate(settings), simulate(settings, BearingFault(kind="inner", onset=0.3, duration=0.4))
    rows = faulty.labels == 1
    assert np.flatnonzero(rows)[[0, -1]].tolist() == [3600, 8399]
    np.testing.assert_array_equal(faulty.values[~rows], healthy.values[~rows])
    assert not np.array_equal(faulty.values[rows], healthy.values[rows])
    assert healthy.labels.sum() == 0
    assert healthy.values.shape == (12_000, 2)
    assert healthy.time[1] == 1 / 12_000


def test_a_healthy_bearing_is_shaft_and_noise():
    settings = BearingSettings(speed_rpm=1800.0, seconds=10.0)
    spectrum = 2 * np.abs(np.fft.rfft(simulate(settings).values[:, 0])) / 120_000
    assert spectrum[300] == pytest.approx(0.05, rel=0.05)  # 30 Hz
    assert spectrum[600] == pytest.approx(0.02, rel=0.1)
    spectrum[[300, 600]] = 0
    assert spectrum[1:].max() < 0.003
    assert simulate(settings).values.std() == pytest.approx(np.sqrt(0.05**2 + 0.05**2 / 2 + 0.02**2 / 2), rel=0.02)


def test_seeds():
    a, b, c = (
        simulate(BearingSettings(seconds=0.2, seed=seed), BearingFault(kind="ball")).values for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: BearingSettings(speed_rpm=0.0), "speed_rpm must be in 60..12000, got 0"),
        (lambda: BearingSettings(slip=float("nan")), "slip must be in"),
        (lambda: BearingSettings(seed=-1), "seed must be 0 or more"),
        (lambda: Geometry(balls=2), "balls must be in 3..60"),
        (lambda: Geometry(ball=40.0), "ball must be in"),
        (lambda: BearingFault(kind="rust"), "kind must be one of none, outer, inner, ball"),
        (lambda: BearingFault(kind="outer", severity=2.0), "severity must be in 0..1"),
        (lambda: simulate(BearingSettings(seconds=1.0), BearingFault(kind="outer", onset=1.0)), "start it earlier"),
    ],
)
def test_settings_are_held_against_their_range(make, words):
    with pytest.raises(SettingError, match=words):
        make()
