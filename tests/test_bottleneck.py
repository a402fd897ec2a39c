"""The Bottleneck: machines against torch, scikit-learn and SciPy; what ships against its claims; the page."""

import io
import struct
import wave
from pathlib import Path

import numpy as np
import pytest
import scipy.fft
import scipy.linalg
import scipy.signal
import torch
from sklearn.decomposition import PCA as SklearnPCA
from streamlit.testing.v1 import AppTest

from aecore.concepts import bottleneck
from aecore.concepts.bottleneck import GRID, LARGEST, LINEAR, NONLINEAR, PCA
from aecore.concepts.bottleneck import models as machines
from aecore.concepts.bottleneck import recording as bottleneck_recording
from aecore.concepts.bottleneck import subspaces as bottleneck_equivalence
from aecore.concepts.bottleneck import training as bottleneck_training
from aecore.concepts.bottleneck.signals import LENGTH, FamilySettings, family_to_learn, spectrum
from aecore.data.datasets.signals import SinusoidFamily
from aecore.errors import DataError, SettingError, TooFewRows, UnreadableFile
from aecore.models import NestedAutoEncoder
from aecore.numerics.progress import finish
from pages.ui import bottleneck as ui

ROOT = Path(__file__).parents[1]
PAGE = "pages/1_Bottleneck.py"
OWN = "Your own recording"


def run(task):
    """Progress and result of a job's generator."""
    progress = []
    return progress, finish(task, progress.append)


@pytest.fixture
def brief(monkeypatch):
    """Training plans of a few steps."""
    for name in ("LINEAR_PLAN", "NONLINEAR_PLAN"):
        plan = getattr(bottleneck_training, name)
        monkeypatch.setattr(bottleneck_training, name, plan._replace(stages=((1e-3, 20), (1e-4, 10))))


@pytest.fixture(scope="module")
def swept():
    """Every shipped complexity at the noise of the page's default, by its sweep."""
    drawings = {complexity: FamilySettings(complexity=complexity) for complexity in GRID}
    return {
        complexity: bottleneck.sweep(
            drawing.signals(),
            0,
            machines.FittedPca.fit(family_to_learn(complexity), LARGEST),
            bottleneck.load_pretrained(complexity),
        )
        for complexity, drawing in drawings.items()
    }


def torch_model(tree, **settings):
    model = NestedAutoEncoder((LENGTH,), latent_dim=LARGEST, **settings)
    model.load_state_dict({name: torch.from_numpy(a.astype(np.float32)) for name, a in tree["weights"].items()})
    return model


# ---------------------------------------------------------------------- machines against independent oracles
@pytest.mark.parametrize(
    ("part", "name", "settings"),
    [("linear", LINEAR, {"hidden": ()}), ("nonlinear", NONLINEAR, {"hidden": (128, 96), "activation": "silu"})],
)
def test_numpy_rebuilds_what_torch_does(part, name, settings):
    tree = bottleneck.load_pretrained(3)
    model, machine = torch_model(tree[part], **settings), bottleneck.read_machines(tree)[name]
    x = FamilySettings(complexity=3, noise=0.3).signals()[:40]
    with torch.inference_mode():
        batch = torch.from_numpy(x)
        codes = model.encode(batch)
        rebuilt = torch.stack([model.decode(model.keep(codes, k)) for k in range(LARGEST + 1)], 1).numpy()  # (N, K, L)
    np.testing.assert_allclose(machine.frames(x[7]), rebuilt[7], rtol=1e-4, atol=1e-4)
    errors = ((rebuilt - x[:, None]).astype(np.float64) ** 2).sum(2).mean(0)
    np.testing.assert_allclose(machine.errors(x, range(LARGEST + 1)), errors, rtol=1e-4)
    np.testing.assert_allclose(machine.errors(x, [0, 5]), errors[[0, 5]], rtol=1e-4)


