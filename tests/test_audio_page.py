"""The core of the Audio denoising page: files, noises, methods, pictures, tuning."""

import io

import numpy as np
import pytest
import soundfile

from aecore.audio import classical
from aecore.audio.spectrum import BINS, frames_for
from aecore.concepts import audio_denoising
from aecore.concepts.audio_denoising import NoiseSettings, add_noise, clean, measures, sample
from aecore.concepts.audio_denoising import spectrograms as audio_pictures
from aecore.concepts.audio_denoising import training as audio_tuning
from aecore.concepts.audio_denoising.benchmark import bench
from aecore.concepts.audio_denoising.spectrograms import gain_picture, picture
from aecore.data.readers import sounds
from aecore.data.readers.sounds import Sound
from aecore.errors import DataError, SettingError, UnreadableFile
from aecore.jobs import Cancelled, Held
from aecore.numerics.progress import finish


def finished(steps):
    """What a task yields, and what it returns."""
    seen = []
    return seen, finish(steps, seen.append)


def encoded(samples, rate, kind="WAV", **more):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=kind, **more)
    return file.getvalue()


@pytest.fixture(scope="module")
def tone():
    return (0.3 * np.sin(2 * np.pi * 440 * np.arange(22_050) / 22_050)).astype(np.float32)


# ---------------------------------------------------------------------- files
@pytest.mark.parametrize(
    ("kind", "within"), [("WAV", 1e-4), ("FLAC", 1e-4), ("OGG", 0.05), ("MP3", 0.05)]
)  # the last two lose something, which is their point
def test_a_recording_of_each_kind_is_read(tone, kind, within):
    _, sound = finished(audio_denoising.parse(f"a.{kind.lower()}", encoded(tone, 22_050, kind)))
    assert sound.sample_rate == 22_050 and sound.samples.dtype == np.float32
    assert abs(len(sound.samples) - len(tone)) < 2500  # an MP3 may be padded
    assert np.sqrt(np.mean(sound.mono**2)) == pytest.approx(np.sqrt(np.mean(tone**2)), rel=within)


def test_surround_at_96_khz_is_read(tone):
    sound = sounds.read("a.wav", encoded(np.tile(tone[:, None], 6), 96_000, subtype="PCM_24"))
    assert sound.samples.shape == (22_050, 6) and sound.sample_rate == 96_000
    np.testing.assert_allclose(sound.mono, tone, atol=1e-4)


@pytest.mark.parametrize(
    ("data", "error", "says"),
    [
        (b"", UnreadableFile, "empty"),
        (b"RIFF of some other kind", UnreadableFile, "no WAV"),
        (encoded(np.zeros(8000), 8000), DataError, "silent"),
        (encoded(np.ones((8000, 9)) * 0.1, 8000), DataError, "9 channels"),
        (encoded(np.ones(100) * 0.1, 8000), DataError, "0.01 s"),
        (encoded(np.ones(8000 * 1200) * 0.1, 8000), DataError, "20.0 minutes"),
        (encoded(np.full(8000, np.nan), 8000, subtype="FLOAT"), DataError, "not finite"),
    ],
    ids=["empty", "foreign", "silent", "channels", "short", "20 minutes", "nan"],
)
def test_what_is_no_phrase_is_refused_in_a_sentence(data, error, says):
    with pytest.raises(error, match=says):
        finished(audio_denoising.parse("a.wav", data))


def test_clipping_softness_and_narrow_bands_are_noted(tone):
    clipped = sounds.examine_sound("a.wav", np.clip(8 * tone, -1, 1)[:, None], 16_000)
    assert "Clipped" in clipped.notes[1]
    assert sounds.clipped_share(np.clip(8 * tone, -1, 1)[:, None]) == pytest.approx(
        np.mean(np.abs(8 * tone) >= 0.999), abs=0.05
    )
    assert not sounds.clipped_share(tone[:, None])
    notes = " ".join(sounds.examine_sound("a.wav", tone[:, None] * 1e-3, 8_000).notes)
    assert "soft" in notes and "8,000 Hz" in notes


