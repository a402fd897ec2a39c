"""A file on disk as blocks of rows: a long Parquet file piece by piece, everything else read whole."""

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from aecore.data.readers import uploads
from aecore.data.readers.archives import MAX_BYTES
from aecore.data.readers.messages import shown
from aecore.data.readers.uploads import Signal
from aecore.errors import SettingError, UnreadableFile

Array = NDArray[np.floating[Any]]

# Values; a Parquet file with more is read in blocks.
HELD = 4_000_000
PARQUET = b"PAR1"


class RowSource(Protocol):
    """Values of a signal and what is known of them before they are all read."""

    rows: int
    channels: tuple[str, ...]
    sample_rate: float | None
    notes: tuple[str, ...]

    def blocks(self) -> Iterator[tuple[Array, NDArray[Any]]]:
        """Yield values [N, C] and clock [N]."""
        ...

    def between(self, first: int, last: int) -> Array:
        """Values of the rows first..last - 1."""
        ...


class WholeSignal:
    """A signal in memory, as one block."""

    def __init__(self, signal: Signal) -> None:
        self._values, self.channels, self.sample_rate = signal.values, signal.channels, signal.sample_rate
        self.rows, self.notes = len(signal.values), signal.notes
        self._clock = np.arange(self.rows) if signal.time is None else signal.time

    def blocks(self) -> Iterator[tuple[Array, NDArray[Any]]]:
        """Yield all there is."""
        yield self._values, self._clock

    def between(self, first: int, last: int) -> Array:
        """Return a slice."""
        return self._values[first:last]


def find_files(names: Sequence[str]) -> list[Path]:
    """Files by their names, and by patterns that no shell has resolved; raises SettingError where none fits."""
    found: list[Path] = []
    for name in names:
        if Path(name).exists() or not any(character in name for character in "*?["):
            found.append(Path(name))
            continue
        fitting = sorted(Path(path) for path in glob.glob(name, recursive=True) if Path(path).is_file())
        if not fitting:
            raise SettingError(f"No file fits the pattern {name!r}; check the folder.")
        found += fitting
    return found


def open_source(path: Path) -> RowSource:
    """Open a file; raises UnreadableFile for what cannot be read or is too large, and what `uploads.read` raises."""
    try:
        with path.open("rb") as file:
            start = file.read(4)
        if start == PARQUET:
            from aecore.data.readers.parquet_blocks import ParquetBlocks

            blocks = ParquetBlocks(path)
            if blocks.rows * len(blocks.channels) > HELD:
                return blocks
        if path.stat().st_size > MAX_BYTES:
            raise UnreadableFile(
                f"{shown(path.name)} is larger than {MAX_BYTES >> 20} MB; write it as Parquet, which has no limit here."
            )
        return WholeSignal(uploads.read(path.name, path.read_bytes()))
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise UnreadableFile(f"{path} could not be read ({reason}); check the path.") from error


# ---------------------------------------------------------------------- the normal stretch
class Edge(NamedTuple):
    """One end of a stretch: a row number, or percent of the rows."""

    value: float
    percent: bool

    def row(self, rows: int) -> int:
        """Row number in a file of so many rows."""
        return round(rows * self.value / 100) if self.percent else int(self.value)


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Rows from ``first`` up to, not including, ``last``; open ends are the file's."""

    first: Edge
    last: Edge

    def __post_init__(self) -> None:
        alike = self.first.percent == self.last.percent or self.first.value == 0
        if alike and not 0 <= self.first.value < self.last.value or self.last.percent and self.last.value > 100:
            raise SettingError(f"the normal stretch must run upwards within the file, got {self}")

    @classmethod
    def parse(cls, text: str) -> "Stretch":
        """Read ``0:400`` (rows), ``0%:30%`` (of the rows), ``:400`` or ``60%:``; raises SettingError for others."""
        first, colon, last = (part.strip() for part in text.partition(":"))
        if not colon:
            raise SettingError(f"the normal stretch must look like 0:400 (rows) or 0%:30%, got {text!r}")
        return cls(first=_edge(first or "0", text), last=_edge(last or "100%", text))

    def within(self, rows: int) -> tuple[int, int]:
        """First row and the row after the last in a file of so many rows; raises SettingError beyond its end."""
        first, last = self.first.row(rows), self.last.row(rows)
        if not 0 <= first < last <= rows:
            raise SettingError(f"the normal stretch must lie within the file's {rows:,} rows, got {first:,}:{last:,}")
        return first, last

    def __str__(self) -> str:
        return ":".join(f"{edge.value:g}{'%' if edge.percent else ''}" for edge in (self.first, self.last))


def _edge(text: str, whole: str) -> Edge:
    number = text.removesuffix("%").strip()
    percent = text.endswith("%")
    try:
        value = float(number) if percent else int(number)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value) or value < 0:
        raise SettingError(f"the normal stretch must look like 0:400 (rows) or 0%:30%, got {whole!r}")
    return Edge(value, percent)
