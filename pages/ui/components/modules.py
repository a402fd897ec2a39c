"""JavaScript of the browser components: modules that import each other, joined into the one that Streamlit takes."""

import json
import re
from pathlib import Path

from aecore.figures.palette import DARK, LIGHT

COMPONENTS = Path(__file__).parent

PLANE = (  # what a map of codes under a hand needs, whose decoder runs in the browser
    "shared/hand.js", "shared/message.js", "shared/shelf.js", "shared/decoder.js", "shared/inks.js", "shared/plane.js",
)  # fmt: skip


def module(*files: str) -> str:
    """One module from several under ``pages/ui/components``, what is imported before what imports it.

    A component's script reaches the browser without an address, so it cannot import a neighbour.
    """
    return "\n".join(_joinable(_script(file)) for file in files)


def style(*files: str) -> str:
    """One style sheet from several under ``pages/ui/components``."""
    return "\n".join((COMPONENTS / file).read_text(encoding="utf-8") for file in files)


def _script(file: str) -> str:
    script = (COMPONENTS / file).read_text(encoding="utf-8")
    if 'from "./palette.js";' in script:  # not a file: the colours of the figures, for the canvas
        script = f"const PALETTES = {json.dumps({'light': LIGHT._asdict(), 'dark': DARK._asdict()})};\n{script}"
    return script


def _joinable(script: str) -> str:
    script = re.sub(r'^import \{[^}]*\} from "\./[\w./]+";\n', "", script, flags=re.MULTILINE)
    return re.sub(r"^export (?!default)", "", script, flags=re.MULTILINE)
