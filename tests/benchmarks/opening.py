"""From navigation to the last figure drawn, of every page: a warm server, and a browser that has never been there.

    python -m tests.benchmarks.opening [PAGE[?QUERY] ...] [--visits 7] [--from-home]

Each visit is a fresh browser context with an empty cache; the server has shown every page once. The clock starts with
the browser's own start of the navigation and stops with the last change in the page's main part: a canvas drawn on, an
element changed, a picture loaded. It counts as the last when the script has ended and nothing more follows for a
while. *Empty* is a script with a title and nothing else: what the framework takes by itself, on any page. *Browser* is
processor time of the page's main thread, which other work on the machine does not change; *server* that of the server.
With --from-home the visitor is on Home already, and the clock starts with the click on the page's name in the menu.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from playwright.sync_api import Browser, CDPSession, sync_playwright

from aecore.concepts import CONCEPTS
from tests.browser.conftest import CHROMIUM_FLAGS, ROOT, settle, start_server

BUDGET = 1.5  # s, median
STILL = 1.0  # s without a change: everything is there
EMPTY = "empty"
# A handle that turns once at first view is no part of the opening: visitors who want less motion do not get it.
VISITOR = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"}
WATCH = """
window.last = 0;
const now = () => { window.last = performance.now(); };
for (const name of ["clearRect", "stroke", "fill", "fillRect", "fillText", "putImageData", "drawImage"]) {
  const draw = CanvasRenderingContext2D.prototype[name];
  CanvasRenderingContext2D.prototype[name] = function (...args) { now(); return draw.apply(this, args); };
}
document.addEventListener("load", now, {capture: true});
new MutationObserver((changes) => {
  if (changes.some(({target}) => target.closest?.('[data-testid="stMain"]'))) now();
}).observe(document, {subtree: true, childList: true, characterData: true});
"""


def visit(browser: Browser, url: str, from_home: bool = False) -> tuple[float, float]:
    """Seconds from navigation to the last drawing, and of the page's main thread's processor time until then."""
    context = browser.new_context(**VISITOR)
    try:
        page = context.new_page()
        page.add_init_script(WATCH)
        session = context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        began, busy = 0.0, 0.0
        if from_home:
            home, _, name = url.rpartition("/")
            page.goto(home)
            settle(page)
            time.sleep(2 * STILL)
            busy = _busy(session)
            began = page.evaluate("performance.now()")
            page.get_by_test_id("stSidebarNav").get_by_role("link", name=name.replace("_", " "), exact=True).click()
            page.wait_for_url(f"**/{name}*")
        else:
            page.goto(url, wait_until="commit")
        page.wait_for_selector("h1", timeout=60_000)
        settle(page)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            last, still = page.evaluate("[last, performance.now() - last]")
            if still > 1000 * STILL:
                break
            time.sleep(0.1)
        return (last - began) / 1000, _busy(session) - busy
    finally:
        context.close()


def _busy(session: CDPSession) -> float:
    metrics = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    return float(metrics["TaskDuration"])


def measured(
    browser: Browser, url: str, process: Any, visits: int, from_home: bool = False
) -> list[tuple[float, float, float]]:
    """Seconds to the last drawing, of the page's main thread and of the server, of each visit but a first."""
    visit(browser, url, from_home)
    found = []
    server = psutil.Process(process.pid)
    for _ in range(visits):
        before = sum(server.cpu_times()[:2])
        drawn, thread = visit(browser, url, from_home)
        found.append((drawn, thread, sum(server.cpu_times()[:2]) - before))
    return found


def report(name: str, found: list[tuple[float, float, float]]) -> None:
    """Print one page's line."""
    drawn, thread, server = np.array(found).T
    p50, p95 = np.percentile(drawn, (50, 95))
    verdict = "" if name == EMPTY else "ok" if p50 <= BUDGET else "OVER BUDGET"
    spent = f"{np.median(thread):10.2f}{np.median(server):10.3f}"
    print(f"{name[:44]:44}{len(drawn):4}{p50:9.2f}{p95:9.2f}{spent}   {verdict}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", metavar="PAGE", help="as in its address: Variants, 'Field_Guide?bend=180'")
    parser.add_argument("--visits", type=int, default=7)
    parser.add_argument("--from-home", action="store_true", help="by the menu, from a page that is there")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    every = [Path(page.file).stem.lstrip("0123456789_") for page in CONCEPTS]
    if options.from_home:
        every.remove("Home")
    names = options.pages or ["" if name == "Home" else name for name in every]
    print(f"{'':44}{'n':>4}{'median':>9}{'p95':>9}{'browser':>10}{'server':>10} s")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        empty = folder / "empty.py"
        empty.write_text('import streamlit as st\n\nst.title("Nothing")\n')
        browser = playwright.chromium.launch(executable_path=options.chromium, args=CHROMIUM_FLAGS)
        for script, pages in ((empty, [EMPTY]), (ROOT / "Home.py", names)):
            url, process = start_server(script, {"AECORE_CACHE": str(folder)}, folder / "log.txt")
            try:
                for page in pages:
                    where = url if page == EMPTY else f"{url}/{page}"
                    report(
                        page or "Home",
                        measured(browser, where, process, options.visits, options.from_home and page != EMPTY),
                    )
            finally:
                process.terminate()
                process.wait(timeout=20)
        browser.close()


if __name__ == "__main__":
    main()
