"""Eight jobs that an autoencoder is hired for, one a module: data, model, training, and its measures."""

from pathlib import Path

MODELS = Path(__file__).parents[3] / "assets" / "models"


def asset(section: str) -> Path:
    """Where a section's trained model ships; ``python -m aecore pretrain applications_<section>`` makes it."""
    return MODELS / f"applications_{section}.safetensors"
