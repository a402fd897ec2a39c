"""The sensor page under a hand: the threshold is moved, dragging zooms or marks the normal stretch, looks draw."""

import re

import numpy as np
import pytest

from aecore.concepts import sensor_anomalies as sensors
from aecore.concepts.sensor_anomalies import pretrained as sensor_shipped
from aecore.concepts.sensor_anomalies.samples import InverterSample
from tests.browser.conftest import settle
from tests.browser.test_journeys import choose_file, downloaded, log

pytestmark = pytest.mark.browser
WAIT = 180_000  # ms; a training at low priority on two busy cores
PIXELS = 1200


def opened(open_page, url):
    page = open_page(url, viewport={"width": 1280, "height": 1400})
    page.get_by_role("button", name="Events", exact=True).wait_for(timeout=WAIT)
    page.locator(".strips canvas").wait_for(timeout=WAIT)
    return page


def drag_over_the_strips(page, start: float, end: float) -> None:
    box = page.locator(".strips canvas").bounding_box()
    y = box["y"] + 0.2 * box["height"]
    page.mouse.move(box["x"] + start * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * (start + end) * box["width"], y, steps=4)
    page.mouse.move(box["x"] + end * box["width"], y, steps=4)
    page.mouse.up()


def shaded(ends, places: int = 4 * PIXELS):
    """Mask of a time axis, and the same a pixel wider, for stretches given as shares of it."""
    at = np.linspace(0, 1, places)
    masks = [np.zeros(places, bool), np.zeros(places, bool)]
    for mask, room in zip(masks, (0, 1 / PIXELS), strict=True):
        for first, last in ends:
            mask |= (at >= first - room) & (at <= last + room)
    return masks


def test_the_threshold_under_the_hand_shades_what_python_finds_and_all_follows(app, open_page):
    """Browser and Python at several levels; then table, control and link follow the hand; then a zoom."""
    from playwright.sync_api import expect

    analysis = sensors.Analysis.from_tree(sensor_shipped.load_pretrained(InverterSample(), sensors.DEFAULT_NORMAL))
    page = opened(open_page, f"{app}/Sensor_Anomalies?rule=the+tail+of+the+normal+scores")
    line, root = page.get_by_role("slider", name="Threshold"), page.locator(".strips")
    line.wait_for(timeout=WAIT)
    root.evaluate("root => { root.mine = true; }")
    box = line.bounding_box()
    middle = box["x"] + 0.4 * box["width"], box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    several = set()
    for down in (-60, -20, 4, 8, 12, 24):
        page.mouse.move(middle[0], middle[1] + down)
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        value, places = root.evaluate("root => [root.level.value, root.events]")
        found = analysis.events(value)
        several.add(len(found))
        last_row = len(analysis.scores) - 1
        python, python_wider = shaded(found[["start", "end"]].to_numpy() / last_row)
        browser, browser_wider = shaded(places)
        assert not (browser & ~python_wider).any()
        assert not (python & ~browser_wider).any()
        assert root.evaluate("root => root.level.count") == len(found)
    assert len(several) > 1
    assert "sigmas" not in page.url  # Python has heard nothing yet
    page.mouse.up()
    page.wait_for_function("location.search.includes('sigmas=') && !location.search.includes('rule=')", timeout=30_000)
    sigmas = float(re.search(r"sigmas=([\d.]+)", page.url).group(1))
    assert np.float32(analysis.threshold(sigmas=sigmas).value) == np.float32(value)
    control = page.get_by_role("slider", name="Standard deviations")
    expect(control).to_have_value(f"{sigmas:g}", timeout=30_000)
    settle(page)
    page.get_by_text(f"{len(found)} events above the threshold of {value:.3g}").wait_for(timeout=WAIT)
    told = f"threshold {float(f'{value:.3g}'):g}, {sigmas:g} standard deviations, {len(found)} events"
    expect(line).to_have_attribute("aria-valuetext", told)
    assert downloaded(page, "Events").count(b"\n") == len(found) + 1
    control.focus()
    page.keyboard.press("End")  # and the line follows the control, in its place
    expect(line).to_have_attribute("aria-valuetext", re.compile(", 10 standard deviations"), timeout=30_000)
    assert root.evaluate("root => root.mine === true")
    drag_over_the_strips(page, 0.55, 0.75)
    page.get_by_role("button", name="Show all").wait_for(timeout=WAIT)
    assert "view=" in page.url
    page.get_by_role("button", name="Show all").click()
    page.wait_for_function("!location.search.includes('view=')", timeout=WAIT)


def test_dragging_marks_the_normal_stretch_and_trains_anew(app, open_page):
    page = opened(open_page, f"{app}/Sensor_Anomalies?drag=marks+the+normal+stretch")
    drag_over_the_strips(page, 0.15, 0.45)
    page.wait_for_function("location.search.includes('normal=')", timeout=WAIT)
    settle(page)
    page.get_by_role("button", name="Events", exact=True).wait_for(timeout=WAIT)


def test_every_closer_look_draws(app, open_page):
    page = open_page(f"{app}/Sensor_Anomalies?closer=Latent+map")
    page.get_by_text("Every point is a window").wait_for(timeout=WAIT)
    page.get_by_test_id("stVegaLiteChart").first.locator("canvas, svg").first.wait_for(timeout=WAIT)
    page.get_by_role("radio", name="Scores").click()
    page.get_by_role("columnheader", name="why").wait_for(timeout=WAIT)
    page.get_by_test_id("stVegaLiteChart").first.locator("canvas, svg").first.wait_for(timeout=WAIT)
    page.get_by_role("radio", name="Against labels").click()
    page.get_by_text("VUS-PR").wait_for(timeout=WAIT)
    assert page.get_by_test_id("stException").count() == 0


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
