"""Links show what was seen: every prompt of every page, and the browser's Back and Forward."""

import pytest

from tests.browser import prompts
from tests.browser.conftest import settle

pytestmark = pytest.mark.browser
STILL = {"reduced_motion": "reduce"}  # figures that play once at first sight would be caught in mid-motion
PLACES = [(page, query) for page, queries in prompts.PLACES.items() for query in queries]
PAGES = [(page, queries[0]) for page, queries in prompts.PLACES.items()]


def check_prompts(app, open_page, path, query, count=None):
    """Press the first ``count`` prompts of a page, and hold what each shows against what its link shows elsewhere."""
    address = f"{app}/{'' if path == 'Home' else path}?{query}"
    sender, receiver = open_page(address, **STILL), None
    prompts.seen(sender)
    names = prompts.prompts(sender)
    assert len(names) >= (0 if "glossary" in query or "checklist" in query else 2)
    for name in names[:count]:
        sent = prompts.press(sender, name)
        if receiver is None:
            receiver = open_page(sender.url, **STILL)
        else:
            receiver.goto(sender.url)  # another document, and so another session
        received = prompts.seen(receiver)
        assert prompts.difference(sent, received) == [], f"{name}: {sender.url}"
        assert receiver.url == sender.url


@pytest.mark.parametrize(("path", "query"), PAGES, ids=lambda value: value.partition("=")[2] or value)
def test_a_prompt_s_link_shows_the_same_to_somebody_else(app, open_page, path, query):
    """One prompt a page: the tests without a browser press all of them."""
    check_prompts(app, open_page, path, query, count=1)


@pytest.mark.release
@pytest.mark.parametrize(("path", "query"), PLACES, ids=lambda value: value.partition("=")[2] or value)
def test_every_prompt_s_link_shows_the_same_to_somebody_else(app, open_page, path, query):
    check_prompts(app, open_page, path, query)


def slider(page) -> str:
    return page.get_by_role("slider", name="Complexity, sinusoids").input_value()


def test_back_forward_and_the_sidebar_show_what_was_left(app, open_page):
    page = open_page(f"{app}/Bottleneck?complexity=12&waist=9&machines=PCA")
    page.wait_for_url("**/Bottleneck?complexity=12&machines=pca&waist=9")  # an older link, put right in place
    entries = page.evaluate("history.length")
    for complexity in (13, 14):
        page.get_by_role("slider", name="Complexity, sinusoids").press("ArrowRight")
        page.wait_for_url(f"**/Bottleneck?complexity={complexity}&machines=pca&waist=9")
    page.wait_for_url("**/Bottleneck?complexity=14&machines=pca&waist=9")
    assert page.evaluate("history.length") == entries
    page.get_by_test_id("stSidebar").get_by_role("link", name="Home").click()
    page.get_by_role("radio", name="8", exact=True).click()
    page.wait_for_url("**/?digit=8")
    page.go_back()
    page.wait_for_url("**/Bottleneck?complexity=14&machines=pca&waist=9")
    settle(page)
    assert slider(page) == "14"
    assert page.get_by_role("radio", name="PCA", exact=True).get_attribute("aria-checked") == "true"
    page.go_forward()
    page.wait_for_url("**/?digit=8")
    settle(page)
    assert page.get_by_role("radio", name="8", exact=True).get_attribute("aria-checked") == "true"
    page.get_by_test_id("stSidebar").get_by_role("link", name="Bottleneck").click()
    page.wait_for_url("**/Bottleneck?complexity=14&machines=pca&waist=9")


def test_back_to_an_address_without_settings_shows_the_defaults(app, open_page):
    expect = pytest.importorskip("playwright.sync_api").expect
    page = open_page(f"{app}/Bottleneck")
    page.get_by_test_id("stSidebar").get_by_role("link", name="Home").click()
    page.wait_for_url(f"{app}/")
    settle(page)
    page.get_by_test_id("stSidebar").get_by_role("link", name="Bottleneck").click()
    page.get_by_role("slider", name="Complexity, sinusoids").press("ArrowRight")
    page.wait_for_url("**/Bottleneck?complexity=6")
    page.go_back()
    page.wait_for_url(f"{app}/")
    settle(page)
    page.go_back()
    page.wait_for_url(f"{app}/Bottleneck")
    expect(page.get_by_role("slider", name="Complexity, sinusoids")).to_have_value("5")
