"""Inside a worker: run one task, send its progress, stop when told. Also the workers' preload (`dask_setup`)."""

import contextlib
import importlib
import os
import pickle
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from aecore import logs
from aecore.errors import AecoreError, JobError

SEND_EVERY = 0.02  # seconds; a task that yields faster has its progress sent in bundles

_stops: dict[str, threading.Event] = {}  # by the id of the work this process is doing


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a task ended. What a visitor may have put in stays out of its repr, which logs may show."""

    state: Literal["done", "failed", "cancelled"]
    value: bytes | None = field(default=None, repr=False)
    error: type[AecoreError] | None = None
    message: str = field(default="", repr=False)
    log: str = field(default="", repr=False)  # for the server's log
    rest: tuple[bytes, ...] = field(default=(), repr=False)  # progress that was not sent before the end


class Sealed:
    """Bytes that no log shows: Dask logs the arguments of what it cannot run."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data


def dumps(value: Any, private: bool) -> bytes:
    """Pack a result or progress: as a tree, which is what the cache would give back, or where private as a pickle."""
    if private:
        return pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    from aecore import store  # here, because it loads numpy

    return store.dumps(value)


def loads(data: bytes, private: bool) -> Any:
    """Unpack what `dumps` packed."""
    if private:
        return pickle.loads(data)
    from aecore import store

    return store.loads(data)


def execute(payload: bytes, private: bool, report: Callable[[bytes], None], stopped: Callable[[], bool]) -> Outcome:
    """Run a pickled ``(task, args)`` to its end, its failure or the moment `stopped` says so."""
    try:
        task, args = pickle.loads(payload)
        with contextlib.closing(task(*args)) as generator:  # its finally blocks run here, not when memory is tidied
            while not stopped():
                try:
                    entry = next(generator)
                except StopIteration as end:
                    return Outcome(state="done", value=dumps(end.value, private))
                report(dumps(entry, private))
        return Outcome(state="cancelled")
    except AecoreError as error:
        return Outcome(state="failed", error=type(error), message=str(error))
    except MemoryError as error:
        message = "The work needs more memory than there is: use fewer data or a smaller model."
        return Outcome(state="failed", error=JobError, message=message, log=_describe(error, private))
    except (
        Exception
    ) as error:  # the edge of the process: anything a task may raise becomes one sentence and a log entry
        message = f"The work stopped on an unexpected {type(error).__name__}: start it again or change its settings."
        return Outcome(state="failed", error=JobError, message=message, log=_describe(error, private))


def _describe(error: BaseException, private: bool) -> str:
    if private:  # where it happened, but not the message, which may quote the visitor's data
        return "".join(traceback.format_tb(error.__traceback__)) + type(error).__name__
    return "".join(traceback.format_exception(error))


class _Mail:
    """Sends progress from the task's thread to the server, in order, bundled where it comes fast."""

    def __init__(self, worker: Any, topic: str, work_id: str) -> None:
        self._worker = worker
        self._topic = topic
        self._id = work_id
        self._lock = threading.Lock()
        self._waiting: list[bytes] = []
        self._scheduled = False
        self._sent_at = 0.0

    def add(self, data: bytes) -> None:
        with self._lock:
            self._waiting.append(data)
            if self._scheduled:
                return
            self._scheduled = True
            delay = max(0.0, self._sent_at + SEND_EVERY - time.monotonic())
        self._worker.loop.add_callback(self._worker.loop.call_later, delay, self._send)

    def rest(self) -> tuple[bytes, ...]:
        """Take what was not sent; it travels with the outcome and is not sent twice."""
        with self._lock:
            rest, self._waiting = tuple(self._waiting), []
        return rest

    def _send(self) -> None:
        with self._lock:
            self._scheduled, self._sent_at = False, time.monotonic()
            waiting, self._waiting = self._waiting, []
            if waiting:
                self._worker.log_event(self._topic, {"id": self._id, "progress": waiting})


def run(sealed: Sealed, private: bool, work_id: str, topic: str) -> Outcome:
    """Do one piece of work for the server; this is the function that Dask calls."""
    from distributed import get_worker

    worker = get_worker()
    stop = _stops[work_id] = threading.Event()
    worker.log_event(topic, {"id": work_id, "started": worker.address})
    mail = _Mail(worker, topic, work_id)
    try:
        outcome = execute(sealed.data, private, mail.add, stop.is_set)
    finally:
        del _stops[work_id]
    return Outcome(**{**vars(outcome), "rest": mail.rest()})


def stop(work_id: str) -> None:
    """Have a task stop at its next yield."""
    if event := _stops.get(work_id):
        event.set()


def kill(dask_worker: Any) -> None:
    """Kill the worker process of a nanny, which starts another one."""
    dask_worker.process.process.kill()


def load(module: str) -> None:
    """Import a module ahead of its use."""
    importlib.import_module(module)


def dask_setup(worker: Any) -> None:
    """Step back behind the page's thread; Dask calls this before the worker's own threads start."""
    os.nice(int(os.environ.get("AECORE_NICE", "0")))
    if logs.wanted():
        logs.install()
