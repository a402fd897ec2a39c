import threading

import pytest

from aecore import memory
from aecore.errors import TooBusy
from aecore.memory import Budget


def test_a_budget_takes_and_gives_back():
    budget = Budget(100)
    first = budget.charge(60, "a")
    with budget.charge(40, "b"):
        assert (budget.held, budget.held_by("a"), budget.held_by("b")) == (100, 60, 40)
        with pytest.raises(TooBusy, match="try again in some minutes"):
            budget.charge(1, "a")
    first.release()
    first.release()
    assert (budget.held, budget.held_by("a")) == (0, 0)


def test_a_charge_that_is_forgotten_comes_back():
    budget = Budget(100)
    budget.charge(60, "a")
    assert budget.held == 0
    zero = budget.charge(0, "a")
    zero.release()
    assert budget.held_by("a") == 0


def test_what_never_fits_is_said_so():
    with pytest.raises(TooBusy, match="takes 3 MB.* may hold 2 MB"):
        Budget(2_000_000).charge(3_000_000)


def test_a_budget_is_safe_to_use_from_many_threads():
    budget, refused = Budget(10), []

    def play():
        for _ in range(500):
            try:
                with budget.charge(3, "a"):
                    assert budget.held <= 10
            except TooBusy:
                refused.append(1)

    threads = [threading.Thread(target=play) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert budget.held == 0


def test_settings_say_how_much_there_is(monkeypatch):
    monkeypatch.setenv("AECORE_MEMORY_MEGABYTES", "1000")
    assert memory.machine_memory() == 1_000_000_000
    assert Budget().limit == 150_000_000
    monkeypatch.setenv("AECORE_SERVER_MEGABYTES", "77")
    assert Budget().limit == 77_000_000


def test_a_container_s_limit_counts(monkeypatch, tmp_path):
    monkeypatch.delenv("AECORE_MEMORY_MEGABYTES", raising=False)
    there = memory.machine_memory()
    (tmp_path / "memory.max").write_text("123456789\n")
    (tmp_path / "unlimited").write_text("max\n")
    monkeypatch.setattr(memory, "_CGROUPS", (str(tmp_path / "unlimited"), str(tmp_path / "memory.max")))
    assert memory.machine_memory() == 123_456_789 < there


@pytest.mark.parametrize(("megabytes", "share"), [(500, 120), (1_000, 150), (2_700, 405), (4_000, 600), (24_000, 2000)])
def test_the_server_s_share(megabytes, share):
    assert memory.server_share(megabytes * 1_000_000) == share * 1_000_000
