"""Foreign bytes are read in a process that may be killed, and that can do little harm."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import psutil
import pytest

from aecore import jobs
from aecore.errors import JobError, TooFewRows
from aecore.jobs import children
from aecore.jobs.children import ForkServer
from aecore.jobs.serialization import seal, unpack
from tests import tasks_for_jobs as tasks
from tests.jobs_tools import WAIT, until

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the system offers it on Linux only")


@pytest.fixture(scope="module", autouse=True)
def _workers():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AECORE_CHILD_MEGABYTES", "300")
        yield
        jobs.shutdown()


def run(task, *args, **settings):
    return jobs.submit(task, *args, lane="short", private=True, isolated=True, **settings)


def test_progress_and_result_arrive_from_a_process_of_its_own():
    job = run(tasks.count, 300)
    result = job.result(WAIT)
    assert result["sum"] == 44850
    assert [entry["i"] for entry in job.progress] == list(range(300))
    worker = jobs.submit(tasks.pid, lane="short", private=True).result(WAIT)["pid"]
    assert result["pid"] not in (worker, os.getpid())
    assert run(tasks.count, 1).result(WAIT)["pid"] != result["pid"]


def test_large_values_pass_both_ways():
    array = np.random.default_rng(0).random((1_000_000, 4))
    back = run(tasks.echo, array).result(WAIT)
    np.testing.assert_array_equal(back, array)
    back[:] = 0  # the visitor's own


def test_errors_are_the_same_as_anywhere():
    with pytest.raises(TooFewRows, match="^no.$"):
        run(tasks.raise_known, "no.").result(WAIT)
    with pytest.raises(JobError, match="unexpected KeyError"):
        run(tasks.raise_unknown, "no.").result(WAIT)
    with pytest.raises(JobError, match="unexpected SystemExit"):
        run(tasks.call_exit).result(WAIT)


def worker_pid():
    return jobs.submit(tasks.pid, lane="short", private=True).result(WAIT)["pid"]


def test_one_that_eats_memory_gets_a_sentence_and_costs_nobody_anything():
    before = worker_pid()
    with pytest.raises(JobError, match="needs more memory than there is"):
        run(tasks.exhaust).result(WAIT)
    assert worker_pid() == before


def test_one_that_dies_gets_a_sentence_is_not_tried_again_and_costs_nobody_anything():
    before = worker_pid()
    job = run(tasks.leave, 3)
    with pytest.raises(JobError, match="was stopped, perhaps as it needed more memory"):
        job.result(WAIT)
    assert job.restarts == 0
    job = run(tasks.be_busy, 60)
    os.kill(until(lambda: job.latest), signal.SIGKILL)
    with pytest.raises(JobError, match="try a smaller file"):
        job.result(WAIT)
    assert worker_pid() == before


def test_a_slow_one_does_not_stand_in_the_way_of_a_quick_one():
    run(tasks.echo, 0).result(WAIT)
    slow = run(tasks.be_busy, 60)
    until(lambda: slow.latest)
    assert run(tasks.echo, 1).result(WAIT) == 1
    assert slow.state == "running"
    slow.cancel()
    until(lambda: slow.settled)


def test_a_child_ends_with_its_worker():
    slow = run(tasks.be_busy, 60)
    child = until(lambda: slow.latest)
    os.kill(worker_pid(), signal.SIGKILL)
    until(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE)
    until(lambda: slow.restarts == 1 and slow.latest)
    slow.cancel()


@LINUX
def test_the_system_ends_children_first_and_they_keep_no_core_and_no_environment(monkeypatch):
    found = run(tasks.rights).result(WAIT)
    assert found["core"] == 0
    assert found["no_new_privileges"] == "1"
    assert found["oom"] == "1000"
    assert not [name for name in found["environment"] if name.startswith(("AECORE", "STREAMLIT", "DASK", "AWS"))]


def may_unshare():
    return sys.platform == "linux" and subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not may_unshare(), reason="this system lets nobody make a network of its own")
def test_a_child_reaches_no_network():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert jobs.submit(tasks.call_out, port, lane="short", private=True).result(WAIT) == "reached"
        assert run(tasks.call_out, port).result(WAIT) != "reached"


def test_a_child_writes_no_file(tmp_path):
    assert run(tasks.write_file, str(tmp_path / "a")).result(WAIT) == "OSError"
    assert jobs.submit(tasks.write_file, str(tmp_path / "a"), lane="short", private=True).result(WAIT) == "written"


@pytest.mark.parametrize("progress", [True, False])
def test_nothing_that_a_child_sends_is_run(tmp_path, progress):
    trap = tmp_path / "sprung"
    with pytest.raises(JobError, match="could not be read"):
        run(tasks.take_over, str(trap), progress).result(WAIT)
    assert run(tasks.echo, 1).result(WAIT) == 1  # and everybody is still there
    assert not trap.exists()


# ---- the forkserver itself


@pytest.fixture(scope="module")
def forkserver():
    made = ForkServer(300_000_000)
    yield made
    made.close()


def live(forkserver, task, *args, report=lambda entry: None):
    return forkserver.open().run(seal(task, args), True, {}, report, 1 << 30)


@LINUX
def test_the_process_that_forks_has_one_thread(forkserver):
    live(forkserver, tasks.echo, 1)
    assert psutil.Process(forkserver._process.pid).num_threads() == 1


def test_a_nursery_that_died_is_replaced(forkserver):
    live(forkserver, tasks.echo, 1)
    forkserver._process.kill()
    forkserver._process.wait()
    assert unpack(live(forkserver, tasks.echo, 2).value) == 2


def test_children_are_made_at_once_and_end(forkserver):
    outcomes = []
    threads = [
        threading.Thread(target=lambda i=i: outcomes.append(unpack(live(forkserver, tasks.echo, i).value)))
        for i in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == list(range(8))
    until(lambda: not psutil.Process(forkserver._process.pid).children())


def test_where_forking_is_no_good_an_interpreter_is_started(forkserver, monkeypatch):
    monkeypatch.setattr(children, "FORKS", False)
    assert unpack(live(forkserver, tasks.echo, 1).value) == 1
    child = forkserver.open()
    task = threading.Thread(target=lambda: child.run(seal(tasks.be_busy, (60,)), True, {}, print, 1 << 30))
    task.start()
    time.sleep(0.1)
    child.kill()
    task.join(WAIT)
    assert not task.is_alive()


def test_a_child_that_says_too_much_is_not_heard(forkserver):
    outcome = forkserver.open().run(seal(tasks.echo_large, (5_000_000,)), True, {}, lambda entry: None, 1_000_000)
    assert (outcome.state, outcome.value) == ("failed", None)
