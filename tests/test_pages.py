"""Every page opened as Streamlit would, through Home; uploads scored; links that lie."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import aecore
from pages.ui.frame.page import existing
from tests.browser.prompts import PASSING

ROOT = Path(__file__).parents[1]
NAMES = {page.file: page.name for page in existing()}
PAGES = list(NAMES)
SENSORS = "pages/8_Sensor_Anomalies.py"
BOTTLENECK = "pages/1_Bottleneck.py"
MORPHING = "pages/3_VAE_Morphing.py"
CLUSTERS = "pages/2_Latent_Clusters.py"


@pytest.fixture(autouse=True)
def inline(monkeypatch, tmp_path):
    monkeypatch.setenv("AECORE_JOBS", "inline")
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path))


def opened(page: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "Home.py"), default_timeout=180)
    for key, value in query.items():
        app.query_params[key] = value
    if page != "Home.py":
        app.switch_page(page)
    return app.run()


def shown(app: AppTest, page: str) -> dict:
    """Return the settings that a page shows, with their values."""
    settings = app.session_state["settings:pages"][NAMES[page]]
    return {key: settings.values[key] for key in settings.shown}


def said(app: AppTest) -> list[str]:
    """Return the sentences of a page, but for those about where a result comes from."""
    found = [element.value for kind in (app.title, app.markdown, app.caption, app.info) for element in kind]
    return [sentence for sentence in found if not PASSING.match(sentence)]


def words(app: AppTest) -> str:
    said = [element.value for kind in (app.markdown, app.caption, app.info, app.error) for element in kind]
    return " ".join(said + [element.proto.json for element in app.get("bidi_component")])


def log(rows: int = 600, channels: int = 3, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    t = np.arange(rows)[:, None]
    values = np.sin(t / 7 + np.arange(channels)) + 0.1 * rng.normal(size=(rows, channels))
    values[400:440, 1] += 3
    return pd.DataFrame(values, columns=[f"sensor {i}" for i in range(channels)])


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_with_its_promise_and_without_an_error(page):
    app = opened(page)
    assert not app.exception
    assert not app.error
    assert app.title[0].value


def test_home_links_the_pages_that_exist():
    app = opened("Home.py")
    assert f"Version {aecore.__version__}" in [caption.value for caption in app.caption]
    links = [element.proto.page for element in app.get("page_link")]
    assert len(links) == len(PAGES) - 1


def test_a_button_that_sets_a_control_is_no_cause_for_a_warning(caplog, monkeypatch):
    from streamlit.elements.lib import policies

    monkeypatch.setattr(policies, "_shown_default_value_warning", False)  # it is given once a process
    monkeypatch.setattr(policies._LOGGER, "propagate", True)
    app = opened(CLUSTERS)
    next(button for button in app.button if button.label.startswith("Eight numbers")).click().run()
    assert app.session_state["size"] == "8"
    assert "default value" not in caplog.text


def test_work_that_trains_nothing_has_a_panel_too():
    def script():
        from types import SimpleNamespace

        from pages.ui import training

        training.draw_training(SimpleNamespace(latest={"progress": 0.5}, state="running", seconds=2.0))

    app = AppTest.from_function(script).run()
    assert not app.exception


@pytest.mark.parametrize(
    ("page", "query"),
    [
        (BOTTLENECK, {"complexity": "41"}),
        (BOTTLENECK, {"hiss": "loud"}),
        (BOTTLENECK, {"draw": "-1"}),
        (BOTTLENECK, {"machines": "All of them"}),
        (BOTTLENECK, {"waist": "65"}),
        ("Home.py", {"k": "many"}),
        ("Home.py", {"digit": "11"}),
    ],
)
def test_a_link_with_a_bad_value_shows_the_default_and_says_so(page, query):
    app = opened(page, **query)
    assert not app.exception
    notes = [note.value for note in app.info if "The link asks for" in note.value]
    assert len(notes) == 1
    assert "showing" in notes[0]


@pytest.mark.parametrize("page", PAGES)
def test_each_prompt_changes_the_page_and_its_link_shows_the_same(page):
    app = opened(page)
    for button in range(3):
        before = shown(app, page)
        [b for b in app.button if b.key is None][button].click().run()
        assert not app.exception
        assert not app.error
        assert shown(app, page) != before
        again = opened(page, **app.query_params)
        assert shown(again, page) == shown(app, page)
        assert said(again) == said(app)


def test_clusters_open_on_finished_maps_with_numbers_beside_pca_s():
    app = opened(CLUSTERS)
    table = app.dataframe[0].value
    assert table["machine"].tolist() == ["PCA", "Autoencoder", "VAE"]
    assert table["knn"].iloc[1] > table["knn"].iloc[0]


def test_a_brush_in_the_link_shows_its_set():
    app = opened(CLUSTERS, brush="PCA:-0.5:0.5:-0.5:0.5")
    assert not app.exception
    assert "brushed" in words(app)


def test_a_code_of_more_than_two_numbers_is_said_to_be_projected():
    app = opened(CLUSTERS, size="8")
    assert "projection" in words(app)
    app.button_group(key="projection").set_value("tsne")
    app.run()
    assert not app.exception
    assert "t-SNE" in words(app)


def test_a_digit_that_nobody_saw_is_scored():
    app = opened(CLUSTERS, without="4", cluster_epochs="5")
    assert not app.exception
    assert not app.error
    assert "ROC AUC" in words(app)


def test_mnist_that_is_not_there_is_said_in_words():
    app = opened(CLUSTERS, data="mnist")
    assert not app.exception
    assert "MNIST compression" in words(app)


def test_a_visitor_s_own_table_gets_the_same_maps():
    app = opened(CLUSTERS, data="own", cluster_epochs="5")
    rows = log(100, 4).assign(kind=["a", "b"] * 50)
    app.file_uploader(key="vectors:upload").upload("mine.csv", rows.to_csv(index=False).encode())
    app.run()
    assert not app.exception
    assert not app.error
    assert app.selectbox(key="labels").value == "kind"
    assert app.dataframe[0].value["machine"].tolist() == ["PCA", "Autoencoder", "VAE"]
    app.file_uploader(key="vectors:upload").upload("bad.csv", b"a,b\nx,y\n" * 90)
    app.run()
    assert not app.exception
    assert len(app.error) == 1


@pytest.mark.parametrize("closer", ["samples", "draw", "noise", "beta"])
def test_every_closer_look_at_the_two_maps(closer):
    app = opened(MORPHING, look=closer, taken="heart", z="1.5,-1")
    assert not app.exception and not app.error
    assert "At (1.5, -1)" in words(app)


def test_a_walk_from_pin_to_pointer_and_its_files():
    app = opened(MORPHING, walk_from="pin_a", walk_to="pointer", pin_a="-1,0.5")
    assert not app.exception and not app.error
    app.button(key="pin_b:put").click()
    app.run()
    assert not app.exception and app.query_params["pin_b"] == "0,0"
