"""The edge of a parser: whatever foreign bytes set off inside becomes one sentence."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from aecore.data.readers.messages import quote
from aecore.errors import AecoreError, UnreadableFile

_log = logging.getLogger(__name__)


@contextmanager
def parser_edge(name: str) -> Iterator[None]:
    """Turn what a parser did not expect of the file ``name`` into `UnreadableFile`.

    The log names the kind of the error and the place, never its message, which may quote the file.
    """
    try:
        yield
    except AecoreError:
        raise
    except MemoryError as error:
        raise UnreadableFile(
            f"{quote(name)} asks for more memory than there is; keep the columns that matter, or every n-th row."
        ) from error
    except Exception as error:  # the parsers are other people's, and so are the bytes
        _log.warning("A parser stopped on an unexpected %s%s.", type(error).__name__, _place(error))
        raise UnreadableFile(
            f"{quote(name)} is damaged or oddly made and cannot be read; export it again, or in another format."
        ) from error


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f" in {trace.tb_frame.f_globals.get('__name__', '?')}, line {trace.tb_lineno}"
