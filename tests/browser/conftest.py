"""What browser tests share: servers on free loopback ports, and pages of a real headless Chromium.

Without Playwright or Chromium the tests skip; with AECORE_REQUIRE_BROWSER=1 they fail instead. $CHROMIUM names the
browser. A page that logs a console error, or that throws, fails its test.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).parents[2]
START_SECONDS = 60
NOT_NICE = {"AECORE_NICE": "0"}  # trainings that stepped back behind other tests' pages would hardly begin
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
CHROMIUM_FLAGS += ["--disable-component-update", "--disable-sync"]
CHROMIUM_FLAGS += ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]


def absent(reason: str) -> None:
    """Skip for a reason, or fail where a browser is required."""
    if os.environ.get("AECORE_REQUIRE_BROWSER") == "1":
        pytest.fail(f"AECORE_REQUIRE_BROWSER=1, but {reason}")
    pytest.skip(reason)


class Servers:
    """``servers(script, env={...})`` -> URL of a Streamlit server of that script; each starts once."""

    def __init__(self, folder: Callable[[str], Path]) -> None:
        self.folder = folder
        self.running: dict[tuple[Any, ...], tuple[str, subprocess.Popen]] = {}

    def __call__(self, script: str | Path, env: dict[str, str] | None = None) -> str:
        key = (str(script), *sorted((env or {}).items()))
        if key not in self.running:
            log = self.folder("server") / "log.txt"
            self.running[key] = start_server(ROOT / script, NOT_NICE | (env or {}), log)
        return self.running[key][0]

    def process(self, url: str) -> psutil.Process:
        """The server's process, whose descendants are its workers."""
        return psutil.Process(next(process.pid for known, process in self.running.values() if known == url))

    def stop(self) -> None:
        for _, process in self.running.values():
            process.terminate()
        for _, process in self.running.values():
            process.wait(timeout=20)


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[Servers]:
    servers = Servers(tmp_path_factory.mktemp)
    yield servers
    servers.stop()


@pytest.fixture(scope="session")
def app(server, tmp_path_factory) -> str:
    """URL of the pages, for tests that leave them as they find them: one server and its workers for all of these."""
    cache = str(tmp_path_factory.mktemp("cache"))
    return server("Home.py", env={"AECORE_CACHE": cache, "AECORE_MNIST_MIRROR": "http://127.0.0.1:9/"})


def start_server(script: Path, env: dict[str, str], log: Path) -> tuple[str, subprocess.Popen]:
    """URL and process of a Streamlit server that answers; what it prints goes to ``log``."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {"server.port": port, "server.address": "127.0.0.1", "server.headless": "true"}
    options |= {"browser.gatherUsageStats": "false", "server.fileWatcherType": "none"}
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    command += [f"--{name}={value}" for name, value in options.items()]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)} | env, stdout=output, stderr=output
        )
    url = f"http://127.0.0.1:{port}"
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):
                return url, process
        except OSError:
            time.sleep(0.1)
    process.terminate()
    process.wait(timeout=20)
    raise RuntimeError(f"the server of {script.name} did not come up in {START_SECONDS} s:\n{log.read_text()[-2000:]}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One Chromium for all browser tests."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        absent("Playwright is not installed (pip install -r requirements-dev.txt)")
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    if not Path(chromium).exists():
        absent(f"there is no Chromium at {chromium}; name yours in $CHROMIUM")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield running
        running.close()


class Tabs:
    """Tabs of the browser by their options, used again: going elsewhere in one costs a fifth of what a new one costs.

    A Streamlit session is one document's, so tests stay apart all the same.
    """

    def __init__(self, browser: Any) -> None:
        self.browser = browser
        self.contexts: dict[str, Any] = {}
        self.free: dict[str, list[Any]] = {}
        self.faults: list[str] = []  # of the test that runs

    def take(self, options: dict[str, Any]) -> Any:
        name = repr(sorted(options.items()))
        if self.free.get(name):
            page = self.free[name].pop()
            page.set_viewport_size(options["viewport"])  # a test may have changed it
            return page
        if name not in self.contexts:
            self.contexts[name] = self.browser.new_context(**options)
        page = self.contexts[name].new_page()
        page.tab = name
        page.on("console", self.note)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        return page

    def give_back(self, page: Any) -> None:
        if page.is_closed():
            return
        page.unroute_all()
        page.mouse.up()
        page.goto("about:blank")  # its session ends
        self.free.setdefault(page.tab, []).append(page)

    def note(self, message: Any) -> None:
        # Streamlit itself probes addresses that answer 404, which Chromium logs as a failed resource
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.faults.append(message.text)

    def close(self) -> None:
        for context in self.contexts.values():
            context.close()


@pytest.fixture(scope="session")
def tabs(browser) -> Iterator[Tabs]:
    kept = Tabs(browser)
    yield kept
    kept.close()


@pytest.fixture
def open_page(tabs) -> Iterator[Callable[..., Any]]:
    """``open_page(url, **context_options)`` -> a settled page (viewport=, has_touch=, color_scheme=, ...)."""
    pages: list[Any] = []

    def start(url: str, on_websocket: Callable[[Any], None] | None = None, **options: Any) -> Any:
        page = tabs.take({"viewport": {"width": 1280, "height": 900}} | options)
        pages.append(page)
        if on_websocket is not None:
            page.once("websocket", on_websocket)  # before the page opens it: later is too late
        page.goto(url)
        settle(page)
        return page

    tabs.faults.clear()
    yield start
    faults = list(tabs.faults)
    for page in pages:
        tabs.give_back(page)
    assert not faults, "the browser's console has errors:\n" + "\n".join(faults)


def settle(page: Any, seconds: float = 60) -> None:
    """Wait until the page's script has run to its end."""
    page.wait_for_selector('[data-test-script-state="notRunning"]', state="attached", timeout=1000 * seconds)
