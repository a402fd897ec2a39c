"""Tables on disk that grow block by block, CSV or Parquet; they appear under their name once they are whole."""

import os
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, Self

import pandas as pd

from aecore import export
from aecore.errors import StoreError

Format = Literal["csv", "parquet"]


class TableWriter:
    """A table that is written in blocks; a context manager: left with an error, it leaves nothing behind.

    Raises StoreError where the place cannot be written to.
    """

    def __init__(self, path: Path, kind: Format) -> None:
        self._path, self._kind = path, kind
        self._draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        self._file: IO[bytes] | None = None
        self._parquet: Any = None

    def __enter__(self) -> Self:
        def start() -> None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._draft.open("wb")

        self._try(start)
        return self

    def add(self, table: pd.DataFrame) -> None:
        """Write more rows; all have the columns of the first."""
        self._try(lambda: self._add_parquet(table) if self._kind == "parquet" else self._add_csv(table))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self._try(self._finish)
        else:
            self._close()
            self._draft.unlink(missing_ok=True)

    def _add_csv(self, table: pd.DataFrame) -> None:
        assert self._file is not None
        text = export.csv(table)
        self._file.write(text if self._file.tell() == 0 else text.partition(b"\n")[2])

    def _add_parquet(self, table: pd.DataFrame) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        rows = pa.Table.from_pandas(table, preserve_index=False)
        if self._parquet is None:
            self._parquet = pq.ParquetWriter(self._file, rows.schema)
        self._parquet.write_table(rows.cast(self._parquet.schema))

    def _close(self) -> None:
        if self._parquet is not None:
            self._parquet.close()
        if self._file is not None:
            self._file.close()

    def _finish(self) -> None:
        self._close()
        os.replace(self._draft, self._path)

    def _try(self, step: Callable[[], None]) -> None:
        try:
            step()
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise StoreError(f"{self._path} could not be written ({reason}); choose another place.") from error


def name_results(files: list[Path]) -> list[str]:
    """Find a name for each file's results: its own without the endings, numbered where two would be the same."""
    taken: set[str] = set()
    out = []
    for file in files:
        base = file.name.partition(".")[0] or file.name.lstrip(".")
        name, copy = base, 2
        while name in taken:
            name, copy = f"{base}-{copy}", copy + 1
        taken.add(name)
        out.append(name)
    return out