def test_pca_is_scikit_learn_s():
    x = family_to_learn(3)[:700]
    ours, theirs = machines.FittedPca.fit(x, LARGEST), SklearnPCA(LARGEST, svd_solver="full").fit(x)
    np.testing.assert_allclose(ours.variances[:LARGEST] * 700 / 699, theirs.explained_variance_, rtol=1e-4)
    codes = theirs.transform(x[:5])
    for k in (0, 2, 6, LARGEST):
        rebuilt = theirs.mean_ + codes[:, :k] @ theirs.components_[:k]
        np.testing.assert_allclose(ours.machine.frames(x[2])[k], rebuilt[2], atol=2e-3)
    with pytest.raises(TooFewRows):
        machines.FittedPca.fit(x[:1], LARGEST)


def test_the_bound_is_the_discarded_singular_values_and_pca_attains_it_on_its_own_signals():
    x = FamilySettings(complexity=4, noise=0.4).signals()
    bound = bottleneck_equivalence.linear_bound(x, LARGEST)
    values = np.linalg.svd(x - x.mean(0), compute_uv=False).astype(np.float64) ** 2 / len(x)
    np.testing.assert_allclose(bound, [values[k:].sum() for k in range(LARGEST + 1)], rtol=1e-4)
    own = machines.FittedPca.fit(x, LARGEST).machine.errors(x, range(LARGEST + 1))
    np.testing.assert_allclose(own, bound, rtol=1e-3)
    other = machines.FittedPca.fit(family_to_learn(4), LARGEST).machine.errors(x, range(LARGEST + 1))
    assert (other >= bound).all()


@pytest.mark.parametrize("degrees", [0.0, 1e-4, 30.0, 60.0, 90.0])
def test_the_largest_angle_is_that_of_a_turned_axis(degrees):
    axes = np.eye(6)
    turned = np.cos(np.radians(degrees)) * axes[1] + np.sin(np.radians(degrees)) * axes[4]
    a, b = axes[:2], np.stack([axes[0] + 3 * turned, turned])  # of b's own rows, none is an axis of a
    assert bottleneck_equivalence.largest_angle(a, b) == pytest.approx(degrees, abs=1e-6)


def test_a_narrow_gap_gives_no_angle_and_a_wide_one_does():
    family = SinusoidFamily(complexity=2)
    pca = machines.FittedPca.fit(family.draw(4000, seed=1), LARGEST)
    other = machines.FittedPca.fit(family.draw(4000, seed=2), LARGEST)
    within = bottleneck_equivalence.compare(other.machine, pca, 3, (0.2, 0.1))  # between a sine and its cosine
    across = bottleneck_equivalence.compare(other.machine, pca, 4, (0.2, 0.1))  # between the signals and nothing
    assert within.gap < 0.1
    assert within.angle is None
    assert across.gap > 0.99
    assert across.angle < 0.1
    assert across.difference == pytest.approx(0.1)
    assert bottleneck_equivalence.compare(other.machine, pca, 0, (1.0, 1.0)).angle is None


def test_waveforms_are_unit_rows_and_what_a_code_number_changes():
    tree = bottleneck.load_pretrained(2)
    network = bottleneck.read_machines(tree)[NONLINEAR]
    shapes = network.waveforms()
    assert shapes.shape == (LARGEST, LENGTH)
    np.testing.assert_allclose(np.linalg.norm(shapes, axis=1), 1, rtol=1e-5)
    model = torch_model(tree["nonlinear"], hidden=(128, 96), activation="silu")
    code = torch.from_numpy(network.centre[None].copy())
    with torch.inference_mode():
        up, down = code.clone(), code.clone()
        up[0, 3] += float(network.spread[3])
        down[0, 3] -= float(network.spread[3])
        change = (model.decode(up) - model.decode(down))[0].numpy()
    np.testing.assert_allclose(shapes[3], change / np.linalg.norm(change), atol=1e-3)


def test_octaves_give_each_doubling_the_same_share():
    model = NestedAutoEncoder((4,), hidden=(), latent_dim=64, sizes="octaves", seed=0)
    k = model._draw(40_000).numpy().ravel()
    assert k.min() == 0
    assert k.max() == 64
    shares = [((k >= low) & (k < 2 * low + 1)).mean() for low in (1, 3, 7, 15, 31)]
    np.testing.assert_allclose(shares, np.log(2) / np.log(66), atol=0.01)
    with pytest.raises(SettingError, match="sizes"):
        NestedAutoEncoder((4,), sizes="thirds")


