"""Benchmarks of an application: tables with one value for every seed, made by a script that they name."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore.errors import StoreError
from aecore.paths import ROOT

TABLES = ROOT / "assets" / "tables"

# A column's heading and what it means.
Head = tuple[str, str]
# The value of every contestant, under one condition and seed.
Row = Mapping[str, float]


class ComparisonTable(NamedTuple):
    """One comparison: ``values`` [condition, contestant, seed], NaN where there is none.

    ``script`` is the file that made it, from the project's root, and ``version`` the hash of its content as git has
    it, so that ``git log --find-object=<version>`` names the commit. ``best`` is "high", "low" or "" (neither).
    """

    what: str  # is measured, with its unit: "SNR gain, dB"
    conditions: tuple[str, ...]
    contestants: tuple[str, ...]
    values: NDArray[np.float64]
    seeds: tuple[int, ...]
    script: str
    version: str
    best: str = "high"
    decimals: int = 1

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean over the seeds that have a value, [condition, contestant]."""
        return np.ma.masked_invalid(self.values).mean(-1).filled(np.nan)

    @property
    def spread(self) -> NDArray[np.float64]:
        """Standard deviation over the seeds, [condition, contestant]."""
        return np.ma.masked_invalid(self.values).std(-1, ddof=1).filled(np.nan)

    def cells(self) -> tuple[list[Head], list[list[str]], list[list[bool]]]:
        """Return mean and spread as text: heads, one row a condition, and which cell is its row's best.

        Means that are equal to the decimals shown are best together.
        """
        heads = [(self.what, ""), *((name, "") for name in self.contestants)]
        rows = [
            [condition, *(self._cell_text(m, s) for m, s in zip(mean, spread, strict=True))]
            for condition, mean, spread in zip(self.conditions, self.mean, self.spread, strict=True)
        ]
        return heads, rows, [[False, *self._mark_best(mean)] for mean in self.mean]

    def _cell_text(self, mean: float, spread: float) -> str:
        return "–" if np.isnan(mean) else f"{mean:.{self.decimals}f} ± {spread:.{self.decimals}f}"

    def _mark_best(self, mean: NDArray[np.float64]) -> list[bool]:
        rounded = np.round(mean, self.decimals)
        if not self.best or np.isnan(rounded).all():
            return [False] * len(mean)
        best = np.nanmax(rounded) if self.best == "high" else np.nanmin(rounded)
        return [bool(value) for value in rounded == best]

    def curves(self, prefix: str) -> tuple[list[str], dict[str, NDArray[np.float64]]]:
        """Return the conditions that begin with ``prefix``, and the means of every contestant over them."""
        rows = [n for n, condition in enumerate(self.conditions) if condition.startswith(prefix)]
        return [self.conditions[n] for n in rows], dict(zip(self.contestants, self.mean[rows].T, strict=True))

    def frame(self) -> pd.DataFrame:
        """Return one row for every value."""
        index = pd.MultiIndex.from_product(
            [self.conditions, self.contestants, self.seeds], names=["condition", "contestant", "seed"]
        )
        return pd.DataFrame({self.what: self.values.ravel()}, index=index).reset_index()


def measure(
    what: str, conditions: Sequence[str], row: Callable[[str, int], Row], seeds: Sequence[int], script: str, **kind: Any
) -> ComparisonTable:
    """Fill a table: ``row(condition, seed)`` gives the value of every contestant."""
    rows = [[row(condition, seed) for seed in seeds] for condition in conditions]
    contestants = tuple(rows[0][0])
    values = np.array([[[values[name] for values in of] for name in contestants] for of in rows], np.float64)
    return ComparisonTable(
        what, tuple(conditions), contestants, values, tuple(seeds), script, version_of(script), **kind
    )


def version_of(script: str) -> str:
    """Return the first 12 digits of the hash that git gives the script's content."""
    content = (ROOT / script).read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()[:12]


def write(application: str, tables: Mapping[str, ComparisonTable]) -> None:
    """Write an application's tables, as text that can be compared line by line."""
    tree = {name: table._asdict() | {"values": table.values.round(5).tolist()} for name, table in tables.items()}
    TABLES.mkdir(exist_ok=True)
    (TABLES / f"applications_{application}.json").write_text(json.dumps(tree, indent=1) + "\n", encoding="utf-8")


def read(application: str) -> dict[str, ComparisonTable]:
    """Return an application's tables by name; raises StoreError where there are none."""
    path = TABLES / f"applications_{application}.json"
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
        return {name: _table_from_json(fields) for name, fields in tree.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise StoreError(f"{path.name} holds no measured tables; run the script that makes them.") from error


def _table_from_json(fields: dict[str, Any]) -> ComparisonTable:
    lists = {name: tuple(fields[name]) for name in ("conditions", "contestants", "seeds")}
    return ComparisonTable(**fields | lists | {"values": np.array(fields["values"], np.float64)})
