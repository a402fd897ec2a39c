"""The command line: ``aecore score | train | denoise | pretrain``; ``--help`` says what each takes."""

import argparse
import os
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aecore
from aecore.concepts import PRETRAINED
from aecore.errors import AecoreError, SettingError
from aecore.paths import MODELS

# The page's default.
DEFAULT_NORMAL = "0%:30%"
NORMAL = f"normal stretch, rows (0:400) or percent of them ({DEFAULT_NORMAL.replace('%', '%%')}, the default)"


ERROR, INTERRUPTED, PIPE_CLOSED = 2, 130, 141  # exit codes; a shell gives the last two to what a signal has ended


def run() -> int:
    """Run the command line as a program: however it ends, it says one line at most, and the exit code says the rest."""
    try:
        try:
            return main()
        finally:
            sys.stdout.flush()  # here, where a closed pipe can still be told from a crash
    except KeyboardInterrupt:
        print("\r\033[Kstopped" if sys.stderr.isatty() else "stopped", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader, head say, wants no more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except Exception:  # a crash would exit with 1, which stands for anomalies found
        traceback.print_exc()
        return ERROR


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code, 2 where an error was said."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command == "score" and options.detector and options.normal:
        parser.error("a detector has learnt what is normal already: give --detector or --normal, not both")
    if options.command == "score" and options.scheduler and not options.detector:
        parser.error("a cluster scores with a detector: train one first and give it by --detector")
    try:
        if options.command == "pretrain":
            return _pretrain(options.names or list(PRETRAINED), agreed=options.yes)
        if options.command == "denoise":
            return _denoise(options)
        return _files(options)
    except AecoreError as error:
        print(f"error: {error}", file=sys.stderr)
        return ERROR


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="aecore", description="Autoencoder primer and workbench")
    parser.add_argument("--version", action="version", version=f"aecore {aecore.__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    score = commands.add_parser(
        "score", help="score files for anomalies", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="One line an event on standard output; exit code 0: none, 1: some, 2: an error.\n"
        "Without a detector every file trains its own on its normal stretch.",
    )  # fmt: skip
    score.add_argument("files", nargs="+", metavar="FILE", help="files, or patterns in quotes: 'data/*.parquet'")
    score.add_argument("--detector", type=Path, metavar="F", help="what train wrote, or the page's download")
    score.add_argument("--normal", metavar="A:B", help=f"{NORMAL}, where there is no detector")
    score.add_argument("--out", type=Path, metavar="DIR", help="folder for the tables of scores and of events")
    score.add_argument("--format", choices=["csv", "parquet"], default="csv", help="of these tables (default: csv)")
    score.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="tls://host:port of a Dask scheduler (tcp:// on this machine) whose workers score; see docs/SCALING.md",
    )
    train = commands.add_parser("train", help="train a detector on the normal stretch of a file")
    train.add_argument("file", type=Path, metavar="FILE")
    train.add_argument("--detector", type=Path, metavar="F", required=True, help="where to write it")
    train.add_argument("--normal", metavar="A:B", help=NORMAL)
    denoise = commands.add_parser("denoise", help="remove noise from speech in a WAV, FLAC, Ogg or MP3 file")
    denoise.add_argument("source", type=Path, metavar="IN", help="a recording of any length, rate and channel count")
    denoise.add_argument("target", type=Path, metavar="OUT", help="where to write it; its ending chooses the format")
    denoise.add_argument("--denoiser", type=Path, metavar="F", help="one tuned on the page (default: as it ships)")
    denoise.add_argument(
        "--strength", type=float, default=1.0, metavar="S", help="0..1, how much to clean (default: 1)"
    )
    pretrain = commands.add_parser(
        "pretrain",
        help="train the built-in models anew",
        description=f"Overwrites the files of the built-in models in {MODELS}.",
    )
    pretrain.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"one of {', '.join(PRETRAINED)}; all without. denoiser takes an hour "
        "of recordings from the folder $AECORE_SPEECH, and goes on where it was interrupted. One thread, or "
        "$OMP_NUM_THREADS",
    )
    pretrain.add_argument("--yes", action="store_true", help="overwrite the files without asking")
    return parser


def _files(options: argparse.Namespace) -> int:
    import torch  # seconds, which --help can do without

    from aecore.cli.score import ScoreSettings, score, train
    from aecore.cli.sources import Stretch, find_files

    torch.set_num_threads(1)  # as in the page's workers: the networks are small, and results are the same to the bit
    normal = Stretch.parse(options.normal or DEFAULT_NORMAL)
    if options.command == "train":
        return train(options.file, options.detector, normal)
    if options.scheduler:
        os.environ["AECORE_SCHEDULER"] = options.scheduler
    settings = ScoreSettings(
        detector=options.detector, distributed=bool(options.scheduler), normal=normal, out=options.out,
        format=options.format,
    )  # fmt: skip
    return score(find_files(options.files), settings)


def _denoise(options: argparse.Namespace) -> int:
    from aecore.cli.denoise import DenoiseSettings, denoise  # torch: seconds, which --help can do without

    settings = DenoiseSettings(denoiser=options.denoiser, strength=options.strength)
    return denoise(options.source, options.target, settings)


def _pretrain(names: Sequence[str], agreed: bool) -> int:
    if unknown := set(names) - PRETRAINED.keys():
        raise SettingError(f"no model is called {', '.join(sorted(unknown))}; choose from {', '.join(PRETRAINED)}")
    if not agreed and not _agree(names):
        return ERROR
    threads = os.environ.setdefault("OMP_NUM_THREADS", "1")  # said before NumPy and torch are there, which ask once
    import torch

    # The same sums in the same order, so the same numbers on the same machine; and networks so small gain nothing from
    # a second thread, which on a busy machine costs many times its work in waiting.
    torch.set_num_threads(int(threads))
    for name in names:
        started = shown = time.perf_counter()
        for progress in PRETRAINED[name].load()():
            if time.perf_counter() - shown > 1:
                shown = time.perf_counter()
                print(name, _numbers(progress), flush=True)
        print(f"{name} done in {time.perf_counter() - started:.0f} s", flush=True)
    return 0


def _agree(names: Sequence[str]) -> bool:
    """Ask whether the files of the models may be overwritten; raises SettingError where there is no terminal."""
    what = f"This overwrites in {MODELS}: {', '.join(PRETRAINED[name].file for name in names)}."
    if not sys.stdin.isatty():
        raise SettingError(f"{what} Add --yes to do so without being asked.")
    try:
        answer = input(f"{what}\nGo on? [y/N] ")
    except EOFError:
        answer = ""
    return answer.strip().lower() in ("y", "yes")


def _numbers(progress: dict[str, Any]) -> str:
    """Progress in one line; what else it holds, as curves and pictures, is for pages."""
    return "  ".join(f"{key} {value:.4g}" for key, value in progress.items() if isinstance(value, (int, float)))


if __name__ == "__main__":
    sys.exit(run())
