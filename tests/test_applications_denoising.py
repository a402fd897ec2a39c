"""Disturbances and traces against what theory says of them; the denoiser's windows; the measures."""

import numpy as np
import pytest

from aecore.concepts.applications import comparisons
from aecore.concepts.applications import denoising as core
from aecore.data.simulators.disturbances import KINDS, disturb, quantise, ripple
from aecore.data.simulators.inverter import BATTERY_RESISTANCE, DC_LINK, PWM, RATED_CURRENT
from aecore.data.simulators.traces import CABLE, CAPACITOR, SAMPLE_RATE, TraceSettings, link_voltage, trace
from aecore.errors import AecoreError, SettingError, TooFewRows
from aecore.numerics.progress import finish
from tests.applications import collect
from tests.benchmarks import applications_denoising as bench


@pytest.fixture(scope="module")
def little():
    """A network trained for a moment, and all that it was told."""
    steps, tree = collect(core.train("current", epochs=3, records=30, code=16))
    return core.Denoiser.from_tree(tree), steps


# ---------------------------------------------------------------------- data
@pytest.mark.parametrize("kind", KINDS)
def test_every_disturbance_has_the_rms_that_is_asked_for(kind):
    rng = np.random.default_rng(0)
    clean = 300 * np.sin(2 * np.pi * 200 * np.arange(200_000) / SAMPLE_RATE)
    added = disturb(clean, kind, 6.0, sample_rate=SAMPLE_RATE, rng=rng) - clean
    assert np.sqrt((added**2).mean()) == pytest.approx(6.0, rel=0.02)


def test_quantisation_leaves_multiples_of_its_step():
    values = quantise(np.linspace(-3, 3, 1001), 0.25)
    np.testing.assert_allclose(values * 4, np.round(values * 4))
    assert np.abs(values - np.linspace(-3, 3, 1001)).max() <= 0.125 + 1e-12


def test_ripple_is_a_triangle_at_the_switching_frequency():
    wave = ripple(400_000, 1e6, np.random.default_rng(0))
    assert np.abs(wave).max() == pytest.approx(np.sqrt(3), rel=0.01)
    spectrum = np.abs(np.fft.rfft(wave, 8 * len(wave))) / len(wave) * 2  # finer bins: none is missed
    frequency = np.fft.rfftfreq(8 * len(wave), 1e-6)
    assert frequency[spectrum.argmax()] == pytest.approx(PWM, rel=0.005)
    assert spectrum.max() == pytest.approx(8 * np.sqrt(3) / np.pi**2, rel=0.02)  # a triangle's first harmonic


def test_the_current_has_the_amplitude_of_its_load_before_and_after_the_step():
    made = trace(TraceSettings(load=0.3, load_after=0.9, step_at=0.1, seconds=0.2, speed_rpm=3000))
    for part, load in ((slice(0, 4000), 0.3), (slice(4400, 8000), 0.9)):
        wave = np.exp(-2j * np.pi * 200 * made.time[part])
        assert abs(2 * (made.current[part] * wave).mean()) == pytest.approx(load * RATED_CURRENT, rel=0.01)


def test_the_link_sags_by_the_batterys_resistance_and_rings_at_its_resonance():
    drawn = np.where(np.arange(8000) < 2000, 0.0, 100.0)
    link = link_voltage(drawn)
    np.testing.assert_allclose(link[:2000], DC_LINK)
    assert link[-1] == pytest.approx(DC_LINK - 100 * BATTERY_RESISTANCE, abs=0.01)
    ringing = link[2000:2400] - link[-1]
    frequency = np.fft.rfftfreq(16 * 400, 1 / SAMPLE_RATE)[np.abs(np.fft.rfft(ringing, 16 * 400)).argmax()]
    assert frequency == pytest.approx(1 / (2 * np.pi * np.sqrt(CABLE * CAPACITOR)), rel=0.1)
    assert np.diff(link[2000:2003]).mean() * SAMPLE_RATE == pytest.approx(-100 / CAPACITOR, rel=0.3)


def test_no_training_draw_lies_where_the_tests_are():
    rng = np.random.default_rng(0)
    scenes = [core.draw_scene("current", rng) for _ in range(400)]
    for values, (low, high) in (
        ([s.speed_rpm for s in scenes], core.TEST_SPEED),
        ([load for s in scenes for load in (s.load, s.load_after)], core.TEST_LOAD),
    ):
        assert not [v for v in values if low < v < high]
        assert min(values) < low
        assert max(values) > high
    tests = [core.draw_unseen("link", "white", 5, rng) for _ in range(50)]
    assert all(core.TEST_SPEED[0] <= s.speed_rpm <= core.TEST_SPEED[1] for s in tests)


@pytest.mark.parametrize("wrong", [{"signal": "torque"}, {"kind": "hum"}, {"level": 51}, {"level": float("nan")}])
def test_a_scene_refuses_what_it_does_not_know(wrong):
    with pytest.raises(SettingError):
        core.NoisyScene(**wrong)


# ---------------------------------------------------------------------- network and filters
def test_training_reports_and_lowers_its_loss(little):
    losses = [step["loss"] for step in little[1] if "loss" in step]
    assert len(losses) >= 3
    assert losses[-1] < losses[0]
    assert little[1][-1]["progress"] == 1.0


def test_live_rests_on_the_past_alone(little):
    made = core.record(core.NoisyScene())
    changed = made.noisy.copy()
    changed[700:] += 50
    base = core.BASE["current"]
    live, again = (little[0](signal, base, "live") for signal in (made.noisy, changed))
    np.testing.assert_array_equal(live[:700], again[:700])
    assert not np.array_equal(live[700:], again[700:])
    assert not np.array_equal(little[0](made.noisy, base, "afterwards")[600:700],
                              little[0](changed, base, "afterwards")[600:700])  # fmt: skip


