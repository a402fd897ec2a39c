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
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from streamlit.proto.Common_pb2 import DoubleArray

from tests.servers import ROOT, Server, serving
from tests.visitor import Visitor

OPEN = 25.0  # s from the page's opening to the upload: workers are there by then
REST = 1.0  # s without a new file after which a walk has ended

# Put before all else of every process: notes (time, file) for each call into the project, once a file in 0.1 s.
RECORDER = """
import os, sys, threading, time
ROOT, FOLDER = {root!r}, {folder!r}
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
        with open(FOLDER + "/" + str(os.getpid()), "a") as file:
            file.write(str(now) + " " + name + "\\n")
sys.setprofile(note)
threading.setprofile(note)
"""


def log() -> bytes:
    rng = np.random.default_rng(0)
    values = np.sin(np.arange(20_000)[:, None] / 9 + np.arange(4)) + 0.1 * rng.normal(size=(20_000, 4))
    values[12_000:12_300, 2] += 2
    return pd.DataFrame(values, columns=list("abcd")).to_csv(index=False).encode()


def walked(folder: Path, since: float) -> set[str]:
    """Return the files that were entered since a moment."""
    lines = [line.split(" ", 1) for path in folder.iterdir() for line in path.read_text().splitlines()]
    return {str(Path(name).relative_to(ROOT)) for at, name in lines if float(at) >= since}


async def play(server: Server, folder: Path) -> dict[str, list[str]]:
    visitor = await Visitor.open(server.url, "Sensor_Anomalies", "source=own")
    await asyncio.sleep(OPEN)
    since = time.time()
    await visitor.upload("A sensor log", "log.csv", log())
    await visitor.until(lambda: visitor.of_kind("dataframe"), seconds=240)
    upload = walked(folder, since)
    await visitor.close()
    visitor = await Visitor.open(server.url, "Bottleneck")
    await asyncio.sleep(5)
    since = time.time()
    await visitor.set("slider", "Complexity, sinusoids", double_array_value=DoubleArray(data=[7.0]))
    await asyncio.sleep(REST)
    slider = walked(folder, since)
    await visitor.close()
    return {"upload": sorted(upload), "slider": sorted(slider)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path)
    parser.add_argument("--json", action="store_true", help="print the files themselves")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, site = Path(name) / "walk", Path(name) / "site"
        folder.mkdir()
        site.mkdir()
        (site / "sitecustomize.py").write_text(RECORDER.format(root=f"{ROOT}/", folder=str(folder)))
        env = {"PYTHONPATH": str(site), "AECORE_NICE": "0"}
        with serving(Path(name), "Home.py", **env) as server:
            found = asyncio.run(play(server, folder))
    if options.json:
        print(json.dumps(found, indent=1))
        return
    for walk, files in found.items():
        print(f"{walk}: {len(files)} files")
    if options.base:
        print("base:", flush=True)
        subprocess.run([sys.executable, "-m", "tests.benchmarks.walk"], cwd=options.base, env=os.environ, check=True)


if __name__ == "__main__":
    main()
