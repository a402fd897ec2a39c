"""The player in a real Chromium: switching keeps the place, keys do what they say, a loop stays in its stretch."""

import pytest

from tests.browser.conftest import settle

pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


class Bench:
    """A page with one player."""

    def __init__(self, page):
        self.page = page
        self.root = page.locator(".player")
        self.root.locator(".strip").first.wait_for()
        page.evaluate(TWO_FRAMES)

    @property
    def state(self):
        return self.root.evaluate("root => root.player.state()")

    def wait(self, condition):
        """Until a condition on the state ``s`` holds."""
        self.page.wait_for_function(
            f"root => {{ const s = root.player.state(); return {condition}; }}",
            arg=self.root.element_handle(),
            timeout=30_000,
        )

    def heard(self, words):
        self.page.get_by_text(f"heard {words}").wait_for(timeout=30_000)

    def drag(self, element, start, end, steps=5):
        """Drag along an element, from one share of its width to another."""
        box = self.root.locator(element).bounding_box()
        y = box["y"] + box["height"] / 2
        self.page.mouse.move(box["x"] + start * box["width"], y)
        self.page.mouse.down()
        self.page.mouse.move(box["x"] + end * box["width"], y, steps=steps)
        self.page.mouse.up()


@pytest.fixture
def bench(server, open_page):
    url = server("tests/browser/player_demo.py")
    return lambda query="", **options: Bench(open_page(f"{url}/?{query}", **options))


def test_switching_while_it_plays_keeps_the_place_and_the_clock(bench):
    b = bench()
    b.page.get_by_role("button", name="Play").click()
    b.wait("s.playing && s.position > 0.2")
    jump = b.root.evaluate(
        """root => {
            const clock = () => [performance.now() / 1000, root.player.state().position];
            const [t0, p0] = clock();
            for (const button of root.querySelectorAll('.takes button')) button.click();
            const [t1, p1] = clock();
            return [p1 - p0 - (t1 - t0), root.player.state().playing];
        }"""
    )
    assert jump[1]
    assert abs(jump[0]) < 0.05
    assert b.state["gains"] == [0, 0, 0, 1]
    b.heard("filter, 100 %")  # Python has run again meanwhile, and nothing stopped
    assert b.state["playing"]
    assert "take=filter" in b.page.url


def test_keys_play_switch_seek_and_loop(bench):
    b = bench()
    b.root.locator(".ruler").focus()
    b.page.keyboard.press("ArrowRight")
    assert b.state["position"] == pytest.approx(1.0)
    b.page.keyboard.press("Shift+ArrowRight")
    b.page.keyboard.press("1")
    b.page.keyboard.press("[")
    state = b.state
    assert state["position"] == pytest.approx(1.1) and state["take"] == "noisy" and state["gains"] == [1, 0, 0, 0]
    assert state["loop"] == [pytest.approx(1.1), 3]
    b.page.keyboard.press("Shift+ArrowRight")
    b.page.keyboard.press("]")
    assert b.state["loop"] == [pytest.approx(1.1), pytest.approx(1.2)]
    b.page.keyboard.press("Space")
    b.page.wait_for_timeout(600)  # six times round
    state = b.state
    assert state["playing"] and 1.1 <= state["position"] <= 1.2
    b.page.keyboard.press("Space")
    b.page.keyboard.press("Escape")
    b.page.keyboard.press("l")
    b.page.keyboard.press("End")
    state = b.state
    assert not state["playing"] and state["loop"] is None and state["position"] == pytest.approx(3)
    ruler = b.root.locator(".ruler")
    assert ruler.get_attribute("aria-valuenow") == "3.00" and "Noisy" in ruler.get_attribute("aria-valuetext")


def test_strength_mixes_sound_and_picture_at_once_and_the_link_keeps_it(bench):
    b = bench()
    shown = "canvas => canvas.toDataURL()"
    cleaned = b.root.locator(".strip canvas").nth(3)
    before = cleaned.evaluate(shown)
    b.root.get_by_role("slider", name="Strength").focus()
    b.page.keyboard.press("Home")
    b.page.evaluate(TWO_FRAMES)
    assert b.state["gains"] == [1, 0, 0, 0]
    noisy = b.root.locator(".strip canvas").nth(1)
    assert cleaned.evaluate(shown) != before
    assert cleaned.evaluate(shown) == noisy.evaluate(shown)  # nothing but the dry take is left, in the picture too
    b.heard("cleaned, 0 %")
    assert "take-strength=0" in b.page.url
    guest = bench(b.page.url.partition("?")[2])
    assert guest.state["strength"] == 0


def test_new_takes_and_a_button_of_the_page_keep_the_place(bench):
    b = bench()
    b.drag(".strip:nth-child(2)", 0.3, 0.5)
    assert b.state["position"] == pytest.approx(1.5, abs=0.02)
    b.page.get_by_role("button", name="other noise").click()
    settle(b.page)
    assert b.state["position"] == pytest.approx(1.5, abs=0.02)
    b.page.get_by_role("button", name="half and half").click()
    b.heard("filter, 50 %")
    state = b.state
    assert state["gains"] == [0.5, 0, 0, 0.5] and state["position"] == pytest.approx(1.5, abs=0.02)


def test_same_loudness_brings_every_take_to_one_power(bench):
    b = bench()
    b.root.get_by_label("Same loudness").check()
    gains = {}
    for key, name in enumerate(("noisy", "cleaned", "clean", "filter"), start=1):
        b.root.locator(".ruler").press(str(key))
        gains[name] = b.state["gains"][key - 1]
    assert gains["filter"] == pytest.approx(2 * gains["noisy"], rel=0.01)  # the filter's take is the noisy one, halved
    assert max(gains.values()) > 1 or min(gains.values()) < 1


def test_a_stretch_dragged_along_the_seconds_is_looped_also_on_a_phone(bench):
    b = bench(**PHONE)
    b.drag(".ruler", 0.2, 0.4)
    assert b.state["loop"] == [pytest.approx(0.6, abs=0.03), pytest.approx(1.2, abs=0.03)]
    assert b.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    for button in b.root.get_by_role("button").all():
        assert button.bounding_box()["height"] >= 44
    b.root.get_by_role("button", name="Clear the stretch").click()
    assert b.state["loop"] == [0, 3]
