"""Shares of machines, from the smallest that free clouds give."""

import pytest

from aecore.jobs.plan import child_share, held_share, plan
from aecore.memory import MEGABYTE, server_share


@pytest.mark.parametrize("cores", [1, 2, 16])
@pytest.mark.parametrize("megabytes", [1_000, 2_700, 4_000, 24_000])
def test_everybody_at_the_limit_fits_in(megabytes, cores):
    memory = megabytes * MEGABYTE
    made = plan(memory, cores)
    small = len(made.workers) == 1
    taken = made.server + made.hub + sum(worker.memory for worker in made.workers) + (0 if small else made.child)
    assert taken <= memory
    assert made.server > server_share(memory) + 100 * MEGABYTE  # pages and models come on top of what visitors hold
    assert made.slots("long") == 1
    assert made.slots("short") >= 2
    assert all(worker.memory >= 400 * MEGABYTE for worker in made.workers)
    assert all(held_share(worker.memory) <= worker.memory for worker in made.workers)


def test_a_small_machine_has_one_worker_for_both_lanes():
    assert [worker.name for worker in plan(1_000 * MEGABYTE, 2).workers] == ["both"]
    for megabytes in (2_700, 4_000, 24_000):
        assert [worker.name for worker in plan(megabytes * MEGABYTE, 2).workers] == ["long", "short"]


def test_more_cores_read_more_files_at_once():
    assert [plan(8_000 * MEGABYTE, cores).slots("short") for cores in (1, 2, 4, 64)] == [2, 2, 4, 8]


def test_workers_of_other_clusters_have_shares_too():
    assert held_share(2_500 * MEGABYTE) == 1_050 * MEGABYTE
    assert held_share(100 * MEGABYTE) == 100 * MEGABYTE
    assert child_share(2_000 * MEGABYTE) == 1_000 * MEGABYTE
    assert child_share(0) == 200 * MEGABYTE
