import numpy as np
import pytest

from aecore.data.simulators import rooms
from aecore.data.simulators.rooms import (
    AIR,
    DRIFT,
    HEAT_PERSON,
    LEAK,
    NOISE,
    Inputs,
    RoomFault,
    RoomSettings,
    room_air,
    saturation,
    simulate,
)
from aecore.errors import SettingError

HOUR, DAY = 3600.0, 86_400.0
CLEAN = RoomSettings(noise=0.0)
TEMPERATURE, HUMIDITY, CARBON, LIGHT, POWER = range(5)


def steady(count=20_000, people=3.0, outdoor=6.0, exchange=1 / HOUR, setpoint=-100.0, power=0.0):
    """Inputs that never change; by default without heating."""
    held = (people, outdoor, exchange, setpoint, 0.0, power)
    return Inputs(*(np.full(count, value) for value in held))


def test_carbon_dioxide_settles_where_the_balance_says():
    _, _, carbon = room_air(CLEAN, steady())
    # 3 people x 5.2e-6 m3/s into 75 m3/h of fresh air: 1e6 x 15.6e-6 x 3600 / 75 above the outdoor 420 ppm
    assert carbon[-1] == pytest.approx(420 + 1e6 * 15.6e-6 * 3600 / 75, rel=1e-9)
    assert carbon[60] == pytest.approx(420 + (carbon[-1] - 420) * (1 - np.exp(-1.0)), rel=1e-9)  # after one air change


def test_temperature_settles_where_gains_meet_losses():
    temperature, _, _ = room_air(CLEAN, steady(power=300.0))
    gains, losses = (3 * HEAT_PERSON + 300.0) / 75.0, LEAK + AIR / HOUR
    assert temperature[-1] == pytest.approx(6.0 + gains / losses, rel=1e-6)


def test_the_heater_holds_the_set_point_within_its_band():
    temperature, _, _ = room_air(CLEAN, steady(setpoint=21.0))
    assert 20.0 < temperature[-1] < 21.0
    losses = (LEAK + AIR / HOUR) * (temperature[-1] - 6.0)
    assert losses == pytest.approx(rooms.HEATER_GAIN * (21.0 - temperature[-1]) + 3 * HEAT_PERSON / 75.0, rel=1e-6)


def test_water_settles_where_the_balance_says():
    temperature, humidity, _ = room_air(CLEAN, steady(setpoint=21.0))
    outside = 0.8 * saturation(np.array(6.0))
    inside = outside + 3 * (55.0 / 2450.0) / (75.0 / HOUR)
    assert humidity[-1] == pytest.approx(100 * inside / saturation(temperature[-1]), rel=1e-9)


def test_saturation_as_tabulated():
    # density of saturated vapour in g/m3 at 0, 10, 20 and 30 degrees C, from steam tables
    np.testing.assert_allclose(saturation(np.array([0.0, 10, 20, 30])), [4.85, 9.40, 17.3, 30.4], rtol=0.006)


