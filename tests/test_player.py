"""The player's Python half: what travels, what is refused, what a link may say."""

import json
import struct

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from aecore.errors import DataError, SettingError
from aecore.figures.audio import colour_map, picture
from pages.ui.components.player import Stage, Take, TimeMap

RATE = 16_000
RNG = np.random.default_rng(0)


def sound(gain: float = 1.0, channels: int = 1, length: int = 400) -> np.ndarray:
    values = (gain * 8000 * RNG.standard_normal((length, channels))).clip(-32768, 32767)
    return values.astype(np.int16)[:, 0] if channels == 1 else values.astype(np.int16)


def pixels(rows: int = 6, columns: int = 9) -> np.ndarray:
    return RNG.integers(0, 256, (rows, columns)).astype(np.uint8)


def stage(**changes) -> Stage:
    takes = [
        Take(name="noisy", label="Noisy", samples=sound(), spectrogram=pixels(), role="input", pinned=True),
        Take(name="cleaned", label="Cleaned", samples=sound(), spectrogram=pixels(), wet=True),
    ]
    frequencies = np.geomspace(100, 8000, 6)
    return Stage(**{"label": "x", "takes": takes, "sample_rate": RATE, "frequencies": frequencies} | changes)


def unpack(message):
    (length,) = struct.unpack_from("<I", message)
    return json.loads(message[4 : 4 + length]), message[4 + length :]


def array(described, payload, kind):
    shape = described["shape"]
    return np.frombuffer(payload, kind, int(np.prod(shape)), described["at"]).reshape(shape)


def test_samples_and_pictures_arrive_bit_by_bit():
    sent = stage(maps=[TimeMap(label="Mask", values=pixels())], dry="noisy")
    header, payload = unpack(sent.pack({"turn": 1}))
    for take, described in zip(sent.takes, header["takes"], strict=True):
        np.testing.assert_array_equal(array(described["samples"], payload, "<i2"), take.samples)
        np.testing.assert_array_equal(array(described["picture"], payload, np.uint8), take.spectrogram)
        assert described["samples"]["at"] % 8 == 0
    np.testing.assert_array_equal(array(header["maps"][0]["picture"], payload, np.uint8), sent.maps[0].values)
    np.testing.assert_array_equal(
        array(header["tables"]["dark-heat"], payload, np.uint8), colour_map("heat", dark=True)
    )
    assert header["dry"] == 0 and header["takes"][1]["wet"] and not header["takes"][0]["wet"]


def test_powers_give_the_loudness_of_any_mix():
    sent = stage(dry="noisy")
    dry, wet = unpack(sent.pack({}))[0]["takes"]
    share = 0.3
    mixed = share * sent.takes[1].samples / 32768 + (1 - share) * sent.takes[0].samples / 32768
    predicted = share**2 * wet["power"] + 2 * share * (1 - share) * wet["cross"] + (1 - share) ** 2 * dry["power"]
    assert predicted == pytest.approx(np.mean(mixed**2), rel=1e-5)
    assert wet["peak"] == np.abs(sent.takes[1].samples.astype(int)).max() / 32768


def test_the_same_takes_are_one_message_and_another_noise_is_another():
    takes = stage()
    assert takes.pack({"turn": 1}) == takes.pack({"turn": 1})
    assert unpack(takes.pack({"turn": 1}))[0]["digest"] != unpack(stage().pack({"turn": 1}))[0]["digest"]


@pytest.mark.parametrize("kind", ["heat", "mask"])
@pytest.mark.parametrize("dark", [True, False])
def test_lightness_follows_the_value_evenly(kind, dark):
    """CIE L* of the sRGB colours, an oracle that shares no code with the map."""
    rgb = colour_map(kind, dark=dark) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    y = linear @ [0.2126, 0.7152, 0.0722]
    lightness = np.where(y > 216 / 24389, 116 * np.cbrt(y) - 16, 24389 / 27 * y)
    steps = np.diff(lightness) * (1 if dark else -1)
    assert np.median(steps) > 0.2
    assert (np.convolve(steps, np.ones(8) / 8, "valid") > 0.05).all()  # over 8 levels; one by one they are rounded
    assert abs(lightness[0] - lightness[-1]) > 55


