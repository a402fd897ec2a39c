"""Audio denoising: a clip, a noise at a chosen SNR, the network and its peers on the mix, and tuning to the clip.

Samples are float32 [T, C] with full scale at 1. What takes seconds is a task for `aecore.jobs`: a visitor's sounds go
there with ``private=True``.
"""

from collections.abc import Generator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from aecore.data.readers import sounds
from aecore.data.readers.sounds import Sound
from aecore.errors import DataError, SettingError
from aecore.jobs import Held
from aecore.paths import SAMPLES

Array = NDArray[np.float32]
Tree = dict[str, Any]
Progress = dict[str, Any]
NoiseKind = Literal["gaussian", "fan", "vacuum", "hum", "babble", "own", "none"]

MAX_SECONDS = 180.0  # a page draws, measures and plays it in several versions; the command line takes any length
SHORTEST = 0.5  # s; less is no phrase
SNR_RANGE = (-10.0, 30.0)  # dB
HEADROOM = 0.98  # a mix that would clip is turned down to this peak, and its clean version with it


@dataclass(frozen=True, kw_only=True)
class NoiseSettings:
    """How a clip is made noisy: ``own`` is a recording of the visitor's, ``none`` leaves it as it is."""

    noise: NoiseKind = "fan"
    snr: float = 5.0  # dB, over the whole clip
    seed: int = 0

    def __post_init__(self) -> None:
        if self.noise not in get_args(NoiseKind):
            raise SettingError(f"noise must be one of {', '.join(get_args(NoiseKind))}, got {self.noise!r}.")
        if not SNR_RANGE[0] <= self.snr <= SNR_RANGE[1]:
            raise SettingError(f"snr must be in {SNR_RANGE[0]:g}..{SNR_RANGE[1]:g} dB, got {self.snr:g}.")
        if self.seed < 0:
            raise SettingError(f"seed must be 0 or more, got {self.seed}.")


class Mixture(NamedTuple):
    """A noisy recording, and the clean one in it at the same level where it is known; float32 [T, C]."""

    noisy: Array
    clean: Array | None
    sample_rate: int


# ---------------------------------------------------------------------- clip and noise
@lru_cache(maxsize=4)
def sample(name: str = "machine_learning_rocks") -> Sound:
    """Read a clip that ships; costs milliseconds."""
    return sounds.read(f"{name}.flac", (SAMPLES / f"{name}.flac").read_bytes())


def parse(name: str, data: bytes) -> Generator[Progress, None, Sound]:
    """Read a visitor's WAV, FLAC, Ogg or MP3; private, as all tasks that take a visitor's sound.

    Raises DataError where it is too long, too short, silent or no recording, in a sentence for the screen.
    """
    yield {"part": "Reading", "progress": 0.0}
    return check_length(name, sounds.read(name, data, max_seconds=MAX_SECONDS))


def hold(name: str, data: bytes) -> Generator[Progress, None, Held]:
    """Read a visitor's recording as `parse` does and leave it where it was read; its notes travel."""
    sound = yield from parse(name, data)
    return Held(summary={"notes": list(sound.notes)}, value=sound)


def check_length(name: str, sound: Sound) -> Sound:
    """Refuse what is too short to hold a phrase."""
    if sound.seconds < SHORTEST:
        raise DataError(f"{name} lasts {sound.seconds:.2f} s; record at least {SHORTEST:g} s of speech.")
    return sound


def add_noise(clip: Sound, mixing: NoiseSettings, own: Sound | None = None) -> Mixture:
    """Add a noise to a clip; ``own`` is the noise where ``mixing`` says so, looped where it is shorter.

    The same settings give the same mix to the sample.
    """
    from aecore.audio.mixing import mix_at_snr  # torch: seconds on the way to a page, none in a worker

    if mixing.noise == "none":
        return Mixture(clip.samples, None, clip.sample_rate)
    noise = _noise(len(clip.samples), clip.sample_rate, mixing, own)
    mono = clip.samples.mean(1)
    if not np.any(mono):  # channels that cancel each other
        mono = clip.samples[:, 0]
    noisy = clip.samples + mix_at_snr(mono, noise, mixing.snr)[:, None]  # one noise in all channels
    gain = np.float32(min(1.0, HEADROOM / np.abs(noisy).max()))
    return Mixture(noisy * gain, clip.samples * gain, clip.sample_rate)


