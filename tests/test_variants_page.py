"""The Variants page as Streamlit runs it: every card, two under one input, bad files, a live training."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from aecore.concepts import variants as core
from aecore.data.datasets import drawn_digits
from pages.ui import variants as ui

ROOT = Path(__file__).parents[1]
PAGE = "pages/4_Variants.py"


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    monkeypatch.setenv("AECORE_JOBS", "inline")
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path))
    monkeypatch.delenv("AECORE_DATASETS", raising=False)


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "Home.py"), default_timeout=180)
    for key, value in query.items():
        app.query_params[key] = value
    return app.switch_page(PAGE).run()


def words(app: AppTest) -> str:
    return " ".join(element.value for kind in (app.markdown, app.caption, app.info, app.error) for element in kind)


def html(app: AppTest) -> str:
    return " ".join(element.proto.body for element in app.get("html"))


def test_every_variant_has_its_card_and_goes_through_the_pair():
    one, pair = opened(), opened(var_closer="pair")
    assert all(f">{name}</th>" in html(one) for name in core.NAMES)
    for variant, name in ui.IDS.items():
        one.button_group(key="var_variant").set_value(variant).run()
        pair.selectbox(key="var_pair_one").set_value(variant).run()
        assert not any(app.exception or app.error for app in (one, pair)), name
        assert ("(and at" in words(one)) == core.KINDS[name].varies
        assert ("was told it is a 3" in words(pair)) == (name == core.CONDITIONAL)


def test_a_prompt_moves_the_handle_of_a_card_that_was_not_shown_yet():
    app = opened(var_variant="vae")
    next(button for button in app.button if button.label.startswith("Turn L1 up")).click().run()
    assert not app.exception and app.button_group(key="var_variant").value == "l1"
    assert "At λ = 0.6 (and at λ = 0)" in words(app)


def test_a_link_that_names_a_setting_opens_where_it_is():
    """Before there was one section open at a time, links named no section."""
    assert opened(var_sigma="0.5").slider(key="var_sigma").value == 0.5
    assert opened(var_strength8="2").slider(key="var_strength8").value == 2.0
    assert opened(var_variant=core.KL).button_group(key="var_variant").value == "kl"
    assert opened(var_closer="One at a time", var_sigma="0.5").button_group(key="var_variant").value == "l1"
    app = opened(var_sigma="0.5", var_strength8="2")  # the first of the two; the other section stays a click away
    app.button_group(key="var_closer").set_value("one").run()
    assert app.button_group(key="var_closer").value == "one"


def test_a_picture_is_taken_and_a_file_that_is_none_gets_a_sentence():
    app = opened(var_how="file")
    app.file_uploader(key="var_picture:upload").upload("note.png", b"no picture")
    app.run()
    assert not app.exception
    assert "no picture that can be opened" in words(app) or "is no picture" in words(app)
    file = io.BytesIO()
    Image.fromarray(255 - np.kron(drawn_digits.load()[7], np.ones((6, 6), np.uint8))).save(file, "PNG")
    app = opened(var_how="file", var_pair_other="conditional")
    app.file_uploader(key="var_picture:upload").upload("seven.png", file.getvalue())
    app.run()
    assert not app.exception and not app.error
    assert "was told it is a 7" in words(app)


def test_any_kind_is_trained_with_a_visitor_s_settings():
    app = opened(var_kind="gaussian", var_rounds="5")
    next(button for button in app.button if button.label == "Train").click()
    app.run()
    assert not app.exception and not app.error
    found = re.search(r">In the table<.*?>Test MSE</th><td>([\d.]+)</td>", html(app))
    assert float(found[1]) < 0.08


def test_without_mnist_the_page_says_where_it_comes_from():
    app = opened(var_on="mnist")
    assert not app.exception and not app.error
    assert "MNIST compression" in words(app)
