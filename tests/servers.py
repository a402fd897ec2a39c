"""Real servers for tests and benchmarks, on free loopback ports; gone when the block ends."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
START_SECONDS = 60.0


class Server(NamedTuple):
    """Address, process and the file with everything that it logged."""

    url: str
    process: subprocess.Popen
    log: Path


@contextmanager
def serving(folder: Path, script: str = "serve.py", *, watch: bool = False, **env: str) -> Iterator[Server]:
    """Serve the pages (``Home.py``) or pages and interface (``serve.py``), its cache and log in a folder.

    With ``watch`` the file watcher is as the project's settings have it; else there is none.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {
        "STREAMLIT_SERVER_PORT": str(port), "STREAMLIT_SERVER_ADDRESS": "127.0.0.1",
        "STREAMLIT_SERVER_HEADLESS": "true", "STREAMLIT_SERVER_FILE_WATCHER_TYPE": "none",
        "AECORE_CACHE": str(folder / "cache"),
    }  # fmt: skip
    if watch:
        del settings["STREAMLIT_SERVER_FILE_WATCHER_TYPE"]
    log = folder / "log.txt"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", script],
            cwd=ROOT,
            env={**os.environ, **settings, **env},
            stdout=file,
            stderr=file,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(url, process, log)
        yield Server(url, process, log)
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(url: str, process: subprocess.Popen, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (OSError, urllib.error.URLError):
            time.sleep(0.05)
    raise RuntimeError(f"the server did not come up: {log.read_text()[-2000:]}")
