"""Training on one clip, within half a minute: the network that ships, tuned to a voice, or a fresh one."""

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from aecore.audio import noises
from aecore.audio.denoiser import SpeechDenoiser
from aecore.audio.mixing import Mixer, MixRecipe
from aecore.audio.network import MaskNetwork
from aecore.audio.task import DenoisingTask
from aecore.errors import DataError
from aecore.training import fit

STEPS, BATCH = 96, 8  # about 25 s on one core
LONGEST = 28.0  # s; a slower machine stops here, with what it has learnt
EVERY = 8  # steps from one report to the next
TUNING_RATE, FRESH_RATE = 1e-3, 2e-3
# Less spread than the training that ships: it is this voice, at this microphone, that counts.
RECIPE = MixRecipe(
    speeds=(1.0,), snr=(-5.0, 15.0), levels=(-20.0, 5.0), coloured=0.25, reverberated=0.0, sources=(0.0, 1.0, 0.0),
    pool=64,
)  # fmt: skip


class TuningReport(NamedTuple):
    """Where a tuning stands; ``si_sdr`` in dB is of the cleaned mixes since the last report."""

    step: int
    steps: int
    loss: float
    si_sdr: float
    seconds: float
    progress: float


def tuning(
    denoiser: SpeechDenoiser,
    clip: NDArray[Any],
    *,
    makers: Sequence[noises.Maker],
    steps: int = STEPS,
    rate: float = TUNING_RATE,
    seed: int = 0,
) -> Iterator[TuningReport]:
    """Train a denoiser in place on a clip [T] at 16 kHz and freshly mixed noise; to cancel, stop iterating.

    Parameters
    ----------
    makers : of noise, each as likely as the others; a maker may as well cut pieces out of a recording.
    rate : step size of Adam.
    """
    if not np.any(clip):
        raise DataError("The clip is silent; there is no voice to tune to.")
    mixer = Mixer([clip], [], makers=makers, recipe=RECIPE, seed=seed)
    task, begun = DenoisingTask(denoiser.network, mixer), time.perf_counter()
    epochs = max(1, steps // EVERY)
    rows = torch.arange(EVERY * BATCH)
    for report in fit(task, rows, epochs=epochs, batch_size=BATCH, learning_rate=rate, seed=seed):
        seconds, done = time.perf_counter() - begun, report.number * EVERY
        losses = report.losses
        yield TuningReport(done, epochs * EVERY, losses["total"], losses["si_sdr"], seconds, report.progress)
        if seconds > LONGEST:
            break
    denoiser.network.eval()


def fresh(seed: int = 0) -> SpeechDenoiser:
    """Make a denoiser that has learnt nothing yet."""
    return SpeechDenoiser(MaskNetwork(seed=seed), card={"trained on": "nothing"})
