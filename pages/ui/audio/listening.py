"""The stage: every version of the sound in the player, with spectrograms and the mask on its time axis."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aecore.concepts.audio_denoising.benchmark import blend_method
from aecore.figures.audio import mel_rows
from pages.ui.components.player import HIGHEST_RATE, MAX_BYTES, Heard, Role, Stage, Take, TimeMap, player
from pages.ui.frame.page import fragment
from pages.ui.inputs import controls

Tree = dict[str, Any]

KEY = "take"  # the player's, in the link
MEL = "mel"
AXES = {MEL: "as heard (mel)", "linear": "in even steps"}
STEP = 1.0  # s, of where a stretch of a long recording begins


@dataclass(frozen=True, eq=False)  # arrays do not compare to one truth
class AudioResult:
    """A bench, the fingerprint of the sound it is of, and what names it."""

    sound: str | None
    tree: Tree
    signature: object


class _Look(NamedTuple):
    label: str
    role: Role
    pinned: bool = False


NOISY, CLEAN, NETWORK = "noisy", "clean", "network"
LOOKS = {
    NOISY: _Look("Noisy", "input", pinned=True),
    NETWORK: _Look("Cleaned", "reconstruction"),
    CLEAN: _Look("Clean", "latent", pinned=True),
    "tuned": _Look("Tuned to it", "reconstruction"),
    "scratch": _Look("From scratch", "neutral"),
    "wiener": _Look("Wiener", "neutral"),
    "subtraction": _Look("Subtraction", "neutral"),
    "noisereduce": _Look("noisereduce", "neutral"),
}  # in the order of the keys 1..9

ABSENT = {
    "clean": "the clean version is known only where noise was added here",
    "tuned": "a network has to be tuned to this clip first, below the measures",
    "scratch": "a network has to be trained on this clip first, below the measures",
    "wiener": "it is left out for so long a recording",
    "subtraction": "it is left out for so long a recording",
    "noisereduce": "it is left out for so long a recording, or its package is not installed here",
}  # why a take that a link asks for may not be there


@fragment
def listen(result: AudioResult, now: dict[str, Any]) -> None:
    """Player of a result and the controls that change only its view; ``now`` takes what is heard to the downloads."""
    tree = result.tree
    place = st.container()
    span = _stretch(tree)
    axis = controls.choice("Frequencies", "axis", AXES, default=MEL)
    name = (result.signature, axis, span)
    if now.get("stage-of") != name:
        now |= {"stage-of": name, "stage": stage_of(tree, axis == MEL, span)}
    with place:
        now["heard"] = player(now["stage"], key=KEY, default=NETWORK, absent=ABSENT)


def waves(tree: Tree) -> dict[str, NDArray[Any]]:
    """Every version [T, C] of the sound by name, in the order of the keys."""
    found = {NOISY: tree[NOISY], CLEAN: tree.get(CLEAN), **tree["cleaned"]}
    return {name: found[name] for name in LOOKS if found.get(name) is not None}


def chosen_wave(tree: Tree, heard: Heard) -> NDArray[np.float32]:
    """The take that is heard, or what the network made, at the strength that was set; whole, [T, C]."""
    return blend_method(tree, heard.take if heard.take in tree["cleaned"] else NETWORK, heard.strength / 100)


def shown_seconds(tree: Tree) -> float:
    """How much of a recording the player takes at once."""
    rate, versions = tree["sample_rate"], waves(tree)
    halvings = max(0, int(np.ceil(np.log2(rate / HIGHEST_RATE))))
    channels = 2 if tree[NOISY].shape[1] == 2 else 1
    return float(MAX_BYTES / (2 * channels * len(versions) * rate / 2**halvings))


def stage_of(tree: Tree, mel: bool, span: tuple[float, float]) -> Stage:
    """Takes of a result between two times in seconds; more than two channels are heard as their mean."""
    rate, pictures = tree["sample_rate"], tree["pictures"]
    first, last = (round(t * rate) for t in span)
    hertz = pictures[NOISY]["hertz"]
    rows, frequencies = mel_rows(hertz) if mel else (np.arange(len(hertz)), np.asarray(hertz, float))
    length = pictures[NOISY]["pixels"].shape[1]
    whole = len(tree[NOISY]) / rate
    columns = slice(int(length * span[0] / whole), max(1, round(length * span[1] / whole)))

    def pixels(name: str) -> NDArray[np.uint8]:
        return np.ascontiguousarray(pictures[name]["pixels"][rows, columns])

    cut, rate = _playable({name: wave[first:last] for name, wave in waves(tree).items()}, rate)
    takes = [
        Take(
            name=name, label=LOOKS[name].label, samples=samples, spectrogram=pixels(name), role=LOOKS[name].role,
            pinned=LOOKS[name].pinned, wet=name not in (NOISY, CLEAN),
        )
        for name, samples in cut.items()
    ]  # fmt: skip
    kept = pictures["mask"]["pixels"].mean() / 255
    mask = TimeMap(label="The network's mask", values=pixels("mask"), words=f"it lets {kept:.0%} through on average")
    return Stage(
        label="Versions of the sound", takes=takes, sample_rate=rate, frequencies=frequencies, maps=[mask], dry=NOISY,
        decibels=(pictures[NOISY]["low_db"], pictures[NOISY]["high_db"]),
    )  # fmt: skip


def _playable(cut: dict[str, NDArray[np.int16]], rate: int) -> tuple[dict[str, NDArray[np.int16]], int]:
    """Samples at a rate that browsers play, in one or two channels."""
    while rate > HIGHEST_RATE:  # for listening only; neighbours are averaged
        even = len(next(iter(cut.values()))) // 2 * 2
        cut = {name: (wave[0:even:2].astype(np.int32) + wave[1:even:2]) // 2 for name, wave in cut.items()}
        rate //= 2
    played = {name: wave if wave.shape[1] == 2 else wave.mean(1) for name, wave in cut.items()}
    return {name: wave.astype(np.int16) for name, wave in played.items()}, rate


def _stretch(tree: Tree) -> tuple[float, float]:
    """From when to when, in seconds; a control where the recording does not fit the player as a whole."""
    whole, most = len(tree[NOISY]) / tree["sample_rate"], shown_seconds(tree)
    if whole <= most:
        return 0.0, whole
    latest = float(np.ceil(whole - most))
    start = controls.slider(
        f"Listen from, s (the player takes {most:.0f} s at a time; the files hold all {whole:.0f} s)", "from",
        low=0.0, high=latest, default=0.0, step=STEP,
    )  # fmt: skip
    return start, min(whole, start + most)
