"""Training that starts when a visitor asks for it, on a page of its own: one button, which also begins anew."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from aecore.errors import TooFewRows


def fails_at_first(folder):
    mark = Path(folder) / "tried"
    tried = mark.exists()
    mark.touch()
    yield {"part": "network", "progress": 0.5}
    if not tried:
        raise TooFewRows("There is nothing to train on.")
    return {"trained": True}


def page(folder):
    import streamlit as st

    from pages.ui import live, on_request
    from tests.test_on_request import fails_at_first

    on_request.run("test:slot", live.progress_bar)
    st.text(on_request.result("test:slot", on_request.Request("these data", (fails_at_first, folder)), "Not yet."))


@pytest.fixture
def app(monkeypatch, tmp_path):
    monkeypatch.setenv("AECORE_JOBS", "inline")
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path / "cache"))
    return AppTest.from_function(page, args=(str(tmp_path),), default_timeout=30).run()


def test_what_came_to_nothing_is_started_again_by_the_same_button(app):
    assert [button.label for button in app.button] == ["Train on these"] and app.text[0].value == "None"
    app.button[0].click().run()
    assert [error.value for error in app.error] == ["There is nothing to train on\\."]
    assert [button.label for button in app.button] == ["Train on these"]
    app.button[0].click().run()
    assert app.text[0].value == "{'trained': True}" and not app.error and not app.button
    assert not app.exception
