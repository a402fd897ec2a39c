"""What the server holds: at rest, for a further idle visitor, and after many visits with large uploads.

    python -m tests.benchmarks.memory [--visits 200] [--megabytes 20] [--idle 40]

Resident set of the server's process alone; the scheduler and the workers are listed apart. A visit opens the page,
sends a file of its own content, waits until the page has run with it, and closes the tab, which cancels the page's work
on the file. Prints a line every 20 visits.
"""

import argparse
import asyncio
import io
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from tests.benchmarks.visitors import CHANGES
from tests.servers import Server, serving
from tests.visitor import Visitor

SETTLE = 40.0  # s; longer than server.disconnectedSessionTTL


def resident(server: Server) -> tuple[float, float]:
    """MB of the server, and of all helper processes together."""
    process = psutil.Process(server.process.pid)
    helpers = sum(child.memory_info().rss for child in process.children(recursive=True))
    return process.memory_info().rss / 1e6, helpers / 1e6


def recording(megabytes: float, seed: int) -> bytes:
    """A NumPy file of so many MB, different for every seed."""
    rows = int(megabytes * 1e6 / 8 / 4)
    buffer = io.BytesIO()
    np.save(buffer, np.random.default_rng(seed).random((rows, 4)))
    return buffer.getvalue()


async def visit(server: Server, megabytes: float, seed: int) -> None:
    visitor = await Visitor.open(server.url, "Sensor_Anomalies", "source=Your+own+file")
    status = await visitor.upload("A sensor log", f"{seed}.npy", recording(megabytes, seed))
    if status != 204:
        raise RuntimeError(f"an upload was answered with {status}")
    visitor.check()
    await visitor.close()


async def play(server: Server, options: argparse.Namespace) -> None:
    for page in CHANGES:
        await (await Visitor.open(server.url, page)).close()
    await asyncio.sleep(SETTLE)
    some = [await Visitor.open(server.url, page) for page in CHANGES]
    base, helpers = resident(server)
    print(
        f"every page opened: {base:.0f} MB, {len(some)} visitors there; helper processes {helpers:.0f} MB", flush=True
    )
    idle = [await Visitor.open(server.url, list(CHANGES)[i % len(CHANGES)]) for i in range(options.idle)]
    await asyncio.sleep(2)
    more, _ = resident(server)
    print(f"{options.idle} more idle visitors: {more:.0f} MB, {(more - base) / options.idle:.2f} MB each", flush=True)
    for visitor in (*some, *idle):
        await visitor.close()
    began, levels = time.perf_counter(), []
    for seed in range(options.visits):
        await visit(server, options.megabytes, seed)
        if seed % 20 == 19:
            levels.append(resident(server)[0])
            print(f"{seed + 1:4} visits with {options.megabytes:g} MB: {levels[-1]:.0f} MB, "
                  f"{time.perf_counter() - began:.0f} s", flush=True)  # fmt: skip
    if levels:
        print(f"after the last against after the first 20: {levels[-1] - levels[0]:+.0f} MB; peak {max(levels):.0f} MB")
    await asyncio.sleep(options.after)
    print(f"{options.after:g} s later: {resident(server)[0]:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visits", type=int, default=200)
    parser.add_argument("--megabytes", type=float, default=20)
    parser.add_argument("--idle", type=int, default=40)
    parser.add_argument("--after", type=float, default=45)
    parser.add_argument("--script", choices=["serve.py", "Home.py"], default="serve.py")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, serving(Path(name), options.script) as server:
        asyncio.run(play(server, options))


if __name__ == "__main__":
    main()
