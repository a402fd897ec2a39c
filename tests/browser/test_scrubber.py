"""The scrubber in a real Chromium: what the hand does, what Python hears, what is drawn."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from tests.browser.conftest import settle

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


class Bench:
    """A page with one scrubber."""

    def __init__(self, page):
        self.page = page
        self.slider = page.get_by_role("slider")
        self.root = page.locator(".scrubber")
        self.slider.wait_for()
        page.evaluate(TWO_FRAMES)

    @property
    def index(self):
        return int(self.slider.get_attribute("aria-valuenow"))

    @property
    def sent(self):
        return self.root.evaluate("root => root.sent")

    @property
    def runs(self):
        return int(re.search(r"run (\d+)", self.said()).group(1))

    def said(self):
        return self.page.get_by_text(re.compile(r"^left at ")).inner_text()

    def wait_left(self, index):
        self.page.get_by_text(f"left at {index},").wait_for(timeout=30_000)

    def place(self, share):
        """Screen coordinates of a share of the rail."""
        box = self.slider.bounding_box()
        return box["x"] + 11 + share * (box["width"] - 22), box["y"] + box["height"] / 2

    def pixels(self, panel=0):
        """RGBA [H, W, 4] of a panel's canvas."""
        self.page.evaluate(TWO_FRAMES)
        url = self.page.locator("canvas").nth(panel).evaluate("canvas => canvas.toDataURL()")
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGBA"))


@pytest.fixture
def bench(server, open_page):
    url = server("tests/browser/scrubber_demo.py")
    return lambda query="", **options: Bench(open_page(f"{url}/?{query}", **options))


def test_drag_turns_frames_before_python_hears(bench):
    b = bench()
    before, runs = b.pixels(), b.runs
    b.page.mouse.move(*b.place(8 / 64))
    b.page.mouse.down()
    seen, sent = [], set()
    for share in np.linspace(8 / 64, 40 / 64, 12):
        b.page.mouse.move(*b.place(share))
        sent.add(b.sent)
        seen.append(b.pixels())
    assert b.index == 40
    assert len({s.tobytes() for s in seen}) > 8  # the frames turned while the button was down
    assert not np.array_equal(before, seen[-1])
    assert sent == {0} and b.runs == runs and "left at 8," in b.said()
    b.page.mouse.up()
    b.wait_left(40)
    assert b.sent == 1 and "k=40" in b.page.url and b.runs == runs + 1


def test_click_on_the_rail_jumps(bench):
    b = bench()
    b.page.mouse.click(*b.place(0.5))
    b.wait_left(32)


def test_keyboard_sends_a_burst_once(bench):
    b = bench()
    b.slider.focus()
    for key in ("ArrowRight", "ArrowUp", "ArrowRight", "ArrowLeft"):
        b.page.keyboard.press(key)
    b.page.evaluate(TWO_FRAMES)
    assert b.index == 10
    b.wait_left(10)
    assert b.sent == 1
    steps = {"PageDown": 2, "PageUp": 10, "End": 64, "Home": 0}
    for key, index in steps.items():
        b.page.keyboard.press(key)
        b.page.evaluate(TWO_FRAMES)
        assert b.index == index
    b.page.keyboard.press("Tab")  # leaving sends at once
    b.wait_left(0)


def test_link_restores_and_default_leaves_it(bench):
    b = bench("k=12")
    assert b.index == 12 and "left at 12," in b.said()
    b.page.mouse.click(*b.place(8 / 64))
    b.wait_left(8)
    b.page.wait_for_function("() => !location.search.includes('k=')")


def test_bad_link_falls_back_and_is_told(bench):
    b = bench("k=many")
    b.page.get_by_text("The link asks for k = many").wait_for()
    assert b.index == 8
    assert "k=" not in b.page.url


def test_named_positions_travel_by_name(bench):
    b = bench("show=other&beta=0.5")
    assert b.index == 2 and b.slider.get_attribute("aria-valuetext") == "β = 0.5"


def test_rerun_keeps_the_dom_and_resends_nothing(server, open_page):
    received = []
    url = server("tests/browser/scrubber_demo.py")

    def listen(socket):
        socket.on("framereceived", lambda frame: received.append(len(frame)))

    b = Bench(open_page(url, on_websocket=listen))
    first = sum(received)
    b.root.evaluate("root => { root.mark = 'mine'; }")
    b.page.mouse.click(*b.place(0.25))
    b.wait_left(16)
    received.clear()
    runs = b.runs
    b.page.get_by_role("button", name="rerun").click()
    b.page.get_by_text(f"run {runs + 1}").wait_for()
    settle(b.page)
    assert b.root.evaluate("root => root.mark") == "mine" and b.index == 16
    assert first > 80_000  # 3 curves of 256 points, 65 frames, 2 bytes, went once ...
    assert sum(received) < 15_000  # ... and a rerun names them by hash


