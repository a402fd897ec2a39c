"""The scheduler's preload: ``dask-scheduler --preload aecore.jobs.scheduler``; Dask calls `dask_setup`."""

from collections.abc import Iterator
from typing import Any

import dask

from aecore import logs
from aecore.jobs import config

config.apply()


def dask_setup(scheduler: Any) -> None:
    """Answer a server that asks under which settings this one runs."""
    scheduler.allowed_failures = config.CONFIG["distributed.scheduler.allowed-failures"]  # was read before the preload
    scheduler.handlers["aecore_describe"] = lambda: {"faults": list(_find_faults(scheduler))}
    if logs.is_wanted():
        logs.install()


def _find_faults(scheduler: Any) -> Iterator[str]:
    if dask.config.get("distributed.admin.low-level-log-length") != 0:
        yield "keeps what passes through it"
    if scheduler.allowed_failures != 0:
        yield "starts work again that took its worker down"