# ---------------------------------------------------------------------- what ships keeps its promises
def test_the_linear_autoencoder_is_pca_wherever_it_ships(swept):
    for complexity, s in swept.items():
        difference = s.lost[LINEAR] - s.lost[PCA]
        assert np.abs(difference).max() < 0.01, complexity
        assert np.abs(difference).mean() < 0.003, complexity
        k = 2 * complexity
        if k < LARGEST:
            equal = bottleneck_equivalence.compare(s.machines[LINEAR], s.pca, k, (0, 0))
            assert equal.gap > 0.5, complexity
            assert equal.angle < (12 if complexity <= 10 else 45), complexity  # the faintest are found last


def test_no_linear_machine_goes_below_the_bound_and_the_nonlinear_one_does(swept):
    for complexity, s in swept.items():
        for name in (PCA, LINEAR):
            assert (s.lost[name] >= s.bound - 1e-6).all(), (complexity, name)
        assert s.lost[NONLINEAR][1] < s.bound[1] - 0.02, complexity
    assert swept[1].lost[NONLINEAR][1] < 0.15  # a circle through one number; linear machines lose half of it
    assert swept[1].bound[1] > 0.4


@pytest.mark.parametrize("complexity", [1, 3, 20])
def test_a_family_of_n_fills_2n_dimensions(swept, complexity):
    silent = FamilySettings(complexity=complexity, noise=0.0).signals()
    lost = bottleneck.sweep(silent, 0, swept[complexity].pca, None).lost[PCA]
    assert lost[2 * complexity] < 4e-3
    assert lost[2 * complexity - 2] > 2 * lost[2 * complexity]


def test_what_ships_is_small_and_only_the_grid():
    assert bottleneck.ASSET.stat().st_size < 2_000_000
    assert bottleneck.load_pretrained(4) is None


# ---------------------------------------------------------------------- signals
def test_seeds_draw_other_signals_none_of_which_were_learnt():
    learnt = family_to_learn(2)
    one, two = (
        FamilySettings(complexity=2, noise=0.0, seed=0).signals(),
        FamilySettings(complexity=2, noise=0.0, seed=1).signals(),
    )
    assert not np.array_equal(one, two)
    nearest = [np.abs(learnt - x).max(1).min() for x in one[:50]]
    assert min(nearest) > 1e-3
    np.testing.assert_array_equal(one, FamilySettings(complexity=2, noise=0.0, seed=0).signals())


def test_noise_is_relative_to_the_signal_s_rms():
    quiet, loud = (FamilySettings(complexity=3, noise=n, seed=4).signals() for n in (0.0, 0.5))
    assert (loud - quiet).std() == pytest.approx(0.5, rel=0.02)
    assert np.sqrt((quiet**2).mean()) == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize(
    "wrong", [{"complexity": 0}, {"complexity": 41}, {"noise": -0.1}, {"noise": float("nan")}, {"seed": -1}]
)
def test_a_drawing_out_of_range_is_refused(wrong):
    with pytest.raises(SettingError, match=next(iter(wrong))):
        FamilySettings(**wrong)


def test_the_spectrum_of_a_tone_is_at_its_frequency():
    tone = np.sin(2 * np.pi * 17 * np.arange(LENGTH) / LENGTH)
    assert spectrum(tone).argmax() == 17
    assert spectrum(tone)[[10, 24]].max() < 1e-3 * spectrum(tone).max()


def csv(values: np.ndarray, names: str = "time,torque,speed") -> bytes:
    rows = [",".join(f"{v:.6g}" for v in row) for row in values]
    return "\n".join([names, *rows]).encode()


def measured(rows: int = 1500) -> np.ndarray:
    t = np.arange(rows) / 100
    rng = np.random.default_rng(0)
    return np.stack([t, 40 + 3 * np.sin(9 * t), np.cumsum(rng.normal(size=rows))], 1)


