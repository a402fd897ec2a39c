"""The command line: ``python -m aecore pretrain [NAME ...]`` rebuilds what ships in ``assets/models``."""

import argparse
import importlib
import sys
import time
from collections.abc import Sequence

from aecore.errors import AecoreError

PRETRAINED = {"home": "aecore.concepts.home:pretrain", "sensors": "aecore.concepts.sensors:pretrain"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code, 2 where an error was said."""
    parser = argparse.ArgumentParser(prog="python -m aecore", description="Autoencoder primer and workbench")
    commands = parser.add_subparsers(dest="command", required=True)
    pretrain = commands.add_parser("pretrain", help="train what ships in assets/models anew")
    pretrain.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(PRETRAINED)}; all without")
    options = parser.parse_args(arguments)
    try:
        return _pretrain(options.names or list(PRETRAINED))
    except AecoreError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _pretrain(names: Sequence[str]) -> int:
    if unknown := set(names) - PRETRAINED.keys():
        print(f"error: no model is called {', '.join(sorted(unknown))}; choose from {', '.join(PRETRAINED)}",
              file=sys.stderr)  # fmt: skip
        return 2
    for name in names:
        module, function = PRETRAINED[name].split(":")
        started = shown = time.perf_counter()
        for progress in getattr(importlib.import_module(module), function)():
            if time.perf_counter() - shown > 1:
                shown = time.perf_counter()
                print(
                    name, "  ".join(f"{k} {v:.4g}" for k, v in progress.items() if not isinstance(v, str)), flush=True
                )
        print(f"{name} done in {time.perf_counter() - started:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
