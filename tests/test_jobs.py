import contextlib
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from distributed import Client, Security
from distributed.comm import CommClosedError

from aecore import jobs
from aecore.errors import JobCancelled, JobError, SettingError, StoreError, TooBusy, TooFewRows, WorkerLost
from aecore.jobs import cluster, dispatch, hub
from aecore.jobs.job import MAX_PROGRESS, Progress
from aecore.jobs.plan import plan
from tests import tasks_for_jobs as tasks
from tests.jobs_tools import WAIT, until

ROOT = Path(__file__).parents[1]


def small_short_lane(memory, cores):
    made = plan(memory, cores)
    long, short = made.workers
    return replace(made, workers=(long, replace(short, memory=400 * 2**20)), child=300_000_000)


@pytest.fixture(scope="module", autouse=True)
def _workers():
    """One real cluster for the whole module, its short lane small enough to be exhausted quickly."""
    jobs.shutdown()  # whatever other tests have left running has another plan
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cluster, "plan", small_short_lane)
        yield
        jobs.shutdown()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path / "cache"))
    return str(tmp_path)


@pytest.fixture
def impatient(monkeypatch):
    """End a cancelled task that does not listen at once."""
    monkeypatch.setattr(dispatch, "STOP_SECONDS", 0.1)


@pytest.fixture
def inline(monkeypatch):
    monkeypatch.setenv("AECORE_JOBS", "inline")


def run(code, **env):
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, timeout=WAIT
    )


def runs(folder, name):
    path = Path(folder) / f"{name}.calls"
    return len(path.read_text().splitlines()) if path.exists() else 0


