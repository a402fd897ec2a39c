"""The forkserver, and what a child of it does: ``python -m aecore.jobs.forkserver SOCKET BYTES [--once]``.

`aecore.jobs.children` starts it and says what for. It has one thread, loads what reads files, and forks a child
whenever it is told to through its socket.
"""

import contextlib
import ctypes
import gc
import importlib
import os
import select
import signal
import socket
import sys
import threading
from pathlib import Path

from aecore.jobs.children import receive, send
from aecore.jobs.running import execute
from aecore.jobs.serialization import Packed, unpack

try:
    import resource
except ImportError:  # not on Windows
    resource = None  # type: ignore[assignment]

# What reading a file takes; named and not imported, for this package knows no domain.
PRELOADED = ("numpy", "pandas", "pyarrow", "pyarrow.parquet", "aecore.concepts.sensor_anomalies.tasks")

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000


def main() -> None:
    """Fork a child whenever the worker asks for one, until it is gone."""
    line = socket.socket(fileno=int(sys.argv[1]))
    memory = int(sys.argv[2])
    for name in PRELOADED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    if "--once" in sys.argv:
        _live(line, memory)
    gc.collect()
    gc.freeze()  # what is there now need not be looked at in every child
    _raise_oom_score()
    children: set[int] = set()
    while True:
        ready, _, _ = select.select([line], [], [], 1.0 if children else None)
        _reap(children)
        if not ready:
            continue
        try:
            order, descriptors, _, _ = socket.recv_fds(line, 16, 1)
        except OSError:
            order, descriptors = b"", []
        if order.startswith(b"fork"):
            pid = os.fork()
            if pid == 0:
                line.close()
                _live(socket.socket(fileno=descriptors[0]), memory)
            children.add(pid)
            os.close(descriptors[0])
            with contextlib.suppress(OSError):
                line.sendall(pid.to_bytes(8, "big"))
        elif order.startswith(b"kill"):
            if (pid := int(order[4:])) in children:  # not reaped yet, so nobody else has its number
                os.kill(pid, signal.SIGKILL)
        else:
            for pid in children:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            os._exit(0)


def _reap(children: set[int]) -> None:
    while children:
        pid, _ = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        children.discard(pid)


def _live(line: socket.socket, memory: int) -> None:
    """Do one task and end: what a child does from its first moment to its last."""
    status = 1
    try:
        _give_up_rights(memory)
        message = receive(line, sys.maxsize)
        if message is not None:
            _, content, (task, *values) = message
            assert task is not None
            stop = threading.Event()
            threading.Thread(target=_listen, args=(line, stop), daemon=True).start()
            lock = threading.Lock()

            def report(entry: Packed) -> None:
                with lock:
                    send(line, "progress", values=[entry])

            given = {
                name: None if value is None else unpack(value)
                for name, value in zip(content["given"], values, strict=True)
            }
            del message, values
            outcome = execute(task, bool(content["private"]), report, stop.is_set, given)
            send(line, "outcome", outcome.words, [outcome.value, outcome.held])
            status = 0
    finally:
        os._exit(status)


def _listen(line: socket.socket, stop: threading.Event) -> None:
    while receive(line, 0):
        stop.set()
    os._exit(1)  # the worker is gone


def _give_up_rights(memory: int) -> None:
    """Give up what a task on foreign bytes has no need of; each step where the system knows it."""
    quiet = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(quiet, descriptor)
    if resource is not None:
        limits = {"RLIMIT_CORE": 0, "RLIMIT_FSIZE": 0}
        with contextlib.suppress(OSError):
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            limits["RLIMIT_AS"] = pages * os.sysconf("SC_PAGE_SIZE") + memory
        for name, value in limits.items():
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(getattr(resource, name), (value, value))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if libc.unshare(_CLONE_NEWNET):  # allowed to root only
            libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _raise_oom_score() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


if __name__ == "__main__":
    main()
