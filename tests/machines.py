"""A Dask scheduler and workers of the lanes as processes on this machine, for tests and benchmarks."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]


class Machines:
    """Started on the loopback interface as `compose.yaml` starts them; over TLS where ``tls`` names the files."""

    def __init__(
        self, folder: Path, *, lanes: tuple[str, ...] = ("long", "short"), tls: dict | None = None, nice: bool = False
    ) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.address = f"{'tls' if tls else 'tcp'}://127.0.0.1:{port}"
        self.env = {**os.environ, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0", "PYTHONPATH": str(ROOT)}
        self.env |= {f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS")}
        if tls:
            self.env["DASK_DISTRIBUTED__COMM__TLS__CA_FILE"] = tls["ca-file"]
            for role in ("SCHEDULER", "WORKER", "CLIENT"):
                self.env[f"DASK_DISTRIBUTED__COMM__TLS__{role}__CERT"] = tls[role.lower()]["cert"]
                self.env[f"DASK_DISTRIBUTED__COMM__TLS__{role}__KEY"] = tls[role.lower()]["key"]
        self.folder, self.nice, self.processes = folder, nice, {}
        self.start_scheduler()
        for number, lane in enumerate(lanes):
            self.start_worker(lane, f"{lane} {number}")

    def start_scheduler(self, preload: str = "aecore.jobs.scheduler") -> None:
        self._start("scheduler", "scheduler", "--host", self.address, "--no-dashboard", "--preload", preload)

    def start_worker(self, lane: str, name: str, *, preload: str = "aecore.jobs.worker", **env: str) -> None:
        nice = {"long": "10", "short": "5"}[lane] if self.nice else "0"
        self._start(
            name, "worker", self.address, "--resources", f"{lane}=1", "--nthreads", "1", "--no-dashboard",
            "--preload", preload, "--local-directory", str(self.folder), AECORE_NICE=nice, **env,
        )  # fmt: skip

    def _start(self, name: str, role: str, *options: str, **env: str) -> None:
        command = [sys.executable, "-W", "ignore", "-m", f"distributed.cli.dask_{role}", *options]
        with (self.folder / "machines.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command, env=self.env | env, stdout=log, stderr=log, cwd=self.folder
            )

    def stop(self, *names: str) -> None:
        """End some of them, or all, with whatever they do: who has not gone within a second is killed."""
        ended = [self.processes.pop(name) for name in names or tuple(self.processes)]
        known = [psutil.Process(process.pid) for process in ended]
        known += [child for process in known for child in process.children(recursive=True)]
        for process in ended:
            process.terminate()
        _, left = psutil.wait_procs(known, timeout=1)
        for process in left:
            process.kill()
        for process in ended:
            process.wait()
