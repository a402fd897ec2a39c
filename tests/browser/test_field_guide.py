"""The Field guide in a real browser: a link opens its section, the handle moves, a word leads to its figure."""

import re

import pytest

from tests.browser.conftest import settle

pytestmark = pytest.mark.browser
WAIT = 180_000  # ms; a page on two busy cores


def test_a_word_of_the_glossary_leads_to_its_figure(app, open_page):
    page = open_page(f"{app}/Field_Guide?section=Glossary")
    page.get_by_role("button", name="Active unit").click()
    page.wait_for_function("location.search === '?section=wrong&wrong=dead_units'", timeout=WAIT)
    page.get_by_text("Switched on: dead units").wait_for(timeout=WAIT)
    page.get_by_text("Glossary", exact=True).click()
    page.get_by_test_id("stMain").get_by_role("button", name="Manifold").click()
    handle = page.get_by_role("slider", name=re.compile("Turns by"))
    handle.wait_for(timeout=WAIT)
    page.get_by_text("Here it is not").first.wait_for(timeout=WAIT)
    page.wait_for_function("location.search === '?bend=180&section=pca'", timeout=WAIT)
    settle(page)
    handle.press("Home")
    page.get_by_text("Here it is just PCA").first.wait_for(timeout=WAIT)
    page.wait_for_function("location.search.includes('bend=0')", timeout=WAIT)
    page.get_by_role("link", name="Home").first.click()
    page.get_by_text("Home", exact=True).first.wait_for(timeout=WAIT)
    page.wait_for_function("!location.pathname.includes('Field')", timeout=WAIT)
    settle(page)
    page.go_back()
    page.get_by_text("Here it is just PCA").first.wait_for(timeout=WAIT)
    page.wait_for_function("location.search === '?bend=0&section=pca'", timeout=WAIT)
