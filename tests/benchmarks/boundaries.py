"""What long work costs the processes that everybody shares, and how long it keeps others waiting.

    python -m tests.benchmarks.boundaries

Prints one table: the growth of the server (this process) and of the scheduler (the hub's process), as a sampler outside
of both sees it; another visitor's wait; what a process of its own costs a task; memory of the idle processes.
"""

import gzip
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import psutil

from aecore import jobs
from tests import tasks_for_jobs as tasks

SAMPLER = """
import json, sys, psutil
processes, peaks = [psutil.Process(int(pid)) for pid in sys.argv[1:]], [0] * len(sys.argv[1:])
import select
while not select.select([sys.stdin], [], [], 0.002)[0]:
    peaks = [max(peak, process.memory_info().rss) for peak, process in zip(peaks, processes)]
print(json.dumps(peaks))
"""


def row(name: str, *figures: object) -> None:
    print(f"{name:<72}" + "".join(f"{figure:>14}" for figure in figures), flush=True)


def growth(action: Callable[..., Any], *args: Any, **settings: Any) -> tuple[Any, str, str]:
    """Do something; returns its answer and by how much server and scheduler grew at their peaks."""
    pids = [os.getpid(), jobs.dispatcher.cluster.hub.pid]
    before = [psutil.Process(pid).memory_info().rss for pid in pids]
    command = [sys.executable, "-c", SAMPLER, *map(str, pids)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as sampler:
        time.sleep(0.5)
        answer = action(*args, **settings)
        time.sleep(0.3)
        peaks = json.loads(sampler.communicate("\n")[0])
    return (answer, *(f"{(peak - old) / 1e6:+,.0f} MB" for peak, old in zip(peaks, before, strict=True)))


def finished(task: Any, *args: Any, **settings: Any) -> tuple[Any, float]:
    """Submit work and wait for it; returns its handle and the seconds it took."""
    began = time.perf_counter()
    job = jobs.submit(task, *args, private=True, **settings)
    job.result(120)
    return job, time.perf_counter() - began


def memory() -> None:
    """Print what the processes of an idle cluster hold: private bytes, and the whole with what they share."""
    hub = psutil.Process(jobs.dispatcher.cluster.hub.pid)
    total = 0.0
    for process in [hub, *hub.children(recursive=True)]:
        full = process.memory_full_info()
        if full.rss < 5e6:
            continue
        total += full.pss / 1e6
        name = " ".join(process.cmdline())[-60:].split("--multiprocessing")[0]
        kind = "hub" if process == hub else "forkserver" if "forkserver" in name else "worker or helper"
        row(f"  {kind}", f"{full.uss / 1e6:,.0f} MB", f"{full.pss / 1e6:,.0f} MB")
    row("  all, what they share counted once", "", f"{total:,.0f} MB")


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["AECORE_CACHE"] = folder
        starts = []
        for _ in range(3):
            starts.append(finished(tasks.echo, 1)[1])
            jobs.shutdown()
        row("start of the cluster to the first result, s", f"{statistics.median(starts):.2f}")
        finished(tasks.echo, 1)
        jobs.warm()
        finished(tasks.echo, 1, lane="short", isolated=True)
        time.sleep(2)

        row("growth at the peak", "server", "scheduler")
        _, *grown = growth(np.ones, 12_500_000)
        row("for comparison: 100 MB are written to in the server", *grown)
        values = io.BytesIO()
        np.save(values, (np.arange(20_000_000) % 251).astype(np.uint8).reshape(-1, 2))
        packed = gzip.compress(values.getvalue(), 6)
        del values
        name = f"a packed file of {len(packed) / 1e3:.0f} kB with 20 million cells is parsed and held"
        (job, _), *grown = growth(finished, tasks.parse_and_hold, packed, lane="short", isolated=True)
        row(name, *grown)
        (_, seconds), *grown = growth(finished, tasks.add_up, job.handle)
        row(f"its {job.handle.size / 1e6:.0f} MB go to the long worker ({seconds:.1f} s)", *grown)
        del job
        upload = os.urandom(100_000_000)
        (_, seconds), *grown = growth(finished, tasks.size_of, upload, lane="short")
        row(f"an upload of 100 MB is given to a task ({seconds:.1f} s)", *grown)
        (_, seconds), *grown = growth(finished, tasks.size_of, upload, lane="short", isolated=True)
        row(f"and to an isolated one ({seconds:.1f} s)", *grown)
        del upload

        table = np.random.default_rng(0).random((20_000, 4))
        row("milliseconds, median and worst of 20", "shared", "isolated")
        for title, task, args in (("nothing", tasks.echo, (1,)), ("20,000 x 4 there and back", tasks.echo, (table,))):
            shared, own = (
                [1e3 * finished(task, *args, lane="short", isolated=isolated)[1] for _ in range(20)]
                for isolated in (False, True)
            )
            figures = [f"{statistics.median(each):.0f} / {max(each):.0f}" for each in (shared, own)]
            row(f"a task that does {title}", *figures)
        _, seconds = finished(tasks.hold, 5_000_000, lane="short", isolated=True)
        row("an isolated task makes 20 million values and holds them, s", f"{seconds:.1f}")

        hog = jobs.submit(tasks.be_busy, 30, lane="short", private=True, isolated=True)
        while hog.latest is None:
            time.sleep(0.01)
        waits = [finished(tasks.echo, table, lane="short", isolated=True)[1] for _ in range(10)]
        row("another visitor's task while one takes 30 s, worst of 10, s", f"{max(waits):.2f}")
        assert hog.state == "running"
        hog.cancel()
        jobs.shutdown()

        for megabytes in ("24000", "1000"):
            os.environ["AECORE_MEMORY_MEGABYTES"] = megabytes
            finished(tasks.echo, 1)
            finished(tasks.echo, 1, lane="short", isolated=True)
            row(f"memory of idle processes on a machine of {megabytes} MB, before torch", "own", "share")
            memory()
            jobs.warm()
            time.sleep(3)
            row("  with torch loaded", "own", "share")
            memory()
            jobs.shutdown()


if __name__ == "__main__":
    main()