def test_another_page_and_back(bench):
    b = bench()
    b.page.mouse.click(*b.place(0.75))
    b.wait_left(48)
    b.page.get_by_role("link", name="Elsewhere").click()
    b.page.get_by_text("another page").wait_for()
    b.page.get_by_role("link", name="Figures").click()
    b.wait_left(48)
    b = Bench(b.page)
    assert b.index == 48 and b.sent == 0
    b.page.wait_for_function("() => location.search.includes('k=48')")


def test_python_moves_the_handle(bench):
    b = bench()
    b.page.mouse.click(*b.place(0.75))
    b.wait_left(48)
    b.page.get_by_role("button", name="go to 20").click()
    b.wait_left(20)
    b.page.evaluate(TWO_FRAMES)
    assert b.index == 20
    b.page.mouse.click(*b.place(0.75))  # the same place again counts: the handle has been elsewhere
    b.wait_left(48)


def test_text_alternative_follows_at_rest(bench):
    b = bench("show=strips")
    lost = b.page.locator("canvas").nth(2)
    assert re.fullmatch(r"What was lost: 10 pictures of 8 by 8 pixels at k = 4; \d+%", lost.get_attribute("aria-label"))
    b.page.mouse.click(*b.place(1))
    b.wait_left(16)
    assert "at k = 16" in lost.get_attribute("aria-label")
    assert b.slider.get_attribute("aria-label") == "k, turns: Input, Reconstruction, What was lost"
    assert b.root.locator("[aria-live]").count() == 0


