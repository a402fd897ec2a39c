"""The server's line to a cluster: starts the local one, or connects to the one that ``$AECORE_SCHEDULER`` names.

The scheduler is asked to run work, and to say which worker has begun it. From then on server and worker talk to each
other (`aecore.jobs.service`): the task is delivered, progress is listened for, the result is collected. All talking is
done in the event loop of Dask's client; what it learns is posted to the dispatcher.
"""

import asyncio
import contextlib
import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aecore.memory
from aecore.errors import JobError, TooBusy
from aecore.jobs import config, service
from aecore.jobs.held import gone
from aecore.jobs.job import Work
from aecore.jobs.plan import MachinePlan, plan
from aecore.jobs.running import Outcome, make_failure

# A cold disk takes long to import distributed; more than this is a fault.
START_SECONDS = 60.0
# A scheduler that runs already answers sooner than a local one starts.
REACH_SECONDS = 20.0
# A check whether the scheduler is there waits for so long.
CONNECT_SECONDS = 2.0
# Seconds between two looks at which workers a distant scheduler has.
SURVEY_EVERY = 2.0
# Seconds between two messages to the workers that hold values of this server.
HEAR_EVERY = 60.0
# A worker that imports torch answers late.
DESCRIBE_SECONDS = 30.0
# A worker that has not ended a child by then is ended itself.
END_SECONDS = 3.0
# The pause after a line to a worker broke; if the worker is gone, the scheduler says so meanwhile.
RETRY_SECONDS = 0.3
# This loads torch, and what the first optimizer of a process would load: 1.8 s of a first training.
TRAINS = "torch._dynamo"
REFUSED = "AECORE_SCHEDULER must be tls://host:port, or tcp:// on this machine"

Post = Callable[..., None]  # of ("started", run, address), ("progress", run, entries), ("outcome", run, outcome), ...

_log = logging.getLogger(__name__)


class Refused(JobError):
    """A scheduler that must not be used; the message says why, without its address."""


