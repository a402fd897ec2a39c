"""The server's line to a cluster: starts the local one, or connects to the one that ``$AECORE_SCHEDULER`` names."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aecore.errors import JobError
from aecore.jobs import worker
from aecore.jobs.handles import Work

START_SECONDS = 60.0  # a cold disk takes long to import distributed; more than this is a fault
REACH_SECONDS = 20.0  # a scheduler that runs already answers sooner
CONNECT_SECONDS = 2.0  # for whoever asks whether the scheduler is there
COUNT_EVERY = 2.0  # s between two looks at which workers a distant scheduler has
TRAINS = "torch._dynamo"  # torch, and what the first optimizer of a process would load: 1.8 s of a first training
REFUSED = "AECORE_SCHEDULER must be tls://host:port, or tcp:// on this machine"

# threads: below one, so many less than there are cores. memory: of the machine, or bytes; a worker beyond it is killed.
LANES: dict[str, dict[str, Any]] = {
    "long": {"nice": 10, "threads": -1, "memory": "0.6"},
    "short": {"nice": 5, "threads": 1, "memory": "2 GiB"},
}


class Cluster:
    """A running cluster and the client to it."""

    def __init__(self, on_message: Callable[[dict[str, Any]], None], on_death: Callable[["Cluster"], None]) -> None:
        self._hub: subprocess.Popen[bytes] | None = None
        self._scratch: str | None = None
        remote = _trusted(os.environ.get("AECORE_SCHEDULER"))
        if not remote:
            self._hub = _start_hub()
        import distributed  # half a second, while the hub starts

        address = remote or self._greeting()
        self._slots: Counter[str] = Counter()
        self._counted = -COUNT_EVERY
        self._topic = f"aecore-{uuid.uuid4().hex}"
        try:
            patience = REACH_SECONDS if remote else START_SECONDS
            self._client = distributed.Client(address, set_as_default=False, timeout=patience)
        except OSError:
            if self._hub:
                self._end_hub()
            raise
        self._client.subscribe_topic(self._topic, lambda event: on_message(event[1]))
        if self._hub:
            threading.Thread(target=self._watch, args=(on_death,), daemon=True, name="aecore-hub").start()

    def slots(self, lane: str) -> int:
        """How many tasks of a lane can run at once."""
        if self._hub:
            return 1
        if time.monotonic() - self._counted > COUNT_EVERY:
            self._counted = time.monotonic()
            workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
            self._slots = Counter(offer for each in workers for offer in each.get("resources", {}))
        return self._slots[lane]

    def connected(self) -> bool:
        """Whether the line to the scheduler stands."""
        return bool(self._client.status == "running")

    def start(self, work: Work) -> Any:
        """Hand work to a worker of its lane; returns Dask's future of its `Outcome`."""
        import dask

        # Dask warns of arguments beyond 10 MB; they are wanted here, and nobody could act on the warning.
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TiB"}):
            return self._client.submit(
                worker.run,
                worker.Sealed(work.payload),
                work.private,
                work.id,
                self._topic,
                key=f"work-{work.id}-{work.restarts}",
                resources={work.lane: 1},
                pure=False,
                retries=0,
            )

    def stop(self, work_id: str, address: str) -> None:
        """Have the worker at `address` stop at the task's next yield; does not wait for it."""
        self._aside(worker.stop, work_id, workers=[address])

    def kill(self, address: str) -> None:
        """Replace the worker at `address` by a new process; does not wait for it."""
        self._aside(worker.kill, workers=[address], nanny=True)

    def warm(self) -> None:
        """Load torch in all workers, ready to train."""
        self._client.wait_for_workers(len(LANES) if self._hub else 1, timeout=START_SECONDS)
        self._client.run(worker.load, TRAINS, on_error="ignore")

    def close(self) -> None:
        """Cut the line; a local cluster ends."""
        self._client.close(timeout=2)
        if self._hub:
            self._end_hub()

    def _aside(self, function: Callable[..., None], *args: Any, **where: Any) -> None:
        def call() -> None:
            with contextlib.suppress(OSError, RuntimeError, CancelledError):  # of a cluster that has gone meanwhile
                self._client.run(function, *args, on_error="ignore", **where)

        threading.Thread(target=call, daemon=True).start()  # a worker deep in a computation may answer late

    def _watch(self, on_death: Callable[["Cluster"], None]) -> None:
        assert self._hub is not None
        self._hub.wait()
        on_death(self)

    def _greeting(self) -> str:
        hub = self._hub
        assert hub is not None and hub.stdout is not None
        timer = threading.Timer(START_SECONDS, hub.kill)
        timer.start()
        line = hub.stdout.readline()
        timer.cancel()
        if not line:
            self._end_hub()
            raise JobError("The helper processes did not start: the log of the server says why; try again later.")
        greeting = json.loads(line)
        self._scratch = greeting["scratch"]
        return str(greeting["address"])

    def _end_hub(self) -> None:
        hub = self._hub
        assert hub is not None and hub.stdin is not None and hub.stdout is not None
        hub.stdin.close()  # the hub ends itself and its workers when this pipe closes
        try:
            hub.wait(timeout=5)
        except subprocess.TimeoutExpired:
            hub.kill()
            hub.wait()
        hub.stdout.close()
        if self._scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)  # in case the hub was killed and could not


def _trusted(address: str | None) -> str | None:
    """Return the address if it may be used: a scheduler runs what it is sent, so TLS, or this very machine."""
    if not address:
        return None
    parts = urlsplit(address)
    if parts.scheme == "tls" or (parts.scheme == "tcp" and parts.hostname in ("localhost", "127.0.0.1", "::1")):
        return address
    raise JobError(f"{REFUSED}, got {address!r}.")


def can_reach(address: str | None) -> bool:
    """Return whether a scheduler's port can be opened; True without an address, where a local cluster is started."""
    parts = urlsplit(address or "")
    if not parts.hostname:
        return not address
    try:
        with socket.create_connection((parts.hostname, parts.port or 8786), timeout=CONNECT_SECONDS):
            return True
    except OSError:
        return False


def _start_hub() -> "subprocess.Popen[bytes]":
    root = str(Path(__file__).parents[2])  # workers find the package wherever the server was started
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    quiet = ["-W", "ignore::UserWarning:multiprocessing.resource_tracker"]  # it reports what the hub's end leaves to it
    return subprocess.Popen(
        [sys.executable, "-P", *quiet, "-m", "aecore.jobs.hub", json.dumps(LANES)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,  # Ctrl-C in a terminal is for the server, which then closes the pipe
    )
