"""The settings mechanism: what a link, a prompt, the sidebar and the browser's Back make of a page's controls."""

import ast
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.frame import links

ROOT = Path(__file__).parents[1]
WIDGETS = {"slider", "range_slider", "choice", "select", "number", "several", "text"}


@pytest.fixture(autouse=True)
def demo_pages(monkeypatch):
    monkeypatch.setitem(links.KEYS, "one", frozenset({"kind", "size", "span", "some", "hidden", "free", "file"}))
    monkeypatch.setitem(links.KEYS, "two", frozenset({"other"}))
    monkeypatch.setitem(links.OLD, "one", {"type": links.Old("kind", {"The first kind": "first"})})


def script() -> None:
    import streamlit as st

    from aecore.errors import DataError
    from pages.ui.frame import settings
    from pages.ui.frame.page import fragment, in_words
    from pages.ui.inputs import controls

    @fragment
    def inside() -> None:
        size = controls.slider("Size", "size", low=0, high=10, default=4, step=2)
        if size == 10:
            raise DataError("Size 10 is refused.")
        if controls.choice("Kind", "kind", {"first": "The 1st", "second": "The 2nd"}, default="second") == "first":
            controls.number("Only of the first", "hidden", low=0.0, high=1.0, default=0.5)

    page = st.session_state.get("page", "one")
    settings.begin(page)
    notes = st.container()
    with in_words(), settings.part(page):
        if page == "one":
            inside()
            controls.range_slider("Span", "span", low=0.0, high=100.0, default=(0.0, 30.0), step=0.5)
            controls.several("Some", "some", {"a": "An A", "b": "A B"})
            if st.session_state.get("free"):
                controls.text("Free", "free", longest=5)
        else:
            controls.slider("Other", "other", low=0, high=9, default=1, step=1)
    with notes:
        settings.show_notes()
    change = settings.put_right()
    st.session_state["address"] = change["right"] if change else dict(st.query_params.to_dict())
    st.button("Prompt", on_click=settings.put, args=({"kind": "first", "hidden": 0.25, "size": 8},))


def opened(**query: str | list[str]) -> AppTest:
    app = AppTest.from_function(script)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    return app


def address(app: AppTest) -> dict[str, list[str]]:
    found = app.session_state["address"]
    return {key: value if isinstance(value, list) else [value] for key, value in found.items()}


def shown(app: AppTest) -> tuple:
    return app.slider(key="size").value, app.session_state["kind"], app.slider(key="span").value


def notes(app: AppTest) -> str:
    return " ".join(info.value for info in app.info)


def test_a_page_without_a_link_shows_defaults_and_an_empty_address():
    app = opened()
    assert shown(app) == (4, "second", (0.0, 30.0))
    assert address(app) == {}
    assert not app.info


def test_a_link_sets_controls_and_stays_the_address():
    app = opened(size="6", kind="first", hidden="0.75", span=["10", "20.5"], some=["b"])
    assert shown(app) == (6, "first", (10.0, 20.5))
    assert app.number_input(key="hidden").value == 0.75
    assert app.multiselect(key="some").value == ["b"]
    app.run()
    assert set(app.query_params) == {"size", "kind", "hidden", "span", "some"}
    assert not app.info


def test_an_older_link_s_names_open_the_same_and_become_today_s():
    app = opened(type="The first kind")
    assert app.session_state["kind"] == "first"
    assert address(app) == {"kind": ["first"]}
    assert not app.info


@pytest.mark.parametrize(
    ("query", "said", "value"),
    [
        ({"size": "7"}, "steps of 2", 8),
        ({"size": "12"}, "from 0 to 10", 4),
        ({"size": ["2", "8"]}, "from 0 to 10", 4),
        ({"size": "nan"}, "from 0 to 10", 4),
        ({"size": ""}, "nothing", 4),
        ({"kind": "third"}, "The 1st, The 2nd", "second"),
        ({"kind": ["first", "first"]}, "one value", "second"),
        ({"span": ["90", "10"]}, "two rising numbers", (0.0, 30.0)),
        ({"span": ["0.2", "10"]}, "steps of 0.5", (0.0, 10.0)),
        ({"some": ["a", "c"]}, "An A, A B", ["a"]),
        ({"nonsense": "1"}, "no setting of this page", None),
    ],
)
def test_what_a_link_says_wrongly_gets_one_note_and_leaves_the_address(query, said, value):
    app = opened(**query)
    assert len(app.info) == 1
    assert said in notes(app).replace("\\", "")
    (key,) = query
    if value is not None:
        assert app.session_state[key] == value
    assert address(app).get(key, []) == ([] if value in (None, 4, "second", (0.0, 30.0)) else address(app)[key])
    app.run()
    assert key not in app.query_params or app.query_params[key] != query[key]
    app.button(key="link:dismiss").click().run()
    assert not app.info