class Cluster:
    """A running cluster and the client to it."""

    def __init__(self, post: Post, on_death: Callable[["Cluster"], None]) -> None:
        self._post = post
        self.hub: subprocess.Popen[bytes] | None = None
        self.scratch: str | None = None
        self._slots: Counter[str] = Counter()
        self._vouched: set[str] = set()  # workers that may be sent a visitor's data
        self._refused: dict[str, str] = {}  # the others, and why
        self.holding: Counter[str] = Counter()  # handles that live, by the address of their worker
        self.owner = uuid.uuid4().hex
        self._topic = f"aecore-{self.owner}"
        remote = _check_address(os.environ.get("AECORE_SCHEDULER"))
        self.plan: MachinePlan | None = None
        if not remote:
            self.plan = plan(aecore.memory.machine_memory(), _cores())
            self.hub = _start_hub(self.plan)
        import dask
        import distributed  # half a second, while the hub starts

        # The server's own side: what it sends and takes must not be compressed, kept or complained of either.
        dask.config.set({name: config.CONFIG[name] for name in config.CONFIG if name.startswith("distributed.comm")})
        address, security = (remote, None) if remote else self._greeting()
        try:
            patience = REACH_SECONDS if remote else START_SECONDS
            self.client = distributed.Client(address, security=security, set_as_default=False, timeout=patience)
        except OSError:
            if self.hub:
                self._end_hub()
            raise
        self._loop: asyncio.AbstractEventLoop = self.client.loop.asyncio_loop
        self._tasks: set[asyncio.Task[None]] = set()  # the event loop itself keeps none of them alive
        if remote:
            self._check_scheduler()
            self._soon(self._survey())
        self.client.subscribe_topic(self._topic, lambda event: post("started", event[1]["id"], event[1]["started"]))
        self._soon(self._keep_alive())
        if self.hub:
            threading.Thread(target=self._watch, args=(on_death,), daemon=True, name="aecore-hub").start()

    def slots(self, lane: str) -> int:
        """Return how many tasks of a lane can run at once."""
        return self.plan.slots(lane) if self.plan else self._slots[lane]

    def refusal(self) -> str | None:
        """Return why there is no worker that may be used, where there are some; None otherwise."""
        return next(iter(self._refused.values()), None) if not self._vouched else None

    def is_connected(self) -> bool:
        """Return whether the line to the scheduler stands."""
        return bool(self.client.status == "running")

    def start(self, work: Work) -> Any:
        """Ask for a worker of the work's lane; returns Dask's future of the moment when it is through."""
        return self.client.submit(
            service.run,
            work.run_id,
            self._topic,
            key=f"work-{work.run_id}",
            resources={work.lane: 1},
            workers=list(self._vouched) if self._refused else None,
            pure=False,
            retries=0,
        )

    def attend(self, work: Work, address: str, future: Any) -> None:
        """Deliver work to the worker that has begun it, and post what comes back; returns at once."""
        self._soon(self._attend(work, work.run_id, address, future))

    def stop(self, run: str, address: str) -> None:
        """Have the worker at `address` stop at the task's next yield; does not wait for it."""
        self._soon(self._call(address, "stop", id=run))

    def end(self, run: str, address: str) -> None:
        """End a task that has not stopped: its child, or its whole worker; does not wait for it."""
        self._soon(self._end(run, address))

    def release(self, name: str, address: str) -> None:
        """Have a worker let a held value go; does not wait for it."""
        self._soon(self._call(address, "release", ids=[name]))

    def count(self, address: str, change: int) -> None:
        """Note that this server has one held value more, or less, in the worker at `address`."""
        self.holding[address] += change
        self.holding += Counter()  # drops what has come to nothing

    def warm(self, modules: Mapping[str, Sequence[str]] | None = None) -> None:
        """Load modules in the workers of each lane, by default torch in all of them; returns when that is done."""
        answer = asyncio.run_coroutine_threadsafe(self._warm(modules), self._loop)
        answer.result(timeout=2 * START_SECONDS)

    def close(self) -> None:
        """Cut the line; a local cluster ends."""
        with contextlib.suppress(RuntimeError):  # the loop may have ended
            self._loop.call_soon_threadsafe(lambda: [task.cancel() for task in self._tasks])
        self.client.close(timeout=2)
        if self.hub:
            self._end_hub()

    # ---- in the client's event loop

    def _soon(self, coroutine: Coroutine[Any, Any, None]) -> None:
        def begin() -> None:
            task = self._loop.create_task(coroutine)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        try:
            self._loop.call_soon_threadsafe(begin)
        except RuntimeError:  # the loop has ended, and the cluster with it
            coroutine.close()

    async def _attend(self, work: Work, run: str, address: str, future: Any) -> None:
        worker = self.client.rpc(address)
        seen, delivered = 0, False
        while True:
            try:
                if not delivered:
                    if outcome := await self._hinder(work, address):
                        self._post("outcome", run, outcome, address)
                        break
                    payload = work.payload
                    if payload is None:
                        break
                    order = {
                        "private": work.private,
                        "isolated": work.isolated,
                        "owner": self.owner,
                        "handles": [(handle.id, handle.address) for handle in work.handles],
                    }
                    delivered = await worker.aecore_deliver(id=run, order=order, task=service.wire(payload))
                    del payload
                answer = await worker.aecore_listen(id=run, seen=seen) if delivered else None
                if answer is None:
                    self._post("lost", run)
                    return
                entries = answer["entries"][seen - answer["first"] :]
                seen += len(entries)
                if entries:
                    self._post("progress", run, [service.unwire(entry) for entry in entries])
                if told := answer["outcome"]:
                    self._post("outcome", run, await self._collect(worker, run, told), address)
                    break
            except OSError:  # of a line that broke, or a worker that died: the future says which
                if future.done():
                    self._post("lost", run)
                    return
                await asyncio.sleep(RETRY_SECONDS)
        with contextlib.suppress(OSError):
            await worker.aecore_dismiss(id=run)

    async def _hinder(self, work: Work, address: str) -> Outcome | None:
        """Return why work is not to be delivered: a worker that must not have it, or a value that is gone."""
        if not self.plan and address not in self._vouched and not await self._vouch(address):
            return make_failure(self._refused.get(address, "The worker does not answer: try again later."))
        places = {handle.address for handle in work.handles} - {address}
        if places:
            there = await self.client.scheduler.identity(n_workers=-1)
            if not places <= set(there["workers"]):
                return make_failure(str(gone()), "DataGone")
        return None

    async def _collect(self, worker: Any, run: str, told: dict[str, Any]) -> Outcome:
        value, charge = None, None
        if told["size"] is not None:
            try:
                charge = aecore.memory.budget.charge(told["size"], "results")
            except TooBusy as error:
                return make_failure(str(error), "TooBusy")
            value = service.unwire(await worker.aecore_collect(id=run))
        words = {name: told[name] for name in ("state", "error", "message", "log")}
        handle = tuple(told["handle"]) if told["handle"] else None
        return Outcome(**words, value=value, handle=handle, charge=charge)

    async def _call(self, address: str, name: str, **content: Any) -> Any:
        with contextlib.suppress(OSError):  # of a worker that has gone meanwhile
            return await getattr(self.client.rpc(address), f"aecore_{name}")(**content)

    async def _end(self, run: str, address: str) -> None:
        ended = False
        with contextlib.suppress(OSError, TimeoutError):
            ended = await asyncio.wait_for(self.client.rpc(address).aecore_end(id=run), END_SECONDS)
        if not ended:
            self._post("killing", run, address)
            threading.Thread(target=self._kill, args=(address,), daemon=True).start()

    def _kill(self, address: str) -> None:
        with contextlib.suppress(OSError, RuntimeError, CancelledError):  # of a cluster that has gone meanwhile
            self.client.run(kill, workers=[address], nanny=True, on_error="ignore")

    async def _survey(self) -> None:
        """Keep count of the workers of a distant scheduler, and vouch for those that are new."""
        while True:
            with contextlib.suppress(OSError):
                there = (await self.client.scheduler.identity(n_workers=-1))["workers"]
                self._vouched &= set(there)
                self._refused = {address: why for address, why in self._refused.items() if address in there}
                new = [address for address in there if address not in self._vouched and address not in self._refused]
                await asyncio.gather(*map(self._vouch, new))
                slots: Counter[str] = Counter()
                for address in self._vouched & set(there):
                    slots.update({lane: int(count) for lane, count in there[address].get("resources", {}).items()})
                self._slots = slots
            self._post("surveyed", "")
            await asyncio.sleep(SURVEY_EVERY if self._slots else min(SURVEY_EVERY, 0.2))

    async def _vouch(self, address: str) -> bool:
        """Find out whether a worker runs this code and keeps a visitor's data in memory."""
        try:
            told = await asyncio.wait_for(self.client.rpc(address).aecore_describe(), DESCRIBE_SECONDS)
        except (OSError, TimeoutError):
            return False
        if told is None:
            why = "lacks this program's preload"
        elif told["fingerprint"] != config.fingerprint():
            why = "runs another version of this program"
        else:
            why = " and ".join(told["faults"])
        if not why:
            self._vouched.add(address)
            return True
        self._refused[address] = f"A worker of the cluster {why}, and is sent nothing: see docs/SCALING.md."
        _log.warning("The worker at %s %s, and is sent nothing", address, why)
        return False

    def _check_scheduler(self) -> None:
        told = self.client.sync(self.client.scheduler.aecore_describe)
        why = "lacks this program's preload" if told is None else " and ".join(told["faults"])
        if why:
            self.client.close(timeout=2)
            raise Refused(f"The scheduler of the cluster {why}: see docs/SCALING.md")

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(HEAR_EVERY)
            await asyncio.gather(*(self._call(address, "hear", owner=self.owner) for address in list(self.holding)))

    async def _warm(self, modules: Mapping[str, Sequence[str]] | None) -> None:
        wanted = len(self.plan.workers) if self.plan else 1
        deadline = time.monotonic() + START_SECONDS
        while True:
            there = (await self.client.scheduler.identity(n_workers=-1))["workers"]
            if len(there) >= wanted or time.monotonic() > deadline:
                break
            await asyncio.sleep(0.05)

        async def load(address: str, lanes: Iterable[str]) -> None:
            wanted = (TRAINS,) if modules is None else [name for lane in lanes for name in modules.get(lane, ())]
            for module in wanted:
                await self._call(address, "load", module=module)

        await asyncio.gather(*(load(address, each["resources"]) for address, each in there.items()))

    # ---- the local cluster's process

    def _watch(self, on_death: Callable[["Cluster"], None]) -> None:
        assert self.hub is not None
        self.hub.wait()
        on_death(self)

    def _greeting(self) -> tuple[str, Any]:
        from distributed import Security

        hub = self.hub
        assert hub is not None and hub.stdout is not None
        timer = threading.Timer(START_SECONDS, hub.kill)
        timer.start()
        line = hub.stdout.readline()
        timer.cancel()
        if not line:
            self._end_hub()
            raise JobError("The helper processes did not start: the log of the server says why; try again later.")
        greeting = json.loads(line)
        self.scratch = greeting["scratch"]
        secrets = {
            "tls_ca_file": greeting["cert"],
            "tls_client_cert": greeting["cert"],
            "tls_client_key": greeting["key"],
        }
        return str(greeting["address"]), Security(require_encryption=True, **secrets)

    def _end_hub(self) -> None:
        hub = self.hub
        assert hub is not None and hub.stdin is not None and hub.stdout is not None
        hub.stdin.close()  # the hub ends itself and its workers when this pipe closes
        try:
            hub.wait(timeout=5)
        except subprocess.TimeoutExpired:
            hub.kill()
            hub.wait()
        hub.stdout.close()
        if self.scratch:
            shutil.rmtree(self.scratch, ignore_errors=True)  # in case the hub was killed and could not


