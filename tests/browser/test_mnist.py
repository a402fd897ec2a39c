"""The compression page in a real browser: digits redrawn while a network trains, and what a cancel leaves."""

import pytest

pytestmark = pytest.mark.browser
WAIT = 180_000  # ms; a training at low priority on two busy cores


@pytest.fixture
def compression(app, open_page):
    def start(query: str):
        page = open_page(f"{app}/MNIST_Compression?{query}")
        page.locator(".scrubber .slider").first.wait_for()
        page.get_by_role("button", name="Train", exact=True).wait_for(timeout=WAIT)
        return page

    return start


def test_digits_are_redrawn_while_it_trains_and_a_cancel_keeps_the_film(compression):
    page = compression("pictures=Shipped&epochs=50&width=1024&batch=32")
    page.get_by_role("button", name="Train", exact=True).click()
    rebuilt = page.locator('img[alt^="Rebuilt, squared error"]')
    rebuilt.wait_for(timeout=WAIT)
    first = rebuilt.get_attribute("src")
    page.wait_for_function(
        "first => { const now = document.querySelector('img[alt^=\"Rebuilt, squared error\"]');"
        " return now && now.src !== first; }", arg=first, timeout=WAIT,
    )  # fmt: skip
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Stopped.").wait_for(timeout=WAIT)
    page.get_by_role("button", name="Train on", exact=True).wait_for(timeout=WAIT)
    page.locator(".scrubber .slider").nth(1).wait_for()
    page.get_by_text("The worst ten").wait_for()
