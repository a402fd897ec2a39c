"""The VAE morphing page in a real browser: the pad, the drawing, the cloud, the link."""

import re

import numpy as np
import pytest

from tests.browser.conftest import settle

pytestmark = pytest.mark.browser
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def morphing(app, open_page):
    def start(query: str = "", **options):
        page = open_page(f"{app}/VAE_Morphing?{query}", **options)
        page.locator(".latent-pad .map").first.wait_for()
        page.evaluate(TWO_FRAMES)
        return page

    return start


def drag(page, target, *points):
    """Draw with the mouse over shares of an element's box."""
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()


def test_the_pad_decodes_and_the_words_follow(morphing):
    page = morphing()
    read = "all => all.map((c) => c.toDataURL())"
    decoded = page.locator(".latent-pad .decoded canvas")
    before = decoded.evaluate_all(read)
    drag(page, page.locator(".latent-pad .map").last, (0.5, 0.5), (0.8, 0.3))
    page.wait_for_function("location.search.includes('z=')", timeout=30_000)
    after = decoded.evaluate_all(read)
    assert len(after) == 2 and all(a != b for a, b in zip(before, after, strict=True))
    page.get_by_text(re.compile(r"At \(2(\.\d+)?, 1(\.\d+)?\)")).wait_for(timeout=30_000)


def test_a_drawing_is_encoded_and_its_link_draws_it_again(morphing):
    page = morphing("look=draw")
    canvas = page.locator(".sketch canvas")
    canvas.wait_for()
    ground = "all => all.map((c) => c.toDataURL())"
    plain = page.locator(".latent-pad .map canvas").evaluate_all(ground)
    drag(page, canvas, (0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7), (0.3, 0.3))
    page.get_by_text("σ = (").wait_for(timeout=30_000)
    page.wait_for_function(
        """plain => [...document.querySelectorAll(".latent-pad .map canvas")]
            .every((canvas, i) => canvas.toDataURL() !== plain[i])""",
        arg=plain,
        timeout=30_000,
    )
    settle(page)
    told = page.get_by_text("σ = (").inner_text()
    page.wait_for_function("location.search.includes('drawing=')", timeout=30_000)
    again = morphing(page.url.partition("?")[2])
    again.get_by_text("σ = (").wait_for(timeout=30_000)
    assert again.get_by_text("σ = (").inner_text() == told
    again.get_by_role("button", name="Clear").click()
    again.wait_for_function("!location.search.includes('drawing=')", timeout=30_000)


def test_the_cloud_follows_its_handles(morphing):
    page = morphing("look=noise&cloud=0,0,0.5,0.5")
    handle = page.get_by_role("slider", name=re.compile("Spread across"))
    handle.wait_for()
    assert handle.get_attribute("aria-valuetext") == "0.50"
    read = "all => all.map((c) => c.toDataURL())"
    before = page.locator(".cloud .tiles canvas").evaluate_all(read)
    handle.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("decodeURIComponent(location.search).includes('cloud=0,0,0.8,0.5')", timeout=30_000)
    assert page.locator(".cloud .tiles canvas").evaluate_all(read) != before
    page.get_by_role("slider", name=re.compile("^Mean of the cloud")).focus()
    page.keyboard.press("Shift+ArrowUp")
    page.wait_for_function("decodeURIComponent(location.search).includes('cloud=0,0.01,0.8,0.5')", timeout=30_000)


def test_the_address_follows_the_controls_while_and_after_something_is_trained(morphing):
    page = morphing("networks=own&images=digits")
    weight = page.get_by_role("slider", name="β, weight of the KL term")
    page.get_by_text("both maps show the built-in networks").wait_for(timeout=30_000)
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text("weight of the KL term 1").wait_for(timeout=30_000)
    weight.press("ArrowRight")
    page.wait_for_function("location.search.includes('own_beta=1.25')", timeout=30_000)
    assert page.get_by_text(re.compile("^Training with .* weight of the KL term 1, ")).count() == 1
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel").wait_for(state="detached", timeout=60_000)
    for value in ("1.5", "1.75", "2"):
        weight.press("ArrowRight")
        page.wait_for_function(f"new URLSearchParams(location.search).get('own_beta') === '{value}'", timeout=30_000)


def test_a_phone_shows_it_without_sideways_scrolling(morphing):
    page = morphing(**PHONE)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    boxes = [m.bounding_box() for m in page.locator(".latent-pad .map").all()]
    assert np.ptp([box["y"] for box in boxes]) < 1  # side by side, both pictures over them
