"""Parts of the Bottleneck page: the panels under its handle, the charts below, and the visitor's own recording."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aecore import jobs
from aecore.concepts.bottleneck import Sweep
from aecore.concepts.bottleneck_recording import Recording, cut
from aecore.figures import bottleneck as figures
from pages.ui import controls, link, live
from pages.ui.scrubber import Curves, Line, Panel
from pages.ui.theme import palette
from pages.ui.uploads import upload

LAYERS = 5  # input, hidden, code, hidden, output
FIBRES, SAMPLES = 9, 41
Array = NDArray[np.float32]


class View(NamedTuple):
    """The signal on screen and its frames, there at once, and a way to the rest, which takes tens of milliseconds."""

    shown: Array
    frames: dict[str, Array]
    sweep: Callable[[], Sweep]


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


def charts(swept: Sweep, k: int, machine: str, sample_rate: float | None) -> None:
    """Error against k, and one machine's spectrum and waveforms."""
    colours = palette()
    left, middle, right = st.columns(3, gap="large")
    with left:
        error = figures.error_against_size(swept.lost, swept.bound, k, colours)
        st.markdown("**Variance lost**, %")
        st.vega_lite_chart(None, error.whole, width="stretch", alt=figures.ERROR_WORDS)
    with middle:
        spectra = figures.spectra(swept.spectra(machine, k), sample_rate, colours)
        st.markdown(f"**Spectrum**, dB: {machine}")
        st.vega_lite_chart(None, spectra.whole, width="stretch", alt=figures.SPECTRA_WORDS)
    with right:
        name = "1 waveform" if k == 1 else f"{k} waveforms"
        st.markdown(f"**{name}**: {machine}")
        st.html(figures.waveforms(swept.machines[machine].waveforms(k), colours, f"The {name} of the {machine}"))


def own_recording(slot: str, words: str) -> tuple[Any, Recording] | None:
    """A name for the visitor's channel, and its windows once the file is read; ``words`` where there is no file."""
    left, right = st.columns([2, 1], gap="large")
    with left:
        file = upload("A recording", "clip", help=words)
    if file is None:
        st.markdown(words)
        return None
    wanted = st.session_state.get("channel") or st.query_params.get("channel")
    name = (file.fingerprint, wanted)

    def start() -> jobs.Job:
        return jobs.submit(cut, file.name, file.data, wanted, lane="short", private=True)

    recording: Recording | None = live.work(slot, name, start, lambda _: st.progress(0.0, "Reading …"))
    if recording is None:
        return None
    with right:
        controls.select("Channel", "channel", recording.channels, default=recording.channels[0])
        if recording.notes:
            with st.popover(f"What was done to the file ({len(recording.notes)})", width="stretch"):
                st.markdown("\n".join(f"- {link.plain(note)}" for note in recording.notes))
    return name, recording
