"""The denoiser and what it is made of: transform, features, network, mixing, peers, measures."""

import hashlib
from functools import partial

import numpy as np
import pytest
import scipy.signal
import soundfile
import torch

from aecore.audio import classical, measures, noises, objective, pretraining
from aecore.audio.denoiser import SpeechDenoiser
from aecore.audio.features import FEATURES, SPAN, features, noise_floor
from aecore.audio.mixing import Mixer, MixRecipe, mix_at_snr
from aecore.audio.network import MaskNetwork
from aecore.audio.spectrum import BINS, HOP, WINDOW, frames_for, istft, stft
from aecore.audio.task import DenoisingTask, mix_losses
from aecore.concepts.audio_denoising import sample
from aecore.data.datasets import speech
from aecore.errors import DataError, SettingError, StoreError
from aecore.training import fit

RATE = 16_000


@pytest.fixture(scope="module")
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def voice():
    return sample().mono


@pytest.fixture(scope="module")
def small():
    """A denoiser with random weights, the same class as the shipped one but quick."""
    network = MaskNetwork(width=16, dilations=(1, 3), seed=1)
    with torch.no_grad():
        network.direct.normal_(generator=torch.Generator().manual_seed(0))  # zero in a fresh network
    return SpeechDenoiser(network, card={"made": "for a test"})


# ---------------------------------------------------------------------- transform
@pytest.mark.parametrize("length", [1, 255, 256, 257, 512, 5000, 40_960])
def test_the_transform_gives_back_what_went_in(length):
    x = torch.randn(2, length, generator=torch.Generator().manual_seed(length))
    spectrum = stft(x)
    assert spectrum.shape == (2, frames_for(length), BINS)
    torch.testing.assert_close(istft(spectrum, length), x, atol=1e-6, rtol=0)


def test_the_transform_is_scipys(rng):
    x = rng.standard_normal(4 * HOP).astype(np.float32)
    window = np.sqrt(scipy.signal.get_window("hann", WINDOW))
    theirs = scipy.signal.ShortTimeFFT(window, HOP, RATE, phase_shift=None).stft(x, p0=0, p1=5).T
    np.testing.assert_allclose(stft(torch.from_numpy(x)[None])[0].numpy(), theirs, atol=1e-4)


def test_the_inverse_is_the_transforms_adjoint(rng):
    """With half overlap and square-root windows the frame is tight: <stft x, Y> = <x, istft Y>, inner bins twice."""
    x = torch.from_numpy(rng.standard_normal(8 * HOP)).float()[None]
    y = stft(torch.from_numpy(rng.standard_normal(8 * HOP)).float()[None]) * torch.rand(1, 9, BINS)
    twice = torch.full((BINS,), 2.0)
    twice[[0, -1]] = 1
    inner = ((stft(x).conj() * y).real * twice).sum() / WINDOW
    assert inner.item() == pytest.approx((x * istft(y, 8 * HOP)).sum().item(), rel=1e-3)


# ---------------------------------------------------------------------- features
def test_features_do_not_know_the_level(rng):
    power = torch.from_numpy(rng.exponential(size=(1, 60, BINS))).float()
    torch.testing.assert_close(features(power), features(power * 100), atol=1e-4, rtol=0)
    assert features(power).shape == (1, 60, FEATURES)


