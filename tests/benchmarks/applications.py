"""The Applications page in a browser: how long a section takes to open, a control to answer, a network to train.

    python -m tests.benchmarks.applications [--url URL] [--live] [SECTION ...]

Opening: from the click on a section to its figure drawn, on a warm server (the second time round). Controls: from the
event to the last drawing that follows it. Budgets: 1 s and 200 ms at the 95th percentile. Knobs: from the event to the
map drawn, in the browser alone. ``--live`` instead trains each section's network as the page offers it: from the button
to the result, 30 s. Sections are named as in the link; all without.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
from playwright.sync_api import Page, expect, sync_playwright

from tests.benchmarks.redraw import WATCH, latency, report
from tests.browser.conftest import CHROMIUM_FLAGS, ROOT, settle, start_server

CHROMIUM = "/usr/bin/chromium"
TIMES = 8
OPEN_BUDGET, LIVE_BUDGET = 1_000.0, 30_000.0  # ms
# section -> its title, and its controls that nothing is trained for: sliders by name, options by two to turn between
CONTROLS: dict[str, tuple[str, list[str | tuple[str, str]]]] = {
    "anomaly detection": ("Anomaly detection", [
        "Severity", "Speed", "Load", "Noise", ("bearing vibration", "inverter currents"),
    ]),
    "denoising": ("Denoising", [
        "Draw", ("10 %", "5 %"), ("afterwards", "as it comes"), ("DC-link voltage", "phase current"),
    ]),
    "dimension reduction": ("Dimension reduction", ["Machine", ("3", "4")]),
    "pre-training": ("Pre-training", ["Labels a class", "Draw", ("digits", "machine faults")]),
    "generation": ("Generation", ["Draw", ("10", "20"), ("inter-turn short", "misfiring switch")]),
    "interpolation": ("Interpolation", [
        "Speeds", "Torques", ("straight", "round the middle"), ("shapes", "phase currents"),
    ]),
    "clustering": ("Clustering", ["Clusters", "Drive", ("30 s", "60 s")]),
    "conditional VAE": ("Conditional VAE", ["Speed", "Torque", "Draw", ("healthy", "open switch")]),
}  # fmt: skip
FIGURE = ".plots canvas, .knobs canvas, .scrubber canvas"
# section -> its id in a link, and the setting that shows what was trained
TRAINED = {
    "anomaly detection": ("anomaly", "ano_network"), "denoising": ("denoising", "den_network"),
    "dimension reduction": ("dimensions", "dim_network"), "pre-training": ("pretraining", "pre_networks"),
    "generation": ("generation", "gen_vae"), "interpolation": ("interpolation", "int_networks"),
    "clustering": ("clustering", "clu_network"), "conditional VAE": ("conditional", "con_model"),
}  # fmt: skip


def opening(page: Page, section: str) -> float:
    """Milliseconds from the click to the section's first figure."""
    started = time.perf_counter()
    page.get_by_role("radio", name=section, exact=True).click()
    page.get_by_role("heading", name=CONTROLS[section][0], exact=True).wait_for()
    page.locator(FIGURE).first.wait_for()
    return 1000 * (time.perf_counter() - started)


def acting(page: Page, control: str | tuple[str, str]) -> Callable[[int], None]:
    """What turns a control for the n-th time."""
    if isinstance(control, tuple):
        return lambda n: page.get_by_role("radio", name=control[n % 2], exact=True).click()
    slider = page.get_by_role("slider", name=control).first
    slider.focus()
    return lambda n: slider.press("ArrowRight" if n % 4 < 2 else "ArrowLeft")


def answers(page: Page, section: str) -> list[float]:
    """Report every control of a section; returns all their times in ms."""
    all_times = []
    for control in CONTROLS[section][1]:
        act = acting(page, control)
        times = [latency(page, lambda n=n, act=act: act(n)) for n in range(TIMES)]
        report(f"{section}: {control if isinstance(control, str) else ' / '.join(control)}"[:48], times)
        all_times += times
    return all_times


def dragged(page: Page) -> None:
    """Report the knobs, which ask nobody."""
    knob = page.locator(".knobs input").first
    for n in range(40):
        knob.press("ArrowRight" if n % 4 < 2 else "ArrowLeft")
        page.wait_for_timeout(40)
    drawn = page.locator(".knobs").evaluate("root => root.timings.map((t) => t.drawn - t.input)")
    report("knob, event to drawn", [float(t) for t in np.asarray(drawn)], 16.0)


def watched(page: Page, sections: list[str]) -> None:
    """Report how long sections take to open, and their controls to answer."""
    for section in sections:  # once: the server is warm then
        opening(page, section)
        settle(page)
    for section in sections:
        other = next(name for name in CONTROLS if name != section)
        opens = []
        for _ in range(3):
            opening(page, other)
            settle(page)
            page.wait_for_timeout(500)
            opens.append(opening(page, section))
        settle(page)
        page.wait_for_timeout(1000)
        report(f"{section}: open", opens, OPEN_BUDGET)
        report(f"{section}: all controls", answers(page, section))
        if section == "dimension reduction":
            dragged(page)


def trained(page: Page, url: str, sections: list[str]) -> None:
    """Report how long each section's training takes, with what the page proposes."""
    for section in sections:
        name, shown = TRAINED[section]
        page.goto(f"{url}/Applications?{urlencode({'application': name, shown: 'own'})}")
        settle(page)
        button = page.get_by_role("button", name="Train", exact=True)
        started = time.perf_counter()
        button.click()
        expect(button).to_have_count(0, timeout=120_000)
        expect(page.get_by_role("button", name="Cancel")).to_have_count(0, timeout=120_000)
        settle(page)
        report(f"{section}: trained live", [1000 * (time.perf_counter() - started)], LIVE_BUDGET)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(CONTROLS))
    parser.add_argument("--url", help="of a server that runs; without, one is started")
    parser.add_argument("--live", action="store_true", help="train the sections' networks")
    options = parser.parse_args()
    sections = options.sections or list(CONTROLS)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        url, server = (options.url, None) if options.url else start_server(
            ROOT / "Home.py", {"AECORE_CACHE": folder}, Path(folder) / "log.txt"
        )  # fmt: skip
        try:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            page.add_init_script(WATCH)
            other, _ = TRAINED[next(name for name in CONTROLS if name != sections[0])]
            page.goto(f"{url}/Applications?application={other}")
            settle(page)
            page.wait_for_timeout(8000)  # the workers' start is not the page's
            if options.live:
                trained(page, url, sections)
            else:
                watched(page, sections)
        finally:
            if server is not None:
                server.terminate()


if __name__ == "__main__":
    main()
