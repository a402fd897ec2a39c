"""Benchmark of one sound: noise added, every method applied, measured and drawn; the page shows it after each change.

A bench is a tree: ``{"sample_rate", "noisy": int16 [T, C], "clean": the same where it is known, "cleaned": {method:
int16 [T, C]}, "measures": rows, "pictures": pictures, "network_seconds", "notes"}``. 16 bits are what a file takes away
and what a browser plays.
"""

import time
from collections.abc import Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aecore import store
from aecore.concepts import audio_denoising as denoising
from aecore.concepts.audio_denoising import METHODS, Mixture, NoiseKind, NoiseSettings
from aecore.data.readers.sounds import Sound
from aecore.paths import MODELS

Tree = dict[str, Any]
Progress = dict[str, Any]

ASSET = MODELS / "audio.safetensors"
MEASURED_SECONDS = 20.0  # PESQ takes a tenth of the sound's length; a longer recording is judged by its middle
PEER_SECONDS = 60.0  # beyond, the classical methods are left out: they cost more than the network
WARM_UP = 1600  # samples
FULL = 32767


def sample_bench(mixing: NoiseSettings) -> Generator[Progress, None, Tree]:
    """Run `bench` on the built-in clip; public, so each setting is computed once."""
    return (yield from bench(denoising.sample(), mixing))


def bench(
    clip: Sound | None, mixing: NoiseSettings, own: Sound | None = None, models: dict[str, Tree] | None = None
) -> Generator[Progress, None, Tree]:
    """Add noise to a clip (None: the built-in one), clean it by every method and by ``models`` (name -> denoiser).

    A job's task; private where a sound or a model is the visitor's. Returns the measures and pictures too.
    """
    clip = denoising.sample() if clip is None else clip
    yield {"part": "Adding the noise", "progress": 0.0}
    mixture = denoising.add_noise(clip, mixing, own)
    methods, notes = denoising.methods(), list(clip.notes)
    if clip.seconds > PEER_SECONDS:
        methods = methods[:1]
        notes.append(f"Beyond {PEER_SECONDS:.0f} s only the network is run; the classical methods are left out.")
    if clip.seconds > MEASURED_SECONDS:
        notes.append(f"The measures are of the {MEASURED_SECONDS:.0f} s in the middle.")
    cleaned, seconds = yield from _clean_all(mixture, dict.fromkeys(methods) | (models or {}))
    notes.append(f"The network took {seconds:.2g} s for {clip.seconds:.3g} s of sound.")
    rows = yield from _measure_all(mixture, cleaned)
    yield {"part": "Drawing", "progress": 0.95}
    tree = {
        "sample_rate": mixture.sample_rate, "noisy": _sixteen_bits(mixture.noisy),
        "cleaned": {name: _sixteen_bits(wave) for name, wave in cleaned.items()}, "measures": rows,
        "pictures": denoising.pictures(mixture, cleaned), "network_seconds": seconds, "notes": notes,
    }  # fmt: skip
    return tree if mixture.clean is None else tree | {"clean": _sixteen_bits(mixture.clean)}


def _clean_all(
    mixture: Mixture, methods: dict[str, Tree | None]
) -> Generator[Progress, None, tuple[dict[str, NDArray[np.float32]], float]]:
    """Clean by each method (its denoiser's tree, or None for what ships); and how many seconds the network took."""
    noisy, rate, seconds = mixture.noisy, mixture.sample_rate, 0.0
    cleaned: dict[str, NDArray[np.float32]] = {}
    denoising.clean(METHODS[0], noisy[:WARM_UP], rate)  # the first call in a process loads, and is not timed
    for done, (name, model) in enumerate(methods.items()):
        yield {"part": f"Cleaning: {name}", "progress": 0.6 * done / len(methods)}
        began = time.perf_counter()
        cleaned[name] = denoising.clean(name, noisy, rate, model)
        if name == METHODS[0]:
            seconds = time.perf_counter() - began
    return cleaned, seconds


def _measure_all(mixture: Mixture, cleaned: dict[str, NDArray[np.float32]]) -> Generator[Progress, None, list[Tree]]:
    """Rows of the table of measures, the noisy sound's first."""
    rows = []
    for done, (name, wave) in enumerate([("noisy", mixture.noisy), *cleaned.items()]):
        yield {"part": f"Measuring: {name}", "progress": 0.6 + 0.3 * done / (len(cleaned) + 1)}
        rows.append(_measure_middle(name, wave, mixture))
    return rows


def tune_sample(noise: NoiseKind, scratch: bool) -> Generator[Progress, None, Tree]:
    """Tune to the clip that ships in noise of one kind; public. See `training.tune`."""
    return (yield from tune(denoising.sample(), NoiseSettings(noise=noise), None, scratch))


def tune(
    clip: Sound | None, mixing: NoiseSettings, own: Sound | None, scratch: bool
) -> Generator[Progress, None, Tree]:
    """Tune to a clip (None: the built-in one); see `training.tune`, which needs torch: fast in a worker alone."""
    from aecore.concepts.audio_denoising import training as audio_tuning

    return (yield from audio_tuning.tune(denoising.sample() if clip is None else clip, mixing, own, scratch))


def _measure_middle(name: str, wave: NDArray[np.float32], mixture: Mixture) -> Tree:
    length = round(MEASURED_SECONDS * mixture.sample_rate)
    first = max(0, (len(wave) - length) // 2)
    middle = slice(first, first + length)
    clean = None if mixture.clean is None else mixture.clean[middle]
    return denoising.measures(name, wave[middle], mixture._replace(noisy=mixture.noisy[middle], clean=clean))


def _sixteen_bits(wave: NDArray[np.float32]) -> NDArray[np.int16]:
    return np.rint(np.clip(wave, -1, 1) * FULL).astype(np.int16)


def blend_method(tree: Tree, method: str, strength: float) -> NDArray[np.float32]:
    """One method's result [T, C] at a strength of 0..1, full scale 1."""
    noisy, cleaned = (x.astype(np.float32) / FULL for x in (tree["noisy"], tree["cleaned"][method]))
    return denoising.blend(noisy, cleaned, strength)


# ---------------------------------------------------------------------- what ships
def load_pretrained(mixing: NoiseSettings) -> Tree | None:
    """Read the bench of the clip as the page opens; None for other settings."""
    if mixing == NoiseSettings():
        tree: Tree = store.read(ASSET)
        return tree
    return None


def pretrain() -> Generator[Progress, None, None]:
    """Compute what `load_pretrained` reads, with the built-in denoiser."""
    store.write(ASSET, (yield from sample_bench(NoiseSettings())))
