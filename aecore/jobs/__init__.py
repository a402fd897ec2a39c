"""Long work off the page's thread, on a local or a remote Dask cluster; knows no domain.

A *task* is a generator function in an importable module: each yield is progress, ``return value`` is the result. A
public task's progress and result are trees of `aecore.store`; a private one's may be anything picklable.

Importing this module starts nothing and loads nothing heavy. The first `submit` starts a scheduler and one worker
process per lane, beside the server and gone with it; with ``$AECORE_SCHEDULER`` set to the address of a scheduler whose
workers offer the resources ``long`` and ``short``, that cluster is used instead (`docs/SCALING.md`). Work whose process
dies begins again, once. With ``$AECORE_JOBS`` set to
``inline``, a task runs to its end inside `submit`.
"""

import inspect
import logging
import os
import pickle
import threading
from typing import Any

from aecore.errors import JobError, SettingError, StoreError
from aecore.jobs.dispatch import Dispatcher
from aecore.jobs.handles import Job, State, Task, Work
from aecore.jobs.worker import execute

__all__ = ["Job", "State", "reachable", "submit", "warm", "shutdown"]

LANES = ("long", "short")

_log = logging.getLogger(__name__)
_dispatcher = Dispatcher()
_shared: dict[str, Work] = {}  # the public work under way, by the key of its result
_shared_lock = threading.Lock()


def submit(task: Task, *args: Any, lane: str = "long", private: bool = False) -> Job:
    """Have a task run beside the page; returns at once.

    The same public task with the same arguments is one piece of work while it runs, and its result is kept on disk.
    A private task is never shared and never touches a disk.

    Parameters
    ----------
    task
        A generator function that workers can import.
    *args
        Its arguments: trees or dataclasses of trees where public, anything picklable where private.
    lane
        ``"long"`` for training, ``"short"`` for what a visitor waits for; each runs one task after the other.
    private
        True for a visitor's own data.

    Raises
    ------
    SettingError
        For another lane.
    StoreError
        Where the arguments of a public task cannot be told apart from others.
    JobError
        Where the task or its arguments cannot be sent to a worker.
    TooBusy
        Where more work waits than may.
    """
    if lane not in LANES:
        raise SettingError(f"lane must be one of {', '.join(LANES)}, got {lane!r}.")
    payload = _seal(task, args)
    if private:
        _dispatcher.admit(lane, len(payload))
        return _begin(Work(payload, lane, private=True, stop=_dispatcher.cancel))
    return _submit_public(f"{task.__module__}.{task.__qualname__}", args, payload, lane)


def warm() -> None:
    """Start the workers and load torch in them; blocks for seconds, so call it from a thread of its own."""
    if not _inline():
        _dispatcher.warm()


def reachable() -> bool:
    """Return whether work could begin; may wait some seconds for a distant scheduler."""
    return _inline() or _dispatcher.reachable()


def shutdown() -> None:
    """Stop all work and the workers; the next `submit` starts them again."""
    _dispatcher.shutdown()


def _submit_public(name: str, args: tuple[Any, ...], payload: bytes, lane: str) -> Job:
    from aecore import store  # here, because it loads numpy

    key = store.key(name, *args)

    def end(work: Work) -> None:
        if work.value is not None:
            try:
                work.stored = store.put(key, {"result": work.value, "progress": work.progress()})
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
        return Job(Work.kept(kept["result"], kept.get("progress", [])))
    with _shared_lock:
        running = _shared.get(key)  # somebody may have been faster
        if running and running.join():
            return Job(running)
        _dispatcher.admit(lane, len(payload))
        work = _shared[key] = Work(payload, lane, private=False, stop=_dispatcher.cancel, end=end)
    return _begin(work)


def _begin(work: Work) -> Job:
    job = Job(work)
    if _inline():
        work.start()
        work.finish(execute(work.payload, work.private, lambda data: work.add([data]), stopped=lambda: False))
    else:
        _dispatcher.submit(work)
    return job


def _inline() -> bool:
    return os.environ.get("AECORE_JOBS") == "inline"


def _seal(task: Task, args: tuple[Any, ...]) -> bytes:
    """Pickle now what a worker unpickles later, so that nothing the caller changes meanwhile reaches the task."""
    name = getattr(task, "__qualname__", repr(task))
    if not inspect.isgeneratorfunction(task) or task.__module__ == "__main__" or "<" in name:
        raise JobError(f"A task is a generator function at the top level of an importable module, got {name}.")
    try:
        return pickle.dumps((task, args), protocol=pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise JobError(
            f"The arguments of {name} cannot be sent to a worker ({type(error).__name__}): pass plain data."
        ) from error
