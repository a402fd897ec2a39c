"""What the commands share: progress on standard error, at a pace that suits a screen or a log, and a check of paths."""

import sys
import time
from pathlib import Path

from aecore.data.readers.messages import shown
from aecore.errors import SettingError


class ProgressLine:
    """One line that is written over on a terminal, and a line every few seconds in a log."""

    def __init__(self, what: str) -> None:
        self._what, self._screen, self._shown = what, sys.stderr.isatty(), time.monotonic()
        self._every = 0.2 if self._screen else 5.0  # seconds
        self._open = False

    def show(self, part: str, share: float) -> None:
        """Say how far a part is, unless something was said a moment ago."""
        now = time.monotonic()
        if now - self._shown >= self._every:
            self._shown, self._open = now, self._screen
            line = f"{self._what}: {part}, {share:4.0%}"
            print(f"\r{line}\033[K" if self._screen else line, end="" if self._screen else "\n",
                  file=sys.stderr, flush=True)  # fmt: skip

    def say(self, text: str) -> None:
        """Write a line that stays."""
        if self._open:
            print("\r\033[K", end="", file=sys.stderr)
            self._open = False
        print(f"{self._what}: {text}", file=sys.stderr, flush=True)


def check_target(path: Path) -> None:
    """Raise SettingError where no file can be written at a path; called before work that takes long."""
    if path.is_dir():
        raise SettingError(f"{shown(str(path))} is a folder; give the name of a file.")
    if not path.parent.is_dir():
        raise SettingError(f"There is no folder {shown(str(path.parent))} to write into; make it first.")
