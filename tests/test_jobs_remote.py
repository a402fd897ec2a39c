"""A scheduler and workers of their own, over TLS, with everything that can go wrong between them and the server."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import dask
import numpy as np
import pandas as pd
import pytest

from aecore import jobs
from aecore.anomaly import AnomalyDetector
from aecore.cli import sources
from aecore.cli.score import ScoreSettings, score
from aecore.cli.sources import Stretch
from aecore.concepts import mnist_compression as mnist
from aecore.data.readers import parquet_blocks
from aecore.errors import DataGone, JobError
from aecore.jobs import cluster
from tests import tasks_for_jobs as tasks
from tests.jobs_tools import WAIT, until
from tests.machines import Machines


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """One authority that signed one certificate, which everybody here shows."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine to make certificates with")
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=aecore", "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    settings = {"ca-file": str(cert)}
    settings |= {role: {"cert": str(cert), "key": str(key)} for role in ("scheduler", "worker", "client")}
    return settings


@pytest.fixture(scope="module")
def machines(tls, tmp_path_factory):
    """One scheduler and one worker a lane for the whole module, which the server uses from here on."""
    jobs.shutdown()
    there = Machines(tmp_path_factory.mktemp("machines"), tls=tls)
    client = {"ca-file": tls["ca-file"], "client.cert": tls["client"]["cert"], "client.key": tls["client"]["key"]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AECORE_SCHEDULER", there.address)
        patch.setattr(cluster, "REACH_SECONDS", 60.0)
        patch.setattr(cluster, "SURVEY_EVERY", 0.2)
        with dask.config.set({f"distributed.comm.tls.{name}": file for name, file in client.items()}):
            yield there
            jobs.shutdown()
    there.stop()


def test_work_goes_to_the_machines_and_begins_again_where_a_worker_is_killed(machines, tmp_path):
    job = jobs.submit(tasks.survive, str(tmp_path), private=True)
    until(lambda: (tmp_path / "survive.first").exists() and job.latest)
    first = job.latest["pid"]
    assert first not in {os.getpid(), *(process.pid for process in machines.processes.values())}
    os.kill(first, signal.SIGKILL)  # its nanny starts another
    assert job.result(WAIT)["pid"] != first
    assert job.restarts == 1


def test_without_a_worker_for_its_lane_work_waits_until_there_is_one(machines):
    assert jobs.submit(tasks.echo, 1, lane="short", private=True).result(WAIT) == 1
    machines.stop("long 0")
    time.sleep(0.5)
    waiting = jobs.submit(tasks.echo, 2, private=True)
    time.sleep(0.5)
    assert (waiting.state, waiting.ahead) == ("queued", 0)
    assert jobs.submit(tasks.echo, 3, lane="short", private=True).result(WAIT) == 3
    machines.start_worker("long", "long 0")
    assert waiting.result(WAIT) == 2


def test_files_scored_over_the_machines_are_what_one_process_makes_of_them(machines, tmp_path, monkeypatch, capsys):
    rng = np.random.default_rng(0)
    for name, rows in (("a", 20_000), ("b", 900), ("c", 7_000)):
        values = np.sin(np.arange(rows)[:, None] / 5 + np.arange(2)) + 0.1 * rng.normal(size=(rows, 2))
        values[rows // 2 : rows // 2 + 30, 1] += 4
        pd.DataFrame(values, columns=["u", "i"]).to_parquet(tmp_path / f"{name}.parquet", index=False)
    (tmp_path / "d.parquet").write_bytes(b"PAR1 and no more")
    learnt = tmp_path / "detector.safetensors"
    AnomalyDetector().fit(pd.read_parquet(tmp_path / "a.parquet")[:2000]).save(learnt)
    monkeypatch.setattr(sources, "HELD", 1000)
    monkeypatch.setattr(parquet_blocks, "BLOCK", 2048)
    files = sources.find_files([str(tmp_path / "[abcd].parquet")])
    printed = {}
    for where in (False, True):
        settings = ScoreSettings(
            detector=learnt, normal=Stretch.parse("0%:30%"), out=tmp_path / str(where), format="parquet",
            distributed=where,
        )  # fmt: skip
        assert score(files, settings) == 2  # the torn one; the others are scored all the same
        printed[where] = capsys.readouterr().out
    assert printed[True] == printed[False]
    assert printed[True].count("led by i") == 3
    made = sorted(path.name for path in (tmp_path / "False").iterdir())
    assert made == sorted(f"{name}.{part}.parquet" for name in "abc" for part in ("scores", "events"))
    for name in made:
        assert (tmp_path / "True" / name).read_bytes() == (tmp_path / "False" / name).read_bytes()


def test_values_stay_in_a_worker_and_go_to_another(machines):
    first = jobs.submit(tasks.hold, 50_000, lane="short", private=True)
    summary = first.result(WAIT)
    added = jobs.submit(tasks.add_up, first.handle, private=True).result(WAIT)
    assert added["sums"] == [200_000.0]
    assert added["pid"] != summary["pid"]
    isolated = jobs.submit(tasks.add_up, first.handle, lane="short", private=True, isolated=True).result(WAIT)
    assert isolated["sums"] == [200_000.0]
    jobs.release(first.handle)
    with pytest.raises(DataGone):
        jobs.submit(tasks.add_up, first.handle, private=True).result(WAIT)


def test_a_cancelled_training_goes_on_on_another_machine_with_another_disk(machines, tmp_path):
    network, settings = (
        mnist.CompressionNetwork(width=64, latent_dim=8),
        mnist.CompressionTraining(source="shipped", epochs=50),
    )
    job = jobs.submit(mnist.train, network, settings)
    until(lambda: job.latest)
    machines.start_worker("long", "long b", AECORE_CACHE=str(tmp_path / "b"))
    until(lambda: any("epoch" in entry for entry in job.progress))
    job.cancel()
    until(lambda: job.settled)
    film = job.partial
    assert not film["complete"]
    assert 0 < film["seen"] < 50 * 1_500
    machines.stop("long 0")
    machines.processes["long 0"] = machines.processes.pop("long b")
    further = mnist.CompressionTraining(source="shipped", epochs=1)
    result = jobs.submit(mnist.train, network, further, mnist.start_of(film)).result(WAIT)
    assert result["complete"]
    assert result["seen"] > film["seen"]
    assert len(result["film"]) > len(film["film"])


def test_a_value_whose_worker_has_gone_is_said_to_be_gone(machines):
    job = jobs.submit(tasks.hold, 10, lane="short", private=True)
    os.kill(job.result(WAIT)["pid"], signal.SIGKILL)
    time.sleep(1.0)
    with pytest.raises(DataGone):
        jobs.submit(tasks.add_up, job.handle, private=True).result(WAIT)
    assert jobs.submit(tasks.echo, 1, lane="short", private=True).result(WAIT) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="reads peaks from /proc")
def test_what_a_visitor_sends_and_gets_does_not_pass_the_scheduler(machines):
    jobs.submit(tasks.echo, 1, private=True).result(WAIT)

    def peak():
        status = Path(f"/proc/{machines.processes['scheduler'].pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1000

    before, data = peak(), os.urandom(60_000_000)
    job = jobs.submit(tasks.echo, data, private=True)  # there, back as progress, and back as the result
    assert job.result(WAIT) == data
    assert job.latest == data
    assert peak() - before < 30_000_000


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ({"preload": "tests.tasks_for_jobs"}, "lacks this program's preload"),
        ({"preload": "tests.other_version"}, "runs another version of this program"),
        ({"preload": "tests.spilling"}, "spills data to its disk"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_worker_that_may_not_have_a_visitor_s_data_gets_none(machines, setting, why):
    jobs.submit(tasks.echo, 1, private=True).result(WAIT)
    machines.stop("long 0")
    machines.start_worker("long", "odd", **setting)
    machines.stop("short 1")
    with pytest.raises(JobError, match=f"A worker of the cluster {why}, and is sent nothing: see docs/SCALING.md"):
        jobs.submit(tasks.echo, 2, private=True).result(WAIT)
    machines.start_worker("long", "long 0")
    machines.start_worker("short", "short 1")
    until(lambda: jobs.dispatcher.cluster.slots("long"))
    assert jobs.submit(tasks.echo, 3, private=True).result(WAIT) == 3  # the odd one stands by
    machines.stop("odd")


def test_a_scheduler_without_the_preload_is_not_used(machines, monkeypatch):
    jobs.shutdown()
    machines.stop()
    machines.start_scheduler(preload="tests.tasks_for_jobs")
    with pytest.raises(
        JobError, match=r"reached \(The scheduler of the cluster lacks this program's preload: see docs"
    ):
        jobs.submit(tasks.echo, 1, private=True).result(WAIT)
    machines.stop()
    machines.start_scheduler()
    machines.start_worker("long", "long 0")
    machines.start_worker("short", "short 1")
    assert jobs.submit(tasks.echo, 1, private=True).result(WAIT) == 1


def test_a_stranger_without_the_certificate_gets_nothing(machines, tls, tmp_path):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=stranger", "-keyout", str(tmp_path / "k"), "-out", str(tmp_path / "c")],
        check=True, capture_output=True,
    )  # fmt: skip
    from distributed import Client, Security

    own = {"tls_client_cert": str(tmp_path / "c"), "tls_client_key": str(tmp_path / "k")}
    stranger = Security(require_encryption=True, tls_ca_file=tls["ca-file"], **own)
    with pytest.raises(OSError, match="Timed out|handshake|SSL|TLS"):
        Client(machines.address, security=stranger, timeout=2, set_as_default=False)


def test_a_scheduler_that_goes_is_said_and_one_that_comes_back_is_found(machines, monkeypatch):
    running = jobs.submit(tasks.stall, 300, private=True)
    until(lambda: running.latest)
    monkeypatch.setattr(cluster, "REACH_SECONDS", 1.0)
    machines.stop()
    with pytest.raises(JobError, match="the scheduler does not answer"):
        running.result(WAIT)
    with pytest.raises(JobError, match="the scheduler does not answer"):
        jobs.submit(tasks.echo, 1, private=True).result(WAIT)
    monkeypatch.setattr(cluster, "REACH_SECONDS", 60.0)
    machines.start_scheduler()
    machines.start_worker("long", "long 0")
    assert jobs.submit(tasks.echo, 2, private=True).result(WAIT) == 2  # this process was not started anew


def test_a_setting_of_dask_that_is_wrong_is_said_and_nobody_waits(monkeypatch, tmp_path):
    jobs.shutdown()
    monkeypatch.setenv("AECORE_SCHEDULER", "tls://127.0.0.1:9")
    with dask.config.set({"distributed.comm.tls.ca-file": str(tmp_path / "absent.pem")}):
        for _ in range(2):
            with pytest.raises(JobError, match="could not be started or reached"):
                jobs.submit(tasks.echo, 1, private=True).result(WAIT)
    jobs.shutdown()
