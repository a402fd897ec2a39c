"""The Applications page in a real browser: links, prompts, Back, knobs that bend the map before Python hears of it."""

import re

import pytest

from tests.browser.conftest import settle
from tests.browser.prompts import seen

pytestmark = pytest.mark.browser
WAIT = 90_000  # ms, on two busy cores


def query(page) -> str:
    return page.evaluate("location.search")


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
    moved = said.inner_text()
    page.get_by_role("button", name="Two knobs only", exact=True).click()
    page.wait_for_function("location.search === '?application=dimensions&dim_size=2'", timeout=20_000)
    page.get_by_role("radio", name="4", exact=True).click()
    expect(page.locator(".knobs input")).to_have_count(4, timeout=20_000)
    expect(said).to_have_text(before, timeout=20_000)
    assert moved != before


def test_another_section_is_one_click_away(app, open_page):
    from playwright.sync_api import expect

    page = open_page(f"{app}/Applications?section=denoising&den_level=10+%25")
    expect(page.get_by_text(re.compile("Signal-to-noise ratio gained"))).to_be_visible(timeout=WAIT)
    page.wait_for_function("location.search === '?application=denoising&den_level=10'", timeout=20_000)
    page.get_by_role("radio", name="clustering").click()
    expect(page.get_by_role("heading", name="Clustering")).to_be_visible(timeout=WAIT)
    expect(page.get_by_text("adjusted Rand index, 1 is perfect").first).to_be_visible(timeout=WAIT)
    page.wait_for_function("location.search === '?application=clustering'", timeout=20_000)


def test_back_shows_what_was_left_and_so_does_the_menu(app, open_page):
    from playwright.sync_api import expect

    page = open_page(f"{app}/Applications?application=interpolation&int_data=shapes&int_size=6&int_size=8")
    expect(page.get_by_role("heading", name="Interpolation")).to_be_visible(timeout=WAIT)
    page.get_by_role("radio", name="heart").click()
    page.wait_for_function("location.search.includes('int_figure=heart')", timeout=20_000)
    left, there = seen(page), query(page)
    page.get_by_role("link", name="Field Guide").first.click()
    page.get_by_role("heading", name="Field guide").wait_for(timeout=WAIT)
    settle(page)
    page.go_back()
    expect(page.get_by_role("heading", name="Interpolation")).to_be_visible(timeout=WAIT)
    assert seen(page) == left and query(page) == there
    page.get_by_role("link", name="Field Guide").first.click()
    page.get_by_role("heading", name="Field guide").wait_for(timeout=WAIT)
    page.get_by_role("link", name="Applications", exact=True).first.click()
    expect(page.get_by_role("heading", name="Interpolation")).to_be_visible(timeout=WAIT)
    assert seen(page) == left and query(page) == there


@pytest.mark.parametrize(
    ("epochs", "viewport"), [(30, {"width": 1360, "height": 900}), (20, {"width": 390, "height": 844})]
)
def test_a_training_is_seen_where_its_button_was_pressed(app, open_page, epochs, viewport):
    from playwright.sync_api import expect

    page = open_page(f"{app}/Applications?application=conditional&con_epochs={epochs}", viewport=viewport)
    train = page.get_by_role("button", name="Train", exact=True)
    train.scroll_into_view_if_needed(timeout=WAIT)
    train.click()
    cancel = page.get_by_role("button", name="Cancel")
    expect(cancel).to_be_visible(timeout=WAIT)
    expect(cancel).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("progressbar").first).to_be_in_viewport()
    page.get_by_text(f"Model: trained here (Epochs {epochs}).").wait_for(timeout=WAIT)
    page.wait_for_function("location.search.includes('con_model=own')", timeout=20_000)
    expect(cancel).to_have_count(0)


def test_a_link_to_a_file_and_the_file_itself(app, open_page, tmp_path):
    from playwright.sync_api import expect

    page = open_page(f"{app}/Applications?application=clustering&clu_file=drive.csv%40abcdef123456")
    asked = page.get_by_text("This link was made with a file")
    expect(asked).to_be_visible(timeout=WAIT)
    file = tmp_path / "drive.csv"
    file.write_text("time,speed\n" + "\n".join(f"{t},{40 + 30 * ((t // 90) % 2)}" for t in range(900)))
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_text("The link was made with another file")).to_be_visible(timeout=WAIT)
    expect(asked).to_have_count(0)
    expect(page.get_by_text("Drive shown")).to_be_visible(timeout=WAIT)
    expect(page.get_by_text(re.compile("Speed from the column"))).to_be_visible(timeout=WAIT)
    page.wait_for_function("/clu_file=drive.csv/.test(location.search)", timeout=20_000)
