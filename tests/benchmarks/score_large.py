"""A long Parquet file scored from the command line: time and peak memory.

    python -m tests.benchmarks.score_large [--rows 10000000] [--channels 4] [--train] [--out]

Writes the file to a temporary folder, trains a detector on its first 100,000 rows and scores all of it with that;
with --train the command line trains its own on the first 30 % instead. Peak memory is the process's largest resident
set, as the kernel counts it.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[2]
PIECE = 1_000_000


def write(path: Path, rows: int, channels: int) -> None:
    """Sines with noise, a clock, and a fault of 300 rows in every million."""
    rng = np.random.default_rng(0)
    writer = None
    for first in range(0, rows, PIECE):
        t = np.arange(first, min(first + PIECE, rows))
        values = np.sin(t[:, None] / 9 + np.arange(channels)) + 0.1 * rng.normal(size=(len(t), channels))
        values[700_000:700_300, -1] += 2
        columns = {"time": t * 0.01} | {f"c{i}": values[:, i] for i in range(channels)}
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--channels", type=int, default=4)
    parser.add_argument("--train", action="store_true", help="train on the first 30 %% in the same run")
    parser.add_argument("--out", action="store_true", help="write the tables too, as Parquet")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log, detector = Path(folder, "log.parquet"), Path(folder, "detector.safetensors")
        write(log, options.rows, options.channels)
        print(f"{options.rows:,} rows x {options.channels} channels, {log.stat().st_size / 2**20:,.0f} MB on disk")
        aecore = [sys.executable, "-m", "aecore"]
        command = [*aecore, "score", str(log)]
        if not options.train:
            subprocess.run(
                [*aecore, "train", str(log), "--detector", str(detector), "--normal", "0:100000"], check=True, cwd=ROOT
            )
            command += ["--detector", str(detector)]
        if options.out:
            command += ["--out", str(Path(folder, "out")), "--format", "parquet"]
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        rate = options.rows * options.channels / seconds / 1e6
        print(f"exit code {os.waitstatus_to_exitcode(status)}, {seconds:.0f} s, {rate:.2f} million values a second, "
              f"{usage.ru_maxrss / 2**20:.2f} GiB at the peak")  # fmt: skip


if __name__ == "__main__":
    main()
