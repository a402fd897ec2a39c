"""What goes to the canvases: every number where the browser reads it, and what cannot be drawn said in words."""

import json
import struct

import numpy as np
import pytest

from aecore.errors import DataError
from pages.ui.components import plots
from pages.ui.components.plots import Axes, Curve, CurvePlot, Sheet, Stretches


@pytest.fixture
def sent(monkeypatch):
    """Draw figures and read the message back as ``shared/message.js`` does: header and a reader of arrays."""

    def send(*figures):
        taken = {}
        monkeypatch.setattr(plots, "_component", lambda **arguments: taken.update(arguments))
        plots.plots(*figures, key="k")
        message = taken["data"]
        (length,) = struct.unpack_from("<I", message)

        def array(part):
            kind, start = np.dtype(part["type"]).newbyteorder("<"), 4 + length + part["at"]
            values = np.frombuffer(message, kind, count=int(np.prod(part["shape"])), offset=start).astype(float)
            if "low" not in part:
                return values
            info = np.iinfo(part["type"])
            return part["low"] + (values - info.min) * (part["high"] - part["low"]) / (int(info.max) - int(info.min))

        return json.loads(message[4 : 4 + length]), array

    return send


def test_curves_arrive_as_they_are(sent):
    x = np.linspace(1, 3, 50)
    drawn = {"one": Curve(np.sin(x), "input"), "two": Curve(1e3 * x, 3, 2.0, (6, 3))}
    scene, array = sent(CurvePlot(alt="two curves", curves=drawn, x=x, axes=Axes("s", "A", 100), marks=[2.0]))
    (figure,) = scene["figures"]
    np.testing.assert_allclose(array(figure["x"]), x, rtol=1e-6)
    for part, curve in zip(figure["curves"], drawn.values(), strict=True):
        np.testing.assert_allclose(array(part["values"]), curve.values, atol=3_000 / 65_535)
        assert part["ink"] == curve.ink
    assert [part["dash"] for part in figure["curves"]] == [[], [6, 3]]
    low, high = figure["axes"][1]["low"], figure["axes"][1]["high"]
    assert low < np.sin(x).min()
    assert high > 3_000


def test_stretches_and_sheets_arrive_as_they_are(sent):
    edges, labels, grey = np.array([0.0, 1.0, 4.0]), np.array([7, 0]), np.eye(3) * 0.5
    stretches = Stretches(alt="a", edges=edges, rows={"r": labels}, names={"r": list("abcdefgh")}, x="min", legend="r")
    scene, array = sent(stretches, Sheet(alt="b", title="t", values=grey, ink="input"))
    rows, sheet = scene["figures"]
    np.testing.assert_array_equal(array(rows["edges"]), edges)
    np.testing.assert_array_equal(array(rows["rows"][0]["classes"]), labels)
    assert [entry["name"] for entry in rows["legend"]] == list("abcdefgh")
    np.testing.assert_array_equal(array(sheet["pixels"]).reshape(3, 3), np.rint(255 * grey))


@pytest.mark.parametrize("values", [[1.0, np.nan, 2.0], [1.0, 2.0], []])
def test_what_cannot_be_drawn_is_said(values):
    with pytest.raises(DataError):
        CurvePlot(alt="", curves={"one": Curve(values, "input")}, x=np.arange(3), axes=Axes("", ""))


def test_a_flat_curve_has_room_around_it(sent):
    scene, _ = sent(CurvePlot(alt="", curves={"c": Curve(np.ones(3), "input")}, x=np.arange(3), axes=Axes("", "")))
    y = scene["figures"][0]["axes"][1]
    assert y["low"] < 1 < y["high"]


def test_bold_words_are_told_apart(sent):
    scene, _ = sent(plots.Words(lines=["**best** 3 dB, worst 1 dB", "a <b>"]))
    assert scene["figures"][0]["lines"] == [[["best", True], [" 3 dB, worst 1 dB", False]], [["a <b>", False]]]


def test_bars_are_named_from_the_top(sent):
    bars = plots.BarPlot(
        alt="a", title="t", names=["one", "x" * 50], values=np.array([3.0, 0.5]), x="times", ink="anomaly"
    )
    figure = sent(bars)[0]["figures"][0]
    across, down = figure["axes"]
    assert (figure["values"], across["low"], across["high"]) == ([3.0, 0.5], 0, 3.0)
    assert (down["low"], down["high"], down["names"][0]) == (2, 0, [0.5, "one"])
    assert len(down["names"][1][1]) == plots.MOST_LETTERS
