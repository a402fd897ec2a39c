"""Sections of the Applications page as Streamlit opens them: figures, prompts, links, own files, trainings."""

import functools
import re
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from aecore.concepts.applications import conditional as core_conditional
from pages.ui.applications.section import SECTIONS
from tests.test_applications_dimensions import own_file as own_map

ROOT = Path(__file__).parents[1]
DRIVE = "time,speed\n" + "\n".join(f"{t},{50 + 40 * np.sin(t / 60):.2f}" for t in range(600))
TRAINED = {  # by section: the setting that shows what was trained, and one that it is trained with
    "anomaly": ("ano_network", {"ano_points": "6"}),
    "denoising": ("den_network", {"den_code": "8"}),
    "dimensions": ("dim_network", {"dim_epochs": "5"}),
    "pretraining": ("pre_networks", {"pre_seed": "3"}),
    "generation": ("gen_vae", {"gen_count": "100"}),
    "interpolation": ("int_networks", {"int_pull": "weak"}),
    "clustering": ("clu_network", {"clu_code": "4"}),
    "conditional": ("con_model", {"con_epochs": "50"}),
}
# by section: a link to everything but what a prompt should show
ELSEWHERE = {
    "anomaly": {"ano_machine": "bearing", "ano_spall": "inner", "ano_severity": "0.9", "ano_noise": "1"},
    "denoising": {"den_signal": "link", "den_kind": "ripple", "den_mode": "afterwards", "den_draw": "7"},
    "dimensions": {"dim_size": "5", "dim_machine": "3", "dim_knobs": "1,1,1,1,1"},
    "pretraining": {"pre_task": "digits", "pre_labels": "50", "pre_draw": "9"},
    "generation": {"gen_fault": "inter_turn", "gen_rare": "10", "gen_draw": "9", "gen_example": "5"},
    "interpolation": {"int_data": "shapes", "int_walk": "straight", "int_figure": "heart", "int_angle": ["-20", "20"]},
    "clustering": {"clu_count": "3", "clu_length": "120", "clu_drive": "9"},
    "conditional": {"con_class": "gain", "con_torque": "30", "con_draw": "9"},
}
PROMPTS = [(name, prompt) for name in SECTIONS for prompt in range(3)]


@pytest.fixture(autouse=True)
def inline(monkeypatch, tmp_path):
    monkeypatch.setenv("AECORE_JOBS", "inline")
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path))


def opened(section: str, **query: str | list[str]) -> AppTest:
    return at({"application": section, **query})


def at(query: dict[str, str | list[str]]) -> AppTest:
    app = AppTest.from_file(str(ROOT / "Home.py"), default_timeout=180)
    for key, value in query.items():
        app.query_params[key] = value
    app.switch_page("pages/5_Applications.py")
    return app.run()


def press(app: AppTest, prompt: int) -> None:
    [button for button in app.button if button.key is None][prompt].click()
    app.run()
    assert well(app)


def address(app: AppTest) -> dict[str, str | list[str]]:
    """Return what the address says, or will once the browser has put an opened link right."""
    found = app.session_state["settings:pages"]["applications"].address()
    return {key: texts if len(texts) > 1 else texts[0] for key, texts in found.items()}


def drawn(app: AppTest) -> list[bytes]:
    """Everything that has gone to the canvases, but for the count of how often a figure was placed."""
    figures = [figure.proto.bytes + figure.proto.json.encode() for figure in app.get("bidi_component")]
    return [re.sub(rb'"(turn": \d+|digest": "\w+")', b"", figure) for figure in figures]


def said(app: AppTest) -> str:
    return " ".join(element.value for kind in (app.markdown, app.caption, app.info, app.error) for element in kind)


def well(app: AppTest) -> bool:
    return not app.exception and not app.error


def fold(app: AppTest, title: str):
    return next(box for box in app.expander if box.proto.label == title)


# ---------------------------------------------------------------------- prompts and links
@pytest.mark.parametrize(("section", "prompt"), PROMPTS)
def test_a_prompt_s_address_opens_what_the_prompt_shows(section, prompt):
    app = opened(section)
    assert well(app) and app.get("bidi_component")
    before = drawn(app)
    press(app, prompt)
    assert drawn(app) != before
    again = at(address(app))
    assert well(again) and not again.info
    assert drawn(again) == drawn(app)
    assert [slider.value for slider in again.slider] == [slider.value for slider in app.slider]


@pytest.mark.parametrize(("section", "prompt"), PROMPTS)
def test_a_prompt_shows_the_same_whatever_was_there_before(section, prompt):
    fresh, other = opened(section), opened(section, **ELSEWHERE[section])
    assert well(other) and not other.info
    press(fresh, prompt)
    press(other, prompt)
    assert address(other) == address(fresh)
    assert drawn(other) == drawn(fresh)