def _noise(count: int, sample_rate: int, mixing: NoiseSettings, own: Sound | None) -> Array:
    from aecore.audio import noises
    from aecore.audio.resampling import resample

    rng = np.random.default_rng(mixing.seed)
    if mixing.noise == "babble":
        voices = sample("voices")
        return noises.babble(
            count, sample_rate, rng, list(resample(voices.mono[None], voices.sample_rate, sample_rate))
        )
    if mixing.noise == "own":
        if own is None:
            raise SettingError("noise is 'own' and no recording of it was given; record or upload one.")
        take = resample(own.mono[None], own.sample_rate, sample_rate)[0]
        return noises.excerpt(take, count, sample_rate, rng)
    return noises.MACHINES[mixing.noise](count, sample_rate, rng)


# ---------------------------------------------------------------------- methods
METHODS = ("network", "wiener", "subtraction", "noisereduce")  # "tuned" and "scratch" join them after a training


def methods() -> tuple[str, ...]:
    """Methods that can be had here: noisereduce is an optional package."""
    from aecore.audio import classical

    return tuple(name for name in METHODS if name != "noisereduce" or classical.has_noisereduce())


def clean(method: str, noisy: Array, sample_rate: int, denoiser: Tree | None = None) -> Array:
    """Clean a recording [T, C] by one method; ``denoiser`` is the tree of a tuned network."""
    from aecore.audio import classical
    from aecore.audio.denoiser import SpeechDenoiser

    if method in ("network", "tuned", "scratch"):
        network = SpeechDenoiser.load() if denoiser is None else SpeechDenoiser.from_tree(denoiser)
        return network.denoise(noisy, sample_rate)
    peers: dict[str, classical.Denoise] = {
        "wiener": classical.wiener, "subtraction": classical.spectral_subtraction, "noisereduce": classical.noisereduce,
    }  # fmt: skip
    if method not in peers:
        raise SettingError(f"method must be one of {', '.join(METHODS)}, got {method!r}.")
    return np.stack([peers[method](channel, sample_rate) for channel in noisy.T], 1)


def blend(noisy: Array, cleaned: Array, strength: float) -> Array:
    """Dry and wet: 0 is the noisy sound, 1 the cleaned one."""
    return noisy + np.float32(strength) * (cleaned - noisy)


def measures(method: str, estimate: Array, mixture: Mixture) -> Tree:
    """One row of the table: {method, si_sdr, stoi, pesq}; {method, snr_estimate} where no clean recording is known.

    Channels are judged by their mean. A measure whose package is absent, or that finds no speech, is None.
    """
    from aecore.audio import measures as measured

    mono = estimate.mean(1)
    if mixture.clean is None:
        return {"method": method, "snr_estimate": measured.estimated_snr(mono, mixture.sample_rate)}
    return {"method": method, **measured.quality(mono, mixture.clean.mean(1), mixture.sample_rate)._asdict()}


def pictures(mixture: Mixture, cleaned: dict[str, Array]) -> Tree:
    """Pictures of the mix, of what was cleaned and of the shipped network's mask."""
    from aecore.concepts.audio_denoising.spectrograms import gain_picture, picture

    waves: dict[str, Array] = {"noisy": mixture.noisy, **cleaned}
    if mixture.clean is not None:
        waves["clean"] = mixture.clean
    drawn = {name: picture(wave.mean(1), mixture.sample_rate) for name, wave in waves.items()}
    return drawn | {"mask": gain_picture(mixture.noisy.mean(1), mixture.sample_rate)}
