"""Windows of phase currents against what the simulator's equations say of them."""

import numpy as np
import pytest

from aecore.data.simulators import drive_windows, powertrain
from aecore.data.simulators.drive_windows import CONDITIONS, LENGTH, Region, WindowSettings, draw, measures, window
from aecore.data.simulators.inverter import LAG, InverterSettings
from aecore.errors import SettingError

TIME = np.arange(LENGTH) / drive_windows.SAMPLE_RATE


@pytest.mark.parametrize(("speed", "load", "start"), [(1_800, 0.2, 0.0), (3_100, 0.6, 1.0), (4_000, 1.0, 6.0)])
def test_a_healthy_window_is_three_sines_that_begin_at_the_angle_asked_for(speed, load, start):
    made = window(WindowSettings(speed_rpm=speed, load=load, start=start, noise=0.0))
    wanted = 300 * load * np.sin(2 * np.pi * 4 * speed / 60 * TIME + start - LAG[:, None])
    assert np.abs(made - wanted).max() < 3.5  # dead time, ripple and straight lines between samples


@pytest.mark.parametrize("speed", [1_830.0, 2_777.0, 3_944.0])
def test_the_measures_find_what_was_put_in(speed):
    settings = {"speed_rpm": speed, "load": 0.5, "noise": 0.5}
    kinds = {c: window(WindowSettings(condition=c, severity=0.8, **settings))[None] for c in CONDITIONS}
    healthy, switch, short = (measures(kinds[c]) for c in CONDITIONS[:3])
    offset = measures(kinds["sensor offset"])
    assert healthy.frequency[0] == pytest.approx(4 * speed / 60, rel=2e-3)
    assert healthy.amplitude[0] == pytest.approx(150, rel=0.01)
    assert abs(healthy.mean[0]) < 0.5 and healthy.negative[0] < 1.5
    assert switch.mean[0] == pytest.approx(-0.8 * 150 / np.pi, rel=0.06)
    drive = InverterSettings(speed_rpm=speed, load=0.5)
    assert short.negative[0] == pytest.approx(powertrain.negative_sequence(drive, 0.8), abs=1.0)
    assert offset.mean[0] == pytest.approx(0.95 * 0.8 * powertrain.MAX_OFFSET, rel=0.05)


def test_draws_keep_to_their_region_and_repeat():
    hole = Region((2_500.0, 3_500.0), (0.4, 0.8))
    first, again = (draw(60, seed=3, outside=hole) for _ in range(2))
    np.testing.assert_array_equal(first.values, again.values)
    assert not any(hole.holds(s, p) for s, p in zip(first.speeds, first.loads, strict=True))
    inside = draw(20, seed=3, inside=hole, conditions=("healthy", "sensor gain"), aligned=True)
    assert all(hole.holds(s, p) for s, p in zip(inside.speeds, inside.loads, strict=True))
    assert set(inside.conditions) == {0, CONDITIONS.index("sensor gain")}
    assert (inside.severities[inside.conditions == 0] == 0).all()
    assert np.abs(inside.values[:, 0, 0]).max() < 40  # phase 0 begins at its rising zero


def test_settings_that_are_none_get_a_sentence():
    with pytest.raises(SettingError, match="speed_rpm must be in 1000..6000, got 100"):
        WindowSettings(speed_rpm=100.0)
    with pytest.raises(SettingError, match="count"):
        draw(0, seed=0)


def test_a_turn_is_the_ideal_sines_wherever_its_window_began():
    healthy = draw(12, seed=5, conditions=("healthy",), noise=0.0)
    ideal = np.sin(2 * np.pi * np.arange(LENGTH) / LENGTH - LAG[:, None])
    off = np.abs(drive_windows.turns(healthy) - ideal)
    assert off.max() < 0.09  # straight lines between samples, dead time and ripple
    assert off.mean() < 0.02
    switches = draw(6, seed=5, conditions=("open switch",), severities=(1.0, 1.0), noise=0.0)
    assert (np.abs(drive_windows.turns(switches) - ideal).max((1, 2)) > 0.5).all()
