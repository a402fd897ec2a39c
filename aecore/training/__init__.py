"""The one training loop: a generator that knows nothing of the model but ``losses(batch)``."""

from aecore.training.loop import Trainable, evaluate, fit
from aecore.training.state import Report

__all__ = ["Report", "Trainable", "evaluate", "fit"]
