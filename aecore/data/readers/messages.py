"""Names and counts as they stand in a sentence for the screen; names from files are bounded, never interpreted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

NAME_LENGTH = 60  # a name has to fit a chart's legend


def quote(name: str) -> str:
    """Return a file's or column's name in quotes, printable, on one line and of at most 60 characters."""
    return f"'{one_line(name)}'"


def clean_names(names: Sequence[str]) -> tuple[str, ...]:
    """Strip, bound and number names so that each is printable, non-empty and unique."""
    taken: set[str] = set()
    cleaned = []
    for number, name in enumerate(names, start=1):
        base = one_line(name) or f"column {number}"
        unique, copy = base, 2
        while unique in taken:
            unique, copy = f"{base} ({copy})", copy + 1
        taken.add(unique)
        cleaned.append(unique)
    return tuple(cleaned)


def list_names(names: Iterable[str], most: int = 5) -> str:
    """Return names for a sentence, `most` of them at most."""
    names = list(names)
    rest = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def count_of(count: int, noun: str) -> str:
    """Return a count and its noun, ``1 row`` or ``2,000 rows``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def one_line(text: str, most: int = NAME_LENGTH) -> str:
    """Return foreign text printable, on one line and of at most so many characters.

    That is what a core function owes to whoever prints its sentences; the marks of Markdown and HTML are left in, and
    are escaped where the text is shown.
    """
    kept = "".join(character if character.isprintable() else " " for character in text[: 4 * most])
    kept = " ".join(kept.split())
    return kept if len(kept) <= most else kept[: most - 1] + "…"
