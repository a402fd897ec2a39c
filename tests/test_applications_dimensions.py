"""Flux maps against the laws they must keep; knobs, splines and measures; a visitor's own map."""

import numpy as np
import pytest

from aecore.concepts.applications import comparisons
from aecore.concepts.applications import dimensions as core
from aecore.data.simulators.flux_maps import D_POINTS, Q_POINTS, Family, Machines, currents, grid, maps, torque
from aecore.errors import AecoreError, DataError, SettingError
from aecore.numerics.progress import finish
from pages.ui.components.knobs import _read
from tests.benchmarks import applications_dimensions as bench


@pytest.fixture(scope="module")
def rows():
    return core.draw_machines(core.TRAINING_FAMILY, 200, 3)


@pytest.fixture(scope="module")
def little():
    return core.Mapper.from_tree(finish(core.train(3, 4, machines=200)))


def linear(count: int = 2) -> Machines:
    """Machines whose knees lie so far out that nothing saturates."""
    far, none = np.full(count, 1e6), np.zeros(count)
    return Machines(np.linspace(0.2, 0.4, count), np.linspace(0.5, 0.9, count), far, far, np.full(count, 4.0),
                    np.full(count, 4.0), none, np.linspace(0.3, 0.6, count))  # fmt: skip


# ---------------------------------------------------------------------- data
def test_without_saturation_flux_is_inductance_times_current():
    machines = linear()
    i_d, i_q = np.meshgrid(*grid(), indexing="ij")
    made = maps(machines)
    for n in range(2):
        np.testing.assert_allclose(made[n, 0], machines.inductance_d[n] * (i_d + machines.magnets[n]), atol=1e-9)
        np.testing.assert_allclose(made[n, 1], machines.inductance_q[n] * i_q, atol=1e-9)


def test_the_maps_give_back_their_currents():
    machines = Family().draw(300, 0)
    made = maps(machines)
    i_d, i_q = np.meshgrid(*grid(), indexing="ij")
    for ours, true in zip(currents(machines, made[:, 0], made[:, 1]), (i_d, i_q), strict=True):
        np.testing.assert_allclose(ours, np.broadcast_to(true, ours.shape), atol=1e-9)


def test_both_fluxes_come_from_one_energy():
    """d i_d / d psi_q = d i_q / d psi_d, by finite differences."""
    machines = Family(coupling=(0.5, 0.5)).draw(20, 1)
    psi_d, psi_q, h = np.full((20, 1), 0.4), np.full((20, 1), 0.3), 1e-5
    dq = (currents(machines, psi_d, psi_q + h)[0] - currents(machines, psi_d, psi_q - h)[0]) / (2 * h)
    qd = (currents(machines, psi_d + h, psi_q)[1] - currents(machines, psi_d - h, psi_q)[1]) / (2 * h)
    np.testing.assert_allclose(dq, qd, rtol=1e-6)
    assert (np.abs(dq) > 0.01).all()  # there is a cross-coupling to speak of


