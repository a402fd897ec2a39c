"""How a training goes."""

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from aecore.figures.palette import Palette


def falling_loss(losses: Sequence[float], epochs: int, palette: Palette) -> alt.Chart:
    """Training loss by epoch, with room for the epochs to come."""
    data = pd.DataFrame({"epoch": np.arange(1, len(losses) + 1), "loss": losses})
    return (
        alt.Chart(data)
        .mark_line(color=palette.reconstruction, strokeWidth=2.5, point={"color": palette.reconstruction, "size": 22})
        .encode(
            x=alt.X("epoch:Q", scale=alt.Scale(domain=[1, max(epochs, 2)]), axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("loss:Q", scale=alt.Scale(zero=False), title="loss", axis=alt.Axis(tickCount=4)),
        )
        .properties(height=150)
    )