def test_a_prompt_sets_what_is_not_on_the_page_yet_and_the_address_has_all_of_it():
    app = opened()
    app.button[-1].click().run()
    assert app.number_input(key="hidden").value == 0.25
    assert dict(app.query_params) == {"kind": "first", "hidden": "0.25", "size": "8"}


def test_what_is_not_shown_any_more_leaves_the_address_and_keeps_its_value():
    app = opened(kind="first", hidden="0.75")
    app.button_group(key="kind").set_value("second").run()
    assert set(app.query_params) == set()
    app.button_group(key="kind").set_value("first").run()
    assert app.number_input(key="hidden").value == 0.75
    assert set(app.query_params) == {"kind", "hidden"}


def test_what_a_link_says_of_a_control_that_is_not_up_yet_waits_in_the_address():
    app = opened(free="word")
    app.slider(key="size").set_value(6).run()
    assert set(app.query_params) == {"free", "size"}
    app.session_state["free"] = True  # now the page has it (a file was chosen, say)
    app.run()
    assert app.text_input(key="free").value == "word"


def test_another_page_and_back_by_the_sidebar_shows_what_was_left():
    app = opened()
    app.slider(key="size").set_value(6).run()
    app.session_state["page"] = "two"
    app.query_params.clear()
    app.run()
    assert app.slider(key="other").value == 1
    assert set(app.query_params) == set()
    app.session_state["page"] = "one"
    app.run()
    assert app.slider(key="size").value == 6
    assert set(app.query_params) == {"size"}


def test_another_page_by_a_link_shows_exactly_that_link():
    app = opened()
    app.slider(key="size").set_value(6).run()
    app.session_state["page"] = "two"
    app.query_params.clear()
    app.run()
    app.session_state["page"] = "one"
    app.query_params["kind"] = "first"
    app.run()
    assert shown(app)[:2] == (4, "first")


def test_a_refusal_in_a_fragment_is_a_sentence_and_settings_stay():
    app = opened(kind="first")
    app.slider(key="size").set_value(10).run()
    assert not app.exception
    assert [error.value for error in app.error] == ["Size 10 is refused\\."]
    app.slider(key="size").set_value(2).run()
    assert shown(app)[:2] == (2, "first")


def test_a_control_with_an_undeclared_key_is_refused():
    def undeclared() -> None:
        from pages.ui.frame import settings
        from pages.ui.frame.page import in_words
        from pages.ui.inputs import controls

        settings.begin("two")
        with in_words(), settings.part("two"):
            controls.slider("Unknown", "unknown", low=0, high=1, default=0, step=1)

    app = AppTest.from_function(undeclared).run()
    assert "KEYS" in app.error[0].value


def test_every_key_belongs_to_one_page():
    real = {page: keys for page, keys in links.KEYS.items() if page not in ("one", "two")}
    owners: dict[str, list[str]] = {}
    for page, keys in real.items():
        for key in keys:
            owners.setdefault(key, []).append(page)
    assert {key: pages for key, pages in owners.items() if len(pages) > 1} == {}


def test_every_literal_key_in_the_pages_code_is_declared():
    known = frozenset().union(*links.KEYS.values())
    unknown = []
    for path in [ROOT / "Home.py", *(ROOT / "pages").rglob("*.py")]:
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            if not isinstance(call.func, ast.Attribute) or ast.unparse(call.func.value) != "controls":
                continue
            if call.func.attr in WIDGETS and isinstance(call.args[1], ast.Constant) and call.args[1].value not in known:
                unknown.append(f"{path.name}:{call.lineno} {call.args[1].value}")
    assert unknown == []


def test_only_the_settings_touch_the_address():
    users = {
        path.relative_to(ROOT).as_posix()
        for path in [ROOT / "Home.py", *(ROOT / "pages").rglob("*.py")]
        if "query_params" in path.read_text() and "query_params=" not in path.read_text()
    }
    assert users == {"pages/ui/frame/settings.py"}


def test_streamlit_still_says_whether_back_or_forward_led_to_a_page():
    def look() -> None:
        import streamlit as st
        from streamlit.runtime.scriptrunner import get_script_run_ctx

        st.write(f"{get_script_run_ctx().is_history_navigation}")

    assert AppTest.from_function(look).run().markdown[0].value == "False"
