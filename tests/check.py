"""Lint, types and the tests that take a moment: ``python -m tests.check``, before a commit.

The fast tests start no cluster, no server and no browser, and train nothing for long. All others run by ``pytest``.
"""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
FAST = (
    "admission", "architecture", "bad_files", "conditional", "dense", "digits", "drive_windows", "evaluation",
    "figures", "foreign_formats", "foreign_text", "gaps", "jobs_plan", "jobs_serialization",
    "latent", "memory", "models", "onnx", "parsed", "penalties", "plain", "plots", "powertrain", "refusals",
    "rooms", "settings", "shapes", "signals", "store", "strips", "tables", "uploads", "uploads_formats",
    "vectors",
)  # fmt: skip
COMMANDS = {
    "lint": ("ruff", "check", "."),
    "format": ("ruff", "format", "--check", "."),
    "types": ("mypy",),
    "tests": (
        "pytest", "-n", "2", "-m", "not (release or browser)", *(f"tests/test_{name}.py" for name in FAST)
    ),
}  # fmt: skip


def main() -> int:
    """Run all commands side by side, print the output of those that fail, and return the exit code."""
    began = time.monotonic()
    running = {
        name: subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for name, command in COMMANDS.items()
    }
    failed = False
    for name, process in running.items():
        said, _ = process.communicate()
        failed |= process.returncode != 0
        verdict = "failed" if process.returncode else "passed"
        print(f"{name} {verdict} after {time.monotonic() - began:.0f} s", flush=True)
        if process.returncode:
            print(said, flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
