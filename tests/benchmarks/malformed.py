"""Malformed uploads of every kind through the pages: does every session go on, in bounded time and memory?

    python -m tests.benchmarks.malformed [--uploads 1000] [--visitors 4] [--seed 0]

Files of every format that a page takes are cut, torn, overwritten, renamed or replaced by noise, and sent to the pages
by some visitors at once, while another asks every half second whether the server answers. Prints the slowest upload,
the largest resident set of server and workers, and every session that ended.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path

import psutil

from tests import files
from tests.servers import Server, serving
from tests.test_bad_files import REFUSED, WHOLE
from tests.test_fuzz import PICTURES, SOUNDS, blank_png, picture
from tests.visitor import Failed, Visitor

TARGETS = {
    "Sensor_Anomalies": ("source=Your+own+file", "A sensor log"),
    "Latent_Clusters": ("data=Your+own", "A table of vectors, or a zip of pictures"),
    "MNIST_Compression": ("hand=Photo+of+one", "A photo of one digit"),
    "Audio_Denoising": ("voice=A+file", "A recording"),
}
SETTLE = 15.0  # s
BUSY = ("Reading", "Starting", "waiting")


def sound_files() -> dict[str, list[tuple[str, bytes]]]:
    """What each page takes, whole."""
    zips = [("p.zip", files.zipped(*((f"{i % 3}/{i}.{kind}", PICTURES[kind]) for i in range(62)))) for kind in PICTURES]
    huge = [("huge.zip", files.zipped(*((f"{i}.png", blank_png(2000)) for i in range(100))))]
    tables = [(name, data) for name, data, *_ in REFUSED] + list(WHOLE.items())
    photos = [(f"a.{kind}", picture(kind.upper(), 60)) for kind in PICTURES] + [("huge.png", blank_png(9000))]
    return {
        "Sensor_Anomalies": tables, "Latent_Clusters": [*zips, *huge, *tables[:80], ("a.csv", WHOLE["a.csv"])],
        "MNIST_Compression": photos, "Audio_Denoising": list(SOUNDS.items()),
    }  # fmt: skip


def spoilt(name: str, data: bytes, rng: random.Random) -> tuple[str, bytes]:
    """One way or another of making a file malformed."""
    changed = bytearray(data)
    way = rng.randrange(6)
    if way == 0:
        return name, bytes(changed[: rng.randrange(len(changed) + 1)])
    if way == 1:
        return name, rng.randbytes(rng.randrange(5000))
    if way == 2:
        return rng.choice(["a.csv", "b.zip", "c.xlsx", "d.parquet", "e.png", "f.wav", "g.mat", "h", "i.csv.gz"]), data
    for _ in range(1 + rng.randrange(30) if changed else 0):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    if way == 3:
        at = rng.randrange(len(changed) + 1)
        changed[at:at] = rng.randbytes(rng.randrange(200))
    return name, bytes(changed)


async def send(
    server: Server, share: list[tuple[str, str, bytes]], slow: list, ended: list[str], said: Counter
) -> None:
    """One visitor's uploads; a session that ends is noted, and a new one goes on."""
    visitor, here = None, ""
    for page, name, data in share:
        query, label = TARGETS[page]
        try:
            if visitor is None or here != page:
                if visitor:
                    await visitor.close()
                visitor, here = await Visitor.open(server.url, page, query), page
            began = time.perf_counter()
            status = await visitor.upload(label, name, data)
            await visitor.until(lambda visitor=visitor: settled(visitor), seconds=30)
            slow.append((time.perf_counter() - began, page, name))
            print(f"{len(slow):4} {slow[-1][0]:5.1f} s {page} {name[:40]!r}", file=sys.stderr, flush=True)
            visitor.check()
            said[f"{status}, {'a sentence' if visitor.of_kind('alert') else 'taken'}"] += 1
        except (Failed, OSError, TimeoutError) as error:
            ended.append(f"{page} {name}: {type(error).__name__} {error}"[:300])
            print(ended[-1], file=sys.stderr, flush=True)
            visitor = None
    if visitor:
        await visitor.close()


def settled(visitor: Visitor) -> bool:
    """Whether the page has come to a word about the file, or to work on it; where it begins again, it is not yet."""
    if not visitor.of_kind("file_uploader"):
        return False
    bars = [bar.text for bar in visitor.of_kind("progress")]
    return not any(word in text for text in bars for word in BUSY)


async def watch(server: Server, stop: asyncio.Event, answers: list[float], peaks: dict[str, float]) -> None:
    process = psutil.Process(server.process.pid)
    while not stop.is_set():
        began = time.perf_counter()
        await asyncio.to_thread(lambda: urllib.request.urlopen(f"{server.url}/api/health", timeout=10).read())
        answers.append(time.perf_counter() - began)
        for name, group in (("server", [process]), ("helpers", process.children(recursive=True))):
            for each in group:
                try:
                    peaks[name] = max(peaks.get(name, 0.0), each.memory_info().rss / 1e6)
                except psutil.NoSuchProcess:
                    continue
        await asyncio.sleep(0.5)


async def play(server: Server, options: argparse.Namespace) -> None:
    rng, whole = random.Random(options.seed), sound_files()
    asked = []
    for i in range(options.uploads):
        page = list(TARGETS)[(i // 25) % len(TARGETS)]
        asked.append((page, *spoilt(*rng.choice(whole[page]), rng)))
    await (await Visitor.open(server.url)).close()
    await asyncio.sleep(SETTLE)  # a server's first upload waits for its first worker, whatever is in it
    stop, answers, peaks, slow, ended, said = asyncio.Event(), [], {}, [], [], Counter()
    watching = asyncio.create_task(watch(server, stop, answers, peaks))
    began = time.perf_counter()
    size = -(-len(asked) // options.visitors)
    await asyncio.gather(*(
        send(server, asked[i : i + size], slow, ended, said) for i in range(0, len(asked), size)
    ))  # fmt: skip
    stop.set()
    await watching
    print(f"{len(asked)} uploads by {options.visitors} visitors in {time.perf_counter() - began:.0f} s: {dict(said)}")
    for seconds, page, name in sorted(slow, reverse=True)[:3]:
        print(f"  slowest: {seconds:.1f} s, {page}, {name[:40]!r}")
    print(f"  sessions that ended: {len(ended)}", *ended[:10], sep="\n    ")
    print(f"  largest resident set: server {peaks['server']:.0f} MB, a helper process {peaks['helpers']:.0f} MB")
    print(f"  the server answered {len(answers)} times meanwhile, at the slowest in {max(answers):.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uploads", type=int, default=1000)
    parser.add_argument("--visitors", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, serving(Path(name)) as server:
        asyncio.run(play(server, options))


if __name__ == "__main__":
    main()
