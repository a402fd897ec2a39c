"""How a text table is written, judged by its first rows: delimiter, decimal mark, header, units."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from aecore.data.readers.messages import quote
from aecore.data.readers.options import DELIMITERS, ReadOptions
from aecore.errors import UnreadableFile

HEAD = 2**18  # bytes that are sniffed: a hundred rows of a wide log
LONG_HEAD = 2**21  # where the first line alone is longer than that
LOOK_BELOW = 5  # rows under the first numbers in which the names may still come
HEAD_ROWS = 100  # rows that decide; more would only cost time
MISSING = ("-", "--", "---", "?", ".", "n.a.", "NaN.", "#VALUE!", "#DIV/0!", "#REF!", "#NUM!", "Bad", "No Data")
NOTHING = frozenset({"", "nan", "null", "none", "na", "n/a", "#n/a", *(word.lower() for word in MISSING)})
UNIT = re.compile(
    r"m?s|us|µs|ns|min|h|m?a|[mk]?v|k?w|k?hz|rpm|1/min|(°|deg)?[ck]|m?bar|[km]?pa|%|g|m/s[2²]?|km/h|n|nm|m?m|l/min|m3/h|"
    r"deg|°|rad(/s)?|ohm|k?g|-|#"
)
NUMBER = re.compile(
    r"[+-]?(?:(?:\d{1,3}(?:[ '.,\u00a0\u202f]\d{3})+|\d+)(?:\.\d*|,\d+)?|[.,]\d+)(?:e[+-]?\d+)?"
    r"|[+-]?(?:nan|inf|infinity)",
    re.IGNORECASE,
)
CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[AP]M)?(?:Z|[+-]\d{2}:?\d{2})?"
WHEN = re.compile(rf"\d{{1,4}}[-/.](?:\d{{1,2}}|[a-z]{{3}})[-/.]\d{{1,4}}(?:[ T]{CLOCK})?|{CLOCK}", re.IGNORECASE)
GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+")


class Layout(NamedTuple):
    """How a text table is written."""

    delimiter: str
    decimal: str
    thousands: str | None
    skip: int  # rows before the first one of values, blank ones included
    names: tuple[str, ...]  # one a column, "" where the file gives none
    preamble: int  # rows left out above the header


def sniff(name: str, text: bytes, options: ReadOptions) -> Layout:
    """Return how the table in `text` (UTF-8) is written, judged by its first rows and by what `options` settle."""
    head = text[:HEAD] if b"\n" in text[: HEAD // 2] or b"\r" in text[: HEAD // 2] else text[:LONG_HEAD]
    decoded = head.decode("utf-8", errors="ignore")
    if not decoded.strip():
        raise UnreadableFile(f"{quote(name)} holds nothing but blank lines; export it again and check its content.")
    named = re.match(r"sep=(.)\r?\n", decoded)  # a spreadsheet's own hint
    settled = options.delimiter or (named[1] if named and named[1] in DELIMITERS else None)
    candidates = {d: _rows(decoded, d) for d in ([settled] if settled else DELIMITERS)}
    delimiter = max(candidates, key=lambda d: _fitness(candidates[d]))
    rows = candidates[delimiter][1:] if named else candidates[delimiter]
    if len(text) > len(head) and len(rows) < 3:
        raise UnreadableFile(f"{quote(name)} has lines too long for a table; export it as CSV, one row a line.")
    if len(text) > len(head):
        rows = rows[:-1]  # the head may end inside a row
    return layout(name, rows, delimiter, options)


def _rows(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """Return the first rows as (number in the file, cells); blank rows count but are left out."""
    source = io.StringIO(text, newline="")
    rows: list[tuple[int, list[str]]] = []
    if delimiter == " ":
        found: Iterator[list[str]] = (re.split(r"[ \t]+", line.strip(" \t\r\n")) for line in source)
    else:
        found = csv.reader(source, delimiter=delimiter, skipinitialspace=True)
    try:
        for number, row in enumerate(found, start=1):
            cells = [cell.strip() for cell in row]
            if any(cells):
                rows.append((number, cells))
            if len(rows) == HEAD_ROWS:
                break
    except csv.Error:  # a cell beyond the csv module's limit: what came before it decides
        pass
    return rows


def _fitness(rows: Sequence[tuple[int, list[str]]]) -> tuple[bool, float]:
    """Rank a delimiter: several columns first, then rows alike in width and cells that are numbers or times."""
    body = [cells for _, cells in rows[1:]] or [cells for _, cells in rows]
    if not body:
        return False, 0.0
    width, alike = Counter(map(len, body)).most_common(1)[0]
    cells = [cell for row in body for cell in row if cell]
    values = sum(is_value(cell) for cell in cells) / max(1, len(cells))
    return width > 1, alike / len(body) * (0.1 + values)


def is_value(cell: str) -> bool:
    """Tell whether a cell is a number or a time, in any of the usual ways of writing one."""
    return NUMBER.fullmatch(cell) is not None or WHEN.fullmatch(cell) is not None


def layout(name: str, rows: Sequence[tuple[int, list[str]]], delimiter: str, options: ReadOptions) -> Layout:
    """Examine the first rows, given as (number in the file from 1 on, cells); blank rows are left out of them."""
    if not rows:
        raise UnreadableFile(
            f"{quote(name)} holds no rows that can be told apart; export it as CSV with one row a line."
        )
    width = Counter(len(cells) for _, cells in rows).most_common(1)[0][0]
    header = _header_rows(rows, width) if options.header is None else _told_header(rows, width, options.header)
    above = [cells for _, cells in rows[:header]]
    while header < len(rows) and len(rows[header][1]) > width:
        header += 1  # a first row too long would set the width for all others
    body = [cells for _, cells in rows[header:]]
    if not body:
        raise UnreadableFile(f"{quote(name)} holds a header but no rows under it; export it with its values.")
    names, preamble = _names(above, body, width) if options.header is not False else (("",) * width, header)
    decimal, thousands = _number_style(body, delimiter)
    if options.decimal is not None:
        decimal, thousands = options.decimal, "." if options.decimal == "," else ","
    skip = rows[header][0] - 1
    return Layout(delimiter, decimal, thousands, skip, names, preamble)


def _header_rows(rows: Sequence[tuple[int, list[str]]], width: int) -> int:
    """Return how many rows stand above the values: preamble, names and units."""
    for above, (_, cells) in enumerate(rows):
        numbered = cells[0] == "" and cells[1:] == [str(n) for n in range(len(cells) - 1)]  # ",0,1,2": a frame's names
        if numbered or _is_text(cells) or not min(width, 2) <= len(cells) <= width or _is_comment(cells):
            continue
        below = [row for _, row in rows[above + 1 : above + 1 + LOOK_BELOW]]
        if any(
            cell.lower() not in NOTHING and not is_value(cell) for cell in cells
        ):  # "Serial, 77", or a row of values?
            headers = [n for n, row in enumerate(below, start=above + 2) if _is_text(row) and len(row) == width]
            if headers:
                return headers[-1]
        return 1 if above == 0 and _heads(cells, below) else above
    return 1


def _told_header(rows: Sequence[tuple[int, list[str]]], width: int, named: bool) -> int:
    """Return how many rows stand above the values where the first full row is known to hold names, or values."""
    first = next(n for n, (_, cells) in enumerate(rows) if len(cells) == width)
    if not named:
        return first
    units = first + 1 < len(rows) and _is_text(rows[first + 1][1]) and _are_units(rows[first + 1][1])
    return first + 1 + units


def _is_text(cells: Sequence[str]) -> bool:
    """Tell whether a row holds words and no value, nor a row of nothing but marks for missing values."""
    words = [cell for cell in cells if cell.lower() not in NOTHING]
    return bool(words) and not any(is_value(cell) for cell in words)


def _heads(cells: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Tell whether a row with some numbers is a header all the same: it has text where the rows below have numbers."""
    alike = [row for row in below if len(row) == len(cells)]
    texts = [c for c, cell in enumerate(cells) if cell.lower() not in NOTHING and not is_value(cell)]
    return any(is_value(row[c]) for c in texts for row in alike)


