"""Values that stay where they were made, and go where they are needed."""

import copy
import gc
import os
import pickle
import signal

import numpy as np
import psutil
import pytest

from aecore import jobs, memory
from aecore.errors import DataGone, JobError, TooBusy
from aecore.jobs import held
from aecore.jobs.held import ValueStore
from aecore.memory import Budget
from tests import tasks_for_jobs as tasks
from tests.jobs_tools import WAIT, until


@pytest.fixture(scope="module", autouse=True)
def _workers():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AECORE_HELD_MEGABYTES", "10")
        yield
        jobs.shutdown()


@pytest.fixture(params=["cluster", "inline"])
def _everywhere(request, monkeypatch):
    if request.param == "inline":
        monkeypatch.setenv("AECORE_JOBS", "inline")


@pytest.fixture
def budget(monkeypatch):
    made = Budget(50_000_000)
    monkeypatch.setattr(memory, "budget", made)
    monkeypatch.setattr(jobs, "budget", made)
    return made


def shelves():
    """Bytes on the store of each worker."""

    def look(dask_worker):
        return dask_worker.aecore_service.values.size

    return jobs.dispatcher.cluster.client.run(look)


def make(rows, lane="short", isolated=False, **settings):
    return jobs.submit(tasks.hold, rows, lane=lane, private=True, isolated=isolated, **settings)


@pytest.mark.usefixtures("_everywhere")
@pytest.mark.parametrize("isolated", [False, True])
def test_a_handle_reaches_the_next_task_as_the_value(isolated):
    first, second = make(100, isolated=isolated), jobs.submit(tasks.hold_what, [3, 4], private=True)
    assert first.result(WAIT)["rows"] == 100
    assert first.handle.size >= 100 * 4 * 8
    assert second.result(WAIT) == "held"
    for lane in ("short", "long"):
        for task_isolated in (False, True):
            job = jobs.submit(
                tasks.add_up, first.handle, 5, second.handle, lane=lane, private=True, isolated=task_isolated
            )
            assert job.result(WAIT)["sums"] == [400.0, 5.0, 7.0]


def test_the_value_of_an_isolated_task_stays_in_the_worker_and_not_in_the_child():
    job = make(100, isolated=True)
    child = job.result(WAIT)["pid"]
    worker = jobs.submit(tasks.add_up, job.handle, lane="short", private=True).result(WAIT)["pid"]
    assert child != worker
    until(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE)


def test_no_second_copy_lies_where_the_value_was_needed():
    job = make(50_000)
    job.result(WAIT)
    jobs.submit(tasks.add_up, job.handle, lane="long", private=True).result(WAIT)
    sizes = sorted(shelves().values())
    assert sizes[0] == 0
    assert sizes[1] >= 50_000 * 4 * 8


@pytest.mark.usefixtures("_everywhere")
def test_what_is_released_is_gone_at_once():
    job = make(10)
    job.result(WAIT)
    jobs.release(job.handle)
    jobs.release(job.handle)
    with pytest.raises(DataGone, match="read them again"):
        jobs.submit(tasks.add_up, job.handle, lane="long", private=True).result(WAIT)


@pytest.mark.usefixtures("_everywhere")
def test_a_handle_that_nobody_holds_lets_its_value_go():
    job = make(10)
    job.result(WAIT)
    handle = job.handle
    twin = pickle.loads(pickle.dumps(handle))
    assert copy.copy(twin).id == handle.id
    del job
    gc.collect()
    assert jobs.submit(tasks.add_up, twin, lane="short", private=True).result(WAIT)["sums"] == [40.0]
    del handle
    gc.collect()

    def gone():
        try:
            jobs.submit(tasks.add_up, twin, lane="short", private=True).result(WAIT)
        except DataGone:
            return True

    until(gone)


def test_waiting_work_keeps_what_it_needs():
    blockers = [jobs.submit(tasks.stall, 0.5, private=True)]
    job = make(10)
    job.result(WAIT)
    waiting = jobs.submit(tasks.add_up, job.handle, private=True)
    del job
    gc.collect()
    assert waiting.result(WAIT)["sums"] == [40.0]
    blockers[0].result(WAIT)


def test_a_value_goes_with_its_worker():
    job = make(10)
    os.kill(job.result(WAIT)["pid"], signal.SIGKILL)
    for lane in ("short", "long"):
        with pytest.raises(DataGone):
            jobs.submit(tasks.add_up, job.handle, lane=lane, private=True).result(WAIT)
    assert make(10).result(WAIT)["rows"] == 10


def test_work_whose_data_are_gone_does_not_keep_its_slot():
    job = make(10)
    job.result(WAIT)
    slots = jobs.dispatcher.cluster.slots("short")
    os.kill(job.result(WAIT)["pid"], signal.SIGKILL)
    for _ in range(2 * slots):
        with pytest.raises(DataGone):
            jobs.submit(tasks.add_up, job.handle, lane="short", private=True).result(WAIT)
    assert jobs.submit(tasks.echo, 1, lane="short", private=True).result(WAIT) == 1


