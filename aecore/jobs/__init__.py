"""Long work off the page's thread, on a local or a remote Dask cluster; knows no domain.

A *task* is a generator function in an importable module: each yield is progress, ``return value`` is the result. A
public task's progress and result are trees of `aecore.store`; a private one's may be anything that
`aecore.jobs.serialization` lets through: containers, arrays, frames, this package's records. When a task is cancelled,
`Cancelled` is raised at its ``yield``; it may catch it and return what it has made so far (`Job.partial`). A private
task may return ``Held(summary, value)``: the value stays in its worker, and `Job.handle` stands for it among the
arguments of later private tasks, until the handle object is gone or released.

Importing this module starts nothing and loads nothing heavy. The first `submit` starts a scheduler and the workers of
`aecore.jobs.plan`, beside the server and gone with it; with ``$AECORE_SCHEDULER`` set to the address of a scheduler
whose workers offer the resources ``long`` and ``short``, that cluster is used instead (`docs/SCALING.md`). Work whose
process dies begins again, once. With ``$AECORE_JOBS`` set to ``inline``, a task runs to its end inside `submit`.
"""

import inspect
import logging
import os
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

from aecore.errors import JobError, SettingError, StoreError
from aecore.jobs.dispatch import LANES, Dispatcher
from aecore.jobs.held import Handle, Held, ValueStore
from aecore.jobs.job import Job, State, Task, Work
from aecore.jobs.running import Cancelled, execute, make_failure
from aecore.jobs.serialization import Packed, PicklingError, pack, seal
from aecore.memory import budget

__all__ = [
    "Cancelled",
    "Handle",
    "Held",
    "Job",
    "State",
    "Task",
    "budget",
    "reachable",
    "release",
    "shutdown",
    "submit",
    "warm",
]

_log = logging.getLogger(__name__)
dispatcher = Dispatcher()
_values = ValueStore(sys.maxsize)  # of values that inline tasks hold
_shared: dict[str, Work] = {}  # the public work under way, by the key of its result
_shared_lock = threading.Lock()


def submit(task: Task, *args: Any, lane: str = "long", private: bool = False, isolated: bool = False) -> Job:
    """Have a task run beside the page; returns at once.

    The same public task with the same arguments is one piece of work while it runs, and its result is kept on disk.
    A private task is never shared and never touches a disk.

    Parameters
    ----------
    task
        A generator function that workers can import.
    *args
        Its arguments: trees or dataclasses of trees where public, anything picklable where private. A `Handle` among
        those of a private task reaches it as the value that it stands for, which the task must not change. What is
        copied of them counts against the server's `budget` until the work has ended; ``bytes`` are not copied.
    lane
        ``"long"`` for training, ``"short"`` for what a visitor waits for. A task that runs longer than its lane allows
        (`aecore.jobs.dispatch.limit`) is ended.
    private
        True for a visitor's own data.
    isolated
        True for a task that reads foreign bytes: it runs in a process of its own, with few rights and bounded memory,
        whose end costs nobody else anything.

    Raises
    ------
    SettingError
        For another lane.
    StoreError
        Where the arguments of a public task cannot be told apart from others.
    JobError
        Where the task or its arguments cannot be sent to a worker.
    TooBusy
        Where more work waits than may, or visitors' data fill the server.
    """
    if lane not in LANES:
        raise SettingError(f"lane must be one of {', '.join(LANES)}, got {lane!r}.")
    payload = _seal(task, args)
    if not private:
        return _submit_public(f"{task.__module__}.{task.__qualname__}", args, payload, lane, isolated)
    dispatcher.admit(lane)
    work = Work(
        payload, lane, private=True, isolated=isolated, stop=dispatcher.cancel,
        handles=tuple(arg for arg in args if isinstance(arg, Handle)), charge=budget.charge(payload.copied, "waiting"),
    )  # fmt: skip
    return _begin(work)


def release(handle: Handle) -> None:
    """Let the value that a handle stands for go at once; a second call changes nothing."""
    if handle.address:
        dispatcher.release(handle.id, handle.address)
    else:
        _values.drop(handle.id)


def warm(modules: Mapping[str, Sequence[str]] | None = None) -> None:
    """Start the workers and load modules in those of each lane; by default torch in all of them.

    Blocks for seconds, so call it from a thread of its own.
    """
    if not _inline():
        dispatcher.warm(modules)


def reachable() -> bool:
    """Return whether work could begin; may wait some seconds for a distant scheduler."""
    return _inline() or dispatcher.reachable()


def shutdown() -> None:
    """Stop all work and the workers; the next `submit` starts them again."""
    dispatcher.shutdown()


def _submit_public(name: str, args: tuple[Any, ...], payload: Packed, lane: str, isolated: bool) -> Job:
    from aecore import store  # here, because it loads numpy

    key = store.key(name, *args)

    def end(work: Work) -> None:
        if work.value is not None:
            try:
                result = b"".join(work.value.stream)
                work.stored = store.put(key, {"result": result, "progress": work.progress()})
            except StoreError as error:
                _log.warning("A result was not kept: %s", error)
        with _shared_lock:
            if _shared.get(key) is work:
                del _shared[key]

    with _shared_lock:
        running = _shared.get(key)
        if running and running.join():
            return Job(running)
    kept = store.get(key)
    if isinstance(kept, dict) and isinstance(kept.get("result"), bytes):
        return Job(Work.from_disk(kept["result"], kept.get("progress", [])))
    with _shared_lock:
        running = _shared.get(key)  # somebody may have been faster
        if running and running.join():
            return Job(running)
        dispatcher.admit(lane)
        work = _shared[key] = Work(
            payload, lane, private=False, isolated=isolated, stop=dispatcher.cancel, end=end,
            charge=budget.charge(payload.copied, "waiting"),
        )  # fmt: skip
    return _begin(work)


def _begin(work: Work) -> Job:
    job = Job(work)
    if _inline():
        work.start()
        _run_inline(work)
    else:
        dispatcher.submit(work)
    return job


def _run_inline(work: Work) -> None:
    assert work.payload is not None
    try:
        given = {handle.id: _values.take(handle.id) for handle in work.handles}
    except JobError as error:
        work.finish(make_failure(str(error), type(error).__name__))
        return

    def keep(value: Any) -> tuple[str, int]:
        size = pack(value, private=True).size
        return _values.put(value, size, "inline"), size

    outcome = execute(work.payload, work.private, lambda entry: work.add([entry]), lambda: False, given, keep)
    handle = None
    if outcome.handle:
        handle = Handle(*outcome.handle, "")
        weakref.finalize(handle, _values.drop_later, handle.id).atexit = False
    work.finish(outcome, handle)


def _inline() -> bool:
    return os.environ.get("AECORE_JOBS") == "inline"


def _seal(task: Task, args: tuple[Any, ...]) -> Packed:
    """Pickle now what a worker unpickles later, so that nothing the caller changes meanwhile reaches the task."""
    name = getattr(task, "__qualname__", repr(task))
    if not inspect.isgeneratorfunction(task) or task.__module__ == "__main__" or "<" in name:
        raise JobError(f"A task is a generator function at the top level of an importable module, got {name}.")
    try:
        return seal(task, args)
    except (PicklingError, TypeError, AttributeError) as error:
        raise JobError(
            f"The arguments of {name} cannot be sent to a worker ({type(error).__name__}): pass plain data."
        ) from error
