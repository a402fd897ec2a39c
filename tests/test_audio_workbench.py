"""The audio page as Streamlit runs it: any sound in, the same kind out; what cannot be used gets a sentence."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from aecore.audio.tuning import RECIPE, tuning
from aecore.concepts import audio_denoising
from aecore.concepts.audio_denoising import NoiseSettings
from aecore.concepts.audio_denoising import benchmark as audio_bench
from aecore.figures.audio import mel_rows
from pages.ui.audio import listening, results, sources
from pages.ui.components.player import Heard
from tests.test_concepts import run
from tests.test_pages import opened, words

PAGE = "pages/7_Audio_Denoising.py"
FILE = {"voice": "file"}
SECONDS = 1.2


@pytest.fixture(autouse=True)
def inline(monkeypatch, tmp_path):
    """Jobs run in place, by one classical method besides the network: all of them take seconds a test."""
    monkeypatch.setenv("AECORE_JOBS", "inline")
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path))
    monkeypatch.setattr(audio_denoising, "methods", lambda: ("network", "wiener"))


@pytest.fixture(scope="module")
def shipped():
    return audio_bench.load_pretrained(NoiseSettings())


def voice(rate: int = 16_000, channels: int = 1, seconds: float = SECONDS) -> np.ndarray:
    """A piece of the clip [T, C], by interpolation at another rate: what is tested here is not its quality."""
    clip = audio_denoising.sample()
    at = np.arange(round(seconds * rate)) / rate + 0.4
    x = np.interp(at, np.arange(len(clip.mono)) / clip.sample_rate, clip.mono)
    return np.stack([x * 0.9**c for c in range(channels)], 1).astype(np.float32)


def encoded(samples: np.ndarray, rate: int, kind: str = "WAV") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=kind)
    return file.getvalue()


def uploaded(name: str, data: bytes, **query: str):
    app = opened(PAGE, **FILE | query)
    app.file_uploader(key="sound:upload").upload(name, data)
    return app.run()


def result(app) -> dict:
    assert not app.exception
    assert not app.error, app.error[0].value
    return app.session_state["audio:last"].tree


def test_it_opens_on_a_finished_result_without_any_work(monkeypatch):
    monkeypatch.setattr("aecore.jobs.submit", lambda *a, **k: pytest.fail("work was submitted"))
    app = opened(PAGE)
    assert not app.exception and not app.error
    assert {"Noisy", "Cleaned", "Wiener", "Subtraction"} <= set(app.dataframe[0].value["method"])


def test_the_shipped_result_is_what_the_shipped_network_gives(shipped):
    fresh = run(audio_bench.sample_bench(NoiseSettings()))[1]
    np.testing.assert_array_equal(shipped["noisy"], fresh["noisy"])
    close = np.abs(shipped["cleaned"]["network"].astype(int) - fresh["cleaned"]["network"])
    assert close.max() <= 64  # of 32768: processors differ in the last digits
    assert shipped["measures"][1]["si_sdr"] == pytest.approx(fresh["measures"][1]["si_sdr"], abs=0.1)


@pytest.mark.parametrize(
    ("name", "rate", "channels", "kind"),
    [
        ("phone.wav", 8_000, 1, "WAV"),
        ("studio.flac", 96_000, 1, "FLAC"),
        ("stereo.ogg", 44_100, 2, "OGG"),
        ("pod.mp3", 22_050, 1, "MP3"),
        ("surround.wav", 48_000, 6, "WAV"),
        ("odd.wav", 192_000, 1, "WAV"),
    ],
)
def test_any_rate_and_channels_come_back_as_they_were(name, rate, channels, kind, tmp_path):
    tree = result(uploaded(name, encoded(voice(rate, channels), rate, kind)))
    wave, got = soundfile.read(io.BytesIO(export(tree)), always_2d=True)
    assert got == rate and wave.shape[1] == channels
    assert len(wave) == len(tree["noisy"]) >= round(SECONDS * rate)
    assert np.abs(wave).max() > 0.01
    assert not list(Path(tmp_path).rglob("*.safetensors"))  # a visitor's sound leaves nothing on a disk


def export(tree: dict) -> bytes:
    from aecore import export

    return export.wav(listening.chosen_wave(tree, Heard("network", 100, False)), tree["sample_rate"])


def test_a_recording_is_cleaned_and_with_added_noise_measured():
    app = opened(PAGE, voice="microphone")
    app.audio_input(key="spoken").upload("recording.wav", encoded(voice(48_000), 48_000))
    app.run()
    assert "clean" not in result(app)
    assert "estimate" in words(app)
    app.selectbox(key="add").set_value("gaussian")
    app.run()
    tree = result(app)
    assert "clean" in tree and tree["sample_rate"] == 48_000
    assert app.dataframe[0].value["si_sdr"].iloc[0] == pytest.approx(5, abs=0.2)  # the SNR that was asked for


def test_a_noise_of_one_s_own_is_mixed_at_the_chosen_snr():
    app = opened(PAGE, spoil="own", snr="-3", **{"noise-from": "file"})
    assert "Record or choose" in words(app)
    hum = 0.1 * np.sin(np.arange(16_000) / 3)[:, None]
    app.file_uploader(key="noise-file:upload").upload("hum.wav", encoded(hum, 16_000))
    app.run()
    tree = result(app)
    added = (tree["noisy"] - tree["clean"].astype(float))[:, 0]
    clean = tree["clean"][:, 0].astype(float)
    assert 10 * np.log10(np.mean(clean**2) / np.mean(added**2)) == pytest.approx(-3, abs=0.1)


BAD = {
    "silence.wav": lambda: encoded(np.zeros((16_000, 1)), 16_000),
    "empty.wav": lambda: b"",
    "letter.wav": lambda: b"Dear all, " * 400,
    "click.wav": lambda: encoded(voice(seconds=0.1), 16_000),
    "lecture.wav": lambda: encoded(np.tile(voice(8_000), (1_000, 1)), 8_000),  # 20 minutes
    "array.wav": lambda: encoded(voice(16_000, 9), 16_000),
    "torn.flac": lambda: encoded(voice(), 16_000, "FLAC")[:300],
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_cleaned_gets_a_sentence_and_the_page_goes_on(name):
    app = uploaded(name, BAD[name]())
    assert not app.exception
    assert len(app.error) == 1
    assert name.split(".")[0] in app.error[0].value and app.error[0].value.endswith(".")
    app.file_uploader(key="sound:upload").upload("good.wav", encoded(voice(), 16_000))
    result(app.run())


def test_clipping_is_said():
    tree = result(uploaded("loud.wav", encoded(np.clip(20 * voice(), -1, 1), 16_000)))
    assert any("lipped" in note for note in tree["notes"])


def test_a_long_recording_is_heard_by_stretches(monkeypatch):
    monkeypatch.setattr(listening, "MAX_BYTES", 60_000)
    app = uploaded("talk.wav", encoded(voice(seconds=4.0), 16_000), add="hum")
    tree = result(app)
    span = listening.shown_seconds(tree)
    assert 0.1 < span < 1 and len(tree["noisy"]) == 64_000
    app.slider(key="from").set_value(2.0)
    app.run()
    stage = app.session_state["audio:now"]["stage"]
    np.testing.assert_array_equal(stage.takes[0].samples, tree["noisy"][32_000 : round((2 + span) * 16_000), 0])


def test_the_download_is_what_is_heard(shipped):
    half = listening.chosen_wave(shipped, Heard("wiener", 50, False))
    expected = (shipped["noisy"].astype(float) + shipped["cleaned"]["wiener"]) / 2 / 32767
    np.testing.assert_allclose(half, expected, atol=1e-6)
    np.testing.assert_allclose(
        listening.chosen_wave(shipped, Heard("noisy", 100, False)), shipped["cleaned"]["network"] / 32767, atol=1e-6
    )


def test_pictures_are_drawn_one_a_version_and_the_mask(shipped):
    with zipfile.ZipFile(io.BytesIO(results.spectrograms(shipped))) as archive:
        names = {name.removesuffix(".png") for name in archive.namelist()}
        image = Image.open(io.BytesIO(archive.read("mask.png")))
    assert names == {"noisy", "clean", "mask", *shipped["cleaned"]}
    assert image.height >= results.PNG_HEIGHT and image.width == shipped["pictures"]["mask"]["pixels"].shape[1]


def test_the_verdict_names_the_method_with_the_largest_gain(shipped):
    table = results.measure_table(shipped)
    rows = {row["method"]: row["si_sdr"] for row in shipped["measures"]}
    best = max(("wiener", "subtraction", "noisereduce"), key=rows.get)
    assert listening.LOOKS[best].label in results.verdict(table)
    assert f"{rows['network'] - rows['noisy']:+.1f} dB" in results.verdict(table)


def test_rows_on_the_mel_axis_rise_evenly_in_pitch():
    rows, hertz = mel_rows(np.linspace(0, 8000, 257))
    mel = 2595 * np.log10(1 + hertz / 700)
    np.testing.assert_allclose(np.diff(mel), np.diff(mel)[0])
    assert (np.diff(rows) >= 0).all() and rows[-1] == 256 and hertz[0] == pytest.approx(60)


def test_training_on_the_clip_adds_its_network_to_the_player(monkeypatch):
    monkeypatch.setattr(
        "aecore.concepts.audio_denoising.training.tuning", lambda d, x, **how: tuning(d, x, **how | {"steps": 8})
    )
    monkeypatch.setattr("aecore.audio.tuning.RECIPE", replace(RECIPE, pool=4))
    app = uploaded("me.wav", encoded(voice(), 16_000), add="fan")
    app.button(key="audio:scratch:ask").click()
    tree = result(app.run())
    assert set(tree["cleaned"]) >= {"network", "scratch"} and "tuned" not in tree["cleaned"]
    table = next(d.value for d in app.dataframe if "network" in d.value)
    assert list(table["network"]) == ["as it ships", "from scratch on this clip"]
    app.slider(key="snr").set_value(8.0)  # another level, the same noise: what was trained stays
    assert "scratch" in result(app.run())["cleaned"]


def test_a_clip_without_added_noise_is_not_trained_on():
    app = uploaded("me.wav", encoded(voice(), 16_000))
    assert "clean" not in result(app)
    assert not [button for button in app.button if (button.key or "").endswith(":ask")]


@pytest.mark.parametrize(
    ("query", "label"),
    [
        ({"snr": "banana"}, "Voice over noise, dB"),
        ({"voice": "A parrot"}, "Voice"),
        ({"spoil": "Bagpipes"}, "Noise to add"),
        ({"take": "gone"}, "the take"),
        ({"take-strength": "200"}, "Strength"),
        ({"noise-seed": "-1"}, "Seed of the noise"),
        ({"axis": "round"}, "Frequencies"),
    ],
)
def test_a_link_with_a_bad_value_shows_the_default_and_says_so(query, label):
    app = opened(PAGE, **query)
    assert not app.exception
    assert any(note.value.startswith(f"The link asks for {label} = ") and "showing" in note.value for note in app.info)
    assert not app.run().query_params


def test_a_link_to_a_take_that_has_to_be_trained_first_says_so():
    app = opened(PAGE, take="tuned")
    assert any("has to be tuned to this clip first" in note.value.replace("\\", "") for note in app.info)
    assert app.session_state["audio:now"]["heard"].take == "network"


@pytest.mark.parametrize(
    ("url", "secure"),
    [
        ("https://example.org/Audio_Denoising", True),
        ("http://localhost:8501/", True),
        ("http://127.0.0.1:8501", True),
        ("http://[::1]:8501", True),
        ("http://192.168.1.7:8501", False),
        ("http://localhost.example.org", False),
        (None, True),
    ],
)
def test_the_microphone_needs_a_secure_address(url, secure):
    assert sources.secure(url) is secure
