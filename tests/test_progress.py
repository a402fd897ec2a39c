"""Generators of progress: run to their end, and passed on."""

import pytest

from aecore.numerics.progress import finish, relay


def steps(closed):
    try:
        yield 1
        yield 2
        return "result"
    finally:
        closed.append(True)


def test_finish_returns_the_result_and_shows_every_step():
    seen = []
    assert finish(steps([]), seen.append) == "result"
    assert seen == [1, 2]


def test_relay_changes_every_step_and_returns_the_result():
    seen = []
    assert finish(relay(steps([]), lambda step: 10 * step), seen.append) == "result"
    assert seen == [10, 20]


def test_a_relay_that_is_closed_closes_what_it_relays():
    closed = []
    relayed = relay(steps(closed), lambda step: step)
    next(relayed)
    relayed.close()
    assert closed == [True]


def test_an_error_in_the_work_comes_through():
    def failing():
        yield 1
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        finish(relay(failing(), lambda step: step))
