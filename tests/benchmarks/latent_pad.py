"""How fast the latent pad follows the hand: decoding and drawing a frame, pointer event to the first task after it.

    python -m tests.benchmarks.latent_pad [--drags 3] [--chromium /usr/bin/chromium]

Two networks of 2-128-256-784 under one pointer, 10,000 codes on each map. The mouse is moved through the browser's own
input protocol, so events pass through hit testing and the frame clock as a hand's do; the component keeps the times
itself (``timings`` on its root element, see latent_pad.js). Moves are sent 125 times a second, as a mouse does, without
waiting for the browser's answer to the last one: waiting would measure the wait. Frames a second are counted over the
whole drag, from the first frame drawn to the last. Headless Chromium without a GPU: what is drawn is rastered on the
same cores.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path

import numpy as np
from playwright.async_api import Browser, Page, async_playwright

from tests.browser.conftest import CHROMIUM_FLAGS, ROOT, start_server

SCREENS = {"desktop, 1x": (1440, 900, 1.0), "desktop, 2x": (1440, 900, 2.0), "phone size, 3x": (390, 844, 3.0)}
DRAW_BUDGET, LATENCY_BUDGET, LEAST_RATE = 4.0, 33.0, 55.0  # ms, ms (95th percentiles), frames a second
PAUSE = 0.008  # s between moves: more often than the screen redraws, as a mouse does
MOVES = 240  # a round: about two seconds


async def drag(page: Page, rounds: int) -> list[list[dict[str, float]]]:
    """Timings of the frames of each round of a figure of eight that the mouse draws on the first map."""
    box = await page.locator(".latent-pad .map").first.bounding_box()
    assert box is not None
    root = page.locator(".latent-pad")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    hand = await page.context.new_cdp_session(page)
    timings = []
    await page.mouse.move(x, y)
    await page.mouse.down()
    for _ in range(rounds):
        await root.evaluate("root => { root.timings.length = 0; }")
        clock, sent = asyncio.get_running_loop(), []
        begun = clock.time()
        for n, turn in enumerate(np.linspace(0, 2 * np.pi, MOVES)):
            place = {"x": x + 0.4 * box["width"] * np.sin(turn), "y": y + 0.3 * box["height"] * np.sin(2 * turn)}
            move = {"type": "mouseMoved", "button": "left", "buttons": 1} | place
            sent.append(asyncio.ensure_future(hand.send("Input.dispatchMouseEvent", move)))
            await asyncio.sleep(max(0.0, begun + PAUSE * (n + 1) - clock.time()))
        await asyncio.gather(*sent)
        timings.append(await root.evaluate("root => [...root.timings]"))
    await page.mouse.up()
    return timings


def row(rounds: list[list[dict[str, float]]]) -> str:
    """Percentiles and the frame rate, with what they have to keep."""
    frames = [frame for timings in rounds for frame in timings]
    draw = np.array([t["drawn"] - t["started"] for t in frames])
    wait = np.array([t["settled"] - t["input"] for t in frames])
    rates = [1000 * (len(t) - 1) / (t[-1]["started"] - t[0]["started"]) for t in rounds]
    (d50, d95), (w50, w95) = np.percentile(draw, (50, 95)), np.percentile(wait, (50, 95))
    rate = float(np.median(rates))
    kept = d95 <= DRAW_BUDGET and w95 <= LATENCY_BUDGET and rate >= LEAST_RATE
    figures = f"{len(frames):6d} {d50:11.2f} {d95:8.2f} {w50:20.1f} {w95:9.1f} {rate:12.1f}"
    return f"{figures}   {'ok' if kept else 'OVER BUDGET'}"


async def measure(browser: Browser, url: str, rounds: int) -> None:
    """Print a row a screen."""
    print(f"{'screen':15s} frames   decode and draw p50  p95   pointer to frame p50  p95 [ms]   frames/s")
    for screen, (width, height, scale) in SCREENS.items():
        page = await browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=scale)
        await page.goto(url, timeout=120_000)
        await page.wait_for_selector('[data-test-script-state="notRunning"]', state="attached", timeout=120_000)
        await page.locator(".latent-pad .map").first.scroll_into_view_if_needed()
        await drag(page, 1)  # the compiler's first look at the decoder counts for nothing
        print(f"{screen:15s} {row(await drag(page, rounds))}", flush=True)
        await page.close()


async def run(url: str, chromium: str, rounds: int) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        await measure(browser, url, rounds)
        await browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drags", type=int, default=3, help="rounds of the pointer on each screen")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url, server = start_server(ROOT / "tests/browser/latent_pad_demo.py", {}, Path(folder) / "log.txt")
        try:
            asyncio.run(run(url, args.chromium, args.drags))
        finally:
            server.terminate()
            server.wait(timeout=20)


if __name__ == "__main__":
    main()