def test_touch_drags_across_and_scrolls_along(bench):
    b = bench(**PHONE)
    b.slider.scroll_into_view_if_needed()
    touch = b.page.context.new_cdp_session(b.page)

    def at(kind, x=0.0, y=0.0):
        points = [] if kind == "touchEnd" else [{"x": x, "y": y}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        b.page.evaluate(TWO_FRAMES)

    at("touchStart", *b.place(8 / 64))
    for share in (0.2, 0.3, 0.4, 0.5):
        at("touchMove", *b.place(share))
    assert b.index == 32 and b.sent == 0
    at("touchEnd")
    b.wait_left(32)

    x, y = b.place(0.8)
    top = "() => document.querySelector('[data-testid=stMain]').scrollTop + window.scrollY"
    scrolled = b.page.evaluate(top)
    at("touchStart", x, y)
    for step in range(1, 12):
        at("touchMove", x, y - 20 * step)
    at("touchEnd")
    b.page.evaluate(TWO_FRAMES)
    assert b.page.evaluate(top) > scrolled + 50
    assert b.index == 32 and b.sent == 1  # a finger that scrolls leaves the handle where it was
    assert b.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth + 1")


def test_pictures_show_the_reconstruction(bench):
    b = bench("show=strips&k=4")
    digits = load_digits()
    pca = PCA(4, svd_solver="full").fit(digits.data)
    first = [int(np.flatnonzero(digits.target == d)[0]) for d in range(10)]
    expected = (pca.inverse_transform(pca.transform(digits.data[first])) / 16).clip(0, 1).reshape(10, 8, 8)
    alpha = b.pixels(1)[..., 3].astype(float)
    tile = alpha.shape[0]
    pitch = tile + 6  # tiles are 6 px apart
    cells = (np.arange(8) * tile / 8 + tile / 16).astype(int)
    drawn = np.stack([alpha[np.ix_(cells, n * pitch + cells)] for n in range(10)])
    # the ink lies over a tile of 6 % opacity
    np.testing.assert_allclose(drawn / 255, 1 - (1 - expected) * (1 - 0.06), atol=0.02)


def test_curves_show_the_frame_of_the_handle(bench):
    b = bench("k=64")
    red, green = np.array([0xC8, 0x32, 0x3C]), np.array([0x0E, 0x9F, 0x86])

    def height_of(colour):
        near = (np.abs(b.pixels()[..., :3].astype(int) - colour).sum(-1) < 40) & (b.pixels()[..., 3] > 200)
        rows = np.arange(near.shape[0])[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            return (near * rows).sum(0) / near.sum(0)

    def apart():
        both = np.stack([height_of(red), height_of(green)])
        both = both[:, np.isfinite(both).all(0)]
        return np.abs(both[0] - both[1]).mean()

    close = apart()
    b.page.mouse.click(*b.place(0))  # no component: the mean, a flat line
    b.wait_left(0)
    assert apart() > 3 * close and np.nanstd(height_of(green)) < 12


def test_the_mark_stands_where_the_handle_does_on_a_root_axis(bench):
    b = bench("show=charts&k=0")

    def rule():
        """Column of the violet rule, in CSS pixels."""
        violet = (b.pixels(3) == (0x6A, 0x4F, 0xC8, 255)).all(-1)
        return violet.sum(0).argmax()

    places = [rule()]
    for k in (1, 4, 16, 64):
        b.page.mouse.click(*b.place(k / 64))
        b.wait_left(k)
        places.append(rule())
    shares = (np.array(places) - places[0]) / (places[-1] - places[0])
    np.testing.assert_allclose(shares, [0, 1 / 8, 1 / 4, 1 / 2, 1], atol=0.01)
    words = b.page.locator("canvas").nth(3).get_attribute("aria-label")
    assert words == "Lost, %: curves of lost 12.4, reconstruction 1.5 over k at k = 64"


def test_as_many_waves_as_the_handle_says(bench):
    b = bench("show=charts&k=0")
    assert not b.pixels(5).any()
    for k, columns in ((1, 1), (4, 2), (16, 4)):
        b.page.mouse.click(*b.place(k / 64))
        b.wait_left(k)
        inked = b.pixels(5)[..., 3].any(0)  # each wave leaves a twentieth of its place free on either side
        assert (np.diff(inked.astype(int)) == 1).sum() == columns
    b.page.mouse.click(*b.place(1))
    b.wait_left(64)
    assert b.pixels(5)[-24:, -24:, 3].any()


def test_another_size_draws_the_axes_anew(bench):
    b = bench("show=charts")
    wide = b.pixels(3)
    b.page.set_viewport_size({"width": 700, "height": 900})
    expect = pytest.importorskip("playwright.sync_api").expect
    expect(b.page.locator("canvas").nth(3)).not_to_have_attribute("width", str(wide.shape[1]))
    narrow = b.pixels(3)
    grey = (narrow[..., 3] > 100) & (np.ptp(narrow[..., :3].astype(int), axis=-1) < 20)
    assert grey[-16:].any() and grey[:, :30].any()  # numbers and a title below, numbers on the left


@pytest.mark.parametrize(("scheme", "colour"), [("light", (0x0E, 0x9F, 0x86)), ("dark", (0x2E, 0xC4, 0xA6))])
def test_theme_decides_the_inks(bench, scheme, colour):
    b = bench(color_scheme=scheme)
    assert b.root.get_attribute("data-theme") == scheme
    pixels = b.pixels().reshape(-1, 4)
    assert (pixels == (*colour, 255)).all(1).sum() > 100


def test_panels_go_under_each_other_on_a_phone(bench):
    wide, narrow = bench(), bench(**PHONE)
    tops = [[c.bounding_box()["y"] for c in b.page.locator("canvas").all()] for b in (wide, narrow)]
    assert len(set(tops[0])) == 1 and len(set(tops[1])) == 3
    wide.page.set_viewport_size({"width": 640, "height": 900})
    wide.page.evaluate(TWO_FRAMES)
    canvas = wide.page.locator("canvas").first
    assert canvas.evaluate("c => Math.abs(c.width - c.clientWidth * devicePixelRatio)") <= 1


def test_sweep_once_without_a_word_to_python(bench):
    b = bench("sweep=1&k=60", viewport={"width": 1280, "height": 120})  # too low to show the figure
    b.slider.evaluate("""slider => {
        window.shown = [];
        const note = () => shown.push(+slider.getAttribute("aria-valuenow"));
        new MutationObserver(note).observe(slider, { attributes: true });
    }""")
    b.page.wait_for_timeout(300)
    assert b.index == 60 and b.page.evaluate("shown") == []
    b.page.set_viewport_size({"width": 1280, "height": 900})
    b.page.wait_for_function("shown.length > 5 && shown.at(-1) === 60")
    assert b.sent == 0 and b.runs == 1


def test_reduced_motion_stands_still(bench):
    b = bench("sweep=1&k=60", reduced_motion="reduce")
    shown = set()
    for _ in range(10):
        shown.add(b.index)
        b.page.wait_for_timeout(50)
    assert shown == {60}


def test_timings_name_the_pointer_and_the_frame(bench):
    b = bench()
    b.page.mouse.move(*b.place(0.1))
    b.page.mouse.down()
    for share in np.linspace(0.1, 0.9, 10):
        b.page.mouse.move(*b.place(share))
        b.page.evaluate(TWO_FRAMES)
    b.page.mouse.up()
    timings = b.root.evaluate("root => root.timings")
    assert len(timings) >= 9
    assert all(t["input"] <= t["started"] <= t["drawn"] <= t["settled"] for t in timings)
