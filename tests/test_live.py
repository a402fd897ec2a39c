"""What a visitor sees of long work that waits, that began again, or whose result no disk took."""

from streamlit.testing.v1 import AppTest


def jobs_script(state, restarts=0, kept=True, ahead=0, slots=1, refuse=""):
    from types import SimpleNamespace

    import streamlit as st

    from aecore.errors import TooBusy
    from pages.ui import live

    live._held().clear()  # what a visitor has under way outlives the page
    started = st.session_state.setdefault("started", [])

    def start():
        if refuse:
            raise TooBusy(refuse)
        started.append(1)
        return SimpleNamespace(
            state=state, restarts=restarts, kept=kept, ahead=ahead, cached=False, latest=None, progress=[], seconds=1.0,
            cancel=lambda: None, result=lambda: {"answer": 42},
        )  # fmt: skip

    for slot in range(slots):
        outcome = live.work(f"slot {slot}", "signature", start, live.training_panel)
        if outcome is not None:
            st.write(str(outcome["answer"]))


def run(**state):
    app = AppTest.from_function(jobs_script, kwargs=state, default_timeout=60).run()
    assert not app.exception
    return app


def test_a_place_in_the_queue_is_shown():
    assert "number 3 in the queue" in run(state="queued", ahead=2).get("progress")[0].proto.text
    assert "you are next" in run(state="queued").get("progress")[0].proto.text


def test_work_that_began_again_says_so():
    assert any("begun again" in caption.value for caption in run(state="running", restarts=1).caption)
    assert not any("begun again" in caption.value for caption in run(state="running").caption)


def test_a_result_that_no_disk_took_is_shown_and_said():
    app = run(state="done", kept=False)
    assert app.markdown[0].value == "42"
    assert any("disk did not take" in caption.value for caption in app.caption)
    assert not run(state="done").caption


def test_one_visitor_has_so_much_under_way_and_no_more():
    app = run(state="running", slots=6)
    assert len(app.session_state["started"]) == 4
    assert [warning.value for warning in app.warning] == [app.warning[0].value] * 2
    assert "4 of your computations are under way" in app.warning[0].value
    assert len(run(state="done", slots=6).session_state["started"]) == 6


def test_a_full_queue_is_said_in_place_and_the_page_goes_on():
    app = run(state="running", refuse="100 others are waiting.")
    assert "100 others" in app.warning[0].value
    assert [button.label for button in app.button] == ["Try again"]
