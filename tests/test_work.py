"""Long work as a visitor sees it: its place, progress and end; changed settings, a lost line, a closed tab."""

import time
from types import SimpleNamespace

import psutil
import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.frame import links
from tests.servers import serving
from tests.visitor import Visitor, run


class FakeJob(SimpleNamespace):
    """A job that stands where a test wants it."""

    def __init__(self, state: str, **more) -> None:
        from aecore.errors import JobCancelled

        defaults = {
            "restarts": 0, "kept": True, "ahead": 0, "cached": False, "latest": None, "progress": [], "seconds": 1.0,
            "partial": None, "settled": state not in ("queued", "running"), "value": {"answer": 42}, "error": None,
            "handle": None,
        }  # fmt: skip
        super().__init__(state=state, **(defaults | more))
        self.cancelled = JobCancelled

    def cancel(self) -> None:
        self.state, self.settled = "cancelled", True

    def result(self, timeout: float | None = None):
        if self.error is not None:
            raise self.error
        if self.state == "cancelled":
            raise self.cancelled("The work was cancelled.")
        return self.value


@pytest.fixture(autouse=True)
def demo_page(monkeypatch):
    monkeypatch.setitem(links.KEYS, "demo", frozenset({"beta", "trained"}))


@pytest.fixture
def submitted(monkeypatch):
    """What the page submits, one fake job after the other: ``states`` says how they stand."""
    found = SimpleNamespace(jobs=[], states=["done"] * 20, more={})

    def submit(task, *args, **kwargs):
        from aecore.errors import TooBusy

        state = found.states[len(found.jobs)]
        if state == "refused":
            raise TooBusy("100 others are waiting for the same machine.")
        found.jobs.append(FakeJob(state, args=args, **found.more))
        return found.jobs[-1]

    monkeypatch.setattr("aecore.jobs.submit", submit)
    return found


def fetching(slots: int = 1) -> None:
    import streamlit as st

    from pages.ui.frame import settings
    from pages.ui.training import work

    settings.begin("demo")
    with settings.part("demo"):
        for number in range(slots):
            request = work.Request(task=print, signature=st.session_state.get("file", "one"), lane="short")
            found = work.fetch(f"slot {number}", request, words="Reading the file")
            if found is not None:
                st.write(str(found["answer"]))


def training_page(goes_on: bool = True) -> None:
    import streamlit as st

    from pages.ui import training
    from pages.ui.frame import settings
    from pages.ui.frame.page import fragment
    from pages.ui.inputs import controls
    from pages.ui.training import work

    @fragment
    def bench() -> None:
        beta = controls.slider("β", "beta", low=0, high=4, default=1, step=1)
        request = work.Request(task=print, args=(beta,), signature=beta, settings=("beta",))

        def more(result):
            return work.Request(task=print, args=("on", result), signature=None)

        made = training.train(
            "train", request, words="Train with this β.", mark="trained", go_on=more if goes_on else None
        )
        st.write("nothing" if made is None else f"{made.value['answer']} {'whole' if made.whole else 'partial'}")

    settings.begin("demo")
    with settings.part("demo"):
        bench()


def opened(script, **kwargs) -> AppTest:
    app = AppTest.from_function(script, kwargs=kwargs, default_timeout=60).run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    return " ".join(each.value for kind in (app.markdown, app.caption, app.info, app.warning) for each in kind)


# ---------------------------------------------------------------------- work that starts by itself
def test_a_place_in_the_queue_is_shown_for_reading_too(submitted):
    submitted.states, submitted.more = ["queued"], {"ahead": 2}
    text = opened(fetching).get("progress")[0].proto.text
    assert "Reading the file" in text
    assert "number 3 in the queue" in text


def test_work_that_began_again_says_so(submitted):
    submitted.states, submitted.more = ["running"], {"restarts": 1}
    assert "begun again" in said(opened(fetching))


