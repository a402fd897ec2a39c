"""Eight applications of autoencoders, one folder each: data, model, training, and its measures."""

from pathlib import Path

from aecore.paths import MODELS


def asset(section: str) -> Path:
    """Return where a section's trained model lies; ``aecore pretrain applications_<section>`` makes it."""
    return MODELS / f"applications_{section}.safetensors"