def test_a_week_in_the_office():
    recording = simulate(RoomSettings(days=7.0))
    hour, day = recording.time / HOUR % 24, (recording.time // DAY).astype(int)
    values = recording.values
    assert values.shape == (7 * 1440, 5)
    assert np.diff(recording.time).tolist() == [60.0] * (7 * 1440 - 1)
    noon, night = (hour > 10) & (hour < 11.5) & (day < 5), (hour > 2) & (hour < 5)
    for channel in (TEMPERATURE, CARBON, LIGHT, POWER):
        assert values[noon, channel].mean() > values[night, channel].mean() + 3 * NOISE[channel]
    weekend = day >= 5
    assert values[weekend, CARBON].mean() < 600
    assert values[weekend, POWER].mean() == pytest.approx(rooms.STANDBY, abs=0.5)
    assert 16 < values[:, TEMPERATURE].min() < values[:, TEMPERATURE].max() < 27
    assert 5 < values[:, HUMIDITY].min() < values[:, HUMIDITY].max() < 90
    assert recording.labels.sum() == 0


def test_nobody_there_leaves_the_outdoor_air():
    values = simulate(RoomSettings(people=0, noise=0.0)).values
    np.testing.assert_allclose(values[:, CARBON], 420, rtol=1e-6)
    np.testing.assert_allclose(values[:, POWER], rooms.STANDBY)


def test_noise_has_each_sensors_size():
    noisy, clean = simulate(RoomSettings(days=10.0)).values, simulate(RoomSettings(days=10.0, noise=0.0)).values
    rms = (noisy - clean).astype(float).std(axis=0)
    np.testing.assert_allclose(np.delete(rms, LIGHT), np.delete(NOISE, LIGHT), rtol=0.03)  # no light is below none


ONSET, LASTS = 2 * DAY + 10 * HOUR, 4 * HOUR


@pytest.mark.parametrize("kind", ["stuck", "drift", "dropout", "window"])
def test_rows_before_a_fault_stay_as_they_are(kind):
    healthy = simulate(RoomSettings(seed=5))
    faulty = simulate(RoomSettings(seed=5), RoomFault(kind=kind, onset=ONSET, duration=LASTS))
    first, last = round(ONSET / 60), round((ONSET + LASTS) / 60)
    assert np.flatnonzero(faulty.labels)[[0, -1]].tolist() == [first, last - 1]
    assert faulty.labels.sum() == last - first
    np.testing.assert_array_equal(faulty.values[:first], healthy.values[:first])
    assert not np.array_equal(faulty.values[first:last], healthy.values[first:last])
    if kind != "window":
        np.testing.assert_array_equal(faulty.values[last:], healthy.values[last:])


def test_a_stuck_sensor_repeats_itself():
    rows = slice(round(ONSET / 60), round((ONSET + LASTS) / 60))
    healthy = simulate(RoomSettings()).values
    held = simulate(RoomSettings(), RoomFault(kind="stuck", sensor=CARBON, onset=ONSET, duration=LASTS)).values
    assert np.ptp(held[rows, CARBON]) == 0
    np.testing.assert_array_equal(np.delete(held, CARBON, axis=1), np.delete(healthy, CARBON, axis=1))
    half = simulate(
        RoomSettings(), RoomFault(kind="stuck", sensor=CARBON, severity=0.5, onset=ONSET, duration=LASTS)
    ).values
    np.testing.assert_allclose(half[rows], (held[rows] + healthy[rows]) / 2, rtol=1e-5)


@pytest.mark.parametrize("sensor", range(5))
def test_a_drift_ends_at_its_size(sensor):
    first, last = round(ONSET / 60), round((ONSET + LASTS) / 60) - 1
    drifted = simulate(
        RoomSettings(), RoomFault(kind="drift", sensor=sensor, severity=0.5, onset=ONSET, duration=LASTS)
    )
    strayed = drifted.values[:, sensor] - simulate(RoomSettings()).values[:, sensor]
    assert strayed[last] == pytest.approx(0.5 * DRIFT[sensor], rel=1e-3)
    assert strayed[(first + last) // 2] == pytest.approx(0.25 * DRIFT[sensor], rel=0.01)


def test_a_dropout_reads_nothing_in_its_share_of_rows():
    rows = slice(round(ONSET / 60), round((ONSET + LASTS) / 60))
    lost = simulate(RoomSettings(), RoomFault(kind="dropout", severity=0.3, onset=ONSET, duration=LASTS)).values
    assert (lost[rows, TEMPERATURE] == 0).mean() == pytest.approx(0.3, abs=0.1)
    assert (lost[:, TEMPERATURE] == 0).sum() == (lost[rows, TEMPERATURE] == 0).sum()


def test_an_open_window_cools_dries_and_clears_the_air():
    rows = slice(round((ONSET + 2 * HOUR) / 60), round((ONSET + LASTS) / 60))
    healthy = simulate(RoomSettings(noise=0.0)).values
    opened = simulate(RoomSettings(noise=0.0), RoomFault(kind="window", onset=ONSET, duration=LASTS)).values
    assert (opened[rows, TEMPERATURE] < healthy[rows, TEMPERATURE] - 2).all()
    assert (opened[rows, CARBON] < healthy[rows, CARBON] - 100).all()
    np.testing.assert_array_equal(opened[:, [LIGHT, POWER]], healthy[:, [LIGHT, POWER]])
    np.testing.assert_allclose(opened[-1], healthy[-1], rtol=0.02)  # two days later the room has recovered


def test_seeds():
    a, b, c = (simulate(RoomSettings(seed=seed, days=1.0)).values for seed in (1, 1, 2))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: RoomSettings(days=60.0), "days must be in 0.1..31, got 60"),
        (lambda: RoomSettings(volume=float("nan")), "volume must be in"),
        (lambda: RoomSettings(seed=-1), "seed must be 0 or more"),
        (lambda: RoomFault(kind="ghost"), "kind must be one of none, stuck"),
        (lambda: RoomFault(kind="stuck", sensor=5), "sensor must be in 0..4"),
        (lambda: simulate(RoomSettings(days=1.0), RoomFault(kind="window", onset=DAY)), "start it earlier"),
    ],
)
def test_settings_are_held_against_their_range(make, words):
    with pytest.raises(SettingError, match=words):
        make()
