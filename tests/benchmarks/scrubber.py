"""How fast the scrubber follows the hand: drawing time a frame, and pointer event to the first task after its frame.

    python -m tests.benchmarks.scrubber [--drags 6] [--chromium /usr/bin/chromium]

The mouse is moved through the browser's own input protocol, so events pass through hit testing and the frame clock as a
hand's do; the component keeps the times itself (``timings`` on its root element, see scrubber.js). Headless Chromium
without a GPU: the drawing is rastered on the same cores.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Locator, Page, sync_playwright

from tests.browser.conftest import CHROMIUM_FLAGS, ROOT, settle, start_server

FIGURES = {
    "curves": "3 panels, 256-point curves, 65 frames",
    "charts": "these, 2 charts and up to 64 waveforms",
    "strips": "3 strips of 10 digits, 17 frames",
}
SCREENS = {"desktop, 1x": (1440, 900, 1.0), "desktop, 2x": (1440, 900, 2.0), "phone size, 3x": (390, 844, 3.0)}
DRAW_BUDGET, LATENCY_BUDGET = 4.0, 33.0  # ms, 95th percentile
PAUSE = 0.006  # s between moves: more often than the screen redraws, as a mouse does


def drag(page: Page, there_and_back: int, slider: Locator | None = None) -> list[dict[str, float]]:
    """Timings of frames drawn while the mouse drags the handle from one end to the other and back."""
    slider = slider or page.get_by_role("slider")
    box = slider.bounding_box()
    assert box is not None
    y, left, width = box["y"] + box["height"] / 2, box["x"] + 11, box["width"] - 22
    root = page.locator(".scrubber")
    timings: list[dict[str, float]] = []
    page.mouse.move(left, y)
    page.mouse.down()
    for round_ in range(2 * there_and_back):
        shares = np.linspace(0, 1, 130) if round_ % 2 == 0 else np.linspace(1, 0, 130)
        root.evaluate("root => { root.timings.length = 0; }")
        for share in shares:
            page.mouse.move(left + share * width, y)
            time.sleep(PAUSE)
        timings += root.evaluate("root => [...root.timings]")
    page.mouse.up()
    return timings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drags", type=int, default=6, help="there and back, for each figure and screen")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url, server = start_server(ROOT / "tests/browser/scrubber_demo.py", {}, Path(folder) / "log.txt")
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=args.chromium, args=CHROMIUM_FLAGS)
                print(f"{'figure':40s} {'screen':15s} frames   draw p50  p95 [ms]   pointer to frame p50  p95 [ms]")
                for figure, words in FIGURES.items():
                    for screen, (width, height, scale) in SCREENS.items():
                        viewport = {"width": width, "height": height}
                        page = browser.new_page(viewport=viewport, device_scale_factor=scale)
                        page.goto(f"{url}/?show={figure}")
                        settle(page)
                        page.get_by_role("slider").wait_for()
                        page.get_by_role("slider").scroll_into_view_if_needed()
                        timings = drag(page, args.drags)
                        page.close()
                        draw = np.array([t["drawn"] - t["started"] for t in timings])
                        wait = np.array([t["settled"] - t["input"] for t in timings])
                        (d50, d95), (w50, w95) = np.percentile(draw, (50, 95)), np.percentile(wait, (50, 95))
                        kept = "ok" if d95 <= DRAW_BUDGET and w95 <= LATENCY_BUDGET else "OVER BUDGET"
                        row = (
                            f"{words:40s} {screen:15s} {len(timings):6d} {d50:10.2f} {d95:8.2f} {w50:20.1f} {w95:9.1f}"
                        )
                        print(f"{row}   {kept}", flush=True)
                browser.close()
        finally:
            server.terminate()
            server.wait(timeout=20)


if __name__ == "__main__":
    main()
