import numpy as np
import pytest

from aecore.data.simulators.inverter import POLE_PAIRS, RATED_CURRENT, dead_time_amplitude
from aecore.data.simulators.powertrain import (
    CHANNELS,
    MAX_GAIN,
    MAX_OFFSET,
    InverterSettings,
    PowertrainFault,
    negative_sequence,
    simulate,
)
from aecore.errors import SettingError

FAULTS = ("open_switch", "offset", "gain", "inter_turn")
STEADY = InverterSettings(noise=0.0, wander=0.0, seconds=1.0)  # 200 Hz electrical, whole periods in one second


def currents(settings=STEADY, fault=None):
    return simulate(settings, fault).values[:, :3].astype(float)


def phasors(signals, frequency, sample_rate):
    """Complex amplitudes [3] at `frequency` over whole periods, by plain correlation."""
    time = np.arange(len(signals)) / sample_rate
    return 2 * (signals * np.exp(-2j * np.pi * frequency * time)[:, None]).mean(0)


def sequences(signals, frequency, sample_rate=10e3):
    """Amplitudes of the (zero, positive, negative) sequence: Fortescue's transform of the phasors."""
    a = np.exp(2j * np.pi / 3)
    phases = phasors(signals, frequency, sample_rate)
    return tuple(abs(phases @ row) / 3 for row in ([1, 1, 1], [1, a, a**2], [1, a**2, a]))


@pytest.mark.parametrize("load", [0.2, 0.6, 1.2])
def test_rms_is_amplitude_over_root_two(load):
    settings = InverterSettings(noise=0.0, wander=0.0, seconds=1.0, load=load)
    rms = np.sqrt(np.mean(currents(settings) ** 2, axis=0))
    np.testing.assert_allclose(rms, load * RATED_CURRENT / np.sqrt(2), rtol=2e-3)


@pytest.mark.parametrize("speed", [300.0, 1500.0, 4500.0, 12000.0])
def test_fundamental_follows_speed(speed):
    settings = InverterSettings(speed_rpm=speed, seconds=1.0, wander=0.0)
    spectrum = np.abs(np.fft.rfft(currents(settings)[:, 0]))
    assert spectrum.argmax() == pytest.approx(POLE_PAIRS * speed / 60, abs=0.5)  # bins are 1 Hz wide


def test_phases_sum_to_zero():
    for fault in (None, PowertrainFault(kind="open_switch"), PowertrainFault(kind="inter_turn")):
        assert np.abs(currents(fault=fault).sum(axis=1)).max() < 1e-3  # A, float32's rounding


def test_phases_lag_each_other():
    phases = np.angle(phasors(currents(), 200, 10e3))
    np.testing.assert_allclose(np.exp(1j * np.diff(phases)), np.exp(-2j * np.pi / 3), atol=1e-4)


def test_a_healthy_machine_has_one_sequence():
    zero, positive, negative = sequences(currents(), 200)
    assert positive == pytest.approx(STEADY.amplitude, rel=1e-4)
    assert zero < 1e-3
    assert negative < 1e-2


@pytest.mark.parametrize(("order", "place"), [(5, 2), (7, 1)])
def test_dead_time_harmonics_have_their_size_and_sequence(order, place):
    settings = InverterSettings(noise=0.0, wander=0.0, seconds=1.0, sample_rate=50e3)
    found = sequences(currents(settings), order * 200, 50e3)
    assert found[place] == pytest.approx(dead_time_amplitude(settings, order), rel=0.01)
    assert found[3 - place] < 0.02 * found[place]


def test_dead_time_amplitude_by_hand():
    # 400 V * 2 us * 10 kHz = 8 V lost; 5th of a square wave; 0.02 + 0.471 ohm and 5 * 0.314 ohm at 200 Hz
    assert dead_time_amplitude(STEADY, 5) == pytest.approx(4 * 8 / (5 * np.pi) / np.hypot(0.4912, 1.5708), rel=1e-3)


