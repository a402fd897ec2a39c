"""The cloud: z = mu + sigma * eps with three handles, over the codes of a VAE, decoded in the browser as it moves."""

from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from pages.ui import latent_pad as pads
from pages.ui import link, networks
from pages.ui.latent_pad import Pad
from pages.ui.message import Packer
from pages.ui.modules import PLANE, module, style

LEAST, DECIMALS = 0.02, 2  # of a spread

_component = st.components.v2.component(
    "cloud",
    html='<div class="cloud"></div>',
    css=style("cloud/cloud.css"),
    js=module(*PLANE, "cloud/cloud.js"),
)


class Gaussian(NamedTuple):
    """Mean and spread of a code, each (x, y)."""

    mu: tuple[float, float]
    sigma: tuple[float, float]


def cloud(
    pad: Pad,
    eps: np.ndarray,
    *,
    key: str,
    span: float,
    default: Gaussian,
    shape: tuple[int, int] = (28, 28),
    shown: int = 12,
    height: int = 360,
) -> Gaussian:
    """Handles for mean and spread over a map; returns where they were left, which the link holds as ``?key=``.

    ``eps`` [N, 2] is the noise: the same at every place of the handles, so the cloud moves and does not flicker. The
    first ``shown`` codes are decoded beside the map.
    """
    packer = Packer()
    placed = _placed(key, span, default)
    scene = {
        "span": span, "shape": shape, "height": height, "shown": shown, "network": networks.name_of(pad.decoder),
        "plane": pads.described(pad, packer, span), "eps": packer.exact(np.asarray(eps, np.float32)),
    }  # fmt: skip
    with st.container(gap=None):
        result = _component(key=f"{key}:cloud", data=packer.message(scene | placed), on_position_change=lambda: None)
        networks.send([pad.decoder], key=f"{key}:networks")
    left = _left(result.get("position"), placed, span)
    st.session_state[f"{key}:rests"] = left
    link.carry(key, None if left == default else pads.to_text((*left.mu, *left.sigma)))
    return left


def move(key: str, to: Gaussian) -> None:
    """Put the handles of the cloud ``key`` somewhere, before or between its runs."""
    placed = st.session_state.get(f"{key}:handles", {"turn": 0})
    st.session_state[f"{key}:handles"] = {"turn": placed["turn"] + 1, "start": [*to.mu, *to.sigma]}
    st.session_state[f"{key}:rests"] = to


def _placed(key: str, span: float, default: Gaussian) -> dict[str, Any]:
    """Where the handles were last put and the number of that placing; a component new to the page is placed anew."""
    placed: dict[str, Any] | None = st.session_state.get(f"{key}:handles")
    if placed is not None and f"{key}:cloud" in st.session_state:
        return placed
    start = st.session_state.get(f"{key}:rests", default)
    if key in st.query_params:
        text = st.query_params[key]
        values = _within(pads.from_text(text, 4), span)
        start = values or default
        if values is None:
            link.note(
                f"The link asks for {key} = {link.plain(text[:40])}, but it takes a mean x,y within ±{span:g} and two "
                "positive spreads; showing the default instead."
            )
    placed = {"turn": placed["turn"] + 1 if placed else 1, "start": [*start.mu, *start.sigma]}
    st.session_state[f"{key}:handles"] = placed
    return placed


def _left(answer: Any, placed: dict[str, Any], span: float) -> Gaussian:
    match answer:
        case {"turn": int(turn), "at": [*values]} if turn == placed["turn"] and len(values) == 4:
            if all(isinstance(v, int | float) for v in values) and (left := _within(tuple(values), span)):
                return left
    x, y, sx, sy = placed["start"]
    return Gaussian((x, y), (sx, sy))


def _within(values: tuple[float, ...] | None, span: float) -> Gaussian | None:
    if values is None or max(map(abs, values)) > span or min(values[2:]) < LEAST:
        return None
    x, y, sx, sy = (round(float(value), DECIMALS) for value in values)
    return Gaussian((x, y), (sx, sy))
