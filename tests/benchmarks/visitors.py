"""Many visitors at once, each with one change every few seconds, in open loop: how long until a change is shown.

    python -m tests.benchmarks.visitors [--visitors 50] [--seconds 60] [--every 3] [--trainings 2] [--script serve.py]

Each visitor speaks Streamlit's messages over a websocket of its own; a change's time runs from the moment when it was
due (not from when it could be sent) to the end of the run that it causes, all elements received and taken apart. With
--trainings, so many more visitors train VAEs of their own meanwhile, on as many workers beside the server. Visitors,
server and workers share this machine's cores; what the visitors themselves take of them is printed too.
"""

import argparse
import asyncio
import contextlib
import os
import random
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from tests.machines import Machines
from tests.servers import Server, serving
from tests.visitor import Failed, Visitor

SETTLE = 8.0  # s between the last visitor's arrival and the first change that counts: the workers are up by then

# What visitors change: page, kind of control, its label, and values to choose from.
Change = tuple[str, str, list[Any]]
CHANGES: dict[str, list[Change]] = {
    "": [("button_group", "Digit", [str(digit) for digit in range(10)])],
    "Bottleneck": [
        ("slider", "Complexity, sinusoids", [float(k) for k in range(1, 41)]),
        ("slider", "Noise, × the signal's rms", [0.0, 0.1, 0.2, 0.5, 1.0]),
    ],
    "Latent_Clusters": [("button_group", "Machine", ["PCA", "Autoencoder", "VAE"])],
    "VAE_Morphing": [
        ("selectbox", "From", ["circle", "ellipse", "triangle", "square", "star", "heart"]),
        ("selectbox", "To", ["circle", "ellipse", "triangle", "square", "star", "heart"]),
    ],
    "MNIST_Compression": [("slider", "Epochs", [float(k) for k in range(1, 51)])],
    "Audio_Denoising": [("button_group", "Frequencies", ["as heard (mel)", "in even steps"])],
    "Sensor_Anomalies": [
        ("slider", "Standard deviations", [k / 2 for k in range(4, 16)]),
        ("slider", "In view, % of the rows", [0.0, 10.0, 20.0]),
    ],
}
FIELDS = {"button_group": "string_array_value", "slider": "double_array_value", "selectbox": "string_value"}


def value(kind: str, chosen: Any) -> dict[str, Any]:
    """A widget's value as the message wants it."""
    from streamlit.proto.Common_pb2 import DoubleArray, StringArray

    if kind == "selectbox":
        return {"string_value": chosen}
    if kind == "button_group":
        return {"string_array_value": StringArray(data=[chosen])}
    return {"double_array_value": DoubleArray(data=[chosen, 100.0] if chosen in (0.0, 10.0, 20.0) else [chosen])}


async def one_visitor(visitor: Visitor, page: str, due: list[float], rng: random.Random, found: list) -> None:
    """Make every change when it is due, or as soon after as the one before has ended; note (page, seconds, error)."""
    for at in due:
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        kind, label, values = rng.choice(CHANGES[page])
        try:
            await visitor.set(kind, label, **value(kind, rng.choice(values)))
            visitor.check()
            found.append((page, time.perf_counter() - at, ""))
        except (Failed, OSError, TimeoutError) as error:
            found.append((page, time.perf_counter() - at, f"{type(error).__name__}: {error}"))


async def train(url: str, stop: asyncio.Event, number: int, seen: list[int]) -> None:
    """A visitor who trains networks of their own, one after the other, and watches; counts the progress shown."""
    for run in range(99):
        query = f"networks=Train+your+own&own_seed={100 * number + run}"
        visitor = await Visitor.open(url, "VAE_Morphing", query)
        button, fragment = visitor.widget("button", "Train")
        await visitor.send_value(button.id, fragment, wait=False, trigger_value=True)
        shown: set[str] = set()

        def over(visitor: Visitor = visitor, shown: set[str] = shown) -> bool:
            shown.update(each.text for each in visitor.of_kind("progress"))
            return stop.is_set() or bool(shown) and not visitor.of_kind("progress")

        with contextlib.suppress(Failed):
            await visitor.until(over, seconds=300)
        seen[number] += len(shown)
        await visitor.close()
        if stop.is_set():
            return


