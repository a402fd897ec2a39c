"""Train the denoiser that ships: hours of mixes that no disk ever holds, in as many sittings as it takes."""

import os
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import torch

from aecore import store
from aecore.audio.denoiser import ASSET, SpeechDenoiser
from aecore.audio.mixing import Mixer
from aecore.audio.network import MaskNetwork
from aecore.audio.task import DenoisingTask
from aecore.data.datasets import speech
from aecore.training import fit

DATA = "AECORE_SPEECH"  # environment variable that names the folder of recordings
MINUTES = "AECORE_PRETRAIN_MINUTES"  # and how long one sitting may last

BATCH, MIXES = 8, 1024  # mixes a step, and an epoch: half a minute on one core
PHASES = (  # epochs at each learning rate; a second round from the middle rate on, as in Loshchilov & Hutter (2017)
    (10, 1e-3), (16, 5e-4), (9, 2e-4), (5, 6e-5),
    (20, 5e-4), (16, 2e-4), (8, 6e-5),
)  # fmt: skip
SEED = 0
SOURCES = (
    "Speech: LibriSpeech train-clean-100 (Panayotov et al., 2015), (c) 2014 Vassil Panayotov, CC BY 4.0; "
    "221 clips of 221 speakers.",
    "Noise, the first three quarters of each recording: exercise_bike and running_tap from Speech Commands "
    "(Warden, 2018), CC BY 4.0; vacuum cleaners, air conditioners, dishwashers and streets from the public repository "
    "Timgrau/Projektarbeit-1, partly its author's own, partly Freesound CC0.",
    "Noise made of random numbers, and babble of the training speakers: aecore.audio.noises.",
)


def pretrain() -> Generator[dict[str, Any], None, None]:
    """Train, or go on where the last sitting ended, and write the asset at the end.

    The recordings are looked for in the folder that ``$AECORE_SPEECH`` names. ``$AECORE_PRETRAIN_MINUTES`` ends a
    sitting early; the checkpoint stays, after every epoch, in the store's folder.
    """
    data = speech.training_set(Path(os.environ.get(DATA, "speech")))
    checkpoint = store.folder() / "denoiser-pretraining.safetensors"
    task = DenoisingTask(MaskNetwork(seed=SEED), Mixer(data.speech, data.noise, seed=SEED))
    first, state = _left_off(checkpoint)
    ends = time.monotonic() + 60 * float(os.environ.get(MINUTES, "inf"))
    total = sum(epochs for epochs, _ in PHASES)
    for phase, (epochs, rate) in list(enumerate(PHASES))[first:]:
        before = sum(done for done, _ in PHASES[:phase])
        for report in fit(task, torch.arange(MIXES), epochs=epochs, batch_size=BATCH, learning_rate=rate,
                          seed=SEED + phase, report_every=10, resume=state):  # fmt: skip
            yield {"progress": (before + report.progress * epochs) / total, "epoch": before + report.number,
                   "rate": rate, **report.losses}  # fmt: skip
            if report.finished:
                store.write(checkpoint, {"phase": phase, "state": report.checkpoint()})
                if time.monotonic() > ends and before + report.number < total:
                    return
        state = None
    _ship(task.averaged, data.hashes)
    checkpoint.unlink()


def _ship(network: MaskNetwork, hashes: dict[str, str]) -> None:
    card = {
        "trained on": list(SOURCES), "files": hashes,  # SHA-256 of each
        "settings": {"batch": BATCH, "mixes an epoch": MIXES, "phases": [list(p) for p in PHASES], "seed": SEED},
    }  # fmt: skip
    SpeechDenoiser(network, card=card).save(ASSET)


def _left_off(checkpoint: Path) -> tuple[int, dict[str, Any] | None]:
    """Phase that the last sitting was in, and what ``fit`` needs to go on."""
    if not checkpoint.exists():
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        return 0, None
    tree = store.read(checkpoint)
    return tree["phase"], tree["state"]
