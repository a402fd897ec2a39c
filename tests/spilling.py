"""A worker's preload that leaves Dask's spilling on: for test_jobs_remote.py."""

import dask

from aecore.jobs.worker import dask_setup, dask_teardown

__all__ = ["dask_setup", "dask_teardown"]

dask.config.set({"distributed.worker.memory.spill": 0.7})
