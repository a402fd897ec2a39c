"""The two forces of a VAE against beta: eight measured runs under one handle."""

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from aecore import export
from aecore.concepts.vae_morphing import Morphing
from aecore.concepts.vae_morphing.beta import BetaSweep, load_pretrained
from aecore.figures import vae_morphing as figures
from pages.ui.components.latent_pad import Position
from pages.ui.components.scrubber import Images, Points, scrubber
from pages.ui.frame.downloads import Download
from pages.ui.frame.theme import palette
from pages.ui.vae_morphing import Look

if TYPE_CHECKING:
    import pandas as pd

sweep = st.cache_resource(show_spinner=False)(load_pretrained)


def _codes(runs: BetaSweep) -> Points:
    """Codes of every run on one scale; those without any pull to the middle are drawn smaller, and said to be."""
    far = np.abs(runs.codes).max((1, 2))  # (K,)
    times = np.maximum(1, far / far[np.array(runs.betas) > 0].max())
    said = ["" if n == 1 else f", drawn {n:.1f} times smaller" for n in times]
    captions = [f"mean σ {spread:.2f}{more}" for spread, more in zip(runs.spread, said, strict=True)]
    return Points(title="Codes", values=runs.codes / times[:, None, None], classes=runs.labels, captions=captions)


def balance(made: Morphing, _: Position) -> Look:
    """Eight VAEs, trained alike but for beta, under one handle."""
    runs = sweep("digits" if len(made.names) == 10 else "shapes")
    left, right = st.columns([3, 2], gap="large")
    with left:
        panels = [
            _codes(runs),
            Images(title="The plane decoded", frames=runs.decoded, role="reconstruction", per_row=5,
                   captions=[f"{share:.0%} holes" for share in runs.hole_share]),
            Images(title="Held out", frames=runs.inputs[None], role="input", per_row=2),
            Images(title="Rebuilt", frames=runs.rebuilt, role="reconstruction", per_row=2),
        ]  # fmt: skip
        k = scrubber(panels, label="β", key="beta", values=[f"{beta:g}" for beta in runs.betas],
                     default=runs.betas.index(1.0), height=260)  # fmt: skip
    with right:
        words = (
            f"At β = {runs.betas[k]:g} a picture costs {runs.reconstruction[k]:.1f} nats to rebuild and "
            f"{runs.kl[k]:.1f} nats of KL; {runs.hole_share[k]:.0%} of the central mass is a hole."
        )
        chart = figures.forces(runs.betas, runs.reconstruction, runs.kl, k, palette()).whole
        alt = f"Reconstruction rises and KL falls with beta. {words}"
        st.vega_lite_chart(None, chart, width="stretch", alt=alt)
        st.markdown(words)
    return Look({}, {}, [Download("Runs over β", "beta.csv", lambda: export.csv(table(runs)))])


def table(runs: BetaSweep) -> "pd.DataFrame":
    """A row each beta."""
    import pandas as pd

    return pd.DataFrame({"beta": runs.betas, "reconstruction_nats": runs.reconstruction, "kl_nats": runs.kl,
                         "mean_sigma": runs.spread, "hole_share": runs.hole_share})  # fmt: skip
