"""Which of the project's files a piece of work walks through, in the server and in every process that it starts.

    python -m tests.benchmarks.walk [--base FOLDER]

upload: from a sensor log's upload to the drawn table of events. slider: from a change of Bottleneck's complexity to the
end of its run. A file counts when one of its functions is called in that time; what a file does while it is imported
does not. ``--base`` walks through another checkout as well. Tracing slows everything down: times mean nothing here.
"""

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
from streamlit.proto.Common_pb2 import DoubleArray

from tests.servers import ROOT, Server, serving
from tests.visitor import Visitor

OPEN = 25.0  # s from the page's opening to the upload: workers are there by then
REST = 1.0  # s without a new file after which a walk has ended

# Put before all else of every process: tells the benchmark of each call into the project, once a file in 0.1 s. By a
# socket, for the child that reads a stranger's file may write to none.
RECORDER = """
import os, socket, sys, threading, time
ROOT = {root!r}
seen = {{}}
def note(frame, event, _):
    if event != "call":
        return
    code = frame.f_code
    name = code.co_filename
    if not name.startswith(ROOT) or "/tests/" in name or "/.venv/" in name or code.co_name == "<module>":
        return
    now = time.time()
    if now - seen.get(name, 0) > 0.1:
        seen[name] = now
        try:
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(name.encode(), {line!r})
        except OSError:
            pass
sys.setprofile(note)
threading.setprofile(note)
"""


class Walk(threading.Thread):
    """Takes what processes tell of the files that they enter."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.entered: dict[str, float] = {}  # when last, by file
        self.start()

    def run(self) -> None:
        while True:
            name = self.socket.recv(4096).decode()
            self.entered[name] = time.time()

    def since(self, moment: float) -> list[str]:
        """Return the files that were entered since a moment."""
        return sorted(str(Path(name).relative_to(ROOT)) for name, at in self.entered.items() if at >= moment)


def log() -> bytes:
    rng = np.random.default_rng(0)
    values = np.sin(np.arange(20_000)[:, None] / 9 + np.arange(4)) + 0.1 * rng.normal(size=(20_000, 4))
    values[12_000:12_300, 2] += 2
    return pd.DataFrame(values, columns=list("abcd")).to_csv(index=False).encode()


async def play(server: Server, walk: Walk) -> dict[str, list[str]]:
    visitor = await Visitor.open(server.url, "Sensor_Anomalies", "source=own")
    await asyncio.sleep(OPEN)
    since = time.time()
    await visitor.upload("A sensor log", "log.csv", log())
    await visitor.until(lambda: visitor.of_kind("dataframe"), seconds=240)
    upload = walk.since(since)
    await visitor.close()
    visitor = await Visitor.open(server.url, "Bottleneck")
    await asyncio.sleep(5)
    since = time.time()
    await visitor.set("slider", "Complexity, sinusoids", double_array_value=DoubleArray(data=[7.0]))
    await asyncio.sleep(REST)
    slider = walk.since(since)
    await visitor.close()
    return {"upload": upload, "slider": slider}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path)
    parser.add_argument("--json", action="store_true", help="print the files themselves")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        walk, site = Walk(Path(name) / "line"), Path(name) / "site"
        site.mkdir()
        (site / "sitecustomize.py").write_text(RECORDER.format(root=f"{ROOT}/", line=f"{name}/line"))
        with serving(Path(name), "Home.py", PYTHONPATH=str(site), AECORE_NICE="0") as server:
            found = asyncio.run(play(server, walk))
    if options.json:
        print(json.dumps(found, indent=1))
        return
    for what, files in found.items():
        print(f"{what}: {len(files)} files")
    if options.base:
        print("base:", flush=True)
        subprocess.run([sys.executable, "-m", "tests.benchmarks.walk"], cwd=options.base, env=os.environ, check=True)


if __name__ == "__main__":
    main()
