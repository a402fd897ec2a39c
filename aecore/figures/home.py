"""How much of the digits k numbers keep: the autoencoder beside PCA."""

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore.figures.palette import Palette


def kept_against_code_size(
    kept: NDArray[np.floating[Any]], kept_by_pca: NDArray[np.floating[Any]], k: int, palette: Palette
) -> tuple[alt.LayerChart | alt.FacetChart, str]:
    """Chart of the share of variance kept [K] against the code size, today's k marked; and the same in words."""
    names = ["autoencoder", "PCA"]
    data = pd.concat(
        [pd.DataFrame({"k": np.arange(len(v)), "kept": np.maximum(v, 0) * 100, "by": name})
         for name, v in zip(names, (kept, kept_by_pca), strict=True)]
    )  # fmt: skip
    colour = alt.Color(
        "by:N", sort=names, scale=alt.Scale(domain=names, range=[palette.reconstruction, palette.quiet]),
        legend=alt.Legend(title=None, orient="bottom-right", symbolType="stroke", symbolStrokeWidth=3),
    )  # fmt: skip
    dash = alt.StrokeDash("by:N", sort=names, scale=alt.Scale(domain=names, range=[[1, 0], [6, 4]]), legend=None)
    base = alt.Chart(data).encode(
        x=alt.X("k:Q", title="numbers in the code, k", axis=alt.Axis(tickMinStep=1)),
        y=alt.Y("kept:Q", title="variance kept, %", scale=alt.Scale(domain=[0, 100])),
        color=colour,
    )
    now = base.transform_filter(alt.datum.k == k)
    rule = alt.Chart(pd.DataFrame({"k": [k]})).mark_rule(color=palette.latent, strokeWidth=2).encode(x="k:Q")
    chart = alt.layer(
        rule,
        base.mark_line(strokeWidth=2.5).encode(strokeDash=dash),
        now.mark_point(filled=True, size=90, shape="circle"),
        height=260,
    )
    numbers = "1 number keeps" if k == 1 else f"{k} numbers keep"
    words = (
        f"{numbers} {max(kept[k], 0):.0%} of what differs between held-out digits; "
        f"PCA's best {k} keep {max(kept_by_pca[k], 0):.0%}."
    )
    return chart, words
