"""The latent pad in a real Chromium: what the hand does, what is decoded, what Python hears."""

import re

import numpy as np
import pytest
import torch

from pages.ui.components.networks import name_of
from tests.browser.conftest import settle
from tests.browser.latent_pad_demo import NETWORKS, SPAN

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 3}
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
RUN = """([name, codes]) => {
  const network = globalThis[Symbol.for("aecore.networks")].networks.get(name);
  return codes.map((code) => [...network.run(Float32Array.from(code))]);
}"""


class Bench:
    """A page with one latent pad."""

    def __init__(self, page):
        self.page = page
        self.root = page.locator(".latent-pad")
        self.maps = self.root.get_by_role("slider")
        self.maps.first.wait_for()
        page.evaluate(TWO_FRAMES)

    @property
    def sent(self):
        return self.root.evaluate("root => root.sent")

    @property
    def said(self):
        return self.page.get_by_text(re.compile(r"^left at ")).inner_text()

    def wait_left(self, x, y):
        self.page.get_by_text(f"left at {x:g}, {y:g},").wait_for(timeout=30_000)

    def place(self, x, y, pad=0):
        """Screen coordinates of a place in the plane."""
        box = self.maps.nth(pad).bounding_box()
        return box["x"] + (x / SPAN + 1) / 2 * box["width"], box["y"] + (1 - y / SPAN) / 2 * box["height"]

    def at(self):
        text = self.maps.first.get_attribute("aria-valuetext")
        return tuple(float(v) for v in re.fullmatch(r"x (\S+), y (\S+), nearest class \d", text).groups())

    def pictures(self):
        """Opacity 0..1 [pads, H, W] of what is decoded."""
        self.page.evaluate(TWO_FRAMES)
        read = """all => all.map((c) => [...c.getContext("2d").getImageData(0, 0, c.width, c.height).data])"""
        data = np.array(self.root.locator(".decoded canvas").evaluate_all(read), dtype=float)
        side = int((data.shape[1] // 4) ** 0.5)
        return data.reshape(len(data), side, side, 4)[..., 3] / 255


@pytest.fixture
def bench(server, open_page):
    url = server("tests/browser/latent_pad_demo.py")
    return lambda query="", **options: Bench(open_page(f"{url}/?{query}", **options))


def as_torch(network):
    """The same network, built of torch's own layers."""
    activations = {"relu": torch.nn.ReLU, "silu": torch.nn.SiLU, "tanh": torch.nn.Tanh}
    parts: list[torch.nn.Module] = []
    for weights, biases in network.layers:
        linear = torch.nn.Linear(*weights.shape[::-1])
        linear.load_state_dict({"weight": torch.from_numpy(weights), "bias": torch.from_numpy(biases)})
        parts += [linear, activations[network.activation]()]
    return torch.nn.Sequential(*parts[:-1], torch.nn.Sigmoid() if network.output == "sigmoid" else torch.nn.Identity())


@pytest.mark.parametrize("show", NETWORKS)
def test_the_browser_decodes_as_torch_does(bench, show):
    b = bench(f"show={show}")
    rng = np.random.default_rng(0)
    for network in NETWORKS[show]:
        codes = (4 * rng.standard_normal((20, network.inputs))).astype(np.float32)
        codes[0] = 0
        with torch.inference_mode():
            expected = as_torch(network)(torch.from_numpy(codes)).numpy()
        decoded = b.page.evaluate(RUN, [name_of(network), codes.tolist()])
        np.testing.assert_allclose(decoded, expected, rtol=0, atol=1e-4)


def test_both_maps_follow_one_pointer_before_python_hears(bench):
    b = bench()
    before = b.said
    b.page.mouse.move(*b.place(0.5, -1))
    b.page.mouse.down()
    seen = [b.pictures()]
    for x in (-1.5, -0.5, 1.5):
        b.page.mouse.move(*b.place(x, x / 2), steps=3)
        seen.append(b.pictures())
    for a, c in zip(seen, seen[1:], strict=False):
        assert (np.abs(a - c).max((1, 2)) > 0.1).all()
    assert b.sent == 0 and b.said == before and "z=" not in b.page.url
    b.page.mouse.up()
    b.page.wait_for_function("location.search.includes('z=')", timeout=30_000)
    b.page.evaluate(TWO_FRAMES)
    x, y = b.at()
    assert abs(x - 1.5) < 0.03 and abs(y - 0.75) < 0.03 and b.sent == 1
    b.wait_left(x, y)
    for network, picture in zip(NETWORKS["two"], b.pictures(), strict=True):  # what is left is what the code says
        expected = network(np.array([[x, y]], np.float32)).reshape(28, 28)
        np.testing.assert_allclose(picture, expected, atol=0.6 / 255)
    b.page.mouse.click(*b.place(-2, 0, pad=1))  # the other map has the same pointer
    b.page.get_by_text(re.compile(r"left at (-2|-2\.0\d|-1\.9\d), ")).wait_for(timeout=30_000)


def test_the_keyboard_moves_it_and_a_reader_hears_where(bench):
    b = bench()
    b.page.keyboard.press("Tab")
    b.maps.first.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "Shift+ArrowLeft", "Shift+ArrowDown"):
        b.page.keyboard.press(key)
    b.wait_left(0.69, -0.91)
    assert b.sent == 1 and b.at() == (0.69, -0.91)
    assert b.maps.first.evaluate("map => getComputedStyle(map).outlineStyle") == "solid"
    assert "nearest class" in b.root.locator(".decoded canvas").first.get_attribute("aria-label")
    b.page.keyboard.press("Home")
    b.page.keyboard.press("Tab")  # leaving sends at once
    b.wait_left(0, 0)


def test_a_link_restores_and_python_moves(bench):
    b = bench("z=-1.25,2")
    assert b.at() == (-1.25, 2) and "left at -1.25, 2," in b.said
    assert b.root.locator(".near").first.inner_text().endswith("3")  # the classes lie on a circle
    b.page.get_by_role("button", name="go to 2, 0").click()
    b.wait_left(2, 0)
    b.page.evaluate(TWO_FRAMES)
    assert b.at() == (2, 0)
    b.page.get_by_role("link", name="Elsewhere").click()
    b.page.get_by_text("another page").wait_for()
    b.page.get_by_role("link", name="Figures").click()
    b.wait_left(2, 0)
    b = Bench(b.page)
    assert b.at() == (2, 0) and b.sent == 0 and b.pictures().std() > 0.1


@pytest.mark.parametrize("text", ["here", "9,0", "1", "nan,0"])
def test_a_bad_link_falls_back_and_is_told(bench, text):
    b = bench(f"z={text}")
    b.page.get_by_text(f"The link asks for the pointer = {text}").wait_for()
    assert b.at() == (0.5, -1)


def test_weights_travel_once(server, open_page):
    received = []
    url = server("tests/browser/latent_pad_demo.py")
    page = open_page(url, on_websocket=lambda ws: ws.on("framereceived", lambda frame: received.append(len(frame))))
    b = Bench(page)
    assert sum(received) > 1_800_000  # two networks of 235,000 weights
    b.root.evaluate("root => { root.mark = 'mine'; }")
    received.clear()
    page.get_by_role("button", name="rerun").click()
    page.get_by_text(re.compile("run 2")).wait_for()
    settle(page)
    assert sum(received) < 25_000  # a rerun names messages by hash
    b.maps.first.focus()
    ground = "canvas => canvas.toDataURL()"
    plain = b.root.locator(".map canvas").first.evaluate(ground)
    received.clear()
    page.get_by_text("mark", exact=True).click()
    page.get_by_text(re.compile("run 3")).wait_for()
    settle(page)
    page.evaluate(TWO_FRAMES)
    assert b.root.locator(".map canvas").first.evaluate(ground) != plain
    assert 80_000 < sum(received) < 250_000  # the maps, without the weights
    assert b.root.evaluate("root => root.mark") == "mine"


def test_a_finger_drags_and_a_phone_shows_all(bench):
    b = bench(**PHONE)
    b.maps.first.scroll_into_view_if_needed()
    touch = b.page.context.new_cdp_session(b.page)

    def at(kind, *points):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})
        b.page.evaluate(TWO_FRAMES)

    before = b.pictures()
    at("touchStart", b.place(0.5, -1))
    for y in (0, 1, 2):
        at("touchMove", b.place(1, y))
    assert (np.abs(b.pictures() - before).max((1, 2)) > 0.1).all() and b.sent == 0
    at("touchEnd")
    b.page.get_by_text(re.compile(r"left at (1|1\.0\d|0\.9\d), (2|2\.0\d|1\.9\d),")).wait_for(timeout=30_000)
    assert b.page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")
    ground = b.root.locator(".map canvas").first
    assert ground.evaluate("c => c.width === 3 * c.clientWidth")
    tops = [c.bounding_box()["y"] for c in b.root.locator("canvas").all()]
    assert tops[1] < tops[0]  # the picture above the map: the finger does not cover it


@pytest.mark.parametrize(("scheme", "ink"), [("light", (0x0E, 0x9F, 0x86)), ("dark", (0x2E, 0xC4, 0xA6))])
def test_the_theme_decides_the_inks(bench, scheme, ink):
    b = bench(color_scheme=scheme)
    assert b.root.get_attribute("data-theme") == scheme
    read = "c => [...c.getContext('2d').getImageData(0, 0, 28, 28).data]"
    pixels = np.array(b.root.locator(".decoded canvas").first.evaluate(read)).reshape(-1, 4)
    assert np.abs(pixels[pixels[:, 3] > 128, :3] - ink).max() <= 2