# ---------------------------------------------------------------------- noise
@pytest.mark.parametrize("noise", ["gaussian", "fan", "vacuum", "hum", "babble"])
def test_each_noise_comes_at_the_snr_asked_for_and_the_same_again(noise):
    mix = add_noise(sample(), NoiseSettings(noise=noise, snr=3.0))
    added = mix.noisy - mix.clean
    assert 10 * np.log10(np.sum(mix.clean**2.0) / np.sum(added**2.0)) == pytest.approx(3, abs=0.01)
    assert np.abs(mix.noisy).max() <= 0.981
    np.testing.assert_array_equal(mix.noisy, add_noise(sample(), NoiseSettings(noise=noise, snr=3.0)).noisy)


def test_ones_own_noise_is_looped_at_the_clips_rate(tone):
    own = Sound(np.stack([tone, tone], 1), 22_050)
    mix = add_noise(sample(), NoiseSettings(noise="own", snr=0.0), own)
    spectrum = np.abs(np.fft.rfft((mix.noisy - mix.clean)[:, 0]))
    assert np.argmax(spectrum) * 16_000 / len(mix.noisy) == pytest.approx(440, abs=1)
    with pytest.raises(SettingError, match="own"):
        add_noise(sample(), NoiseSettings(noise="own"))


def test_a_noisy_recording_stays_as_it_is_and_has_no_clean_one():
    mix = add_noise(sample(), NoiseSettings(noise="none"))
    assert mix.clean is None
    np.testing.assert_array_equal(mix.noisy, sample().samples)


def test_channels_that_cancel_each_other_can_be_spoilt(tone):
    mix = add_noise(Sound(np.stack([tone, -tone], 1), 22_050), NoiseSettings(noise="gaussian", snr=0.0))
    assert np.isfinite(mix.noisy).all() and (mix.noisy != mix.clean).any()


@pytest.mark.parametrize("wrong", [{"noise": "rain"}, {"snr": 99.0}, {"snr": float("nan")}, {"seed": -1}])
def test_mixing_refuses_what_it_cannot_do(wrong):
    with pytest.raises(SettingError):
        NoiseSettings(**wrong)


# ---------------------------------------------------------------------- methods and pictures
def test_cleaning_measures_and_draws_every_method():
    mix = add_noise(sample(), NoiseSettings())
    seen, result = finished(bench(sample(), NoiseSettings()))
    assert [p["progress"] for p in seen] == sorted(p["progress"] for p in seen)
    rows = {row["method"]: row for row in result["measures"]}
    assert list(rows) == ["noisy", *audio_denoising.methods()]
    assert rows["noisy"]["si_sdr"] == pytest.approx(5, abs=0.2)
    assert rows["network"]["si_sdr"] > rows["noisy"]["si_sdr"] + 4
    assert result["cleaned"]["network"].shape == mix.noisy.shape
    assert set(result["pictures"]) == {"noisy", "clean", "mask", *audio_denoising.methods()}
    shapes = {p["pixels"].shape for p in result["pictures"].values()}
    assert shapes == {(BINS, frames_for(len(mix.noisy)))}  # one time axis


def test_without_a_clean_recording_there_is_an_estimate():
    noisy = add_noise(sample(), NoiseSettings(noise="gaussian", snr=5.0)).noisy
    row = measures("noisy", noisy, audio_denoising.Mixture(noisy, None, 16_000))
    assert set(row) == {"method", "snr_estimate"} and row["snr_estimate"] == pytest.approx(5, abs=2)


def test_methods_that_are_not_there_are_not_offered(monkeypatch):
    monkeypatch.setattr(classical, "has_noisereduce", lambda: False)
    assert "noisereduce" not in audio_denoising.methods()
    with pytest.raises(SettingError, match="magic"):
        clean("magic", np.ones((100, 1), np.float32), 16_000)


