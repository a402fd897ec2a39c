"""Bottleneck: three models compress the same signals to k numbers, for every k, and their errors are compared."""

import functools
from collections.abc import Generator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore import store
from aecore.concepts.bottleneck.models import (
    FittedPca,
    LinearModel,
    NonlinearModel,
    SignalModel,
    affine_from,
    network_from,
)
from aecore.concepts.bottleneck.signals import LENGTH, Array, family_to_learn, spectrum
from aecore.concepts.bottleneck.subspaces import compare, linear_bound
from aecore.numerics.progress import relay
from aecore.numerics.threads import one_thread
from aecore.paths import MODELS

# Largest latent size: a quarter of the signal.
LARGEST = 64
# Complexities with pre-trained models.
GRID = (1, 2, 3, 5, 10, 20, 40)
ASSET = MODELS / "bottleneck.safetensors"

PCA, LINEAR, NONLINEAR = "PCA", "Linear autoencoder", "Nonlinear autoencoder"
# Two layers before the code: with one, training does not find its way around a circle.
HIDDEN = (128, 96)
WEIGHT_SEED = 0
# Lowest level that is drawn, in dB below the loudest line.
FLOOR = -60.0
# Angle in degrees above which a sentence explains it.
WIDE_ANGLE = 10.0

Tree = dict[str, Any]
Progress = dict[str, Any]


class SignalSweep(NamedTuple):
    """The signal on screen rebuilt from every latent size, and the mean error of each model."""

    shown: Array  # [L]
    pca: FittedPca
    machines: dict[str, SignalModel]
    frames: dict[str, Array]  # [65, L] of each model
    lost: dict[str, NDArray[np.float64]]  # [65] of each, share of the test signals' variance
    bound: NDArray[np.float64]  # [65], the least that any linear model loses of them

    def levels(self, machine: str) -> dict[str, NDArray[np.float64]]:
        """Spectra in dB below the signal's loudest line, down to `FLOOR`.

        [129] of the signal on screen, [65, 129] of what a model makes of it from each size, and of the rest.
        """
        rebuilt = self.frames[machine]
        loudest = max(float(spectrum(self.shown).max()), 1e-12)
        shapes = {"in": self.shown, "out": rebuilt, "lost": self.shown - rebuilt}
        return {
            name: np.maximum(20 * np.log10(np.maximum(spectrum(shape) / loudest, 1e-9)), FLOOR)
            for name, shape in shapes.items()
        }


def fit_pca(learn: Array) -> FittedPca:
    """Fit PCA to signals [N, 256], with as many components as the widest code has numbers."""
    with one_thread():
        return FittedPca.fit(learn, LARGEST)


@functools.cache  # 40 families at most, 130 KB each
def family_pca(complexity: int) -> FittedPca:
    """Fit PCA to a family's training signals; once a process, for it takes a tenth of a second."""
    return fit_pca(family_to_learn(complexity))


def sweep(test: Array, shown: int, pca: FittedPca, trained: Tree | None) -> SignalSweep:
    """Run every model at every latent size on signals [N, 256], of which row ``shown`` is the one on screen.

    Without ``trained`` weights that is PCA alone.
    """
    with one_thread():
        return _sweep(test, shown, pca, trained)


def _sweep(test: Array, shown: int, pca: FittedPca, trained: Tree | None) -> SignalSweep:
    machines = _machines(pca, trained)
    x, sizes = test[shown], range(LARGEST + 1)
    bound = linear_bound(test, LARGEST)
    total = bound[0] if bound[0] > 0 else 1.0
    return SignalSweep(
        x, pca, machines,
        {name: machine.frames(x) for name, machine in machines.items()},
        {name: machine.errors(test, sizes) / total for name, machine in machines.items()},
        bound / total,
    )  # fmt: skip


def _machines(pca: FittedPca, trained: Tree | None) -> dict[str, SignalModel]:
    return {PCA: pca.machine} | (read_machines(trained) if trained else {})


def read_machines(trained: Tree) -> dict[str, SignalModel]:
    """Read the autoencoders that `train` or the asset holds."""
    linear: LinearModel = affine_from(trained["linear"]["weights"])
    nonlinear: NonlinearModel = network_from(trained["nonlinear"])
    return {LINEAR: linear, NONLINEAR: nonlinear}


# ---------------------------------------------------------------------- in words and tables
def summary(swept: SignalSweep, k: int) -> str:
    """Say what k numbers lose, and whether the nonlinear machine does what no linear one can."""
    numbers = "1 number" if k == 1 else f"{k} numbers"
    lost = ", ".join(f"the {name.lower()} {swept.lost[name][k]:.1%}" for name in swept.machines if name != PCA)
    words = f"With {numbers} PCA loses **{swept.lost[PCA][k]:.1%}** of the test signals' variance"
    words += f", {lost}." if lost else "."
    if NONLINEAR not in swept.machines:
        return words
    below = np.flatnonzero(swept.lost[NONLINEAR] < swept.bound)
    if swept.lost[NONLINEAR][k] < swept.bound[k]:
        words += f" No linear machine can go below {swept.bound[k]:.1%} on these signals; **the nonlinear one does**."
    elif len(below):
        words += f" The nonlinear one beats the bound of all linear machines {_where(below)}, not here."
    else:
        words += " Nowhere on these signals does the nonlinear one beat the bound of all linear machines."
    return words


