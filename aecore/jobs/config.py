"""The one configuration of Dask that every scheduler and worker runs under.

Nothing of a visitor's passes the scheduler in any case: arguments, progress and results go straight from process to
process (`aecore.jobs.worker`). This is what keeps them off disks and out of logs there, too.
"""

from typing import Any

CONFIG: dict[str, Any] = {
    "distributed.scheduler.allowed-failures": 0,  # a task that took its worker down would take the next one too
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.memory.target": False,  # never spill: a visitor's data stay in memory
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,  # a worker that holds much between two tasks must still take the next
    "distributed.worker.memory.terminate": 0.95,
    "distributed.admin.low-level-log-length": 0,  # keep no events of what has ended
    "distributed.comm.compression": False,
    # What watches a cluster for people who tune one; it took 5 % of a core while nothing happened.
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "3s",
    "distributed.worker.memory.monitor-interval": "300ms",  # ten looks a second at each worker were half of an idle hub
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.admin.system-monitor.disk": False,
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.diagnostics.nvml": False,
    "distributed.admin.tick.limit": "60s",  # importing torch holds the event loop for seconds, which is no news
}


def apply() -> None:
    """Set it in this process; a preload module does so when Dask imports it, before the worker or scheduler is made."""
    import dask

    dask.config.set(CONFIG)


def fingerprint() -> str:
    """Return the fingerprint of this program's code, which a server and its workers must have in common."""
    from aecore import store  # here, because it loads numpy

    return store.fingerprint()