def test_saturation_lowers_the_slope():
    made = maps(Family().draw(50, 2))[:, 1, D_POINTS // 2]  # psi_q over i_q
    slope = np.diff(made, axis=1)
    assert (slope[:, -1] < slope[:, 0]).all()
    assert (slope > 0).all()


def test_torque_of_a_linear_machine():
    machines = linear()
    i_d, i_q = np.meshgrid(*grid(), indexing="ij")
    d, q, magnets = machines.inductance_d[0], machines.inductance_q[0], machines.magnets[0]
    expected = 1.5 * 4 * (d * magnets * i_q + (d - q) * i_d * i_q)
    np.testing.assert_allclose(torque(maps(machines))[0], expected, atol=1e-9)
    with pytest.raises(DataError):
        torque(np.zeros((2, 4, 4)))


def test_no_learnt_machine_has_a_tests_saliency():
    low, high = core.HOLE
    learnt, test = core.TRAINING_FAMILY.draw(500, 0), core.TEST.draw(500, 0)
    ratio = learnt.inductance_q / learnt.inductance_d
    assert not ((ratio > low) & (ratio < high)).any()
    assert (ratio < low).any() and (ratio > high).any()
    ratio = test.inductance_q / test.inductance_d
    assert ((ratio >= low) & (ratio <= high)).all()
    with pytest.raises(SettingError):
        Family(saliency=(3, 2))


# ---------------------------------------------------------------------- knobs
def test_turning_codes_into_knobs_changes_no_map(little, rows):
    turned = core.turn_into_knobs(little, rows[:, ::-1].copy())
    np.testing.assert_allclose(turned.reconstruct(rows), little.reconstruct(rows), atol=2e-4)
    knobs = core.turn_into_knobs(little, rows).encoder(rows)
    np.testing.assert_allclose(knobs.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(np.cov(knobs.T, bias=True), np.eye(3), atol=2e-3)


def test_units_folded_into_the_weights_change_no_map(little, rows):
    mean, spread = rows.mean(0), 0.2
    encoder, decoder = core.fold_scaling(little, mean, spread)
    expected = little.reconstruct((rows - mean) / np.float32(spread)) * spread + mean
    np.testing.assert_allclose(decoder(encoder(rows)), expected, atol=1e-4)


def test_errors_measure_what_they_say(rows):
    assert core.flux_error(rows, rows * 1.01).max() <= 1.0 + 1e-6
    off = rows.copy()
    off[:, :128] += 0.01
    expected = 100 * 0.01 / np.sqrt(2) / np.abs(rows).max(1)
    np.testing.assert_allclose(core.flux_error(rows, off), expected, rtol=1e-4)
    np.testing.assert_allclose(core.torque_error(rows, rows), 0)


def test_the_best_angle_of_a_machine_without_reluctance_torque_is_none():
    machines = linear(1)._replace(inductance_q=np.array([0.2]))
    assert core.find_best_angle(core.scale_maps(maps(machines)))[0] == pytest.approx(0, abs=0.5)
    salient = core.find_best_angle(
        core.scale_maps(maps(linear()))
    )  # sin b = (-m + sqrt(m^2 + 8 (Lq - Ld)^2)) / (4 (Lq - Ld))
    m, gap = 0.2 * 0.3, 0.5 - 0.2
    expected = np.degrees(np.arcsin((-m + np.sqrt(m**2 + 8 * gap**2)) / (4 * gap)))
    assert salient[0] == pytest.approx(expected, abs=2.0)


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_splines_keep_what_lies_in_their_span(count):
    basis = core.spline_basis(16, count)
    assert basis.shape == (16, count)
    np.testing.assert_allclose(basis.sum(1), 1)  # B-splines add up to one


def test_a_spline_with_all_coefficients_is_the_map_itself(rows):
    np.testing.assert_allclose(core.fit_spline(rows[:3], ((16, 8), (16, 8))), rows[:3], atol=1e-5)
    shapes = core.choose_shapes(rows, 6)
    assert sum(m * n for m, n in shapes) <= 6


def test_what_ships_copies_machines_it_has_not_seen():
    ships = core.load_pretrained()
    test = core.draw_machines(core.TEST, 100, 42)
    errors = [float(core.flux_error(test, ships.mappers[size].reconstruct(test)).mean()) for size in core.SIZES]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.6
    assert ships.machines.shape == (core.SHOWN, core.NUMBERS)


@pytest.mark.parametrize(
    "answer", [{}, {"values": [0.1]}, {"values": [9, 0]}, {"values": [float("nan"), 0]}, {"values": ["a", 0]}]
)
def test_a_false_answer_of_the_browser_moves_no_knob(answer):
    assert _read(answer, 2) is None
    assert _read({"values": [0.25, -1]}, 2) == (0.25, -1.0)


# ---------------------------------------------------------------------- a visitor's map
def own_file(machine: int = 0, points: int = 31, currents_of: float = 250.0) -> bytes:
    i_d, i_q = np.meshgrid(np.linspace(-1, 1, points), np.linspace(-1, 1, points), indexing="ij")
    family = Family().draw(3, 9)
    one = Machines(*(p[machine : machine + 1] for p in family))
    half = core.interpolate_maps(maps(one), i_d.ravel(), np.abs(i_q.ravel()))[0]
    psi = half * np.stack([np.ones(i_q.size), np.sign(i_q.ravel())])
    lines = [f"{currents_of * a:.5f};{currents_of * b:.5f};{0.1 * c:.7f};{0.1 * d:.7f}"
             for a, b, c, d in zip(i_d.ravel(), i_q.ravel(), *psi, strict=True)]  # fmt: skip
    return "\n".join(["id [A];iq [A];psi_d [Wb];psi_q [Wb]", *lines]).encode()


def test_own_map_is_brought_to_the_grid():
    made = finish(core.read_map("map.csv", own_file()))
    truth = core.draw_machines(Family(), 3, 9)[0]
    np.testing.assert_allclose(made["rows"], truth, atol=0.02)
    assert made["current"] == pytest.approx(250)
    table = core.map_table(made, core.load_pretrained().mappers[6])
    assert len(table) == D_POINTS * Q_POINTS
    assert np.abs(table["psi_d through knobs"] - table["psi_d"]).max() < 0.05 * made["flux"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"a,b\n1,2\n3,4\n", "i_d"),
        (b"id,iq,psi_d,psi_q\n1,1,1,1\n2,2,2,2\n", "bring more"),
        (b"id,iq,psi_d,psi_q\n" + b"\n".join(b"%d,0,1,1" % i for i in range(40)), "over both"),
        (b"id,iq,psi_d,psi_q\n" + b"\n".join(b"%d,%d,1,1" % (i, i) for i in range(40)), "line"),
        (b"id,iq,psi_d,psi_q\n" + b"\n".join(b"%d,%d,1,1" % (i % 7, i // 7) for i in range(49)), "whole range"),
    ],
)
def test_bad_maps_get_one_sentence(data, words):
    with pytest.raises(AecoreError, match=words):
        finish(core.read_map("map.csv", data))


# ---------------------------------------------------------------------- the shown numbers
def test_one_row_of_the_shown_tables_comes_again(monkeypatch):
    """PCA and splines with two numbers, of one seed; the network's part would take a core."""
    monkeypatch.setattr(bench, "mapper", lambda size, seed: core.load_pretrained().mappers[size])
    bench.rebuilt.cache_clear()
    table = comparisons.read("dimensions")["flux"]
    test = bench.machines(1)[2]
    again = {name: float(core.flux_error(test, x).mean()) for name, x in bench.rebuilt(2, 1).items()}
    bench.rebuilt.cache_clear()
    for name in (bench.PCA, bench.SPLINE):
        assert again[name] == pytest.approx(table.values[0, table.contestants.index(name), 1], abs=0.02)
