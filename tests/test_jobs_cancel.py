"""Work that is cancelled, or whose time is over, gives what it has."""

import threading
from pathlib import Path

import psutil
import pytest

from aecore import jobs
from aecore.errors import JobCancelled, TimeExceeded
from aecore.jobs import dispatch
from tests import tasks_for_jobs as tasks
from tests.jobs_tools import WAIT, until


@pytest.fixture(scope="module", autouse=True)
def _workers():
    yield
    jobs.shutdown()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path / "cache"))
    return str(tmp_path)


@pytest.mark.parametrize(("private", "isolated"), [(True, False), (False, False), (True, True), (False, True)])
def test_a_cancelled_task_gives_what_it_has(private, isolated):
    job = jobs.submit(tasks.collect, private=private, isolated=isolated)
    until(lambda: len(job.progress) > 5)
    assert (job.settled, job.partial) == (False, None)
    job.cancel()
    job.cancel()
    assert job.state == "cancelled"
    until(lambda: job.settled)
    assert job.partial["whole"] is False
    assert job.partial["numbers"] == job.progress
    with pytest.raises(JobCancelled):
        job.result(WAIT)


def test_what_a_task_has_is_not_its_result():
    first = jobs.submit(tasks.collect, 0.02, 0.6)
    until(lambda: first.latest)
    first.cancel()
    until(lambda: first.settled)
    assert first.partial["whole"] is False
    second = jobs.submit(tasks.collect, 0.02, 0.6)
    assert not second.cached
    assert second.result(WAIT)["whole"]
    assert second.partial is None
    assert second.settled


def test_who_leaves_shared_work_is_settled_at_once_and_gets_nothing():
    leaver, stayer = (jobs.submit(tasks.collect, 0.02, 2.0) for _ in range(2))
    until(lambda: stayer.latest)
    leaver.cancel()
    assert (leaver.state, leaver.settled, leaver.partial) == ("cancelled", True, None)
    assert stayer.state == "running"
    assert not stayer.settled
    assert stayer.result(WAIT)["whole"]
    assert leaver.partial is None


def test_a_task_that_catches_nothing_gives_nothing(folder):
    job = jobs.submit(tasks.beat, folder, private=True)
    until(lambda: job.latest)
    job.cancel()
    until(lambda: job.settled)
    assert job.partial is None
    assert (Path(folder) / "closed").exists()


def test_waiting_work_that_is_cancelled_is_settled_without_having_run():
    blocker = jobs.submit(tasks.stall, 0.5, private=True)
    job = jobs.submit(tasks.collect, private=True)
    job.cancel()
    until(lambda: job.settled)
    assert job.partial is None
    blocker.result(WAIT)


def test_a_cancellation_is_not_taken_for_the_failure_of_a_part():
    job = jobs.submit(tasks.survive_parts, private=True)
    until(lambda: job.latest)
    job.cancel()
    until(lambda: job.settled)
    assert "swallowed" not in job.progress


def test_a_task_has_some_time_to_give_what_it_has_and_no_more(monkeypatch):
    job = jobs.submit(tasks.linger, 0.5, private=True)
    until(lambda: job.latest)
    job.cancel()
    until(lambda: job.settled)
    assert job.partial == "late"
    monkeypatch.setattr(dispatch, "STOP_SECONDS", 0.1)
    job = jobs.submit(tasks.linger, 60, private=True)
    until(lambda: job.latest)
    job.cancel()
    until(lambda: job.settled)
    assert job.partial is None


def test_a_task_that_goes_on_for_ever_is_ended(monkeypatch):
    monkeypatch.setattr(dispatch, "STOP_SECONDS", 0.1)
    job = jobs.submit(tasks.ignore, private=True)
    until(lambda: job.latest)
    job.cancel()
    until(lambda: job.settled)
    assert job.partial is None
    assert jobs.submit(tasks.echo, 1, private=True).result(WAIT) == 1


