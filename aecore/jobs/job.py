"""A piece of work and the handles on it, as the server sees them; safe to use from any thread."""

import threading
import time
import uuid
import weakref
from collections.abc import Callable, Generator, Iterable
from typing import Any, Literal, TypeAlias

from aecore.errors import JobCancelled, JobError
from aecore.jobs.held import Handle
from aecore.jobs.running import Outcome
from aecore.jobs.serialization import Packed, make_error, unpack
from aecore.memory import Charge

Task: TypeAlias = Callable[..., Generator[Any, None, Any]]
State: TypeAlias = Literal["queued", "running", "done", "failed", "cancelled"]

# These are more points than a loss curve has pixels.
MAX_PROGRESS = 2000


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
        payload: Packed | None,
        lane: str,
        *,
        private: bool,
        stop: Callable[["Work"], None],
        isolated: bool = False,
        handles: tuple[Handle, ...] = (),
        charge: Charge | None = None,
        end: Callable[["Work"], None] = lambda work: None,
    ) -> None:
        self.id = uuid.uuid4().hex
        self.payload = payload
        self.lane = lane
        self.private = private
        self.isolated = isolated
        self.handles = handles  # kept until the end: what they stand for must not go while this waits
        self.end = end  # what is to be done with the value before anybody sees it
        self.state: State = "queued"
        self.value: Packed | None = None  # the result, packed, until every handle has unpacked a copy of its own
        self.partial: Packed | None = None  # what a cancelled or overdue task had made
        self.handle: Handle | None = None
        self.error: tuple[str, str] | None = None  # class and message; made anew for every handle that raises it
        self.ended: float | None = None
        self.abandoned = False
        self.restarts = 0  # how often the process that did it died, and another began
        self.losses = 0  # how many of these deaths may have been its own fault
        self.ahead = 0  # how many wait in front of it
        self.stored = True  # whether what should be on disk is there
        self._payload_charge = charge
        self._result_charge: Charge | None = None  # for as long as a handle, and with it the result, is here
        self._stop = stop
        self._count = 1  # its maker's handle
        self._readers: weakref.WeakSet[Job] = weakref.WeakSet()  # the handles that have not unpacked the result
        self._progress = Progress()
        self._lock = threading.Lock()
        self._finished = threading.Event()

    @classmethod
    def from_disk(cls, value: bytes, progress: list[Any]) -> "Work":
        """Work that was done before and found on disk."""
        work = cls(None, "long", private=False, stop=lambda work: None)
        work._progress = Progress(progress)
        work.finish(Outcome(state="done", value=Packed("tree", [value])))
        return work

    @property
    def run_id(self) -> str:
        """Name of the present attempt."""
        return f"{self.id}-{self.restarts}"

    def join(self) -> bool:
        """Count one more handle; False where all others have let go and the work is being stopped."""
        with self._lock:
            if self.abandoned or self._finished.is_set():
                return False
            self._count += 1
            return True

    def leave(self) -> bool:
        """Count one handle less; True where it was the last, which stops the work."""
        with self._lock:
            self._count -= 1
            self.abandoned = self._count == 0 and not self._finished.is_set()
        if self.abandoned:
            self._stop(self)
        return self.abandoned

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

    def add(self, entries: Iterable[Packed]) -> None:
        """Take progress as the worker packed it."""
        unpacked = [unpack(entry) for entry in entries]
        with self._lock:
            if not self._finished.is_set():
                for entry in unpacked:
                    self._progress.add(entry)

    def finish(self, outcome: Outcome, handle: Handle | None = None) -> None:
        """Record the outcome; later calls change nothing. One thread only calls this; it calls `end`, too."""
        if self._finished.is_set():
            return
        self._result_charge = outcome.charge
        if outcome.state == "done":
            self.value = outcome.value
        else:
            self.partial = outcome.value
        self.end(self)
        with self._lock:
            self.state = outcome.state
            self.handle = handle
            if outcome.state == "failed":
                self.error = (outcome.error, outcome.message)
            self.ended = time.monotonic()
            self.payload = self._payload_charge = None  # a visitor's data are not kept longer than needed
            self.handles = ()
            self._finished.set()

    def wait(self, timeout: float | None) -> bool:
        """Wait for the end; False where it has not come in time."""
        return self._finished.wait(timeout)

    def progress(self) -> list[Any]:
        """Copy the list of what was yielded so far."""
        with self._lock:
            return list(self._progress.entries)

    def latest(self) -> Any:
        """Return what was yielded last."""
        with self._lock:
            return self._progress.latest

    def add_reader(self, job: "Job") -> None:
        """Note a handle that will want the result."""
        with self._lock:
            self._readers.add(job)

    def drop_reader(self, job: "Job") -> None:
        """Note that a handle has unpacked the result, or will not; the last of them drops the packed one."""
        with self._lock:
            self._readers.discard(job)
            if self._finished.is_set() and not self._readers:
                self.value = None


class Job:
    """A handle on submitted work; `aecore.jobs.submit` makes them."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._submitted = time.monotonic()
        self._left: float | None = None
        self._last = False  # whether its leaving stopped the work
        self._value: Any = None
        self._partial: Any = None
        self._unpacked = False
        self._lock = threading.Lock()
        self.cached: bool = work.state == "done"
        work.add_reader(self)

    def __repr__(self) -> str:
        return f"<Job {self.state}, {self.seconds:.1f} s>"

    @property
    def state(self) -> State:
        """Where it stands; ``cancelled`` as soon as this handle has cancelled."""
        return "cancelled" if self._left is not None else self._work.state

    @property
    def settled(self) -> bool:
        """Whether nothing more comes: the work has really ended, or goes on for other handles only."""
        return self._work.ended is not None or self._left is not None and not self._last

    @property
    def partial(self) -> Any:
        """What a cancelled or overdue task had made, once `settled`; None where that is nothing."""
        if self._work.ended is None or self._left is not None and not self._last:
            return None
        with self._lock:
            if self._partial is None and self._work.partial is not None:
                self._partial = unpack(self._work.partial)
                self._work.partial = None  # only one handle is left when work is cancelled
            return self._partial

    @property
    def handle(self) -> Handle | None:
        """The value that the task left in its worker (`aecore.jobs.Held`), once it has ended."""
        return self._work.handle

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
        TimeExceeded
            Where it took longer than work in its lane may; `partial` may hold what it had made.
        DataGone
            Where a value that it was given by its handle is in no process any more.
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
            raise make_error(*self._work.error)
        with self._lock:
            if not self._unpacked:
                value = self._work.value
                self._value = None if value is None else unpack(value)
                self._unpacked = True
                self._work.drop_reader(self)
        return self._value

    def cancel(self) -> None:
        """Let go of the work; it stops, within a second of its next yield, when its last handle has let go.

        What the task then returns is `partial`, once this handle has `settled`.
        """
        with self._lock:
            if self._left is not None or self._work.ended is not None:
                return
            self._left = time.monotonic()
        self._last = True  # until the work says otherwise: a look in between must not find it settled
        self._last = self._work.leave()
        self._work.drop_reader(self)
