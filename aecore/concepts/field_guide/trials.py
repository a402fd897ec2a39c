"""Small trainings that go wrong on purpose: one switch a fault, and the curves that show it.

Every trial draws what does not matter (rows, batch, width, epochs) from its seed, so that a diagnosis cannot learn it.
"""

from __future__ import annotations

import functools
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.data.datasets import digits
from aecore.data.datasets.shapes import ShapeFamily
from aecore.data.datasets.signals import SinusoidFamily, windows
from aecore.data.simulators.powertrain import InverterSettings, simulate
from aecore.errors import SettingError, TrainingDiverged

if TYPE_CHECKING:
    from torch import nn

    from aecore.models import AutoEncoder

Array = NDArray[np.float32]

HEALTHY = "healthy"
SMALL, LOSS, SHORT, LEAK = "latent too small", "wrong loss", "too few epochs", "leak into the test"
RAW, DEAD, FAST = "unscaled inputs", "dead units", "learning rate too high"
FAULTS = (SMALL, LOSS, SHORT, LEAK, RAW, DEAD, FAST)
KINDS = (HEALTHY, *FAULTS)
ENOUGH = {"digits": 16, "sinusoids": 10, "shapes": 16, "inverter": 8}  # numbers in a code that is large enough
DATA = tuple(ENOUGH)
TEST_ROWS = 100
RATE = 5e-3  # of Adam, where nothing is wrong
SHOWN = 8  # held-out data, in and out
MAX_SEED = 9999


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Which data, which faults are switched on, and the seed of everything else."""

    data: str = "digits"
    faults: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if self.data not in DATA:
            raise SettingError(f"The data must be one of {', '.join(DATA)}, got {self.data!r}.")
        if unknown := set(self.faults) - set(FAULTS):
            raise SettingError(f"The faults must be among {', '.join(FAULTS)}, got {', '.join(sorted(unknown))}.")
        if not 0 <= self.seed <= MAX_SEED:
            raise SettingError(f"seed must be in 0..{MAX_SEED}, got {self.seed}; choose one inside.")


class TrialPlan(NamedTuple):
    """Settings of a trial's training, drawn from its seed and changed by its faults."""

    rows: int
    batch: int
    width: int
    epochs: int
    latent: int
    rate: float
    dead: float  # share of the hidden units that never fire
    scale: tuple[float, float]  # decades of the columns' units


class History(NamedTuple):
    """Loss by epoch [E] on what is learnt and on what is held out; the share of hidden units that ever fire, if known.

    ``diverged``: the loss became infinite or no number, and the curves end there.
    """

    train: NDArray[np.float64]
    validation: NDArray[np.float64] | None
    active: NDArray[np.float64] | None = None
    diverged: bool = False


class TrialOutcome(NamedTuple):
    """A trial's history, and held-out data as they went in and came out: [n, D] each, in standard deviations."""

    history: History
    inputs: Array
    rebuilt: Array


def draw_plan(trial: Trial) -> TrialPlan:
    """Draw a trial's plan from its seed; faults do not change what the others are drawn as."""
    rng = np.random.default_rng([trial.seed, DATA.index(trial.data)])
    rows, batch = int(rng.integers(120, 241)), int(rng.choice([24, 32]))
    width, epochs = int(rng.choice([48, 64, 96])), int(rng.integers(24, 41))
    few, small = int(rng.integers(4, 9)), int(rng.integers(1, 3))
    fast, dead, decade = 10 ** rng.uniform(-1.3, 0), rng.uniform(0.8, 0.95), rng.uniform(1, 2)
    return TrialPlan(
        rows, batch, width,
        epochs=few if SHORT in trial.faults else epochs,
        latent=small if SMALL in trial.faults else ENOUGH[trial.data],
        rate=float(fast) if FAST in trial.faults else RATE,
        dead=float(dead) if DEAD in trial.faults else 0.0,
        scale=(0.0, 2 * float(decade)) if RAW in trial.faults else (0.0, 0.0),
    )  # fmt: skip


def draw_rows(data: str, count: int, seed: int) -> Array:
    """Draw data [count, D] as they come."""
    if data == "digits":
        every = digits.load().images.reshape(-1, 64)
        return every[np.random.default_rng([seed, 1]).permutation(len(every))[:count]]
    if data == "sinusoids":
        return SinusoidFamily(complexity=5, length=64, noise=0.2).draw_noisy(count, seed=seed).noisy
    if data == "shapes":
        pictures = ShapeFamily().draw(count, seed=seed).images
        return np.ascontiguousarray(pictures.reshape(count, 7, 4, 7, 4).mean((2, 4)).reshape(count, 49))
    recording = simulate(InverterSettings(seconds=1.0, noise=25.0, speed_rpm=2000 + seed % 7 * 300, seed=seed))
    pieces = [windows(recording.values[:, channel], 16, 8) for channel in range(3)]
    cut = np.concatenate(pieces, 1)
    return cut[np.random.default_rng([seed, 1]).permutation(len(cut))[:count]]


