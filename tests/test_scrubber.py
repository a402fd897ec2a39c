"""The scrubber's Python half: what travels, what is refused, what a link may say."""

import json
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from streamlit.testing.v1 import AppTest

from aecore.errors import DataError, SettingError
from pages.ui.components.scrubber import parse_position
from pages.ui.figures.panels import Bars, Curves, Images, Line, PanelAxis, Points, Waves, pack


def unpack(message):
    """Header and payload, by the description of the message alone."""
    (length,) = struct.unpack_from("<I", message)
    return json.loads(message[4 : 4 + length]), message[4 + length :]


def values(described, payload):
    kind = np.dtype(described["type"]).newbyteorder("<")
    shape = tuple(described["shape"])
    integers = np.frombuffer(payload, kind, int(np.prod(shape)), described["at"]).reshape(shape).astype(float)
    info = np.iinfo(kind)
    share = (integers - info.min) / (int(info.max) - int(info.min))
    return described["low"] + share * (described["high"] - described["low"])


@settings(deadline=None, max_examples=50)
@given(arrays(np.float32, (3, 7), elements=st.floats(-1e6, 1e6, width=32)))
def test_lines_survive_the_trip_below_a_pixel(moving):
    panel = Curves(title="c", lines=[Line(values=moving[0], role="input"), Line(values=moving, role="reconstruction")])
    header, payload = unpack(pack([panel], {}))
    (described,) = header["panels"]
    span = float(moving.max()) - float(moving.min())
    for line, sent in zip(described["lines"], (moving[:1], moving), strict=True):
        # half a step of 65535, and float32's own rounding
        np.testing.assert_allclose(values(line["values"], payload), sent, rtol=0, atol=span / 131_000 + 1e-6)
    assert described["y_range"][0] <= moving.min() and described["y_range"][1] >= moving.max()


def test_every_array_starts_where_a_typed_array_may():
    images = Images(title="i", frames=np.full((3, 1, 3, 3), 0.5))
    points = Points(title="p", values=np.arange(12.0).reshape(3, 2, 2), classes=[0, 7])
    bars = Bars(title="b", values=np.array([[1.0, -2], [0, 3], [0.5, 0]]))
    message = pack([images, points, bars], {"label": "β"})
    header, payload = unpack(message)
    assert (len(message) - len(payload)) % 8 == 0
    i, p, b = header["panels"]
    assert all(a["at"] % 8 == 0 for a in (i["values"], p["values"], p["classes"], b["values"]))
    np.testing.assert_allclose(values(i["values"], payload), 0.5, atol=1 / 255)
    np.testing.assert_allclose(values(p["values"], payload), np.arange(12.0).reshape(3, 2, 2), atol=1e-3)
    np.testing.assert_array_equal(values(p["classes"], payload), [[0, 7]])
    np.testing.assert_allclose(values(b["values"], payload), [[1, -2], [0, 3], [0.5, 0]], atol=1e-4)


def test_a_chart_carries_its_axes_and_its_handle():
    share, size = PanelAxis(low=0, high=100), PanelAxis(low=0, high=3, title="k", ticks=[0, 1, 3], root=True)
    lines = [
        Line(values=[90, 40, 20, 5], role="lost", label="a", width=5, dash=(0, 0)),
        Line(values=[80] * 4, role="input"),
    ]
    chart = Curves(title="c", lines=lines, axes=(size, share), marked=True, captions=list("abcd"))
    assert chart.positions == 4
    header, payload = unpack(pack([chart], {}))
    (described,) = header["panels"]
    assert described["marked"] and described["y_range"] == [0, 100]
    assert described["axes"][0] == {"low": 0, "high": 3, "title": "k", "ticks": [0, 1, 3], "root": True}
    first, second = described["lines"]
    assert (first["width"], first["dash"]) == (5, [0, 0]) and "width" not in second and "dash" not in second
    np.testing.assert_allclose(values(first["values"], payload), [[90, 40, 20, 5]], atol=1e-2)


def test_waves_have_a_position_more_than_rows():
    waves = Waves(title="w", rows=np.array([[0.0, 1, -2], [3, 0, 1]]))
    assert waves.positions == 3
    header, payload = unpack(pack([waves], {}))
    np.testing.assert_allclose(values(header["panels"][0]["values"], payload), waves.waves, atol=1e-3)


def test_digest_tells_scenes_apart():
    def digest(shift=0.0, **scene):
        panel = Bars(title="b", values=np.eye(3) * (1 + shift))
        return unpack(pack([panel], scene))[0]["digest"]

    assert digest(start=1) == digest(start=1)
    assert len({digest(start=1), digest(start=2), digest(shift=0.5, start=1)}) == 3