def test_a_result_that_no_disk_took_is_shown_and_said(submitted):
    submitted.more = {"kept": False}
    app = opened(fetching)
    assert app.markdown[0].value == "42"
    assert "disk did not take" in said(app)


def test_one_visitor_has_so_much_under_way_and_no_more(submitted):
    submitted.states = ["running"] * 6
    app = opened(fetching, slots=6)
    assert len(submitted.jobs) == 4
    assert len(app.warning) == 2
    assert "4 of your computations are under way" in app.warning[0].value


def test_a_full_queue_is_said_in_place_and_the_page_goes_on(submitted):
    submitted.states = ["refused"] * 3
    app = opened(fetching)
    assert "100 others" in app.warning[0].value
    assert [button.label for button in app.button] == ["Try again"]


def test_another_file_stops_the_reading_of_the_one_before_and_both_give_their_results_back(submitted):
    submitted.states = ["running", "done", "done"]
    app = opened(fetching)
    app.session_state["file"] = "two"
    app.run()
    assert submitted.jobs[0].state == "cancelled"
    assert app.markdown[0].value == "42"
    app.session_state["file"] = "one"
    app.run()
    app.session_state["file"] = "two"
    app.run()
    assert len(submitted.jobs) == 3  # the first was stopped and begins again, the second is there


def test_data_that_are_gone_are_read_again_without_a_word(submitted):
    def two_steps() -> None:
        import streamlit as st

        from pages.ui.frame import settings
        from pages.ui.training import work

        settings.begin("demo")
        with settings.part("demo"):
            table = work.fetch("read", work.Request(task=print, signature="file"))
            if table is not None:
                request = work.Request(task=print, args=(table,), signature="file", source="read")
                found = work.fetch("score", request)
                st.write("nothing" if found is None else "scored")

    app = opened(two_steps)
    assert app.markdown[0].value == "scored"
    from aecore.errors import DataGone

    app.session_state["work"].forget_slot("score")
    app.run()
    failed = submitted.jobs[-1]
    failed.state, failed.error = "failed", DataGone("The table is not there any more.")
    app.run()
    assert not app.exception
    assert app.markdown[0].value == "scored"
    assert len(submitted.jobs) == 5


# ---------------------------------------------------------------------- training
def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception
    return app


def test_a_training_waits_to_be_asked_and_names_its_settings(submitted):
    submitted.states, submitted.more = ["running"], {"latest": {"progress": 0.5, "part": "Training"}}
    app = opened(training_page)
    assert not submitted.jobs
    assert "Train with this β." in said(app)
    press(app, "Train")
    assert len(submitted.jobs) == 1
    assert "Training with β 1" in said(app).replace("\\", "")
    assert "Cancel" in {button.label for button in app.button}


def test_a_setting_changed_meanwhile_leaves_the_run_and_its_result_is_offered(submitted):
    submitted.states = ["running", "done"]
    app = press(opened(training_page), "Train")
    app.slider(key="beta").set_value(3).run()
    assert submitted.jobs[0].state == "running"
    assert "Training with β 1" in said(app).replace("\\", "")
    submitted.jobs[0].state, submitted.jobs[0].settled = "done", True
    app.run()
    assert "nothing" in said(app)
    assert "Trained in this visit: β 1" in said(app).replace("\\", "")
    press(app, "Show it")
    assert app.slider(key="beta").value == 1
    assert "42 whole" in said(app)


def test_settings_trained_before_give_their_result_back(submitted):
    app = press(opened(training_page), "Train")
    app.slider(key="beta").set_value(3).run()
    press(app, "Train")
    app.slider(key="beta").set_value(1).run()
    assert "42 whole" in said(app)
    assert len(submitted.jobs) == 2


def test_a_cancelled_training_gives_what_it_has_and_can_go_on(submitted):
    submitted.states = ["running", "done"]
    app = press(opened(training_page), "Train")
    submitted.jobs[0].partial = {"answer": 7}
    press(app, "Cancel")
    app.run()
    assert "7 partial" in said(app)
    assert "Stopped early" in said(app)
    press(app, "Train on")
    assert submitted.jobs[1].args == ("on", {"answer": 7})
    assert "42 whole" in said(app)


