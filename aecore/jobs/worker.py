"""The workers' preload: ``dask-worker --preload aecore.jobs.worker``; Dask calls `dask_setup` and `dask_teardown`."""

import contextlib
import os
from pathlib import Path
from typing import Any

from aecore import logs
from aecore.jobs import config
from aecore.jobs.service import SWEEP_SECONDS, WorkerService

config.apply()

# The system ends a worker before the server, the scheduler or anything else of this machine's.
OOM_SCORE = 600


def dask_setup(worker: Any) -> None:
    """Step back behind the pages, before the worker's own threads start, and open the service."""
    from tornado.ioloop import PeriodicCallback

    if hasattr(os, "nice"):  # not on Windows
        os.nice(int(os.environ.get("AECORE_NICE", "0")))
    with contextlib.suppress(OSError):  # Linux only
        Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE))
    _keep_no_core()
    # Dask has no documented way to add handlers and callbacks, nor to read a worker's memory settings and resources (in
    # `service`): a test looks at each of these attributes on real workers.
    worker.aecore_service = service = WorkerService(worker)
    worker.handlers.update(service.handlers())
    worker.periodic_callbacks["aecore"] = PeriodicCallback(service.sweep, 1000 * SWEEP_SECONDS)
    if logs.is_wanted():
        logs.install()


def dask_teardown(worker: Any) -> None:
    """End the children."""
    worker.aecore_service.close()


def _keep_no_core() -> None:
    """Have no crash of this process write its memory, and with it a visitor's data, to a disk."""
    try:
        import resource
    except ImportError:  # Windows
        return
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