def cut_file(name: str, data: bytes, channel: str) -> bottleneck_recording.ChannelWindows:
    """Read a file and cut one of its channels."""
    _, held = run(bottleneck_recording.read(name, data))
    assert channel in held.summary.channels
    return run(bottleneck_recording.cut_windows(held.value, channel))[1]


def test_a_channel_is_cut_into_windows_that_keep_apart():
    values = measured()
    cut = cut_file("log.csv", csv(values), "speed")
    assert cut.channels == ("torque", "speed")
    assert cut.sample_rate == pytest.approx(100)
    border = 1500 - 300
    centre, spread = values[:border, 2].mean(), values[:border, 2].std()
    np.testing.assert_allclose(cut.learn[0] * spread + centre, values[:256, 2], atol=1e-3)
    np.testing.assert_allclose(cut.test[0] * spread + centre, values[border : border + 256, 2], atol=1e-3)
    np.testing.assert_allclose(cut.test[-1] * spread + centre, values[-256:, 2], atol=1e-3)
    assert cut.learn.shape == (border - 255, 256)
    assert {cut.choose_row(seed) for seed in range(200)} <= set(range(len(cut.test)))


def test_a_long_recording_makes_no_more_windows_than_a_family_has_signals():
    cut = cut_file("log.csv", csv(measured(30_000)), "torque")
    assert 2048 <= len(cut.learn) <= 4096
    assert 128 <= len(cut.test) <= 256
    assert cut.channels[0] == "torque"


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        (measured(767), TooFewRows, "768"),
        (np.stack([np.arange(900) / 10, np.full(900, 3.0), np.arange(900) % 7], 1), DataError, "does not move"),
    ],
)
def test_a_recording_that_cannot_be_cut_is_refused(values, error, words):
    with pytest.raises(error, match=words):
        cut_file("log.csv", csv(values), "torque")


def test_bytes_that_are_no_recording_are_refused():
    with pytest.raises(UnreadableFile):
        run(bottleneck_recording.read("noise.wav", bytes(range(256)) * 9))


# ---------------------------------------------------------------------- training
def test_training_says_where_it_is_and_returns_machines(brief):
    progress, tree = run(bottleneck.train(family_to_learn(2)[:512]))
    shares = [step["progress"] for step in progress]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    assert [step["part"] for step in progress] == sorted(step["part"] for step in progress)
    assert all(1 <= step["epoch"] <= step["epochs"] for step in progress)
    swept = bottleneck.sweep(
        FamilySettings(complexity=2).signals(), 3, machines.FittedPca.fit(family_to_learn(2)[:512], LARGEST), tree
    )
    assert list(swept.machines) == [PCA, LINEAR, NONLINEAR]
    assert swept.lost[LINEAR][4] < 1


def test_steps_are_planned_whatever_the_length():
    assert bottleneck_training.LINEAR_PLAN.begins == 0
    plan, done = bottleneck_training.LINEAR_PLAN._replace(stages=((1e-3, 64),), batch=64), {}
    for rows in (64, 1024):
        model = NestedAutoEncoder((8,), hidden=(), latent_dim=2)
        done[rows] = len(list(bottleneck_training.train_by(plan, model, torch.zeros(rows, 8))))
    assert done == {64: 64, 1024: 4}


# ---------------------------------------------------------------------- words, tables, figures
def test_the_words_carry_the_numbers(swept):
    s = swept[5]
    words = bottleneck.summary(s, 4)
    for share in (s.lost[PCA][4], s.lost[LINEAR][4], s.lost[NONLINEAR][4], s.bound[4]):
        assert f"{share:.1%}" in words
    assert "the nonlinear one does" in words
    assert "not here" in bottleneck.summary(s, 20)
    assert "1 number PCA" in bottleneck.summary(s, 1)
    assert "°" in bottleneck.equivalence(s, 10)
    assert "not compared" in bottleneck.equivalence(s, 3)
    assert "no subspace" in bottleneck.equivalence(s, 0)
    alone = bottleneck.sweep(FamilySettings().signals(), 0, s.pca, None)
    assert "To be measured" in bottleneck.equivalence(alone, 3)
    assert "autoencoder" not in bottleneck.summary(alone, 3)


