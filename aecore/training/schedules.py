"""How the learning rate changes over a training: a factor for every step, known beforehand."""

import math
from collections.abc import Callable

from aecore.errors import SettingError

WARM_UP = 0.05  # of all steps: Adam's first estimates of the gradients' size come from few batches
FLOOR = 0.01  # of the learning rate is left at the end: the last steps still do a little


def constant(position: float) -> float:
    """Every step alike."""
    return 1.0


def cosine(position: float) -> float:
    """Rise in a line over the first twentieth, then fall along half a cosine to a hundredth.

    Loshchilov & Hutter, *SGDR: Stochastic Gradient Descent with Warm Restarts* (ICLR 2017), equation 5, without
    restarts; the rise is Goyal et al. (2017), section 2.2.
    """
    if position < WARM_UP:
        return position / WARM_UP
    return FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * (position - WARM_UP) / (1 - WARM_UP)))


SCHEDULES: dict[str | None, Callable[[float], float]] = {None: constant, "cosine": cosine}


class Rate:
    """Learning rate of a step by the epoch (from 1) and batch (from 0) it is in.

    It depends on nothing else, so that a resumed training goes on where it was.
    """

    def __init__(self, schedule: str | None, *, learning_rate: float, epochs: int, batches: int) -> None:
        if schedule not in SCHEDULES:
            names = ", ".join(repr(name) for name in SCHEDULES)
            raise SettingError(f"schedule must be one of {names}, got {schedule!r}")
        self._factor, self._learning_rate = SCHEDULES[schedule], learning_rate
        self._steps, self._batches = epochs * batches, batches

    def at(self, epoch: int, batch: int) -> float:
        """Rate in the middle of the step, so that neither the first nor the last one is zero."""
        step = (epoch - 1) * self._batches + batch
        return self._learning_rate * self._factor((step + 0.5) / self._steps)
