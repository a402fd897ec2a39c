"""How fast the audio page is under the hand: a switch of takes, the strength, another noise, and the first view.

    python -m tests.benchmarks.audio_page [--switches 60] [--chromium /usr/bin/chromium]

Keys go through the browser's own input protocol. A switch is timed from the key's own time stamp to the first task
after the frame that shows it; the slip is how far the position moved beside the clock meanwhile. Another noise is timed
from the key to the new picture: mixing, network, classical methods, measures, and the way to the browser.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import CHROMIUM_FLAGS, ROOT, settle, start_server

WATCH = """root => {
    root.waits = []; root.slips = [];
    root.addEventListener('keydown', (event) => {
        const before = [performance.now() / 1000, root.player.state().position];
        requestAnimationFrame(() => {
            const channel = new MessageChannel();
            channel.port1.onmessage = () => {
                root.waits.push(performance.now() - event.timeStamp);
                const after = [performance.now() / 1000, root.player.state().position];
                root.slips.push(1000 * Math.abs(after[1] - before[1] - (after[0] - before[0])));
            };
            channel.port2.postMessage(null);
        });
    }, true);
}"""
WAIT = 120_000  # ms
PICTURE = "root => root.querySelectorAll('.strip canvas')[1].toDataURL()"


def keys(page: Page, pressed: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Waits and slips, in ms, of keys pressed on the player."""
    root = page.locator(".player")
    root.evaluate("root => { root.waits.length = root.slips.length = 0; }")
    for key in pressed:
        page.keyboard.press(key)
        time.sleep(0.05)
    time.sleep(0.2)
    return np.array(root.evaluate("root => root.waits")), np.array(root.evaluate("root => root.slips"))


def noises(page: Page, count: int) -> list[float]:
    """Seconds from a step of the SNR to its picture."""
    root, seconds = page.locator(".player"), []
    slider = page.get_by_role("slider", name="Voice over noise")
    for n in range(count):
        before = root.evaluate(PICTURE)
        started = time.perf_counter()
        slider.press("ArrowRight" if n % 2 else "ArrowLeft")
        page.wait_for_function(
            f"([root, before]) => ({PICTURE})(root) !== before", arg=[root.element_handle(), before], timeout=WAIT
        )
        seconds.append(time.perf_counter() - started)
        settle(page)
        before = root.evaluate(PICTURE)
        page.get_by_role("button", name="Another").click()  # so that the next step is in no cache
        page.wait_for_function(
            f"([root, before]) => ({PICTURE})(root) !== before", arg=[root.element_handle(), before], timeout=WAIT
        )
        settle(page)
    return seconds


def line(what: str, values: np.ndarray | list[float], unit: str) -> None:
    """One row of the table."""
    p50, p95 = np.percentile(values, (50, 95))
    print(f"{what:44s} {len(values):4d} {p50:10.2f} {p95:10.2f} {unit}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--switches", type=int, default=60)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url, server = start_server(ROOT / "Home.py", {"AECORE_CACHE": folder}, Path(folder) / "log.txt")
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=args.chromium, args=CHROMIUM_FLAGS)
                print(f"{'':44s} {'n':>4s} {'p50':>10s} {'p95':>10s}")
                opened, sizes = [], []
                for _ in range(4):
                    page = browser.new_page(viewport={"width": 1440, "height": 900})
                    received = sizes_of(page)
                    started = time.perf_counter()
                    page.goto(f"{url}/Audio_Denoising")
                    page.locator(".player .strip").first.wait_for(timeout=WAIT)
                    opened.append(time.perf_counter() - started)
                    sizes.append(max(received) / 1e6)
                    settle(page)
                    if len(opened) < 4:
                        page.close()
                line("first view (the first one is cold)", opened, "s")
                line("largest message", sizes, "MB")
                page.locator(".player").evaluate(WATCH)
                page.locator(".player .ruler").focus()
                page.keyboard.press("l")
                page.keyboard.press("Space")
                time.sleep(0.5)
                waits, slips = keys(page, [str(1 + n % 6) for n in range(args.switches)])
                line("switch while playing: key to frame", waits, "ms")
                line("switch while playing: slip of the position", slips, "ms")
                page.keyboard.press("Space")
                page.keyboard.press("2")
                page.get_by_role("slider", name="Strength").focus()
                waits, _ = keys(page, ["ArrowLeft"] * args.switches)
                line("strength: key to frame", waits, "ms")
                noises(page, 1)  # the workers' first
                line("another noise: key to picture", noises(page, 6), "s")
                browser.close()
        finally:
            server.terminate()
            server.wait(timeout=20)


def sizes_of(page: Page) -> list[int]:
    """Bytes of the messages that a page receives, as they come."""
    received = [0]
    page.on("websocket", lambda socket: socket.on("framereceived", lambda data: received.append(len(data))))
    return received


if __name__ == "__main__":
    main()