def test_images_clip_to_their_limits():
    header, payload = unpack(pack([Images(title="i", frames=[[[-1.0, 0.25, 9.0]]], role="lost")], {}))
    np.testing.assert_allclose(values(header["panels"][0]["values"], payload).ravel(), [0, 0.25, 1], atol=0.002)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: Line(values=[1, np.nan], role="input"), DataError, "NaN"),
        (lambda: Line(values=[1, 2], role="red"), SettingError, "'red'"),
        (lambda: Line(values=np.zeros((2, 2, 2)), role="input"), DataError, r"\(2, 2, 2\)"),
        (lambda: Curves(title="none", lines=[]), DataError, "'none'"),
        (lambda: Curves(title="c", lines=[Line(values=[1, 2], role="input")], y_range=(1, 1)), SettingError, "y_range"),
        (lambda: PanelAxis(low=1, high=1), SettingError, "1 to 1"),
        (lambda: PanelAxis(low=-1, high=1, root=True), SettingError, "-1 to 1"),
        (lambda: Curves(title="c", lines=[Line(values=[1, 2], role="input")], marked=True), DataError, "mark"),
        (lambda: Waves(title="w", rows=[1, 2]), DataError, r"\(2,\)"),
        (lambda: Images(title="i", frames=np.zeros((2, 2))), DataError, r"\(2, 2\)"),
        (lambda: Images(title="i", frames=np.zeros((2, 2, 2)), limits=(1, 0)), SettingError, "limits"),
        (lambda: Images(title="i", frames=np.zeros((2, 2, 2)), per_row=0), SettingError, "per_row"),
        (lambda: Bars(title="b", values=np.zeros((3, 2)), captions=["a", "b"]), DataError, "2 captions"),
        (lambda: Points(title="p", values=np.zeros((3, 2, 3))), DataError, r"\(3, 2, 3\)"),
        (lambda: Points(title="p", values=np.zeros((3, 4, 2)), classes=[1]), DataError, r"\(1,\)"),
        (lambda: Points(title="p", values=np.zeros((3, 1, 2)), classes=[-1]), DataError, "-1"),
        (lambda: Points(title="p", values=np.zeros((3, 1, 2)), classes=[256]), DataError, "256"),
        (lambda: Bars(title="b", values=np.zeros((0, 2))), DataError, r"\(0, 2\)"),
    ],
)
def test_panels_refuse_in_one_sentence(make, error, words):
    with pytest.raises(error, match=words) as caught:
        make()
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "position"),
    [("0.5", 2), (" 4 ", 4), ("4.0", 4), (".5", 2), ("3", None), ("", None), ("nan", None), ("many", None)],
)
def test_link_names_a_position_or_none(text, position):
    assert parse_position(text, ["0", "0.1", "0.5", "1", "4"]) == position


def test_link_names_words():
    assert parse_position("high", ["low", "high"]) == 1 and parse_position("1", ["low", "high"]) is None


def app(position, values, count, default):
    import numpy as np
    import streamlit as st

    from pages.ui.components.scrubber import Bars, scrubber
    from pages.ui.frame import settings
    from tests.components import shown_on

    with shown_on("home"):
        if position is not None:
            settings.put({"k": position})
        panel = Bars(title="b", values=np.eye(count))
        left = scrubber([panel], label="k", key="k", values=values, default=default)
        st.text(f"{left}")


def run(query=None, position=None, values=None, count=4, default=1):
    test = AppTest.from_function(app, args=(position, values, count, default))
    if query is not None:
        test.query_params["k"] = query
    test.run()
    assert not test.exception
    return test.text[0].value, test


@pytest.mark.parametrize(
    ("query", "said", "kept"),
    [(None, "1", False), ("1", "1", False), ("3", "3", True), ("9", "1", False)],
)
def test_link_sets_the_position_and_a_default_leaves_it(query, said, kept):
    text, test = run(query=query)
    assert text == said and ("k" in test.run().query_params) == kept
    notes = [note.value for note in test.info]
    assert notes == (["The link asks for k = 9, but there is only 0 to 3; showing 1 instead."] if query == "9" else [])


def test_a_second_run_stays():
    _, test = run(query="3")
    assert test.run().text[0].value == "3"


def test_the_page_puts_the_handle_somewhere():
    assert run(position=2)[0] == "2"
    assert run(position=99)[0] == "3"  # as far as the frames go
    assert run(query="3", position=2)[0] == "2"  # before it was ever shown, and whatever the link said


def test_other_frames_begin_at_their_own_default():
    def app(within):
        import numpy as np
        import streamlit as st

        from pages.ui.components.scrubber import Bars, scrubber
        from tests.components import shown_on

        with shown_on("home"):
            within = st.session_state.get("within", within)
            panel = Bars(title="b", values=np.eye(len(within)))
            st.text(str(scrubber([panel], label="k", key="k", default=len(within) - 1, within=within)))

    test = AppTest.from_function(app, args=("four",))
    test.query_params["k"] = "1"
    assert test.run().text[0].value == "1"
    test.session_state["within"] = "sixsix"
    assert test.run().text[0].value == "5"


def test_values_and_default_must_fit_the_frames():
    def refused(**options):
        test = AppTest.from_function(app, args=(None, options.get("values"), 4, options.get("default", 1))).run()
        return test.error[0].value.replace("\\", "")

    assert "4 frames but 2 values" in refused(values=["a", "b"])
    assert "0..3, got 4" in refused(default=4)
