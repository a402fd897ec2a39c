"""Denoising: a noisy current or link voltage, cleaned by a network and by filters that were tuned for the task."""

from typing import Any

import numpy as np
import streamlit as st

from aecore import export
from aecore.concepts.applications import denoising as core
from aecore.concepts.applications.denoising import NETWORK, Cleaners, Denoiser, NoisyRecord, NoisyScene
from pages.ui.applications.section import (
    Application,
    OwnFile,
    OwnTraining,
    TrainingControl,
    draw_notes,
    figure,
    list_values,
    own_network,
)
from pages.ui.components.plots import Axes, Curve, CurvePlot, Words, plots
from pages.ui.frame.downloads import Download, buttons
from pages.ui.inputs import controls

NAME = "denoising"
SIGNALS = {"current": "phase current", "link": "DC-link voltage"}
KINDS = {
    "white": "white noise", "ripple": "switching ripple", "quantisation": "quantisation", "bursts": "EMI bursts",
}  # fmt: skip
MODES = {"live": "as it comes", "afterwards": "afterwards"}
LEVELS = {str(level): f"{level} %" for level in core.LEVELS}
STROKES = {
    NETWORK: ("reconstruction", 2.4, (1, 0)), core.BUTTERWORTH: ("latent", 1.6, (6, 3)),
    core.SAVITZKY: ("anomaly", 1.6, (2, 2)),
}  # fmt: skip

TRAINING = OwnTraining(
    key="den_network", task=core.train, scene=("den_signal",),
    controls=(
        TrainingControl("Numbers in the code", "den_code", 32, low=2, high=64, step=2),
        TrainingControl("Epochs", "den_epochs", 20, low=5, high=60, step=5),
    ),
)  # fmt: skip

load_pretrained = st.cache_resource(show_spinner=False)(core.load_pretrained)


def declare() -> Application:
    return Application(
        title="Denoising",
        show=show,
        scene=("den_signal", "den_kind", "den_level", "den_mode", "den_draw"),
        prompts={
            "EMI bursts on the link": {"den_signal": "link", "den_kind": "bursts", "den_level": "20"},
            "A filter's lag against none": {
                "den_signal": "current", "den_kind": "white", "den_level": "10", "den_mode": "live",
            },
            "Hardly any noise": {"den_kind": "quantisation", "den_level": "1"},
        },
        tables=("live", "afterwards", "delay", "levels"),
        own=OwnFile(
            title="Your own currents", label="Currents, a column each", key="den_file", task=core.clean_own,
            show=draw_own,
        ),
        onwards=("audio_denoising",),
    )  # fmt: skip


@figure
def show(_own: Any) -> None:
    """Draw controls and figure: what is simulated, disturbed and cleaned again."""
    left, right = st.columns([1, 2], gap="large")
    with left:
        signal: core.SignalName = controls.choice("Signal", "den_signal", SIGNALS, default="current")  # type: ignore[assignment]
        kind: Any = controls.select("Disturbance", "den_kind", KINDS, default="white")
        level = int(controls.choice("Its rms, % of the rated current, or of 20 V", "den_level", LEVELS,
                                    default="5"))  # fmt: skip
        mode: core.Mode = controls.choice("Judged", "den_mode", MODES, default="live")  # type: ignore[assignment]
        draw = int(controls.slider("Draw", "den_draw", low=0, high=99, default=0, step=1))
        network = own_network(NAME, TRAINING, signal)
    cleaners = load_pretrained()
    if network.trained is not None:
        own_one = Denoiser.from_tree(network.trained)
        cleaners = cleaners._replace(networks={**cleaners.networks, signal: own_one})
    scene = NoisyScene(signal=signal, kind=kind, level=level, load=0.55, load_after=0.7, seed=draw)
    made = core.record(scene, seconds=0.015)
    outputs = core.clean(made, scene, mode, cleaners)
    with right:
        st.caption(network.words)
        draw_signals(made, outputs, core.UNITS[signal], list_gains(made, outputs, scene, mode, cleaners))


def draw_signals(made: NoisyRecord, outputs: dict[str, Any], unit: str, words: str) -> None:
    """Draw what was measured and what the network makes of it; below, the error of each contestant."""
    shown = core.MEASURED
    milliseconds = 1e3 * made.time[shown]
    signals = {
        "measured": Curve(made.noisy[shown], "input", 1.0),
        NETWORK: Curve(outputs[NETWORK][shown], "reconstruction", 2.6),
        "truth": Curve(made.clean[shown], "quiet", 1.4, (5, 4)),
    }
    errors = {name: Curve((out - made.clean)[shown], *STROKES[name]) for name, out in outputs.items()}
    plots(
        CurvePlot(
            alt="The signal as it was measured, as it truly is, and as the autoencoder cleans it",
            curves=signals, x=milliseconds, axes=Axes("ms", unit, 260),
        ),
        CurvePlot(
            alt="How far the autoencoder and both filters are off the truth, over time",
            curves=errors, x=milliseconds, axes=Axes("ms", f"off by, {unit}", 210),
        ),
        Words(lines=[words]),
        key="den_figures",
    )  # fmt: skip


def list_gains(
    made: NoisyRecord, outputs: dict[str, Any], scene: NoisyScene, mode: core.Mode, cleaners: Cleaners
) -> str:
    """Return the gain of every contestant on what is shown, and the filters' settings."""
    filters = cleaners.filters[scene.signal, mode, scene.kind, int(scene.level)]
    gains = {name: core.gain([made], [out]) for name, out in outputs.items()}
    settings = {name: tuned.words for name, tuned in filters.items()}
    return f"Signal-to-noise ratio gained on this draw: {list_values(gains, '+.1f', settings, unit=' dB')}."


def draw_own(_fingerprint: str, result: dict[str, Any]) -> None:
    """Draw a visitor's currents as the built-in network cleans them."""
    names = result["channels"]
    channel = names.index(controls.select("Channel", "den_channel", names, default=names[0]))
    rows = np.arange(min(len(result["measured"]), core.SHOWN))
    drawn = {
        "measured": Curve(result["measured"][rows, channel], "input", 1.0),
        "cleaned": Curve(result["afterwards"][rows, channel], "reconstruction", 2.4),
    }
    x, title = (rows / result["sample_rate"], "s") if result["sample_rate"] else (rows, "sample")
    alt = "Your channel as measured and as cleaned"
    plots(CurvePlot(alt=alt, curves=drawn, x=x, axes=Axes(title, "", 240)), key="den_own")
    draw_notes(result["notes"])
    buttons([Download("Cleaned currents", "cleaned.csv", lambda: export.csv(core.cleaned_table(result)))])
