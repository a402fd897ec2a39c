"""Denoising: a spoilt current or link voltage, cleaned by a network and by filters that were tuned for the task."""

from typing import Any

import numpy as np
import streamlit as st

from aecore import export, jobs
from aecore.concepts.applications import denoising as core
from aecore.concepts.applications.denoising import NETWORK, Cleaners, Denoiser, Record, Scene
from aecore.concepts.applications.denoising_own import clean_own, own_table
from aecore.concepts.applications.denoising_training import train
from aecore.concepts.one_thread import one_thread
from pages.ui import controls, link, live, narration, on_request
from pages.ui.applications import shell
from pages.ui.applications.shell import Section
from pages.ui.downloads import Download, buttons
from pages.ui.page import in_words
from pages.ui.plots import Axes, Curve, Curves, Words, plots
from pages.ui.uploads import upload

NAME = "applications"
TRAINING, CLEANING = "applications:denoising", "applications:denoising:own"
SIGNALS: dict[str, core.Signal] = {"phase current": "current", "DC-link voltage": "link"}
KINDS: dict[str, Any] = {
    "white noise": "white", "switching ripple": "ripple", "quantisation": "quantisation", "EMI bursts": "bursts",
}  # fmt: skip
MODES: dict[str, core.Mode] = {"as it comes": "live", "afterwards": "afterwards"}
LEVELS = {f"{level} %": level for level in core.LEVELS}
OWN = "Your own currents"
STROKES = {
    NETWORK: ("reconstruction", 2.4, (1, 0)), core.BUTTERWORTH: ("latent", 1.6, (6, 3)),
    core.SAVITZKY: ("anomaly", 1.6, (2, 2)),
}  # fmt: skip

shipped = st.cache_resource(show_spinner=False)(core.shipped)


def section() -> Section:
    return Section(
        title="Denoising",
        hired=narration.text(NAME, "denoising-hired"),
        show=show,
        tables=("live", "afterwards", "delay", "levels"),
        verdict=narration.text(NAME, "denoising-verdict"),
        code=narration.text(NAME, "denoising-code"),
        why=narration.text(NAME, "denoising-why"),
        prompts={
            "EMI bursts on the link": {"den_signal": "DC-link voltage", "den_kind": "EMI bursts", "den_level": "20 %"},
            "A filter's lag against none": {"den_kind": "white noise", "den_level": "10 %", "den_mode": "as it comes"},
            "Hardly any noise": {"den_kind": "quantisation", "den_level": "1 %"},
        },
        onwards=("audio_denoising",),
    )


def show() -> None:
    on_request.run(TRAINING)
    bench()
    own()


@st.fragment
def bench() -> None:
    """Controls and figure: what is simulated, spoilt and cleaned again."""
    with in_words(), one_thread():
        left, right = st.columns([1, 2], gap="large")
        with left:
            signal = SIGNALS[controls.choice("Signal", "den_signal", list(SIGNALS), default="phase current")]
            kind = KINDS[controls.select("Disturbance", "den_kind", list(KINDS), default="white noise")]
            level = LEVELS[controls.choice("Its rms, % of the rated current, or of 20 V", "den_level", list(LEVELS),
                                           default="5 %")]  # fmt: skip
            mode = MODES[controls.choice("Judged", "den_mode", list(MODES), default="as it comes")]
            draw = int(controls.slider("Draw", "den_draw", low=0, high=99, default=0, step=1))
            cleaners = chosen_network(signal)
        scene = Scene(signal=signal, kind=kind, level=level, load=0.55, load_after=0.7, seed=draw)
        made = core.record(scene, seconds=0.015)
        outputs = core.cleaned(made, scene, mode, cleaners)
        with right:
            figures(made, outputs, core.UNITS[signal], in_numbers(made, outputs, scene, mode, cleaners))


