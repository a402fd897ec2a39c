"""Who runs when: one queue per lane, one thread that owns the cluster and talks to it.

The queues are kept here and not on the scheduler, so that a worker's death costs only the task it was doing, and a
visitor's waiting data have not left the server. `Dispatcher.loop` and all that stands below it run in that one thread.
"""

import atexit
import logging
import os
import queue
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import Any

from aecore.errors import AecoreError, NoWorkers, TooBusy, WorkerLost
from aecore.jobs.cluster import LANES, Cluster, can_reach
from aecore.jobs.handles import Work
from aecore.jobs.outcomes import because, fetched, lost
from aecore.jobs.worker import Outcome

STOP_SECONDS = 10.0  # a task that has not yielded so long after its cancellation goes down with its process
THREAD = "aecore-jobs"
POLL_SECONDS = 0.02  # Dask's own callbacks cannot be used: they fail, loudly, when the interpreter ends first

MAX_WAITING = 100  # pieces of work in a lane; who comes later is told so
MAX_WAITING_BYTES = 1 << 30  # what waiting work may hold of the server's memory

_log = logging.getLogger(__name__)


@dataclass
class _Running:
    work: Work
    future: Any
    address: str | None = None  # of the worker, once it has begun


class _Thread(threading.Thread):
    """The one thread; it can be found again when the module that started it cannot."""

    def __init__(self, owner: "Dispatcher") -> None:
        super().__init__(target=owner.loop, daemon=True, name=THREAD)
        self.owner = owner


