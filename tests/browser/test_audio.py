"""The audio page in a real browser: a file in, cleaned, heard, out again at its own rate; the microphone."""

import importlib.util
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.browser.conftest import ROOT, settle

pytestmark = pytest.mark.browser
WAIT = 300_000  # ms; the workers' first start on two busy cores
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
RATE = 44_100


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """On a new machine librosa's first call compiles for half a minute, and longer beside other tests."""
    place = Path(importlib.util.find_spec("librosa").origin).parent
    if any(place.rglob("*.nbi")):  # what numba has compiled before
        return
    first = (
        "import numpy as np; from aecore.audio.resampling import resample; resample(np.zeros((1, 999)), 44100, 16000)"
    )
    subprocess.run([sys.executable, "-c", first], cwd=ROOT, check=True)


def recording() -> bytes:
    """Two seconds of a voice-like buzz in noise, stereo."""
    t = np.arange(2 * RATE) / RATE
    voice = sum(np.sin(2 * np.pi * 140 * k * t) / k for k in range(1, 20)) * (np.sin(2 * np.pi * 2 * t) > 0)
    noise = np.random.default_rng(0).standard_normal((len(t), 2))
    file = io.BytesIO()
    soundfile.write(file, 0.1 * voice[:, None] + 0.02 * noise, RATE, format="FLAC")
    return file.getvalue()


def state(page) -> dict:
    return page.locator(".player").evaluate("root => root.player.state()")


def test_an_upload_is_cleaned_heard_and_taken_away(app, open_page):
    page = open_page(f"{app}/Audio_Denoising?voice=file")
    chooser = page.locator('[data-testid="stFileUploaderDropzoneInput"], [data-testid="stFileUploader"] input').first
    chooser.set_input_files({"name": "shop.flac", "mimeType": "audio/flac", "buffer": recording()})
    page.locator(".player .strip").first.wait_for(timeout=WAIT)
    settle(page)
    page.get_by_role("button", name="Play").click()
    page.wait_for_timeout(300)
    page.keyboard.press("1")
    assert state(page)["take"] == "noisy"
    page.keyboard.press("2")
    assert state(page)["playing"] and state(page)["gains"][:2] == [0, 1]
    with page.expect_download(timeout=WAIT) as caught:
        page.get_by_role("button", name="Cleaned WAV", exact=True).click()
    cleaned, rate = soundfile.read(caught.value.path())
    original, _ = soundfile.read(io.BytesIO(recording()))
    assert rate == RATE and cleaned.shape == original.shape
    silent = np.sin(2 * np.pi * 2 * np.arange(len(original)) / RATE) < -0.5
    assert np.std(cleaned[silent]) < 0.5 * np.std(original[silent])
    assert "sound=shop.flac" in page.url


def test_another_noise_leaves_the_player_where_it_is(app, open_page):
    page = open_page(f"{app}/Audio_Denoising")
    page.locator(".player .strip").first.wait_for(timeout=WAIT)
    page.locator(".player").evaluate("root => { root.mark = 'same'; }")
    page.locator(".player .ruler").focus()
    page.keyboard.press("ArrowRight")
    before = page.locator(".player .strip canvas").nth(1).evaluate("canvas => canvas.toDataURL()")
    page.get_by_role("slider", name="Voice over noise").press("ArrowLeft")
    page.wait_for_function(
        "([root, before]) => root.querySelectorAll('.strip canvas')[1].toDataURL() !== before",
        arg=[page.locator(".player").element_handle(), before],
        timeout=WAIT,
    )
    assert page.locator(".player").evaluate("root => root.mark") == "same"
    assert state(page)["position"] == pytest.approx(1)
    assert "snr=4" in page.url


def test_what_the_microphone_hears_is_cleaned_on_a_phone_too(app, open_page):
    page = open_page(f"{app}/Audio_Denoising?voice=microphone", permissions=["microphone"], **PHONE)
    page.get_by_role("button", name="Record").first.click()
    page.wait_for_timeout(1500)
    page.get_by_role("button", name="Stop recording").first.click()
    page.locator(".player .strip").first.wait_for(timeout=WAIT)
    assert page.get_by_test_id("stException").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")


def test_back_restores_the_take_the_strength_and_the_loudness(app, open_page):
    page = open_page(f"{app}/Audio_Denoising?take=wiener&take-strength=40&take-loudness=same")
    page.locator(".player .strip").first.wait_for(timeout=WAIT)
    page.get_by_role("link", name="Home").first.click()
    page.locator(".scrubber .slider").first.wait_for()
    page.go_back()
    page.locator(".player .strip").first.wait_for(timeout=WAIT)
    page.wait_for_function("root => root.player.state().strength === 40", arg=player_of(page), timeout=WAIT)
    assert state(page)["take"] == "wiener"
    assert page.get_by_label("Same loudness").is_checked()
    assert "take=wiener" in page.url and "take-strength=40" in page.url and "take-loudness=same" in page.url


def player_of(page):
    return page.locator(".player").element_handle()
