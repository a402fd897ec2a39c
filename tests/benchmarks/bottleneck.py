"""The Bottleneck page in headless Chromium: handle to frame while dragging, and any control to the redrawn figures.

    python -m tests.benchmarks.bottleneck [--drags 4] [--repeats 12] [--chromium /usr/bin/chromium]

The mouse and the keys go through the browser's own input protocol. A drag is timed by the scrubber itself (``timings``
on its root element). A control is timed from its event to the last drawing on any canvas or change of any chart that
follows it, before the page stays quiet for a while: with that, all figures show the new state. Headless Chromium
without a GPU rasters on the same cores that the server runs on.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.benchmarks.redraw import CONTROL_BUDGET, WATCH, latency, report
from tests.benchmarks.scrubber import DRAW_BUDGET, LATENCY_BUDGET, drag
from tests.browser.conftest import CHROMIUM_FLAGS, ROOT, settle, start_server


def controls(page: Page) -> dict[str, Callable[[int], None]]:
    """Every control of the page by its name; each takes the number of the repeat."""

    def slide(label: str) -> Callable[[int], None]:
        thumb = page.get_by_role("slider", name=label)

        def act(turn: int) -> None:
            thumb.focus()
            page.keyboard.press("ArrowRight")

        return act

    def press(names: list[str], role: str) -> Callable[[int], None]:
        return lambda turn: page.get_by_role(role, name=names[turn % len(names)], exact=True).click()  # type: ignore[arg-type]

    def step(turn: int) -> None:
        handle = page.locator(".scrubber .slider")
        box = handle.bounding_box()
        assert box is not None
        share = (0.3, 0.4, 0.2, 0.8, 0.05)[turn % 5]
        page.mouse.click(box["x"] + 11 + share * (box["width"] - 22), box["y"] + box["height"] / 2)

    return {
        "k, by a click": step,
        "noise": slide("Noise"),
        "seed": slide("Seed"),
        "another signal": press(["Another signal"], "button"),
        "machines": press(["PCA", "Linear", "Nonlinear", "Side by side"], "radio"),
        "complexity, first visits": slide("Complexity"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drags", type=int, default=4, help="there and back")
    parser.add_argument("--repeats", type=int, default=12, help="of each control")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url, server = start_server(ROOT / "Home.py", {"AECORE_CACHE": folder}, Path(folder) / "log.txt")
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=args.chromium, args=CHROMIUM_FLAGS)
                page = browser.new_page(viewport={"width": 1440, "height": 2000})
                page.add_init_script(WATCH)
                page.goto(f"{url}/Bottleneck")
                settle(page)
                page.locator(".scrubber .slider").wait_for()
                time.sleep(8)  # the workers start once the first page is drawn
                print(f"{'':36s} {'times':>5s} {'p50':>8s} {'p95':>8s}")
                timings = drag(page, args.drags, page.locator(".scrubber .slider"))
                report("drag: drawing a frame", [t["drawn"] - t["started"] for t in timings], DRAW_BUDGET)
                report("drag: pointer to frame", [t["settled"] - t["input"] for t in timings], LATENCY_BUDGET)
                everything: list[float] = []
                for name, act in controls(page).items():
                    times = [latency(page, lambda turn=turn, act=act: act(turn)) for turn in range(args.repeats)]
                    report(name, times, CONTROL_BUDGET)
                    everything += times
                report("all controls", everything, CONTROL_BUDGET)
                browser.close()
        finally:
            server.terminate()
            server.wait(timeout=20)


if __name__ == "__main__":
    main()
