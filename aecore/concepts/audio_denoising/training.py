"""Training on the visitor's clip: the shipped network tuned to it, and a fresh one that memorises it."""

from collections.abc import Generator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aecore.audio import noises
from aecore.audio.classical import Denoise
from aecore.audio.denoiser import SpeechDenoiser
from aecore.audio.measures import si_sdr
from aecore.audio.mixing import mix_at_snr
from aecore.audio.resampling import resample
from aecore.audio.spectrum import SAMPLE_RATE
from aecore.audio.tuning import FRESH_RATE, STEPS, TUNING_RATE, fresh, tuning
from aecore.concepts.audio_denoising import NoiseSettings, Progress, Tree, sample
from aecore.concepts.audio_denoising.spectrograms import picture
from aecore.data.readers.sounds import Sound
from aecore.errors import SettingError
from aecore.jobs import Cancelled

SNRS = (0.0, 5.0, 10.0)  # dB, of the mixes that tell before from after
PHRASE = "another_phrase"  # by the voice of the sample, never trained on
REPEATS = 2  # noises at each level
HASTE_SECONDS = 10.0  # of sound that a cancelled training is measured on: it has seconds to end
SPLIT_FROM = 4.0  # s; of a noise recorded for so long the last quarter is kept for the test
OTHERS = 0.25  # share of other noises than the chosen one, so that the network does not unlearn them


def tune(
    clip: Sound,
    mixing: NoiseSettings,
    own: Sound | None = None,
    scratch: bool = False,
    steps: int = STEPS,
    seed: int = 0,
) -> Generator[Progress, None, Tree]:
    """Train on a clip with freshly mixed noise of the chosen kind; at most half a minute.

    Yields ``{part, progress, step, steps, loss, si_sdr, seconds, picture}``, the picture being the clip under one noise
    as it is cleaned so far.

    Parameters
    ----------
    own : the visitor's noise, where ``mixing.noise`` is "own".
    scratch : begin with a network that has learnt nothing.

    Returns
    -------
    ``{"denoiser": tree, "losses", "before", "after"}``; ``before`` and ``after`` hold the gains in dB of SI-SDR over
    noises that were not trained on, ``{"clip"}``, and ``{"clip", "phrase"}`` for the sample, of which another phrase by
    the same voice is known. A cancelled training returns the same of what there is, measured on less sound.
    """
    voice = resample(clip.mono[None], clip.sample_rate, SAMPLE_RATE)[0]
    makers, test_maker = sources(mixing, own)
    denoiser, start = fresh(seed) if scratch else SpeechDenoiser.load(), SpeechDenoiser.load()
    tests = {"clip": voice}
    if np.array_equal(clip.samples, sample().samples):
        tests["phrase"] = sample(PHRASE).mono
    repeats = REPEATS
    before = {name: gain(start.denoise, x, test_maker, seed + 1, repeats) for name, x in tests.items()}
    shown, losses = _mix(voice, test_maker, 5.0, seed + 2), []
    rate = FRESH_RATE if scratch else TUNING_RATE
    try:
        for report in tuning(denoiser, voice, makers=makers, steps=steps, rate=rate, seed=seed):
            losses.append(report.loss)
            yield report._asdict() | {
                "part": "Training from scratch" if scratch else "Tuning",
                "picture": picture(denoiser.denoise(shown, SAMPLE_RATE), SAMPLE_RATE),
            }
    except Cancelled:
        if not losses:
            raise
        denoiser.network.eval()
        tests = {name: x[: round(HASTE_SECONDS * SAMPLE_RATE)] for name, x in tests.items()}
        before = {name: gain(start.denoise, x, test_maker, seed + 1, repeats=1) for name, x in tests.items()}
        repeats = 1
    after = {name: gain(denoiser.denoise, x, test_maker, seed + 1, repeats) for name, x in tests.items()}
    denoiser.card = {**start.card, "tuned to": f"{clip.seconds:.1f} s of one voice and {mixing.noise} noise"}
    return {"denoiser": denoiser.to_tree(), "losses": losses, "before": before, "after": after}


def sources(mixing: NoiseSettings, own: Sound | None = None) -> tuple[list[noises.Maker], noises.Maker]:
    """Makers of noise for a training, most of them of the chosen kind, and one of fresh noise of that kind for a test.

    Raises SettingError where no noise is chosen: a recording that is noisy already teaches nobody what is voice in it.
    """
    training, test = _choose_makers(mixing, own)
    others: list[noises.Maker] = list(noises.MACHINES.values())
    return [training] * round(len(others) * (1 - OTHERS) / OTHERS) + others, test


def _choose_makers(mixing: NoiseSettings, own: Sound | None) -> tuple[noises.Maker, noises.Maker]:
    if mixing.noise == "none":
        raise SettingError("Training takes a clean clip and a noise to add, and none is chosen; choose a noise.")
    if mixing.noise == "own":
        if own is None:
            raise SettingError("noise is 'own' and no recording of it was given; record or upload one.")
        take = resample(own.mono[None], own.sample_rate, SAMPLE_RATE)[0]
        split = round(0.75 * len(take)) if len(take) > SPLIT_FROM * SAMPLE_RATE else 0
        return partial(_take_excerpt, take[:split] if split else take), partial(_take_excerpt, take[split:])
    maker: noises.Maker = noises.MACHINES.get(mixing.noise) or partial(noises.babble, voices=[sample("voices").mono])
    return maker, maker


def gain(denoise: Denoise, voice: NDArray[np.float32], maker: noises.Maker, seed: int, repeats: int = REPEATS) -> float:
    """Mean SI-SDR gain in dB on a voice [T] at 16 kHz, over ``SNRS`` and fresh noises of one kind."""
    gains = []
    for snr in SNRS:
        for repeat in range(repeats):
            noisy = _mix(voice, maker, snr, seed * 1000 + repeat)
            gains.append(si_sdr(denoise(noisy, SAMPLE_RATE), voice) - si_sdr(noisy, voice))
    return float(np.mean(gains))


def _mix(voice: NDArray[np.float32], maker: noises.Maker, snr: float, seed: int) -> NDArray[np.float32]:
    noise = maker(len(voice), SAMPLE_RATE, np.random.default_rng(seed))
    return voice + mix_at_snr(voice, noise, snr)


def _take_excerpt(
    recording: NDArray[Any], count: int, sample_rate: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    return noises.excerpt(recording, count, sample_rate, rng)
