"""Conditional VAE: a fault and an operating point are asked for, and what is generated is measured."""

from typing import Any

import numpy as np
import streamlit as st

from aecore.concepts.applications import conditional as core
from aecore.concepts.applications.conditional import SEVERITIES, TRACE_WORDS, TRACES, Shipped, Wanted
from aecore.concepts.applications.conditional.training import Training, train
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
from aecore.numerics.threads import one_thread
from pages.ui.applications import shell
from pages.ui.applications.shell import Application, ShownNetwork
from pages.ui.components.plots import Axes, Curve, Curves, Facts, plots
from pages.ui.frame.page import fragment
from pages.ui.inputs import controls
from pages.ui.training.work import Request

NAME = "conditional"
CLASSES: dict[str, Condition] = {
    "healthy": "healthy", "open_switch": "open switch", "inter_turn": "inter-turn short", "offset": "sensor offset",
    "gain": "sensor gain",
}  # fmt: skip
SHOWN = 5  # codes whose signals are drawn and measured

shipped = st.cache_resource(show_spinner=False)(core.shipped)


def section() -> Application:
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


@fragment
def show(_own: Any) -> None:
    """Draw class, speed and torque; from them signals, their measures and the class that a classifier gives them."""
    with one_thread():
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
        wanted = Wanted(condition=condition, speed_rpm=speed, load=torque / RATED_TORQUE)
        ships = shipped()
        network = own_network()
        model = ships.model if network.trained is None else core.model_from_tree(network.trained)
        st.caption(network.words)
        made = model.generate(wanted, core.codes(SHOWN, draw))
        true = core.truth(wanted, np.linspace(*SEVERITIES, SHOWN))
        _figures(made, true)
        _measured(wanted, made, true, ships)


def own_network() -> ShownNetwork:
    """Offer to train the model."""

    def request() -> Request:
        wanted = Training(epochs=int(controls.slider("Epochs", "con_epochs", low=10, high=60, default=60, step=10)))
        return Request(task=train, args=(wanted,), signature=wanted, settings=("con_epochs",))

    return shell.own_network(NAME, "con_model", request, keys=("con_epochs",), label="Model", wide=True)


def _figures(made: core.Array, true: core.Array) -> None:
    """Phases a and b of one generated signal over the simulator's; beside it phase a of several codes."""
    time = np.arange(LENGTH) * 1e3 * SECONDS / LENGTH
    nearest = int(np.square(true - made[:1]).mean((1, 2)).argmin())  # nobody knows its severity: the most alike
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
        plots(Curves(alt=alt, curves=drawn, x=time, axes=Axes("ms", "A", 280, (-top, top))), key="con_one")
    with right:
        alt = "Phase a of five codes under the same condition"
        axes = Axes("ms", "phase a, A", 280, (-top, top))
        plots(Curves(alt=alt, curves=several, x=time, axes=axes), key="con_several")


def _measured(wanted: Wanted, made: core.Array, true: core.Array, ships: Shipped) -> None:
    """What an engineer reads off the generated signals, beside what must be there."""
    found, must = measures(made), measures(true)
    right = (core.named(ships.classifier, made) == CONDITIONS.index(wanted.condition)).mean()
    told = (
        ("Frequency", f"{np.median(found.frequency):.1f} Hz", f"{wanted.frequency:.1f} Hz: pole pairs × speed"),
        ("Amplitude", f"{np.median(found.amplitude):.0f} A", f"{_span(must.amplitude)} A in the simulator"),
        (
            TRACE_WORDS[TRACES[wanted.condition]].capitalize(),
            f"{np.median(core.trace(wanted.condition, found)):.1f} A",
            f"{_span(core.trace(wanted.condition, must), 1)} A in the simulator",
        ),
        ("Named rightly", f"{right:.0%}", f"of {len(made)}, by a classifier of real windows"),
    )
    plots(Facts(facts=told), key="con_measured")


def _span(values: np.ndarray, decimals: int = 0) -> str:
    low, high = f"{values.min():.{decimals}f}", f"{values.max():.{decimals}f}"
    return low if low == high else f"{low} to {high}"