def test_the_noise_floor_is_the_minimum_of_the_smoothed_power(rng):
    power = rng.exponential(size=(200, BINS)).astype(np.float32)
    floor = noise_floor(torch.from_numpy(power)[None])[0].numpy()
    smooth = np.stack([power[max(0, t - 2) : t + 3].mean(0) for t in range(200)])
    wanted = np.stack([smooth[max(0, t - SPAN // 2) : t + SPAN // 2].min(0) for t in range(200)])
    np.testing.assert_allclose(floor, wanted, rtol=1e-4)


def test_a_frame_depends_on_no_more_than_the_reach(small, rng):
    power = torch.from_numpy(rng.exponential(size=(1, 300, BINS))).float()
    network, at = small.network, 150
    power.requires_grad_()
    network(power)[0, at].sum().backward()
    touched = torch.nonzero(power.grad[0].abs().sum(-1)).ravel()
    assert at - network.reach <= touched.min() < touched.max() <= at + network.reach


# ---------------------------------------------------------------------- noises and mixing
@pytest.mark.parametrize("name", noises.MACHINES)
@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_every_machine_makes_noise_of_unit_power_anew(name, rate):
    make = noises.MACHINES[name]
    first, again, other = (make(10_007, rate, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert first.dtype == np.float32 and first.shape == (10_007,)
    assert np.sqrt(np.mean(first**2)) == pytest.approx(1, abs=0.02)
    np.testing.assert_array_equal(first, again)
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.6


def test_hum_lies_on_the_mains_harmonics():
    x = noises.hum(RATE, RATE, np.random.default_rng(3))
    power = np.abs(np.fft.rfft(x)) ** 2  # 1 Hz a bin
    peaks = np.argsort(power)[-3:]
    assert all(min(p % 50, -p % 50) <= 3 or min(p % 60, -p % 60) <= 3 for p in peaks)


def test_babble_needs_no_voice_as_long_as_itself(voice):
    x = noises.babble(3 * len(voice), RATE, np.random.default_rng(0), [voice])
    assert x.shape == (3 * len(voice),) and np.mean(x**2) == pytest.approx(1, abs=0.01)


def test_a_looped_noise_has_no_seam():
    ramp = np.sin(np.arange(4000) * 0.01).astype(np.float32)
    x = noises.excerpt(ramp, 20_000, RATE, np.random.default_rng(0))
    assert np.abs(np.diff(x)).max() < 2.2 * np.abs(np.diff(ramp)).max() / ramp.std()


@pytest.mark.parametrize("snr", [-5, 0, 12.5])
def test_the_mix_has_the_snr_asked_for(voice, snr):
    noise = mix_at_snr(voice, noises.fan(len(voice), RATE, np.random.default_rng(0)), snr)
    assert 10 * np.log10(np.sum(voice**2.0) / np.sum(noise**2.0)) == pytest.approx(snr, abs=0.01)


def test_mixes_are_fresh_and_repeatable(voice):
    recipe = MixRecipe(pool=4, snr=(3, 3), levels=(-10, -10))
    one, two = (Mixer([voice], [], recipe=recipe, length=8192).batch(4, np.random.default_rng(7)) for _ in range(2))
    torch.testing.assert_close(one.noisy, two.noisy)
    noise = one.noisy - one.clean
    snr = 10 * torch.log10(one.clean.square().sum(-1) / noise.square().sum(-1))
    torch.testing.assert_close(snr, torch.full((4,), 3.0), atol=0.01, rtol=0)
    level = 20 * torch.log10(one.clean.square().mean(-1).sqrt())
    torch.testing.assert_close(level, torch.full((4,), -30.0), atol=0.01, rtol=0)
    assert not torch.allclose(one.clean[0], one.clean[1])


@pytest.mark.parametrize("wrong", [{"snr": (5, 0)}, {"sources": (0, 0, 0)}, {"sources": (-1, 1, 1)}, {"pool": 1}])
def test_a_recipe_refuses_what_cannot_be_mixed(wrong):
    with pytest.raises(SettingError):
        MixRecipe(**wrong)


# ---------------------------------------------------------------------- objective and training
def test_the_two_si_sdrs_agree_with_the_definition(rng):
    s, noise = rng.standard_normal(2000), rng.standard_normal(2000)
    noise -= noise.mean() + (noise @ (s - s.mean())) / ((s - s.mean()) @ (s - s.mean())) * (s - s.mean())
    x = 3 * s + noise + 0.7
    s0 = 3 * (s - s.mean())
    wanted = 10 * np.log10((s0 @ s0) / (noise @ noise))
    assert measures.si_sdr(x, s) == pytest.approx(wanted, abs=1e-3)
    assert objective.si_sdr(torch.from_numpy(x), torch.from_numpy(s)).item() == pytest.approx(wanted, abs=1e-3)


def test_the_compressed_error_is_its_formula(rng):
    x, y = (rng.standard_normal((2, 3, 5)) + 1j * rng.standard_normal((2, 3, 5)) for _ in range(2))
    gains = rng.uniform(size=(2, 3, 5))
    squeezed = [np.abs(z) ** 0.3 * np.exp(1j * np.angle(z)) for z in (gains * x, y)]
    magnitude = (np.abs(gains * x) ** 0.3 - np.abs(y) ** 0.3) ** 2
    wanted = np.mean(magnitude + 0.3 * np.abs(squeezed[0] - squeezed[1]) ** 2)
    assert objective.compressed_error(*map(torch.from_numpy, (gains, x, y))).item() == pytest.approx(wanted)


def test_training_learns_and_its_epochs_differ(voice):
    task = DenoisingTask(
        MaskNetwork(width=24, dilations=(1, 2), seed=0), Mixer([voice], [], length=8192, recipe=MixRecipe(pool=8))
    )
    fixed = task.mixer.batch(16, np.random.default_rng(5))
    before = mix_losses(task.network, fixed)
    reports = list(fit(task, torch.arange(32), epochs=4, batch_size=8, learning_rate=3e-3, seed=0))
    after = mix_losses(task.network, fixed)
    assert after["total"] < 0.9 * before["total"] and after["si_sdr"] > before["si_sdr"] + 0.5
    assert len({report.losses["total"] for report in reports}) == 4


def test_a_mix_always_holds_speech():
    mostly_silent = np.concatenate([np.zeros(60_000, np.float32), np.ones(20_000, np.float32)])
    mix = Mixer([mostly_silent], [], recipe=MixRecipe(pool=4), length=8192).batch(16, np.random.default_rng(0))
    assert (mix.clean.abs().amax(-1) > 0).all()


# ---------------------------------------------------------------------- denoiser
@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 96_000])
@pytest.mark.parametrize("shape", ["mono", "5.1"])
def test_any_rate_and_channels_come_out_as_they_went_in(small, rng, rate, shape):
    x = rng.standard_normal((rate + 123,) if shape == "mono" else (rate + 123, 6)).astype(np.float32) * 0.1
    y = small.denoise(x, rate)
    assert y.shape == x.shape and y.dtype == np.float32 and np.isfinite(y).all()
    if shape == "5.1":
        np.testing.assert_allclose(y[:, 4], small.denoise(x[:, 4], rate), atol=1e-6)


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 44_100, 96_000])
def test_pieces_give_what_the_whole_gives(small, rng, rate):
    x = rng.standard_normal(round(7.3 * rate)).astype(np.float32) * 0.1
    whole = small.denoise(x, rate, piece=60)
    assert len(list(small.denoising(x, rate, piece=2))) >= 3
    np.testing.assert_allclose(small.denoise(x, rate, piece=2), whole, atol=2e-5)


def test_the_shipped_network_in_pieces_too(rng, voice):
    shipped = SpeechDenoiser.load()
    x = np.tile(voice, 2)[: RATE * 9] + 0.02 * rng.standard_normal(RATE * 9).astype(np.float32)
    np.testing.assert_allclose(shipped.denoise(x, RATE, piece=3), shipped.denoise(x, RATE), atol=1e-5)


@pytest.mark.parametrize("rate", [RATE, 48_000])
def test_a_network_that_lets_all_pass_changes_nothing(small, rng, rate):
    network = MaskNetwork(width=16, dilations=(1, 3), seed=1)
    torch.nn.init.constant_(network.out.bias, 40.0)
    x = rng.standard_normal(rate).astype(np.float32) * 0.1
    np.testing.assert_allclose(SpeechDenoiser(network).denoise(x, rate), x, atol=1e-4)


def test_strength_blends(small, rng):
    x = rng.standard_normal(RATE).astype(np.float32) * 0.1
    wet = small.denoise(x, RATE)
    np.testing.assert_array_equal(small.denoise(x, RATE, strength=0), x)
    np.testing.assert_allclose(small.denoise(x, RATE, strength=0.25), 0.75 * x + 0.25 * wet, atol=1e-6)


def test_loudness_does_not_matter(small, voice):
    noisy = voice + mix_at_snr(voice, noises.gaussian(len(voice), RATE, np.random.default_rng(0)), 20)
    np.testing.assert_allclose(small.denoise(noisy * 0.25, RATE), small.denoise(noisy, RATE) * 0.25, atol=2e-4)


def test_silence_stays_silent():
    assert not SpeechDenoiser.load().denoise(np.zeros(5000, np.float32), RATE).any()


@pytest.mark.parametrize(
    ("x", "rate", "error"),
    [
        (np.zeros(0, np.float32), RATE, DataError),
        (np.zeros((3, 4, 5), np.float32), RATE, DataError),
        (np.zeros(100, np.int16), RATE, DataError),
        ([0.0] * 100, RATE, DataError),
        (np.full(100, np.nan, np.float32), RATE, DataError),
        (np.zeros(100, np.float32), 0, SettingError),
        (np.zeros(100, np.float32), 16_000.5, SettingError),
        (np.zeros(100, np.float32), float("nan"), SettingError),
    ],
)
def test_what_is_no_recording_is_refused(small, x, rate, error):
    with pytest.raises(error):
        small.denoise(x, rate)


def test_a_saved_denoiser_is_the_same(small, tmp_path, voice):
    small.save(tmp_path / "d.safetensors")
    again = SpeechDenoiser.load(tmp_path / "d.safetensors")
    assert again.card == {"made": "for a test"}
    np.testing.assert_allclose(again.denoise(voice, RATE), small.denoise(voice, RATE), atol=2e-3)
    (tmp_path / "x.safetensors").write_bytes(b"no denoiser")
    with pytest.raises(StoreError):
        SpeechDenoiser.load(tmp_path / "x.safetensors")
    with pytest.raises(StoreError):
        SpeechDenoiser.from_tree({"weights": {}})


def test_what_ships_is_small_and_says_where_it_comes_from():
    from aecore.audio.denoiser import ASSET

    assert ASSET.stat().st_size <= 3_000_000
    card = SpeechDenoiser.load().card
    assert len(card["files"]) == 232 and all(len(digest) == 64 for digest in card["files"].values())
    assert not any("speech_val" in name for name in card["files"])


@pytest.mark.parametrize("make", [noises.fan, noises.vacuum, noises.gaussian])
def test_the_shipped_network_cleans_a_voice_it_never_heard(voice, make):
    clean = sample("another_phrase").mono
    noisy = clean + mix_at_snr(clean, make(len(clean), RATE, np.random.default_rng(11)), 5)
    gain = measures.si_sdr(SpeechDenoiser.load().denoise(noisy, RATE), clean) - measures.si_sdr(noisy, clean)
    assert gain > 4


# ---------------------------------------------------------------------- peers and measures
@pytest.mark.parametrize("method", [classical.wiener, classical.spectral_subtraction])
@pytest.mark.parametrize("rate", [RATE, 44_100])
def test_the_peers_remove_a_steady_noise(voice, method, rate):
    clean = np.repeat(voice, 3)[: 4 * rate] if rate > RATE else voice
    noisy = clean + mix_at_snr(clean, noises.gaussian(len(clean), rate, np.random.default_rng(0)), 5)
    estimate = method(noisy, rate)
    assert estimate.shape == noisy.shape and estimate.dtype == np.float32
    assert measures.si_sdr(estimate, clean) > measures.si_sdr(noisy, clean) + 2


def test_noisereduce_where_it_is_installed(voice):
    pytest.importorskip("noisereduce")
    noisy = voice + mix_at_snr(voice, noises.gaussian(len(voice), RATE, np.random.default_rng(0)), 5)
    assert classical.noisereduce(noisy, RATE).shape == noisy.shape


def test_a_peer_that_is_not_installed_says_so(voice, monkeypatch):
    monkeypatch.setattr(classical, "has_noisereduce", lambda: False)
    with pytest.raises(SettingError, match="not installed"):
        classical.noisereduce(voice, RATE)


def test_measures_rank_clean_above_noisy(voice):
    pytest.importorskip("pystoi")
    pytest.importorskip("pesq")
    noisy = voice + mix_at_snr(voice, noises.gaussian(len(voice), RATE, np.random.default_rng(0)), 5)
    worse, best = measures.quality(noisy, voice, RATE), measures.quality(voice, voice, RATE)
    assert worse.si_sdr == pytest.approx(5, abs=0.3)
    assert best.stoi == pytest.approx(1, abs=1e-3) and worse.stoi < 0.97
    assert best.pesq > 4.4 and worse.pesq < 2


def test_without_the_packages_there_is_still_a_measure(voice, monkeypatch):
    monkeypatch.setattr(measures, "has", lambda name: False)
    assert measures.quality(voice, voice, RATE)[1:] == (None, None)
    with pytest.raises(SettingError, match="pesq"):
        measures.pesq(voice, voice, RATE)


@pytest.mark.parametrize("snr", [0, 10, 20])
def test_the_estimated_snr_is_near_where_noise_is_steady(voice, snr):
    noisy = voice + mix_at_snr(voice, noises.gaussian(len(voice), RATE, np.random.default_rng(0)), snr)
    assert measures.estimated_snr(noisy, RATE) == pytest.approx(snr, abs=2)


# ---------------------------------------------------------------------- pretraining
@pytest.fixture
def recordings(tmp_path, voice):
    """A folder like that of the training recordings, with two clips and one noise."""
    for name, x in {"speech_train/a": voice, "speech_train/b": voice[::-1], "noise/hiss": 0.1 * voice}.items():
        path = tmp_path / f"{name}.flac"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, x, RATE)
    (tmp_path / "noise" / "kinds.json").write_text('{"from": 0.75, "kinds": {}}')
    return tmp_path


def test_only_the_training_part_of_a_noise_is_learnt_from(recordings, voice):
    data = speech.training_set(recordings)
    assert [len(x) for x in data.noise] == [int(0.75 * len(voice))] and len(data.speech) == 2
    clip = (recordings / "speech_train" / "a.flac").read_bytes()
    assert data.hashes["speech_train/a.flac"] == hashlib.sha256(clip).hexdigest()
    with pytest.raises(DataError, match="name the folder"):
        speech.training_set(recordings / "noise")


def test_pretraining_goes_on_where_it_was_interrupted(recordings, tmp_path, monkeypatch):
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("AECORE_SPEECH", str(recordings))
    monkeypatch.setenv("AECORE_PRETRAIN_MINUTES", "0")  # a sitting is one epoch then
    monkeypatch.setattr(pretraining, "ASSET", tmp_path / "denoiser.safetensors")
    monkeypatch.setattr(pretraining, "MaskNetwork", partial(MaskNetwork, width=8, dilations=(1,)))
    monkeypatch.setattr(pretraining, "Mixer", partial(Mixer, recipe=MixRecipe(pool=4), length=4096))
    monkeypatch.setattr(pretraining, "MIXES", 16)
    monkeypatch.setattr(pretraining, "PHASES", ((2, 1e-3), (1, 1e-4)))
    sittings = [[report["epoch"] for report in pretraining.pretrain()] for _ in range(2)]
    assert sittings == [[1], [2]] and not pretraining.ASSET.exists()
    assert [(report["epoch"], report["rate"]) for report in pretraining.pretrain()] == [(3, 1e-4)]
    card = SpeechDenoiser.load(pretraining.ASSET).card
    assert set(card["files"]) == {"speech_train/a.flac", "speech_train/b.flac", "noise/hiss.flac"}
    assert not list((tmp_path / "cache").iterdir())
