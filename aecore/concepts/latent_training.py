"""Train by a plan of learning rates in stages, raising the KL weight gradually, with checkpoints."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from aecore import store
from aecore.models import from_tree, to_tree
from aecore.models.autoencoder import reconstruction_loss
from aecore.training import Report, fit


class Plan(NamedTuple):
    """Learning rates with their numbers of epochs, how each changes, and over how many epochs beta rises to its value.

    A VAE that is pulled to the prior from the first step forgets its code before the decoder has learnt to read it
    (Bowman et al., *Generating Sentences from a Continuous Space*, 2016): so beta starts near 0.
    """

    stages: tuple[tuple[float, int], ...]
    batch: int
    warm_up: int = 0  # epochs
    schedule: str | None = None  # of `aecore.training.fit`, over each stage

    @property
    def epochs(self) -> int:
        """All epochs together."""
        return sum(count for _, count in self.stages)


class StagedEpoch(NamedTuple):
    """One epoch's end: its number among all, and what `aecore.training.fit` reports."""

    epoch: int
    report: Report


def train_by(
    plan: Plan,
    model: Any,
    x: Tensor | tuple[Tensor, ...],
    *,
    seed: int = 0,
    validation: Tensor | None = None,
    resume: dict[str, Any] | None = None,
) -> Iterator[StagedEpoch]:
    """Train ``model`` on ``x`` [N, ...], yielding once an epoch; ``resume`` is what `checkpoint` made of a step."""
    full_beta = getattr(model, "beta", None)
    first, state = (resume["stage"], resume["state"]) if resume else (0, None)
    for stage, (rate, count) in list(enumerate(plan.stages))[first:]:
        before, done = sum(c for _, c in plan.stages[:stage]), state["epoch"] if state else 0
        if done == count:  # cut off between two stages: what was reached is loaded, and the next one begins
            list(fit(model, x, epochs=count, batch_size=plan.batch, learning_rate=rate, resume=state))
        while done < count:
            warming = before + done < plan.warm_up
            if full_beta is not None:
                model.beta = full_beta * min(1.0, (before + done + 1) / (plan.warm_up + 1))
            until = done + 1 if warming else count  # beta changes between calls: fit may be training a copy on a GPU
            for report in fit(
                model, x, epochs=until, batch_size=plan.batch, learning_rate=rate, seed=seed + stage,
                validation=validation, resume=state, schedule=plan.schedule, planned=count,
            ):  # fmt: skip
                yield StagedEpoch(before + report.number, report)
            state, done = report.checkpoint(), until
        state = None
    if full_beta is not None:
        model.beta = full_beta


class _Placed(nn.Module):
    """A model whose codes are pulled to given places while its decoder learns to decode from there."""

    PULL, SPREAD = 30.0, 0.1  # of a code's squared distance against nats; of the codes that the decoder reads

    def __init__(self, model: Any, seed: int) -> None:
        super().__init__()
        self.model, self.noise = model, torch.Generator().manual_seed(seed)

    def losses(self, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """How far the codes of ``x`` are from ``codes`` [B, d], and what is lost from there."""
        x, codes = batch
        away = (self.model.encode(x) - codes).square().sum(-1).mean()
        read = codes + self.SPREAD * torch.empty_like(codes).normal_(generator=self.noise)
        reconstruction = reconstruction_loss(self.model.reconstruction, self.model.decoder(read), x)
        return {"total": self.PULL * away + reconstruction, "reconstruction": reconstruction}


def place_codes(
    model: Any, x: Tensor, codes: Tensor, *, epochs: int, batch: int, rate: float, seed: int = 0
) -> Iterator[Report]:
    """Bring the codes of ``x`` [N, ...] to ``codes`` [N, d] before the training proper; yields once an epoch.

    How the kinds of data lie beside one another is settled by chance within a training's first steps, and gradient
    descent hardly turns it over later: a start that depends on the data alone gives every seed the same good layout.
    """
    placed = _Placed(model, seed)
    yield from fit(placed, (x, codes), epochs=epochs, batch_size=batch, learning_rate=rate, seed=seed)


def checkpoint(plan: Plan, step: StagedEpoch) -> dict[str, Any]:
    """All that `train_by` needs to go on from a step."""
    stage, left = 0, step.epoch
    while left > plan.stages[stage][1]:
        left -= plan.stages[stage][1]
        stage += 1
    return {"stage": stage, "state": step.report.checkpoint()}


def resumable(
    name: str, plan: Plan, model: Any, x: Tensor, validation: Tensor | None = None
) -> Iterator[dict[str, float]]:
    """Train by a plan, keeping a checkpoint under the user's cache; a run that was cut off goes on from there.

    ``name`` stands for data, model and plan together; the trained model is kept too, until `forget`.
    """
    path = _checkpoint_path(name)
    kept = store.read(path) if path.is_file() else None
    mark = [list(map(list, plan.stages)), plan.batch, plan.warm_up, plan.schedule, model.config]
    if kept is not None and kept["mark"] != store.loads(store.dumps(mark)):
        kept = None
    if kept is not None and kept["done"]:
        model.load_state_dict(from_tree(kept["model"]).state_dict())
        return
    for step in train_by(plan, model, x, validation=validation, resume=kept and kept["resume"]):
        done = step.epoch == plan.epochs
        saved = {"mark": mark, "done": done, "resume": checkpoint(plan, step), "model": to_tree(model)}
        path.parent.mkdir(parents=True, exist_ok=True)
        store.write(path, saved)
        losses = step.report.validation or step.report.losses
        yield {"epoch": step.epoch, "progress": step.epoch / plan.epochs, **losses, "seconds": step.report.seconds}
    model.eval()


def forget(names: Sequence[str]) -> None:
    """Drop the checkpoints of finished work."""
    for name in names:
        _checkpoint_path(name).unlink(missing_ok=True)


def _checkpoint_path(name: str) -> Path:
    return store.folder() / "pretraining" / f"{name}.safetensors"
