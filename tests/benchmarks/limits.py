"""What the server's limits hold it to: memory under uploads and unfinished messages, and its processors while idle.

    python -m tests.benchmarks.limits [uploads] [visits] [messages] [idle] [reports] [--count 200] [--megabytes 20]

uploads: one visitor sends one file after the other in one tab. visits: in a tab of its own each, which is closed again.
messages: four connections send 60 MB of a message that does not end. idle: one tab is open and nothing happens; the
server starts as the README says, without settings for its file watcher. reports: one visitor asks for thirty reports of
a recording at once, while another changes a control of another page. Memory is the resident set of the server's
process. "within the grace" is server.disconnectedSessionTTL and 15 s after the last tab has closed; nobody else comes.
"""

import argparse
import asyncio
import contextlib
import os
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil
from streamlit.proto.Common_pb2 import StringArray
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.benchmarks.memory import recording, resident
from tests.servers import Server, serving
from tests.visitor import Failed, Visitor, _token

GRACE, AFTER, DRAWN = 30.0, 15.0, 40.0  # s
PAGE, OWN, LABEL = "Sensor_Anomalies", "source=Your+own+file", "A sensor log"


async def watch(server: Server, peak: list[float]) -> None:
    while True:
        peak[0] = max(peak[0], resident(server)[0])
        await asyncio.sleep(0.05)


async def warmed(server: Server, megabytes: float = 0.1) -> float:
    """Open the page once, with a file, until all of it is drawn: what is loaded once is loaded; return the memory."""
    visitor = await Visitor.open(server.url, PAGE, OWN)
    await visitor.upload(LABEL, "first.npy", recording(megabytes, 0))
    end = time.monotonic() + DRAWN
    await visitor.until(lambda: time.monotonic() > end, seconds=2 * DRAWN)
    await visitor.close()
    await asyncio.sleep(GRACE + AFTER)
    return resident(server)[0]


async def uploads(server: Server, options: argparse.Namespace, tab_each: bool = False) -> None:
    base = await warmed(server, options.megabytes)
    peak, codes = [base], Counter[int]()
    task = asyncio.create_task(watch(server, peak))
    visitor = await Visitor.open(server.url, PAGE, OWN)
    began = time.monotonic()
    for seed in range(options.count):
        if tab_each and seed:
            await visitor.close()
            visitor = await Visitor.open(server.url, PAGE, OWN)
        try:
            codes[await visitor.upload(LABEL, f"{seed}.npy", recording(options.megabytes, seed))] += 1
        except Failed:  # there is no room, which the page says before the file is sent
            codes[0] += 1
    await visitor.close()
    seconds = time.monotonic() - began
    await asyncio.sleep(GRACE + AFTER)
    task.cancel()
    print(
        f"{options.count} uploads of {options.megabytes:g} MB, {'a tab each' if tab_each else 'one tab'}: answers "
        f"{dict(codes)} in {seconds:.0f} s; server {base:.0f} MB, at most {peak[0] - base:+.0f} MB, "
        f"{resident(server)[0] - base:+.0f} MB within the grace",
        flush=True,
    )


async def messages(server: Server, options: argparse.Namespace) -> None:
    base = await warmed(server)
    peak, secret = [base], _token(server.url)
    task = asyncio.create_task(watch(server, peak))

    async def send() -> int:
        sent = 0

        async def pieces():
            nonlocal sent
            for _ in range(60):
                yield os.urandom(1_000_000)
                sent += 1
            await asyncio.sleep(20)
            yield b""

        async with connect(
            f"ws://{server.url[7:]}/_stcore/stream", subprotocols=["streamlit", secret], max_size=None,
            compression=None, ping_interval=None,
        ) as socket:  # fmt: skip
            with contextlib.suppress(ConnectionClosed):
                await socket.send(pieces())
        return sent

    sent = await asyncio.gather(*(send() for _ in range(4)))
    task.cancel()
    print(
        f"4 unfinished messages of 60 MB: {sent} MB were taken; server {base:.0f} MB, at most {peak[0] - base:+.0f} MB"
    )


async def idle(server: Server, options: argparse.Namespace) -> None:
    visitor = await Visitor.open(server.url, PAGE)
    await asyncio.sleep(60)  # workers have started and loaded what they need
    family = [psutil.Process(server.process.pid), *psutil.Process(server.process.pid).children(recursive=True)]
    before = {process.pid: used(process) for process in family}
    await asyncio.sleep(options.seconds)
    shares = {process: (used(process) - before[process.pid]) / options.seconds for process in family}
    for process, share in shares.items():
        print(f"  {share:6.2%} {' '.join(process.cmdline()[1:5])[:90]}")
    lines = server.log.read_text().count("Inotify")
    print(f"idle, one tab: {sum(shares.values()):.2%} of a core, {lines} lines about inotify", flush=True)
    await visitor.close()


async def reports(server: Server, options: argparse.Namespace) -> None:
    asking, other = await Visitor.open(server.url, PAGE, OWN), await Visitor.open(server.url)
    await asking.upload(LABEL, "log.npy", recording(2, 0))

    def offered() -> list[str]:
        return [each.deferred_file_id for each in asking.of_kind("download_button") if each.label == "Report"]

    await asking.until(offered, seconds=2 * DRAWN)
    waits = []
    await asyncio.sleep(GRACE)  # the workers have come to rest

    async def change() -> None:
        for digit in range(10):
            waits.append(await other.set("button_group", "Digit", string_array_value=StringArray(data=[str(digit)])))
            await asyncio.sleep(0.3)

    began, requests = time.perf_counter(), []
    for _ in range(30):
        requests.append(await asking.ask_for_file(offered()[0]))
    changing = asyncio.create_task(change())
    answers: dict[str, str] = {}
    refused = 0.0  # s until the last refusal
    while len(answers) < len(requests):
        message = await asking._receive()
        if message.WhichOneof("type") == "backend_operation_response":
            response = message.backend_operation_response
            answers[response.request_id] = response.error_msg
            refused = time.perf_counter() - began if response.error_msg else refused
    seconds = time.perf_counter() - began
    await changing
    print(
        f"30 reports asked for at once: {sum(map(bool, answers.values()))} refused within {refused:.2f} s, "
        f"{sum(not error for error in answers.values())} made in {seconds:.1f} s; meanwhile another visitor's "
        f"changes took at most {1000 * max(waits):.0f} ms"
    )
    print("  " + next(filter(None, answers.values()), ""))
    await asyncio.gather(asking.close(), other.close())


def used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["uploads", "visits", "messages", "idle", "reports"])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--megabytes", type=float, default=20)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--script", choices=["serve.py", "Home.py"], default="serve.py")
    options = parser.parse_args()
    plays = {
        "uploads": uploads, "visits": lambda server, options: uploads(server, options, tab_each=True),
        "messages": messages, "idle": idle, "reports": reports,
    }  # fmt: skip
    for what in options.what:
        with tempfile.TemporaryDirectory() as name, serving(Path(name), options.script, watch=what == "idle") as server:
            asyncio.run(plays[what](server, options))


if __name__ == "__main__":
    main()
