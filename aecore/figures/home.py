"""How much of the digits k numbers keep: the autoencoder beside PCA."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from aecore.figures.palette import Palette
from aecore.figures.vega import Figure, field, layer

NAMES = ["autoencoder", "PCA"]


def kept_against_code_size(
    kept: NDArray[np.floating[Any]], kept_by_pca: NDArray[np.floating[Any]], k: int, palette: Palette
) -> tuple[Figure, str]:
    """Figure of the share of variance kept [K] against the code size, today's k marked; and the same in words."""
    shares = [np.maximum(v, 0) * 100 for v in (kept, kept_by_pca)]
    sizes = np.arange(len(kept))
    tables = {
        "curves": pa.table(
            {"k": np.tile(sizes, 2), "kept": np.concatenate(shares), "by": np.repeat(NAMES, len(kept)).tolist()}
        ),
        "now": pa.table({"k": [k, k], "kept": [float(share[k]) for share in shares], "by": NAMES}),
    }
    numbers = "1 number keeps" if k == 1 else f"{k} numbers keep"
    words = (
        f"{numbers} {max(kept[k], 0):.0%} of what differs between held-out digits; "
        f"PCA's best {k} keep {max(kept_by_pca[k], 0):.0%}."
    )
    return Figure(tables, _spec(palette)), words


def _spec(palette: Palette) -> dict[str, Any]:
    x = field("k", title="numbers in the code, k", axis={"tickMinStep": 1})
    y = field("kept", title="variance kept, %", scale={"domain": [0, 100]})
    legend = {"title": None, "orient": "bottom-right", "symbolType": "stroke", "symbolStrokeWidth": 3}
    colours = {"domain": NAMES, "range": [palette.reconstruction, palette.quiet]}
    colour = field("by", "nominal", sort=NAMES, scale=colours, legend=legend)
    dash = field("by", "nominal", sort=NAMES, scale={"domain": NAMES, "range": [[1, 0], [6, 4]]}, legend=None)
    rule = {"type": "rule", "color": palette.latent, "strokeWidth": 2}
    curves = {"x": x, "y": y, "color": colour, "strokeDash": dash}
    points = {"type": "point", "filled": True, "size": 90, "shape": "circle"}
    return {
        "layer": [
            layer("now", rule, {"x": x}),
            layer("curves", {"type": "line", "strokeWidth": 2.5}, curves),
            layer("now", points, {"x": x, "y": y, "color": colour}),
        ],
        "height": 260,
    }
