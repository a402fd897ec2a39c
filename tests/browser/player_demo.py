"""A player to test and look at: a rising tone, alone, in noise and filtered; beside it what Python knows."""

import numpy as np
import streamlit as st

from pages.ui.components.player import Stage, Take, TimeMap, player
from pages.ui.frame import settings
from tests.components import shown_on

RATE, SECONDS, ROWS, HOP = 16_000, 3.0, 96, 128

st.set_page_config(layout="wide")


def spectrogram(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bytes [ROWS, N] over -80..0 dB and the frequency of each row."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(x, 256), 512)[::HOP]
    level = 20 * np.log10(np.abs(np.fft.rfft(frames * np.hanning(512), axis=1)).T / 128 + 1e-9)  # (257, N)
    mel = np.linspace(np.log1p(50 / 700), np.log1p(7600 / 700), ROWS)
    hertz = 700 * np.expm1(mel)
    drawn = level[np.rint(hertz / RATE * 512).astype(int)]
    return np.rint((np.clip(drawn, -80, 0) + 80) / 80 * 255).astype(np.uint8), hertz


@st.cache_data
def stage(seed: int) -> Stage:
    rng = np.random.default_rng(seed)
    t = np.arange(int(RATE * SECONDS)) / RATE
    clean = 0.5 * np.sin(2 * np.pi * (300 * t + 200 * t**2)) * (np.sin(2 * np.pi * 1.5 * t) > -0.3)
    noisy = clean + 0.1 * rng.standard_normal(len(t))
    sounds = {
        "noisy": noisy,
        "cleaned": clean + 0.01 * rng.standard_normal(len(t)),
        "clean": clean,
        "filter": 0.5 * noisy,
    }
    pictures = {name: spectrogram(x)[0] for name, x in sounds.items()}
    looks = {
        "noisy": ("input", True),
        "cleaned": ("reconstruction", False),
        "clean": ("latent", True),
        "filter": ("neutral", False),
    }
    takes = [
        Take(
            name=name, label=name.capitalize(), samples=np.rint(32767 * np.clip(x, -1, 1)).astype(np.int16),
            spectrogram=pictures[name], role=looks[name][0], pinned=looks[name][1], wet=name in ("cleaned", "filter"),
        )
        for name, x in sounds.items()
    ]  # fmt: skip
    mask = np.clip(pictures["cleaned"].astype(int) - pictures["noisy"] + 255, 0, 255).astype(np.uint8)
    return Stage(
        label="A rising tone", takes=takes, sample_rate=RATE, frequencies=spectrogram(clean)[1],
        maps=[TimeMap(label="Mask", values=mask, words="what is kept")], dry="noisy",
    )  # fmt: skip


runs = st.session_state["runs"] = st.session_state.get("runs", 0) + 1
with shown_on("audio_denoising"):
    heard = player(stage(st.session_state.get("seed", 0)), key="take", default="cleaned")
st.write(f"heard {heard.take}, {heard.strength} %, {'matched' if heard.matched else 'as they are'}, run {runs}")
st.button("other noise", on_click=lambda: st.session_state.update(seed=st.session_state.get("seed", 0) + 1))
st.button("half and half", on_click=settings.put, args=({"take": "filter", "take-strength": 50},))