def test_ripple_shows_at_the_carrier_where_the_rate_allows():
    settings = InverterSettings(noise=0.0, wander=0.0, seconds=1.0, sample_rate=100e3)
    spectrum = 2 * np.abs(np.fft.rfft(currents(settings)[:, 0])) / 100_000  # A, bins of 1 Hz
    assert spectrum[9_600] == pytest.approx(spectrum[10_400], rel=0.01)
    assert 0.2 < spectrum[9_600] < 5
    assert spectrum[10_000] < 1e-3  # the carrier is common to all phases


def test_wander_is_slow_and_small():
    steady, wandering = (currents(InverterSettings(noise=0.0, wander=w, seconds=20.0)) for w in (0.0, 0.05))
    envelope = [np.sqrt((2 / 3) * (signal**2).sum(1)).reshape(-1, 1000).mean(1) for signal in (steady, wandering)]
    assert envelope[0].std() / envelope[0].mean() < 1e-3
    assert envelope[1].std() / envelope[1].mean() == pytest.approx(0.05, rel=0.35)
    assert np.abs(np.diff(envelope[1])).max() / envelope[1].mean() < 0.12  # per 0.1 s


def test_noise_is_as_large_as_asked():
    noisy = currents(InverterSettings(noise=2.0, wander=0.0, seconds=2.0))
    assert (noisy.sum(axis=1) / np.sqrt(3)).std() == pytest.approx(2.0, rel=0.03)


def test_the_link_sags_under_load_and_speed_is_logged():
    idle, loaded = (simulate(InverterSettings(load=load, wander=0.0)).values for load in (0.0, 1.2))
    assert idle[:, 3].mean() == pytest.approx(400, abs=0.1)
    assert loaded[:, 3].mean() < 399
    assert loaded[:, 4].mean() == pytest.approx(3000, abs=0.5)


@pytest.mark.parametrize("phase", [0, 1, 2])
def test_open_switch_loses_half_a_wave(phase):
    faulty = currents(fault=PowertrainFault(kind="open_switch", phase=phase))
    others = [k for k in range(3) if k != phase]
    assert faulty[:, phase].max() < 1e-3
    assert faulty[:, phase].min() == pytest.approx(-STEADY.amplitude, rel=0.02)
    assert faulty[:, phase].mean() == pytest.approx(-STEADY.amplitude / np.pi, rel=0.01)
    np.testing.assert_allclose(faulty[:, others].mean(0), STEADY.amplitude / (2 * np.pi), rtol=0.01)


def test_open_switch_grows_with_severity():
    half = currents(fault=PowertrainFault(kind="open_switch", severity=0.5))
    assert half[:, 0].mean() == pytest.approx(-0.5 * STEADY.amplitude / np.pi, rel=0.01)


@pytest.mark.parametrize("severity", [0.3, 1.0])
def test_offset_ramps_to_its_documented_size(severity):
    fault = PowertrainFault(kind="offset", phase=1, severity=severity, onset=0.5)
    drift = currents(fault=fault) - currents()
    assert drift[-1, 1] == pytest.approx(severity * MAX_OFFSET, rel=1e-4)
    np.testing.assert_allclose(drift[5000:, 1], np.linspace(0, severity * MAX_OFFSET, 5000), atol=1e-3)
    assert not drift[:, [0, 2]].any()


@pytest.mark.parametrize("severity", [0.3, 1.0])
def test_gain_ramps_to_its_documented_size(severity):
    healthy = currents()
    faulty = currents(fault=PowertrainFault(kind="gain", phase=2, severity=severity))
    large = np.abs(healthy[:, 2]) > 50
    relative = faulty[large, 2] / healthy[large, 2] - 1
    np.testing.assert_allclose(relative, np.linspace(0, severity * MAX_GAIN, 10_000)[large], atol=1e-4)
    np.testing.assert_array_equal(faulty[:, :2], healthy[:, :2])