def test_tables_hold_what_the_figures_show(swept):
    s = swept[3]
    table = bottleneck.error_table(s)
    np.testing.assert_array_equal(table["k"], np.arange(LARGEST + 1))
    np.testing.assert_array_equal(table[NONLINEAR], s.lost[NONLINEAR])
    signal = bottleneck.signal_table(s, 6)
    np.testing.assert_array_equal(signal["signal"], s.shown)
    np.testing.assert_array_equal(signal[f"{PCA}, k = 6"], s.frames[PCA][6])
    rebuilt = s.pca.machine.errors(s.shown[None], [6])[0]
    assert ((signal[f"{PCA}, k = 6"] - signal["signal"]) ** 2).sum() == pytest.approx(rebuilt, rel=1e-3)


def test_levels_are_decibels_below_the_signal_s_loudest_line(swept):
    s = swept[2]
    levels = s.levels(PCA)
    assert levels["in"].max() == pytest.approx(0)
    assert levels["out"].shape == levels["lost"].shape == (LARGEST + 1, LENGTH // 2 + 1)
    window = scipy.signal.windows.hann(LENGTH)  # symmetric, as numpy's
    lines = [np.abs(scipy.fft.rfft(x * window)) for x in (s.shown, s.shown - s.frames[PCA][4])]
    expected = 20 * np.log10(np.maximum(lines[1] / lines[0].max(), 1e-9))
    np.testing.assert_allclose(levels["lost"][4], np.maximum(expected, bottleneck.FLOOR), atol=1e-3)


def test_panels_draw_what_was_swept(swept):
    s = swept[5]
    above, below = ui.panels(s, None, None)
    assert [panel.title for panel in above] == [*s.machines, "The network"]
    lost, spectrum_, waves = below.panels
    assert {panel.positions for panel in (*above, *below.panels)} == {LARGEST + 1}
    assert [line.label for line in lost.lines] == ["PCA", "Linear", "Nonlinear", "linear bound"]
    np.testing.assert_allclose(lost.lines[2].frames[0], 100 * np.minimum(s.lost[NONLINEAR], 1), rtol=1e-6)
    assert (spectrum_.axes[0].high, spectrum_.axes[0].title) == (LENGTH / 2, "cycles a window")
    np.testing.assert_allclose(spectrum_.lines[1].frames, s.levels(PCA)["out"], atol=1e-4)
    np.testing.assert_array_equal(waves.waves, s.machines[PCA].waveforms())
    above, below = ui.panels(s, NONLINEAR, 1000.0)
    assert [panel.title for panel in above] == [NONLINEAR, "The network"]
    assert (below.panels[1].axes[0].high, below.panels[1].axes[0].title) == (500, "Hz")
    assert all(NONLINEAR in panel.title for panel in below.panels[1:])


# ---------------------------------------------------------------------- the page
@pytest.fixture
def opened(monkeypatch, tmp_path):
    monkeypatch.setenv("AECORE_JOBS", "inline")
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path))

    def start(**query: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "Home.py"), default_timeout=60)
        for key, value in query.items():
            app.query_params[key] = value
        app.switch_page(PAGE)
        return app.run()

    return start


def on_screen(app: AppTest) -> bottleneck.SignalSweep:
    assert not app.exception
    return app.session_state["bottleneck:now"]["swept"]


def offered(app: AppTest) -> bool:
    return any(button.label == "Train" for button in app.button)


def test_the_page_follows_every_control(opened):
    app = opened(waist="3")
    assert app.session_state["bottleneck:now"]["k"] == 3
    first = on_screen(app)
    assert list(first.machines) == [PCA, LINEAR, NONLINEAR]
    app.slider(key="hiss").set_value(0.6)
    noisy = on_screen(app.run())
    assert noisy.bound[10] > first.bound[10] + 0.1
    app.button(key="next_signal").click()
    other = on_screen(app.run())
    assert app.slider(key="draw").value == 1
    assert not np.array_equal(other.shown, noisy.shown)
    app.slider(key="complexity").set_value(1)
    assert on_screen(app.run()).lost[PCA][2] < 0.5


