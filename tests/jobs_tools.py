"""What the tests of `aecore.jobs` share."""

import time

WAIT = 90.0  # seconds; generous, since these processes share the machine with whatever else runs


def until(condition, seconds=WAIT):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(0.005)
    raise AssertionError(f"not within {seconds} s")
