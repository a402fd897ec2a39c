"""Figures as data: what they draw, not how; thinning that loses no spike; every chart a valid specification."""

import base64
import io
import re
from xml.etree import ElementTree

import altair as alt
import numpy as np
import pytest
from PIL import Image

from aecore.figures import closer, mnist, sensors, vega
from aecore.figures.home import kept_against_code_size
from aecore.figures.palette import DARK, LIGHT
from aecore.figures.thinning import envelopes, extremes
from aecore.figures.training import falling_loss
from aecore.numerics.progress import finish


@pytest.mark.parametrize("length", [1, 2, 1199, 1200, 1201, 100_003])
def test_thinning_keeps_ends_order_and_extremes(length):
    x = np.random.default_rng(length).normal(size=length)
    rows = extremes(x, 600)
    assert rows[0] == 0
    assert rows[-1] == length - 1
    assert (np.diff(rows) > 0).all()
    assert len(rows) <= max(length if length <= 1200 else 0, 2 * 600 + 4)
    assert x[rows].max() == x.max()
    assert x[rows].min() == x.min()


def test_a_spike_one_row_wide_survives():
    x = np.zeros(1_000_000)
    x[777_777] = 5
    assert 777_777 in extremes(x, 600)


@pytest.mark.parametrize("length", [1, 2, 1200, 1201, 1799, 100_003])
def test_envelopes_hold_each_bin_s_lowest_and_highest_of_every_column_in_order(length):
    x = np.random.default_rng(length).normal(size=(length, 3))
    rows, values = envelopes(x, 600)
    assert (rows[0], rows[-1]) == (0, length - 1)
    assert (np.diff(rows) >= 0).all()
    if length <= 1200:
        np.testing.assert_array_equal(values, x)
        return
    step = -(-length // 600)
    assert len(rows) == 2 * -(-length // step)
    for i, start in enumerate(range(0, length, step)):
        bin_ = x[start : start + step]
        pair = values[2 * i : 2 * i + 2]
        np.testing.assert_array_equal(np.sort(pair, axis=0), [bin_.min(0), bin_.max(0)])
        np.testing.assert_array_equal(pair[0] > pair[1], bin_.argmax(0) < bin_.argmin(0))
        assert start <= rows[2 * i] <= rows[2 * i + 1] < start + step


def chart(clock, events=(), view=(0, 500), rebuilt=False, threshold=1.0, scored=True):
    values = np.column_stack([np.sin(np.arange(500)), np.cos(np.arange(500))])
    scene = sensors.SensorScene(
        clock=clock, values=values, channels=["a", "<b>"], normal=(0, 100), view=view,
        missing=np.isin(np.arange(500), range(150, 161)), rebuilt=values * 0.9 if rebuilt else None,
        scores=np.linspace(0.1, 2, 500) if scored else None,
    )  # fmt: skip
    tables = sensors.outlines(scene)
    if not scored:
        return sensors.strips(scene, LIGHT, tables=tables)
    tables = sensors.add_threshold(scene, sensors.ScoredView(threshold, events), tables)
    return sensors.strips(scene, LIGHT, tables=tables, threshold=threshold)


def named(figure):
    """Tables that the specification draws."""
    return {part["data"]["name"] for strip in figure.spec["vconcat"] for part in strip["layer"]}


CLOCKS = [
    None,
    np.arange(500) / 10,
    np.arange(500) * 3600.0,
    np.datetime64("2026-01-01", "ns") + np.arange(500) * np.timedelta64(1, "s"),
]


@pytest.mark.parametrize("time", CLOCKS)
@pytest.mark.parametrize("count", [0, 2])
@pytest.mark.parametrize("scored", [True, False])
def test_strips_are_valid_over_every_clock_and_drawn_from_their_tables(time, count, scored):
    clock = sensors.TimeAxis.of(time, 500)
    figure = chart(clock, [(50, 60), (300, 310)][:count], rebuilt=True, scored=scored)
    assert len(figure.spec["vconcat"]) == 2 + scored
    assert named(figure) == set(figure.tables)


@pytest.mark.parametrize("time", CLOCKS[-2:])
def test_specifications_follow_vega_lite_s_schema(time):
    figure = chart(sensors.TimeAxis.of(time, 500), [(50, 60)], rebuilt=True)
    alt.VConcatChart.from_dict(figure.spec | {"datasets": {n: t.to_pylist()[:2] for n, t in figure.tables.items()}})


def test_a_long_recording_s_axis_is_in_days_and_rows_are_found_on_it():
    clock = sensors.TimeAxis.of(np.arange(500) * 3600.0, 500)
    assert clock.title == "time [days]"
    assert clock.at(48) == 2
    assert sensors.TimeAxis.of(np.arange(500) * 1.0, 500).title == "time [s]"


def test_the_threshold_is_drawn_where_it_is_and_what_lies_above_is_filled():
    tables = chart(sensors.TimeAxis.of(None, 500)).tables
    assert tables["threshold"]["value"].to_pylist() == [1.0, 1.0]
    above = tables["above"].to_pandas()
    scores = np.linspace(0.1, 2, 500)
    assert set(above["x"][above["value"] > 1.0]) == set(np.flatnonzero(scores > 1.0))
    assert above["value"].min() == above["threshold"].min() == 1.0  # it starts on the line


def test_a_view_draws_its_rows_alone_and_cuts_bands_at_its_edges():
    tables = chart(sensors.TimeAxis.of(None, 500), [(50, 60), (190, 400)], view=(155, 300)).tables
    x = [at for table in tables.values() for at in table["x"].to_pylist()]
    assert (min(x), max(x)) == (155, 299)
    assert tables["events"].to_pylist() == [{"x": 190, "x2": 299}]
    assert tables["filled"].to_pylist() == [{"x": 155, "x2": 160}]


def test_the_rebuilt_signal_is_drawn_when_close_up():
    clock = sensors.TimeAxis.of(None, 5000)
    values = np.zeros((5000, 1))
    scene = sensors.SensorScene(
        clock=clock, values=values, channels=["a"], normal=(0, 9), view=(0, 5000), rebuilt=values
    )
    assert "rebuilt 0" not in sensors.outlines(scene)["lines"].column_names
    near = sensors.outlines(scene._replace(view=(100, 400)))["lines"]
    assert "rebuilt 0" in near.column_names
    assert len(near) == 300


def test_closer_looks_draw_what_they_are_given():
    shares = closer.channel_shares(list("abc"), np.array([1.0, 9.0, 3.0]), LIGHT)
    assert shares.tables["shares"]["channel"].to_pylist() == ["b", "c", "a"]
    points = np.arange(8.0).reshape(4, 2)
    map_ = closer.latent_map(points, np.array([3.0, 0.5, 2.0, 0.1]), np.arange(4), LIGHT)
    assert map_.tables["windows"]["times"].to_pylist() == [0.1, 0.5, 2.0, 3.0]  # the strange ones on top
    rng = np.random.default_rng(0)
    bins = (
        closer.score_histogram(closer.count_scores(rng.lognormal(size=500), rng.lognormal(size=900)), 3.0, DARK)
        .tables["bins"]
        .to_pandas()
    )
    assert bins.groupby("of")["share"].sum().to_numpy() == pytest.approx(100)


def test_drawings_stand_alone_and_names_from_files_stay_text():
    figure = chart(sensors.TimeAxis.of(CLOCKS[-1], 500), [(50, 60)], rebuilt=True)
    steps = vega.drawings([figure], 700)
    (svg,) = finish(steps)
    ElementTree.fromstring(svg)
    assert "&lt;b&gt;" in svg
    assert "<b>" not in svg
    assert "href" not in svg.replace("xlink", "")


def test_home_s_curve_says_its_numbers_in_words():
    kept, pca = np.array([-0.01, 0.3, 0.6]), np.array([0.0, 0.2, 0.4])
    chart, words = kept_against_code_size(kept, pca, 1, DARK)
    assert words.startswith("1 number keeps 30%")
    assert "20%" in words
    rows = chart.tables["curves"].to_pylist()
    assert min(row["kept"] for row in rows) == 0  # a share below nothing is drawn as nothing
    assert [row["kept"] for row in chart.tables["now"].to_pylist()] == [30, 20]


def test_the_loss_has_room_for_the_epochs_to_come():
    spec = falling_loss([3, 2, 1.5], 20, LIGHT).to_dict()
    assert spec["encoding"]["x"]["scale"]["domain"] == [1, 20]


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_colours_of_a_palette_differ(palette):
    assert len(set(palette)) == len(palette)


def test_rows_of_pictures_hold_the_ink_as_opacity_and_say_what_they_show():
    ink = np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8)
    body = mnist.rows_of_pictures([("a < b", ink, LIGHT.input)], ["one", "two", "<3>"])
    assert 'alt="a &lt; b"' in body and "<3>" not in body
    source = base64.b64decode(re.search(r"base64,([^\"]+)", body)[1])
    pixels = np.asarray(Image.open(io.BytesIO(source)))
    assert np.array_equal(pixels[..., 3], np.concatenate(list(ink), 1))
    assert tuple(pixels[0, 0, :3]) == tuple(bytes.fromhex(LIGHT.input[1:]))


def rows_with(figure, name):
    """A column of all its tables; the whole is a specification that Vega-Lite's own schema takes."""
    tables = {n: table.to_pylist() for n, table in figure.tables.items()}
    kind = alt.LayerChart if "layer" in figure.spec else alt.Chart
    kind.from_dict(figure.spec | {"datasets": tables})
    return [row[name] for rows in tables.values() for row in rows if name in row]


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_the_compression_charts_draw_what_they_are_given(palette):
    sizes, curves = [2, 8, 32], {"Autoencoder": [0.04, 0.02, 0.005], "PCA": [0.06, 0.04, 0.017]}
    curve = mnist.error_against_size(curves, sizes, 8, palette)
    assert sorted(rows_with(curve, "mse")) == sorted([*curves["Autoencoder"], *curves["PCA"]])
    history = {"epoch": [0.5, 1.0], "loss": [90.0, 80.0], "validation": [None, 82.0]}
    assert sorted(rows_with(mnist.losses(history, 5, palette), "loss")) == [80.0, 82.0, 90.0]
    bars = mnist.error_by_class([0.001 * i for i in range(10)], list("0123456789"), palette)
    assert rows_with(bars, "mse") == pytest.approx(range(10))
