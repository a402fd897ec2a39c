"""Latent pads to test, measure and look at: two networks of random weights over clouds of codes."""

import numpy as np
import streamlit as st

from aecore.numerics.dense import DenseNetwork
from pages.ui.components import networks
from pages.ui.components.latent_pad import Mark, Pad, latent_pad
from pages.ui.frame import settings
from tests.components import option, shown_on

SPAN = 4.0


def network(seed: int, sizes: tuple[int, ...], activation: str = "relu", output: str = "sigmoid") -> DenseNetwork:
    """Random weights that neither vanish nor explode."""
    rng = np.random.default_rng(seed)
    layers = [
        ((2 / n) ** 0.5 * rng.standard_normal((m, n)), 0.3 * rng.standard_normal(m))
        for n, m in zip(sizes[:-1], sizes[1:], strict=True)
    ]
    return DenseNetwork(tuple((w.astype(np.float32), b.astype(np.float32)) for w, b in layers), activation, output)


NETWORKS = {
    "two": [network(0, (2, 128, 256, 784)), network(1, (2, 128, 256, 784))],
    "silu": [network(2, (2, 33, 49), "silu", "identity")],
    "tanh": [network(3, (5, 30, 31, 49), "tanh")],
}


@st.cache_data
def cloud(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, count)
    turn = 2 * np.pi * labels / 10
    centres = 2 * np.stack([np.cos(turn), np.sin(turn)], 1)  # (N, 2)
    return centres + 0.35 * rng.standard_normal((count, 2)), labels


@st.cache_data
def holes(size: int = 64) -> np.ndarray:
    at = np.linspace(-SPAN, SPAN, size)
    return 1.5 - np.exp(-((np.hypot(at[:, None], at) - 2) ** 2))  # plausible on the ring, a hole elsewhere


def figures() -> None:
    """Pads by ?show=, and beside them what Python knows: where the pointer was left, and the number of runs."""
    runs = st.session_state["runs"] = st.session_state.get("runs", 0) + 1
    show = option("show", "two")
    marked = st.toggle("mark", key="mark")
    pads = []
    for n, net in enumerate(NETWORKS[show]):
        codes, labels = cloud(n, 10_000 if show == "two" else 50)
        fixed = None if net.inputs == 2 else [0.5, -0.25, 0.0, 1.0, 0.0]
        mark = Mark((1.0, 1.0), (0.5, 0.2)) if marked else None
        axes = (0, 1) if net.inputs == 2 else (2, 4)
        pads.append(
            Pad(title=f"Map {n + 1}", decoder=net, codes=codes, labels=labels, names=list("0123456789"),
                caption="12 % holes", holes=holes(), fixed=fixed, axes=axes, mark=mark)
        )  # fmt: skip
    shape = (28, 28) if show == "two" else (7, 7)
    with shown_on("vae_morphing"):
        left = latent_pad(pads, key="z", span=SPAN, shape=shape, default=(0.5, -1.0))
        networks.send([pad.decoder for pad in pads], key="z:networks")
    st.write(f"left at {left.x:g}, {left.y:g}, run {runs}")
    st.button("rerun")
    st.button("go to 2, 0", on_click=settings.put, args=({"z": (2.0, 0.0)},))


def elsewhere() -> None:
    with shown_on("bottleneck"):
        st.write("another page")


if __name__ == "__main__":
    st.set_page_config(layout="wide")
    st.navigation([st.Page(figures, title="Figures", default=True), st.Page(elsewhere, title="Elsewhere")]).run()