@pytest.mark.parametrize("mel", [False, True])
def test_a_picture_shows_a_tone_where_it_is(tone, mel, monkeypatch):
    monkeypatch.setattr(audio_pictures, "COLUMNS", 200)
    drawn = picture(np.tile(tone, 10), 22_050, mel=mel)
    assert drawn["pixels"].shape == (len(drawn["hertz"]), 200) and drawn["pixels"].dtype == np.uint8
    row = int(drawn["pixels"][:, 5:-5].mean(1).argmax())
    assert drawn["hertz"][row] == pytest.approx(440, abs=40)
    assert drawn["seconds"] == pytest.approx(10) and drawn["envelope"].shape == (200, 2)
    assert drawn["envelope"][10] == pytest.approx([-0.3, 0.3], abs=0.01)


def test_a_full_scale_tone_is_about_0_db():
    loud = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)
    drawn = picture(loud, 16_000)
    assert drawn["high_db"] < 0 and drawn["pixels"].max() == 255
    soft = picture(loud * 10 ** (-50 / 20), 16_000)
    decibels = soft["low_db"] + soft["pixels"].max() / 255 * (soft["high_db"] - soft["low_db"])
    assert decibels == pytest.approx(-50, abs=5)  # a square-root Hann window spreads a tone over some bins


def test_the_mask_opens_for_the_voice():
    mix = add_noise(sample(), NoiseSettings())
    mask = gain_picture(mix.noisy[:, 0], 16_000)["pixels"]
    voice = picture(mix.clean[:, 0], 16_000)["pixels"]
    loud, quiet = voice > np.quantile(voice, 0.95), voice < np.quantile(voice, 0.5)
    assert mask[loud].mean() > mask[quiet].mean() + 80


# ---------------------------------------------------------------------- tuning
def test_tuning_reports_draws_and_helps():
    seen, result = finished(audio_tuning.tune(sample(), NoiseSettings(noise="vacuum"), steps=16))
    assert [p["step"] for p in seen] == [8, 16] and seen[-1]["progress"] == 1
    assert seen[0]["picture"]["pixels"].shape[0] == BINS
    assert set(result["before"]) == set(result["after"]) == {"clip", "phrase"}
    assert result["after"]["clip"] > result["before"]["clip"]
    tuned = clean("tuned", sample().samples, 16_000, result["denoiser"])
    assert tuned.shape == sample().samples.shape and "tuned to" in result["denoiser"]["card"]


def test_a_tuning_that_is_stopped_gives_what_it_has():
    steps = audio_tuning.tune(sample(), NoiseSettings(noise="vacuum"), steps=32)
    next(steps)
    with pytest.raises(StopIteration) as end:
        steps.throw(Cancelled())
    result = end.value.value
    assert len(result["losses"]) == 1 and set(result["before"]) == set(result["after"]) == {"clip", "phrase"}
    assert clean("tuned", sample().samples, 16_000, result["denoiser"]).shape == sample().samples.shape


def test_a_recording_is_left_where_it_was_read(tone):
    _, held = finished(audio_denoising.hold("a.wav", encoded(tone, 22_050)))
    assert isinstance(held, Held) and held.value.sample_rate == 22_050
    assert held.summary["notes"] == list(held.value.notes)


def test_a_visitors_clip_at_another_rate_is_tuned_to(tone):
    clip, own = Sound(np.stack([tone, tone], 1), 22_050), Sound(tone[:5000, None], 22_050)
    _, result = finished(audio_tuning.tune(clip, NoiseSettings(noise="own"), own, scratch=True, steps=8))
    assert set(result["after"]) == {"clip"} and len(result["losses"]) == 1


def test_ones_own_noise_is_split_for_the_test_and_none_is_refused(tone):
    own = Sound(np.concatenate([tone] * 6 + [0.5 * np.sign(tone)] * 2)[:, None], 22_050)
    makers, fresh = audio_tuning.sources(NoiseSettings(noise="own"), own)
    trained, tested = (make(8000, 16_000, np.random.default_rng(0)) for make in (makers[0], fresh))
    assert np.abs(trained).max() > 1.3 and np.abs(tested).max() < 1.3  # a sine and a square wave of the same rms
    with pytest.raises(SettingError, match="choose a noise"):
        audio_tuning.sources(NoiseSettings(noise="none"))
