"""Where arrays come from: drawn, simulated, built in, or brought by a visitor; numpy throughout, no torch.

The modules that scripts outside of this project use are here by their names, loaded when they are asked for.
"""

import importlib
from types import ModuleType

_PUBLIC = {
    "digits": "datasets.digits", "shapes": "datasets.shapes", "signals": "datasets.signals",
    "speech": "datasets.speech", "powertrain": "simulators.powertrain", "uploads": "readers.uploads",
    "gaps": "tables.gaps",
}  # fmt: skip


def __getattr__(name: str) -> ModuleType:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.{_PUBLIC[name]}")
