"""Write the README's table of pages anew: ``python -m aecore.concepts``."""

import re

from aecore.concepts import write_table
from aecore.paths import ROOT

README = ROOT / "README.md"

if __name__ == "__main__":
    text = README.read_text(encoding="utf-8")
    README.write_text(re.sub(r"\| page \|.*?\n(?=\n)", lambda _: write_table() + "\n", text, flags=re.DOTALL), "utf-8")
