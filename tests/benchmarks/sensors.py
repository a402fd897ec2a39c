"""The sensor page's waits, in a real browser on a real server with warm workers.

    python -m tests.benchmarks.sensors [--rounds 5]

upload: from the end of choosing a 20,000 x 4 file to the drawn, scored result.
again:  the second identical training of built-in data, asked for by a new visitor: page to result, and the answer of
        ``aecore.jobs.submit`` alone in a new process.
threshold: from the key or the click on a threshold's control to the last drawing that follows it; and of every frame
        while the mouse drags the threshold's line over 20,000 x 5: the drawing, and pointer event to the task after.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from playwright.sync_api import sync_playwright

from tests.benchmarks.redraw import WATCH, latency, report
from tests.benchmarks.scrubber import LATENCY_BUDGET, PAUSE
from tests.browser.conftest import CHROMIUM_FLAGS, start_server
from tests.browser.test_journeys import choose_file

ROOT = Path(__file__).parents[2]
DRAW_BUDGET = 16.0  # ms, 95th percentile: a frame of the screen
RESULT = 'button:has-text("Events")'
AGAIN = """
import time
from aecore import jobs
from aecore.concepts import sensors
from aecore.concepts.sensor_anomalies.samples import InverterSample
sample, normal = InverterSample(fault="offset"), (0.0, 30.0)
started = time.perf_counter()
job = jobs.submit(sensors.train_sample, sample, normal)
job.result()
print(job.cached, 1000 * (time.perf_counter() - started))
jobs.shutdown()
"""


def log(round_: int) -> bytes:
    rng = np.random.default_rng(round_)  # another content each time: nothing may be answered from a cache
    t = np.arange(20_000)[:, None]
    values = np.sin(t / 9 + np.arange(4)) + 0.1 * rng.normal(size=(20_000, 4))
    values[12_000:12_300, 2] += 2
    return pd.DataFrame(values, columns=list("abcd")).to_csv(index=False).encode()


def drawn(page, started: float) -> float:
    page.wait_for_selector(RESULT, timeout=120_000)
    page.wait_for_selector('[data-test-script-state="notRunning"]', state="attached", timeout=60_000)
    return time.perf_counter() - started


def upload(browser, url: str, round_: int) -> float:
    page = browser.new_page()
    page.goto(f"{url}/Sensor_Anomalies?source=Your+own+file")
    page.wait_for_selector('[data-testid="stFileUploader"]', timeout=60_000)
    choose_file(page, "log.csv", log(round_))
    seconds = drawn(page, time.perf_counter())
    page.close()
    return seconds


def visit(browser, url: str) -> float:
    page = browser.new_page()
    started = time.perf_counter()
    page.goto(f"{url}/Sensor_Anomalies?fault=Sensor+offset")
    seconds = drawn(page, started)
    page.close()
    return seconds


def threshold(browser, url: str, steps: int) -> None:
    """Report milliseconds from each step of the threshold's controls, on the sample, to the last drawing."""
    page = browser.new_page(viewport={"width": 1440, "height": 1600})
    page.add_init_script(WATCH)
    page.goto(f"{url}/Sensor_Anomalies")
    drawn(page, 0)
    page.wait_for_timeout(8000)  # the workers start once the first page is drawn

    def turn(i: int) -> None:
        handle.focus()
        page.keyboard.press("ArrowRight" if i % 10 < 5 else "ArrowLeft")

    def press(label: str):
        return lambda: page.get_by_role("radio", name=label, exact=True).click()

    handle = page.get_by_role("slider", name="Standard deviations")
    report("threshold by standard deviations", [latency(page, lambda i=i: turn(i)) for i in range(steps)])
    page.goto(f"{url}/Sensor_Anomalies?rule=the+tail+of+the+normal+scores")
    drawn(page, 0)
    risks = ["1 %", "0.001 %", "0.1 %", "0.01 %"]
    report("threshold by the tail", [latency(page, press(risks[i % 4])) for i in range(steps)])
    timings = drag(page, steps)
    report("line under the hand: drawing a frame", [t["drawn"] - t["started"] for t in timings], DRAW_BUDGET)
    report("line under the hand: pointer to frame", [t["settled"] - t["input"] for t in timings], LATENCY_BUDGET)
    page.close()


def drag(page, rounds: int) -> list[dict[str, float]]:
    """Timings of frames drawn while the mouse drags the threshold's line up and down."""
    box = page.get_by_role("slider", name="Threshold").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    root, timings = page.locator(".strips"), []
    page.mouse.move(x, y)
    page.mouse.down()
    for _ in range(max(rounds // 4, 1)):
        root.evaluate("root => { root.timings.length = 0; }")
        for share in np.sin(np.linspace(0, 2 * np.pi, 120)):
            page.mouse.move(x, y - 20 * share)
            time.sleep(PAUSE)
        timings += root.evaluate("root => [...root.timings]")
    page.mouse.up()
    return timings


def alone(environment: dict[str, str], rounds: int) -> list[float]:
    """Milliseconds that ``submit`` takes to answer from the disk, each in a process of its own."""
    answers = []
    for _ in range(rounds):
        out = subprocess.run(
            [sys.executable, "-c", AGAIN], env=os.environ | environment, cwd=ROOT, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        cached, milliseconds = out.stdout.split()
        assert cached == "True", "the answer did not come from the cache"
        answers.append(float(milliseconds))
    return answers


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=["upload", "again", "threshold"])
    args = parser.parse_args()
    rounds, parts = args.rounds, [args.only] if args.only else ["upload", "again", "threshold"]
    with tempfile.TemporaryDirectory() as cache, sync_playwright() as playwright:
        environment = {"AECORE_CACHE": cache}
        url, process = start_server(ROOT / "Home.py", environment, Path(cache) / "log.txt")
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_FLAGS)
        try:
            if "upload" in parts:
                cold = upload(browser, url, 1000)
                uploads = [upload(browser, url, i) for i in range(rounds)]
                print(
                    f"upload of 20,000 x 4 to drawn result: first {cold:.1f} s, then median "
                    f"{statistics.median(uploads):.1f} s, worst {max(uploads):.1f} s",
                    flush=True,
                )
            if "again" in parts:
                first, later = visit(browser, url), [visit(browser, url) for _ in range(rounds)]
            if "threshold" in parts:
                threshold(browser, url, 4 * rounds)
        finally:
            browser.close()
            process.terminate()
            process.wait(timeout=20)
        if "again" in parts:
            print(
                f"built-in sample trained: first visitor {first:.1f} s, later ones (page and all) median "
                f"{statistics.median(later):.2f} s; submit alone, from disk: median "
                f"{statistics.median(alone(environment, rounds)):.0f} ms"
            )


if __name__ == "__main__":
    main()
