"""Bytes of a text file to UTF-8; what is not text is refused."""

from __future__ import annotations

import re

from aecore.data.readers.messages import count_of, quote
from aecore.errors import UnreadableFile

HEAD = 2**18  # bytes that tell text from binary
FEW = 4  # control characters that may stray into any text
BOMS = (  # longest first: UTF-32's begins with UTF-16's
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
CONTROL = bytes({*range(9), *range(14, 32), 127})


def as_utf8(name: str, data: bytes, known: str | None = None) -> tuple[bytes, list[str]]:
    """Return the text as UTF-8 and notes on its encoding, sniffed unless `known`; binary data is refused."""
    notes: list[str] = []
    marked = next((encoding for bom, encoding in BOMS if data.startswith(bom)), None)
    encoding = known or marked or _utf16_without_bom(data)
    if encoding is None and b"\0" in data:
        nuls = data.count(b"\0")
        if nuls > len(data) // 2:
            raise _binary(name)
        data = data.replace(b"\0", b"")
        notes.append(f"{count_of(nuls, 'zero byte')} taken out.")
    if encoding is None and not _is_utf8(data):
        encoding = "latin-1"
    if encoding is not None:
        data = data.decode(encoding, errors="replace").removeprefix("\ufeff").replace("\0", "").encode()
        if not encoding.startswith("utf-8"):
            notes.append(f"Text is in {encoding.upper()}.")
    if data.count(b"\r") != data.count(b"\r\n"):  # old Macintosh ends: with them the parser miscounts rows to skip
        data = re.sub(rb"\r(?!\n)", b"\n", data)
    head = data[:HEAD]
    if len(head) - len(head.translate(None, CONTROL)) > max(FEW, len(head) // 200):
        raise _binary(name)
    return data, notes


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _utf16_without_bom(data: bytes) -> str | None:
    """Tell UTF-16 by its zero bytes: in plain Western text every second byte is one."""
    head = data[: HEAD // 64 * 2]
    half = len(head) // 2
    if half < 4:
        return None
    even, odd = head[::2].count(0), head[1::2].count(0)
    if odd > 0.7 * half and even < 0.1 * half:
        return "utf-16-le"
    return "utf-16-be" if even > 0.7 * half and odd < 0.1 * half else None


def _binary(name: str) -> UnreadableFile:
    return UnreadableFile(f"{quote(name)} is binary, not text, whatever its name says; export it as CSV.")
