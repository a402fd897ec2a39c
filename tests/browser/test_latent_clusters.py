"""The Latent clusters page in a real browser: one brush for three maps, pictures under the pointer, phone width."""

import pytest

pytestmark = pytest.mark.browser
WAIT = 180_000  # ms; a page on two busy cores
WIDE = {"viewport": {"width": 1440, "height": 900}}


@pytest.fixture
def maps(app, open_page):
    def start(**options):
        page = open_page(f"{app}/Latent_Clusters", **options)
        page.locator(".vega-embed canvas").first.wait_for(timeout=WAIT)
        page.get_by_text("Take it with you").wait_for(timeout=WAIT)
        return page

    return start


def test_a_brush_in_one_map_shows_its_digits_and_goes_into_the_link(maps):
    page = maps(**WIDE)
    box = page.locator(".vega-embed canvas").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2  # the middle of the middle map
    before = page.locator(".vega-embed canvas").first.evaluate("canvas => canvas.toDataURL()")
    page.mouse.move(x - 50, y - 60)
    page.mouse.down()
    page.mouse.move(x + 30, y + 30, steps=4)
    during = page.locator(".vega-embed canvas").first.evaluate("canvas => canvas.toDataURL()")
    assert during != before
    assert "brush=" not in page.url
    page.mouse.up()
    page.get_by_text("brushed").first.wait_for(timeout=WAIT)
    page.wait_for_function("location.search.includes('brush=autoencoder')", timeout=WAIT)
    page.mouse.move(x - 10, y)
    page.mouse.move(x, y - 8, steps=12)
    page.locator("#vg-tooltip-element img[src^='data:image/png']").first.wait_for(state="attached", timeout=WAIT)


def test_as_many_maps_stand_side_by_side_as_there_is_room_for(maps):
    """Whatever the browser calls itself: a narrow window is no phone, and had to be moved sideways."""
    page = maps(viewport={"width": 390, "height": 844})
    shape = "() => { const b = document.querySelector('.vega-embed canvas')?.getBoundingClientRect();"
    for width, wanted in (
        (390, "b.height > 3 * b.width"),
        (768, "b.height > b.width"),
        (1440, "b.width > 2 * b.height"),
    ):
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_function(f"{shape} return b && {wanted} && b.right <= innerWidth; }}", timeout=WAIT)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_link_s_brush_is_lit_on_the_maps_and_outlives_another_control(maps, app):
    page = maps()
    shown = "canvas => canvas.toDataURL()"
    plain = page.locator(".vega-embed canvas").first.evaluate(shown)
    page.goto(f"{app}/Latent_Clusters?brush=PCA:-1:0.5:0:1")
    page.get_by_text("brushed").first.wait_for(timeout=WAIT)
    page.locator(".vega-embed canvas").first.wait_for(timeout=WAIT)
    page.wait_for_function(
        "plain => { const c = document.querySelector('.vega-embed canvas'); return c && c.toDataURL() !== plain; }",
        arg=plain, timeout=WAIT,
    )  # fmt: skip
    told = page.get_by_text("brushed").first.inner_text()
    page.get_by_role("radio", name="VAE").click()
    page.wait_for_function("location.search.includes('machine=vae')", timeout=WAIT)
    page.get_by_text("that the VAE rebuilds worst").wait_for(timeout=WAIT)
    assert page.get_by_text("brushed").first.inner_text() == told and "brush=pca" in page.url
