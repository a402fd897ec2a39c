"""Tasks on a visitor's bytes in a process of their own, which may be killed and holds nothing of anybody else's.

A worker has many threads and must not fork. It keeps a fork server: a process with one thread that has loaded what
reads files and waits. For each task that one forks, which takes milliseconds; the child gives up rights, does the one
task and ends. Where forking is no good (macOS), a new interpreter is started for each task instead.

What a child may do, as far as the system can hold it to that: no network (Linux, where a network namespace may be
made), no file written, no core dump, no new privileges, no environment of the server's, so much memory and no more. It
can read what its user can read. It ends with its worker, and the system ends it before any other process when memory
is short.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from aecore.errors import JobError
from aecore.jobs.running import Outcome, make_failure
from aecore.jobs.serialization import Packed, pack, rebuild

FORKS = sys.platform == "linux"
START_SECONDS = 60.0
# Variables of the environment that a child gets begin so.
KEPT_VARIABLES = ("HOME", "LANG", "LC_", "MALLOC_", "NUMBA_", "PATH", "PYTHON", "TZ")

_MOST_HEADER = 1 << 24


# ---- messages over a socket: a line of JSON with the sizes, then the parts


def send(
    line: socket.socket, kind: str, content: Mapping[str, Any] | None = None, values: Sequence[Packed | None] = ()
) -> None:
    """Send a message: plain content, and values."""
    heads = [packed and [packed.head, [memoryview(part).nbytes for part in packed.parts]] for packed in values]
    header = json.dumps({"kind": kind, "content": content or {}, "values": heads}).encode()
    line.sendall(len(header).to_bytes(4, "big") + header)
    for packed in values:
        for part in packed.parts if packed else ():
            line.sendall(memoryview(part).cast("B"))


def receive(line: socket.socket, limit: int) -> tuple[str, dict[str, Any], list[Packed | None]] | None:
    """Return the next message; None where the other side has gone or talks nonsense."""
    try:
        length = int.from_bytes(_take(line, 4), "big")
        if length > _MOST_HEADER:
            return None
        header = json.loads(bytes(_take(line, length)))
        values: list[Packed | None] = []
        for entry in header["values"]:
            head, sizes = entry or (None, ())
            limit -= sum(map(abs, sizes))
            if limit < 0:
                return None
            values.append(rebuild(head, [_take(line, size) for size in sizes]) if head else None)
        return str(header["kind"]), dict(header["content"]), values
    except (OSError, EOFError, ValueError, TypeError, KeyError, JobError, MemoryError):
        return None


def _take(line: socket.socket, size: int) -> memoryview:
    buffer = memoryview(bytearray(size))
    filled = 0
    while filled < size:
        count = line.recv_into(buffer[filled:])
        if not count:
            raise EOFError
        filled += count
    return buffer


# ---- the worker's side


class Child:
    """One process for one task; `stop` and `kill` may be called from any thread."""

    def __init__(
        self, line: socket.socket, pid: int, kill: Callable[[int], None], wait: Callable[[], object] = lambda: None
    ) -> None:
        self.pid = pid
        self._wait = wait  # until it has ended, where that is this process' business
        self._line = line
        self._kill = kill
        self._lock = threading.Lock()
        self._killed = False

    def run(
        self, task: Packed, private: bool, given: Mapping[str, Any], report: Callable[[Packed], None], memory: int
    ) -> Outcome:
        """Have the child do its task; a child that ends without a word is an outcome too."""
        try:
            packed = [pack(value, private=True) for value in given.values()]
            with self._lock:
                send(self._line, "task", {"private": private, "given": list(given)}, [task, *packed])
            del packed
            while message := receive(self._line, memory):
                kind, content, values = message
                if kind == "outcome":
                    return _read(content, values)
                if values and values[0]:
                    report(values[0])
        except OSError:
            pass  # it has ended
        finally:
            self._line.close()
            self._wait()
        if self._killed:
            return Outcome(state="cancelled")
        return make_failure(
            "The process that did this was stopped, perhaps as it needed more memory than there is for one file: "
            "try a smaller file, or one of another kind."
        )

    def stop(self) -> None:
        """Have the task stop at its next yield."""
        with contextlib.suppress(OSError), self._lock:
            send(self._line, "stop")

    def kill(self) -> None:
        """End the process now."""
        self._killed = True
        self._kill(self.pid)
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)


def _read(content: dict[str, Any], values: list[Packed | None]) -> Outcome:
    """Return the outcome that a child tells; it may have been taken over, so no word of it is believed unseen."""
    state, value, held = content.get("state"), *(values + [None, None])[:2]
    if state not in ("done", "failed", "cancelled"):
        return make_failure("The process that did this answered in a strange way: start it again.")
    error, message, log = (str(content.get(name, ""))[:5000] for name in ("error", "message", "log"))
    return Outcome(state=state, value=value, held=held, error=error, message=message, log=log)


class ForkServer:
    """The process that makes children; started at the first need, and anew where it has ended."""

    def __init__(self, memory: int) -> None:
        self.memory = memory  # bytes that a child may take on top of what it starts with
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start it, if it is not there; returns before it has loaded everything."""
        with self._lock:
            self._ensure()

    def open(self) -> Child:
        """Make a child that waits for its task."""
        ours, theirs = socket.socketpair()
        with theirs:
            if not FORKS:
                process = self._launch(theirs, "--once")
                return Child(ours, process.pid, lambda pid: process.kill(), process.wait)
            with self._lock:
                for last in (False, True):
                    line = self._ensure()
                    try:
                        socket.send_fds(line, [b"fork    "], [theirs.fileno()])
                        return Child(ours, int.from_bytes(_take(line, 8), "big"), self._kill)
                    except (OSError, EOFError):
                        self._end()
                        if last:
                            ours.close()
                            raise JobError("The process that reads files did not start: try again later.") from None
        raise AssertionError

    def close(self) -> None:
        """End it and its children."""
        with self._lock:
            self._end()

    def _kill(self, pid: int) -> None:
        with self._lock, contextlib.suppress(OSError):
            if self._line:
                self._line.sendall(f"kill{pid:<12}".encode()[:16].ljust(16))

    def _ensure(self) -> socket.socket:
        if self._process is None or self._process.poll() is not None or self._line is None:
            self._end()
            ours, theirs = socket.socketpair()
            with theirs:
                self._process = self._launch(theirs)
            ours.settimeout(START_SECONDS)
            self._line = ours
        return self._line

    def _launch(self, line: socket.socket, *options: str) -> "subprocess.Popen[bytes]":
        root = str(Path(__file__).parents[2])
        env = {name: value for name, value in os.environ.items() if name.startswith(KEPT_VARIABLES)}
        env["PYTHONPATH"] = os.pathsep.join([root, *filter(None, [env.get("PYTHONPATH")])])
        # No thread may run beside the one that forks: these would start some.
        env |= {f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS")}
        env |= {"JE_ARROW_MALLOC_CONF": "background_thread:false", "ARROW_DEFAULT_MEMORY_POOL": "system"}
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "aecore.jobs.forkserver", str(line.fileno()), str(self.memory), *options],
            pass_fds=[line.fileno()], env=env, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def _end(self) -> None:
        if self._line:
            self._line.close()
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait()
        self._process = self._line = None
