"""The scheduler's preload: ``dask-scheduler --preload aecore.jobs.scheduler``; Dask calls `dask_setup`."""

from typing import Any

from aecore import logs
from aecore.jobs import config

config.apply()


def dask_setup(scheduler: Any) -> None:
    """Answer a server that asks under which settings this one runs."""
    scheduler.allowed_failures = config.CONFIG["distributed.scheduler.allowed-failures"]  # was read before the preload
    scheduler.handlers["aecore_describe"] = lambda: config.describe_scheduler(scheduler)
    if logs.is_wanted():
        logs.install()
