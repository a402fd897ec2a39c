"""From ``streamlit run`` to the first interactive page, beside an empty Streamlit script, in turns.

    python -m tests.benchmarks.first_page [--pairs 5]

Each run starts a fresh server and a fresh browser tab; the clock starts with the server process and stops when the
script has run to its end in the browser and, on Home, the handle is there. The ratio's median counts.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import CHROMIUM_FLAGS, start_server

ROOT = Path(__file__).parents[2]
SETTLED = '[data-test-script-state="notRunning"]'


def seconds(browser, script: Path, ready: str) -> float:
    with tempfile.TemporaryDirectory() as cache:
        started = time.perf_counter()
        url, process = start_server(script, {"AECORE_CACHE": cache}, Path(cache) / "log.txt")
        page = browser.new_page()
        try:
            page.goto(url, wait_until="commit")
            page.wait_for_selector(ready, timeout=60_000)
            page.wait_for_selector(SETTLED, state="attached", timeout=60_000)
            return time.perf_counter() - started
        finally:
            page.close()
            process.terminate()
            process.wait(timeout=20)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        empty = Path(folder) / "empty.py"
        empty.write_text('import streamlit as st\n\nst.title("Nothing")\n')
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_FLAGS)
        seconds(browser, empty, "h1")  # the browser's and the disk's first time counts for neither
        rows = []
        for pair in range(1, args.pairs + 1):
            rows.append((seconds(browser, empty, "h1"), seconds(browser, ROOT / "Home.py", '[role="slider"]')))
            print(f"pair {pair}:  empty {rows[-1][0]:.2f} s   Home {rows[-1][1]:.2f} s   "
                  f"ratio {rows[-1][1] / rows[-1][0]:.2f}", flush=True)  # fmt: skip
        browser.close()
    empty, home = (statistics.median(row[i] for row in rows) for i in (0, 1))
    ratio = statistics.median(b / a for a, b in rows)
    print(f"median:  empty {empty:.2f} s   Home {home:.2f} s   ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
