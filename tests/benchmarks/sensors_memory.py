"""What one small file with many cells costs the processes that everybody shares, from upload to drawn result.

    python -m tests.benchmarks.sensors_memory [--cells 20000000] [--channels 2] [--script serve.py]

Uploads a packed NumPy file through the sensor page of a real server, waits for the events, moves the threshold, zooms
in, and removes the data. Reports how far the highest resident set of the server and of the scheduler's process rose
above what they had before, and the highest of the workers and of what they start.
"""

import argparse
import asyncio
import gzip
import io
import re
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from streamlit.proto.Common_pb2 import DoubleArray

from tests.servers import serving
from tests.visitor import Visitor

SETTLE = 14.0  # s; until the workers are warm
SECONDS = 1200.0


def packed(cells: int, channels: int) -> bytes:
    """A NumPy file of small numbers that repeat, gzipped: some 4 bytes for a thousand cells."""
    values = (np.arange(cells) % 251).astype(np.uint8).reshape(-1, channels)
    buffer = io.BytesIO()
    np.save(buffer, values)
    return gzip.compress(buffer.getvalue(), 6)


def highest(pid: int) -> float:
    """MB of the highest resident set that a process has had."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) * 1024 / 1e6


class Watch:
    """The highest resident sets of a server and of its helpers, by what they are."""

    def __init__(self, server: psutil.Process) -> None:
        self.server = server
        self.seen: dict[str, float] = {}

    def look(self) -> dict[str, float]:
        self._note("server", self.server.pid)
        for process in self.server.children(recursive=True):
            try:
                line = " ".join(process.cmdline())
            except psutil.Error:
                continue
            names = {"aecore.jobs.hub": "scheduler", "spawn_main": "workers", "aecore.jobs.forkserver": "children"}
            for part, name in names.items():
                if part in line:
                    self._note(name, process.pid)
                    break
        return dict(self.seen)

    def _note(self, name: str, pid: int) -> None:
        self.seen[name] = max(self.seen.get(name, 0.0), highest(pid))


async def play(url: str, watch: Watch, options: argparse.Namespace) -> None:
    visitor = await Visitor.open(url, "Sensor_Anomalies", "source=own")
    visitor.raw = bytearray()
    await asyncio.sleep(SETTLE)
    before = watch.look()
    data = packed(options.cells, options.channels)
    began = time.perf_counter()

    def over(condition) -> bool:
        watch.look()
        visitor.check()
        return condition()

    def events() -> list[bytes]:
        found = re.findall(rb"(?:events?|row's score passes) (?:above )?the threshold of ([\d.]+)", bytes(visitor.raw))
        del visitor.raw[:-200_000]
        return found

    async def step(name: str, condition) -> None:
        nonlocal began
        try:
            await visitor.until(lambda: over(condition), seconds=SECONDS)
        except Exception as error:
            print(name, "failed:", error)
            raise
        print(f"{name}: {time.perf_counter() - began:.1f} s", flush=True)
        began = time.perf_counter()

    print(f"a file of {len(data) / 1e3:.0f} kB with {options.cells / 1e6:g} million cells", flush=True)
    await visitor.upload("A sensor log", "log.npy.gz", data)
    await step("upload to result", events)
    visitor.raw.clear()
    await visitor.set("slider", "Standard deviations", wait=False, double_array_value=DoubleArray(data=[3.0]))
    await step("another threshold", events)
    visitor.raw.clear()
    await visitor.set("slider", "In view, % of the rows", double_array_value=DoubleArray(data=[40.0, 41.0]))
    await step("zoomed in", lambda: True)
    after = watch.look()
    button, fragment = visitor.widget("button", "Remove my data")
    await visitor.send_value(button.id, fragment, trigger_value=True)
    await asyncio.sleep(6)
    for name, megabytes in after.items():
        grown = f", {megabytes - before[name]:+.0f} MB" if name in before else ""
        print(f"{name}: highest {megabytes:.0f} MB{grown}")
    rest = {p.pid: p.memory_info().rss / 1e6 for p in watch.server.children(recursive=True) if p.is_running()}
    print(f"after the removal: server {watch.server.memory_info().rss / 1e6:.0f} MB, helpers "
          f"{', '.join(f'{each:.0f}' for each in sorted(rest.values(), reverse=True))} MB")  # fmt: skip
    await visitor.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=20_000_000)
    parser.add_argument("--channels", type=int, default=2)
    parser.add_argument("--script", choices=["serve.py", "Home.py"], default="serve.py")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, serving(Path(name), options.script) as server:
        asyncio.run(play(server.url, Watch(psutil.Process(server.process.pid)), options))


if __name__ == "__main__":
    main()
