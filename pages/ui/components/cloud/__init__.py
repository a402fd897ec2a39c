"""The cloud: z = mu + sigma * eps with three handles, over the codes of a VAE, decoded in the browser as it moves."""

from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from pages.ui.components import latent_pad as pads
from pages.ui.components import networks
from pages.ui.components.latent_pad import Pad
from pages.ui.components.modules import PLANE, module, style
from pages.ui.components.placed import Placed
from pages.ui.figures.message import Packer
from pages.ui.frame.settings import Setting, Unfit

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
    within: object = None,
) -> Gaussian:
    """Handles for mean and spread over a map; returns where they were left, which the link holds as ``?key=``.

    ``eps`` [N, 2] is the noise: the same at every place of the handles, so the cloud moves and does not flicker. The
    first ``shown`` codes are decoded beside the map.
    """
    packer = Packer()
    placed = Placed(_setting(key, span, default), f"{key}:cloud", within=within)
    scene = {
        "span": span, "shape": shape, "height": height, "shown": shown, "network": networks.name_of(pad.decoder),
        "plane": pads.describe(pad, packer, span), "eps": packer.exact(np.asarray(eps, np.float32)),
    }  # fmt: skip
    with st.container(gap=None):
        result = _component(
            key=f"{key}:cloud",
            data=packer.message(scene | placed.message(lambda found: [*found.mu, *found.sigma])),
            on_position_change=lambda: None,
        )
        networks.send([pad.decoder], key=f"{key}:networks")
    return placed.accept(result.get("position"), lambda answer: _read(answer, span))


def _setting(key: str, span: float, default: Gaussian) -> Setting[Gaussian]:
    def read(texts: list[str]) -> Gaussian:
        found = _within(pads.from_text(texts[0], 4), span) if len(texts) == 1 else None
        if found is None:
            raise Unfit(f"it takes a mean x,y within ±{span:g} and two positive spreads")
        return found

    return Setting(
        key=key, label="the posterior", default=default, read=read,
        write=lambda found: pads.to_text((*found.mu, *found.sigma)),
    )  # fmt: skip


def _read(answer: dict[str, Any], span: float) -> Gaussian | None:
    match answer:
        case {"at": [*values]} if len(values) == 4 and all(isinstance(v, int | float) for v in values):
            return _within(tuple(values), span)
    return None


def _within(values: tuple[float, ...] | None, span: float) -> Gaussian | None:
    if values is None or max(map(abs, values)) > span or min(values[2:]) < LEAST:
        return None
    x, y, sx, sy = (round(float(value), DECIMALS) for value in values)
    return Gaussian((x, y), (sx, sy))
