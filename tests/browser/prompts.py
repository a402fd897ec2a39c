"""What a visitor sees of a page, read off a real browser; and the pages whose prompts are pressed."""

import re
from typing import Any

from tests.browser.conftest import settle

# every page with prompts, and the sections of a page that has prompts of its own
PLACES = {
    "Home": [""],
    "Bottleneck": [""],
    "Latent_Clusters": [""],
    "VAE_Morphing": [""],
    "Variants": [""],
    "Applications": [
        f"application={name}"
        for name in (
            "anomaly", "denoising", "dimensions", "pretraining", "generation", "interpolation", "clustering",
            "conditional",
        )
    ],
    "MNIST_Compression": [""],
    "Audio_Denoising": [""],
    "Sensor_Anomalies": [""],
    "Field_Guide": [f"section={name}" for name in ("size", "pca", "wrong", "generate", "checklist", "glossary")],
}  # fmt: skip

# where a result comes from differs between who asked first and who came later
PASSING = re.compile(r"^(From the cache.*|Trained in this visit.*|Show it|\d+ s|Stop|Running.*)$")

LOOK = """
() => {
    const main = document.querySelector('[data-testid="stMain"]');
    const found = [];
    const walk = (node) => {
        for (const each of node.querySelectorAll('*')) {
            if (each.shadowRoot) walk(each.shadowRoot);
            if (!each.checkVisibility || !each.checkVisibility()) continue;
            const role = each.getAttribute('role');
            const name = each.getAttribute('aria-label') || '';
            if (role === 'slider' || each.type === 'range') {
                const value = each.getAttribute('aria-valuetext') || each.getAttribute('aria-valuenow') || each.value;
                found.push(`slider ${name}: ${value}`);
            }
            if (role === 'radio') found.push(`radio ${each.innerText.trim()}: ${each.getAttribute('aria-checked')}`);
            if (role === 'combobox') found.push(`combobox ${name}: ${each.value}`);
            const typed = each.tagName === 'INPUT' && ['text', 'number'].includes(each.type);
            if (typed && role !== 'combobox' && !each.readOnly)
                found.push(`field ${name}: ${each.value}`);
            if (each.tagName === 'CANVAS' || role === 'img' || role === 'application')
                if (name) found.push(`figure ${name}`);
        }
    };
    walk(main);
    const running = !document.querySelector('[data-test-script-state="notRunning"]');
    const busy = running || main.querySelector('[data-testid="stSkeleton"], [data-testid="stProgress"]') !== null;
    return { controls: found, text: main.innerText, busy };
}
"""


def seen(page: Any) -> dict[str, list[str]]:
    """Return what a page shows once it stands still: controls with their values, figures' words, and sentences."""
    settle(page)
    before: dict[str, list[str]] | None = None
    for _ in range(600):
        page.wait_for_timeout(200)
        found = page.evaluate(LOOK)
        lines = [line.strip() for line in found["text"].splitlines()]
        now = {"controls": found["controls"], "sentences": [line for line in lines if line and not PASSING.match(line)]}
        if now == before and not found["busy"]:
            return now
        before = None if found["busy"] else now
    raise TimeoutError(f"{page.url} did not come to rest")


def prompts(page: Any) -> list[str]:
    """Return the prompts that stand under "Try this", in their order."""
    buttons = page.locator('[data-testid="stMain"]').get_by_role("button")
    below = page.get_by_role("heading", name="Try this").bounding_box()
    names = []
    for index in range(buttons.count()):
        box = buttons.nth(index).bounding_box()
        if box and below and 0 < box["y"] - below["y"] < 220:
            names.append(buttons.nth(index).inner_text())
    return [name for name in names if name.strip()]


def press(page: Any, prompt: str) -> dict[str, list[str]]:
    """Press a prompt and return what the page shows then."""
    page.get_by_role("button", name=prompt, exact=True).click()
    page.mouse.move(0, 0)  # what lies under the pointer may look otherwise
    page.wait_for_timeout(200)
    return seen(page)


def difference(sent: dict[str, list[str]], received: dict[str, list[str]]) -> list[str]:
    """Return what a sender saw and a receiver did not, and the other way round."""
    lines = []
    for kind in sent:
        lines += [f"only sent, {kind}: {line}" for line in sent[kind] if line not in received[kind]]
        lines += [f"only received, {kind}: {line}" for line in received[kind] if line not in sent[kind]]
    return lines