def processes(server: Server) -> tuple[float, float]:
    """Resident set of the server alone in MB, and processor seconds that it has used."""
    process = psutil.Process(server.process.pid)
    times = process.cpu_times()
    return process.memory_info().rss / 1e6, times.user + times.system


async def play(server: Server, options: argparse.Namespace) -> None:
    rng = random.Random(0)
    pages = [page for _, page in zip(range(options.visitors), list(CHANGES) * options.visitors, strict=False)]
    visitors = []
    for page in pages:
        visitors.append(await Visitor.open(server.url, page))
        await asyncio.sleep(0.05)
    stop, seen = asyncio.Event(), [0] * options.trainings
    trainings = [asyncio.create_task(train(server.url, stop, n, seen)) for n in range(options.trainings)]
    await asyncio.sleep(SETTLE)
    found: list[tuple[str, float, str]] = []
    begin = time.perf_counter() + 1
    times = [begin + options.every * (i / len(pages)) for i in range(len(pages))]
    ours = resource.getrusage(resource.RUSAGE_SELF)
    memory, busy = processes(server)
    turns = range(int(options.seconds // options.every))
    await asyncio.gather(*(
        one_visitor(visitor, page, [at + options.every * turn for turn in turns], rng, found)
        for visitor, page, at in zip(visitors, pages, times, strict=True)
    ))  # fmt: skip
    wall = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_SELF)
    memory, used = processes(server)
    own = after.ru_utime + after.ru_stime - ours.ru_utime - ours.ru_stime
    stop.set()
    await asyncio.gather(*trainings, *(visitor.close() for visitor in visitors))
    report(found, options, wall)
    print(f"server {memory:.0f} MB, {(used - busy) / wall:.0%} of a core; these visitors {own / wall:.0%} of a core")
    if seen:
        print(f"steps of training shown meanwhile: {', '.join(map(str, seen))}")


def report(found: list[tuple[str, float, str]], options: argparse.Namespace, wall: float) -> None:
    """One row a page and one for all."""
    print(f"{options.visitors} visitors, a change every {options.every:g} s each, {options.trainings} trainings, "
          f"{psutil.cpu_count()} cores, {wall:.0f} s, {options.script}")  # fmt: skip
    print(f"{'':20}{'changes':>8}{'median':>9}{'p95':>9}{'max':>9} ms   errors")
    for page in [*CHANGES, None]:
        mine = [entry for entry in found if page is None or entry[0] == page]
        if mine:
            p50, p95, most = np.percentile([1000 * seconds for _, seconds, _ in mine], (50, 95, 100))
            errors = [words for _, _, words in mine if words]
            name = "all" if page is None else page or "Home"
            print(f"{name:20}{len(mine):8}{p50:9.0f}{p95:9.0f}{most:9.0f}      {len(errors)} {errors[:1] or ''}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--every", type=float, default=3)
    parser.add_argument("--trainings", type=int, default=0)
    parser.add_argument("--script", choices=["serve.py", "Home.py"], default="serve.py")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        machines = (
            Machines(folder, lanes=("long",) * options.trainings + ("short",), nice=True) if options.trainings else None
        )
        try:
            env = {"AECORE_SCHEDULER": machines.address} if machines else {}
            with serving(folder, options.script, **env) as server:
                asyncio.run(play(server, options))
                if os.environ.get("SHOW_LOG"):
                    print(server.log.read_text()[-3000:])
        finally:
            if machines:
                machines.stop()


if __name__ == "__main__":
    main()
