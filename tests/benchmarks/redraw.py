"""From a control's event to the last drawing that follows it, in a real page; no benchmark of its own."""

import time
from collections.abc import Callable

import numpy as np
from playwright.sync_api import Page

CONTROL_BUDGET = 200.0  # ms, 95th percentile
QUIET = 0.4  # s without a drawing: the figures are done

WATCH = """
window.watch = {event: 0, drawn: 0};
const now = () => { window.watch.drawn = performance.now(); };
for (const name of ["clearRect", "stroke", "fill", "fillRect", "fillText", "putImageData", "drawImage"]) {
  const draw = CanvasRenderingContext2D.prototype[name];
  CanvasRenderingContext2D.prototype[name] = function (...args) { now(); return draw.apply(this, args); };
}
for (const kind of ["keydown", "pointerdown"]) {
  window.addEventListener(kind, (event) => { window.watch.event = event.timeStamp; }, {capture: true});
}
new MutationObserver((changes) => {
  if (changes.some(({target}) => target.closest?.("svg.marks, .vega-embed"))) now();
}).observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
"""


def latency(page: Page, act: Callable[[], None]) -> float:
    """Milliseconds from the event that ``act`` causes to the last drawing after it.

    The page must have been given ``WATCH`` before it loaded. It counts as drawn when it stays quiet for a while.
    """
    page.evaluate("window.watch.drawn = 0")
    act()
    until = time.monotonic() + 30
    while time.monotonic() < until:
        time.sleep(0.05)
        event, drawn, now = page.evaluate("[watch.event, watch.drawn, performance.now()]")
        if drawn > event and now - drawn > 1000 * QUIET:
            return float(drawn - event)
    raise RuntimeError("nothing was redrawn for 30 s")


def report(name: str, times: list[float], budget: float = CONTROL_BUDGET) -> None:
    """Print one line: how many times, median and 95th percentile in ms, against the budget."""
    p50, p95 = np.percentile(times, (50, 95))
    verdict = "ok" if p95 <= budget else "OVER BUDGET"
    print(f"{name:36s} {len(times):5d} {p50:8.1f} {p95:8.1f} ms   {verdict}", flush=True)
