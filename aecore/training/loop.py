"""The loop itself, and the state from which it goes on."""

import math
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from aecore.errors import SettingError, StoreError, TooFewRows, TrainingDiverged
from aecore.training.schedules import Rate

Data = Tensor | tuple[Tensor, ...]
State = dict[str, Any]


class Trainable(Protocol):
    """What ``fit`` asks of a model: an ``nn.Module`` with an objective."""

    def losses(self, batch: Any) -> dict[str, Tensor]:
        """Scalars by name; ``total`` is minimised."""
        ...


class Report(NamedTuple):
    """Where the training stands.

    ``number`` counts epochs from 1; ``losses`` are means over this epoch so far; ``validation`` has the same names and
    is None until the epoch ends; ``seconds`` are of this epoch, so far; ``progress`` is the share of all work done.
    """

    number: int
    losses: dict[str, float]
    validation: dict[str, float] | None
    seconds: float
    progress: float
    finished: bool
    checkpoint: Callable[[], State]


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
) -> Iterator[Report]:
    """Train with Adam, yielding a report an epoch; to cancel, stop iterating.

    The data stay in memory as they are, one shuffle an epoch and no copies but the batch: a DataLoader that collates
    single rows costs more than these networks do. Shuffle and noise of epoch n depend on ``(seed, n)`` alone, so a
    resumed run repeats the uninterrupted one exactly (same thread count).

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

    Raises
    ------
    TrainingDiverged
        if a loss is NaN or infinite; the model then holds the weights of the last epoch that was well.
    """
    tensors = x if isinstance(x, tuple) else (x,)
    _check(tensors, epochs, batch_size, learning_rate)
    total = math.ceil(len(tensors[0]) / batch_size)
    rate = Rate(schedule, learning_rate=learning_rate, epochs=epochs, batches=total)
    loop = _Loop(model, learning_rate=learning_rate, seed=seed)
    if resume is not None:
        loop.restore(resume)
    for number in range(loop.epoch + 1, epochs + 1):
        if patience is not None and loop.waited >= patience:
            break
        started = reported = time.perf_counter()
        batches, means = _batches(tensors, batch_size, loop.begin(number)), _Means()
        for done, batch in enumerate(batches, 1):
            loop.step(batch if isinstance(x, tuple) else batch[0], means, rate.at(number, done - 1))
            now = time.perf_counter()
            if report_every is not None and now - reported >= report_every and done < total:
                reported = now
                progress = (number - 1 + done / total) / epochs
                yield Report(number, means.values(), None, now - started, progress, False, loop.state)
        scores = None if validation is None else loop.score(validation, batch_size)
        loop.end(number, (scores or means.values())["total"], keep_best=patience is not None)
        seconds = time.perf_counter() - started
        yield Report(number, means.values(), scores, seconds, number / epochs, True, loop.state)
    loop.return_to_best()


def evaluate(model: Any, x: Data, *, batch_size: int = 1024, seed: int = 0) -> dict[str, float]:
    """Mean losses over ``x`` without touching the weights; any sampling in the model is seeded."""
    tensors = x if isinstance(x, tuple) else (x,)
    means, was_training = _Means(), model.training
    _seed_noise(model, seed)
    model.eval()
    with torch.inference_mode():
        for batch in _batches(tensors, batch_size, None):
            means.add(model.losses(batch if isinstance(x, tuple) else batch[0]), len(batch[0]))
    model.train(was_training)
    return means.values()


class _Means:
    """Running means of the losses, weighted by batch length."""

    def __init__(self) -> None:
        self.sums: dict[str, float] = {}
        self.count = 0

    def add(self, losses: dict[str, Tensor], n: int) -> None:
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + value.item() * n
        self.count += n

    def values(self) -> dict[str, float]:
        return {name: total / self.count for name, total in self.sums.items()}


