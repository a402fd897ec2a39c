"""Logs as JSON lines that hold nothing of a visitor's: no content, no file name, no message of a foreign error.

This program's own messages are written for the log and go in as they are. Of other packages' records the place in their
source goes in, and the template where it is one, never its arguments; of an exception its kind and where it was raised.
Arguments and messages may quote what a visitor sent.
"""

import json
import logging
import os
import re
import sys
import time
import traceback
from types import TracebackType

OURS = "aecore"
# Python gives its warnings to this logger.
WARNINGS = "py.warnings"
# The place and the class of a warning; its words follow and are dropped.
_WARNING = re.compile(r"(\S+:\d+): (\w+):")
# The value json has the helper processes write as this one does.
FORMAT_VARIABLE = "AECORE_LOG"
_FOREIGN = ("streamlit", "uvicorn", "distributed", "tornado", "bokeh", "asyncio", "websockets")


class JsonLines(logging.Formatter):
    """One JSON object a record: time, level, logger, message; facts and where it failed, where there are any."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record as one line."""
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        ours = record.name == OURS or record.name.startswith(f"{OURS}.")
        line: dict[str, object] = {
            "time": f"{at}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage() if ours else str(record.msg) if record.args else "",
        }
        if not ours:
            # A message without arguments may be put together by hand.
            line["from"] = f"{record.pathname}:{record.lineno}"
        if record.name == WARNINGS and (told := _WARNING.match(record.getMessage())):
            line |= {"from": told[1], "message": told[2]}
        facts = getattr(record, "facts", None)
        if ours and isinstance(facts, dict):
            line |= facts
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["at"] = frames(record.exc_info[2])
        return json.dumps(line, ensure_ascii=False, default=str)


class _WithoutHandlers(logging.Logger):
    """The logger of packages that make theirs later: its records go to the root, whatever handler they add."""

    def addHandler(self, hdlr: logging.Handler) -> None:  # noqa: N802 - logging's own name
        """Add it, unless the logger is a package's that has another way to the same place."""
        if self.name.partition(".")[0] not in _FOREIGN:
            super().addHandler(hdlr)


def frames(at: TracebackType | None, most: int = 12) -> list[str]:
    """Say where an exception passed, innermost last, without a line of source or a value."""
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(at)[-most:]]


def install() -> None:
    """Have this process, and the helper processes that it starts, log JSON lines to standard error."""
    os.environ[FORMAT_VARIABLE] = "json"
    logging.setLoggerClass(_WithoutHandlers)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(logging.INFO)
    logging.captureWarnings(True)  # Python's warnings too: their place in a source, never their words
    for name in {*_FOREIGN, *(name for name in root.manager.loggerDict if name.partition(".")[0] in _FOREIGN)}:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.WARNING)


def is_wanted() -> bool:
    """Return whether the process that started this one logs JSON lines."""
    return os.environ.get(FORMAT_VARIABLE) == "json"
