"""Conditional VAE: a fault and an operating point are asked for, and what is generated is measured."""

from typing import Any

import numpy as np
import streamlit as st

from aecore.concepts.applications import conditional as core
from aecore.concepts.applications.conditional import (
    SEVERITIES,
    TRACE_WORDS,
    TRACES,
    PretrainedConditional,
    WantedSignal,
)
from aecore.data.simulators.drive_windows import (
    CONDITIONS,
    LENGTH,
    LOADS,
    RATED_TORQUE,
    SECONDS,
    SPEEDS,
    Condition,
    measures,
)
from pages.ui.applications.section import Application, OwnTraining, TrainingControl, figure, own_network
from pages.ui.components.plots import Axes, Curve, CurvePlot, Facts, plots
from pages.ui.inputs import controls

NAME = "conditional"
CLASSES: dict[str, Condition] = {
    "healthy": "healthy", "open_switch": "open switch", "inter_turn": "inter-turn short", "offset": "sensor offset",
    "gain": "sensor gain",
}  # fmt: skip
# Codes whose signals are drawn and measured.
SHOWN = 5
TRAINING = OwnTraining(
    key="con_model", task=core.train, args=lambda epochs: (core.ConditionalTraining(epochs=epochs),), label="Model",
    controls=(TrainingControl("Epochs", "con_epochs", 60, low=10, high=60, step=10),), wide=True,
)  # fmt: skip

load_pretrained = st.cache_resource(show_spinner=False)(core.load_pretrained)


def declare() -> Application:
    return Application(
        title="Conditional VAE",
        show=show,
        scene=("con_class", "con_speed", "con_torque", "con_draw"),
        prompts={
            "An open switch at low speed": {"con_class": "open_switch", "con_speed": 1_900.0, "con_torque": 60.0},
            "The same fault, twice as fast": {"con_class": "open_switch", "con_speed": 3_800.0, "con_torque": 60.0},
            "A fault that hardly shows": {"con_class": "inter_turn", "con_torque": 85.0},
        },
        tables=("within", "trace", "agreement"),
        onwards=("variants", "vae_morphing"),
    )


@figure
def show(_own: Any) -> None:
    """Draw class, speed and torque; from them signals, their measures and the class that a classifier gives them."""
    condition = CLASSES[controls.choice("Class", "con_class", CLASSES, default="open_switch")]
    left, middle, right = st.columns(3, gap="large")
    with left:
        speed = controls.slider("Speed, rpm", "con_speed", low=SPEEDS[0], high=SPEEDS[1], default=2_900.0,
                                step=20.0)  # fmt: skip
    with middle:
        torque = controls.slider("Torque, N m", "con_torque", low=LOADS[0] * RATED_TORQUE,
                                 high=LOADS[1] * RATED_TORQUE, default=54.0, step=1.0)  # fmt: skip
    with right:
        draw = int(controls.slider("Draw of the codes", "con_draw", low=0, high=99, default=0, step=1))
    wanted = WantedSignal(condition=condition, speed_rpm=speed, load=torque / RATED_TORQUE)
    ships = load_pretrained()
    network = own_network(NAME, TRAINING)
    model = ships.model if network.trained is None else core.model_from_tree(network.trained)
    st.caption(network.words)
    made = model.generate(wanted, core.draw_codes(SHOWN, draw))
    true = core.simulate_truth(wanted, np.linspace(*SEVERITIES, SHOWN))
    _draw_signals(made, true)
    _draw_measures(wanted, made, true, ships)


def _draw_signals(made: core.Array, true: core.Array) -> None:
    """Draw phases a and b of one generated signal over the simulator's; beside it phase a of several codes."""
    time = np.arange(LENGTH) * 1e3 * SECONDS / LENGTH
    nearest = int(np.square(true - made[:1]).mean((1, 2)).argmin())  # its severity is unknown: the most similar one
    top = 1.05 * max(float(np.abs(made).max()), float(np.abs(true).max()))
    drawn = {
        "phase a, generated": Curve(made[0, 0], "reconstruction", 2.8),
        "phase b, generated": Curve(made[0, 1], "reconstruction", 2.2, (6, 3)),
        "a, simulated": Curve(true[nearest, 0], "input", 1.0),
        "b, simulated": Curve(true[nearest, 1], "input", 1.0, (3, 2)),
    }
    several = {f"code {n + 1}": Curve(x[0], "latent", 1.5, (1 + 2 * n, n)) for n, x in enumerate(made)}
    left, right = st.columns(2, gap="large")
    with left:
        alt = "Two phase currents as generated, and as the simulator has them at the most similar severity"
        plots(CurvePlot(alt=alt, curves=drawn, x=time, axes=Axes("ms", "A", 280, (-top, top))), key="con_one")
    with right:
        alt = "Phase a of five codes under the same condition"
        axes = Axes("ms", "phase a, A", 280, (-top, top))
        plots(CurvePlot(alt=alt, curves=several, x=time, axes=axes), key="con_several")


def _draw_measures(wanted: WantedSignal, made: core.Array, true: core.Array, ships: PretrainedConditional) -> None:
    """Draw the measures of the generated signals, beside what they must be."""
    found, must = measures(made), measures(true)
    right = (core.classify(ships.classifier, made) == CONDITIONS.index(wanted.condition)).mean()
    facts = (
        ("Frequency", f"{np.median(found.frequency):.1f} Hz", f"{wanted.frequency:.1f} Hz: pole pairs × speed"),
        ("Amplitude", f"{np.median(found.amplitude):.0f} A", f"{_span(must.amplitude)} A in the simulator"),
        (
            TRACE_WORDS[TRACES[wanted.condition]].capitalize(),
            f"{np.median(core.measure_trace(wanted.condition, found)):.1f} A",
            f"{_span(core.measure_trace(wanted.condition, must), 1)} A in the simulator",
        ),
        ("Named rightly", f"{right:.0%}", f"of {len(made)}, by a classifier of real windows"),
    )
    plots(Facts(facts=facts), key="con_measured")


def _span(values: np.ndarray, decimals: int = 0) -> str:
    low, high = f"{values.min():.{decimals}f}", f"{values.max():.{decimals}f}"
    return low if low == high else f"{low} to {high}"
