"""Knobs: a decoder of flux maps under two to six sliders, running in the browser while they are dragged.

The weights travel once, apart from what is drawn. Where the knobs are left goes to Python and into the link as
``?key=0.5,-1.25,...``.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aecore.errors import DataError
from aecore.numerics.dense import DenseNetwork
from pages.ui.components import networks
from pages.ui.components.latent_pad import from_text, to_text
from pages.ui.components.modules import module, style
from pages.ui.components.placed import Placed
from pages.ui.figures.message import Packer
from pages.ui.frame.settings import Setting, Unfit

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
    name = networks.name_of(decoder)
    placed = Placed(_setting(key, machine), f"{key}:knobs", within=(machine.name, name))
    packer = Packer()
    scene = placed.message(list) | {
        "network": name, "span": SPAN, "shape": shape, "torque": torque, "machine": machine.name,
        "axes": [["i_d = -1", "0", "1, of rated current"]], "surfaces": [surface._asdict() for surface in surfaces],
        "truth": packer.exact(np.asarray(machine.truth, np.float32)),
    }  # fmt: skip
    with st.container(gap=None):
        result = _component(key=f"{key}:knobs", data=packer.message(scene), on_knobs_change=lambda: None)
        networks.send([decoder], key=f"{key}:networks")
    return placed.accept(result.get("knobs"), lambda answer: _read(answer, len(machine.code)))


def _code(machine: Machine) -> list[float]:
    """The machine's own place, within the knobs' reach and on their grid."""
    return [float(v) for v in np.clip(np.round(np.asarray(machine.code, float) / 0.05) * 0.05, -SPAN, SPAN).round(2)]


def _setting(key: str, machine: Machine) -> Setting[tuple[float, ...]]:
    count = len(machine.code)

    def read(texts: list[str]) -> tuple[float, ...]:
        found = from_text(texts[0], count) if len(texts) == 1 else None
        if found is None or max(map(abs, found)) > SPAN:
            raise Unfit(f"it takes {count} numbers within ±{SPAN:g}")
        return found

    own = tuple(_code(machine))
    return Setting(
        key=key, label="the latent dimensions", default=own, read=read, write=to_text,
        fit=lambda found: found if len(found) == count else own,
    )  # fmt: skip


def _read(answer: dict[str, Any], count: int) -> tuple[float, ...] | None:
    """Return the values in the browser's answer, if it is one."""
    match answer:
        case {"values": [*values]} if len(values) == count:
            if all(isinstance(v, int | float) and abs(v) <= SPAN for v in values):  # which no NaN is
                return tuple(round(float(v), 2) for v in values)
    return None