def test_the_value_unused_for_longest_makes_room():
    old, used = make(100_000), make(100_000)  # 3.2 MB each of 10
    for job in (old, used):
        job.result(WAIT)
    assert jobs.submit(tasks.add_up, used.handle, private=True).result(WAIT)["sums"] == [400_000.0]
    assert jobs.submit(tasks.add_up, old.handle, private=True).result(WAIT)["sums"] == [400_000.0]
    new = make(150_000)
    new.result(WAIT)
    with pytest.raises(DataGone):
        jobs.submit(tasks.add_up, used.handle, private=True).result(WAIT)
    total = jobs.submit(tasks.add_up, old.handle, new.handle, private=True).result(WAIT)
    assert total["sums"] == [400_000.0, 600_000.0]
    with pytest.raises(JobError, match="10 MB may be held: use fewer rows"):
        make(400_000).result(WAIT)


def test_only_private_tasks_hold(tmp_path, monkeypatch):
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path))
    with pytest.raises(JobError, match="Only a private task"):
        jobs.submit(tasks.hold, 10).result(WAIT)


def test_a_cancelled_task_may_hold_what_it_has():
    job = jobs.submit(tasks.hold_partly, private=True)
    until(lambda: job.latest)
    job.cancel()
    until(lambda: job.settled)
    assert job.partial == "a part"
    assert jobs.submit(tasks.add_up, job.handle, private=True).result(WAIT)["sums"] == [1000.0]


def test_a_shelf_forgets_a_server_that_is_not_heard_of(monkeypatch):
    values = ValueStore(100)
    here, gone = values.put("a", 1, "here"), values.put("b", 1, "gone")
    monkeypatch.setattr(held, "LEASE_SECONDS", -1.0)
    values._heard["here"] += 1e6
    values.sweep()
    assert values.take(here) == "a"
    with pytest.raises(DataGone):
        values.take(gone)


def test_a_shelf_drops_later_what_a_finalizer_lets_go():
    values = ValueStore(100)
    name = values.put("a", 7, "x")
    values.drop_later(name)
    assert values.size == 0


def test_a_server_that_is_there_is_heard_of(monkeypatch):
    from aecore.jobs import cluster

    jobs.shutdown()
    monkeypatch.setattr(cluster, "HEAR_EVERY", 0.2)
    job = make(10)
    job.result(WAIT)

    def heard(dask_worker):
        return dask_worker.aecore_service.values._heard

    client, owner = jobs.dispatcher.cluster.client, jobs.dispatcher.cluster.owner
    first = client.run(heard)[job.handle.address][owner]
    until(lambda: client.run(heard)[job.handle.address][owner] > first)


# ---- the server's budget


def test_waiting_payloads_are_charged_for_what_is_copied_of_them(budget):
    blocker = jobs.submit(tasks.collect, private=True)
    until(lambda: blocker.latest)
    array, upload = np.zeros(2_000_000), bytes(30_000_000)
    waiting = jobs.submit(tasks.describe_type, array, private=True)
    assert 16_000_000 < budget.held_by("waiting") < 16_100_000
    other = jobs.submit(tasks.describe_type, upload, private=True)
    assert budget.held_by("waiting") < 16_100_000  # the upload's own bytes, which its owner answers for
    with pytest.raises(TooBusy, match="has no room for"):
        jobs.submit(tasks.describe_type, np.zeros(5_000_000), private=True)
    blocker.cancel()
    assert (waiting.result(WAIT), other.result(WAIT)) == ("ndarray", "bytes")
    assert budget.held_by("waiting") == 0


def test_results_are_charged_for_as_long_as_a_handle_is_there(budget):
    job = jobs.submit(tasks.echo, bytes(3_000_000), private=True)
    job.result(WAIT)
    assert 3_000_000 < budget.held_by("results") < 3_001_000
    del job
    gc.collect()
    until(lambda: budget.held_by("results") == 0)


def test_a_result_that_finds_no_room_is_not_fetched(budget):
    job = jobs.submit(tasks.echo_large, 80_000_000, private=True)
    with pytest.raises(TooBusy, match="80 MB, and the server may hold 50 MB"):
        job.result(WAIT)
    assert budget.held_by("results") == 0


@pytest.mark.parametrize("private", [True, False])
def test_packed_and_unpacked_are_never_both_kept(private, tmp_path, monkeypatch):
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path))
    handles = [jobs.submit(tasks.calls, str(tmp_path), "packed", private=private)]
    if not private:
        handles += [jobs.submit(tasks.calls, str(tmp_path), "packed") for _ in range(2)]
    assert len({handle._work for handle in handles}) == 1
    assert handles[0].result(WAIT)["array"].sum() == 6
    work = handles[0]._work
    assert (work.value is None) == private  # others want theirs still
    if not private:
        handles[1].result(WAIT)
        del handles[2]
        gc.collect()
        assert work.value is None or handles[1].result() is not None
    assert handles[0].result()["array"].sum() == 6


def test_a_value_released_twice_counts_once():
    first, second = make(10), make(10)
    first.result(WAIT), second.result(WAIT)
    holding = jobs.dispatcher.cluster.holding
    before = holding.total()
    jobs.release(first.handle)
    jobs.release(first.handle)
    until(lambda: jobs.dispatcher.cluster.holding.total() == before - 1)
    del first
    gc.collect()
    jobs.submit(tasks.add_up, second.handle, lane="short", private=True).result(WAIT)  # later than its finalizer
    assert jobs.dispatcher.cluster.holding.total() == before - 1
