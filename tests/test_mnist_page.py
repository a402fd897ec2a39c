"""The compression page as Streamlit runs it: training, going on, no network, files that are no digits, links."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from aecore.data import drawn_digits

ROOT = Path(__file__).parents[1]
PAGE = "pages/6_MNIST_Compression.py"
QUICK = {"pictures": "Shipped", "width": "64", "epochs": "1", "latent": "8"}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def alone(monkeypatch, cache):
    monkeypatch.setenv("AECORE_JOBS", "inline")
    monkeypatch.setenv("AECORE_CACHE", str(cache))
    monkeypatch.delenv("AECORE_DATASETS", raising=False)
    monkeypatch.setenv("AECORE_MNIST_MIRROR", "http://127.0.0.1:9/")  # nobody listens there: as without a network


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "Home.py"), default_timeout=180)
    for key, value in query.items():
        app.query_params[key] = value
    return app.switch_page(PAGE).run()


def words(app: AppTest) -> str:
    return " ".join(element.value for kind in (app.markdown, app.caption, app.info, app.error) for element in kind)


def saved(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def photographed(name: str, data: bytes) -> AppTest:
    app = opened(hand="Photo of one")
    app.file_uploader(key="photo").upload(name, data)
    return app.run()


def test_it_opens_on_results_with_what_a_network_costs():
    app = opened()
    assert not app.exception and not app.error
    table = app.dataframe[0].value
    assert "Autoencoder, 16 numbers" in set(table["method"]) and (table["bytes"] > 0).all()
    assert {m.label: m.value for m in app.metric} == {
        "Parameters": "1,083,696", "Bytes a digit": "32", "Compression": "24.5 : 1",
    }  # fmt: skip
    assert "fetched first" in words(app)


def test_the_log2_rule_is_offered():
    app = opened()
    app.button(key="mnist:log2").click().run()
    assert app.slider(key="latent").value == 10


def test_a_training_ends_in_a_film_and_goes_on():
    app = opened(**QUICK)
    app.button(key="mnist:ask").click().run()
    assert not app.exception and not app.error
    assert "after 1 epoch of Shipped" in words(app)
    labels = {button.label for button in app.get("download_button")}
    assert {"Film", "History", "Weights", "ONNX", "PyTorch"} <= labels
    app.button(key="mnist:more").click().run()
    assert not app.exception and not app.error
    assert "after 2 epochs of Shipped" in words(app)


def test_without_a_network_it_says_so_and_goes_on_with_what_ships():
    app = opened(**QUICK | {"pictures": "Fashion-MNIST"})
    app.button(key="mnist:ask").click().run()
    assert not app.exception
    assert "1,797 digits that ship" in words(app)
    assert any("cannot be reached" in error.value.replace("\\", "") for error in app.error)
    assert "after 1 epoch of Shipped" in words(app)


def test_a_learning_rate_that_is_too_high_is_survived():
    app = opened(**QUICK | {"rate": "0.1", "objective": "Squared error"})
    app.button(key="mnist:ask").click().run()
    assert not app.exception


def test_a_photo_goes_through_every_network():
    digit = Image.fromarray(255 - drawn_digits.load()[4]).resize((280, 280))
    app = photographed("four.png", saved(digit))
    assert not app.exception and not app.error
    shown = " ".join(element.proto.body for element in app.get("html"))
    assert "Centre of mass in the middle" in shown and "k = 64:" in shown


@pytest.mark.parametrize(("name", "data"), [
    ("white.png", saved(Image.new("L", (100, 100), 255))), ("tiny.png", saved(Image.new("L", (3, 3)))),
    ("notes.txt", b"seven"), ("torn.png", saved(Image.fromarray(np.eye(90, dtype=np.uint8) * 255))[:60]),
])  # fmt: skip
def test_a_file_without_a_digit_gets_a_sentence_and_the_page_stays_usable(name, data):
    app = photographed(name, data)
    assert not app.exception
    assert len(app.error) == 1 and name.split(".")[0] in app.error[0].value
    digit = Image.fromarray(255 - drawn_digits.load()[4]).resize((280, 280))
    app.file_uploader(key="photo").upload("four.png", saved(digit)).run()
    assert not app.exception and not app.error


@pytest.mark.parametrize("query", [
    {"pictures": "ImageNet"}, {"width": "63"}, {"latent": "1"}, {"epochs": "1e9"}, {"rate": "fast"}, {"batch": "7"},
    {"objective": "none"}, {"weights_seed": "-1"}, {"numbers": "3"}, {"network": "<b>"}, {"hand": "left"},
], ids=lambda q: next(iter(q)))  # fmt: skip
def test_a_link_with_a_bad_value_shows_the_default_and_says_so(query):
    app = opened(**query)
    assert not app.exception
    (key,) = query
    assert any(key.replace("_", "\\_") in note.value.replace("\\\\", "\\") or key in note.value for note in app.info)
