"""Work as generators: each yield is progress, and what the generator returns is its result."""

from collections.abc import Callable, Generator
from contextlib import closing
from typing import TypeVar

Progress = TypeVar("Progress")
Changed = TypeVar("Changed")
Result = TypeVar("Result")


def finish(work: Generator[Progress, None, Result], show: Callable[[Progress], object] | None = None) -> Result:
    """Run a generator to its end and return its result; ``show`` is called with each progress on the way."""
    while True:
        try:
            progress = next(work)
        except StopIteration as end:
            result: Result = end.value
            return result
        if show is not None:
            show(progress)


def relay(
    work: Generator[Progress, None, Result], change: Callable[[Progress], Changed]
) -> Generator[Changed, None, Result]:
    """Yield what ``change`` makes of each progress of a generator, and return its result.

    ``work`` is closed where this generator is.
    """
    with closing(work):
        while True:
            try:
                progress = next(work)
            except StopIteration as end:
                result: Result = end.value
                return result
            yield change(progress)