def split(trial: Trial, plan: TrialPlan) -> tuple[Array, Array]:
    """Draw training and test data, scaled as the trial's faults say."""
    both = draw_rows(trial.data, plan.rows + TEST_ROWS, trial.seed)
    rng = np.random.default_rng([trial.seed, 2])
    centre, spread = both[: plan.rows].mean(0), both[: plan.rows].std(0)
    both = (both - centre) / np.maximum(spread, 0.1 * spread.max())  # a pixel that is hardly ever inked stays small
    train, test = both[: plan.rows], both[plan.rows :]
    if LEAK in trial.faults:
        test = train[rng.integers(0, len(train), TEST_ROWS)]
    units = 10 ** rng.uniform(*plan.scale, size=both.shape[1])
    offsets = units * (rng.normal(size=both.shape[1]) if RAW in trial.faults else 0.0)
    return (train * units + offsets).astype(np.float32), (test * units + offsets).astype(np.float32)


def run(trial: Trial) -> Generator[dict[str, Any], None, dict[str, Any]]:
    """Train one trial; a job's task. Yields its curves as they grow, returns what `outcome_of` reads."""
    import torch

    from aecore.models import AutoEncoder
    from aecore.training import fit

    plan = draw_plan(trial)
    train, test = split(trial, plan)
    model = AutoEncoder(
        (train.shape[1],), hidden=(plan.width,), latent_dim=plan.latent,
        reconstruction="bce" if LOSS in trial.faults else "mse", seed=trial.seed,
    )  # fmt: skip
    _silence(model, plan.dead, trial.seed)
    held_out = torch.from_numpy(test)
    curves: dict[str, list[float]] = {"train": [], "validation": [], "active": []}
    diverged = False
    try:
        for report in fit(model, torch.from_numpy(train), epochs=plan.epochs, batch_size=plan.batch,
                          learning_rate=plan.rate, validation=held_out, seed=trial.seed):  # fmt: skip
            curves["train"].append(report.losses["total"])
            curves["validation"].append((report.validation or report.losses)["total"])
            curves["active"].append(_active(model, held_out))
            yield {"part": "Training", "epoch": report.number, "epochs": plan.epochs, "progress": report.progress,
                   "loss": report.losses["total"], "curves": {n: list(v) for n, v in curves.items()}}  # fmt: skip
    except TrainingDiverged:
        diverged = True
    with torch.inference_mode():
        rebuilt = model(held_out[:SHOWN]).numpy()
    scale = np.maximum(train.std(0), 1e-6)
    inputs, rebuilt = (np.clip((p - train.mean(0)) / scale, -9, 9) for p in (test[:SHOWN], rebuilt))
    return curves | {"diverged": diverged, "inputs": inputs, "rebuilt": rebuilt}


def read_outcome(tree: dict[str, Any]) -> TrialOutcome:
    """Read what `run` returns."""
    train, validation, active = (np.asarray(tree[n], np.float64) for n in ("train", "validation", "active"))
    pictures = (np.asarray(tree[n], np.float32) for n in ("inputs", "rebuilt"))
    return TrialOutcome(History(train, validation, active, bool(tree["diverged"])), *pictures)


SIDES = {"digits": 8, "shapes": 7}  # pixels a side of the data that are pictures


def pictures(trial: Trial, values: Array) -> Array | None:
    """Bring a trial's values [n, D] back from standard deviations to ink [n, side, side] in 0..1; None if it has none.

    Standard deviations of a pixel that is hardly ever inked are so small that noise in it would look like ink.
    """
    if trial.data not in SIDES:
        return None
    centre, spread = _columns(trial.data, draw_plan(trial).rows, trial.seed)
    side = SIDES[trial.data]
    return np.clip(values * spread + centre, 0, 1).reshape(-1, side, side)


@functools.lru_cache(maxsize=64)
def _columns(data: str, rows: int, seed: int) -> tuple[Array, Array]:
    """Mean and standard deviation [D] of the rows that a trial learns from, as they come."""
    learnt = draw_rows(data, rows + TEST_ROWS, seed)[:rows]
    return learnt.mean(0), learnt.std(0)


def _silence(model: AutoEncoder, share: float, seed: int) -> None:
    """Start that share of the hidden units with a bias so low that they never fire, and so never learn."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    for part in (_hidden(model.encoder), _hidden(model.decoder)):
        off = torch.randperm(len(part.bias), generator=generator)[: round(share * len(part.bias))]
        with torch.no_grad():
            part.bias[off] = -100.0


def _active(model: AutoEncoder, x: Any) -> float:
    """Share of the encoder's hidden units that fire for any of the held-out data."""
    import torch

    with torch.inference_mode():
        return float((_hidden(model.encoder)(x.flatten(1)) > 0).any(0).float().mean())


def _hidden(part: nn.Module) -> nn.Linear:
    """Return the layer whose outputs are the half's hidden units."""
    from torch import nn

    return next(m for m in part.modules() if isinstance(m, nn.Linear))