def test_a_training_that_was_stopped_before_it_had_anything_is_offered_again(submitted):
    submitted.states = ["running", "done"]
    app = press(opened(training_page), "Train")
    press(app, "Cancel")
    app.run()
    assert "Stopped." in said(app)
    press(app, "Train")
    assert "42 whole" in said(app)


def test_a_result_from_the_cache_says_so(submitted):
    submitted.more = {"cached": True}
    assert "From the cache" in said(press(opened(training_page), "Train"))


def test_a_stopped_training_that_cannot_go_on_may_be_done_again(submitted):
    submitted.states, submitted.more = ["cancelled", "done"], {"partial": {"answer": 7}}
    app = opened(training_page, goes_on=False)
    press(app, "Train")
    assert "7 partial" in said(app)
    press(app, "Train")
    assert "42 whole" in said(app)
    assert "Train" not in {button.label for button in app.button}


def test_a_link_to_a_training_says_so_to_whoever_opens_it(submitted):
    app = AppTest.from_function(training_page, default_timeout=60)
    app.query_params["beta"] = "3"
    app.query_params["trained"] = "yes"
    app.run()
    assert "stayed with whoever trained it" in said(app)
    app.slider(key="beta").set_value(2).run()
    assert "stayed with whoever" not in said(app)
    assert set(app.query_params) == {"beta"}
    app.slider(key="beta").set_value(3).run()
    press(app, "Train")
    assert "42 whole" in said(app)
    assert set(app.query_params) == {"beta", "trained"}


def test_a_link_to_settings_that_nobody_trained_says_nothing_of_a_training(submitted):
    app = AppTest.from_function(training_page, default_timeout=60)
    app.query_params["beta"] = "3"
    app.run()
    assert "Train with this β." in said(app)


def test_a_training_that_no_queue_takes_is_said(submitted):
    submitted.states = ["refused"] * 2
    app = press(opened(training_page), "Train")
    assert "100 others" in " ".join(toast.value for toast in app.toast) + said(app)


# ---------------------------------------------------------------------- a real server
@pytest.fixture(scope="module")
def server(tmp_path_factory):
    short = {"STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL": "4", "AECORE_NICE": "0"}
    with serving(tmp_path_factory.mktemp("work"), **short) as running:
        yield running


async def begin(visitor: Visitor) -> None:
    """Start a training that takes long, and wait until it is under way."""
    widget, fragment = visitor.widget("button", "Train")
    await visitor.send_value(widget.id, fragment, False, trigger_value=True)
    await visitor.until(lambda: any("epoch" in bar.text for bar in visitor.of_kind("progress")))


def progress(visitor: Visitor) -> int:
    return max((bar.value for bar in visitor.of_kind("progress") if "epoch" in bar.text), default=0)


def test_a_line_that_breaks_for_a_moment_keeps_running_work_and_its_panel(server):
    async def play():
        visitor = await Visitor.open(server.url, "Bottleneck", "complexity=7")
        await begin(visitor)
        await visitor.until(lambda: progress(visitor) >= 5)
        before = progress(visitor)
        await visitor.break_line(0.3)
        await visitor.until(lambda: progress(visitor) > 0)
        assert progress(visitor) >= before
        await visitor.close()

    run(play)


def test_work_of_a_closed_tab_ends_when_its_grace_has_ended(server):
    async def play():
        visitor = await Visitor.open(server.url, "Bottleneck", "complexity=8")
        await begin(visitor)
        await visitor.close()

    run(play)
    workers = psutil.Process(server.process.pid).children(recursive=True)

    def busy() -> float:
        before = sum(worker.cpu_times().user for worker in workers)
        time.sleep(1)
        return sum(worker.cpu_times().user for worker in workers) - before

    end = time.monotonic() + 60
    while busy() > 0.2:
        assert time.monotonic() < end, "the training of a closed tab still runs"
