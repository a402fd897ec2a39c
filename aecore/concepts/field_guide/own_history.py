"""A visitor's own training history, from a table: which column is which loss."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.concepts.field_guide.trials import History
from aecore.data.readers.archives import unpack
from aecore.data.readers.delimited import read_delimited
from aecore.data.readers.messages import clean_names, listed, shown
from aecore.data.readers.options import ReadOptions
from aecore.data.tables.cells import to_float
from aecore.errors import TooFewRows, UnreadableFile

FEWEST = 4  # epochs
MOST = 100_000
VALIDATION = re.compile(r"(val|valid|test|eval|held|dev)", re.IGNORECASE)
LOSS = re.compile(r"(loss|error|mse|mae|bce|elbo|objective)", re.IGNORECASE)
TRAINING = re.compile(r"train", re.IGNORECASE)
ACTIVE = re.compile(r"active|firing", re.IGNORECASE)


class OwnHistory(NamedTuple):
    """The history, and a sentence on what was read as what."""

    history: History
    notes: tuple[str, ...]


def read(name: str, data: bytes) -> Generator[dict[str, float], None, OwnHistory]:
    """Read a table with one row an epoch; a job's task.

    Columns are known by their names: ``loss`` or ``train_loss``, ``val_loss`` and its kin, and where there is one, the
    share of hidden units that ever fire (``active``, 0..1). Raises UnreadableFile where no column is a loss, TooFewRows
    below four epochs.
    """
    yield {"progress": 0.0}
    if not data:
        raise UnreadableFile(f"{shown(name)} is empty (0 bytes); export it again and check its size.")
    inner, data, _, packed = unpack(name, data, ("csv", "tsv", "txt"))
    table = read_delimited(inner, data, ReadOptions())
    names = clean_names(table.names)
    columns = {}
    for i, column in enumerate(names):
        values, _ = to_float(table.frame.iloc[:MOST, i], table.decimal, table.thousands)
        if values is not None:
            columns[column] = values
    train = _first(columns, lambda n: bool(TRAINING.search(n)) and not VALIDATION.search(n)) or _first(
        columns, lambda n: bool(LOSS.search(n)) and not VALIDATION.search(n)
    )
    if train is None and (named := next((n for n in names if LOSS.search(n) and n not in columns), None)):
        raise UnreadableFile(f"{shown(name)} has no numbers in its column {shown(named)}; a loss is a number an epoch.")
    if train is None:
        raise UnreadableFile(
            f"{shown(name)} has no column called loss or train_loss among {listed(names, most=8)}; rename the one that "
            "is."
        )
    validation = _first(columns, lambda n: bool(VALIDATION.search(n)) and bool(LOSS.search(n))) or _first(
        columns, lambda n: bool(VALIDATION.search(n))
    )
    active = _first(columns, lambda n: bool(ACTIVE.search(n)))
    history = _trim(columns[train], *(None if c is None else columns[c] for c in (validation, active)))
    if len(history.train) < FEWEST:
        raise TooFewRows(f"{shown(name)} has {len(history.train)} epochs; a curve's shape needs at least {FEWEST}.")
    read_as = {"training": train, "held out": validation, "active units": active}
    said = "; ".join(f"{part}: {shown(column)}" for part, column in read_as.items() if column)
    return OwnHistory(history, (*packed, *table.notes, f"{said}; {len(history.train)} epochs."))


def _first(columns: dict[str, NDArray[np.float64]], wanted: Callable[[str], bool]) -> str | None:
    return next((name for name in columns if wanted(name)), None)


def _trim(
    train: NDArray[np.float64], validation: NDArray[np.float64] | None, active: NDArray[np.float64] | None
) -> History:
    """End where the loss is no number any more; a gap with losses after it is only left out."""
    finite = np.isfinite(train)
    if validation is not None and not np.isfinite(validation).any():
        validation = None  # a column that nobody filled
    last = int(np.flatnonzero(finite)[-1]) + 1 if finite.any() else 0
    diverged = last < len(train)
    keep = finite & (np.arange(len(train)) < last)
    if validation is not None:
        keep &= np.isfinite(validation)
    shares = None if active is None else np.clip(active[keep & np.isfinite(active)], 0, 1)
    return History(
        train[keep], None if validation is None else validation[keep],
        None if shares is None or not len(shares) else shares, diverged,
    )  # fmt: skip
