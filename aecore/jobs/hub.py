"""The local cluster as one command: a scheduler, and a nanny with one worker process for each lane.

``python -m aecore.jobs.hub SPEC`` prints one line of JSON about itself, serves on the loopback interface only, and ends
with the process that started it, however that one ends: its standard input is a pipe that nobody else holds, and its
workers end with it in turn. Nothing here uses multiprocessing on the server's side, which would run a page again.
"""

import asyncio
import contextlib
import json
import logging
import os
import shutil
import signal
import sys
import tempfile
import threading
from typing import Any

import dask
import psutil
from dask.system import CPU_COUNT
from distributed import Nanny, Scheduler
from distributed.comm import CommClosedError

from aecore import logs

HOST = "127.0.0.1"

CONFIG = {
    "distributed.scheduler.allowed-failures": 0,  # a task that took its worker down would take the next one too
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.memory.target": False,  # never spill: a visitor's data stay in memory
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,  # a worker that holds much between two tasks must still take the next
    "distributed.worker.memory.terminate": 0.95,
    "distributed.admin.low-level-log-length": 0,  # keep no events of what has ended
    # What watches a cluster for people who tune one; it took 5 % of a core while nothing happened.
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.admin.system-monitor.disk": False,
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.diagnostics.nvml": False,
    "distributed.admin.tick.limit": "60s",  # importing torch holds the event loop for seconds, which is no news
}


def main() -> None:
    """Serve until the process that started this one is gone."""
    lanes: dict[str, dict[str, Any]] = json.loads(sys.argv[1])
    scratch = tempfile.mkdtemp(prefix="aecore-jobs-")
    nannies: list[Nanny] = []
    threading.Thread(target=_end_with_the_server, args=(scratch, nannies), daemon=True).start()
    if logs.wanted():
        logs.install()
    logging.getLogger("distributed").setLevel(logging.WARNING)
    logging.getLogger("distributed.scheduler").addFilter(_is_news)
    with dask.config.set(CONFIG):
        asyncio.run(_serve(lanes, scratch, nannies))


def _is_news(record: logging.LogRecord) -> bool:
    """Drop the scheduler's complaint that a server which ended did not wait for an answer; it quotes the answer too."""
    return not (record.exc_info and isinstance(record.exc_info[1], CommClosedError))


async def _serve(lanes: dict[str, dict[str, Any]], scratch: str, nannies: list[Nanny]) -> None:
    async with Scheduler(
        host=HOST, port=0, protocol="tcp", dashboard=False, dashboard_address=f"{HOST}:0"
    ) as scheduler:
        print(json.dumps({"address": scheduler.address, "scratch": scratch}), flush=True)
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nobody reads on: what tasks print belongs in the log
        nannies += [_nanny(scheduler.address, name, scratch, **lane) for name, lane in lanes.items()]
        await asyncio.gather(*nannies)
        await scheduler.finished()


def _nanny(address: str, lane: str, scratch: str, *, nice: int, threads: int, memory: str) -> Nanny:
    count = str(threads if threads > 0 else max(1, CPU_COUNT + threads))
    return Nanny(
        address,
        name=lane,
        host=HOST,
        nthreads=1,
        resources={lane: 1},
        memory_limit=memory,
        local_directory=scratch,
        dashboard_address=f"{HOST}:0",
        preload=["aecore.jobs.worker"],
        silence_logs=logging.WARNING,
        env={
            "AECORE_NICE": os.environ.get("AECORE_NICE", str(nice)),
            "OMP_NUM_THREADS": count,
            "MKL_NUM_THREADS": count,
            "OPENBLAS_NUM_THREADS": count,
        },
    )


def _end_with_the_server(scratch: str, nannies: list[Nanny]) -> None:
    sys.stdin.buffer.read()  # returns when the other end of the pipe is closed, which a killed process does too
    workers = [psutil.Process(nanny.pid) for nanny in nannies if nanny.pid and psutil.pid_exists(nanny.pid)]
    family = [process.pid for worker in workers for process in [*worker.children(recursive=True), worker]]
    shutil.rmtree(scratch, ignore_errors=True)
    sys.setswitchinterval(60)  # from here on no other thread runs: the nannies would replace their workers
    for pid in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    os._exit(0)


if __name__ == "__main__":
    main()
