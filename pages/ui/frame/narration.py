"""The words on the pages: ``assets/text/<page>.md``, by section."""

import functools
import re
import time

import streamlit as st

from aecore.paths import ROOT

TEXT = ROOT / "assets" / "text"


@functools.cache
def _sections(page: str, _mtime: int) -> dict[str, str]:
    text = (TEXT / f"{page}.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    sections = {name.strip(): body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}
    return {"title": parts[0].strip().removeprefix("# ")} | sections


def sections(page: str) -> dict[str, str]:
    """All sections of a page by name; ``title`` is the first heading."""
    return _sections(page, _read_mtime(page, int(time.monotonic())))


@functools.lru_cache(maxsize=64)
def _read_mtime(page: str, _second: int) -> int:
    """Return when a page's file was written, looked up once a second: a run asks for dozens of texts."""
    return (TEXT / f"{page}.md").stat().st_mtime_ns


def text(page: str, section: str) -> str:
    """One section of a page."""
    return sections(page)[section]


def say(page: str, section: str) -> None:
    """Write one section of a page's text."""
    st.markdown(text(page, section))
