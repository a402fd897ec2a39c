"""Dispatch work to the cluster: one queue per lane, one thread that owns the cluster and talks to it.

The queues are kept here and not on the scheduler, so that a worker's death costs only the tasks it was doing, and a
visitor's waiting data have not left the server. `Dispatcher.loop` and all that stands below it run in that one thread.
"""

import atexit
import logging
import os
import queue
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, replace
from typing import Any

from aecore.errors import AecoreError, JobError, TooBusy
from aecore.jobs.cluster import REFUSED, Cluster, Refused, can_reach
from aecore.jobs.held import Handle
from aecore.jobs.job import Work
from aecore.jobs.running import Outcome, make_failure
from aecore.jobs.serialization import Packed

LANES = ("long", "short")

# A task that has not ended so many seconds after its cancellation goes down with its process.
STOP_SECONDS = 10.0
# The same for a task in a process of its own, which holds nothing else.
ISOLATED_STOP_SECONDS = 2.0
# A task in the short lane may run for so long; `limit` returns the long lane's time.
SHORT_SECONDS = 60.0
LONG_MINUTES = 30.0
THREAD = "aecore-jobs"
# Seconds between two checks for lost workers and overdue tasks; all other news comes by itself.
POLL_SECONDS = 0.1

# Pieces of work that may wait in a lane; `Dispatcher.admit` refuses more.
MAX_WAITING = 100

_LOST = (
    "The process that did this work was stopped by the system twice, perhaps for want of memory: start it again, or "
    "with fewer data."
)
_log = logging.getLogger(__name__)


def limit(lane: str) -> float:
    """Return the seconds that a task may run in a lane; ``$AECORE_LONG_MINUTES`` sets the long one's."""
    if lane == "short":
        return SHORT_SECONDS
    return 60 * float(os.environ.get("AECORE_LONG_MINUTES") or LONG_MINUTES)


@dataclass
class _Running:
    work: Work
    future: Any
    address: str | None = None  # of the worker, once it has begun
    began: float = 0.0
    overdue: bool = False  # its time was over
    end_at: float | None = None  # when it is ended, if it has not stopped by then
    spared: bool = False  # its process was ended for another one's sake


class _Thread(threading.Thread):
    """The one thread; it can be found again when the module that started it cannot."""

    def __init__(self, owner: "Dispatcher") -> None:
        super().__init__(target=owner.loop, daemon=True, name=THREAD)
        self.owner = owner


