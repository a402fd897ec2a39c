"""A visitor's own flux map, brought to the grid that the networks know."""

import re
from collections.abc import Generator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore.concepts.applications.dimensions import Mapper
from aecore.data.readers.archives import unpack
from aecore.data.readers.delimited import read_delimited
from aecore.data.readers.messages import clean_names, list_names, quote
from aecore.data.readers.options import ReadOptions
from aecore.data.simulators.flux_maps import D_POINTS, Q_POINTS, grid
from aecore.data.tables.cells import to_float
from aecore.errors import DataError, TooFewRows, UnreadableFile

COLUMNS = {"i_d": r"i_?d", "i_q": r"i_?q", "psi_d": r"(psi|flux|lambda)_?d", "psi_q": r"(psi|flux|lambda)_?q"}
FEWEST, MAX_POINTS = 25, 200_000
OUTSIDE = 0.02  # of the grid's points may lie beside what was measured; they take the nearest value


def own_map(name: str, data: bytes) -> Generator[dict[str, Any], None, dict[str, Any]]:
    """Read a table with columns i_d, i_q, psi_d, psi_q; a job's task.

    Returns ``rows`` [256] divided by the largest flux, ``current`` (the grid's 1, in the file's unit), ``flux`` (its
    largest) and notes. Negative i_q is folded onto positive (psi_d is even in it, psi_q odd).
    """
    yield {"part": "Reading", "progress": 0.0}
    points = _points(name, data)  # (N, 4)
    yield {"part": "Bringing it to the grid", "progress": 0.5}
    current = float(min(np.abs(points[:, 0]).max(), np.abs(points[:, 1]).max()))
    if not current > 0:
        raise DataError(f"{quote(name)} has one current that is 0 throughout; a map needs points over both.")
    flux, missing = _on_grid(points, current)
    if missing > OUTSIDE:
        raise DataError(
            f"{quote(name)} leaves {missing:.0%} of the map empty between i_d = ±{current:g} and i_q = 0..{current:g}; "
            "bring points over that whole range."
        )
    largest = float(np.abs(flux).max())
    if not largest > 0:
        raise DataError(f"{quote(name)} has no flux but 0; bring a map with flux linkages in it.")
    notes = [
        f"{len(points):,} points, brought to {D_POINTS} by {Q_POINTS} over ±{current:g}; largest flux {largest:g}."
    ]
    return {"rows": (flux.ravel() / largest).astype(np.float32), "current": current, "flux": largest, "notes": notes}


def _points(name: str, data: bytes) -> NDArray[np.float64]:
    if not data:
        raise UnreadableFile(f"{quote(name)} is empty (0 bytes); export it again and check its size.")
    inner, data, _, _ = unpack(name, data, ("csv", "tsv", "txt"))
    table = read_delimited(inner, data, ReadOptions())
    names = clean_names(table.names)
    found = {}
    for wanted, pattern in COLUMNS.items():
        place = next((i for i, n in enumerate(names) if re.match(pattern + r"(\b|[ \[(_]|$)", n.lower().strip())), None)
        if place is None:
            raise DataError(
                f"{quote(name)} has no column {wanted}, only {list_names(names)}; it takes i_d, i_q, psi_d, psi_q."
            )
        values, _ = to_float(table.frame.iloc[:, place], table.decimal, table.thousands)
        if values is None:
            raise DataError(f"The column {quote(names[place])} holds no numbers; export it as numbers.")
        found[wanted] = values
    points = np.column_stack(list(found.values())).astype(np.float64)
    points = points[np.isfinite(points).all(1)][:MAX_POINTS]
    if len(points) < FEWEST:
        raise TooFewRows(f"{quote(name)} holds {len(points)} whole points and a map needs {FEWEST}; bring more.")
    return points


def _on_grid(points: NDArray[np.float64], current: float) -> tuple[NDArray[np.float64], float]:
    """Interpolate to [2, 16, 8] in triangles; also the share of the grid that no triangle covers."""
    from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator
    from scipy.spatial import QhullError

    negative = points[:, 1] < 0
    folded = np.where(negative[:, None], points * [1, -1, 1, -1], points)
    at, values = np.unique(folded[:, :2].round(9), axis=0, return_index=True)
    i_d, i_q = (current * axis for axis in np.meshgrid(*grid(), indexing="ij"))
    try:
        linear = LinearNDInterpolator(at, folded[values, 2:], rescale=True)(i_d, i_q)  # (16, 8, 2)
    except (QhullError, ValueError) as error:
        raise DataError("All points of this map lie on one line; bring points over both currents.") from error
    empty = np.isnan(linear[..., 0])
    nearest = NearestNDInterpolator(at, folded[values, 2:], rescale=True)(i_d, i_q)
    return np.moveaxis(np.where(empty[..., None], nearest, linear), -1, 0), float(empty.mean())


def own_table(made: dict[str, Any], mapper: Mapper) -> pd.DataFrame:
    """Lay the map out as it was read and as it comes through the knobs, in the file's units."""
    i_d, i_q = (made["current"] * axis.ravel() for axis in np.meshgrid(*grid(), indexing="ij"))
    psi = made["flux"] * made["rows"].reshape(2, -1)
    ours = made["flux"] * mapper.rebuilt(made["rows"][None]).reshape(2, -1)
    return pd.DataFrame({
        "i_d": i_d, "i_q": i_q, "psi_d": psi[0], "psi_q": psi[1], "psi_d through knobs": ours[0],
        "psi_q through knobs": ours[1],
    })  # fmt: skip