def equivalence(swept: SignalSweep, k: int) -> str:
    """Say by number how near the linear autoencoder has come to PCA; where there is none, that there is none."""
    question, linear = "**Is a linear autoencoder PCA?**", swept.machines.get(LINEAR)
    if not isinstance(linear, LinearModel):
        return f"{question} To be measured once one is trained on these signals."
    equal = compare(linear, swept.pca, k, (float(swept.lost[LINEAR][k]), float(swept.lost[PCA][k])))
    side = "above" if equal.difference >= 0 else "below"
    words = f"{question} Its error is {abs(equal.difference) * 100:.2f} % of the total variance {side} PCA's. "
    if k == 0:
        return words + "Without a number there is no subspace to compare."
    pair = f"eigenvalues {k} and {k + 1} are {equal.gap:.1%} apart"
    if equal.angle is None:
        return words + (
            f"Their subspaces are not compared here: {pair}, too near to say which direction comes first, and any "
            "mixture of the two is as good."
        )
    words += f"The {pair}, so their subspaces can be compared: at most **{equal.angle:.1f}°** between them."
    return words + (" Gradient descent finds the faintest directions last." if equal.angle > WIDE_ANGLE else "")


def _where(sizes: NDArray[np.intp]) -> str:
    """``[1 2 3 5]`` -> ``at k = 1 to 3 and 5``; where there are many pieces, the first and last."""
    pieces = np.split(sizes, np.flatnonzero(np.diff(sizes) > 1) + 1)
    named = [f"{p[0]}" if len(p) == 1 else f"{p[0]} to {p[-1]}" for p in pieces]
    if len(named) > 3:
        return f"at {len(sizes)} sizes between k = {sizes[0]} and {sizes[-1]}"
    return f"at k = {' and '.join(named)}"


def error_table(swept: SignalSweep) -> pd.DataFrame:
    """One line a code size: share of variance lost by each machine, and the bound of all linear ones."""
    return pd.DataFrame({"k": np.arange(LARGEST + 1), "linear bound": swept.bound} | swept.lost)


def signal_table(swept: SignalSweep, k: int) -> pd.DataFrame:
    """One line a sample: the signal on screen and what each machine makes of it from k numbers."""
    rebuilt = {f"{name}, k = {k}": frames[k] for name, frames in swept.frames.items()}
    return pd.DataFrame({"sample": np.arange(len(swept.shown)), "signal": swept.shown} | rebuilt)


# ---------------------------------------------------------------------- training
def train_family(complexity: int) -> Generator[Progress, None, Tree]:
    """Train both autoencoders on a family that does not ship; a job's task."""
    return (yield from train(family_to_learn(complexity)))


def train(signals: Array) -> Generator[Progress, None, Tree]:
    """Train a linear and a nonlinear autoencoder on signals [N, 256]; a job's task.

    Returns ``{"linear": {"weights"}, "nonlinear": {"weights", "centre", "spread"}}``, float16.
    """
    import torch  # seconds on the way to a page, nothing in a worker

    from aecore.concepts.bottleneck.training import LINEAR_PLAN, NONLINEAR_PLAN, train_by
    from aecore.models import NestedAutoEncoder

    x = torch.from_numpy(signals)
    linear = NestedAutoEncoder((LENGTH,), hidden=(), latent_dim=LARGEST, seed=WEIGHT_SEED, sizes="octaves")
    yield from train_by(LINEAR_PLAN, linear, x)
    nonlinear = NestedAutoEncoder(
        (LENGTH,), hidden=HIDDEN, latent_dim=LARGEST, activation="silu", seed=WEIGHT_SEED, sizes="octaves"
    )
    yield from train_by(NONLINEAR_PLAN, nonlinear, x)
    with torch.inference_mode():
        codes = nonlinear.encode(x)  # (N, K)
    return {
        "linear": {"weights": _half(linear)},
        "nonlinear": {
            "weights": _half(nonlinear),
            "centre": codes.mean(0).numpy().astype(np.float16), "spread": codes.std(0).numpy().astype(np.float16),
        },
    }  # fmt: skip


def _half(model: Any) -> dict[str, NDArray[np.float16]]:
    """Weights at half precision: rounding costs a thousandth of what is lost anyway, and half the bytes."""
    return {name: tensor.detach().numpy().astype(np.float16) for name, tensor in model.state_dict().items()}


# ---------------------------------------------------------------------- what ships
def load_pretrained(complexity: int) -> Tree | None:
    """Read the pre-trained models of a complexity on the grid; return None for another."""
    if complexity not in GRID:
        return None
    tree: Tree = store.read(ASSET)[str(complexity)]
    return tree


def pretrain() -> Generator[Progress, None, None]:
    """Train what `load_pretrained` reads."""
    trees: Tree = {}
    for i, complexity in enumerate(GRID):

        def change(progress: Progress, i: int = i, complexity: int = complexity) -> Progress:
            return progress | {"complexity": complexity, "progress": (i + progress["progress"]) / len(GRID)}

        trees[str(complexity)] = yield from relay(train_family(complexity), change)
    store.write(ASSET, trees)