def cluster_of(pid):
    """All processes that a server with this pid has started."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).children(recursive=True)
    return []


# ---- the way of a job


@pytest.mark.parametrize("private", [True, False])
def test_progress_and_result_arrive(private):
    job = jobs.submit(tasks.count, 7, private=private)
    result = job.result(WAIT)
    assert result["sum"] == 21
    assert result["pid"] != os.getpid()
    assert job.progress == [{"i": i} for i in range(7)]
    assert job.latest == {"i": 6}
    assert job.state == "done"
    assert not job.cached


def test_submit_returns_at_once_and_progress_comes_while_it_runs(folder):
    job = jobs.submit(tasks.beat, folder, private=True)  # which goes on until it is stopped
    assert job.state in ("queued", "running")
    until(lambda: len(job.progress) > 3)
    assert job.state == "running"
    job.cancel()


def test_the_seconds_of_a_job_stand_still_once_it_has_ended():
    job = jobs.submit(tasks.count, 10, 0.01, private=True)
    job.result(WAIT)
    seconds = job.seconds
    time.sleep(0.02)
    assert job.seconds == seconds >= 0.1


def test_no_progress_is_lost_or_out_of_order_however_fast_it_comes():
    job = jobs.submit(tasks.count, 1999, private=True)
    job.result(WAIT)
    assert [entry["i"] for entry in job.progress] == list(range(1999))


def test_private_values_come_back_as_they_went():
    value = {"bytes": b"\x00\xff", "array": np.arange(3, dtype=np.int16), "pair": (1, 2), 3: None}
    job = jobs.submit(tasks.echo, value, private=True)
    for back in (job.result(WAIT), job.latest):
        np.testing.assert_array_equal(back.pop("array"), value["array"])
        assert back == {"bytes": b"\x00\xff", "pair": (1, 2), 3: None}


def test_what_the_caller_changes_later_does_not_reach_the_task():
    blocker = jobs.submit(tasks.stall, 0.3, private=True)
    value = {"a": np.zeros(3)}
    job = jobs.submit(tasks.echo, value, private=True)
    value["a"][:] = 1
    assert job.result(WAIT)["a"].sum() == 0
    blocker.result(WAIT)


def test_large_arguments_and_results_pass():
    array = np.random.default_rng(0).random(3_000_000)  # 24 MB
    np.testing.assert_array_equal(jobs.submit(tasks.echo, array, private=True).result(WAIT), array)


def test_waiting_has_a_limit():
    job = jobs.submit(tasks.stall, 0.5, private=True)
    with pytest.raises(JobError, match="within 0.05 s"):
        job.result(0.05)
    assert job.result(WAIT) is None


# ---- errors


@pytest.mark.parametrize("private", [True, False])
def test_errors_made_for_the_screen_cross_the_process_boundary(private):
    job = jobs.submit(tasks.raise_known, "3 rows are too few, give 10.", private=private)
    with pytest.raises(TooFewRows, match="^3 rows are too few, give 10.$"):
        job.result(WAIT)
    assert job.state == "failed"
    assert job.progress == [1]


def test_other_errors_become_one_sentence_and_a_traceback_in_the_log(caplog):
    with pytest.raises(JobError, match="unexpected KeyError") as caught:
        jobs.submit(tasks.raise_unknown, "what the engineer needs").result(WAIT)
    assert "engineer" not in str(caught.value)
    assert "KeyError: 'what the engineer needs'" in caplog.text
    assert "in raise_unknown" in caplog.text


def test_logs_say_where_a_private_task_failed_but_nothing_of_its_data(caplog, capfd):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(JobError):
        jobs.submit(tasks.raise_unknown, "secret-of-a-visitor", private=True).result(WAIT)
    assert "in raise_unknown" in caplog.text
    printed = capfd.readouterr()
    assert "secret-of-a-visitor" not in caplog.text + printed.out + printed.err


def test_a_public_result_that_is_no_tree_is_an_error():
    with pytest.raises(StoreError, match="set"):
        jobs.submit(tasks.set_free).result(WAIT)


def test_a_private_result_that_cannot_travel_is_an_error():
    with pytest.raises(JobError, match="unexpected TypeError"):
        jobs.submit(tasks.unpicklable, private=True).result(WAIT)


def test_arguments_that_do_not_fit_are_an_error():
    with pytest.raises(JobError, match="unexpected TypeError"):
        jobs.submit(tasks.echo, 1, 2, private=True).result(WAIT)


def local_task():
    def task():
        yield 1

    return task


@pytest.mark.parametrize("task", [len, lambda: (yield), local_task(), runs])
def test_only_generator_functions_that_workers_can_import_are_tasks(task):
    with pytest.raises(JobError, match="A task is a generator function"):
        jobs.submit(task)


def test_arguments_that_cannot_travel_are_refused_at_once():
    with pytest.raises(JobError, match="cannot be sent"):
        jobs.submit(tasks.echo, threading.Lock(), private=True)
    with pytest.raises(StoreError):
        jobs.submit(tasks.echo, {1, 2})


def test_unknown_lanes_are_refused():
    with pytest.raises(SettingError, match="got 'fast'"):
        jobs.submit(tasks.echo, 1, lane="fast")


# ---- cancelling


@pytest.mark.parametrize("private", [True, False])
def test_a_cancelled_task_is_closed(folder, private):
    job = jobs.submit(tasks.beat, folder, private=private)
    until(lambda: job.latest)
    job.cancel()
    assert job.state == "cancelled"
    until(lambda: (Path(folder) / "closed").exists())
    with pytest.raises(JobCancelled):
        job.result(WAIT)
    assert jobs.submit(tasks.echo, 1, private=True).result(WAIT) == 1


def test_a_queued_job_is_cancelled_at_once_and_never_runs(folder):
    blocker = jobs.submit(tasks.stall, 0.5, private=True)
    job = jobs.submit(tasks.calls, folder, "queued", private=True)
    assert job.state == "queued"
    job.cancel()
    assert job.state == "cancelled"
    blocker.result(WAIT)
    jobs.submit(tasks.echo, 1, private=True).result(WAIT)
    assert runs(folder, "queued") == 0


def test_cancelling_between_queue_and_start_stops_it(folder):
    for i in range(5):
        job = jobs.submit(tasks.beat, folder, private=True)
        time.sleep(0.004 * i)
        job.cancel()
    assert jobs.submit(tasks.echo, 1, private=True).result(WAIT) == 1


@pytest.mark.usefixtures("impatient")
def test_a_task_that_does_not_listen_goes_down_with_its_process():
    job = jobs.submit(tasks.stall, 300, private=True)
    pid = until(lambda: job.latest)
    job.cancel()
    until(lambda: not psutil.pid_exists(pid))
    assert jobs.submit(tasks.echo, 1, private=True).result(WAIT) == 1


def test_cancelling_what_has_ended_changes_nothing():
    job = jobs.submit(tasks.echo, 1, private=True)
    assert job.result(WAIT) == 1
    job.cancel()
    assert job.state == "done"
    assert job.result() == 1


# ---- one job for the same work


def test_the_same_public_work_is_done_once(folder):
    handles = [jobs.submit(tasks.calls, folder, "shared") for _ in range(4)]
    results = [handle.result(WAIT) for handle in handles]
    assert runs(folder, "shared") == 1
    results[0]["array"][:] = -1  # every handle has a copy of its own
    assert results[1]["array"].sum() == 6


def test_the_work_stops_when_the_last_handle_lets_go(folder):
    first, second = jobs.submit(tasks.beat, folder), jobs.submit(tasks.beat, folder)
    until(lambda: second.latest)
    first.cancel()
    first.cancel()
    assert first.state == "cancelled"
    seen = len(second.progress)
    until(lambda: len(second.progress) > seen + 5)
    assert second.state == "running"
    second.cancel()
    until(lambda: (Path(folder) / "closed").exists())


def test_new_work_starts_where_the_old_is_being_stopped(folder):
    old = jobs.submit(tasks.beat, folder, 0.05, 3.0)
    until(lambda: old.latest)
    old.cancel()
    new = jobs.submit(tasks.beat, folder, 0.05, 3.0)
    assert until(lambda: new.latest)
    assert new.state == "running"
    new.cancel()


def test_private_work_is_never_shared(folder):
    for job in [jobs.submit(tasks.calls, folder, "private", private=True) for _ in range(2)]:
        job.result(WAIT)
    assert runs(folder, "private") == 2


# ---- the cache


def test_the_second_time_the_answer_comes_from_disk(folder):
    first = jobs.submit(tasks.calls, folder, "kept")
    first.result(WAIT)
    until(lambda: not jobs._shared)
    second = jobs.submit(tasks.calls, folder, "kept")
    assert second.state == "done"
    assert second.cached
    assert not first.cached
    for job in (first, second):
        assert job.result()["pair"] == [1, 2]  # the first answer is what the cache will say
        np.testing.assert_array_equal(job.result()["array"], np.arange(4.0))
        assert [entry["i"] for entry in job.progress] == list(range(5))
        assert np.isnan(job.latest["curve"][1])
    assert runs(folder, "kept") == 1


def test_another_process_finds_it_without_starting_workers(folder):
    code = (
        "import sys, psutil; from aecore import jobs; from tests import tasks_for_jobs as tasks\n"
        f"job = jobs.submit(tasks.calls, {folder!r}, 'kept')\n"
        "print(job.cached, job.state, job.result()['pair'], len(job.progress), 'distributed' in sys.modules,"
        " psutil.Process().children())"
    )
    assert run(code, AECORE_JOBS="inline").stdout.strip() == "False done [1, 2] 5 False []"
    assert run(code).stdout.strip() == "True done [1, 2] 5 False []"
    assert runs(folder, "kept") == 1


def test_failed_and_cancelled_work_is_not_kept(folder):
    for _ in range(2):
        job = jobs.submit(tasks.raise_known, "no.")
        with pytest.raises(TooFewRows):
            job.result(WAIT)
        assert not job.cached
        until(lambda: not jobs._shared)


def test_a_disk_that_refuses_costs_only_the_cache(folder, monkeypatch):
    (Path(folder) / "file").write_text("")
    monkeypatch.setenv("AECORE_CACHE", str(Path(folder) / "file"))
    for _ in range(2):
        assert jobs.submit(tasks.calls, folder, "unkept").result(WAIT)["pair"] == [1, 2]
        until(lambda: not jobs._shared)
    assert runs(folder, "unkept") == 2


def test_a_handle_says_whether_the_disk_took_its_result(folder, monkeypatch):
    job = jobs.submit(tasks.calls, folder, "kept")
    assert job.result(WAIT)
    assert job.kept
    assert jobs.submit(tasks.calls, folder, "kept").cached  # it was on disk before anybody could see it
    (Path(folder) / "file").write_text("")
    monkeypatch.setenv("AECORE_CACHE", str(Path(folder) / "file"))
    job = jobs.submit(tasks.calls, folder, "kept")
    assert job.result(WAIT)
    assert not job.kept


def test_long_curves_are_thinned_evenly():
    progress = Progress()
    for i in range(10 * MAX_PROGRESS + 7):
        progress.add(i)
    assert MAX_PROGRESS / 2 <= len(progress.entries) <= MAX_PROGRESS
    assert progress.entries[0] == 0
    assert len(set(np.diff(progress.entries))) == 1
    assert progress.latest == 10 * MAX_PROGRESS + 6
    assert progress.latest - progress.entries[-1] < 2 * (progress.entries[1] - progress.entries[0])


# ---- what visitors may rely on


def files_under(place: str | Path) -> Iterator[bytes]:
    """The content of every file below; what other clusters remove meanwhile is passed over."""
    for folder, _, names in os.walk(place):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                yield Path(folder, name).read_bytes()


def test_private_data_touch_no_disk(folder):
    marker = b"marker-of-a-visitor-" + os.urandom(8).hex().encode()
    data = marker * 500_000  # 18 MB: more than anything would send along in passing
    job = jobs.submit(tasks.echo, data, private=True)
    assert job.result(WAIT) == data
    scratch = jobs.dispatcher.cluster.scratch
    assert Path(scratch).is_dir()
    places = [scratch, folder, str(Path(tempfile.gettempdir()) / "dask-scratch-space")]
    written = [content for place in places for content in files_under(place)]
    assert written  # the workers' own lock files, at least
    assert not [content for content in written if marker in content]


def test_nothing_of_a_private_job_stays_on_the_cluster():
    data = b"marker" * 3_000_000
    job = jobs.submit(tasks.echo, data, private=True)
    assert job.result(WAIT) == data
    client = jobs.dispatcher.cluster.client

    def left(dask_scheduler):
        events = sum(len(topic.events) for topic in dask_scheduler._broker._topics.values())
        return len(dask_scheduler.tasks), events

    until(lambda: client.run_on_scheduler(left) == (0, 0))
    until(lambda: set(client.run(lambda dask_worker: len(dask_worker.state.tasks)).values()) == {0})
    assert not job._work.payload


def test_waiting_private_jobs_run_in_the_order_of_submission(folder):
    first = jobs.submit(tasks.stall, 0.3, private=True)
    others = [jobs.submit(tasks.stamps, 1, 0.05, private=True) for _ in range(4)]
    assert {job.state for job in others} == {"queued"}
    for job in [first, *others]:
        job.result(WAIT)
    times = [job.latest for job in others]
    assert times == sorted(times)


@pytest.mark.usefixtures("impatient")
def test_a_waiting_job_knows_its_place():
    first = jobs.submit(tasks.stall, 60, private=True)
    others = [jobs.submit(tasks.echo, i, private=True) for i in range(3)]
    until(lambda: first.latest and [job.ahead for job in others] == [0, 1, 2])
    others[0].cancel()
    until(lambda: [job.ahead for job in others[1:]] == [0, 1])
    first.cancel()
    assert [job.result(WAIT) for job in others[1:]] == [1, 2]
    assert [job.ahead for job in others[1:]] == [0, 0]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("private", [True, False])
def test_more_than_may_wait_is_refused_and_leaves_no_trace(private, folder, monkeypatch):
    monkeypatch.setattr(dispatch, "MAX_WAITING", 2)
    first = jobs.submit(tasks.stall, 60, private=True)
    until(lambda: first.latest)
    waiting = [jobs.submit(tasks.echo, i, private=True) for i in range(2)]
    until(lambda: len(jobs.dispatcher.queues["long"]) == 2)
    with pytest.raises(TooBusy, match="^2 others are waiting.*try again"):
        jobs.submit(tasks.calls, folder, "refused", private=private)
    assert jobs.submit(tasks.echo, 9, lane="short", private=True).result(WAIT) == 9  # another lane is another queue
    first.cancel()
    assert [job.result(WAIT) for job in waiting] == [0, 1]
    assert jobs.submit(tasks.calls, folder, "refused", private=private).result(WAIT)["pair"]


def test_a_long_job_does_not_block_the_short_lane(folder):
    jobs.submit(tasks.echo, 0, lane="short", private=True).result(WAIT)
    long = jobs.submit(tasks.beat, folder, private=True)
    until(lambda: long.latest)
    assert jobs.submit(tasks.echo, 1, lane="short", private=True).result(WAIT) == 1
    assert long.state == "running"
    long.cancel()


def test_lanes_step_back_behind_the_page_and_share_the_cores():
    cores = max(1, len(os.sched_getaffinity(0)))
    short, long = (jobs.submit(tasks.pid, lane=lane, private=True).result(WAIT) for lane in ("short", "long"))
    own = os.nice(0)  # which the workers come on top of
    assert (short["nice"] - own, long["nice"] - own) == (5, 10)
    assert short["pid"] != long["pid"]
    assert jobs.submit(tasks.torch_threads, private=True).result(WAIT) == {"threads": max(1, cores - 1)}


def test_only_the_loopback_interface_is_listened_on():
    jobs.submit(tasks.echo, 1, private=True).result(WAIT)
    hub = jobs.dispatcher.cluster.hub.pid
    sockets = [
        connection
        for process in [psutil.Process(hub), *cluster_of(hub)]
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(sockets) >= 3
    assert {connection.laddr.ip for connection in sockets} == {"127.0.0.1"}


def test_nobody_without_the_hub_s_own_certificate_is_let_in():
    """Every account of this machine can reach the port; whoever is let in has the workers run anything."""
    jobs.submit(tasks.echo, 1, private=True).result(WAIT)
    address = jobs.dispatcher.cluster.client.scheduler.address
    assert address.startswith("tls://127.0.0.1:")
    with pytest.raises(OSError, match="Timed out|handshake|SSL|TLS"):
        Client(address, security=Security.temporary(), timeout=2, set_as_default=False)
    assert jobs.submit(tasks.echo, 2, private=True).result(WAIT) == 2


def test_what_this_program_takes_for_granted_of_dask_is_so():
    """None of it is promised: where an upgrade changes one of these, the jobs have to follow."""
    pids = {jobs.submit(tasks.pid, lane=lane, private=True).result(WAIT)["pid"] for lane in ("long", "short")}
    client = jobs.dispatcher.cluster.client
    assert set(client.run(lambda dask_worker: dask_worker.pid, nanny=True).values()) == pids  # cluster.kill

    def limits(dask_worker):
        memory = dask_worker.memory_manager
        return memory.memory_limit, memory.memory_target_fraction, memory.memory_spill_fraction, type(dask_worker.data)

    wanted = {(worker.memory, False, False, dict) for worker in jobs.dispatcher.cluster.plan.workers}
    assert set(client.run(limits).values()) == wanted  # service.WorkerService
    lanes = client.run(lambda dask_worker: sorted(dask_worker.state.total_resources))
    assert sorted(lanes.values()) == [["long"], ["short"]]  # service.WorkerService.load
    assert client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.allowed_failures) == 0  # scheduler.dask_setup

    def beats():
        return set(client.run(lambda dask_worker: dask_worker.periodic_callbacks["heartbeat"].callback_time).values())

    end = time.monotonic() + WAIT
    while beats() != {1000 * hub.HEARTBEAT} and time.monotonic() < end:  # told with the first beat's answer
        time.sleep(0.1)
    assert beats() == {1000 * hub.HEARTBEAT}  # hub._serve
    handlers = client.run(lambda dask_worker: "aecore_deliver" in dask_worker.handlers)
    assert set(handlers.values()) == {True}  # worker.dask_setup
    sweeps = client.run(lambda dask_worker: dask_worker.periodic_callbacks["aecore"].is_running())
    assert set(sweeps.values()) == {True}


# ---- deaths


def kill_worker_of(job):
    pid = until(lambda: job.latest)
    os.kill(pid["pid"] if isinstance(pid, dict) else pid, signal.SIGKILL)


@pytest.mark.parametrize("private", [True, False])
def test_work_whose_worker_is_killed_begins_again_before_what_waits(folder, private):
    job = jobs.submit(tasks.survive, folder, private=private)
    waiting = jobs.submit(tasks.stamps, 1, 0.0, private=True)
    until(lambda: (Path(folder) / "survive.first").exists() and job.latest)
    first = job.latest["pid"]
    kill_worker_of(job)
    assert until(lambda: job.restarts) == 1
    second, ended = (job.result(WAIT)[name] for name in ("pid", "ended"))
    assert second != first
    assert job.progress == [{"pid": second}]  # what the dead process had sent is not mixed with it
    waiting.result(WAIT)
    assert waiting.latest > ended
    assert waiting.restarts == 0


def test_work_whose_worker_is_killed_twice_fails_and_no_other_does(folder):
    job = jobs.submit(tasks.stall, 60, private=True)
    waiting = jobs.submit(tasks.echo, "still here", private=True)
    kill_worker_of(job)
    until(lambda: job.restarts and job.latest)
    kill_worker_of(job)
    with pytest.raises(WorkerLost, match="twice.*start it again"):
        job.result(WAIT)
    assert job.state == "failed"
    assert waiting.result(WAIT) == "still here"


def test_a_task_that_ends_its_process_is_tried_twice_and_no_more():
    job = jobs.submit(tasks.leave, 0, lane="short")
    with pytest.raises(WorkerLost):
        job.result(WAIT)
    assert job.restarts == 1
    assert jobs.submit(tasks.echo, 1, lane="short", private=True).result(WAIT) == 1


def test_a_task_that_eats_memory_goes_down_alone(folder):
    long = jobs.submit(tasks.beat, folder, private=True)
    until(lambda: long.latest)
    with pytest.raises(WorkerLost):
        jobs.submit(tasks.exhaust, lane="short", private=True).result(WAIT)
    assert long.state == "running"
    long.cancel()
    assert jobs.submit(tasks.echo, 1, lane="short", private=True).result(WAIT) == 1


def test_a_task_that_calls_for_an_exit_fails():
    with pytest.raises(JobError):
        jobs.submit(tasks.call_exit, lane="short", private=True).result(WAIT)
    assert jobs.submit(tasks.echo, 1, lane="short", private=True).result(WAIT) == 1


@pytest.mark.usefixtures("impatient")
def test_all_survive_the_death_of_the_scheduler():
    job = jobs.submit(tasks.stall, 60, private=True)
    pid = until(lambda: job.latest)
    jobs.dispatcher.cluster.hub.kill()
    until(lambda: job.restarts and job.latest not in (None, pid))
    job.cancel()
    assert jobs.submit(tasks.echo, 1, private=True).result(WAIT) == 1
    until(lambda: not psutil.pid_exists(pid))


def test_everything_ends_with_a_server_that_is_killed(tmp_path):
    code = (
        "import sys, time; from aecore import jobs; from tests import tasks_for_jobs as tasks\n"
        "job = jobs.submit(tasks.stall, 300, private=True)\n"
        "while not job.latest: time.sleep(0.01)\n"
        "print('up', flush=True); time.sleep(300)"
    )
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=env, stdout=subprocess.PIPE) as server:
        assert server.stdout.readline() == b"up\n"
        family = cluster_of(server.pid)
        assert len(family) >= 3  # the hub and two workers
        server.kill()
    until(lambda: not any(process.is_running() for process in family))
    until(lambda: not list(tmp_path.glob("aecore-jobs-*")))


def test_everything_ends_with_a_server_that_exits():
    code = (
        "import psutil; from aecore import jobs; from tests import tasks_for_jobs as tasks\n"
        "jobs.submit(tasks.echo, 1, private=True).result()\n"
        "jobs.submit(tasks.stall, 300, private=True)\n"
        "print(*[process.pid for process in psutil.Process().children(recursive=True)])"
    )
    done = run(code)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    family = [int(pid) for pid in done.stdout.split()]
    assert len(family) >= 3
    until(lambda: not any(map(psutil.pid_exists, family)))


def test_a_server_that_does_not_wait_for_an_answer_is_no_news(caplog):
    logger = logging.getLogger("distributed.scheduler")
    logger.addFilter(hub._is_news)
    try:
        for error in (CommClosedError("gone"), ValueError("a real one")):
            try:
                raise error
            except (CommClosedError, ValueError):
                logger.critical("Closed comm while trying to write %s", {"secret": 1}, exc_info=True)
    finally:
        logger.removeFilter(hub._is_news)
    assert [str(record.exc_info[1]) for record in caplog.records] == ["a real one"]


# ---- starting


def test_importing_loads_nothing_heavy_and_starts_nothing():
    code = (
        "import sys, threading, aecore.jobs\n"
        "print([m for m in ('numpy', 'torch', 'distributed', 'dask', 'streamlit') if m in sys.modules])\n"
        "import psutil; print(psutil.Process().children(), threading.active_count())"
    )
    assert run(code).stdout.splitlines() == ["[]", "[] 1"]


@pytest.mark.release
def test_warming_loads_torch_once_and_for_all():
    threads = [threading.Thread(target=jobs.warm) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    jobs.warm()
    client = jobs.dispatcher.cluster.client
    assert list(client.run(lambda: {"torch", "torch._dynamo"} <= set(sys.modules)).values()) == [True, True]


def test_modules_are_loaded_in_the_workers_of_their_lane():
    named = {"short": ("tabnanny",), "long": ("pyclbr",)}
    threads = [threading.Thread(target=jobs.warm, args=(named,)) for _ in range(3)]  # as if three servers' pages did
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    client = jobs.dispatcher.cluster.client

    def look(dask_worker):
        return sorted(dask_worker.state.total_resources), *(name in sys.modules for name in ("tabnanny", "pyclbr"))

    loaded = client.run(look)
    assert sorted(loaded.values()) == [(["long"], False, True), (["short"], True, False)]


def test_a_reloaded_module_ends_the_workers_of_its_former_self():
    code = (
        "import sys, psutil, time\n"
        "def submit():\n"
        "    from aecore import jobs; from tests import tasks_for_jobs as tasks\n"
        "    assert jobs.submit(tasks.echo, 1, private=True).result() == 1\n"
        "    return {process.pid for process in psutil.Process().children(recursive=True)}\n"
        "first = submit()\n"
        "for name in [name for name in sys.modules if name.startswith(('aecore', 'tests'))]: del sys.modules[name]\n"
        "second = submit()\n"
        "print(len(first) >= 3, len(second) >= 3, first & second)"
    )
    assert run(code).stdout.strip() == "True True set()"


def test_a_shutdown_cancels_work_and_ends_the_workers():
    running = jobs.submit(tasks.stall, 60, private=True)
    queued = jobs.submit(tasks.echo, 1, private=True)
    until(lambda: running.latest)
    family = cluster_of(jobs.dispatcher.cluster.hub.pid)
    jobs.shutdown()
    assert (running.state, queued.state) == ("cancelled", "cancelled")
    until(lambda: not any(process.is_running() for process in family))


def test_workers_that_cannot_be_started_fail_the_job_and_not_the_server(monkeypatch):
    jobs.shutdown()
    monkeypatch.setenv("AECORE_SCHEDULER", "tcp://127.0.0.1:9")
    monkeypatch.setattr(cluster, "REACH_SECONDS", 0.5)
    with pytest.raises(JobError, match=r"reached \(the scheduler does not answer\): try again later"):
        jobs.submit(tasks.echo, 1, private=True).result(WAIT)
    monkeypatch.undo()
    assert jobs.submit(tasks.echo, 2, private=True).result(WAIT) == 2  # which starts the workers anew


def test_a_scheduler_that_may_not_be_used_is_said_without_its_address(monkeypatch, caplog):
    jobs.shutdown()
    monkeypatch.setenv("AECORE_SCHEDULER", "tcp://10.0.0.5:8786")
    with pytest.raises(JobError, match="AECORE_SCHEDULER must be tls://") as caught:
        jobs.submit(tasks.echo, 1, private=True).result(WAIT)
    assert "10.0.0.5" not in str(caught.value)
    assert "10.0.0.5" in caplog.text


# ---- inline


@pytest.mark.usefixtures("inline")
def test_inline_work_is_done_when_submit_returns(folder):
    job = jobs.submit(tasks.calls, folder, "inline")
    assert job.state == "done"
    assert not job.cached
    assert job.result()["pair"] == [1, 2]
    again = jobs.submit(tasks.calls, folder, "inline")
    assert again.cached
    assert again.progress[0]["i"] == 0
    assert runs(folder, "inline") == 1
    jobs.warm()


@pytest.mark.usefixtures("inline")
def test_inline_errors_are_the_same():
    assert jobs.submit(tasks.pid, private=True).result()["pid"] == os.getpid()
    with pytest.raises(TooFewRows, match="^no.$"):
        jobs.submit(tasks.raise_known, "no.").result()
    with pytest.raises(JobError, match="unexpected KeyError"):
        jobs.submit(tasks.raise_unknown, "no.", private=True).result()


@pytest.mark.parametrize(
    ("address", "fine"),
    [
        (None, True),
        ("tls://cluster.example:8786", True),
        ("tcp://127.0.0.1:8786", True),
        ("tcp://[::1]:8786", True),
        ("tcp://10.0.0.5:8786", False),
        ("tcp://cluster.example:8786", False),
        ("ucx://127.0.0.1:8786", False),
        ("127.0.0.1:8786", False),
    ],
)
def test_a_scheduler_without_tls_is_only_used_on_this_machine(address, fine):
    from aecore.jobs.cluster import _check_address

    if fine:
        assert _check_address(address) == address
    else:
        with pytest.raises(JobError, match="tls://"):
            _check_address(address)
