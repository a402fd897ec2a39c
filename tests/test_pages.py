"""Every page opened as Streamlit would, through Home; uploads scored; links that lie."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from aecore.data import bearing
from pages.ui.page import existing

ROOT = Path(__file__).parents[1]
SKAB = ROOT.parent / "shared" / "data" / "anomaly" / "skab"
PAGES = [page.file for page in existing()]
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


def state(app: AppTest) -> dict:
    return dict(app.session_state._state._state.filtered_state)


def words(app: AppTest) -> str:
    said = [element.value for kind in (app.markdown, app.caption, app.info, app.error) for element in kind]
    return " ".join(said + [element.proto.json for element in app.get("bidi_component")])


def uploaded(name: str, data: bytes) -> AppTest:
    app = opened(SENSORS, source="Your own file")
    app.file_uploader(key="file").upload(name, data)
    return app.run()


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
    links = [element.proto.page for element in app.get("page_link")]
    assert len(links) == len(PAGES) - 1


def test_sensors_opens_on_a_finished_result():
    app = opened(SENSORS)
    assert "event" in words(app)
    assert len(app.dataframe) == 1


def test_a_button_that_sets_a_control_is_no_cause_for_a_warning(caplog, monkeypatch):
    from streamlit.elements.lib import policies

    monkeypatch.setattr(policies, "_shown_default_value_warning", False)  # it is given once a process
    monkeypatch.setattr(policies._LOGGER, "propagate", True)
    app = opened(CLUSTERS)
    next(button for button in app.button if button.label.startswith("Eight numbers")).click().run()
    assert app.session_state["size"] == "8"
    assert "default value" not in caplog.text


@pytest.mark.parametrize("fault", ["Sensor offset", "Inter-turn short"])
def test_a_fault_of_the_visitor_s_choice_is_found(fault):
    app = opened(SENSORS)
    app.selectbox(key="fault").set_value(fault)
    app.slider(key="severity").set_value(1.0)
    app.run()
    assert not app.exception
    events = app.dataframe[0].value
    assert ((events["start"] < 1.5) & (events["end"] > 1.1)).any()


def test_a_self_test_under_way_is_not_offered_once_more(monkeypatch):
    app = opened(SENSORS)
    monkeypatch.setattr("pages.ui.live.work", lambda *_, **__: None)  # it goes on
    app.button(key="self-test:run").click().run()
    assert not app.exception
    assert "self-test:run" not in {button.key for button in app.button}


def test_an_upload_is_scored_to_the_end():
    app = uploaded("pump.csv", log().to_csv(index=False).encode())
    assert not app.exception
    assert not app.error
    events = app.dataframe[0].value
    assert ((events["first_row"] < 440) & (events["last_row"] >= 400)).any()
    assert "sensor 1" in set(events["leading_channel"])


@pytest.mark.skipif(not SKAB.is_dir(), reason="the labelled signals are not on this machine")
@pytest.mark.parametrize("path", sorted(SKAB.glob("*.csv"))[::6], ids=lambda p: p.name)
def test_skab_goes_through_as_it_is(path):
    app = uploaded(path.name, path.read_bytes())
    assert not app.exception
    assert not app.error
    assert "threshold" in words(app)


@pytest.mark.parametrize("source", ["Ball bearing", "Office room"])
def test_every_sample_opens_on_a_finished_result(source):
    app = opened(SENSORS, source=source)
    assert not app.exception
    assert not app.error
    assert len(app.dataframe) == 1
    assert "above the threshold" in words(app)


def test_a_bearing_says_how_often_its_parts_strike_and_a_geometry_that_is_none_gets_a_sentence():
    app = opened(SENSORS, source="Ball bearing", balls="12", shaft="600")
    found = bearing.frequencies(bearing.Geometry(balls=12), 10.0)
    assert f"BPFO {found.outer:.1f} Hz, BPFI {found.inner:.1f} Hz, BSF {found.ball:.1f} Hz" in words(app)
    app.number_input(key="ball").set_value(50.0)
    app.run()
    assert not app.exception
    assert "ball must be" in app.error[0].value


def test_work_that_trains_nothing_has_a_panel_too():
    def script():
        from types import SimpleNamespace

        from pages.ui import live

        live.training_panel(SimpleNamespace(latest={"progress": 0.5}, state="running", seconds=2.0))

    app = AppTest.from_function(script).run()
    assert not app.exception


BAD = {
    "empty.csv": b"",
    "header.csv": b"time,current,voltage\n",
    "words.csv": b"place,person\nhere,me\nthere,you\n" * 40,
    "binary.csv": bytes(range(256)) * 40,
    "short.csv": b"a,b\n" + b"1,2\n3,4\n" * 10,
    "constant.csv": b"a,b\n" + b"1,2\n" * 400,
    "nans.csv": b"a,b\n" + b"nan,nan\n" * 400,
    "torn.csv.gz": gzip.compress(b"a,b\n" + b"1,2\n" * 4000)[:30],
    "sheet.xyz": b"PK\x03\x04",
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_cannot_be_used_gets_a_sentence_and_the_page_stays_usable(name):
    app = uploaded(name, BAD[name])
    assert not app.exception
    assert len(app.error) == 1
    assert len(app.error[0].value) > 20
    app.file_uploader(key="file").upload("good.csv", log().to_csv(index=False).encode())
    app.run()
    assert not app.exception
    assert not app.error
    assert len(app.dataframe) == 1


def test_a_file_beyond_the_limit_gets_a_sentence(monkeypatch):
    monkeypatch.setattr("pages.ui.uploads.MAX_MEGABYTES", 0.001)
    app = uploaded("pump.csv", log().to_csv(index=False).encode())
    assert not app.exception
    assert "cut it" in app.error[0].value


@pytest.mark.parametrize(
    ("page", "query"),
    [
        (SENSORS, {"severity": "banana"}),
        (SENSORS, {"severity": "7"}),
        (SENSORS, {"severity": "nan"}),
        (SENSORS, {"fault": "Gremlins"}),
        (SENSORS, {"normal": "60"}),
        (SENSORS, {"source": "<script>alert(1)</script>"}),
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
    (key,) = query
    assert any(key in note.value and "showing" in note.value for note in app.info)


def test_a_link_to_an_upload_asks_for_the_file_by_its_fingerprint():
    app = opened(SENSORS, source="Your own file", file="pump.csv@ab12cd34ef56", sigmas="6")
    assert any("ab12cd34ef56" in note.value and "pump" in note.value for note in app.info)
    app.file_uploader(key="file").upload("pump.csv", log().to_csv(index=False).encode())
    app.run()
    assert app.slider(key="sigmas").value == 6


def test_another_file_than_the_link_s_is_noticed():
    app = opened(SENSORS, source="Your own file", file="pump.csv@ab12cd34ef56")
    app.file_uploader(key="file").upload("pump.csv", log().to_csv(index=False).encode())
    app.run()
    assert any("ab12cd34ef56" in warning.value for warning in app.warning)


def test_an_odd_number_between_two_steps_is_moved_to_one():
    app = opened(SENSORS, sigmas="4.1")
    assert not app.exception
    assert not app.info


@pytest.mark.parametrize("button", range(3))
@pytest.mark.parametrize("page", PAGES)
def test_each_prompt_changes_the_page(page, button):
    app = opened(page)
    prompts = [b for b in app.button if b.key is None]
    before = state(app)
    prompts[button].click()
    app.run()
    assert not app.exception
    assert not app.error
    assert state(app) != before


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
