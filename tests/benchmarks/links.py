"""How many prompts give a link that shows the same page to somebody else.

    python -m tests.benchmarks.links [PART OF A PAGE'S NAME ...]

Presses every prompt of every page in a real browser, opens the address in a fresh one, and compares controls, figures'
words and sentences.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser import prompts
from tests.browser.conftest import CHROMIUM_FLAGS, NOT_NICE, ROOT, settle, start_server


def main() -> None:
    wanted = sys.argv[1:]
    right = total = 0
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        log = Path(folder) / "log.txt"
        url, server = start_server(ROOT / "Home.py", NOT_NICE | {"AECORE_CACHE": folder}, log)
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_FLAGS)
        try:
            for path, queries in prompts.PLACES.items():
                for query in queries:
                    if wanted and not any(part in f"{path}?{query}" for part in wanted):
                        continue
                    good, found = measure(browser, f"{url}/{'' if path == 'Home' else path}?{query}")
                    right, total = right + good, total + found
                    print(f"{path:20} {query.partition('=')[2]:15} {good} of {found}", flush=True)
        finally:
            browser.close()
            server.terminate()
            server.wait(timeout=20)
    print(f"{right} of {total} prompts give a link that shows the same page")


def measure(browser: object, address: str) -> tuple[int, int]:
    """Return how many of a page's prompts have a true link, and how many there are."""
    sender = browser.new_page(reduced_motion="reduce", viewport={"width": 1280, "height": 900})
    sender.goto(address)
    settle(sender)
    prompts.seen(sender)
    names = prompts.prompts(sender)
    good = 0
    for name in names:
        sent = prompts.press(sender, name)
        receiver = browser.new_page(reduced_motion="reduce", viewport={"width": 1280, "height": 900})
        receiver.goto(sender.url)
        settle(receiver)
        differences = prompts.difference(sent, prompts.seen(receiver))
        receiver.close()
        good += not differences
        for line in differences[:6]:
            print(f"  {name}: {line[:160]}")
    sender.close()
    return good, len(names)


if __name__ == "__main__":
    main()
