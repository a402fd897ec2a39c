"""A worker's preload that claims to be of another version: for test_jobs_remote.py."""

from aecore.jobs import config
from aecore.jobs.worker import dask_setup, dask_teardown

__all__ = ["dask_setup", "dask_teardown"]

config.fingerprint = lambda: "another"
