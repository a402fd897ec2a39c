"""Knobs: a decoder of flux maps under two to six sliders, running in the browser while they are dragged.

The weights travel once, apart from what is drawn. Where the knobs are left goes to Python and into the link as
``?key=0.5,-1.25,...``.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aecore.concepts.dense import DenseNetwork
from aecore.errors import DataError
from pages.ui import link, networks
from pages.ui.latent_pad import from_text, to_text
from pages.ui.message import Packer
from pages.ui.modules import module, style

SPAN = 3.0  # of every knob: three standard deviations of the codes

_component = st.components.v2.component(
    "knobs",
    html='<div class="knobs"></div>',
    css=style("knobs/knobs.css"),
    js=module(
        "shared/message.js", "shared/shelf.js", "shared/decoder.js", "shared/inks.js", "shared/hand.js",
        "knobs/knobs.js",
    ),
)  # fmt: skip


class Surface(NamedTuple):
    """One map that is drawn: psi_d, psi_q or torque, its title and role, and the values of no ink and of full ink."""

    of: str
    title: str
    role: str
    low: float
    high: float


class Machine(NamedTuple):
    """The machine that the knobs are set to at first: its name, its true maps [2 * columns * rows] and its code."""

    name: str
    truth: NDArray[Any]
    code: NDArray[Any]


def knobs(
    decoder: DenseNetwork,
    machine: Machine,
    surfaces: Sequence[Surface],
    *,
    shape: tuple[int, int],
    torque: float,
    key: str,
) -> tuple[float, ...]:
    """Draw the knobs and their maps; returns where they were left.

    ``shape`` counts the points (i_d, i_q) of a map; ``torque`` is the factor in ``torque (psi_d i_q - psi_q i_d)``.
    """
    if decoder.outputs != 2 * shape[0] * shape[1] or len(machine.code) != decoder.inputs:
        raise DataError(
            f"A decoder from {decoder.inputs} to {decoder.outputs} numbers does not draw two maps of {shape} from "
            f"{len(machine.code)} knobs; give it those that it was trained with."
        )
    placed = _placed(key, machine, networks.name_of(decoder))
    packer = Packer()
    scene = placed | {
        "network": networks.name_of(decoder), "span": SPAN, "shape": shape, "torque": torque, "machine": machine.name,
        "axes": [["i_d = -1", "0", "1, of rated current"]], "surfaces": [surface._asdict() for surface in surfaces],
        "truth": packer.exact(np.asarray(machine.truth, np.float32)),
    }  # fmt: skip
    with st.container(gap=None):
        result = _component(key=f"{key}:knobs", data=packer.message(scene), on_knobs_change=lambda: None)
        networks.send([decoder], key=f"{key}:networks")
    left = _left(result.get("knobs"), placed)
    link.carry(key, None if left == tuple(_code(machine)) else to_text(left))
    return left


def _code(machine: Machine) -> list[float]:
    """The machine's own place, within the knobs' reach and on their grid."""
    return [float(v) for v in np.clip(np.round(np.asarray(machine.code, float) / 0.05) * 0.05, -SPAN, SPAN).round(2)]


def _placed(key: str, machine: Machine, network: str) -> dict[str, Any]:
    """Where the knobs were last put and the number of that placing; another machine or network places them anew."""
    of = [machine.name, network]
    placed: dict[str, Any] | None = st.session_state.get(f"{key}:placed")
    if placed is not None and placed["of"] == of and f"{key}:knobs" in st.session_state:
        return placed
    start = None
    if placed is None and key in st.query_params:
        asked = from_text(st.query_params[key], len(machine.code))
        if asked is None or max(map(abs, asked)) > SPAN:
            link.note(
                f"The link asks for {key} = {link.plain(st.query_params[key][:40])}, but it takes {len(machine.code)} "
                f"numbers within ±{SPAN:g}; showing the machine's own instead."
            )
        else:
            start = list(asked)
    placed = {"turn": placed["turn"] + 1 if placed else 1, "start": start or _code(machine), "of": of}
    st.session_state[f"{key}:placed"] = placed
    return placed


def _left(answer: Any, placed: dict[str, Any]) -> tuple[float, ...]:
    """Return the place in the browser's answer, if it is one and belongs to this placing of the knobs."""
    match answer:
        case {"turn": int(turn), "values": [*values]} if turn == placed["turn"] and len(values) == len(placed["start"]):
            if all(isinstance(v, int | float) and abs(v) <= SPAN for v in values):  # which no NaN is
                return tuple(round(float(v), 2) for v in values)
    return tuple(placed["start"])