def test_filters_live_rest_on_the_past_alone_and_let_a_constant_pass():
    for tried in (*core.design_butterworths("live"), *core.design_savitzky_golays("live")):
        assert tried(np.full(600, 3.0), "live") == pytest.approx(3.0)
    last = list(core.design_savitzky_golays("live"))[-1]
    signal = np.random.default_rng(0).normal(size=600)
    changed = signal.copy()
    changed[400:] = 9
    np.testing.assert_array_equal(last(signal, "live")[:400], last(changed, "live")[:400])


def test_filters_are_scipys():
    from scipy.signal import butter, filtfilt, lfilter, savgol_filter

    signal = np.random.default_rng(1).normal(size=1200)
    tried = {f.words: f for f in (*core.design_butterworths("live"), *core.design_savitzky_golays("live"))}
    words = f"order 2, {core.CUTOFFS[10]:,.0f} Hz"
    b, a = butter(2, core.CUTOFFS[10], fs=SAMPLE_RATE)
    np.testing.assert_allclose(tried[words](signal, "live")[600:], lfilter(b, a, signal)[600:], atol=1e-6)
    both = {f.words: f for f in (*core.design_butterworths("afterwards"), *core.design_savitzky_golays("afterwards"))}
    inner = slice(400, 800)
    np.testing.assert_allclose(both[words](signal, "afterwards")[inner], filtfilt(b, a, signal)[inner], atol=1e-6)
    smooth = both["17 samples, order 2"](signal, "afterwards")
    np.testing.assert_allclose(smooth[inner], savgol_filter(signal, 17, 2)[inner], atol=1e-9)


def test_gain_and_delay_measure_what_they_say():
    scene = core.NoisyScene(load=0.6, load_after=0.6, level=10)
    made = core.record(scene, seconds=0.05)
    tenth = made.clean + 0.1 * (made.noisy - made.clean)
    assert core.gain([made], [tenth]) == pytest.approx(20.0)
    late = np.roll(made.clean, 4)
    assert core.delay(made, late, 4 * scene.speed_rpm / 60) == pytest.approx(4 / SAMPLE_RATE * 1e6, rel=0.02)
    assert core.delay(made, made.clean, 4 * scene.speed_rpm / 60) == pytest.approx(0, abs=1e-6)


def test_what_ships_cleans_and_comes_back_as_it_went():
    ships = core.load_pretrained()
    again = core.cleaners_from_tree(core.cleaners_to_tree(ships))
    scene = core.NoisyScene(kind="white", level=10, speed_rpm=3100, load=0.6, load_after=0.65, seed=5)
    made = core.record(scene)
    for mode in core.MODES:
        outputs, back = core.clean(made, scene, mode, ships), core.clean(made, scene, mode, again)
        for name, output in outputs.items():
            assert core.gain([made], [output]) > 3
            np.testing.assert_allclose(back[name], output, rtol=1e-5, atol=1e-3)


# ---------------------------------------------------------------------- a visitor's file
def test_own_currents_are_cleaned_whatever_their_scale_and_length():
    made = core.record(core.NoisyScene(kind="white", level=10), seconds=0.3)
    lines = "\n".join(f"{1e-3 * value + 7:.8f}" for value in made.noisy)
    result = finish(core.clean_own("mine.csv", f"i\n{lines}".encode()))
    assert result["measured"].shape == result["live"].shape == result["afterwards"].shape
    truth = 1e-3 * made.clean + 7
    before, after = (np.sqrt(((result[k][:, 0] - truth)[200:-200] ** 2).mean()) for k in ("measured", "afterwards"))
    assert after < 0.6 * before
    assert len(core.cleaned_table(result).columns) == 3


@pytest.mark.parametrize("chunk", [128, 300, 1000])
def test_cutting_a_long_file_into_chunks_changes_nothing(monkeypatch, chunk):
    made = core.record(core.NoisyScene())
    data = "\n".join(["i", *(f"{v:.6f}" for v in made.noisy)]).encode()
    whole = finish(core.clean_own("mine.csv", data))
    monkeypatch.setattr(core, "CHUNK", chunk)
    cut = finish(core.clean_own("mine.csv", data))
    np.testing.assert_allclose(cut["live"], whole["live"], rtol=1e-4, atol=1e-2)
    np.testing.assert_allclose(cut["afterwards"], whole["afterwards"], rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("data", [b"", b"i\n1\n2\n3\n", b"name\nfox\nhen\n"])
def test_bad_files_get_one_sentence(data):
    with pytest.raises(AecoreError) as caught:
        finish(core.clean_own("mine.csv", data))
    assert ";" in str(caught.value)


def test_too_short_a_trace_is_refused(little):
    with pytest.raises(TooFewRows):
        little[0](np.zeros(100), (0, 1), "live")


# ---------------------------------------------------------------------- the shown numbers
def test_the_shown_delays_of_the_filters_come_again():
    """One small row of the page's tables; the filters' part needs no core."""
    table = comparisons.read("denoising")["delay"]
    place = table.conditions.index("current, white noise")
    again = bench.delays("current", "white", 0, core.load_pretrained().networks["current"])
    for name in (core.BUTTERWORTH, core.SAVITZKY):
        assert again[name] == pytest.approx(table.values[place, table.contestants.index(name), 0], abs=0.1)
