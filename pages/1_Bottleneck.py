"""Bottleneck: signals squeezed through k numbers by PCA and two autoencoders, every k under one handle."""

from typing import Any

import streamlit as st

from aecore import export
from aecore.concepts import bottleneck
from aecore.concepts.bottleneck.models import FittedPca
from aecore.concepts.bottleneck.recording import ChannelWindows
from aecore.concepts.bottleneck.signals import MAX_NOISE, MAX_SEED, FamilySettings
from pages.ui import bottleneck as ui
from pages.ui import training
from pages.ui.components.scrubber import scrubber
from pages.ui.frame import narration, private, settings
from pages.ui.frame.downloads import Download, take_it_with_you
from pages.ui.frame.page import fragment, frame, why
from pages.ui.inputs import controls
from pages.ui.training.work import Request

NAME, TRAINING, READING = "bottleneck", "bottleneck:train", "bottleneck:cut"
FAMILY, OWN = "family", "own"
SIGNALS = {FAMILY: "A family of sinusoids", OWN: "Your own recording"}
ALL = "all"
MACHINES = {"pca": bottleneck.PCA, "linear": bottleneck.LINEAR, "nonlinear": bottleneck.NONLINEAR}
SHOWN = {ALL: "Side by side", "pca": "PCA", "linear": "Linear", "nonlinear": "Nonlinear"}

load_shipped = st.cache_resource(show_spinner=False)(bottleneck.load_pretrained)


@st.cache_data(show_spinner=False, max_entries=200)
def sweep_family(drawing: FamilySettings, trained: bool, _weights: Any) -> bottleneck.SignalSweep:
    return bottleneck.sweep(drawing.signals(), 0, bottleneck.family_pca(drawing.complexity), _weights)


@private.cache(max_entries=8)
def fit_own_pca(name: Any, _recording: ChannelWindows) -> FittedPca:
    return bottleneck.fit_pca(_recording.learn)


@private.cache(max_entries=8)
def sweep_own(name: Any, seed: int, trained: bool, _recording: ChannelWindows, _weights: Any) -> bottleneck.SignalSweep:
    return bottleneck.sweep(_recording.test, _recording.choose_row(seed), fit_own_pca(name, _recording), _weights)


def next_signal() -> None:
    settings.put({"draw": (settings.current("draw", 0) + 1) % (MAX_SEED + 1)})


def another(label: str) -> int:
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        seed = controls.slider(label, "draw", low=0, high=MAX_SEED, default=0, step=1)
        st.button("Another signal", key="next_signal", on_click=next_signal, icon=":material/casino:")
    return int(seed)


def train_networks(request: Request) -> Any | None:
    """Return the networks that the visitor has trained for these signals, or None while there are none."""
    made = training.train(TRAINING, request, words=narration.text(NAME, "train"), mark="cut_trained")
    return None if made is None else made.value


def family() -> bottleneck.SignalSweep:
    left, middle, right = st.columns([2, 2, 3], gap="large")
    with left:
        complexity = int(controls.slider("Complexity, sinusoids", "complexity", low=1, high=40, default=5, step=1))
    with middle:
        noise = controls.slider("Noise, × the signal's rms", "hiss", low=0.0, high=MAX_NOISE, default=0.1, step=0.05)
    with right:
        seed = another("Seed of the test signals")
    request = Request(
        task=bottleneck.train_family, args=(complexity,), signature=("family", complexity), settings=("complexity",)
    )
    weights = load_shipped(complexity) or train_networks(request)
    return sweep_family(FamilySettings(complexity=complexity, noise=noise, seed=seed), weights is not None, weights)


def own(name: Any, recording: ChannelWindows) -> bottleneck.SignalSweep:
    seed = another("Which window, by seed")
    weights = train_networks(
        Request(task=bottleneck.train, args=(recording.learn,), signature=("own", *name), private=True)
    )
    return sweep_own(name, seed, weights is not None, recording, weights)


@fragment
def bench(now: dict[str, Any], brought: tuple[Any, ChannelWindows] | None) -> None:
    """Controls, the handle, and all that follows it; ``now`` takes what is shown to the downloads."""
    swept = own(*brought) if brought else family()
    chosen = controls.choice("Machines", "machines", SHOWN, default=ALL, labelled=False)
    panels, below = ui.panels(swept, MACHINES.get(chosen), brought[1].sample_rate if brought else None)
    k = scrubber(panels, label="k", key="waist", default=6, height=190, columns=4, below=below, autoplay=True)
    now |= {"swept": swept, "k": k}
    left, right = st.columns(2, gap="large")
    left.markdown(bottleneck.summary(swept, k))
    right.markdown(bottleneck.equivalence(swept, k))


with frame(NAME):
    ui.learn_ahead()
    source = controls.choice("Signals", "signals", SIGNALS, default=FAMILY, labelled=False)
    now: dict[str, Any] = st.session_state.setdefault("bottleneck:now", {})
    now.clear()
    brought = ui.own_recording(READING, narration.text(NAME, "own")) if source == OWN else None
    if source == FAMILY or brought:
        bench(now, brought)
    controls.try_this({
        "One tone, one number": {"signals": FAMILY, "complexity": 1, "waist": 1},
        "Twenty tones through six numbers": {"signals": FAMILY, "complexity": 20, "waist": 6},
        "Noise as loud as the signal": {"signals": FAMILY, "complexity": 3, "hiss": 1.0, "waist": 6},
    })  # fmt: skip
    left, right = st.columns(2, gap="large")
    with left:
        narration.say(NAME, "what-to-notice")
    with right:
        narration.say(NAME, "why-three")
    why(NAME)
    take_it_with_you([
        Download("Errors", "errors.csv", lambda: export.csv(bottleneck.error_table(now["swept"]))),
        Download("Signal", "signal.csv", lambda: export.csv(bottleneck.signal_table(now["swept"], now["k"]))),
    ] if now else [])  # fmt: skip
