"""A piece of work and the handles on it, as the server sees them; safe to use from any thread."""

import threading
import time
import uuid
from collections.abc import Callable, Generator, Iterable
from functools import partial
from typing import Any, Literal, TypeAlias

from aecore.errors import AecoreError, JobCancelled, JobError
from aecore.jobs.worker import Outcome, loads

Task: TypeAlias = Callable[..., Generator[Any, None, Any]]
State: TypeAlias = Literal["queued", "running", "done", "failed", "cancelled"]

MAX_PROGRESS = 2000  # more points than a loss curve has pixels


class Progress:
    """What a task yielded: the latest, and at most `MAX_PROGRESS` evenly spread entries."""

    def __init__(self, entries: Iterable[Any] = ()) -> None:
        self.entries: list[Any] = list(entries)
        self.latest: Any = self.entries[-1] if self.entries else None
        self._count = 0
        self._stride = 1

    def add(self, entry: Any) -> None:
        """Take one more entry; where there is no room left, every second one of the old goes."""
        if self._count % self._stride == 0:
            if len(self.entries) == MAX_PROGRESS:
                self.entries = self.entries[::2]
                self._stride *= 2
            if self._count % self._stride == 0:
                self.entries.append(entry)
        self._count += 1
        self.latest = entry


class Work:
    """One run of one task; several handles may share it."""

    def __init__(
        self,
        payload: bytes,
        lane: str,
        *,
        private: bool,
        stop: Callable[["Work"], None],
        end: Callable[["Work"], None] = lambda work: None,
    ) -> None:
        self.id = uuid.uuid4().hex
        self.payload = payload
        self.lane = lane
        self.private = private
        self.end = end  # what is to be done with the value before anybody sees it
        self.state: State = "queued"
        self.value: bytes | None = None  # the result, still packed: every handle unpacks a copy of its own
        self.error: Callable[[], AecoreError] | None = None  # made anew for every handle that raises it
        self.ended: float | None = None
        self.abandoned = False
        self.restarts = 0  # how often the process that did it died, and another began
        self.ahead = 0  # how many wait in front of it
        self.stored = True  # whether what should be on disk is there
        self._stop = stop
        self._handles = 1  # its maker's
        self._progress = Progress()
        self._lock = threading.Lock()
        self._finished = threading.Event()

    @classmethod
    def kept(cls, value: bytes, progress: list[Any]) -> "Work":
        """Work that was done before and found on disk."""
        work = cls(b"", "long", private=False, stop=lambda work: None)
        work._progress = Progress(progress)
        work.finish(Outcome(state="done", value=value))
        return work

    def join(self) -> bool:
        """Count one more handle; False where all others have let go and the work is being stopped."""
        with self._lock:
            if self.abandoned:
                return False
            self._handles += 1
            return True

    def leave(self) -> None:
        """Count one handle less; the last one stops the work."""
        with self._lock:
            self._handles -= 1
            self.abandoned = self._handles == 0 and not self._finished.is_set()
        if self.abandoned:
            self._stop(self)

    def start(self) -> None:
        """Note that a worker has begun."""
        with self._lock:
            if not self._finished.is_set():
                self.state = "running"

    def again(self) -> None:
        """Go back to the beginning: the process that did it has died."""
        with self._lock:
            self.state = "queued"
            self.restarts += 1
            self._progress = Progress()

    def add(self, packed: Iterable[bytes]) -> None:
        """Take progress as the worker packed it."""
        entries = [loads(data, self.private) for data in packed]
        with self._lock:
            if not self._finished.is_set():
                for entry in entries:
                    self._progress.add(entry)

    def finish(self, outcome: Outcome) -> None:
        """Note how it ended; the first word counts. Called in one thread only, which also calls `end`."""
        self.add(outcome.rest)
        if self._finished.is_set():
            return
        self.value = outcome.value
        self.end(self)
        with self._lock:
            self.state = outcome.state
            if outcome.error is not None:
                self.error = partial(outcome.error, outcome.message)
            self.ended = time.monotonic()
            self.payload = b""  # a visitor's data are not kept longer than needed
            self._finished.set()

    def wait(self, timeout: float | None) -> bool:
        """Wait for the end; False where it has not come in time."""
        return self._finished.wait(timeout)

    def progress(self) -> list[Any]:
        """Copy the list of what was yielded so far."""
        with self._lock:
            return list(self._progress.entries)

    def latest(self) -> Any:
        """Look at what was yielded last."""
        with self._lock:
            return self._progress.latest


class Job:
    """A handle on submitted work; `aecore.jobs.submit` makes them."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._submitted = time.monotonic()
        self._left: float | None = None
        self._value: Any = None
        self._unpacked = False
        self.cached: bool = work.state == "done"

    def __repr__(self) -> str:
        return f"<Job {self.state}, {self.seconds:.1f} s>"

    @property
    def state(self) -> State:
        """Where it stands; ``cancelled`` as soon as this handle has cancelled."""
        return "cancelled" if self._left is not None else self._work.state

    @property
    def settled(self) -> bool:
        """Whether the work has ended."""
        return self._work.ended is not None

    @property
    def partial(self) -> Any | None:
        """What a cancelled task returned, once it has ended."""
        return None

    @property
    def ahead(self) -> int:
        """How many pieces of work wait in front of this one; 0 where it is next, or waits no more."""
        return self._work.ahead

    @property
    def restarts(self) -> int:
        """How often it began anew because the process that did it had died."""
        return self._work.restarts

    @property
    def kept(self) -> bool:
        """False where the disk did not take a result that it should hold."""
        return self._work.stored

    @property
    def latest(self) -> Any:
        """The last thing the task yielded, or None."""
        return self._work.latest()

    @property
    def progress(self) -> list[Any]:
        """All that the task yielded so far; thinned evenly beyond `MAX_PROGRESS` entries."""
        return self._work.progress()

    @property
    def seconds(self) -> float:
        """Seconds from submission until now, or until the end."""
        ended = self._work.ended if self._left is None else self._left
        return max(0.0, (time.monotonic() if ended is None else ended) - self._submitted)

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the result; each handle gets a copy of its own.

        Raises
        ------
        AecoreError
            What the task raised: same class, same message.
        JobCancelled
            Where this handle, or the server's end, stopped it.
        WorkerLost
            Where the process that did the work died, twice.
        JobError
            Where the task failed on anything else, or `timeout` seconds were not enough.
        """
        if self._left is None and not self._work.wait(timeout):
            raise JobError(f"The work has not ended within {timeout:g} s: ask again later.")
        if self._left is not None or self._work.state == "cancelled":
            raise JobCancelled("The work was cancelled: start it again if you still want its result.")
        if self._work.error is not None:
            raise self._work.error()
        if not self._unpacked:
            self._value, self._unpacked = loads(self._work.value or b"", self._work.private), True
        return self._value

    def cancel(self) -> None:
        """Let go of the work; it stops, within a second of its next yield, when its last handle has let go."""
        if self._left is None and self._work.ended is None:
            self._left = time.monotonic()
            self._work.leave()
