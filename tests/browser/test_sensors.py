"""The sensor page under a hand: dragging zooms or marks the normal stretch, an event opens, the self-test runs."""

import pytest

from tests.browser.conftest import settle

pytestmark = pytest.mark.browser
WAIT = 180_000  # ms; a training at low priority on two busy cores


@pytest.fixture(scope="module")
def app(server, tmp_path_factory) -> str:
    return server("Home.py", env={"AECORE_CACHE": str(tmp_path_factory.mktemp("cache"))})


def drag_over_the_score(page, start: float, end: float) -> None:
    box = page.get_by_test_id("stVegaLiteChart").first.locator("canvas, svg").first.bounding_box()
    y = box["y"] + 0.82 * box["height"]
    page.mouse.move(box["x"] + start * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * (start + end) * box["width"], y, steps=4)
    page.mouse.move(box["x"] + end * box["width"], y, steps=4)
    page.mouse.up()


def test_dragging_zooms_and_the_link_keeps_it(app, open_page):
    page = open_page(f"{app}/Sensor_Anomalies", viewport={"width": 1280, "height": 1400})
    page.get_by_role("button", name="Events", exact=True).wait_for(timeout=WAIT)
    drag_over_the_score(page, 0.55, 0.75)
    page.get_by_role("button", name="Show all").wait_for(timeout=WAIT)
    assert "view=" in page.url
    page.get_by_role("button", name="Show all").click()
    page.wait_for_function("!location.search.includes('view=')", timeout=WAIT)


def test_dragging_marks_the_normal_stretch_and_trains_anew(app, open_page):
    page = open_page(f"{app}/Sensor_Anomalies?drag=marks+the+normal+stretch", viewport={"width": 1280, "height": 1400})
    page.get_by_role("button", name="Events", exact=True).wait_for(timeout=WAIT)
    drag_over_the_score(page, 0.15, 0.45)
    page.wait_for_function("location.search.includes('normal=')", timeout=WAIT)
    settle(page)
    page.get_by_role("button", name="Events", exact=True).wait_for(timeout=WAIT)


@pytest.mark.parametrize("part", ["Latent map", "Scores", "Against labels"])
def test_every_closer_look_draws(app, open_page, part):
    page = open_page(f"{app}/Sensor_Anomalies?closer={part.replace(' ', '+')}")
    page.get_by_role("button", name="Events", exact=True).wait_for(timeout=WAIT)
    if part == "Against labels":
        page.get_by_text("VUS-PR").wait_for(timeout=WAIT)
    else:
        page.get_by_test_id("stVegaLiteChart").nth(1).wait_for(timeout=WAIT)
    assert page.get_by_test_id("stException").count() == 0
