"""What may be added to any autoencoder's own objective: a penalty on its code, or a corrupted input."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from aecore.errors import SettingError
from aecore.models.autoencoder import AutoEncoder
from aecore.models.objectives import jacobian_norm_estimate, kl_sparsity, l1_sparsity

Penalty = Callable[[AutoEncoder, Tensor, torch.Generator], Tensor]
TARGET = 0.05  # share of the time that a unit is active, under the KL penalty: Ng (2011)


def l1(model: AutoEncoder, x: Tensor, noise: torch.Generator) -> Tensor:
    """L1 sparsity of the code, weighed by the columns of the decoder's first layer."""
    first = next(m for m in model.decoder.modules() if isinstance(m, nn.Linear))
    return l1_sparsity(model.encode(x), first.weight)


def kl(model: AutoEncoder, x: Tensor, noise: torch.Generator) -> Tensor:
    """KL divergence of each unit's mean activation from the target; needs a code in 0..1 (``code="sigmoid"``)."""
    return kl_sparsity(model.encode(x), TARGET)


def contraction(model: AutoEncoder, x: Tensor, noise: torch.Generator) -> Tensor:
    """Squared Frobenius norm of the encoder's Jacobian, estimated with one random direction."""
    return jacobian_norm_estimate(model.encode, x, noise)


PENALTIES: dict[str, Penalty] = {"l1": l1, "kl": kl, "contraction": contraction}


class Penalised(nn.Module):
    """Train ``model`` on ``its own loss + weight * penalty``; a wrapper while training, the model stays as it was."""

    def __init__(self, model: AutoEncoder, penalty: str, *, weight: float, seed: int = 0) -> None:
        super().__init__()
        if penalty not in PENALTIES:
            raise SettingError(f"penalty must be one of {', '.join(PENALTIES)}, got {penalty!r}")
        if not weight >= 0:
            raise SettingError(f"weight must be 0 or more, got {weight}")
        self.model, self.penalty, self.weight = model, penalty, weight
        self.noise = torch.Generator().manual_seed(seed)

    def losses(self, batch: Tensor) -> dict[str, Tensor]:
        """Scalars of the model, and ``penalty``; ``total`` is both."""
        losses = self.model.losses(batch)
        penalty = PENALTIES[self.penalty](self.model, batch, self.noise)
        return losses | {"total": losses["total"] + self.weight * penalty, "penalty": penalty}


CORRUPTIONS = ("gaussian", "masking")


def corrupt(x: Tensor, kind: str, strength: float, noise: torch.Generator) -> Tensor:
    """Add Gaussian noise of standard deviation ``strength``, or set that share of all values to zero."""
    if kind == "gaussian":
        return x + strength * torch.empty_like(x).normal_(generator=noise)
    return x * (torch.empty_like(x).uniform_(generator=noise) >= strength)


class Denoising(nn.Module):
    """Train ``model`` to give back a clean ``x`` from a corrupted one, corrupted afresh each time.

    Vincent, Larochelle, Bengio & Manzagol, *Extracting and Composing Robust Features with Denoising Autoencoders*
    (ICML 2008).
    """

    def __init__(self, model: AutoEncoder, corruption: str, *, strength: float, seed: int = 0) -> None:
        super().__init__()
        if corruption not in CORRUPTIONS:
            raise SettingError(f"corruption must be one of {', '.join(CORRUPTIONS)}, got {corruption!r}")
        if not strength >= 0 or (corruption == "masking" and strength >= 1):
            raise SettingError(f"strength must be 0 or more, and a masked share below 1, got {strength}")
        self.model, self.corruption, self.strength = model, corruption, strength
        self.noise = torch.Generator().manual_seed(seed)

    def losses(self, batch: Tensor) -> dict[str, Tensor]:
        """Scalars of the model for (corrupted, clean)."""
        return self.model.losses((corrupt(batch, self.corruption, self.strength, self.noise), batch))
