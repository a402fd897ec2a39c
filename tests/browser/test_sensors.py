"""The sensor page under a hand: dragging zooms or marks the normal stretch, an event opens, the self-test runs."""

import pytest

from tests.browser.conftest import settle
from tests.browser.test_journeys import choose_file, downloaded, log

pytestmark = pytest.mark.browser
WAIT = 180_000  # ms; a training at low priority on two busy cores


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


def test_every_closer_look_draws(app, open_page):
    page = open_page(f"{app}/Sensor_Anomalies?closer=Latent+map")
    page.get_by_text("Every point is a window").wait_for(timeout=WAIT)
    page.get_by_test_id("stVegaLiteChart").nth(1).locator("canvas, svg").first.wait_for(timeout=WAIT)
    page.get_by_role("radio", name="Scores").click()
    page.get_by_role("columnheader", name="why").wait_for(timeout=WAIT)
    page.get_by_test_id("stVegaLiteChart").nth(1).locator("canvas, svg").first.wait_for(timeout=WAIT)
    page.get_by_role("radio", name="Against labels").click()
    page.get_by_text("VUS-PR").wait_for(timeout=WAIT)
    assert page.get_by_test_id("stException").count() == 0


def test_moving_the_threshold_changes_the_figure_in_place(app, open_page):
    page = open_page(f"{app}/Sensor_Anomalies", viewport={"width": 1280, "height": 1400})
    page.get_by_role("button", name="Events", exact=True).wait_for(timeout=WAIT)
    drawn = page.get_by_test_id("stVegaLiteChart").first.locator("canvas, svg").first
    drawn.evaluate("drawn => { drawn.mine = true }")
    before = drawn.screenshot()
    handle = page.get_by_role("slider", name="Standard deviations")
    handle.focus()
    page.keyboard.press("Home")
    page.get_by_text("lies 1 standard").wait_for(timeout=WAIT)
    settle(page)
    page.wait_for_timeout(500)
    assert drawn.evaluate("drawn => drawn.mine === true")
    assert drawn.screenshot() != before


def test_a_report_opens_without_a_network_and_a_saved_detector_scores_again(app, browser, open_page, tmp_path):
    page = open_page(f"{app}/Sensor_Anomalies?source=Your+own+file", timezone_id="America/New_York")
    choose_file(page, "<img src=x>.csv", log())
    page.get_by_role("button", name="Events", exact=True).wait_for(timeout=WAIT)
    settle(page)
    report, detector = (downloaded(page, name) for name in ("Report", "Detector"))
    events = downloaded(page, "Events")
    (tmp_path / "report.html").write_bytes(report)
    offline = browser.new_context(offline=True)
    reader, asked = offline.new_page(), []
    reader.on("request", lambda request: asked.append(request.url))
    reader.goto((tmp_path / "report.html").as_uri())
    assert len(asked) == 1
    assert "<img" in reader.title()
    assert reader.locator("img, script, iframe").count() == 0
    assert reader.locator("svg").count() >= 3
    assert reader.get_by_text("voltage", exact=True).count() >= 1
    offline.close()
    page.get_by_text("Score with a saved detector").click()
    second = page.get_by_test_id("stFileUploader").nth(1).locator("input")
    second.set_input_files({"name": "d.safetensors", "mimeType": "application/octet-stream", "buffer": detector})
    page.wait_for_function("location.search.includes('detector=')", timeout=WAIT)
    page.get_by_role("button", name="Events", exact=True).wait_for(timeout=WAIT)
    settle(page)
    assert downloaded(page, "Events") == events
