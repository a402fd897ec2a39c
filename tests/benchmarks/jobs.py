"""How fast long work answers: ``python -m tests.benchmarks.jobs`` from the project's root prints one table.

Every figure is the median of several tries, its worst beside it, on whatever else the machine is doing.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from aecore import jobs
from tests import tasks_for_jobs as tasks


def row(name: str, seconds: list[float]) -> None:
    """Print one line of the table."""
    print(f"{name:<52}{statistics.median(seconds) * 1e3:>10.1f}{max(seconds) * 1e3:>10.1f}{len(seconds):>7}")


def timed(action, *args, **settings):
    """Call, and say how long it took."""
    began = time.perf_counter()
    answer = action(*args, **settings)
    return answer, time.perf_counter() - began


def first_progress(task, *args, **settings) -> float:
    """Seconds from submission until the page could have shown something."""
    began = time.perf_counter()
    job = jobs.submit(task, *args, private=True, **settings)
    while job.latest is None:
        time.sleep(0.0005)
    seconds = time.perf_counter() - began
    job.result()
    return seconds


def progress_latency(count: int, pause: float) -> list[float]:
    """Seconds from each yield in the worker until the server knows."""
    job, late, seen = jobs.submit(tasks.stamps, count, pause, private=True), [], None
    while job.state in ("queued", "running"):
        if job.latest not in (None, seen):
            seen = job.latest
            late.append(time.time() - seen)
        time.sleep(0.0005)
    return late


def cancel_latency(folder: str) -> float:
    """Seconds from cancel() until the task's finally block has run."""
    closed = Path(folder) / "closed"
    closed.unlink(missing_ok=True)
    job = jobs.submit(tasks.beat, folder, 0.1, private=True)
    while job.latest is None:
        time.sleep(0.001)
    began = time.time()
    job.cancel()
    while not closed.exists() or not closed.read_text():
        time.sleep(0.001)
    return float(closed.read_text()) - began


def import_cost() -> float:
    """Seconds that importing the module takes in a bare interpreter."""
    code = "import time; began = time.perf_counter(); import aecore.jobs; print(time.perf_counter() - began)"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def idle(seconds: float) -> tuple[float, list[tuple[str, float]]]:
    """Share of one core that the idle cluster takes, and each process' memory in MB."""
    family = psutil.Process().children(recursive=True)
    before = sum(sum(process.cpu_times()[:2]) for process in family)
    time.sleep(seconds)
    after = sum(sum(process.cpu_times()[:2]) for process in family)
    return (after - before) / seconds, [(str(process.pid), process.memory_info().rss / 1e6) for process in family]


def main() -> None:
    """Measure and print."""
    print(f"{'milliseconds':<52}{'median':>10}{'worst':>10}{'tries':>7}")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["AECORE_CACHE"] = folder
        row("import aecore.jobs, bare interpreter", [import_cost() for _ in range(5)])
        starts = []
        for _ in range(3):
            starts.append(first_progress(tasks.echo, 1))
            jobs.shutdown()
        row("cluster start to first progress", starts)
        jobs.submit(tasks.echo, 0, private=True).result()
        row("first progress of a task with torch, cold worker", [first_progress(tasks.torch_threads)])
        row("warm(), the rest", [timed(jobs.warm)[1]])
        row(
            "first progress of a task with torch, warm worker", [first_progress(tasks.torch_threads) for _ in range(20)]
        )
        row("submit() of a private job", [timed(jobs.submit, tasks.echo, i, private=True)[1] for i in range(50)])
        row("progress, 20 a second", progress_latency(60, 0.05))
        row("progress, 500 a second", progress_latency(1000, 0.002))
        row("cancel to the task's finally, yields every 100 ms", [cancel_latency(folder) for _ in range(10)])
        first = jobs.submit(tasks.calls, folder, "bench")
        first.result()
        time.sleep(0.3)  # until it is on disk
        answers = [timed(jobs.submit, tasks.calls, folder, "bench") for _ in range(30)]
        assert all(job.cached for job, _ in answers)
        row("submit() answered from disk", [seconds for _, seconds in answers])
        share, memory = idle(5.0)
        print(f"idle cluster: {share:.1%} of one core, " + ", ".join(f"{size:.0f} MB" for _, size in memory))
        _, seconds = timed(jobs.shutdown)
        row("shutdown()", [seconds])


if __name__ == "__main__":
    main()
