"""What became of work that was sent to the cluster, in words for a visitor: a result, an error, or a lost worker."""

import os
from concurrent.futures import CancelledError
from typing import Any

from aecore.errors import JobError, WorkerLost
from aecore.jobs.cluster import REFUSED
from aecore.jobs.worker import Outcome

FETCH_SECONDS = 60.0
_LOST = (
    "The process that did this work was stopped by the system twice, perhaps for want of memory: start it again, or "
    "with fewer data."
)


def lost() -> Outcome:
    """Return the outcome of work whose process is gone."""
    return Outcome(state="failed", error=WorkerLost, message=_LOST)


def because(error: Exception) -> str:
    """Say what a visitor may know of why there are no workers: no address, no path."""
    if os.environ.get("AECORE_SCHEDULER"):
        refused = isinstance(error, JobError)
        return f" ({REFUSED})" if refused else " (the scheduler does not answer)"
    return ""


def fetched(future: Any) -> Outcome:
    """Return the outcome of a piece of work that is done, also where its worker or the line to it is gone."""
    from distributed.scheduler import KilledWorker

    if future.status == "finished":
        try:
            outcome: Outcome = future.result(timeout=FETCH_SECONDS)
            return outcome
        except (CancelledError, OSError):
            return lost()
    if future.status == "error" and not isinstance(error := future.exception(timeout=FETCH_SECONDS), KilledWorker):
        message = "The work could not be done by the worker it was sent to: the log of the server says why."
        return Outcome(state="failed", error=JobError, message=message, log=type(error).__name__)
    return lost()