class _Loop:
    """Weights, optimizer and the best so far: all that a checkpoint must hold."""

    def __init__(self, model: Any, *, learning_rate: float, seed: int) -> None:
        self.model, self.seed = model, seed
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.Adam(self.parameters, lr=learning_rate, fused=True)
        self.epoch, self.waited, self.best_loss = 0, 0, math.inf
        self.good, self.moments = self.weights(), self.adam()
        self.best: dict[str, Tensor] | None = None

    def weights(self) -> dict[str, Tensor]:
        return {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}

    def adam(self) -> list[dict[str, Tensor]]:
        return [{k: v.clone() for k, v in self.optimizer.state.get(p, {}).items()} for p in self.parameters]

    def begin(self, number: int) -> torch.Generator:
        self.model.train()
        _seed_noise(self.model, _epoch_seed(self.seed, number))
        return torch.Generator().manual_seed(_epoch_seed(self.seed, number))

    def step(self, batch: Any, means: _Means, rate: float) -> None:
        losses = self.model.losses(batch)
        if not math.isfinite(losses["total"].item()):
            self._diverged(losses["total"].item())
        self.optimizer.zero_grad(set_to_none=True)
        losses["total"].backward()
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        means.add(losses, len(batch[0]) if isinstance(batch, tuple) else len(batch))

    def score(self, validation: Data, batch_size: int) -> dict[str, float]:
        return evaluate(self.model, validation, batch_size=max(batch_size, 1024), seed=self.seed)

    def end(self, number: int, loss: float, *, keep_best: bool) -> None:
        if not math.isfinite(loss):
            self._diverged(loss)
        self.epoch, self.good, self.moments = number, self.weights(), self.adam()
        self.waited = 0 if loss < self.best_loss else self.waited + 1
        if keep_best and loss < self.best_loss:
            self.best = self.good
        self.best_loss = min(loss, self.best_loss)

    def return_to_best(self) -> None:
        self.model.load_state_dict(self.best or self.good)
        self.model.eval()

    def _diverged(self, loss: float) -> None:
        self.model.load_state_dict(self.good)
        raise TrainingDiverged(
            f"The loss became {loss} in epoch {self.epoch + 1}, so training stopped and kept the weights from before "
            f"it; a smaller learning rate or scaled data usually help."
        )

    def state(self) -> State:
        """All that a resumed run needs, as of the end of the last whole epoch; plain values and arrays."""
        return {
            "epoch": self.epoch,
            "waited": self.waited,
            "best_loss": self.best_loss,
            "weights": _arrays(self.good),
            "best": _arrays(self.best) if self.best else None,
            "moments": [_arrays(m) for m in self.moments],
        }

    def restore(self, state: State) -> None:
        try:
            self.epoch, self.waited, self.best_loss = state["epoch"], state["waited"], state["best_loss"]
            self.good = _tensors(state["weights"])
            self.best = _tensors(state["best"]) if state["best"] else None
            self.model.load_state_dict(self.good)
            for parameter, moments in zip(self.parameters, state["moments"], strict=True):
                self.optimizer.state[parameter] = _tensors(moments)
            self.moments = self.adam()
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise StoreError("This checkpoint does not belong to this model; start the training afresh.") from error


def _batches(
    tensors: tuple[Tensor, ...], batch_size: int, shuffle: torch.Generator | None
) -> Iterator[tuple[Tensor, ...]]:
    count = len(tensors[0])
    if shuffle is None:
        for start in range(0, count, batch_size):
            yield tuple(t[start : start + batch_size] for t in tensors)
        return
    for rows in torch.randperm(count, generator=shuffle).split(batch_size):
        yield tuple(t.index_select(0, rows) for t in tensors)


def _epoch_seed(seed: int, number: int) -> int:
    return int(np.random.SeedSequence((seed, number)).generate_state(1, np.uint64)[0] >> 1)


def _seed_noise(model: Any, seed: int) -> None:
    if isinstance(noise := getattr(model, "noise", None), torch.Generator):
        noise.manual_seed(seed)


def _arrays(tensors: dict[str, Tensor]) -> dict[str, np.ndarray[Any, Any]]:
    return {name: tensor.detach().numpy() for name, tensor in tensors.items()}


def _tensors(arrays: dict[str, np.ndarray[Any, Any]]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}


def _check(tensors: tuple[Tensor, ...], epochs: int, batch_size: int, learning_rate: float) -> None:
    lengths = [len(t) for t in tensors]
    if len(set(lengths)) != 1:
        raise SettingError(f"all tensors must have the same length, got {lengths}")
    if lengths[0] < 1:
        raise TooFewRows("There is nothing to train on: the training set holds no rows.")
    if epochs < 1 or batch_size < 1:
        raise SettingError(f"epochs and batch_size must be at least 1, got {epochs} and {batch_size}")
    if not learning_rate > 0:
        raise SettingError(f"learning_rate must be positive, got {learning_rate}")
