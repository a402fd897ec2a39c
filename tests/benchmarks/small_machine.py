"""Whether every page works on a small machine: memory of server, scheduler, workers and their children together.

    python -m tests.benchmarks.small_machine [--megabytes 1024]

Starts the app as it plans itself for a machine of so much memory, opens every page, trains and scores, and samples the
proportional set size of all its processes from outside. Pages that show an exception end the script.
"""

import argparse
import asyncio
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil

from aecore.concepts import CONCEPTS
from tests.servers import Server, serving
from tests.visitor import Visitor, run


class Watch(threading.Thread):
    """Sample the memory of a process and of all below it, several times a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.process, self.now, self.peak, self.over = psutil.Process(pid), 0.0, 0.0, threading.Event()

    def run(self) -> None:
        while not self.over.is_set():
            total = 0
            for process in [self.process, *self.process.children(recursive=True)]:
                try:
                    total += process.memory_full_info().pss
                except psutil.Error:
                    continue
            self.now, self.peak = total / 1e6, max(self.peak, total / 1e6)
            time.sleep(0.2)


def log() -> bytes:
    rng = np.random.default_rng(0)
    values = np.sin(np.arange(20_000)[:, None] / 7 + np.arange(4)) + 0.1 * rng.normal(size=(20_000, 4))
    return pd.DataFrame(values, columns=list("abcd")).to_csv(index=False).encode()


async def play(server: Server, watch: Watch) -> None:
    await asyncio.sleep(15)  # the workers start and load what trains
    print(f"{'at rest':24} {watch.now:6.0f} MB", flush=True)
    for page in CONCEPTS:
        name = "" if page.name == "home" else Path(page.file).stem.split("_", 1)[1]
        watch.peak = 0.0
        visitor = await Visitor.open(server.url, name)
        visitor.check()
        await asyncio.sleep(1)
        print(f"{page.name:24} {watch.now:6.0f} MB, peak {watch.peak:.0f}", flush=True)
        await visitor.close()
    watch.peak = 0.0
    visitor = await Visitor.open(server.url, "Bottleneck", "complexity=7")
    button, fragment = visitor.widget("button", "Train")
    await visitor.send_value(button.id, fragment, False, trigger_value=True)
    await visitor.until(lambda: any("epoch" in bar.text for bar in visitor.of_kind("progress")))
    await visitor.until(lambda: not visitor.of_kind("progress"), seconds=240)
    visitor.check()
    print(f"{'a training':24} {watch.now:6.0f} MB, peak {watch.peak:.0f}", flush=True)
    await visitor.close()
    watch.peak = 0.0
    visitor = await Visitor.open(server.url, "Sensor_Anomalies", "source=own")
    assert await visitor.upload("A sensor log", "log.csv", log()) == 204
    await visitor.until(lambda: "The detector was trained on" in visitor.words(), seconds=240)
    visitor.check()
    print(f"{'a log read and scored':24} {watch.now:6.0f} MB, peak {watch.peak:.0f}", flush=True)
    await visitor.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=1024)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder), "Home.py", AECORE_MEMORY_MEGABYTES=str(options.megabytes), AECORE_NICE="0") as server,
    ):
        watch = Watch(server.process.pid)
        watch.start()
        run(lambda: play(server, watch))
        watch.over.set()


if __name__ == "__main__":
    main()
