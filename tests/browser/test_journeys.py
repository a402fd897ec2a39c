"""What people come to do, in a real browser against a real server with real workers."""

import io
import re
import time

import numpy as np
import pandas as pd
import psutil
import pytest

from tests.browser.conftest import settle

pytestmark = pytest.mark.browser
WAIT = 180_000  # ms; a training at low priority on two busy cores


def log(rows: int = 3000) -> bytes:
    rng = np.random.default_rng(0)
    t = np.arange(rows)[:, None]
    values = np.sin(t / 7 + np.arange(3)) + 0.1 * rng.normal(size=(rows, 3))
    values[2000:2060, 1] += 3
    frame = pd.DataFrame(values, columns=["current", "voltage", "=cmd()"])
    frame.insert(0, "time", pd.date_range("2026-03-01 10:00", periods=rows, freq="s"))
    return frame.to_csv(index=False, sep=";").encode()


def begin_training(page) -> None:
    """Start the longest training that a page offers, and wait until it is under way."""
    page.get_by_role("button", name="Train", exact=True).first.click()
    page.get_by_text(re.compile("epoch [0-9]")).first.wait_for(timeout=WAIT)


def choose_file(page, name: str, data: bytes) -> None:
    chooser = page.locator('[data-testid="stFileUploaderDropzoneInput"], [data-testid="stFileUploader"] input').first
    chooser.set_input_files({"name": name, "mimeType": "text/csv", "buffer": data})


def downloaded(page, button: str) -> bytes:
    with page.expect_download(timeout=WAIT) as caught:
        page.get_by_role("button", name=button, exact=True).click()
    return caught.value.path().read_bytes()


def test_home_leads_to_the_pages(app, open_page):
    page = open_page(app)
    page.get_by_role("slider", name=re.compile("k")).wait_for(timeout=WAIT)
    page.get_by_test_id("stMain").get_by_role("link", name="Sensor anomalies").first.click()
    page.get_by_role("heading", name="Sensor anomalies").wait_for(timeout=WAIT)


def test_the_link_on_the_page_follows_the_controls(app, open_page):
    page = open_page(app, permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("radio", name="8", exact=True).click()
    page.wait_for_function("location.search.includes('digit=8')", timeout=30_000)
    page.get_by_role("slider", name=re.compile("k")).press("End")
    page.wait_for_function("location.search.includes('k=16')", timeout=30_000)
    field = page.get_by_label("A link to exactly this")
    page.wait_for_function("field => field.value === location.href", arg=field.element_handle(), timeout=30_000)
    page.get_by_role("button", name="Copy", exact=True).click()
    page.get_by_text("Copied").wait_for(timeout=30_000)
    assert page.evaluate("navigator.clipboard.readText()") == page.url


def test_an_upload_is_scored_to_the_end_and_taken_away(app, open_page):
    page = open_page(f"{app}/Sensor_Anomalies?source=Your+own+file&sigmas=5")
    choose_file(page, "pump.csv", log())
    page.get_by_role("button", name="Events", exact=True).wait_for(timeout=WAIT)
    settle(page)
    assert page.get_by_role("slider", name="Standard deviations").input_value() == "5"
    events = pd.read_csv(io.BytesIO(downloaded(page, "Events")))
    hit = (events["first_row"] <= 2060) & (events["last_row"] >= 2000)
    assert hit.any()
    assert (events.loc[hit, "leading_channel"] == "voltage").any()
    assert events["start"].str.startswith("2026-03-01").all()
    scores = pd.read_csv(io.BytesIO(downloaded(page, "Scores")))
    assert len(scores) == 3000
    assert scores["score"].idxmax() in range(1950, 2110)
    assert "file=pump.csv" in page.url
    address = page.url
    # the same link in another session: settings, fingerprint, and no content
    guest = open_page(address)
    guest.get_by_text("fingerprint").first.wait_for(timeout=WAIT)
    assert "pump" in guest.inner_text('[data-testid="stMain"]')
    assert guest.get_by_role("button", name="Events", exact=True).count() == 0
    choose_file(guest, "pump.csv", log())
    guest.get_by_role("button", name="Events", exact=True).wait_for(timeout=WAIT)
    settle(guest)
    assert guest.get_by_role("slider", name="Standard deviations").input_value() == "5"
    assert downloaded(guest, "Scores") == downloaded(page, "Scores")


def test_cancel_stops_a_training_and_the_page_goes_on(app, open_page):
    page = open_page(f"{app}/Bottleneck?complexity=7")
    begin_training(page)
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Stopped.").wait_for(timeout=30_000)
    begin_training(page)


def test_a_deep_link_on_a_cold_server_shows_what_the_sender_saw(server, open_page, tmp_path):
    cold = server("Home.py", env={"AECORE_CACHE": str(tmp_path)})
    page = open_page(f"{cold}/Sensor_Anomalies?sigmas=5&closer=Scores")
    page.get_by_role("button", name="Events", exact=True).wait_for(timeout=WAIT)
    settle(page)
    first = downloaded(page, "Events")
    page.reload()
    settle(page)
    page.get_by_role("button", name="Events", exact=True).wait_for(timeout=WAIT)
    assert downloaded(page, "Events") == first
    assert "sigmas=5" in page.url
    assert page.get_by_role("slider", name="Standard deviations").input_value() == "5"


def test_a_file_that_cannot_be_read_gets_a_sentence(app, open_page):
    page = open_page(f"{app}/Sensor_Anomalies?source=Your+own+file")
    choose_file(page, "photo.csv", bytes(range(256)) * 100)
    page.get_by_test_id("stAlert").first.wait_for(timeout=WAIT)
    assert "photo" in page.get_by_test_id("stAlert").first.inner_text()
    assert page.get_by_test_id("stException").count() == 0


def at_rest(workers: list[psutil.Process]) -> None:
    """Wait until the workers have torch and do nothing: what one of them does from then on is a training."""
    until = time.monotonic() + WAIT / 1000
    while time.monotonic() < until:
        before = sum(worker.cpu_times().user for worker in workers)
        time.sleep(1)
        loaded = sum(any("libtorch_cpu" in part.path for part in worker.memory_maps()) for worker in workers)
        if loaded >= 2 and sum(worker.cpu_times().user for worker in workers) - before < 0.1:
            return
    raise AssertionError("the workers did not come to rest")


def training_worker(server: psutil.Process) -> psutil.Process:
    """The one of the server's descendants that works most within a second."""
    workers = server.children(recursive=True)
    before = [worker.cpu_times().user for worker in workers]
    time.sleep(1)
    return max(zip(workers, before, strict=True), key=lambda pair: pair[0].cpu_times().user - pair[1])[0]


def test_a_worker_killed_in_mid_training_is_said_and_the_training_begins_again_once(app, server, open_page):
    page = open_page(f"{app}/Bottleneck?complexity=9")
    at_rest(server.process(app).children(recursive=True))
    begin_training(page)
    training_worker(server.process(app)).kill()
    page.get_by_text("it has begun again").wait_for(timeout=WAIT)
    page.get_by_text(re.compile("epoch [0-9]")).first.wait_for(timeout=WAIT)
    training_worker(server.process(app)).kill()
    page.get_by_test_id("stAlert").filter(has_text="start it again").first.wait_for(timeout=WAIT)
    begin_training(page)
