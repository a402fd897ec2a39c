"""The core of the autoencoder primer and workbench: importable, typed, tested, and free of Streamlit.

Importing this package is cheap on purpose: torch is loaded by the modules that need it, never here.
"""

import importlib.metadata
import tomllib
from pathlib import Path


def _find_version() -> str:
    """Return the version of the installed package, or the one in pyproject.toml where it is not installed."""
    try:
        return importlib.metadata.version("autoencoder-workbench")
    except importlib.metadata.PackageNotFoundError:
        project = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text())["project"]
        return str(project["version"])


__version__ = _find_version()
