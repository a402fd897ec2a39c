"""Inside a worker: the service that takes work straight from the server, reports on it, stops it and hands it back.

Dask's scheduler only says which worker does what (`run`); arguments, progress, results and held values go from process
to process, through the handlers that the preload (``--preload aecore.jobs.worker``) adds to the worker.
"""

import asyncio
import contextlib
import importlib
import os
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from aecore.errors import JobError
from aecore.jobs import config
from aecore.jobs.children import Child, ForkServer
from aecore.jobs.held import ValueStore, gone
from aecore.jobs.plan import child_share, held_share
from aecore.jobs.running import Outcome, execute, make_failure
from aecore.jobs.serialization import Packed, pack, rebuild, unpack
from aecore.memory import MEGABYTE, machine_memory

# Seconds; the progress of a task that yields faster is sent in bundles.
SEND_EVERY = 0.02
# A server that listens is told after so many seconds that there is no news.
LISTEN_SECONDS = 10.0
# A server that has not delivered its work by then is not there any more.
DELIVERY_SECONDS = 60.0
# The work of a server that has not listened for so long is stopped.
SILENT_SECONDS = 120.0
# A worker that does not answer for so long is taken for gone, with the value it should have.
PEER_SECONDS = 15.0
# The value itself may take so long to arrive.
FETCH_SECONDS = 300.0
# Bytes of progress; a task that is faster than its server waits at its yield.
MOST_UNSENT = 64 * MEGABYTE
SWEEP_SECONDS = 15.0


def wire(packed: Packed) -> dict[str, Any]:
    """Return the message in which a packed travels; Dask sends its parts without copying them."""
    from distributed.protocol import to_serialize

    return {"head": packed.head, "parts": [to_serialize(memoryview(part).cast("B")) for part in packed.parts]}


def unwire(message: dict[str, Any]) -> Packed:
    """Return the packed of a message."""
    return rebuild(message["head"], message["parts"])


class Assignment:
    """One piece of work at the service."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.delivered = threading.Event()
        self.stop = threading.Event()
        self.order: dict[str, Any] = {}
        self.child: Child | None = None
        self.outcome: Outcome | None = None
        self.heard = time.monotonic()
        self.news = asyncio.Event()
        self.sent = 0.0
        self._loop = loop
        self._lock = threading.Condition()
        self._entries: deque[Packed] = deque()
        self._first = 0  # the number of the first of them
        self._unsent = 0

    def add(self, entry: Packed) -> None:
        """Take progress, from the task's thread."""
        with self._lock:
            while self._unsent > MOST_UNSENT and not self.stop.is_set():
                self._lock.wait(1.0)
            self._entries.append(entry)
            self._unsent += entry.size
            told = len(self._entries) > 1
        if not told:
            self._loop.call_soon_threadsafe(self.news.set)

    def finish(self, outcome: Outcome) -> None:
        """Take the outcome, from the task's thread."""
        self.outcome = outcome
        self._loop.call_soon_threadsafe(self.news.set)

    def unsent(self, seen: int) -> tuple[int, list[Packed]]:
        """Return the progress that the server has not seen yet, and the number of its first entry."""
        with self._lock:
            while self._entries and self._first < seen:
                self._unsent -= self._entries.popleft().size
                self._first += 1
            if not self._entries and self.outcome is None:
                self.news.clear()
            self._lock.notify_all()
            return self._first, list(self._entries)


