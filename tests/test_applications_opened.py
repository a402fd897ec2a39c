"""Sections of the Applications page as Streamlit opens them: figures, prompts, links that lie, a training."""

import functools
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from aecore.concepts.applications import conditional_training

ROOT = Path(__file__).parents[1]
SECTIONS = ("pre-training", "generation", "interpolation", "conditional VAE")


@pytest.fixture(autouse=True)
def inline(monkeypatch, tmp_path):
    monkeypatch.setenv("AECORE_JOBS", "inline")
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path))


def opened(section: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "Home.py"), default_timeout=180)
    for key, value in {"section": section, **query}.items():
        app.query_params[key] = value
    app.switch_page("pages/5_Applications.py")
    return app.run()


def drawn(app: AppTest) -> bytes:
    """Everything that has gone to the canvases."""
    return b"".join(figure.proto.SerializeToString() for figure in app.get("bidi_component"))


def well(app: AppTest) -> bool:
    return not app.exception and not app.error


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_opens_on_a_finished_result_and_each_prompt_changes_it(section):
    app = opened(section)
    assert well(app)
    assert len(app.get("bidi_component")) >= 1
    for button in range(3):
        before = dict(app.session_state._state._state.filtered_state)
        prompts = [b for b in app.button if b.key is None]
        prompts[button].click()
        app.run()
        assert well(app)
        assert app.session_state.section == section
        assert dict(app.session_state._state._state.filtered_state) != before


@pytest.mark.parametrize(
    ("section", "query"),
    [
        ("pre-training", {"pre_labels": "1000"}),
        ("generation", {"gen_rare": "7"}),
        ("interpolation", {"int_speed": "fast"}),
        ("conditional VAE", {"con_class": "rust"}),
    ],
)
def test_a_link_that_lies_is_said_to(section, query):
    app = opened(section, **query)
    assert well(app)
    (key,) = query
    assert any(key in note.value and "showing" in note.value for note in app.info)


@pytest.mark.parametrize("task", ["digits", "machine faults"])
def test_labels_at_both_ends_are_drawn_and_probed(task):
    for count in ("1", "100"):
        app = opened("pre-training", pre_task=task, pre_labels=count)
        assert well(app)
        assert b"labels" in drawn(app)
        assert b"right" in drawn(app)


def test_shapes_of_no_difference_are_no_accident():
    app = opened("interpolation", int_data="shapes", int_size="7", int_angle="0")
    assert not app.exception


def test_a_model_of_one_s_own_takes_the_place_of_the_one_that_ships(monkeypatch):
    few = functools.partial(conditional_training.recordings, count=100)  # they take longer than to learn from them
    monkeypatch.setattr(conditional_training, "recordings", few)
    app = opened("conditional VAE", con_model="trained here", con_epochs="10")
    asked = [b for b in app.button if b.key == "applications:conditional:ask"]
    asked[0].click()
    app.run()
    assert well(app)
    assert not [b for b in app.button if b.key == "applications:conditional:ask"]
