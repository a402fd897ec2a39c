"""Tasks that test_jobs.py sends to real workers; they must be importable there."""

import os
import threading
import time
from pathlib import Path

import numpy as np

from aecore.errors import TooFewRows


def count(n, pause=0.0):
    for i in range(n):
        yield {"i": i}
        time.sleep(pause)
    return {"sum": sum(range(n)), "pid": os.getpid()}


def calls(folder, name):
    """Leave a trace of every run, so that tests can tell a run from an answer out of the cache."""
    with open(Path(folder) / f"{name}.calls", "a") as file:
        file.write("run\n")
    for i in range(5):
        yield {"i": i, "curve": (1.0, float("nan"))}
        time.sleep(0.02)
    return {"array": np.arange(4.0), "pair": (1, 2)}


def beat(folder, pause=0.05, limit=60.0):
    """Yield for ever; the finally block tells when it was closed."""
    began = time.time()
    try:
        while time.time() - began < limit:
            yield {"time": time.time()}
            time.sleep(pause)
    finally:
        (Path(folder) / "closed").write_text(str(time.time()))


def echo(value):
    yield value
    return value


def stamps(n, pause):
    for _ in range(n):
        yield time.time()
        time.sleep(pause)
    return None


def raise_known(message):
    yield 1
    raise TooFewRows(message)


def raise_unknown(message):
    yield 1
    raise KeyError(message)


def set_free():
    yield 1
    return {"no": {"tree"}}


def unpicklable():
    yield 1
    return threading.Lock()


def pid():
    yield os.getpid()
    return {"pid": os.getpid(), "nice": os.getpriority(os.PRIO_PROCESS, threading.get_native_id())}


def torch_threads():
    import torch

    yield 0
    return {"threads": torch.get_num_threads()}


def stall(seconds):
    yield os.getpid()
    time.sleep(seconds)
    return None


def survive(folder):
    """Yield for ever the first time, and come to an end the second."""
    first = Path(folder) / "survive.first"
    yield {"pid": os.getpid()}
    if not first.exists():
        first.write_text("")
        time.sleep(60)
    return {"pid": os.getpid()}


def exhaust():
    """Take memory, a bit at a time as a real computation would, up to what no test machine should have to give."""
    hoard = []
    for i in range(200):
        hoard.append(np.ones(2_000_000))  # 16 MB, written to
        time.sleep(0.01)
        yield i
    return len(hoard)


def leave(code):
    yield 1
    os._exit(code)


def call_exit():
    yield 1
    raise SystemExit(3)