class Dispatcher:
    """One queue per lane, and the cluster that works on them."""

    def __init__(self) -> None:
        self._inbox: queue.SimpleQueue[tuple[Callable[..., None], tuple[Any, ...]]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._thread_lock = threading.Lock()
        self.queues: dict[str, deque[Work]] = {lane: deque() for lane in LANES}
        self._running: dict[str, _Running] = {}  # by the name of the attempt
        self.cluster: Cluster | None = None
        self._held: set[str] = set()  # the values that workers hold for this server

    # ---- from any thread

    def admit(self, lane: str) -> None:
        """Raise TooBusy where no more work may wait in a lane."""
        if (waiting := len(self.queues[lane])) >= MAX_WAITING:
            raise TooBusy(f"{waiting} others are waiting for the same machine already: try again in some minutes.")

    def submit(self, work: Work) -> None:
        """Queue work in its lane; returns at once."""
        self._post(self._enqueue, work)

    def cancel(self, work: Work) -> None:
        """Stop work that nobody waits for any more; returns at once."""
        self._post(self._cancel, work)

    def release(self, name: str, address: str) -> None:
        """Have a worker let a held value go; returns at once.

        Finalizers call this, perhaps in a thread that is inside `_post`, so it takes no lock. Where the dispatcher's
        thread has not begun, there is no cluster, and nothing to release.
        """
        self._inbox.put((self._release, (name, address)))

    def warm(self, modules: Mapping[str, Sequence[str]] | None = None) -> None:
        """Start the cluster and load modules, or torch, in its workers; returns when that is done."""
        ready: queue.SimpleQueue[Cluster | None] = queue.SimpleQueue()
        self._post(self._warm, ready)
        if cluster := ready.get():
            try:
                cluster.warm(modules)
            except (OSError, RuntimeError, CancelledError, TimeoutError) as error:
                _log.warning("The workers could not be warmed up: %s", type(error).__name__)

    def reachable(self) -> bool:
        """Return whether work could begin: the cluster answers and has workers, or one would be started here."""
        cluster = self.cluster
        if cluster is None:
            return can_reach(os.environ.get("AECORE_SCHEDULER"))
        return cluster.is_connected() and all(cluster.slots(lane) > 0 for lane in LANES)

    def shutdown(self) -> None:
        """End all work and a local cluster; returns when that is done."""
        if self._thread is not None:
            done = threading.Event()
            self._post(self._shutdown, done)
            done.wait(timeout=10)

    def _post(self, action: Callable[..., None], *args: Any) -> None:
        self._inbox.put((action, args))
        with self._thread_lock:
            if self._thread is None:
                atexit.register(self.shutdown)
            if self._thread is None or not self._thread.is_alive():
                self._thread = _Thread(self)
                self._thread.start()

    # ---- from the one thread

    def loop(self) -> None:
        """Serve the inbox for ever."""
        # When a source file changes, Streamlit drops this module and imports it anew, while its former self goes on.
        # Only the list of threads is known to both; a test drops the modules and looks for the former workers.
        for thread in threading.enumerate():
            if thread.name == THREAD and thread is not threading.current_thread():
                getattr(thread, "owner").shutdown()  # noqa: B009 - of a class that is not this module's any more
        try:
            while True:
                try:
                    self._step()
                except (OSError, RuntimeError, CancelledError) as error:  # what a broken line to the cluster raises
                    _log.warning("The line to the workers broke (%s): they are started anew", type(error).__name__)
                    self._lose(self.cluster)
        finally:  # only a mistake in this file leads here, and then nobody must be left waiting
            self._close(_make_loss())
            for waiting in self.queues.values():
                while waiting:
                    self._finish(waiting.popleft(), _make_loss())

    def _step(self) -> None:
        self._act(POLL_SECONDS if self._running or any(self.queues.values()) else None)
        while self._act(0):
            pass
        for run, each in list(self._running.items()):
            if each.future.done() and each.future.status != "finished":
                self._collect(run, _broken(each.future))
            else:
                self._mind_the_time(run, each)
        if self.cluster is not None and not self.cluster.is_connected():
            _log.warning("The line to the workers is cut: what ran there begins again")
            self._lose(self.cluster)
        self._feed()
        for waiting in self.queues.values():
            for ahead, work in enumerate(waiting):
                work.ahead = ahead

    def _act(self, timeout: float | None) -> bool:
        """Do what the inbox asks for next; False where it asked for nothing within `timeout`."""
        try:
            action, args = self._inbox.get(timeout=timeout)
        except queue.Empty:
            return False
        action(*args)
        return True

    def _feed(self) -> None:
        for lane, waiting in self.queues.items():
            while waiting:
                cluster = self._ensure()
                if cluster is None:
                    break  # and _ensure has emptied the queues
                slots = cluster.slots(lane)
                if not slots and (why := cluster.refusal()):
                    self._finish(waiting.popleft(), make_failure(why))
                    continue
                if sum(each.work.lane == lane for each in self._running.values()) >= slots:
                    break
                waiting[0].ahead = 0
                self._running[waiting[0].run_id] = _Running(waiting[0], cluster.start(waiting[0]))
                waiting.popleft()  # not before: where start() fails, the work still waits for the next cluster

    def _ensure(self) -> Cluster | None:
        """Get the cluster, started where needed; where that fails, everything that waits for it fails."""
        if self.cluster is None:
            try:
                self.cluster = Cluster(
                    post=lambda kind, *content: self._post(getattr(self, f"_on_{kind}"), *content),
                    on_death=lambda cluster: self._post(self._lose, cluster),
                )
            except (AecoreError, OSError, RuntimeError, ValueError, TypeError, LookupError) as error:
                # The last four are how a wrong setting of Dask's own, certificates say, shows itself.
                _log.warning("The workers could not be started: %s", error)
                message = f"The helper processes could not be started or reached{_because(error)}: try again later."
                outcome = make_failure(message, error="NoWorkers")
                for waiting in self.queues.values():
                    while waiting:
                        self._finish(waiting.popleft(), outcome)
        return self.cluster

    def _enqueue(self, work: Work) -> None:
        if work.abandoned:
            self._finish(work, Outcome(state="cancelled"))
        else:
            self.queues[work.lane].append(work)

    def _on_started(self, run: str, address: str) -> None:
        running = self._running.get(run)
        if running is None or self.cluster is None:
            return
        running.address, running.began = address, time.monotonic()
        running.work.start()
        self.cluster.attend(running.work, address, running.future)
        if running.work.abandoned:
            self._stop(run, running)

    def _on_progress(self, run: str, entries: list[Packed]) -> None:
        if running := self._running.get(run):
            try:
                running.work.add(entries)
            except AecoreError as error:  # of a child that was taken over: nothing it sends is believed
                assert self.cluster is not None and running.address is not None
                self.cluster.end(run, running.address)
                self._collect(run, make_failure(str(error)))

    def _on_outcome(self, run: str, outcome: Outcome, address: str) -> None:
        handle = None
        if outcome.handle:
            handle = Handle(*outcome.handle, address)
            weakref.finalize(handle, self.release, handle.id, address).atexit = False
            if self.cluster:
                self._held.add(handle.id)
                self.cluster.count(address, 1)
        self._collect(run, outcome, handle)

    def _on_lost(self, run: str) -> None:
        self._collect(run, _make_loss())

    def _on_killing(self, run: str, address: str) -> None:
        for name, each in self._running.items():
            each.spared = each.spared or each.address == address and name != run

    def _on_surveyed(self, _: str) -> None:
        """Look at the queues: there may be workers now."""

    def _release(self, name: str, address: str) -> None:
        if self.cluster and name in self._held:  # once, though a finalizer follows
            self._held.discard(name)
            self.cluster.release(name, address)
            self.cluster.count(address, -1)

    def _cancel(self, work: Work) -> None:
        if work in self.queues[work.lane]:
            self.queues[work.lane].remove(work)
            self._finish(work, Outcome(state="cancelled"))
        elif (running := self._running.get(work.run_id)) and running.address:
            self._stop(work.run_id, running)

    def _mind_the_time(self, run: str, running: _Running) -> None:
        """Stop a task whose time is over, and end one that has not stopped."""
        now = time.monotonic()
        if running.address is None or self.cluster is None:
            return
        if running.end_at is None and now > running.began + limit(running.work.lane):
            running.overdue = True
            self._stop(run, running)
        elif running.end_at is not None and now > running.end_at:
            running.end_at = now + STOP_SECONDS
            self.cluster.end(run, running.address)

    def _stop(self, run: str, running: _Running) -> None:
        if running.end_at is None:
            assert self.cluster is not None and running.address is not None
            self.cluster.stop(run, running.address)
            patience = ISOLATED_STOP_SECONDS if running.work.isolated else STOP_SECONDS
            running.end_at = time.monotonic() + patience

    def _collect(self, run: str, outcome: Outcome, handle: Handle | None = None) -> None:
        running = self._running.pop(run, None)
        if running is None:
            return  # given up meanwhile
        running.future.release()
        outcome = _interpret(running, outcome)
        if not self._again(running, outcome):
            self._feed()  # the lane is free: the next one need not wait until this result is on disk
            self._finish(running.work, outcome, handle)

    def _again(self, running: _Running, outcome: Outcome) -> bool:
        """Put work whose process died for the first time back to the head of its queue; False for all other."""
        work = running.work
        if outcome.error != "WorkerLost" or work.abandoned or work.losses and not running.spared:
            return False
        _log.warning("A worker was lost; its work begins again")
        work.losses += not running.spared
        work.again()
        self.queues[work.lane].appendleft(work)
        return True

    def _finish(self, work: Work, outcome: Outcome, handle: Handle | None = None) -> None:
        if outcome.log:
            _log.error("A task failed:\n%s", outcome.log)
        work.finish(outcome, handle)

    def _lose(self, cluster: Cluster | None) -> None:
        if cluster is None or cluster is not self.cluster:
            return
        self._close(_make_loss())

    def _close(self, outcome: Outcome) -> None:
        cluster, self.cluster = self.cluster, None
        running, self._running = self._running, {}
        self._held.clear()
        for each in running.values():
            ended = _interpret(each, outcome)
            if not self._again(each, ended):
                self._finish(each.work, ended)
        if cluster is not None:
            cluster.close()

    def _warm(self, ready: "queue.SimpleQueue[Cluster | None]") -> None:
        ready.put(self._ensure())

    def _shutdown(self, done: threading.Event) -> None:
        for waiting in self.queues.values():
            while waiting:
                self._finish(waiting.popleft(), Outcome(state="cancelled"))
        self._close(Outcome(state="cancelled"))
        done.set()


def _make_loss() -> Outcome:
    return make_failure(_LOST, "WorkerLost")


def _broken(future: Any) -> Outcome:
    """Return the outcome of work that Dask could not run, or whose worker died."""
    from distributed import KilledWorker

    error = future.exception(timeout=10) if future.status == "error" else None
    if error is None or isinstance(error, KilledWorker):
        return _make_loss()
    return make_failure(
        "The work could not be done by the worker it was sent to: the log of the server says why.",
        log=type(error).__name__,
    )


def _interpret(running: _Running, outcome: Outcome) -> Outcome:
    """Return what an outcome means: what nobody waits for was cancelled, and what was stopped took too long."""
    if running.work.abandoned:  # what was done before the word to stop arrived is as good as a part of it
        return replace(outcome, state="cancelled", log="")
    if running.overdue and outcome.state != "done" and outcome.error in ("", "WorkerLost"):
        seconds = limit(running.work.lane)
        spoken = f"{seconds / 60:g} minutes" if seconds >= 120 else f"{seconds:g} seconds"
        return replace(
            outcome, state="failed", error="TimeExceeded",
            message=f"This took longer than the {spoken} that such work may take: use a smaller file or fewer data.",
        )  # fmt: skip
    return outcome


def _because(error: Exception) -> str:
    """Return the part of a message that says why there are no workers, without an address or a path."""
    if not os.environ.get("AECORE_SCHEDULER"):
        return ""
    if isinstance(error, Refused):
        return f" ({error})"
    return f" ({REFUSED})" if isinstance(error, JobError) else " (the scheduler does not answer)"
