"""What the tests of the applications share."""

from collections.abc import Generator
from typing import Any


def collect(work: Generator[Any, None, Any]) -> tuple[list[Any], Any]:
    """Run work to its end; returns all that it yields, and its result."""
    steps = []
    while True:
        try:
            steps.append(next(work))
        except StopIteration as end:
            return steps, end.value