def kill(dask_worker: Any) -> None:
    """Kill the worker process of a nanny, which starts another one; Dask calls this in the nanny.

    A signal, as the nanny's own ways of ending a worker wait for it to answer, and a worker that computes does not.
    """
    os.kill(dask_worker.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)


def _check_address(address: str | None) -> str | None:
    """Return the address if it may be used: a scheduler runs what it is sent, so TLS, or this very machine."""
    if not address:
        return None
    parts = urlsplit(address)
    if parts.scheme == "tls" or (parts.scheme == "tcp" and parts.hostname in ("localhost", "127.0.0.1", "::1")):
        return address
    raise JobError(f"{REFUSED}, got {address!r}.")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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


def _start_hub(plan: MachinePlan) -> "subprocess.Popen[bytes]":
    root = str(Path(__file__).parents[2])  # workers find the package wherever the server was started
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    quiet = ["-W", "ignore::UserWarning:multiprocessing.resource_tracker"]  # it reports what the hub's end leaves to it
    workers = [vars(worker) for worker in plan.workers]
    return subprocess.Popen(
        [sys.executable, "-P", *quiet, "-m", "aecore.jobs.hub", json.dumps({"workers": workers, "child": plan.child})],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,  # Ctrl-C in a terminal is for the server, which then closes the pipe
    )
