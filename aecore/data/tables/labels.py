"""Which column marks the anomalies, and which only look like measurements but are marks."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore.data.readers.messages import count_of, quote
from aecore.data.tables.cells import to_float
from aecore.errors import DataError

LABEL_NAMES = re.compile(r"labels?|(is_?)?(anomal(y|ies|ous)|outliers?|fault|attack)|anomaly_label|ground_truth")
NORMAL = frozenset(  # words that say that all is well, in lower case
    ("normal", "ok", "good", "healthy", "nominal", "regular", "fine", "benign", "none", "no", "no fault", "-", "i.o.")
)
CHANGEPOINT_NAMES = re.compile(r"(is_?)?change_?points?")


class Labels(NamedTuple):
    """Marks [T], 1 where a row is anomalous, and the column they came from."""

    marks: NDArray[np.int8]
    name: str


def take(
    columns: dict[str, pd.Series], notes: list[str], *, wanted: str | None, keep: Collection[str | None]
) -> Labels | None:
    """Remove columns of marks from `columns`; the one that marks anomalies becomes the labels.

    `wanted` names that column, "" says that there is none, None leaves it to names and contents: 0/1 under a telling
    name, the first of several. Columns in `keep` are measurements whatever they are called.
    """
    labels = _take_wanted(columns, wanted, notes) if wanted else None
    for name in [name for name in columns if name not in keep]:
        key = re.sub(r"[\s-]+", "_", name.lower())
        telling = LABEL_NAMES.fullmatch(key)
        if not (telling and wanted != "" or CHANGEPOINT_NAMES.fullmatch(key)):
            continue
        marks, _ = to_float(columns[name], ".", None)
        marks = _from_words(columns[name]) if marks is None and telling else marks
        if marks is None or np.isnan(marks).all() or not np.isin(marks[~np.isnan(marks)], (0.0, 1.0)).all():
            continue
        del columns[name]
        if telling and labels is None:
            labels = Labels(np.nan_to_num(marks).astype(np.int8), name)
            notes.append(_describe(labels))
        else:
            notes.append(f"{quote(name)} holds marks, not measurements, and is left out.")
    return labels


def _take_wanted(columns: dict[str, pd.Series], wanted: str, notes: list[str]) -> Labels:
    """Any number but 0 marks, and any word but those for normal: classes of faults count as well."""
    numbers, _ = to_float(columns[wanted], ".", None)
    numbers = _from_words(columns[wanted]) if numbers is None else numbers
    if numbers is None:
        raise DataError(
            f"{quote(wanted)} holds neither numbers nor the word normal to serve as labels; choose a column of 0 or "
            "normal, and of 1 or the fault's name."
        )
    del columns[wanted]
    labels = Labels((np.nan_to_num(numbers) != 0).astype(np.int8), wanted)
    notes.append(_describe(labels))
    return labels


def _from_words(column: pd.Series) -> NDArray[np.float64] | None:
    """0 where a word says that all is well or the cell is empty, 1 elsewhere; None where no cell says so."""
    words = column.astype("str").str.strip().str.lower().where(column.notna(), "")
    normal = words.isin(NORMAL).to_numpy(dtype=bool)
    empty = words.eq("").to_numpy(dtype=bool)
    return np.where(normal | empty, 0.0, 1.0) if normal.any() else None


def _describe(labels: Labels) -> str:
    marked = count_of(int(labels.marks.sum()), "row")
    return f"{quote(labels.name)} taken as labels ({marked} marked), not as a channel."