def _names(above: Sequence[list[str]], body: Sequence[list[str]], width: int) -> tuple[tuple[str, ...], int]:
    """Return (a name a column, rows of preamble) from what stands above the values."""
    rows = [_strip_comment(row) if _is_comment(row) else row for row in above]
    if not rows:
        return ("",) * width, 0
    last = len(rows) - 1
    named_above = last > 0 and len(rows[last - 1]) >= len(rows[last]) and _is_text(rows[last - 1])
    first = last - 1 if named_above and _are_units(rows[last]) else last
    names = rows[first]
    partly = not _is_comment(above[first]) and 2 * sum(map(bool, names)) > width  # a header may lack its last cells
    if len(names) != width and not partly:
        return ("",) * width, len(rows)
    if len(names) == width - 1 and WHEN.fullmatch(body[0][0]) and ":" in body[0][1]:
        names = [names[0], "clock", *names[1:]]  # "2024-01-01 10:00:00 1.5" under "time value", parted by blanks
    names = [*names, *[""] * width][:width]
    if first < last:
        units = [*rows[last], *[""] * width][:width]
        pairs = [(name, unit.strip("[]() ")) for name, unit in zip(names, units, strict=True)]
        names = [f"{name} [{unit}]" if name and unit else name for name, unit in pairs]
    return tuple(names), first


def _are_units(cells: Sequence[str]) -> bool:
    """Tell whether a row under the names holds their units."""
    bare = [cell.strip("[]() ").lower() for cell in cells]
    return all(len(cell) <= 8 for cell in bare) and any(UNIT.fullmatch(cell) for cell in bare)


def _is_comment(cells: Sequence[str]) -> bool:
    return cells[0][:1] in ("#", "%") and cells[0].lower() not in NOTHING


def _strip_comment(cells: list[str]) -> list[str]:
    first = cells[0].lstrip("#% ")
    return [first, *cells[1:]] if first else cells[1:]


def _number_style(body: Sequence[list[str]], delimiter: str) -> tuple[str, str | None]:
    """Return (decimal mark, thousands mark or None) as the cells write them."""
    cells = [cell for row in body for cell in row if not WHEN.fullmatch(cell) and NUMBER.fullmatch(cell)]
    commas = [cell for cell in cells if "," in cell]
    if not commas:
        return (",", ".") if any(cell.count(".") > 1 for cell in cells) else (".", None)
    if any(0 <= cell.rfind(".") < cell.rfind(",") for cell in commas):
        return ",", "."
    grouped = all(GROUPED.fullmatch(cell.partition(".")[0]) for cell in commas)
    sure = delimiter == "," or any(cell.count(",") > 1 for cell in commas) or any("." in cell for cell in cells)
    return (".", ",") if grouped and sure else (",", None)
