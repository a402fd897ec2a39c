"""How the Bottleneck page's autoencoders are trained: fast first, then slower, within twenty seconds together."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from torch import Tensor

from aecore.training import fit


class SignalPlan(NamedTuple):
    """Learning rates one after the other, each with its number of steps."""

    part: str
    stages: tuple[tuple[float, int], ...]
    batch: int
    begins: float  # share of all work that lies before it
    share: float  # of all work


LINEAR_PLAN = SignalPlan("Linear", ((1e-2, 900), (1e-3, 700), (1e-4, 400)), batch=256, begins=0.0, share=0.35)
NONLINEAR_PLAN = SignalPlan("Nonlinear", ((3e-3, 1200), (1e-3, 700), (1e-4, 300)), batch=128, begins=0.35, share=0.65)


def train_by(plan: SignalPlan, model: Any, x: Tensor) -> Iterator[dict[str, Any]]:
    """Train ``model`` on signals [N, L], yielding {part, epoch, epochs, loss, progress} once an epoch.

    Steps are planned, not epochs, so that a short recording is not learnt for less time than a long one.
    """
    batch = min(plan.batch, len(x))
    stages = [(rate, max(1, round(steps * batch / len(x)))) for rate, steps in plan.stages]
    epochs, done = sum(count for _, count in stages), 0
    for stage, (rate, count) in enumerate(stages):
        for report in fit(model, x, epochs=count, batch_size=batch, learning_rate=rate, seed=stage):
            done += 1
            progress = plan.begins + plan.share * done / epochs
            yield {
                "part": plan.part, "epoch": done, "epochs": epochs,
                "loss": report.losses["total"], "progress": progress,
            }  # fmt: skip
