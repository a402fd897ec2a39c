"""``denoise`` as a command: the core's sound, in the same rate, channels and format, whole or not at all."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from aecore import __main__
from aecore.audio import SpeechDenoiser
from aecore.audio.mixing import mix_at_snr
from aecore.audio.noises import fan
from aecore.concepts.audio_denoising import sample

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def noisy():
    voice = sample().mono
    return 0.5 * (voice + mix_at_snr(voice, fan(len(voice), 16_000, np.random.default_rng(0)), 5))


def test_the_command_gives_what_the_core_gives(noisy, tmp_path):
    source, target = tmp_path / "in.wav", tmp_path / "out.wav"
    stereo = np.stack([noisy, noisy[::-1]], 1)
    soundfile.write(source, stereo, 16_000, subtype="FLOAT")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "aecore", "denoise", source, target, "--strength", "0.5"],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout == "" and "cleaned into" in done.stderr, done.stderr
    cleaned, rate = soundfile.read(target, dtype="float32")
    assert rate == 16_000 and soundfile.info(target).subtype == "FLOAT"
    np.testing.assert_allclose(cleaned, SpeechDenoiser.load().denoise(stereo, 16_000, strength=0.5), atol=1e-5)


@pytest.mark.parametrize(("ending", "atol"), [("wav", 1e-4), ("flac", 1e-4)])
def test_a_long_file_is_cleaned_piece_by_piece(noisy, tmp_path, monkeypatch, ending, atol):
    cuts = SpeechDenoiser.cuts
    monkeypatch.setattr(SpeechDenoiser, "cuts", lambda self, length, rate, piece=2.0: cuts(self, length, rate, piece))
    source, target = tmp_path / f"in.{ending}", tmp_path / f"out.{ending}"
    soundfile.write(source, noisy, 16_000)
    assert __main__.main(["denoise", str(source), str(target)]) == 0
    written = soundfile.read(source, dtype="float32")[0]
    np.testing.assert_allclose(
        soundfile.read(target, dtype="float32")[0], SpeechDenoiser.load().denoise(written, 16_000, piece=60), atol=atol
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"in.{ending}", f"out.{ending}"]


@pytest.mark.parametrize("ending", ["mp3", "ogg"])
def test_formats_that_lose_something_keep_rate_channels_and_about_the_length(noisy, tmp_path, ending):
    source, target = tmp_path / "in.wav", tmp_path / f"out.{ending}"
    soundfile.write(source, np.stack([noisy, noisy], 1), 16_000)
    assert __main__.main(["denoise", str(source), str(target)]) == 0
    info = soundfile.info(target)
    assert (info.samplerate, info.channels) == (16_000, 2) and abs(info.frames - len(noisy)) < 3000


@pytest.mark.parametrize(
    ("source", "target", "says"),
    [
        ("in.wav", "in.wav", "written over"),
        ("in.wav", "out.txt", ".wav, .flac"),
        ("in.wav", "nowhere/out.wav", "no folder"),
        ("none.wav", "out.wav", "cannot be opened"),
        ("text.wav", "out.wav", "cannot be opened"),
        ("nan.wav", "out.wav", "not finite"),
        ("torn.flac", "out.wav", "record or export it again"),
    ],
)
def test_what_cannot_be_done_is_said_and_leaves_nothing_behind(noisy, tmp_path, capsys, source, target, says):
    soundfile.write(tmp_path / "in.wav", noisy, 16_000)
    soundfile.write(tmp_path / "nan.wav", np.full(8000, np.nan), 16_000, subtype="FLOAT")
    soundfile.write(tmp_path / "torn.flac", noisy, 16_000)
    (tmp_path / "torn.flac").write_bytes((tmp_path / "torn.flac").read_bytes()[:20_000])
    (tmp_path / "text.wav").write_text("no recording")
    before = {path.name for path in tmp_path.iterdir()}
    assert __main__.main(["denoise", str(tmp_path / source), str(tmp_path / target)]) == 2
    assert says in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == before


def test_a_tuned_denoiser_may_be_taken_along(noisy, tmp_path):
    soundfile.write(tmp_path / "in.wav", noisy, 16_000)
    mine = SpeechDenoiser.load()
    mine.network.out.bias.data.fill_(-30.0)  # keeps nothing
    mine.save(tmp_path / "mine.safetensors")
    arguments = ["denoise", str(tmp_path / "in.wav"), str(tmp_path / "out.wav")]
    assert __main__.main([*arguments, "--denoiser", str(tmp_path / "mine.safetensors")]) == 0
    assert np.abs(soundfile.read(tmp_path / "out.wav")[0]).max() < 1e-3
    assert __main__.main([*arguments, "--strength", "2"]) == 2
