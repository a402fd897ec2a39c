"""Where the project's own files lie."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
MODELS = ROOT / "assets" / "models"  # trained weights, with their cards
SAMPLES = ROOT / "assets" / "samples"  # recordings to listen to
