"""The Bottleneck page in a real browser: the curves follow the hand, the figures follow the controls."""

import re

import numpy as np
import pytest

from tests.browser.test_journeys import choose_file

pytestmark = pytest.mark.browser
WAIT = 180_000  # ms; a training at low priority on two busy cores
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def bottleneck(app, open_page):
    def start(query: str = "", **options):
        page = open_page(f"{app}/Bottleneck?{query}", **options)
        page.locator(".scrubber .slider").wait_for()
        return page

    return start


def panels(page) -> list[str]:
    page.wait_for_timeout(150)  # what lies below the handle is drawn once the hand rests
    page.evaluate(TWO_FRAMES)
    return page.locator(".scrubber canvas").evaluate_all("all => all.map((canvas) => canvas.toDataURL())")


def expect_titles(page, titles: list[str]) -> None:
    """Wait for these panels: while a script runs, those of its last run stand beside the new ones."""
    expect = pytest.importorskip("playwright.sync_api").expect
    expect(page.locator(".scrubber .title")).to_have_text(titles, timeout=WAIT)


ABOVE = ["PCA", "Linear autoencoder", "Nonlinear autoencoder", "The network"]


def below(machine: str) -> list[str]:
    return ["Variance lost, %", f"Spectrum, dB: {machine}", f"Waveforms: {machine}"]


def test_every_figure_follows_the_drag_before_python_hears(bottleneck):
    page = bottleneck(reduced_motion="reduce")  # without the first turn of all frames
    expect_titles(page, [*ABOVE, *below("PCA")])
    box = page.locator(".scrubber .slider").bounding_box()
    y = box["y"] + box["height"] / 2
    seen = [panels(page)]
    page.mouse.move(box["x"] + 11 + 6 / 64 * (box["width"] - 22), y)
    page.mouse.down()
    for k in (9, 14, 30):
        page.mouse.move(box["x"] + 11 + k / 64 * (box["width"] - 22), y)
        seen.append(panels(page))
    assert "waist" not in page.url
    for figure in zip(*seen, strict=True):
        assert len(set(figure)) == len(seen)
    page.mouse.up()
    page.wait_for_function("location.search.includes('waist=30')", timeout=30_000)
    page.get_by_text("With 30 numbers").wait_for(timeout=30_000)
    assert panels(page) == seen[-1]


def test_another_signal_is_drawn_in_the_same_place(bottleneck):
    page = bottleneck(reduced_motion="reduce")  # without the first turn of all frames
    expect_titles(page, [*ABOVE, *below("PCA")])
    canvases = page.locator(".scrubber canvas")
    canvases.evaluate_all("all => all.forEach((canvas) => { canvas.mark = 'same'; })")
    before, caption = panels(page), page.locator(".scrubber .caption").first
    lost = caption.inner_text()
    page.get_by_role("button", name="Another signal").click()
    pytest.importorskip("playwright.sync_api").expect(caption).not_to_have_text(lost, timeout=30_000)
    network, waveforms = 3, 6  # which belong to the machines, not to the signal
    kept = {n for n, (old, new) in enumerate(zip(before, panels(page), strict=True)) if old == new}
    assert kept == {network, waveforms}
    assert canvases.evaluate_all("all => all.map((canvas) => canvas.mark)") == ["same"] * 7


def test_a_prompt_moves_the_handle_and_the_sliders(bottleneck):
    page = bottleneck()
    page.get_by_role("button", name="One tone, one number").click()
    page.get_by_text("With 1 number PCA").wait_for(timeout=30_000)
    assert "complexity=1" in page.url
    expect = pytest.importorskip("playwright.sync_api").expect
    expect(page.locator(".scrubber .slider")).to_have_attribute("aria-valuenow", "1")  # after its first turn, perhaps
    assert page.get_by_role("slider", name=re.compile("Complexity")).input_value() == "1"


def recorded(app, open_page):
    """A page with a recording, which PCA has compressed."""
    page = open_page(f"{app}/Bottleneck?signals=Your+own+recording")
    t = np.arange(2_000)  # few windows, small batches: as many steps as for any other, each of which is short
    log = "tone\n" + "\n".join(f"{value:.4f}" for value in np.sin(t / 3) + np.sin(t / 7))
    choose_file(page, "tones.csv", log.encode())
    expect_titles(page, ["PCA", "The network", *below("PCA")])
    return page


def test_a_recording_is_compressed_by_pca_at_once_and_a_training_is_offered(app, open_page):
    page = recorded(app, open_page)
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text(re.compile("Linear: epoch|Nonlinear: epoch|starting", re.IGNORECASE)).first.wait_for(timeout=WAIT)
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel").wait_for(state="detached", timeout=WAIT)


@pytest.mark.release
def test_a_recording_s_autoencoders_come_when_asked_for(app, open_page):
    page = recorded(app, open_page)
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text(re.compile("Linear: epoch|Nonlinear: epoch|starting", re.IGNORECASE)).first.wait_for(timeout=WAIT)
    page.locator(".scrubber .title", has_text="Nonlinear autoencoder").wait_for(timeout=WAIT)
    expect_titles(page, [*ABOVE, *below("PCA")])
    page.get_by_role("button", name="Train", exact=True).wait_for(state="detached", timeout=WAIT)


def test_a_phone_shows_it_without_sideways_scrolling(bottleneck):
    page = bottleneck(**PHONE)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    page.get_by_role("img", name=re.compile("waveforms")).wait_for(timeout=WAIT)
