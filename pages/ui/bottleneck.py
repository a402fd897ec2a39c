"""Parts of the Bottleneck page: the panels around its handle, and the visitor's own recording."""

import threading
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aecore.concepts import bottleneck
from aecore.concepts.bottleneck import FLOOR, LARGEST, SignalSweep
from aecore.concepts.bottleneck.recording import ChannelWindows, Contents, cut_windows, read
from aecore.data.datasets.signals import MAX_COMPLEXITY
from pages.ui.components.scrubber import Below, Curves, Line, Panel, PanelAxis, Role, Waves
from pages.ui.frame.page import PAINTED
from pages.ui.inputs import controls
from pages.ui.inputs.uploads import request_reading, show_notes, upload
from pages.ui.training import work

# role, width and dash of what each machine loses: the linear ones nearly coincide
LOSS_STROKES: tuple[tuple[Role, float, tuple[float, float]], ...] = (
    ("lost", 5.0, (0, 0)), ("reconstruction", 2.0, (5, 4)), ("reconstruction", 2.5, (0, 0)),
)  # fmt: skip
PAUSE = 0.05  # s between two families: visitors come first
LAYERS = 5  # input, hidden, code, hidden, output
FIBRES, SAMPLES = 9, 41
Array = NDArray[np.float32]


@st.cache_resource(show_spinner=False)
def learn_ahead() -> threading.Thread:
    """Once a server, after the page is drawn: fit PCA to every family, so that no complexity waits for it."""

    def learn() -> None:
        for complexity in range(1, MAX_COMPLEXITY + 1):
            bottleneck.family_pca(complexity)
            time.sleep(PAUSE)

    thread = threading.Timer(PAINTED, learn)
    thread.name, thread.daemon = "families", True
    thread.start()
    return thread


def panels(swept: SignalSweep, machine: str | None, sample_rate: float | None) -> tuple[list[Panel], Below]:
    """Arrange what stands over the handle and below it; ``machine`` is the one to show alone, where there is it."""
    shown = {machine: swept.frames[machine]} if machine in swept.frames else swept.frames
    first = next(iter(shown))
    above = [*machine_panels(swept.shown, shown), network_panel(len(swept.shown), LARGEST)]
    return above, Below([loss_panel(swept), spectra_panel(swept, first, sample_rate), wave_panel(swept, first)])


def machine_panels(shown: Array, frames: Mapping[str, Array]) -> list[Panel]:
    """Input [L] and reconstructions [K, L] of each machine, on one scale."""
    everything = np.concatenate([shown, *(f.ravel() for f in frames.values())])
    low, high = float(everything.min()), float(everything.max())
    room = 0.06 * (high - low) or 1.0
    variance = float(((shown - shown.mean()) ** 2).sum()) or 1.0
    return [
        Curves(
            title=name,
            lines=[Line(values=shown, role="input"), Line(values=f, role="reconstruction")],
            y_range=(low - room, high + room),
            captions=[f"{share:.1%} lost" for share in ((f - shown) ** 2).sum(1) / variance],
        )
        for name, f in frames.items()
    ]


def network_panel(widest: int, largest: int) -> Panel:
    """Draw fibres from ``widest`` numbers through k and back; logarithmic, so that 1 and 256 both can be seen."""
    k = np.arange(largest + 1)
    hidden = round((widest * largest) ** 0.5)
    sides = np.full_like(k, widest), np.full_like(k, hidden)
    layers = np.log1p(np.stack([*sides, k, *sides[::-1]], axis=1)) / np.log1p(widest)  # (K, 5)
    at = np.linspace(0, LAYERS - 1, SAMPLES)
    left = np.minimum(at.astype(int), LAYERS - 2)
    share = 0.5 - 0.5 * np.cos(np.pi * (at - left))  # flat at each layer
    width = layers[:, left] * (1 - share) + layers[:, left + 1] * share  # (K, SAMPLES)
    fibres = [Line(values=y * width, role="latent", label="network") for y in np.linspace(-1, 1, FIBRES)]
    captions = [f"{widest} → {n} → {widest}" for n in k]
    return Curves(title="The network", lines=fibres, y_range=(-1.05, 1.05), captions=captions)


def loss_panel(swept: SignalSweep) -> Panel:
    """Draw what each machine loses against k, and the least for linear ones."""
    strokes = zip(swept.lost.items(), LOSS_STROKES, strict=False)
    lines = [
        Line(values=100 * np.minimum(lost, 1), label=name.split()[0], role=role, width=width, dash=dash)
        for (name, lost), (role, width, dash) in strokes
    ]
    bound = Line(values=100 * swept.bound, label="linear bound", role="neutral", width=1.6, dash=(2, 3))
    # The root spreads out the small latent sizes, where things happen, and unlike a logarithm it has a place for 0.
    sizes = PanelAxis(low=0, high=LARGEST, title="k", ticks=[0, 1, 2, 4, 8, 16, 32, 64], root=True)
    axes = (sizes, PanelAxis(low=0, high=100))
    return Curves(title="Variance lost, %", lines=[*lines, bound], axes=axes, marked=True)


def spectra_panel(swept: SignalSweep, machine: str, sample_rate: float | None) -> Panel:
    """Draw spectra of the signal, of its reconstruction and of what was lost."""
    levels = swept.levels(machine)
    highest = sample_rate / 2 if sample_rate else float(len(levels["in"]) - 1)
    axes = (
        PanelAxis(low=0, high=highest, title="Hz" if sample_rate else "cycles a window"),
        PanelAxis(low=FLOOR, high=0),
    )
    lines = [
        Line(values=levels["in"], role="input", label="in"),
        Line(values=levels["out"], role="reconstruction", label="out", width=2.6),
        Line(values=levels["lost"], role="lost", label="lost", width=1.4),
    ]
    return Curves(title=f"Spectrum, dB: {machine}", lines=lines, axes=axes)


def wave_panel(swept: SignalSweep, machine: str) -> Panel:
    """Draw the waveforms behind the code."""
    rows = swept.machines[machine].waveforms()
    counts = ["1 number" if k == 1 else f"{k} numbers" for k in range(len(rows) + 1)]
    return Waves(title=f"Waveforms: {machine}", rows=rows, captions=counts)


def own_recording(
    slot: str, words: str, *, file_key: str = "clip", channel_key: str = "channel"
) -> tuple[Any, ChannelWindows] | None:
    """Return a name for the visitor's channel and its windows, once the file is read; ``words`` stand in for a file."""
    left, right = st.columns([2, 1], gap="large")
    with left:
        file = upload("A recording", file_key, help=words)
    if file is None:
        st.markdown(words)
        return None
    found = work.fetch_held(slot, request_reading(read, file), words="Reading the file")
    if found is None:
        return None
    contents: Contents = found.summary
    with right:
        channel = controls.select("Channel", channel_key, contents.channels, default=contents.channels[0])
        if contents.notes:
            show_notes(contents.notes)
    windows = work.Request(
        task=cut_windows, args=(found.value, channel), signature=(file.fingerprint, channel), lane="short",
        private=True, source=slot,
    )  # fmt: skip
    recording: ChannelWindows | None = work.fetch(f"{slot}:channel", windows, words="Cutting the channel into windows")
    return None if recording is None else ((file.fingerprint, channel), recording)
