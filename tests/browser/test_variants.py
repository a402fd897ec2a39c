"""The Variants page in a real browser: its first result, and a strength that follows the handle into the link."""

import pytest

pytestmark = pytest.mark.browser
WAIT = 60_000  # ms; a page on two busy cores


def test_the_first_result_is_there_and_a_strength_goes_into_the_link(app, open_page):
    page = open_page(f"{app}/Variants")
    page.get_by_alt_text("Contractive: ten digits").wait_for(timeout=WAIT)
    handle = page.locator(".scrubber [role=slider], .scrubber input[type=range]").first
    handle.wait_for(timeout=WAIT)
    page.get_by_text("At λ = 0.1 (and at λ = 0)").wait_for(timeout=WAIT)
    handle.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("location.search.includes('var_weight1=0.3')", timeout=WAIT)
    page.get_by_text("At λ = 0.3 (and at λ = 0)").wait_for(timeout=WAIT)
    page.get_by_role("radio", name="Two under the same input").click()
    page.get_by_text("The same picture goes into both").wait_for(timeout=WAIT)
    page.wait_for_function("location.search.includes('var_closer=pair')", timeout=WAIT)
    page.get_by_role("slider", name="Noise").press("ArrowRight")
    page.wait_for_function("location.search.includes('var_sigma=0.05')", timeout=WAIT)
    page.get_by_role("radio", name="One at a time").click()  # the link then opens this, not what was open before
    page.wait_for_function("!/var_closer|var_sigma/.test(location.search)", timeout=WAIT)
    page.get_by_text("At λ = 0.3 (and at λ = 0)").wait_for(timeout=WAIT)


def test_a_link_that_names_only_a_setting_becomes_one_that_names_its_look(app, open_page):
    page = open_page(f"{app}/Variants?var_kind=VAE")  # its default, which leaves the address
    page.get_by_role("button", name="Train").wait_for(timeout=WAIT)
    page.wait_for_function("location.search === '?var_closer=train'", timeout=WAIT)
