"""Scrubbers to test, measure and look at: curves and charts as on the Bottleneck page, pictures, bars and points."""

import numpy as np
import streamlit as st
from sklearn.datasets import load_digits

from pages.ui.components.scrubber import Bars, Below, Curves, Images, Line, Panel, PanelAxis, Points, Waves, scrubber
from pages.ui.frame import settings
from tests.components import option, shown_on

st.set_page_config(layout="wide")


@st.cache_data
def linear(x: np.ndarray, largest: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes [n, largest] of ``x`` [n, d], and its reconstructions [largest + 1, n, d] from the first k of them."""
    mean = x.mean(0)
    u, s, vt = np.linalg.svd(x - mean, full_matrices=False)
    codes = (u * s)[:, :largest]  # (n, largest)
    return codes, np.stack([mean + codes[:, :k] @ vt[:k] for k in range(largest + 1)])


@st.cache_data
def curves(machines: int = 3, points: int = 256, largest: int = 64) -> list[Panel]:
    rng = np.random.default_rng(0)
    t = np.linspace(0, 1, points)
    panels: list[Panel] = []
    for machine, tones in enumerate((2, 8, 24)[:machines]):
        phase = rng.uniform(0, 2 * np.pi, (200, tones, 1))
        x = np.sin(2 * np.pi * np.arange(1, tones + 1)[:, None] * t + phase).sum(1) / np.sqrt(tones)
        x += 0.15 * rng.standard_normal(x.shape)
        _, reconstructed = linear(x, largest)  # (K, n, d)
        moving = reconstructed[:, 0]
        error = np.abs(moving - x[0]).mean(1) / np.abs(x[0]).mean()
        panels.append(
            Curves(
                title=f"Machine {machine + 1}",
                lines=[Line(values=x[0], role="input"), Line(values=moving, role="reconstruction")],
                captions=[f"{share:.0%} lost" for share in error],
            )
        )
    return panels


@st.cache_data
def pictures(per_row: int | None) -> list[Panel]:
    digits = load_digits()
    first = [int(np.flatnonzero(digits.target == d)[0]) for d in range(10)]
    x = digits.data / 16.0
    moving = linear(x, 16)[1][:, first].reshape(-1, 10, 8, 8)
    shown = x[first].reshape(10, 8, 8)
    lost = np.abs(shown - moving.clip(0, 1))
    share = lost.sum((1, 2, 3)) / shown.sum()
    return [
        Images(title="Input", frames=shown[None], role="input", per_row=per_row),
        Images(title="Reconstruction", frames=moving, role="reconstruction", per_row=per_row),
        Images(
            title="What was lost",
            frames=lost,
            role="lost",
            per_row=per_row,
            captions=[f"{s:.0%}" for s in share],
        ),
    ]


@st.cache_data
def charts(points: int = 129, largest: int = 64) -> Below:
    rng = np.random.default_rng(0)
    k = np.arange(largest + 1)
    sizes = PanelAxis(low=0, high=largest, title="k", ticks=[0, 1, 4, 16, 64], root=True)
    falling = [Line(values=100 / (1 + k) ** p, role=role) for p, role in ((0.5, "lost"), (1.0, "reconstruction"))]
    noise = rng.uniform(-60, 0, (3, largest + 1, points))
    lines = [Line(values=noise[0, 0], role="input")]
    lines += [Line(values=v, role=role) for v, role in zip(noise[1:], ("reconstruction", "lost"), strict=True)]
    return Below([
        Curves(title="Lost, %", lines=falling, axes=(sizes, PanelAxis(low=0, high=100)), marked=True),
        Curves(
            title="Levels, dB", lines=lines,
            axes=(PanelAxis(low=0, high=500, title="Hz"), PanelAxis(low=-60, high=0)),
        ),
        Waves(title="Waves", rows=np.sin(np.outer(1 + k[:-1], np.linspace(0, 2 * np.pi, 256)))),
    ])  # fmt: skip


def code_and_map() -> list[Panel]:
    rng = np.random.default_rng(0)
    groups = np.arange(300) % 5
    centres = 3 * np.stack([np.cos(groups * 1.2566), np.sin(groups * 1.2566)], -1)  # (300, 2)
    noise = rng.standard_normal((300, 2))
    cloud = np.stack([centres * s + noise for s in np.linspace(1, 0, 7)])  # (7, 300, 2)
    code = rng.standard_normal(12) * np.linspace(1, 0.1, 7)[:, None]  # (7, 12)
    return [Bars(title="The code", values=code), Points(title="The map", values=cloud, classes=groups)]


def figures() -> None:
    """One scrubber, by ?show=, and beside it what Python knows: where the handle was left, and the number of runs."""
    runs = st.session_state["runs"] = st.session_state.get("runs", 0) + 1
    show, sweep = option("show", "curves"), option("sweep", "")
    with shown_on("vae_morphing" if show == "other" else "home"):
        if show == "curves":
            left = scrubber(curves(), label="k", key="k", default=8, autoplay=bool(sweep))
        elif show == "pictures":
            left = scrubber(pictures(5), label="k", key="k", default=4, height=200)
        elif show == "charts":
            left = scrubber(curves(), label="k", key="k", default=8, below=charts())
        elif show == "strips":
            left = scrubber(pictures(None), label="k", key="k", default=4, height=120, columns=1)
        else:
            left = scrubber(code_and_map(), label="β", key="beta", values=[0, 0.1, 0.5, 1, 2, 4, 10], default=3)
    st.write(f"left at {left}, run {runs}")
    st.button("rerun")
    st.button("go to 20", on_click=settings.put, args=({"k": 20},))
    st.markdown("<div style='height: 1200px'></div>", unsafe_allow_html=True)  # something to scroll


def elsewhere() -> None:
    with shown_on("bottleneck"):
        st.write("another page")


st.navigation([st.Page(figures, title="Figures", default=True), st.Page(elsewhere, title="Elsewhere")]).run()
