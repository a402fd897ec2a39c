"""Linear algebra on one thread, for small matrices beside other work."""

import functools
from contextlib import AbstractContextManager
from typing import Any

from threadpoolctl import ThreadpoolController


@functools.cache
def _libraries(openmp: bool) -> ThreadpoolController:
    """Look through all libraries loaded so far, which takes milliseconds.

    Those who limit OpenMP ask for it with torch loaded, those of a page mostly before.
    """
    return ThreadpoolController()


def one_thread(*, openmp: bool = False) -> AbstractContextManager[Any]:
    """Keep linear algebra to one thread, and give the others back afterwards; with ``openmp``, torch's loops too.

    Small products gain little from a second thread, and take several times as long wherever another process holds the
    core that it waits for.
    """
    return _libraries(openmp).limit(limits=1, user_api=None if openmp else "blas")
