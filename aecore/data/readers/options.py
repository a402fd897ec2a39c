"""What a visitor may say about a file where the sniffing got it wrong."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from aecore.data.readers.messages import quote
from aecore.errors import SettingError

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "blanks"}
DECIMALS = (".", ",")
ENCODINGS = ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "cp1250", "cp1251", "cp437",
             "mac-roman", "shift_jis", "gb18030")  # fmt: skip
TIME_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "min": 60.0, "h": 3600.0}  # in seconds
MAX_RATE = 1e9  # Hz; no recorder that writes files samples faster


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """How to read a file and what its columns are; None leaves a point to the sniffing.

    ``delimiter``, ``decimal`` and ``encoding`` concern text; ``header`` says whether the first full row holds names,
    in text and spreadsheets. Column names are those of `Signal.roles`. An empty ``time`` or ``label`` means that no
    column is one. A ``sample_rate`` stands in for any time column; ``time_unit`` is that of a time column of numbers.
    """

    delimiter: str | None = None  # a key of DELIMITERS
    decimal: str | None = None  # one of DECIMALS
    encoding: str | None = None  # one of ENCODINGS
    header: bool | None = None
    time: str | None = None  # column name
    time_unit: str | None = None  # a key of TIME_UNITS
    sample_rate: float | None = None  # Hz, above 0 and at most 1e9
    channels: tuple[str, ...] | None = None  # column names, in the order wanted
    label: str | None = None  # column name

    def __post_init__(self) -> None:
        _one_of("delimiter", self.delimiter, DELIMITERS)
        _one_of("decimal", self.decimal, DECIMALS)
        _one_of("encoding", self.encoding, ENCODINGS)
        _one_of("time_unit", self.time_unit, TIME_UNITS)
        rate = self.sample_rate
        if rate is not None and not (math.isfinite(rate) and 0 < rate <= MAX_RATE):
            raise SettingError(
                f"sample_rate must be above 0 and at most {MAX_RATE:g} Hz, got {rate:g}; give rows a second."
            )
        if rate is not None and self.time:
            raise SettingError(
                f"time and sample_rate exclude each other, got {quote(self.time)} and {rate:g} Hz; give one of them."
            )
        if self.decimal == "," == self.delimiter:
            raise SettingError("decimal and delimiter must differ, got ',' for both; change one of them.")
        if self.channels is not None and not self.channels:
            raise SettingError("channels must name at least one column, got none; choose one, or leave it open.")
        for role in (self.time, self.label):
            if role and self.channels and role in self.channels:
                raise SettingError(
                    f"{quote(role)} cannot be a channel and time or label at once; take it out of one of them."
                )
        if self.time and self.time == self.label:
            raise SettingError(f"time and label must be two columns, got {quote(self.time)} for both; change one.")

    def of_text(self) -> ReadOptions:
        """Return the options that concern how text is written; those that concern columns are left to the sniffing."""
        return ReadOptions(
            delimiter=self.delimiter, decimal=self.decimal, encoding=self.encoding, header=self.header
        )  # fmt: skip


def _one_of(name: str, value: str | None, known: Iterable[str]) -> None:
    if value is not None and value not in known:
        choices = ", ".join(repr(choice) for choice in known)
        raise SettingError(f"{name} must be one of {choices}, got {quote(value)}; choose one of them.")
