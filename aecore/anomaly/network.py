"""The autoencoder over windows, and how it is trained: the detector's own and those that calibrate it, side by side."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from aecore.models.objectives import mean_absolute_error, mean_squared_error
from aecore.numerics.pca import Decomposition, decompose
from aecore.training import fit

Array = NDArray[np.floating[Any]]
Indices = NDArray[np.int64]

STEPS_PER_EPOCH = 64
LARGEST = 1 << 20  # values in a window, latent dimensions and hidden units of a network that is read from a file
LEARNING_RATES = (4e-3, 8e-4)  # far first, then fine: the last quarter of the epochs settles what the first found
LINEAR_RATES = (2e-3, 4e-4)  # without hidden units the start is nearly the goal already


@dataclass(frozen=True, kw_only=True)
class FitRecipe:
    """How a network over windows is built and trained."""

    latent_dim: int
    hidden: int  # units of the non-linear correction; 0 for none
    noise: float  # standard deviation of what is added to the (standardised) windows in training
    absolute: bool  # train on the absolute error instead of the squared one
    epochs: int
    batch: int


class WindowNetwork(nn.Module):
    """PCA with a non-linear correction in encoder and decoder that starts at nothing: ``[..., D] -> [..., D]``.

    ``z = (x - m) A + silu((x - m) B + b) C`` and ``x' = z A' + l + silu(z / s D + d) E``, with A the leading principal
    directions, s the codes' standard deviations, and C = E = 0 at the start; all but m and s is then trained.

    Parameters
    ----------
    size : values in a window (D).
    latent_dim : numbers in the code (K).
    hidden : units of the correction (H), or 0.
    copies : how many networks are stacked along a leading dimension, so that ``[M, B, D] -> [M, B, D]``; None for a
        single one without it.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, size: int, *, latent_dim: int, hidden: int, copies: int | None = None) -> None:
        super().__init__()
        self.config = {"size": size, "latent_dim": latent_dim, "hidden": hidden}
        lead = () if copies is None else (copies,)
        self.register_buffer("mean", torch.zeros(*lead, 1, size))
        self.register_buffer("spread", torch.ones(*lead, 1, latent_dim))
        shapes = _shapes(size, latent_dim, hidden)
        self.weights = nn.ParameterDict({name: nn.Parameter(torch.zeros(*lead, *s)) for name, s in shapes.items()})

    def encode(self, x: Tensor) -> Tensor:
        """``[..., B, D] -> [..., B, K]``."""
        w, centred = self.weights, x - self.mean
        if not self.config["hidden"]:
            return centred @ w["into"]
        both = centred @ torch.cat([w["into"], w["bend_in"]], -1)  # [..., B, K + H]: one product is faster than two
        z, bent = both.split([self.config["latent_dim"], self.config["hidden"]], -1)
        return z + functional.silu(bent + w["bend_in_bias"]) @ w["bent_in"]

    def decode(self, z: Tensor) -> Tensor:
        """``[..., B, K] -> [..., B, D]``."""
        w = self.weights
        if not self.config["hidden"]:
            return z @ w["out"] + w["level"]
        bent = functional.silu(z / self.spread @ w["bend_out"] + w["bend_out_bias"])
        return torch.cat([z, bent], -1) @ torch.cat([w["out"], w["bent_out"]], -2) + w["level"]

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruct."""
        return self.decode(self.encode(x))

    def start(self, principals: Sequence[Decomposition], *, seed: int) -> None:
        """Set each stacked network to its PCA; the correction's inner weights are drawn, its outer ones stay 0."""
        k, w = self.config["latent_dim"], self.weights
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for i, p in enumerate(principals):
                mean, components = _tensor(p.mean), _tensor(p.components[:k])
                self.mean[i], w["level"][i], w["into"][i], w["out"][i] = mean, mean, components.T, components
                self.spread[i] = _tensor(p.variances[:k]).clamp(min=1e-12).sqrt()
            if self.config["hidden"]:
                w["bend_in"].normal_(0, self.config["size"] ** -0.5, generator=generator)
                w["bend_out"].normal_(0, k**-0.5, generator=generator)

    def single(self, index: int) -> "WindowNetwork":
        """Return one of the stacked networks by itself."""
        alone = WindowNetwork(**self.config)
        alone.load_state_dict({name: tensor[index].clone() for name, tensor in self.state_dict().items()})
        return alone.eval()

    def to_tree(self) -> dict[str, Any]:
        """Sizes and weights as plain values and arrays."""
        return {"config": self.config, "weights": {n: t.numpy().copy() for n, t in self.state_dict().items()}}

    @classmethod
    def from_tree(cls, tree: dict[str, Any]) -> "WindowNetwork":
        """Rebuild the network of :meth:`to_tree`.

        Raises ValueError where the weights are not of the sizes that the tree states; nothing is made of these before.
        """
        config, held = tree["config"], tree["weights"]
        sizes = [config[name] for name in ("size", "latent_dim", "hidden")]
        if not all(type(size) is int and 0 <= size <= LARGEST for size in sizes):
            raise ValueError("sizes out of range")
        expected = {f"weights.{name}": shape for name, shape in _shapes(*sizes).items()}
        expected |= {"mean": (1, sizes[0]), "spread": (1, sizes[1])}
        if {name: np.shape(array) for name, array in held.items()} != expected:
            raise ValueError("the weights are not of the sizes stated")
        network = cls(**config)
        network.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in tree["weights"].items()})
        return network.eval()


