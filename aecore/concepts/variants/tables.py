"""What the Variants page shows of its rows: tables, a measure of all by seed, and a strength in words."""

from typing import Any

import numpy as np
import pyarrow as pa

from aecore.concepts.variants import KINDS, NAMES, StrengthSweep
from aecore.concepts.variants.measure import MEASURES, Metric

Row = dict[str, Any]
Head = tuple[str, str]  # what stands over a column, and what it means


def by_variant(rows: list[Row], key: str) -> dict[str, list[float]]:
    """One measure's values over the seeds, by variant in the table's order."""
    found: dict[str, list[float]] = {name: [] for name in NAMES}
    for row in rows:
        found[row["variant"]].append(row[key])
    return found


def table(rows: list[Row]) -> tuple[list[Head], list[list[str]], list[list[bool]]]:
    """Mean and spread over the seeds as they are read: heads, one row a variant, and which cell is its column's best.

    How many units are in use is neither good nor bad.
    """
    heads = [("Variant", ""), ("Code", "numbers in the code"), *((m.title, m.words) for m in MEASURES)]
    means = {m.key: {name: float(np.mean(v)) for name, v in by_variant(rows, m.key).items()} for m in MEASURES}
    best = {m.key: (min if m.less else max)(means[m.key].values()) for m in MEASURES if m.key != "used"}
    cells, marks = [], []
    for name in NAMES:
        own = [row for row in rows if row["variant"] == name]
        cells.append([name, str(own[0]["size"]), *(spread([row[m.key] for row in own], m) for m in MEASURES)])
        marks.append([False, False, *(means[m.key][name] == best.get(m.key) for m in MEASURES)])
    return heads, cells, marks


def spread(values: list[float], measure: Metric) -> str:
    """Mean and standard deviation, in the measure's own form; the mean alone where nothing varies."""
    mean, deviation = float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    if measure.key == "parameters" or not deviation:
        return format(mean, measure.form)
    return f"{format(mean, measure.form)} ± {format(deviation, measure.form)}"


def flat(rows: list[Row]) -> pa.Table:
    """Every run as it was measured, one row a variant and seed: for the download."""
    names = ["variant", "weight", "size", "seed", *(m.key for m in MEASURES)]
    return pa.table({name: [row[name] for row in rows] for name in names})


def beside(own: Row, rows: list[Row]) -> tuple[list[Head], list[list[str]]]:
    """One run of a visitor's, beside the table's mean of the same kind where there are rows of it: heads, and cells."""
    same = [row for row in rows if row["variant"] == own["variant"]]
    heads = [("Measure", ""), ("Yours", ""), *([("In the table", "")] if same else [])]
    cells = [
        [m.title, format(own[m.key], m.form), *([spread([row[m.key] for row in same], m)] if same else [])]
        for m in MEASURES if own[m.key] is not None
    ]  # fmt: skip
    return heads, cells


def in_words(name: str, sweep: StrengthSweep, position: int) -> str:
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