def chosen_network(signal: core.Signal) -> Cleaners:
    """The networks that ship, one of them exchanged for what the visitor has trained."""
    with shell.training("Train it here", "den_network", "as it ships") as shown:
        if not shown:
            return shipped()
        which = controls.choice("Network", "den_network", ["as it ships", "trained here"], default="as it ships")
        code = int(controls.slider("Numbers in the code", "den_code", low=2, high=64, default=32, step=2))
        epochs = int(controls.slider("Epochs", "den_epochs", low=5, high=60, default=20, step=5))
        if which == "as it ships":
            return shipped()
        request = on_request.Request((signal, code, epochs), (train, signal, code, epochs))
        tree = on_request.result(TRAINING, request, narration.text(NAME, "denoising-train"))
    ships = shipped()
    return ships if tree is None else ships._replace(networks={**ships.networks, signal: Denoiser.from_tree(tree)})


def figures(made: Record, outputs: dict[str, Any], unit: str, words: str) -> None:
    """What was measured and what the network makes of it; below, what each contestant is off by."""
    shown = core.JUDGED
    milliseconds = 1e3 * made.time[shown]
    signals = {
        "measured": Curve(made.noisy[shown], "input", 1.0),
        NETWORK: Curve(outputs[NETWORK][shown], "reconstruction", 2.6),
        "truth": Curve(made.clean[shown], "quiet", 1.4, (5, 4)),
    }
    errors = {name: Curve((out - made.clean)[shown], *STROKES[name]) for name, out in outputs.items()}
    plots(
        Curves(
            alt="The signal as it was measured, as it truly is, and as the autoencoder cleans it",
            curves=signals, x=milliseconds, axes=Axes("ms", unit, 260),
        ),
        Curves(
            alt="How far the autoencoder and both filters are off the truth, over time",
            curves=errors, x=milliseconds, axes=Axes("ms", f"off by, {unit}", 210),
        ),
        Words(lines=[words]),
        key="den_figures",
    )  # fmt: skip


def in_numbers(made: Record, outputs: dict[str, Any], scene: Scene, mode: core.Mode, cleaners: Cleaners) -> str:
    """Gain of every contestant on what is shown, and the filters' settings."""
    filters = cleaners.filters[scene.signal, mode, scene.kind, int(scene.level)]
    gains = {name: core.gain([made], [out]) for name, out in outputs.items()}
    best = max(gains, key=lambda name: gains[name])
    parts = [
        f"{'**' if name == best else ''}{name} {value:+.1f} dB{'**' if name == best else ''}"
        + (f" ({filters[name].words})" if name in filters else "")
        for name, value in gains.items()
    ]
    return f"Signal-to-noise ratio gained on this draw: {', '.join(parts)}."


def own() -> None:
    """A visitor's currents, cleaned by the network that ships."""
    with st.expander(OWN, icon=":material/upload_file:"):
        file = upload("Currents, a column each", "den_file", help=narration.text(NAME, "denoising-upload"))
        if file is None:
            st.markdown(narration.text(NAME, "denoising-upload"))
            return
        task = (clean_own, file.name, file.data)
        result = live.work(
            CLEANING, file.fingerprint, lambda: jobs.submit(*task, lane="short", private=True), live.progress_bar,
            training=False,
        )  # fmt: skip
        if result is None:
            return
        channel = result["channels"].index(controls.select("Channel", "den_channel", result["channels"],
                                                           default=result["channels"][0]))  # fmt: skip
        rows = np.arange(min(len(result["measured"]), core.SHOWN))
        drawn = {
            "measured": Curve(result["measured"][rows, channel], "input", 1.0),
            "cleaned": Curve(result["afterwards"][rows, channel], "reconstruction", 2.4),
        }
        x, title = (rows / result["sample_rate"], "s") if result["sample_rate"] else (rows, "sample")
        alt = "Your channel as measured and as cleaned"
        plots(Curves(alt=alt, curves=drawn, x=x, axes=Axes(title, "", 240)), key="den_own")
        st.markdown("\n".join(f"- {link.plain(note)}" for note in result["notes"]))
        buttons([Download("Cleaned currents", "cleaned.csv", lambda: export.csv(own_table(result)))])