class WorkerService:
    """All that a worker has for its servers: work under way, held values, children."""

    def __init__(self, worker: Any) -> None:
        limit = worker.memory_manager.memory_limit or machine_memory() // 2
        self.worker = worker
        self.loop: asyncio.AbstractEventLoop = worker.loop.asyncio_loop
        self.values = ValueStore(_megabytes("AECORE_HELD_MEGABYTES", held_share(limit)))
        self.forkserver = ForkServer(_megabytes("AECORE_CHILD_MEGABYTES", child_share(limit)))
        self._assignments: dict[str, Assignment] = {}
        self._lock = threading.Lock()

    # ---- handlers, in the worker's event loop

    def handlers(self) -> dict[str, Callable[..., Any]]:
        """Return what servers and other workers may call, by the names they use."""
        calls = (
            self.describe, self.deliver, self.listen, self.collect, self.dismiss, self.stop, self.end, self.has,
            self.take, self.release, self.hear, self.load,
        )  # fmt: skip
        return {f"aecore_{call.__name__}": call for call in calls}

    def describe(self) -> dict[str, Any]:
        """Say which code this is and what would be wrong with sending it a visitor's data."""
        memory = self.worker.memory_manager
        spills = memory.memory_target_fraction or memory.memory_spill_fraction or type(self.worker.data) is not dict
        return {"fingerprint": config.fingerprint(), "faults": ["spills data to its disk"] if spills else []}

    async def deliver(self, id: str, order: dict[str, Any], task: dict[str, Any]) -> bool:
        """Take the task of work that has begun here; False where none of that name has."""
        if assignment := self._assignments.get(id):
            assignment.order = {**order, "task": unwire(task)}
            assignment.heard = time.monotonic()
            assignment.delivered.set()
        return assignment is not None

    async def listen(self, id: str, seen: int) -> dict[str, Any] | None:
        """Wait for progress beyond the first ``seen`` entries, or for the end; None where there is no such work."""
        assignment = self._assignments.get(id)
        if assignment is None:
            return None
        assignment.heard = time.monotonic()
        assignment.unsent(seen)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(assignment.news.wait(), LISTEN_SECONDS)
        if assignment.outcome is None:
            await asyncio.sleep(assignment.sent + SEND_EVERY - time.monotonic())
        assignment.sent = assignment.heard = time.monotonic()
        outcome = assignment.outcome  # before the entries: what comes last is not left behind
        first, entries = assignment.unsent(seen)
        return {
            "first": first,
            "entries": [wire(entry) for entry in entries],
            "outcome": outcome and _describe(outcome),
        }

    async def collect(self, id: str) -> dict[str, Any] | None:
        """Give the result of work that has ended."""
        assignment = self._assignments.get(id)
        if assignment is None or assignment.outcome is None or assignment.outcome.value is None:
            return None
        assignment.heard = time.monotonic()
        return wire(assignment.outcome.value)

    async def dismiss(self, id: str) -> None:
        """Forget work whose outcome has arrived, or that is not delivered after all."""
        if assignment := self._assignments.get(id):
            assignment.delivered.set()
        self._close(id)

    async def stop(self, id: str) -> None:
        """Have a task stop at its next yield."""
        if assignment := self._assignments.get(id):
            self._stop(assignment)

    async def end(self, id: str) -> bool:
        """End a task that has not stopped; False where that takes the end of this whole process."""
        assignment = self._assignments.get(id)
        if assignment is None or assignment.outcome is not None:
            return True
        self._stop(assignment)
        if assignment.child:
            assignment.child.kill()
        return bool(assignment.order.get("isolated"))

    async def has(self, id: str) -> bool:
        """Say whether a value is held here."""
        with contextlib.suppress(JobError):
            self.values.take(id)
            return True
        return False

    async def take(self, id: str) -> dict[str, Any] | None:
        """Give a copy of a held value to another worker; None where it is not here."""
        try:
            value = self.values.take(id)
        except JobError:
            return None
        return wire(await asyncio.to_thread(pack, value, True))

    async def release(self, ids: list[str]) -> None:
        """Let held values go."""
        for name in ids:
            self.values.drop(name)

    async def hear(self, owner: str) -> None:
        """Note that a server is there, so that its held values stay."""
        self.values.hear(owner)

    async def load(self, module: str) -> None:
        """Import a module ahead of its use, and have the forkserver ready."""
        if "short" in self.worker.state.total_resources:
            self.forkserver.start()
        await asyncio.to_thread(importlib.import_module, module)

    async def sweep(self) -> None:
        """Stop the work and drop the values of servers that are not there any more."""
        self.values.sweep()
        since = time.monotonic() - SILENT_SECONDS
        for name, assignment in list(self._assignments.items()):
            if assignment.delivered.is_set() and assignment.heard < since:
                self._stop(assignment)
                if assignment.child:
                    assignment.child.kill()
                if assignment.outcome:
                    self._close(name)

    def _stop(self, assignment: Assignment) -> None:
        assignment.stop.set()
        if assignment.child:
            assignment.child.stop()

    # ---- the task's own thread

    def work(self, id: str, topic: str) -> None:
        """Do one piece of work: say that it has begun, wait for its delivery, run it and keep its outcome at hand."""
        assignment = Assignment(self.loop)
        with self._lock:
            self._assignments[id] = assignment
        self.worker.log_event(topic, {"id": id, "started": self.worker.address})
        assignment.delivered.wait(DELIVERY_SECONDS)
        if not assignment.order:
            self._close(id)
            return
        try:
            outcome = self._do(assignment)
        except JobError as error:
            outcome = make_failure(str(error), type(error).__name__)
        assignment.order = {"isolated": assignment.order["isolated"]}  # the task's data go now
        assignment.finish(outcome)

    def _do(self, assignment: Assignment) -> Outcome:
        order = assignment.order
        task, private, owner = order["task"], order["private"], order["owner"]
        given = {name: self._find(name, address) for name, address in order["handles"]}

        def keep(value: Any, size: int) -> tuple[str, int]:
            return self.values.put(value, size, owner), size

        if not order["isolated"]:
            return execute(
                task, private, assignment.add, assignment.stop.is_set, given,
                lambda value: keep(value, pack(value, private=True).size),
            )  # fmt: skip
        assignment.child = self.forkserver.open()
        if assignment.stop.is_set():  # it came while the child was being made
            assignment.child.kill()
        outcome = assignment.child.run(task, private, given, assignment.add, self.values.limit + self.forkserver.memory)
        if outcome.held is None:
            return outcome
        size = outcome.held.size
        return Outcome(state=outcome.state, value=outcome.value, handle=keep(unpack(outcome.held), size))

    def _find(self, name: str, address: str) -> Any:
        """Return a held value, from here or from the worker that has it."""
        if address == self.worker.address:
            return self.values.take(name)
        peer = self.worker.rpc(address)
        try:
            if not self._wait(asyncio.wait_for(peer.aecore_has(id=name), PEER_SECONDS)):
                raise gone()
            message = self._wait(asyncio.wait_for(peer.aecore_take(id=name), FETCH_SECONDS))
        except (OSError, TimeoutError) as error:
            raise gone() from error
        if message is None:
            raise gone()
        return unpack(unwire(message))

    def _wait(self, answer: Awaitable[Any]) -> Any:
        async def wait() -> Any:
            return await answer

        coroutine: Coroutine[Any, Any, Any] = wait()
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def _close(self, id: str) -> None:
        with self._lock:
            self._assignments.pop(id, None)

    def close(self) -> None:
        """End the children and let all values go."""
        self.forkserver.close()
        self.values.clear()


def _describe(outcome: Outcome) -> dict[str, Any]:
    return {**outcome.words, "handle": outcome.handle, "size": None if outcome.value is None else outcome.value.size}


def _megabytes(variable: str, otherwise: int) -> int:
    wanted = os.environ.get(variable)
    return int(float(wanted) * MEGABYTE) if wanted else otherwise


def run(id: str, topic: str) -> None:
    """Do one piece of work; this is the function that Dask calls. It takes and returns nothing of a visitor's."""
    from distributed import get_worker

    get_worker().aecore_service.work(id, topic)
