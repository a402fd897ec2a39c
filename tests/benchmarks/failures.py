"""What the page says, and how it goes on, when something breaks under it: worker, scheduler, disk.

    python -m tests.benchmarks.failures

A real server, a scheduler and workers of its own; a visitor trains networks meanwhile. As root the disk is a full one,
a tmpfs of 64 kB; else a place that cannot be written to. Prints what the page said; ends with an error where it said
nothing. (An optional package that is missing is `tests/test_audio_page.py`'s.)
"""

import asyncio
import contextlib
import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

import psutil

from pages.ui.training.work import RESTARTED, UNKEPT
from tests.machines import Machines
from tests.servers import ROOT, Server, serving
from tests.visitor import Visitor


def shipped() -> str:
    """Fingerprint of everything that ships."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "assets").rglob("*")):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()


def said(visitor: Visitor) -> str:
    """All text on the page, as a reader sees it."""
    return visitor.words().replace("\\", "")


async def press(visitor: Visitor, label: str) -> None:
    """Press a button as soon as it is there."""
    await visitor.until(lambda: any(button.label == label for button in visitor.of_kind("button")))
    button, fragment = visitor.widget("button", label)
    await visitor.send_value(button.id, fragment, wait=False, trigger_value=True)


async def training(server: Server, seed: int) -> Visitor:
    """A visitor whose training has shown progress."""
    visitor = await Visitor.open(server.url, "VAE_Morphing", f"networks=Train+your+own&own_seed={seed}")
    await press(visitor, "Train")
    await visitor.until(lambda: any("epoch" in bar.text for bar in visitor.of_kind("progress")), seconds=120)
    return visitor


def worker_of(machines: Machines) -> psutil.Process:
    nanny = psutil.Process(machines.processes["long 0"].pid)
    return next(child for child in nanny.children() if "spawn_main" in " ".join(child.cmdline()))


async def play(server: Server, machines: Machines) -> None:
    visitor = await training(server, 1)
    worker_of(machines).kill()
    await visitor.until(lambda: RESTARTED in said(visitor), seconds=120)
    print(f"worker killed:   {RESTARTED}", flush=True)
    machines.stop()
    await visitor.until(lambda: "scheduler does not answer" in said(visitor), seconds=120)
    print(
        f"scheduler gone:  {next(line for line in said(visitor).splitlines() if 'does not answer' in line)}", flush=True
    )
    machines.start_scheduler()
    machines.start_worker("long", "long 0")
    machines.start_worker("short", "short 0")
    await press(visitor, "Train")
    await visitor.until(lambda: any("epoch" in bar.text for bar in visitor.of_kind("progress")), seconds=180)
    print("                 and trains again once it is back, the server not having been started anew", flush=True)
    await visitor.until(lambda: UNKEPT in said(visitor), seconds=300)
    print(f"disk full:       {UNKEPT}", flush=True)
    visitor.check()
    await visitor.close()


def main() -> None:
    before = shipped()
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as after:
        folder, full = Path(name), Path(name) / "full"
        full.mkdir()
        if os.geteuid() == 0:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(full)], check=True)
            after.callback(subprocess.run, ["umount", str(full)])
        else:
            (full / "results").write_text("a file where a folder should be")
        machines = Machines(folder, lanes=("long", "short"))
        after.callback(machines.stop)
        with serving(folder, AECORE_CACHE=str(full), AECORE_SCHEDULER=machines.address) as server:
            asyncio.run(play(server, machines))
        left = [path.name for path in full.rglob("*") if path.is_file() and path.name != "results"]
        print(
            f"left in the cache: {left or 'nothing'}; what ships is {'as it was' if shipped() == before else 'CHANGED'}"
        )


if __name__ == "__main__":
    main()
