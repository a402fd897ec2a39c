"""Score pieces of signals in this process or on the workers of a cluster; results come in the order of the pieces.

Values travel to the workers and scores back, so no worker needs the files: at 0.14 million rows a second and worker
that is some megabytes a second. A worker does with a piece exactly what this process would.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from aecore import jobs, store
from aecore.concepts import sensor_anomalies as sensors

if TYPE_CHECKING:
    from aecore.anomaly import AnomalyDetector

Array = NDArray[np.floating[Any]]
Scores = tuple[NDArray[np.float32], NDArray[np.float32]]  # [N], [N, C]
PendingScores = Callable[[], Scores]  # waits where it must; raises what the scoring raised
ScoreRequest = tuple["AnomalyDetector", Array] | None
S = TypeVar("S")

# Pieces read ahead and not yet written: 8 MB each for four channels, and work for as many workers.
UNDER_WAY = 16


def score_here(steps: Iterable[S], make_request: Callable[[S], ScoreRequest]) -> Iterator[tuple[S, PendingScores]]:
    """Score each piece in this process, when its scores are taken."""
    for step in steps:
        yield step, lambda step=step: _score(make_request(step))  # type: ignore[misc]


def score_over_workers(
    steps: Iterable[S], make_request: Callable[[S], ScoreRequest]
) -> Iterator[tuple[S, PendingScores]]:
    """Send pieces to the workers, some ahead of the one whose scores are waited for."""
    waiting: deque[tuple[S, PendingScores]] = deque()
    for step in steps:
        waiting.append((step, _send(make_request, step)))
        if len(waiting) > UNDER_WAY:
            yield waiting.popleft()
    yield from waiting


def score_piece(detector: bytes, values: Array) -> Generator[int, None, Scores]:
    """Score values [N, C] in a worker, in one thread, as this program does it alone."""
    import torch

    yield 0
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return sensors.score_channels(_detector(detector), values)
    finally:
        torch.set_num_threads(threads)


def _send(make_request: Callable[[S], ScoreRequest], step: S) -> PendingScores:
    from aecore.errors import AecoreError

    try:
        request = make_request(step)
        if request is None:
            return lambda: _score(None)
        job = jobs.submit(score_piece, _pack(request[0]), request[1], private=True)
    except AecoreError as error:
        return _make_raising(error)
    return job.result


def _make_raising(error: Exception) -> PendingScores:
    def scores() -> Scores:
        raise error

    return scores


def _score(request: ScoreRequest) -> Scores:
    assert request is not None  # a step without values has an error of its own
    return sensors.score_channels(*request)


@lru_cache(maxsize=2)
def _pack(detector: AnomalyDetector) -> bytes:
    return store.dumps(detector.to_tree())


@lru_cache(maxsize=2)
def _detector(packed: bytes) -> AnomalyDetector:
    from aecore.anomaly.detector import AnomalyDetector

    return AnomalyDetector.from_tree(store.loads(packed))
