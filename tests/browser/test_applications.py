"""The Applications page in a real browser: a link opens its section, knobs bend the map before Python hears of it."""

import re

import pytest

pytestmark = pytest.mark.browser
WAIT = 90_000  # ms, on two busy cores


def test_knobs_bend_the_map_and_go_into_the_link(app, open_page):
    from playwright.sync_api import expect

    page = open_page(f"{app}/Applications?section=dimension+reduction")
    expect(page.get_by_role("heading", name="Dimension reduction")).to_be_visible(timeout=WAIT)
    said = page.locator(".knobs .said")
    expect(said).to_contain_text("flux off by", timeout=WAIT)
    before, drawn = said.inner_text(), page.locator(".knobs canvas").first.evaluate("canvas => canvas.toDataURL()")
    slider = page.locator(".knobs input").first
    slider.press("ArrowRight")
    expect(said).not_to_have_text(before, timeout=20_000)
    after = page.locator(".knobs canvas").first.evaluate("canvas => canvas.toDataURL()")
    assert after != drawn
    page.wait_for_function("location.search.includes('dim_knobs=')", timeout=20_000)


def test_another_section_is_one_click_away(app, open_page):
    from playwright.sync_api import expect

    page = open_page(f"{app}/Applications?section=denoising&den_level=10+%25")
    expect(page.get_by_text(re.compile("Signal-to-noise ratio gained"))).to_be_visible(timeout=WAIT)
    page.get_by_role("radio", name="clustering").click()
    expect(page.get_by_role("heading", name="Clustering")).to_be_visible(timeout=WAIT)
    expect(page.get_by_text("adjusted Rand index, 1 is perfect").first).to_be_visible(timeout=WAIT)
    page.wait_for_function("location.search.includes('section=clustering')", timeout=20_000)
