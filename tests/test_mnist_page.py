"""The compression page as Streamlit runs it: training, going on, no network, files that are no digits, links."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from aecore import jobs
from aecore.concepts.mnist_compression import own_digit as own
from aecore.data.datasets import drawn_digits
from pages.ui.training import LINKED
from pages.ui.training.work import Request
from tests import tasks_for_jobs

ROOT = Path(__file__).parents[1]
PAGE = "pages/6_MNIST_Compression.py"
QUICK = {"pictures": "shipped", "width": "64", "epochs": "1", "latent": "8"}


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
    said = " ".join(element.value for kind in (app.markdown, app.caption, app.info, app.error) for element in kind)
    return said.replace("\\", "")


def saved(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def photographed(name: str, data: bytes) -> AppTest:
    app = opened(hand="photo")
    app.file_uploader(key="photo:upload").upload(name, data)
    return app.run()


def test_it_opens_on_results_with_what_a_network_costs():
    app = opened()
    assert not app.exception and not app.error
    table = app.dataframe[0].value
    assert "Autoencoder, 16 numbers" in set(table["method"]) and (table["bytes"] > 0).all()
    assert {m.label: m.value for m in app.metric} == {
        "Parameters": "1,083,696", "Bytes a digit": "32", "Compression": "24.5 : 1",
    }  # fmt: skip
    assert "MNIST, 12 MB, is downloaded before the first training" in words(app)


def test_the_log2_rule_is_offered():
    app = opened()
    app.button(key="mnist:log2").click().run()
    assert app.slider(key="latent").value == 10


def test_a_training_ends_in_a_film_and_goes_on():
    app = opened(**QUICK)
    app.button(key="mnist:train:ask").click().run()
    assert not app.exception and not app.error
    assert "after 1 epoch of Shipped" in words(app)
    labels = {button.label for button in app.get("download_button")}
    assert {"Film", "History", "Weights", "ONNX", "PyTorch"} <= labels
    app.button(key="mnist:train:more").click().run()
    assert not app.exception and not app.error
    assert "after 2 epochs of Shipped" in words(app)


def test_without_a_network_it_says_so_and_goes_on_with_what_ships():
    app = opened(**QUICK | {"pictures": "fashion"})
    app.button(key="mnist:train:ask").click().run()
    assert not app.exception
    assert "1,797 digits that ship" in words(app)
    assert "after 1 epoch of Shipped" in words(app)


def test_a_learning_rate_that_is_too_high_is_survived():
    app = opened(**QUICK | {"rate": "0.1", "objective": "mse"})
    app.button(key="mnist:train:ask").click().run()
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
    app.file_uploader(key="photo:upload").upload("four.png", saved(digit)).run()
    assert not app.exception and not app.error


@pytest.mark.parametrize(("query", "label"), [
    ({"pictures": "ImageNet"}, "Pictures"), ({"width": "63"}, "Width"), ({"latent": "1"}, "Numbers in the code"),
    ({"epochs": "1e9"}, "Epochs"), ({"rate": "fast"}, "Learning rate"), ({"batch": "7"}, "Batch"),
    ({"objective": "none"}, "Loss"), ({"weights_seed": "-1"}, "Seed"), ({"numbers": "3"}, "k"),
    ({"network": "<b>"}, "Network"), ({"hand": "left"}, "A digit"),
], ids=lambda q: next(iter(q)) if isinstance(q, dict) else "")  # fmt: skip
def test_a_link_with_a_bad_value_shows_the_default_and_says_so(query, label):
    app = opened(**query)
    assert not app.exception
    assert any(note.value.startswith(f"The link asks for {label} = ") and "showing" in note.value for note in app.info)
    assert not app.run().query_params


def test_settings_that_were_trained_before_give_their_result_back():
    app = opened(**QUICK)
    app.button(key="mnist:train:ask").click().run()
    assert "after 1 epoch of Shipped" in words(app)
    app.slider(key="latent").set_value(9).run()
    assert "after 1 epoch of Shipped" not in words(app)
    app.button(key="mnist:train:show").click().run()
    assert app.slider(key="latent").value == 8
    assert "after 1 epoch of Shipped" in words(app)
    assert app.query_params["latent"] == "8"


def test_where_going_on_fails_what_it_went_on_from_stays(monkeypatch):
    app = opened(**QUICK)
    app.button(key="mnist:train:ask").click().run()
    monkeypatch.setattr(Request, "submit", lambda _: jobs.submit(tasks_for_jobs.raise_known, "No room."))
    app.button(key="mnist:train:more").click().run()
    assert not app.exception
    assert "No room." in [error.value.replace("\\", "") for error in app.error]
    assert "after 1 epoch of Shipped" in words(app)
    monkeypatch.undo()
    assert "mnist:train:more" in {button.key for button in app.button}


def test_a_link_made_with_a_result_in_view_says_so():
    app = opened(**QUICK)
    assert LINKED not in words(app)
    app.button(key="mnist:train:ask").click().run()
    sent = dict(app.query_params)
    assert sent == {key: text for key, text in QUICK.items()} | {"digits_trained": "yes"}
    receiver = opened(**sent)
    assert LINKED in words(receiver)
    assert dict(receiver.run().query_params) == sent
    app.slider(key="latent").set_value(9).run()
    assert "digits_trained" not in app.query_params


def test_a_photo_is_opened_by_a_worker_and_not_by_the_server(monkeypatch):
    asked = []

    def submit(request):
        asked.append(request)
        return jobs.submit(tasks_for_jobs.raise_known, "Too dark.")

    monkeypatch.setattr(Request, "submit", submit)
    monkeypatch.setattr(own, "from_photo", lambda *_: pytest.fail("the server opened a visitor's picture"))
    app = photographed("four.png", b"anything")
    assert not app.exception
    assert [error.value.replace("\\", "") for error in app.error] == ["Too dark."]
    (request,) = asked
    assert request.task is own.read_photo and request.private and request.lane == "short"
