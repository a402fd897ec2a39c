"""The Applications page in a browser: how long a section takes to open, and a control to answer.

    python -m tests.benchmarks.applications [URL]

Opening: from the click on a section to its figure drawn, on a warm server (the second time round). Controls: from the
event to the last drawing that follows it. Budgets: 1 s and 200 ms at the 95th percentile. Knobs: from the event to the
map drawn, in the browser alone.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

from tests.benchmarks.redraw import WATCH, latency, report
from tests.browser.conftest import CHROMIUM_FLAGS, ROOT, settle, start_server

CHROMIUM = "/usr/bin/chromium"
TIMES = 12
OPEN_BUDGET = 1000.0  # ms
# section -> a control that nothing has to be trained for: its slider's name
CONTROLS = {
    "anomaly detection": "Severity", "denoising": "Draw", "dimension reduction": "Machine, which nothing learnt from",
    "clustering": "Clusters",
}  # fmt: skip
TITLES = {"anomaly detection": "Anomaly detection", "denoising": "Denoising",
          "dimension reduction": "Dimension reduction", "clustering": "Clustering"}  # fmt: skip
FIGURE = ".vega-embed canvas, .vega-embed svg, .knobs canvas"


def opening(page: Page, section: str) -> float:
    """Milliseconds from the click to the section's first figure."""
    started = time.perf_counter()
    page.get_by_role("radio", name=section).click()
    page.get_by_role("heading", name=TITLES[section]).wait_for()
    page.locator(FIGURE).first.wait_for()
    return 1000 * (time.perf_counter() - started)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        url, server = (sys.argv[1], None) if len(sys.argv) > 1 else start_server(
            ROOT / "Home.py", {"AECORE_CACHE": folder}, Path(folder) / "log.txt"
        )  # fmt: skip
        try:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            page.add_init_script(WATCH)
            page.goto(f"{url}/Applications?section=clustering")
            settle(page)
            page.wait_for_timeout(8000)  # the workers' start is not the page's
            for section in CONTROLS:
                opening(page, section)
                settle(page)
                page.wait_for_timeout(1500)
            for section, name in CONTROLS.items():
                report(f"open: {section}", [opening(page, section)], OPEN_BUDGET)
                settle(page)
                page.wait_for_timeout(1500)
                slider = page.get_by_role("slider", name=name).first
                slider.focus()
                times = [latency(page, lambda s=slider, n=n: s.press("ArrowRight" if n % 4 < 2 else "ArrowLeft"))
                         for n in range(TIMES)]  # fmt: skip
                report(f"{section}: {name}", times)
                if section == "dimension reduction":
                    knob = page.locator(".knobs input").first
                    for n in range(40):
                        knob.press("ArrowRight" if n % 4 < 2 else "ArrowLeft")
                        page.wait_for_timeout(40)
                    drawn = page.locator(".knobs").evaluate("root => root.timings.map((t) => t.drawn - t.input)")
                    report("knob, event to drawn", [float(t) for t in np.asarray(drawn)], 16.0)
        finally:
            if server is not None:
                server.terminate()


if __name__ == "__main__":
    main()