@pytest.mark.parametrize("severity", [0.2, 0.5, 1.0])
@pytest.mark.parametrize("phase", [0, 1, 2])
def test_inter_turn_short_adds_its_negative_sequence(severity, phase):
    faulty = currents(fault=PowertrainFault(kind="inter_turn", severity=severity, phase=phase))
    zero, positive, negative = sequences(faulty, 200)
    assert negative == pytest.approx(negative_sequence(STEADY, severity), rel=0.01)
    assert positive == pytest.approx(STEADY.amplitude, rel=1e-3)
    assert zero < 1e-3
    rms = np.sqrt(np.mean(faulty**2, axis=0))
    assert rms.argmax() == phase


def test_negative_sequence_by_hand():
    # 10 % of the turns: 0.1 * 1256.6 * 0.05 = 6.283 V over |7 mohm + j 3.142 mohm| is 819 A; a third of a tenth of it
    assert negative_sequence(STEADY, 1.0) == pytest.approx(27.3, abs=0.05)
    assert negative_sequence(STEADY, 0.0) == 0


@pytest.mark.parametrize("kind", FAULTS)
def test_rows_outside_the_fault_are_those_of_a_healthy_machine(kind):
    settings = InverterSettings(seconds=1.0, seed=5)
    healthy = simulate(settings)
    faulty = simulate(settings, PowertrainFault(kind=kind, phase=1, onset=0.4, duration=0.2))
    active = np.zeros(10_000, dtype=bool)
    active[4000:6000] = True
    np.testing.assert_array_equal(faulty.labels, active)
    np.testing.assert_array_equal(faulty.values[~active], healthy.values[~active])
    assert np.abs(faulty.values[active, :3] - healthy.values[active, :3]).max() > 1.0
    assert healthy.labels.sum() == 0


@pytest.mark.parametrize("kind", FAULTS)
def test_severity_zero_is_healthy(kind):
    settings = InverterSettings(seconds=0.2)
    faulty = simulate(settings, PowertrainFault(kind=kind, severity=0.0))
    np.testing.assert_array_equal(faulty.values, simulate(settings).values)
    assert faulty.labels.sum() == 0


def test_seeds_reproduce():
    first, again, other = (simulate(InverterSettings(seconds=0.1, seed=seed)).values for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_shapes_and_types():
    time, values, channels, labels = simulate(InverterSettings(seconds=0.25, sample_rate=8e3))
    assert values.shape == (2000, 5)
    assert (values.dtype, labels.dtype, time.dtype) == (np.float32, np.int8, np.float64)
    assert channels == CHANNELS
    assert np.isfinite(values).all()
    np.testing.assert_allclose(np.diff(time), 1 / 8e3)


@pytest.mark.parametrize(
    "settings",
    [{"speed_rpm": 0}, {"load": 1.3}, {"noise": -1}, {"wander": float("nan")}, {"seconds": 0}, {"sample_rate": 100},
     {"seed": -1}, {"seconds": 600, "sample_rate": 1e5}, {"speed_rpm": 12_000, "sample_rate": 2e3}],
)  # fmt: skip
def test_settings_outside_are_refused(settings):
    with pytest.raises(SettingError, match="got"):
        InverterSettings(**settings)


@pytest.mark.parametrize(
    "settings", [{"kind": "gremlin"}, {"phase": 3}, {"severity": 1.5}, {"onset": -1.0}, {"duration": -1.0}]
)
def test_faults_outside_are_refused(settings):
    with pytest.raises(SettingError, match="got"):
        PowertrainFault(**settings)


def test_a_fault_after_the_end_is_refused():
    with pytest.raises(SettingError, match="onset must lie within the 1 s recorded, got 1 s"):
        simulate(STEADY, PowertrainFault(kind="gain", onset=1.0))
