"""The local cluster as one command: a scheduler, and a nanny for each worker process of the plan.

``python -m aecore.jobs.hub SPEC`` prints one line of JSON about itself, serves on the loopback interface only, and ends
with the process that started it, however that one ends: its standard input is a pipe that nobody else holds, and its
workers end with it in turn. Nothing here uses multiprocessing on the server's side, which would run a page again.

Everybody shows a certificate that was made for this one hub: whoever else has an account on the machine can reach the
port, and would otherwise have the workers run anything. The key never lies in a file that lasts.
"""

import asyncio
import contextlib
import json
import logging
import os
import shutil
import sys
import tempfile
import threading
from typing import Any

import distributed.scheduler
import psutil
from distributed import Nanny, Scheduler, Security
from distributed.comm import CommClosedError

from aecore import logs
from aecore.jobs import config
from aecore.memory import MEGABYTE

HOST = "127.0.0.1"
# Seconds; a worker that dies is missed at once, by its line.
HEARTBEAT = 2.0


def main() -> None:
    """Serve until the process that started this one is gone."""
    spec: dict[str, Any] = json.loads(sys.argv[1])
    scratch = tempfile.mkdtemp(prefix="aecore-jobs-")
    nannies: list[Nanny] = []
    threading.Thread(target=_end_with_the_server, args=(scratch, nannies), daemon=True).start()
    if logs.is_wanted():
        logs.install()
    logging.getLogger("distributed").setLevel(logging.WARNING)
    logging.getLogger("distributed.scheduler").addFilter(_is_news)
    config.apply()
    asyncio.run(_serve(spec, scratch, nannies))


def _is_news(record: logging.LogRecord) -> bool:
    """Drop the scheduler's complaint that a server which ended did not wait for an answer; it quotes the answer too."""
    return not (record.exc_info and isinstance(record.exc_info[1], CommClosedError))


async def _serve(spec: dict[str, Any], scratch: str, nannies: list[Nanny]) -> None:
    security = Security.temporary()
    # By itself the scheduler asks a few workers twice a second, and no setting changes that; a test reads the interval.
    distributed.scheduler.heartbeat_interval = lambda workers: HEARTBEAT
    async with Scheduler(
        host=HOST, port=0, protocol="tls", security=security, dashboard=False, dashboard_address=f"{HOST}:0",
        preload=["aecore.jobs.scheduler"],
    ) as scheduler:  # fmt: skip
        greeting = {"address": scheduler.address, "scratch": scratch}
        greeting |= {"cert": security.tls_client_cert, "key": security.tls_client_key}
        print(json.dumps(greeting), flush=True)
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nobody reads on: what tasks print belongs in the log
        nannies += [_nanny(scheduler.address, security, scratch, spec["child"], **worker) for worker in spec["workers"]]
        await asyncio.gather(*nannies)
        await scheduler.finished()


def _nanny(
    address: str, security: Security, scratch: str, child: int,
    *, name: str, slots: dict[str, int], memory: int, nice: int, threads: int,
) -> Nanny:  # fmt: skip
    return Nanny(
        address,
        name=name,
        host=HOST,
        protocol="tls",
        security=security,
        nthreads=sum(slots.values()),
        resources=slots,
        memory_limit=memory,
        local_directory=scratch,
        dashboard_address=f"{HOST}:0",
        preload=["aecore.jobs.worker"],
        silence_logs=logging.WARNING,
        env={
            "AECORE_NICE": os.environ.get("AECORE_NICE", str(nice)),
            "AECORE_CHILD_MEGABYTES": os.environ.get("AECORE_CHILD_MEGABYTES", str(child / MEGABYTE)),
            "OMP_NUM_THREADS": str(threads),
            "MKL_NUM_THREADS": str(threads),
            "OPENBLAS_NUM_THREADS": str(threads),
        },
    )


def _end_with_the_server(scratch: str, nannies: list[Nanny]) -> None:
    sys.stdin.buffer.read()  # returns when the other end of the pipe is closed, which a killed process does too
    workers = [psutil.Process(nanny.pid) for nanny in nannies if nanny.pid and psutil.pid_exists(nanny.pid)]
    family = [process.pid for worker in workers for process in [*worker.children(recursive=True), worker]]
    shutil.rmtree(scratch, ignore_errors=True)
    sys.setswitchinterval(60)  # from here on no other thread runs: the nannies would replace their workers
    for pid in family:
        with contextlib.suppress(psutil.Error):
            psutil.Process(pid).kill()
    os._exit(0)


if __name__ == "__main__":
    main()