def test_inline_work_is_settled_when_submit_returns(monkeypatch):
    monkeypatch.setenv("AECORE_JOBS", "inline")
    job = jobs.submit(tasks.collect, 0.001, 0.005, private=True)
    job.cancel()
    assert (job.state, job.settled, job.partial) == ("done", True, None)


# ---- deadlines


def test_a_deadline_ends_work_with_a_sentence_and_what_it_had(monkeypatch):
    job = jobs.submit(tasks.collect, private=True)
    until(lambda: len(job.progress) > 3)
    monkeypatch.setenv("AECORE_LONG_MINUTES", "0.01")
    with pytest.raises(TimeExceeded, match="longer than the 0.6 seconds.*use a smaller file or fewer data"):
        job.result(WAIT)
    assert job.state == "failed"
    assert job.settled
    assert job.partial["whole"] is False
    assert len(job.partial["numbers"]) > 3


def test_time_in_the_queue_does_not_count(monkeypatch):
    monkeypatch.setenv("AECORE_LONG_MINUTES", str(1.5 / 60))
    blockers = [jobs.submit(tasks.stall, 0.7, private=True) for _ in range(3)]
    last = jobs.submit(tasks.echo, 1, private=True)
    assert last.result(WAIT) == 1
    assert [blocker.result(WAIT) for blocker in blockers] == [None] * 3


def test_a_child_whose_time_is_over_is_ended_and_nothing_else_is(monkeypatch):
    monkeypatch.setattr(dispatch, "ISOLATED_STOP_SECONDS", 0.1)
    held = jobs.submit(tasks.hold, 10, lane="short", private=True)
    worker = held.result(WAIT)["pid"]
    job = jobs.submit(tasks.be_busy, 60, lane="short", private=True, isolated=True)
    child = until(lambda: job.latest)
    assert child != worker
    monkeypatch.setattr(dispatch, "SHORT_SECONDS", 0.5)  # now, so that it has begun on a busy machine too
    with pytest.raises(TimeExceeded, match="0.5 seconds"):
        job.result(WAIT)
    until(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE)
    monkeypatch.setattr(dispatch, "SHORT_SECONDS", 60.0)
    added = jobs.submit(tasks.add_up, held.handle, lane="short", private=True).result(WAIT)
    assert added == {"sums": [40.0], "pid": worker}  # the process lives, and with it what it holds


def test_work_beside_one_that_is_ended_with_its_process_begins_again_as_often_as_that(monkeypatch, folder):
    monkeypatch.setattr(dispatch, "STOP_SECONDS", 0.1)
    if jobs.dispatcher.cluster is None:
        jobs.submit(tasks.echo, 0, private=True).result(WAIT)
    neighbour = jobs.submit(tasks.survive_often, folder, 2, lane="short", private=True)
    for death in range(2):
        until(lambda death=death: len(list(Path(folder).glob("run.*"))) == death + 1)
        culprit = jobs.submit(tasks.stall, 300, lane="short", private=True)
        until(lambda culprit=culprit: culprit.latest)
        culprit.cancel()
        until(lambda culprit=culprit: culprit.settled)
    assert neighbour.result(WAIT) == "alive"
    assert neighbour.restarts == 2


def test_the_place_in_the_short_lane_is_known(monkeypatch):
    monkeypatch.setattr(dispatch, "ISOLATED_STOP_SECONDS", 0.1)
    slots = jobs.dispatcher.cluster.slots("short")
    assert slots >= 2
    running = [jobs.submit(tasks.stall, 60, lane="short", private=True, isolated=True) for _ in range(slots)]
    waiting = [jobs.submit(tasks.echo, i, lane="short", private=True, isolated=True) for i in range(3)]
    until(lambda: all(job.latest for job in running) and [job.ahead for job in waiting] == [0, 1, 2])
    for job in running:
        job.cancel()
    assert [job.result(WAIT) for job in waiting] == [0, 1, 2]


def test_many_threads_may_cancel_at_once():
    job = jobs.submit(tasks.collect, private=True)
    until(lambda: job.latest)
    threads = [threading.Thread(target=job.cancel) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: job.settled)
    assert job.partial["whole"] is False
