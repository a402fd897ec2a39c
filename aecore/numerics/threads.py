"""Linear algebra on one thread, for what a page computes between a control's move and its figure."""

import functools
from contextlib import AbstractContextManager
from typing import Any

from threadpoolctl import ThreadpoolController


@functools.cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()  # looks through all loaded libraries: milliseconds, once


def one_thread() -> AbstractContextManager[Any]:
    """Keep linear algebra to one thread.

    Products of a page's size gain little from a second one, and take several times as long wherever another process
    holds the core that it waits for.
    """
    return _libraries().limit(limits=1, user_api="blas")
