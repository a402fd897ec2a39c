"""Parts of the compression page: its first figure, pictures by method, and the table of what the same bytes buy."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from aecore.concepts import mnist_compression as core
from aecore.concepts.mnist_compression import pretrained as shipped
from aecore.concepts.mnist_compression.budget import BudgetRow
from aecore.figures import mnist as figures
from pages.ui.components.scrubber import scrubber
from pages.ui.figures.panels import Images
from pages.ui.frame.theme import palette

Ink = NDArray[np.uint8]
OPENS_AT = shipped.SIZES.index(16)
TEN = 10


def sizes_under_the_handle(sizes: Mapping[int, shipped.Size], originals: Ink) -> int:
    """Ten digits through every code size that ships; returns the size where the handle was left."""
    rebuilt = np.stack([next(iter(size.shown.values())) for size in sizes.values()])  # (K, 10, 28, 28)
    panels = [
        Images(title="In: ten digits of 784 pixels", frames=originals[None] / 255, role="input", per_row=5),
        Images(
            title="Out: rebuilt from k numbers", frames=rebuilt / 255, role="reconstruction", per_row=5,
            captions=[f"{k} of 784: {core.PIXELS / k:.3g} to 1" for k in sizes],
        ),
    ]  # fmt: skip
    position = scrubber(
        panels, label="k", key="numbers", values=list(sizes), default=OPENS_AT, columns=2, height=250, autoplay=True
    )
    return list(sizes)[position]


def budget(rows: Sequence[BudgetRow], shown: Mapping[str, Ink], originals: Ink) -> None:
    """What each method makes of the ten pictures from about the same bytes, and how good that is on average."""
    left, right = st.columns([4, 5], gap="large")
    colours = palette()
    with left:
        strips = [("Original, 784 bytes", originals, colours.input)]
        for row in rows:
            if row.method in shown:
                colour = colours.reconstruction if row.method.startswith(shipped.AUTOENCODER) else colours.quiet
                strips.append((f"{_short(row)}: {_bytes(row)}", shown[row.method], colour))
        st.html(figures.rows_of_pictures(strips))
    with right:
        st.dataframe(table(rows), hide_index=True, width="stretch", column_config={
            "MSE": st.column_config.NumberColumn(format="%.4f", width=65, help="Mean squared error, pixels in 0..1"),
            "PSNR, dB": st.column_config.NumberColumn("PSNR", format="%.1f", width=50, help="Signal to noise, dB"),
            "SSIM": st.column_config.NumberColumn(format="%.3f", width=60, help="Structural similarity, 1 is equal"),
            "bytes": st.column_config.NumberColumn(format="%.0f", width=55, help="Without headers, mean of a digit"),
            "with headers": st.column_config.NumberColumn(format="%.0f", width=85),
            "method": st.column_config.TextColumn(width=170),
        })  # fmt: skip


def table(rows: Sequence[BudgetRow]) -> pd.DataFrame:
    """Rows as a table; a codec that cannot go so low is marked."""
    return pd.DataFrame([
        {
            "method": _short(row), "bytes": row.payload, "with headers": row.whole,
            "MSE": row.quality.mse, "PSNR, dB": row.quality.psnr, "SSIM": row.quality.ssim,
        }
        for row in rows
    ])  # fmt: skip


def _short(row: BudgetRow) -> str:
    return row.method.replace(", headers not counted", "") + ("" if row.fits else ", at its least")


def without_twins(rows: Sequence[BudgetRow]) -> list[BudgetRow]:
    """Leave out a codec's second row where it is the first over again: both at the lowest setting."""
    seen: set[tuple[str, float]] = set()
    kept = []
    for row in rows:
        name = row.method.partition(",")[0], row.whole
        if name not in seen:
            kept.append(row)
        seen.add(name)
    return kept


def curve(k: int) -> None:
    """Error against code size, the autoencoder beside PCA."""
    errors = shipped.load_curve()
    lines: dict[str, Any] = {shipped.AUTOENCODER: errors.autoencoder, "PCA": errors.pca}
    words = "; ".join(f"{name} {values[errors.sizes.index(k)]:.4f}" for name, values in lines.items())
    st.vega_lite_chart(
        None, figures.error_against_size(lines, errors.sizes, k, palette()).whole, width="stretch",
        alt=f"Squared error falling with the code size; at {k} numbers: {words}",
    )  # fmt: skip
    st.caption(f"Mean squared error of MNIST's 10,000 test digits; with {k} numbers: {words}.")


def _bytes(row: BudgetRow) -> str:
    if row.whole == row.payload:
        return f"{row.payload:.0f} bytes"
    return f"{row.payload:.0f} bytes and {row.whole - row.payload:.0f} of headers"
