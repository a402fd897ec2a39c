"""What the Latent clusters page asks of three maps: rows under a brush, counts, misfits, tables and sentences."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore import latent
from aecore.concepts.latent_clusters import IDS, MACHINES, ClusterMaps, Collection
from aecore.numerics.dense import Array

Ranges = dict[str, tuple[float, float]]  # by field: "PCA x", "VAE y" ...


def find_brushed(maps: dict[str, Array], brushed: dict[str, tuple[float, float]]) -> NDArray[np.int64]:
    """Rows inside a brush, ``{"PCA x": (low, high), "PCA y": ...}``."""
    size = len(next(iter(maps.values())))
    inside = np.ones(size, np.bool_)
    for field, (low, high) in brushed.items():
        machine, axis = field.rsplit(" ", 1)
        values = maps[machine][:, "xy".index(axis)]
        inside &= (values >= min(low, high)) & (values <= max(low, high))
    return np.flatnonzero(inside)


def counts(data: Collection, rows: NDArray[np.int64]) -> pd.DataFrame:
    """How many of the rows are of each kind: columns kind, count, share."""
    if data.labels is None:
        return pd.DataFrame({"kind": ["all"], "count": [len(rows)], "share": [1.0]})
    number = np.bincount(data.labels[rows], minlength=len(data.names))
    return pd.DataFrame({"kind": data.names, "count": number, "share": number / max(1, len(rows))})


def isolation(made: ClusterMaps, data: Collection, machine: str, rows: NDArray[np.int64]) -> float | None:
    """Share of rows among whose 10 nearest others on the map fewer than half have their label; None without labels."""
    from scipy.spatial import cKDTree

    if data.labels is None:
        return None
    codes = made.maps[machine]
    near = np.asarray(cKDTree(codes).query(codes[rows], latent.NEIGHBOURS + 1)[1])[:, 1:]
    same = (data.labels[near] == data.labels[rows][:, None]).mean(1)
    return float((same < 0.5).mean())


def measure_table(made: ClusterMaps) -> pd.DataFrame:
    """One line a machine: its measures, and its mean squared error."""
    rows = [
        {"machine": name, **measured._asdict(), "error": float(made.errors[name].mean())}
        for name, measured in made.measures.items()
    ]
    return pd.DataFrame(rows)


def point_table(made: ClusterMaps, data: Collection) -> pd.DataFrame:
    """One line a datum: where each machine puts it, its label, and its errors."""
    columns: dict[str, Any] = {"row": np.arange(len(data.x))}
    if data.labels is not None:
        columns["label"] = np.array(data.names)[data.labels]
    for name, points in made.maps.items():
        columns |= {f"{name} x": points[:, 0], f"{name} y": points[:, 1], f"{name} error": made.errors[name]}
    return pd.DataFrame(columns)


def brush_to_text(ranges: Ranges) -> str:
    """Write a brush for the link, ``pca:-1.2:0.4:0:2.5``; empty where it is none."""
    for link_id, machine in IDS.items():
        if f"{machine} x" in ranges and f"{machine} y" in ranges:
            limits = [value for axis in "xy" for value in ranges[f"{machine} {axis}"]]
            return ":".join([link_id, *(f"{value:.3g}" for value in limits)])
    return ""


def brush_from_text(text: str) -> Ranges:
    """Read what `brush_to_text` wrote, also with a machine's name in capitals; nothing for anything else."""
    link_id, *numbers = text.lower().split(":")
    try:
        values = [float(number) for number in numbers]
    except ValueError:
        return {}
    if link_id not in IDS or len(values) != 4 or not np.isfinite(values).all():
        return {}
    machine = IDS[link_id]
    return {f"{machine} x": (values[0], values[1]), f"{machine} y": (values[2], values[3])}


def worst_in_words(made: ClusterMaps, data: Collection, machine: str) -> str:
    """Say how badly the worst are rebuilt, and where they lie."""
    rows = made.worst[machine]
    ratio = float(made.errors[machine][rows].mean() / made.errors[machine].mean())
    words = f"The {len(rows)} that the {machine} rebuilds worst lose **{ratio:.1f} times** what the average does."
    here, everywhere = (isolation(made, data, machine, r) for r in (rows, np.arange(len(data.x))))
    if here is None or everywhere is None:
        return words
    return words + (
        f" On its map {here:.0%} of them lie among strangers (of their ten neighbours fewer than half are of their "
        f"kind), against {everywhere:.0%} of all."
    )


def auc_in_words(made: ClusterMaps, data: Collection, without: int | None) -> str:
    """Say how well each machine's error tells the kind that it never saw."""
    if without is None or not made.auc:
        return ""
    name = data.names[without]
    scores = ", ".join(f"the {machine} {made.auc[machine]:.3f}" for machine in MACHINES)
    return (
        f"Nobody was shown a **{name}**. By its error alone, {scores} (ROC AUC: how often a {name} is rebuilt worse "
        "than a known kind that was held out; 0.5 is guessing)."
    )
