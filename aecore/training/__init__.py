"""The one training loop: a generator that knows nothing of the model but ``losses(batch)``."""

from aecore.training.loop import Report, Trainable, evaluate, fit

__all__ = ["Report", "Trainable", "evaluate", "fit"]