def test_the_lowest_frequency_is_at_the_bottom():
    values = np.zeros((4, 3), np.uint8)
    values[0] = 255
    drawn = picture(values, "heat", dark=True, height=10)
    assert drawn.shape == (12, 3, 3)
    np.testing.assert_array_equal(drawn[-1, 0], colour_map("heat", dark=True)[255])
    np.testing.assert_array_equal(drawn[0, 0], colour_map("heat", dark=True)[0])


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: stage(takes=[]), DataError, "at least one"),
        (lambda: stage(sample_rate=4000), SettingError, "4000"),
        (lambda: stage(dry="wet"), SettingError, "'wet'"),
        (lambda: stage(frequencies=np.arange(5.0)), DataError, r"\[5, N\]"),
        (lambda: stage(maps=[TimeMap(label="m", values=pixels(columns=8))]), DataError, r"\(6, 8\)"),
        (
            lambda: stage(takes=[Take(name=str(n), label=str(n), samples=sound(length=n)) for n in (3, 4)]),
            DataError,
            r"\(3,\)",
        ),
        (lambda: Take(name="a", label="a", samples=np.zeros(9)), DataError, "float64"),
        (lambda: Take(name="a", label="a", samples=sound(channels=6)), DataError, "6 channels"),
        (lambda: Take(name="a", label="a", samples=sound(), role="red"), SettingError, "'red'"),
    ],
)
def test_what_cannot_be_played_is_refused_in_one_sentence(make, error, words):
    with pytest.raises(error, match=words) as caught:
        make()
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


def app(change):
    import numpy as np
    import streamlit as st

    from pages.ui.components.player import Stage, Take, player
    from pages.ui.frame import settings
    from tests.components import shown_on

    with shown_on("audio_denoising"):
        if change:
            settings.put(change)
        takes = [Take(name=name, label=name, samples=np.ones(90, np.int16)) for name in ("noisy", "cleaned")]
        stage = Stage(label="x", takes=takes, sample_rate=16_000, frequencies=np.ones(0))
        heard = player(stage, key="take", default="cleaned", absent={"tuned": "it has to be trained first"})
        st.text(f"{heard.take} {heard.strength} {heard.matched}")


def run(change=None, **query):
    test = AppTest.from_function(app, args=(change,))
    for key, value in query.items():
        test.query_params[key] = value
    test.run()
    assert not test.exception
    return test


@pytest.mark.parametrize(
    ("query", "said", "notes"),
    [
        ({}, "cleaned 100 False", 0),
        ({"take": "noisy", "take-strength": "40", "take-loudness": "same"}, "noisy 40 True", 0),
        ({"take": "<b>"}, "cleaned 100 False", 1),
        ({"take-strength": "101"}, "cleaned 100 False", 1),
        ({"take-strength": "²"}, "cleaned 100 False", 1),
    ],
)
def test_link_sets_what_is_heard_and_a_default_leaves_it(query, said, notes):
    test = run(**query)
    assert test.text[0].value == said
    assert len(test.info) == notes
    assert test.run().text[0].value == said
    assert set(test.query_params) == (set(query) if not notes else set())


def test_the_page_changes_what_is_heard():
    assert run({"take": "noisy", "take-strength": 7}).text[0].value == "noisy 7 False"
    assert run({"take": "gone"}).text[0].value == "cleaned 100 False"


def test_a_take_that_may_be_absent_says_why_it_is():
    (note,) = run(take="tuned").info
    assert note.value == (
        "The link asks for the take = tuned, but it has to be trained first; showing cleaned instead."
    )
