"""Conditional VAE: fidelity against signals whose truth is known, and a row of the table made again."""

import numpy as np
import pytest

from aecore.concepts.applications import comparisons
from aecore.concepts.applications import conditional as core
from aecore.concepts.applications.conditional import CVAE, ConditionalTraining, WantedSignal
from aecore.data.simulators.drive_windows import CONDITIONS, LENGTH, SAMPLE_RATE, WindowSettings, window
from aecore.data.simulators.inverter import LAG
from aecore.errors import SettingError
from tests.benchmarks import applications_conditional as benchmark


def test_the_simulator_s_own_signals_are_true_and_others_are_off_by_what_they_are_off():
    for condition in CONDITIONS:
        wanted = WantedSignal(condition=condition)
        own = window(WindowSettings(speed_rpm=2_900.0, load=0.6, condition=condition, severity=0.6, noise=0.0))[None]
        found = core.measure_fidelity(wanted, own)
        assert found.within == 1.0 and found.frequency < 0.004 and found.amplitude < 0.005 and found.trace < 0.3
    faster = window(WindowSettings(speed_rpm=3_190.0, load=0.6, noise=0.0))[None]
    found = core.measure_fidelity(WantedSignal(condition="healthy"), faster)
    assert found.frequency == pytest.approx(0.1, abs=0.004) and found.within == 0.0
    time = np.arange(LENGTH) / SAMPLE_RATE
    larger = 1.2 * 180 * np.sin(2 * np.pi * 4 * 2_900 / 60 * time - LAG[:, None])[None]
    assert core.measure_fidelity(WantedSignal(condition="healthy"), larger).amplitude == pytest.approx(0.2, abs=0.01)


def test_an_open_switch_leaves_the_mean_that_its_equation_says():
    wanted = WantedSignal(condition="open switch", speed_rpm=2_000.0, load=0.5)
    sizes = core.measure_trace("open switch", core.measures(core.simulate_truth(wanted, np.array([0.3, 1.0]))))
    np.testing.assert_allclose(sizes, [0.3 * 150 / np.pi, 150 / np.pi], rtol=0.08)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_what_ships_gives_what_is_asked_for_where_nothing_was_recorded(condition):
    ships, made = core.load_pretrained(), []
    for wanted in core.draw_wanted(condition, 99, 6):
        made.append((wanted, ships.model.generate(wanted, core.draw_codes(6, 0))))
    assert np.mean([core.measure_fidelity(wanted, x).frequency for wanted, x in made]) < 0.01
    kind = CONDITIONS.index(condition)
    assert np.mean([(core.classify(ships.classifier, x) == kind).mean() for _, x in made]) > 0.6


def test_neighbours_are_of_the_class_and_the_nearest_of_it():
    recorded = core.draw_recordings(0, 60)
    wanted = WantedSignal(condition="sensor gain", speed_rpm=2_000.0, load=0.3)
    near = core.find_nearest(recorded, wanted, 60)
    assert len(near) == 12  # all of the class, and no other
    rows = [int(np.flatnonzero((recorded.values == x).all((1, 2)))[0]) for x in near]
    assert (recorded.conditions[rows] == CONDITIONS.index("sensor gain")).all()
    apart = np.hypot((recorded.speeds[rows] - 2_000) / 2_200, (recorded.loads[rows] - 0.3) / 0.8)
    assert (np.diff(apart) >= 0).all()
    held = [core.TESTED.holds(s, p) for s, p in zip(recorded.speeds, recorded.loads, strict=True)]
    assert not any(held)


def test_a_row_of_the_table_is_made_again_by_its_script(monkeypatch):
    model = core.load_pretrained().model  # of another seed than the row's, whose training takes a quarter of a minute
    monkeypatch.setattr(benchmark, "model", lambda seed: model)
    tables = comparisons.read("conditional")
    condition, seed = "inter-turn short", benchmark.SEEDS[0]
    for name, row in {"within": benchmark.within, "trace": benchmark.trace}.items():
        table = tables[name]
        values = table.values[table.conditions.index(condition), :, 0]
        again = row(condition, seed)
        for contestant, value in zip(table.contestants, values, strict=True):
            if contestant != CVAE:
                assert again[contestant] == pytest.approx(value, abs=1e-3)
    assert benchmark.within(condition, seed)[CVAE] > 50


def test_settings_that_are_none_get_a_sentence():
    with pytest.raises(SettingError, match="speed_rpm must be in 1800..4000, got 9000"):
        WantedSignal(speed_rpm=9_000.0)
    with pytest.raises(SettingError, match="condition must be one of healthy"):
        WantedSignal(condition="rust")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="epochs"):
        ConditionalTraining(epochs=0)
