"""The loops and the classifier that the applications train with; this module loads torch, theirs do not."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from aecore.concepts.latent_training import Plan, train_by
from aecore.training import fit

Progress = dict[str, Any]


def fit_stages(
    model: Any, x: Any, *, stages: Sequence[tuple[float, float]], epochs: int, batch: int, seed: int
) -> Iterator[Progress]:
    """Train ``model`` on arrays ``x`` in stages: learning rates with their shares of the epochs; yields once an epoch.

    Every stage takes an epoch at least, so that few epochs may become a few more.
    """
    counts = [max(1, round(share * epochs)) for _, share in stages[:-1]]
    counts.append(max(1, epochs - sum(counts)))
    plan = Plan(tuple((rate, count) for (rate, _), count in zip(stages, counts, strict=True)), batch)
    for step in train_by(plan, model, as_tensors(x), seed=seed):
        yield _describe("Training the network", step.epoch, plan.epochs, step.report.losses)


def fit_cosine(model: Any, x: Any, *, part: str, epochs: int, rate: float, batch: int, seed: int) -> Iterator[Progress]:
    """Train ``model`` on arrays ``x`` with a learning rate that falls along a cosine; yields once an epoch."""
    for report in fit(
        model, as_tensors(x), epochs=epochs, batch_size=batch, learning_rate=rate, schedule="cosine", seed=seed
    ):
        yield _describe(part, report.number, epochs, report.losses)


def as_tensors(x: Any) -> Any:
    """Return an array, or a tuple of arrays, as tensors that share its memory."""
    return tuple(map(as_tensors, x)) if isinstance(x, tuple) else torch.from_numpy(np.ascontiguousarray(x))


def _describe(part: str, epoch: int, epochs: int, losses: Mapping[str, float]) -> Progress:
    return {"part": part, "epoch": epoch, "epochs": epochs, "progress": epoch / epochs, "loss": losses["total"]}


class LayersClassifier(nn.Module):
    """Layers [B, D] -> logits, with a loss that compares these with the classes."""

    def __init__(self, layers: nn.Module, loss: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.layers, self.loss = layers, loss

    def losses(self, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """Return the mean loss of a batch (x [B, D], classes [B])."""
        return {"total": self.loss(self.layers(batch[0]), batch[1])}

    def classify(self, x: Any) -> Tensor:
        """Return the logits of an array [N, D]."""
        with torch.no_grad():
            logits: Tensor = self.layers(torch.from_numpy(x))
        return logits