@pytest.mark.parametrize(
    ("section", "query"),
    [
        ("pretraining", {"pre_labels": "1000"}),
        ("generation", {"gen_rare": "7"}),
        ("interpolation", {"int_speed": "fast"}),
        ("interpolation", {"int_speed": ["3900", "1900"]}),
        ("conditional", {"con_class": "rust"}),
        ("conditional", {"con_model": "borrowed"}),
        ("clustering", {"clu_network": ["own", "own"]}),
        ("dimensions", {"dim_knobs": "9,9,9,9"}),
    ],
)
def test_a_link_that_lies_gets_one_note_and_leaves_the_address(section, query):
    app = opened(section, **query)
    assert well(app)
    (key,) = query
    assert len([note for note in app.info if "showing" in note.value]) == 1
    assert key not in address(app)


def test_what_another_section_holds_leaves_the_address():
    app = opened("conditional", con_class="gain")
    app.segmented_control(key="application").set_value("clustering").run()
    assert well(app) and address(app) == {"application": "clustering"}
    app.segmented_control(key="application").set_value("conditional").run()
    assert address(app) == {"application": "conditional", "con_class": "gain"}


@pytest.mark.parametrize("task", ["digits", "faults"])
def test_labels_at_both_ends_are_drawn_and_probed(task):
    for count in ("1", "100"):
        app = opened("pretraining", pre_task=task, pre_labels=count)
        assert well(app)
        assert b"labels" in b"".join(drawn(app))
        assert b"right" in b"".join(drawn(app))


def test_shapes_of_no_difference_are_no_accident():
    app = opened("interpolation", int_data="shapes", int_size=["7", "7"], int_angle=["0", "0"])
    assert well(app) and not app.info


# ---------------------------------------------------------------------- networks of one's own
@pytest.mark.parametrize("section", TRAINED)
def test_a_link_to_what_was_trained_says_so_and_offers_the_same(section):
    key, settings = TRAINED[section]
    app = opened(section, **{key: "own"}, **settings)
    assert well(app)
    box = next(box for box in app.expander if box.proto.label.startswith("Train "))
    assert box.proto.expanded
    assert ["made after a training" in note.value for note in box.info] == [True]
    assert f"applications:{section}:ask" in {button.key for button in box.button}
    (shown,) = [caption.value for caption in app.caption if "until trained here with these settings" in caption.value]
    assert shown
    assert address(app) == {"application": section, key: "own", **settings} or section == "anomaly"


@pytest.mark.parametrize("section", TRAINED)
def test_the_place_for_a_training_is_folded_until_it_is_used_or_linked(section):
    _, settings = TRAINED[section]
    assert not next(box for box in opened(section).expander if box.proto.label.startswith("Train ")).proto.expanded
    app = opened(section, **settings)
    box = next(box for box in app.expander if box.proto.label.startswith("Train "))
    assert box.proto.expanded and well(app)
    assert f"applications:{section}:ask" in {button.key for button in box.button}


def test_a_model_of_one_s_own_takes_the_place_of_the_built_in_one_and_gives_it_back(monkeypatch):
    few = functools.partial(core_conditional.draw_recordings, count=100)  # they take longer than to learn from them
    monkeypatch.setattr(core_conditional, "draw_recordings", few)
    app = opened("conditional", con_epochs="10")
    built_in = drawn(app)
    assert "Model: as it ships." in said(app)
    app.button(key="applications:conditional:ask").click().run()
    assert well(app)
    assert app.session_state.con_model == "own" and address(app)["con_model"] == "own"
    assert "Model: trained here (Epochs 10)." in said(app)
    own = drawn(app)
    assert own != built_in
    app.segmented_control(key="con_model").set_value("builtin").run()
    assert drawn(app) == built_in and "Model: as it ships." in said(app)
    app.slider(key="con_epochs").set_value(20).run()
    app.segmented_control(key="con_model").set_value("own").run()
    assert "until trained here with these settings" in said(app) and drawn(app) == built_in
    app.button(key="applications:conditional:show").click().run()
    assert drawn(app) == own and app.slider(key="con_epochs").value == 10


# ---------------------------------------------------------------------- a visitor's file
FILES = {
    "anomaly": ("ano_file", "Your own currents or vibration"),
    "denoising": ("den_file", "Your own currents"),
    "dimensions": ("dim_file", "Your own flux map"),
    "clustering": ("clu_file", "Your own drive"),
}


