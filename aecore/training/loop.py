"""The loop over epochs and batches, and the scoring of what it made."""

import math
import time
from collections.abc import Iterator
from typing import Any, Protocol

from torch import Tensor

from aecore.errors import SettingError
from aecore.training import hardware
from aecore.training.rows import Data, Means, Rows
from aecore.training.schedules import Rate
from aecore.training.state import Report, State, TrainingState, score


class Trainable(Protocol):
    """What ``fit`` asks of a model: an ``nn.Module`` with an objective."""

    def losses(self, batch: Any) -> dict[str, Tensor]:
        """Scalars by name; ``total`` is minimised."""
        ...


def fit(
    model: Any,
    x: Data,
    *,
    epochs: int = 5,
    batch_size: int = 128,
    learning_rate: float = 1e-3,
    validation: Data | None = None,
    seed: int = 0,
    report_every: float | None = None,
    patience: int | None = None,
    resume: State | None = None,
    schedule: str | None = None,
    planned: int | None = None,
    precision: str = "float32",
) -> Iterator[Report]:
    """Train with Adam, yielding a report an epoch; to cancel, stop iterating.

    The data stay in memory as they are, one shuffle an epoch and no copies but the batch: a DataLoader that collates
    single rows costs more than these networks do. Shuffle and noise of epoch n depend on ``(seed, n)`` alone, so a
    resumed run repeats the uninterrupted one exactly (same device and thread count). A GPU is used where there is one;
    ``model`` itself stays on the CPU and holds the newest weights at every report.

    Parameters
    ----------
    x : tensor [N, ...], or a tuple of tensors of equal length; a batch of it is what ``model.losses`` takes.
    validation : like ``x``; scored after every epoch.
    report_every : seconds; partial reports too, with ``finished`` False and ``validation`` None.
    patience : stop after so many epochs without a better validation loss (training loss where there is none), and
        return to the best weights.
    resume : what ``report.checkpoint()`` gave after an epoch; epochs before it are not repeated.
    schedule : None keeps the learning rate; ``"cosine"`` lets it rise briefly, then fall to near zero over the planned
        epochs: the same budget ends at a lower loss, and training on from there means a new plan.
    planned : epochs that the schedule is spread over, where the training comes in several calls; None: ``epochs``.
    precision : ``"fastest"`` multiplies matrices in bfloat16 where the processor has it natively and a step is
        measured to be faster; what was chosen belongs to the state, and a resumed training keeps it.

    Raises
    ------
    TrainingDiverged
        if a loss is NaN or infinite; the model then holds the weights of the last epoch that was well.
    """
    _check(epochs, batch_size, learning_rate)
    hardware.keep_freed_memory()
    device = hardware.device()
    rows, held_out = Rows(x, device), None if validation is None else Rows(validation, device)
    batches = math.ceil(rows.count / batch_size)
    rate = Rate(schedule, learning_rate=learning_rate, epochs=planned or epochs, batches=batches)
    training = TrainingState(model, device, learning_rate=learning_rate, seed=seed)
    training.choose_precision(precision, next(rows.in_order(batch_size)))
    if resume is not None:
        training.restore(resume)
    for number in range(training.epoch + 1, epochs + 1):
        if patience is not None and training.waited >= patience:
            break
        started = reported = time.perf_counter()
        shuffle, means = training.begin(number), Means()
        for done, batch in enumerate(rows.shuffle_batches(batch_size, shuffle), 1):
            training.step(batch, means, rate.at(number, done - 1))
            now = time.perf_counter()
            if report_every is not None and now - reported >= report_every and done < batches:
                reported = now
                progress = (number - 1 + done / batches) / epochs
                yield training.report(number, means, None, now - started, progress)
        scores = None if held_out is None else score(training.model, held_out, max(batch_size, 1024), seed)
        training.end(number, means, scores, keep_best=patience is not None)
        yield training.report(number, means, scores, time.perf_counter() - started, number / epochs)
    training.return_to_best()


def evaluate(model: Any, x: Data, *, batch_size: int = 1024, seed: int = 0) -> dict[str, float]:
    """Mean losses over ``x`` without touching the weights; any sampling in the model is seeded."""
    return score(model, Rows(x, hardware.place_of(model)), batch_size, seed)


def _check(epochs: int, batch_size: int, learning_rate: float) -> None:
    if epochs < 1 or batch_size < 1:
        raise SettingError(f"epochs and batch_size must be at least 1, got {epochs} and {batch_size}")
    if not learning_rate > 0:
        raise SettingError(f"learning_rate must be positive, got {learning_rate}")
