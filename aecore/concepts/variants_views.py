"""What the Variants page shows of its rows: tables, a measure of all by seed, and a strength in words."""

from typing import Any

import numpy as np
import pyarrow as pa

from aecore.concepts.variants import KINDS, NAMES, Sweep
from aecore.concepts.variants_measures import MEASURES, Measure

Row = dict[str, Any]


def by_variant(rows: list[Row], key: str) -> dict[str, list[float]]:
    """One measure's values over the seeds, by variant in the table's order."""
    found: dict[str, list[float]] = {name: [] for name in NAMES}
    for row in rows:
        found[row["variant"]].append(row[key])
    return found


def table(rows: list[Row]) -> pa.Table:
    """Mean and spread over the seeds as they are read, one row a variant."""
    columns: dict[str, list[str]] = {"Variant": [], "Code": []}
    columns |= {measure.title: [] for measure in MEASURES}
    for name in NAMES:
        own = [row for row in rows if row["variant"] == name]
        columns["Variant"].append(name)
        columns["Code"].append(str(own[0]["size"]))
        for measure in MEASURES:
            columns[measure.title].append(spread([row[measure.key] for row in own], measure))
    return pa.table(columns)


def spread(values: list[float], measure: Measure) -> str:
    """Mean and standard deviation, in the measure's own form; the mean alone where nothing varies."""
    mean, deviation = float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    if measure.key == "parameters" or not deviation:
        return format(mean, measure.form)
    return f"{format(mean, measure.form)} ± {format(deviation, measure.form)}"


def flat(rows: list[Row]) -> pa.Table:
    """Every run as it was measured, one row a variant and seed: for the download."""
    names = ["variant", "weight", "size", "seed", *(m.key for m in MEASURES)]
    return pa.table({name: [row[name] for row in rows] for name in names})


def beside(own: Row, rows: list[Row]) -> pa.Table:
    """One run of a visitor's beside the table's mean of the same kind, measure by measure."""
    same = [row for row in rows if row["variant"] == own["variant"]]
    kept = [m for m in MEASURES if own[m.key] is not None]
    return pa.table({
        "Measure": [m.title for m in kept],
        "Yours": [format(own[m.key], m.form) for m in kept],
        "In the table": [spread([row[m.key] for row in same], m) for m in kept],
    })  # fmt: skip


def in_words(name: str, sweep: Sweep, position: int) -> str:
    """Say what this strength has changed against the first one, which is none."""
    kind, now, none = KINDS[name], sweep.rows[position], sweep.rows[0]
    first = f"{kind.knob} = {sweep.weights[0]:g}"
    parts = [
        f"{title} **{format(now[key], form)}** ({format(none[key], form)})"
        for key, title, form in (
            ("mse", "test MSE", ".4f"), ("noise", "with noise", ".4f"), ("mask", "masked", ".4f"),
            ("active", "active a digit", ".0%"), ("selectivity", "selectivity", ".2f"),
            ("sensitivity", "jolted code", ".2f"), ("knn", "10-NN", ".3f"), ("frechet", "samples", ".1f"),
        )
    ]  # fmt: skip
    return f"At {kind.knob} = {sweep.weights[position]:g} (and at {first}): " + ", ".join(parts) + "."
