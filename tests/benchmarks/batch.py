"""Files scored by one process, and over a scheduler with one and with two workers: throughput, and whether all agree.

    python -m tests.benchmarks.batch [--files 4] [--rows 500000] [--channels 4]

Everything runs on this machine: workers, scheduler and the process that reads and writes share its cores, so the figure
for two workers on two cores is what is left for them. Prints one row a run.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.benchmarks.score_large import ROOT, write
from tests.machines import Machines


def run(folder: Path, out: str, *options: str) -> tuple[float, float, float]:
    """Seconds of wall clock, processor seconds of the process itself, and its largest resident set in MB."""
    command = [sys.executable, "-m", "aecore", "score", str(folder / "*.parquet"), "--detector", str(folder / "d"),
               "--out", str(folder / out), "--format", "parquet", *options]  # fmt: skip
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) == 2:
        raise RuntimeError(f"{' '.join(options) or 'one process'} failed")
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=4)
    parser.add_argument("--rows", type=int, default=500_000, help="of each file")
    parser.add_argument("--channels", type=int, default=4)
    options = parser.parse_args()
    rows = options.files * options.rows
    print(f"{options.files} files, {rows:,} rows of {options.channels} channels, {psutil.cpu_count()} cores")
    print(f"{'':14}{'seconds':>9}{'rows/s':>12}{'its own CPU s':>15}{'peak MB':>9}   same bytes")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(options.files):
            write(folder / f"{number}.parquet", options.rows, options.channels)
        subprocess.run(
            [sys.executable, "-m", "aecore", "train", str(folder / "0.parquet"), "--detector", str(folder / "d"),
             "--normal", "0:20000"], check=True, cwd=ROOT, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        _show("one process", rows, run(folder, "alone"), None)
        for workers in (1, 2):
            machines = Machines(folder, lanes=("long",) * workers)
            try:
                measured = run(folder, f"over {workers}", "--scheduler", machines.address)
            finally:
                machines.stop()
            _show(
                f"{workers} worker{'s' * (workers > 1)}",
                rows,
                measured,
                _same(folder / "alone", folder / f"over {workers}"),
            )


def _same(one: Path, other: Path) -> bool:
    names = sorted(path.name for path in one.iterdir())
    return names == sorted(path.name for path in other.iterdir()) and all(
        (one / name).read_bytes() == (other / name).read_bytes() for name in names
    )


def _show(name: str, rows: int, measured: tuple[float, float, float], same: bool | None) -> None:
    seconds, own, peak = measured
    print(
        f"{name:14}{seconds:9.1f}{rows / seconds:12,.0f}{own:15.1f}{peak:9.0f}   {'' if same is None else same}",
        flush=True,
    )


if __name__ == "__main__":
    main()