class Dispatcher:
    """Feeds the lanes."""

    def __init__(self) -> None:
        self._inbox: queue.SimpleQueue[tuple[Callable[..., None], tuple[Any, ...]]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._thread_lock = threading.Lock()
        self._queues: dict[str, deque[Work]] = {lane: deque() for lane in LANES}
        self._running: dict[str, _Running] = {}
        self._cluster: Cluster | None = None

    # ---- from any thread

    def admit(self, lane: str, size: int) -> None:
        """Raise TooBusy where no more work, of so many bytes, may wait in a lane."""
        waiting = tuple(self._queues[lane])
        held = sum(len(work.payload) for work in waiting)
        if len(waiting) >= MAX_WAITING or waiting and held + size > MAX_WAITING_BYTES:
            raise TooBusy(f"{len(waiting)} others are waiting for the same machine already: try again in some minutes.")

    def submit(self, work: Work) -> None:
        """Queue work in its lane; returns at once."""
        self._post(self._enqueue, work)

    def cancel(self, work: Work) -> None:
        """Stop work that nobody waits for any more; returns at once."""
        self._post(self._cancel, work)

    def warm(self) -> None:
        """Start the cluster and load torch in its workers; returns when that is done."""
        ready: queue.SimpleQueue[Cluster | None] = queue.SimpleQueue()
        self._post(self._warm, ready)
        if cluster := ready.get():
            try:
                cluster.warm()
            except (OSError, RuntimeError, CancelledError, UnboundLocalError) as error:
                # The last is how Dask's sync() ends where its event loop closes while it waits.
                _log.warning("The workers could not be warmed up: %s", type(error).__name__)

    def reachable(self) -> bool:
        """Return whether work could begin: the cluster answers and has workers, or one would be started here."""
        cluster = self._cluster
        if cluster is None:
            return can_reach(os.environ.get("AECORE_SCHEDULER"))
        return cluster.connected() and all(cluster.slots(lane) > 0 for lane in LANES)

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
        for thread in threading.enumerate():
            if thread.name == THREAD and thread is not threading.current_thread():
                getattr(thread, "owner").shutdown()  # noqa: B009 - of a class that is not this module's any more
        try:
            while True:
                try:
                    self._step()
                except (OSError, RuntimeError, CancelledError) as error:  # what a broken line to the cluster raises
                    _log.warning("The line to the workers broke (%s): they are started anew", type(error).__name__)
                    self._lose(self._cluster)
        finally:  # only a mistake in this file leads here, and then nobody must be left waiting
            self._close(lost())
            for waiting in self._queues.values():
                while waiting:
                    self._finish(waiting.popleft(), lost())

    def _step(self) -> None:
        self._act(POLL_SECONDS if self._running or any(self._queues.values()) else None)
        ended = [each for each in self._running.values() if each.future.done()]
        while ended and self._act(0):
            pass  # progress sent before the end is in the inbox by now
        for each in ended:
            self._collect(each)
        if self._cluster is not None and not self._cluster.connected():
            _log.warning("The line to the workers is cut: what ran there begins again")
            self._lose(self._cluster)
        self._feed()
        for waiting in self._queues.values():
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
        for lane, waiting in self._queues.items():
            while waiting:
                cluster = self._ensure()
                if cluster is None:
                    break  # and _ensure has emptied the queues
                if sum(each.work.lane == lane for each in self._running.values()) >= cluster.slots(lane):
                    break
                waiting[0].ahead = 0
                self._running[waiting[0].id] = _Running(waiting[0], cluster.start(waiting[0]))
                waiting.popleft()  # not before: where start() fails, the work still waits for the next cluster

    def _ensure(self) -> Cluster | None:
        """Get the cluster, started where needed; where that fails, everything that waits for it fails."""
        if self._cluster is None:
            try:
                self._cluster = Cluster(
                    on_message=lambda message: self._post(self._read, message),
                    on_death=lambda cluster: self._post(self._lose, cluster),
                )
            except (AecoreError, OSError, RuntimeError, ValueError, TypeError, LookupError) as error:
                # The last four are how a wrong setting of Dask's own, certificates say, shows itself.
                _log.warning("The workers could not be started: %s", error)
                message = f"The helper processes could not be started or reached{because(error)}: try again later."
                outcome = Outcome(state="failed", error=NoWorkers, message=message)
                for waiting in self._queues.values():
                    while waiting:
                        self._finish(waiting.popleft(), outcome)
        return self._cluster

    def _enqueue(self, work: Work) -> None:
        if work.abandoned:
            self._finish(work, Outcome(state="cancelled"))
        else:
            self._queues[work.lane].append(work)

    def _read(self, message: dict[str, Any]) -> None:
        running = self._running.get(message["id"])
        if running is None:
            return
        if address := message.get("started"):
            running.address = address
            running.work.start()
            if running.work.abandoned:
                self._stop(running)
        running.work.add(message.get("progress", ()))

    def _cancel(self, work: Work) -> None:
        if work in self._queues[work.lane]:
            self._queues[work.lane].remove(work)
            self._finish(work, Outcome(state="cancelled"))
        elif (running := self._running.get(work.id)) and running.address:
            self._stop(running)

    def _stop(self, running: _Running) -> None:
        assert self._cluster is not None and running.address is not None
        self._cluster.stop(running.work.id, running.address)
        timer = threading.Timer(STOP_SECONDS, self._post, (self._overdue, running.work.id))
        timer.daemon = True
        timer.start()

    def _overdue(self, work_id: str) -> None:
        if (running := self._running.get(work_id)) and self._cluster and running.address:
            self._cluster.kill(running.address)

    def _collect(self, ended: _Running) -> None:
        if self._running.pop(ended.work.id, None) is None:
            return  # given up meanwhile
        outcome = Outcome(state="cancelled") if ended.work.abandoned else fetched(ended.future)
        ended.future.release()
        if not self._again(ended.work, outcome):
            self._feed()  # the lane is free: the next one need not wait until this result is on disk
            self._finish(ended.work, outcome)

    def _again(self, work: Work, outcome: Outcome) -> bool:
        """Put work whose process died for the first time back to the head of its queue; False for all other."""
        if outcome.error is not WorkerLost or work.restarts or work.abandoned:
            return False
        _log.warning("A worker was lost; its work begins again")
        work.again()
        self._queues[work.lane].appendleft(work)
        return True

    def _finish(self, work: Work, outcome: Outcome) -> None:
        if outcome.log:
            _log.error("A task failed:\n%s", outcome.log)
        work.finish(outcome)

    def _lose(self, cluster: Cluster | None) -> None:
        if cluster is None or cluster is not self._cluster:
            return
        self._close(lost())

    def _close(self, outcome: Outcome) -> None:
        cluster, self._cluster = self._cluster, None
        running, self._running = self._running, {}
        for each in running.values():
            if not self._again(each.work, outcome):
                self._finish(each.work, Outcome(state="cancelled") if each.work.abandoned else outcome)
        if cluster is not None:
            cluster.close()

    def _warm(self, ready: "queue.SimpleQueue[Cluster | None]") -> None:
        ready.put(self._ensure())

    def _shutdown(self, done: threading.Event) -> None:
        for waiting in self._queues.values():
            while waiting:
                self._finish(waiting.popleft(), Outcome(state="cancelled"))
        self._close(Outcome(state="cancelled"))
        done.set()