def test_off_the_grid_pca_alone_until_it_is_trained_and_never_another_s_curve(opened, brief):
    app = opened(complexity="7")
    assert list(on_screen(app).machines) == [PCA]
    assert offered(app)
    app.button(key="bottleneck:train:ask").click()
    app.run()
    assert list(on_screen(app).machines) == [PCA, LINEAR, NONLINEAR]
    assert not offered(app)
    trained = on_screen(app).machines[LINEAR].out
    app.slider(key="complexity").set_value(8)
    app.run()
    assert list(on_screen(app).machines) == [PCA]
    assert offered(app)
    app.slider(key="complexity").set_value(10)
    app.run()
    assert not np.array_equal(on_screen(app).machines[LINEAR].out, trained)
    app.slider(key="complexity").set_value(7)
    app.run()
    np.testing.assert_array_equal(on_screen(app).machines[LINEAR].out, trained)


def test_one_machine_at_a_time(opened, monkeypatch):
    drawn = []
    monkeypatch.setattr(ui, "panels", lambda *args, draw=ui.panels: drawn.append(draw(*args)) or drawn[-1])

    def titles(app):
        assert not app.exception
        above, below = drawn[-1]
        return [panel.title for panel in (*above, *below.panels)]

    alone = [NONLINEAR, "The network", "Variance lost, %", f"Spectrum, dB: {NONLINEAR}", f"Waveforms: {NONLINEAR}"]
    assert titles(opened(machines="Nonlinear")) == alone
    app = opened(machines="Linear", complexity="7")  # which has none: PCA it is, and says so
    assert [title for title in titles(app) if PCA in title] == [PCA, f"Spectrum, dB: {PCA}", f"Waveforms: {PCA}"]
    assert offered(app)


def wav(seconds: float = 0.5, rate: int = 8000) -> bytes:
    t = np.arange(int(seconds * rate)) / rate
    samples = np.int16(9000 * np.sin(2 * np.pi * 440 * t) + 3000 * np.sin(2 * np.pi * 1330 * t))
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return data.getvalue()


@pytest.mark.parametrize(("name", "data"), [("log.csv", csv(measured())), ("two_tones.wav", wav())])
def test_a_recording_is_compressed_the_same_way(opened, brief, name, data):
    app = opened(signals=OWN)
    app.file_uploader(key="clip:upload").upload(name, data)
    app.run()
    s = on_screen(app)
    assert list(s.machines) == [PCA]
    assert (s.lost[PCA] >= s.bound - 1e-6).all()
    app.button(key="bottleneck:train:ask").click()
    app.run()
    assert list(on_screen(app).machines) == [PCA, LINEAR, NONLINEAR]
    if name == "log.csv":
        app.selectbox(key="channel").set_value("speed")
        app.run()
        assert list(on_screen(app).machines) == [PCA]
        assert not np.array_equal(on_screen(app).shown, s.shown)
    else:
        assert s.lost[PCA][4] < 0.01  # two tones, four dimensions


@pytest.mark.parametrize(
    ("name", "data"),
    [("empty.wav", b""), ("torn.wav", wav()[:30]), ("short.csv", csv(measured(300))), ("words.csv", b"a,b\nc,d\n" * 9)],
)
def test_a_file_that_cannot_be_used_gets_a_sentence_and_the_page_stays_usable(opened, name, data):
    app = opened(signals=OWN)
    app.file_uploader(key="clip:upload").upload(name, data)
    app.run()
    assert not app.exception
    assert len(app.error) == 1
    assert len(app.error[0].value) > 20
    app.file_uploader(key="clip:upload").upload("good.csv", csv(measured()))
    app.run()
    assert not app.error
    assert list(on_screen(app).machines) == [PCA]