@pytest.mark.parametrize("section", FILES)
def test_a_link_to_a_file_is_seen_and_its_place_is_open(section):
    key, title = FILES[section]
    app = opened(section, **{key: "mine.csv@abcdef123456"})
    assert well(app)
    (note,) = [note.value for note in app.info if "abcdef123456" in note.value]
    assert title in note and "mine" in note
    assert fold(app, title).proto.expanded and not fold(app, title).info
    assert address(app)[key] == "mine.csv@abcdef123456"
    assert not fold(opened(section), title).proto.expanded


def test_a_file_that_the_visitor_takes_away_is_not_asked_for():
    app = opened("clustering")
    app.file_uploader(key="clu_file:upload").upload("drive.csv", DRIVE.encode())
    app.run()
    assert "clu_file" in address(app)
    app.file_uploader(key="clu_file:upload").set_value(None)
    app.run()
    assert well(app) and not app.info and "clu_file" not in address(app)


def test_an_own_drive_takes_the_simulated_one_s_place_until_that_is_asked_for():
    app = opened("clustering")
    simulated = drawn(app)
    app.file_uploader(key="clu_file:upload").upload("drive.csv", DRIVE.encode())
    app.run()
    assert well(app) and drawn(app) != simulated
    assert "clu_drive" not in {slider.key for slider in app.slider}
    press(app, 2)
    assert app.segmented_control(key="clu_source").value == "simulated" and b"Hidden modes" in b"".join(drawn(app))


def test_a_prompt_about_another_machine_shows_it_beside_an_own_map():
    app = opened("dimensions")
    app.file_uploader(key="dim_file:upload").upload("map.csv", own_map())
    app.run()
    assert well(app) and b"Your machine" in b"".join(drawn(app))
    press(app, 1)
    assert b"Machine 7" in b"".join(drawn(app)) and address(app)["dim_source"] == "simulated"


def test_a_channel_that_another_file_has_not_leaves_the_address():
    app = opened("denoising")
    phases = [np.sin(2 * np.pi * np.arange(2000) / 200 - shift) for shift in (0, 2)]
    rows = "\n".join(f"{n / 1e4:.4f},{a:.4f},{b:.4f}" for n, (a, b) in enumerate(zip(*phases, strict=True)))
    app.file_uploader(key="den_file:upload").upload("two.csv", f"time,first,audio\n{rows}".encode())
    app.run()
    assert well(app)
    app.selectbox(key="den_channel").set_value("audio").run()
    assert address(app)["den_channel"] == "audio"
    app.file_uploader(key="den_file:upload").upload("other.csv", f"time,first,second\n{rows}".encode())
    app.run()
    assert well(app) and "den_channel" not in address(app)


def log(rows: int, name: str = "pump") -> bytes:
    values = np.sin(np.arange(rows) / 5) + 0.1 * np.random.default_rng(0).normal(size=rows)
    values[int(0.7 * rows) : int(0.7 * rows) + 9] += 4
    return (f"{name}\n" + "\n".join(f"{v:.4f}" for v in values)).encode()


def test_a_log_that_can_only_be_refused_again_gets_no_button():
    app = opened("anomaly")
    app.file_uploader(key="ano_file:upload").upload("short.csv", log(12))
    app.run()
    assert not app.exception and len(app.error) == 1
    assert not {"applications:anomaly:learn:again", "applications:anomaly:own:again"} & {b.key for b in app.button}
    app.file_uploader(key="ano_file:upload").upload("bad.csv", b"a,b\nx,y\n" * 90)
    app.run()
    assert not app.exception and len(app.error) == 1
    assert "applications:anomaly:own:again" not in {button.key for button in app.button}


def test_a_log_is_scored_and_what_was_done_to_it_is_said_without_markdown():
    app = opened("anomaly")
    data = log(900, "**pump** [x](http://evil.example)").split(b"\n")
    data[300] = b""
    app.file_uploader(key="ano_file:upload").upload("mine.csv", b"\n".join(data))
    app.run()
    assert well(app) and "event" in said(app) and " 1 events" not in said(app)
    assert "**pump**" not in said(app) and "](http" not in said(app)


def test_a_sentence_stands_in_place_of_a_figure_that_a_core_function_refuses(monkeypatch):
    from aecore.errors import SettingError
    from pages.ui.applications import conditional

    def refuse(*_):
        raise SettingError("Such signals cannot be made; choose another speed.")

    monkeypatch.setattr(conditional.core, "draw_codes", refuse)
    app = opened("conditional")
    assert not app.exception
    assert [error.value for error in app.error] == ["Such signals cannot be made; choose another speed\\."]
    assert app.slider(key="con_speed") and len([b for b in app.button if b.key is None]) == 3
