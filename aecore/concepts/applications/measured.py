"""What a section was measured against: tables with one value for every seed, made by a script that they name."""

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

Head = tuple[str, str]  # what stands over a column, and what it means
Row = Mapping[str, float]  # value of every contestant, under one condition and seed


class Table(NamedTuple):
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
        """Over the seeds that have a value, [condition, contestant]."""
        return np.ma.masked_invalid(self.values).mean(-1).filled(np.nan)

    @property
    def spread(self) -> NDArray[np.float64]:
        """Standard deviation over the seeds, [condition, contestant]."""
        return np.ma.masked_invalid(self.values).std(-1, ddof=1).filled(np.nan)

    def cells(self) -> tuple[list[Head], list[list[str]], list[list[bool]]]:
        """Mean and spread as they are read: heads, one row a condition, and which cell is its row's best.

        Means that are equal to the decimals shown are best together.
        """
        heads = [(self.what, ""), *((name, "") for name in self.contestants)]
        rows = [
            [condition, *(self._said(m, s) for m, s in zip(mean, spread, strict=True))]
            for condition, mean, spread in zip(self.conditions, self.mean, self.spread, strict=True)
        ]
        return heads, rows, [[False, *self._best(mean)] for mean in self.mean]

    def _said(self, mean: float, spread: float) -> str:
        return "–" if np.isnan(mean) else f"{mean:.{self.decimals}f} ± {spread:.{self.decimals}f}"

    def _best(self, mean: NDArray[np.float64]) -> list[bool]:
        rounded = np.round(mean, self.decimals)
        if not self.best or np.isnan(rounded).all():
            return [False] * len(mean)
        best = np.nanmax(rounded) if self.best == "high" else np.nanmin(rounded)
        return [bool(value) for value in rounded == best]

    def frame(self) -> pd.DataFrame:
        """One row for every value."""
        index = pd.MultiIndex.from_product(
            [self.conditions, self.contestants, self.seeds], names=["condition", "contestant", "seed"]
        )
        return pd.DataFrame({self.what: self.values.ravel()}, index=index).reset_index()


def measure(
    what: str, conditions: Sequence[str], row: Callable[[str, int], Row], seeds: Sequence[int], script: str, **kind: Any
) -> Table:
    """Fill a table: ``row(condition, seed)`` gives the value of every contestant."""
    rows = [[row(condition, seed) for seed in seeds] for condition in conditions]
    contestants = tuple(rows[0][0])
    values = np.array([[[values[name] for values in of] for name in contestants] for of in rows], np.float64)
    return Table(what, tuple(conditions), contestants, values, tuple(seeds), script, version_of(script), **kind)


def version_of(script: str) -> str:
    """First 12 digits of the hash that git gives the script's content."""
    content = (ROOT / script).read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()[:12]


def write(section: str, tables: Mapping[str, Table]) -> None:
    """Keep a section's tables, as text that can be compared line by line."""
    tree = {name: table._asdict() | {"values": table.values.round(5).tolist()} for name, table in tables.items()}
    TABLES.mkdir(exist_ok=True)
    (TABLES / f"applications_{section}.json").write_text(json.dumps(tree, indent=1) + "\n", encoding="utf-8")


def read(section: str) -> dict[str, Table]:
    """Return a section's tables by name; raises StoreError where there are none."""
    path = TABLES / f"applications_{section}.json"
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
        return {name: _table(fields) for name, fields in tree.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise StoreError(f"{path.name} holds no measured tables; run the script that makes them.") from error


def _table(fields: dict[str, Any]) -> Table:
    lists = {name: tuple(fields[name]) for name in ("conditions", "contestants", "seeds")}
    return Table(**fields | lists | {"values": np.array(fields["values"], np.float64)})