def _tensor(array: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, np.float32))


def _shapes(size: int, latent_dim: int, hidden: int) -> dict[str, tuple[int, int]]:
    """Shapes of a network's weights by their names."""
    shapes = {"into": (size, latent_dim), "out": (latent_dim, size), "level": (1, size)}
    if hidden:
        shapes |= {
            "bend_in": (size, hidden), "bend_in_bias": (1, hidden), "bent_in": (hidden, latent_dim),
            "bend_out": (latent_dim, hidden), "bend_out_bias": (1, hidden), "bent_out": (hidden, size),
        }  # fmt: skip
    return shapes


class SideBySide(nn.Module):
    """Networks of one shape, each on its own windows, trained as one: small matrices leave a core idle one by one."""

    windows: Tensor

    def __init__(self, networks: WindowNetwork, windows: Array, recipe: FitRecipe) -> None:
        super().__init__()
        self.networks, self.recipe = networks, recipe
        self.register_buffer("windows", torch.from_numpy(windows), persistent=False)  # [N, D]; they go where it goes
        self.noise = torch.Generator()  # seeded by the training loop

    def losses(self, picked: Tensor) -> dict[str, Tensor]:
        """``total`` over all networks and ``detector``, the first one's; ``picked`` [B, M] are rows of the windows."""
        x = self.windows[picked.T]  # [M, B, D]
        seen = x
        if self.recipe.noise:
            seen = x + self.recipe.noise * torch.randn(x.shape, generator=self.noise, device=x.device)
        rebuilt = self.networks(seen)
        error = mean_absolute_error if self.recipe.absolute else mean_squared_error
        errors = torch.stack([error(of_one, target) for of_one, target in zip(rebuilt, x, strict=True)])  # [M]
        return {"total": errors.mean(), "detector": errors[0]}


class TrainedNetworks(NamedTuple):
    """Where the training stands after an epoch: the first network's mean loss in it, and all networks.

    Epochs count from 1; 0 is the way to the networks' start, still without a loss.
    """

    epoch: int
    loss: float
    networks: WindowNetwork


def train(
    windows: Array, members: Sequence[Indices], recipe: FitRecipe, *, seed: int, first: Decomposition | None = None
) -> Iterator[TrainedNetworks]:
    """Train one network for each of ``members`` (row numbers of ``windows`` [N, D]), yielding after every epoch.

    ``first`` is the principal components of the first member's windows, where they are known already.
    """
    networks = WindowNetwork(windows.shape[1], latent_dim=recipe.latent_dim, hidden=recipe.hidden, copies=len(members))
    principals = [] if first is None else [first]
    for rows in members[len(principals) :]:
        yield TrainedNetworks(0, float("nan"), networks)  # those of wide windows take a second each
        principals.append(decompose(windows[rows]))
    networks.start(principals, seed=seed)
    rng = np.random.default_rng(seed)
    draws = STEPS_PER_EPOCH * recipe.batch
    picked = np.stack([_draw_rows(rng, rows, draws) for rows in members], axis=1)  # [draws, M]
    trainees, x = SideBySide(networks, windows, recipe), torch.from_numpy(picked)
    fine = max(1, recipe.epochs // 4)
    number = 0
    for rate, epochs in zip(
        LEARNING_RATES if recipe.hidden else LINEAR_RATES, (recipe.epochs - fine, fine), strict=True
    ):
        for report in fit(trainees, x, epochs=epochs, batch_size=recipe.batch, learning_rate=rate, seed=seed + number):
            number += 1
            yield TrainedNetworks(number, report.losses["detector"], networks)


def _draw_rows(rng: np.random.Generator, rows: Indices, count: int) -> Indices:
    """``count`` of the rows, each as often as the next."""
    return np.concatenate([rng.permutation(rows) for _ in range(-(-count // len(rows)))])[:count]
