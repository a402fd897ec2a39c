"""Tasks that test_jobs.py sends to real workers; they must be importable there."""

import os
import threading
import time
from pathlib import Path

import numpy as np

from aecore.errors import TooFewRows
from aecore.jobs import Cancelled, Held


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


def beat(folder, pause=0.05, limit=600.0):
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
    return {"pid": os.getpid(), "ended": time.time()}


def exhaust():
    """Take memory, a bit at a time as a real computation would, up to what no test machine should have to give."""
    hoard = []
    for i in range(200):
        hoard.append(np.ones(2_000_000))  # 16 MB, written to
        time.sleep(0.05)  # whoever watches may be kept waiting for a processor
        yield i
    return len(hoard)


def leave(code):
    yield 1
    os._exit(code)


def call_exit():
    yield 1
    raise SystemExit(3)


# ---- cancelled work and what it has


def collect(pause=0.02, limit=60.0):
    """Count until cancelled, and give what has been counted."""
    numbers = []
    try:
        for i in range(int(limit / pause)):
            numbers.append(i)
            yield i
            time.sleep(pause)
    except Cancelled:
        return {"numbers": numbers, "whole": False}
    return {"numbers": numbers, "whole": True}


def survive_parts():
    """Take every failure of a part lightly, as a long run may; a cancellation is none."""
    for i in range(3000):
        try:
            yield i
            time.sleep(0.02)
        except Exception:
            yield "swallowed"
    return "whole"


def ignore():
    """Go on yielding, whatever comes."""
    for i in range(3000):
        try:
            yield i
        except Cancelled:
            yield "ignored"
        time.sleep(0.02)
    return "whole"


def linger(seconds):
    """Take some time to give what there is."""
    try:
        for i in range(3000):
            yield i
            time.sleep(0.02)
    except Cancelled:
        time.sleep(seconds)
        return "late"


# ---- values that stay in their worker


def hold(rows, columns=4, fill=1.0):
    yield {"pid": os.getpid()}
    value = np.full((rows, columns), fill)
    return Held({"rows": rows, "pid": os.getpid()}, value)


def hold_what(value):
    yield 0
    return Held("held", value)


def hold_partly():
    try:
        for i in range(3000):
            yield i
            time.sleep(0.02)
    except Cancelled:
        return Held("a part", np.ones(1000))


def add_up(*values):
    yield 0
    return {"sums": [float(np.sum(value)) for value in values], "pid": os.getpid()}


def describe_type(value):
    yield 0
    return type(value).__name__


# ---- in a process of its own


def be_busy(seconds):
    """Compute, without a pause for anybody."""
    yield os.getpid()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
    return os.getpid()


def call_out(port):
    """Try to reach a server on this machine."""
    import socket

    yield 0
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError as error:
        return type(error).__name__
    return "reached"


def write_file(path):
    yield 0
    try:
        Path(path).write_text("a visitor's data")
    except OSError as error:
        return type(error).__name__
    return "written"


def rights():
    """What this process may do and knows."""
    import resource

    yield 0
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {
        "core": resource.getrlimit(resource.RLIMIT_CORE)[1],
        "no_new_privileges": status["NoNewPrivs"].strip(),
        "oom": Path("/proc/self/oom_score_adj").read_text().strip(),
        "environment": sorted(os.environ),
        "threads": status["Threads"].strip(),
    }


class Trap:
    """Runs something wherever it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def take_over(path, progress):
    """Answer as a process would that a file has taken over: past all of this program's own packing."""
    import pickle

    from aecore.jobs import running, serialization

    if not progress:
        yield 0
    running.pack = lambda value, private: serialization.Packed("value", [pickle.dumps(Trap(path))])
    yield 1
    return Held(0, 0)


def survive_often(folder, deaths):
    """Stand still in so many processes, and come to an end in the next."""
    runs = len(list(Path(folder).glob("run.*")))
    (Path(folder) / f"run.{runs}").write_text("")
    yield runs
    if runs < deaths:
        time.sleep(60)
    return "alive"


def echo_large(size):
    yield 0
    return bytes(size)


# ---- for tests/benchmarks/boundaries.py


def parse_and_hold(data):
    """Read a packed array as the pages' parsers do: a summary for the server, the values for later."""
    import gzip
    import io

    yield 0
    values = np.load(io.BytesIO(gzip.decompress(data)))
    yield 1
    return Held({"rows": len(values), "preview": values[:1000].astype(float)}, values.astype(float))


def size_of(data):
    yield 0
    return len(data)
