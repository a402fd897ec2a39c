"""Latent clusters' core: maps, measures, misfits, brushes; trained for seconds on the digits that ship."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from aecore import latent, store
from aecore.concepts import latent_clusters as clusters
from aecore.concepts.latent_clusters import MACHINES, PCA, PLAIN, VAE, ClusterSettings
from aecore.concepts.latent_clusters import tables as views
from aecore.concepts.latent_clusters.training import lay_out, train
from aecore.errors import SettingError, TooFewRows
from aecore.figures import latent_clusters as figures
from aecore.figures.palette import LIGHT
from aecore.numerics.progress import finish


def ended(task):
    steps = []
    return steps, clusters.from_tree(store.loads(store.dumps(finish(task, steps.append))))


@pytest.fixture(scope="module")
def digits():
    return clusters.collection("digits")


@pytest.fixture(scope="module")
def trained():
    return ended(train(ClusterSettings(size=3, epochs=12, without=4)))


@pytest.fixture(scope="module")
def made(trained):
    return trained[1]


def test_the_digits_are_mixed_and_a_fifth_is_held_out(digits):
    assert len(digits.x) == 1797
    assert digits.held_out.mean() == pytest.approx(0.2, abs=0.01)
    assert digits.held_out[:600].mean() == pytest.approx(0.2, abs=0.05)
    assert digits.pictures().shape == (1797, 8, 8)


def test_training_shows_both_networks_and_returns_three_maps(trained, made):
    steps, _ = trained
    assert [s["epoch"] for s in steps if s["part"] == VAE] == list(range(1, 13))
    assert steps[-1]["progress"] < 1
    for name in MACHINES:
        assert made.maps[name].shape == (1797, 2)
        assert made.history[name].shape == (1 if name == PCA else len(made.epochs), 600, 2)
        assert made.rebuilt[name].shape == (10, 64)
    assert made.epochs[0] == 0
    assert made.epochs[-1] == 12
    assert made.projected == "PCA"


def test_errors_and_auc_are_recounted(made, digits):
    for name in MACHINES:
        expected = ((made.rebuilt[name] - digits.x[made.worst[name]]) ** 2).mean(1)
        # pictures are kept within 0..1, which PCA's leave
        np.testing.assert_allclose(made.errors[name][made.worst[name]], expected, atol=2e-2 if name == PCA else 2e-3)
        judged = digits.held_out | (digits.labels == 4)
        expected = roc_auc_score(digits.labels[judged] == 4, made.errors[name][judged])
        assert made.auc[name] == pytest.approx(expected, abs=0.01)
        assert made.auc[name] > 0.6
    assert views.auc_in_words(made, digits, None) == ""
    assert f"{made.auc[PLAIN]:.3f}" in views.auc_in_words(made, digits, 4)


def test_pca_s_map_is_measured_on_what_nobody_learnt_from(made, digits):
    learnt = digits.x[~digits.held_out & (digits.labels != 4)]
    codes = latent.Principal.fit(learnt, 3).encode(digits.x[digits.held_out])
    expected = latent.organisation(codes, digits.x[digits.held_out], digits.labels[digits.held_out])
    assert made.measures[PCA] == pytest.approx(expected)
    assert made.measures[PLAIN].knn > 0.5


def test_the_left_out_digit_was_not_learnt_from(digits):
    with pytest.raises(SettingError, match="no labels"):
        next(lay_out(ClusterSettings(without=1), digits._replace(labels=None)))
    one = digits._replace(held_out=digits.labels != 4)
    with pytest.raises(TooFewRows, match="0 data"):
        next(lay_out(ClusterSettings(without=4), one))


def test_a_visitor_s_vectors_without_labels_are_laid_out_too():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(c, 1, (60, 5)) for c in (0, 8)]) * [1, 10, 100, 1, 0]
    data = clusters.own_collection(x, None, (), None)
    assert data.x.min() >= 0
    assert data.x.max() <= 1
    _, own = ended(lay_out(ClusterSettings(source="own", epochs=5), data))
    assert own.measures[VAE].knn is None
    assert own.measures[VAE].trustworthiness > 0.5
    assert views.counts(data, np.arange(7))["count"].tolist() == [7]
    assert "strangers" not in views.worst_in_words(own, data, PLAIN)


def test_a_brush_takes_the_rows_inside_and_goes_through_the_link(made):
    points = made.maps[VAE]
    ranges = {"VAE x": (0.0, float(points[:, 0].max())), "VAE y": (float(points[:, 1].min()), 0.0)}
    rows = views.find_brushed(made.maps, ranges)
    assert set(rows) == set(np.flatnonzero((points[:, 0] >= 0) & (points[:, 1] <= 0)))
    again = views.brush_from_text(views.brush_to_text(ranges))
    assert abs(len(views.find_brushed(made.maps, again)) - len(rows)) < 10
    assert figures.read_brush({"brush": {"VAE x": [0, 1], "VAE y": [2, 3]}}) == {"VAE x": (0, 1), "VAE y": (2, 3)}
    assert figures.read_brush({}) == {}


@pytest.mark.parametrize("text", ["", "VAE", "VAE:1:2:3", "VAE:a:b:c:d", "Nobody:1:2:3:4", "VAE:nan:1:2:3"])
def test_a_brush_that_is_none_takes_nothing(text):
    assert views.brush_from_text(text) == {}


def test_counts_and_worst(made, digits):
    rows = np.flatnonzero(digits.labels == 7)[:9]
    table = views.counts(digits, rows)
    assert table.loc[table["kind"] == "7", "count"].item() == 9
    assert table["share"].sum() == 1
    np.testing.assert_allclose(made.errors[PLAIN][made.worst[PLAIN]], np.sort(made.errors[PLAIN])[::-1][:10])
    assert "times" in views.worst_in_words(made, digits, PLAIN)
    assert len(views.point_table(made, digits)) == 1797
    assert views.measure_table(made)["machine"].tolist() == list(MACHINES)


@pytest.mark.parametrize("size", clusters.SIZES)
@pytest.mark.parametrize("projection", ["PCA", "t-SNE"])
def test_what_ships_covers_every_size_the_page_opens(size, projection):
    if size == 2 and projection != "PCA":
        return
    made = clusters.load_pretrained(ClusterSettings(size=size, projection=projection))
    assert made is not None
    assert made.projected == (None if size == 2 else projection)
    assert made.measures[PLAIN].knn > made.measures[PCA].knn - 0.05


def test_other_settings_do_not_ship():
    assert clusters.load_pretrained(ClusterSettings(seed=1)) is None
    assert clusters.load_pretrained(ClusterSettings(without=3)) is None


@pytest.mark.parametrize(
    "wrong", [{"source": "faces"}, {"size": 65}, {"projection": "SOM"}, {"without": 300}, {"beta": -1.0}, {"epochs": 0}]
)
def test_settings_say_what_they_do_not_take(wrong):
    (value,) = wrong.values()
    with pytest.raises(SettingError, match=str(value)):
        ClusterSettings(**wrong)


def test_a_montage_puts_ink_where_the_pictures_have_it():
    images = np.zeros((3, 2, 2), np.float32)
    images[2, 0, 1] = 1
    sheet = figures.montage(images, "#102030", per_row=2, scale=2)
    assert sheet.shape == (12, 12, 4)
    assert sheet[..., :3].reshape(-1, 3).tolist() == [[16, 32, 48]] * 144
    assert np.argwhere(sheet[..., 3] == 255).min(0).tolist() == [6, 2]
    assert (sheet[..., 3] > 0).sum() == 4


def test_the_maps_share_a_brush_and_show_the_pictures():
    from streamlit.elements.vega_charts import _parse_selection_mode  # what the page hands the chart to

    table = pd.DataFrame({f"{m} {a}": [0.0, 1.0] for m in MACHINES for a in "xy"})
    table["label"], table["row"] = ["0", "1"], [0, 1]
    table["image"] = figures.data_urls(np.ones((2, 4, 4), np.float32), scale=2)
    spec = figures.maps(table, MACHINES, ["0", "1"], LIGHT).spec
    assert [view["title"] for view in spec["concat"]] == list(MACHINES)
    assert spec["concat"][0]["encoding"]["color"]["condition"]["scale"]["range"] == list(LIGHT.classes[:2])
    (brush,) = [p for p in spec["params"] if p["name"] == figures.BRUSH]
    assert len(brush["views"]) == 3
    assert _parse_selection_mode(spec, figures.BRUSH) == [figures.BRUSH]
    lit = figures.maps(table.assign(linked=[True, False]), MACHINES, ["0", "1"], LIGHT).spec
    first, second = lit["concat"][0]["encoding"]["opacity"]["condition"]["test"]["or"]
    assert first == {"param": figures.BRUSH, "empty": False} and "datum.linked" in second
    assert all(url.startswith("data:image/png;base64,") for url in table["image"])
