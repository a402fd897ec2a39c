"""Measures of every method in a table and a chart, and files to take away."""

from typing import Any

import pandas as pd
import streamlit as st

from aecore import export, store
from aecore.figures import audio as figures
from pages.ui.audio.listening import LOOKS, NETWORK, NOISY, chosen_wave
from pages.ui.frame import narration
from pages.ui.frame.downloads import Download, take_it_with_you
from pages.ui.frame.theme import palette

Tree = dict[str, Any]

NAME = "audio_denoising"
PNG_HEIGHT = 240  # px
COLUMNS = {
    "method": st.column_config.TextColumn("method"),
    "si_sdr": st.column_config.NumberColumn("SI-SDR, dB", format="%.1f"),
    "gain": st.column_config.NumberColumn("gain, dB", format="%+.1f"),
    "stoi": st.column_config.NumberColumn("STOI", format="%.3f"),
    "pesq": st.column_config.NumberColumn("PESQ", format="%.2f"),
    "snr_estimate": st.column_config.NumberColumn("SNR, estimated, dB", format="%.1f"),
}


def show_measures(tree: Tree) -> None:
    """Show the measures of all methods, and each one's gain over the noisy sound."""
    table = measure_table(tree)
    left, right = st.columns([3, 2], gap="large")
    with left:
        shown = table.dropna(axis="columns", how="all")
        st.dataframe(shown, hide_index=True, width="stretch", column_config=COLUMNS)
        if "si_sdr" in table:
            narration.say(NAME, "measures")
        else:
            narration.say(NAME, "estimated")
    with right:
        rest = table.iloc[1:]
        title = "gain in SI-SDR, dB" if "si_sdr" in table else "gain in estimated SNR, dB"
        chart = figures.gains(rest["method"].tolist(), rest["gain"].tolist(), title, palette())
        st.altair_chart(chart, width="stretch", alt=verdict(table))
        st.caption(verdict(table))


def measure_table(tree: Tree) -> pd.DataFrame:
    """Rows: the noisy sound first, then each method; columns: method, the measures, gain over the noisy sound."""
    order = {name: i for i, name in enumerate(LOOKS)}
    table = pd.DataFrame(tree["measures"]).sort_values("method", key=lambda names: names.map(order))
    main = "si_sdr" if "si_sdr" in table else "snr_estimate"
    noisy = float(table.loc[table["method"] == NOISY, main].iloc[0])
    table.insert(table.columns.get_loc(main) + 1, "gain", table[main] - noisy)
    table["method"] = [LOOKS[name].label for name in table["method"]]
    return table.reset_index(drop=True)


def verdict(table: pd.DataFrame) -> str:
    """Say in a sentence which method gains most."""
    gains = table.iloc[1:].set_index("method")["gain"].astype(float)
    own = LOOKS[NETWORK].label
    others = gains.drop(own)
    lead = f"The network gains {gains[own]:+.1f} dB"
    if others.empty:
        return f"{lead}."
    relation = "less than" if others.max() > gains[own] else "the most; next comes"
    return f"{lead}, {relation} {others.idxmax()} with {others.max():+.1f} dB."


def offer_files(tree: Tree, now: dict[str, Any], model: Tree | None) -> None:
    """Offer the downloads, made when they are asked for, and the link."""
    rate = tree["sample_rate"]
    wave, binary = "audio/wav", "application/octet-stream"
    downloads = [
        Download("Cleaned WAV", "cleaned.wav", lambda: export.wav(chosen_wave(tree, now["heard"]), rate), wave),
        Download("Noisy WAV", "noisy.wav", lambda: export.wav(tree[NOISY], rate), wave),
        Download("Spectrograms", "spectrograms.zip", lambda: spectrograms(tree), "application/zip"),
        Download("Measures", "measures.csv", lambda: export.csv(measure_table(tree))),
    ]
    if model is not None:
        downloads.append(Download("Tuned model", "denoiser.safetensors", lambda: store.dumps(model), binary))
    take_it_with_you(downloads)
    narration.say(NAME, "files")


def spectrograms(tree: Tree) -> bytes:
    """Zip of one PNG a version and one of the mask, low frequencies at the bottom, on the dark theme's colours."""
    pictures = tree["pictures"]
    rows, _ = figures.mel_rows(pictures[NOISY]["hertz"])
    drawn = {
        f"{name}.png": figures.picture(each["pixels"][rows], "mask" if name == "mask" else "heat", dark=True,
                                       height=PNG_HEIGHT)
        for name, each in pictures.items()
    }  # fmt: skip
    return export.packed({name: export.png(pixels) for name, pixels in drawn.items()})
