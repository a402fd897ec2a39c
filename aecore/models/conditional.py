"""The conditional VAE: encoder and decoder are told what the datum is, and the code holds the rest."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from aecore.errors import SettingError
from aecore.models.autoencoder import Batch
from aecore.models.variational import Posterior, VariationalAutoEncoder


class ConditionalVAE(VariationalAutoEncoder):
    """Dense VAE of ``p(x|c)``: minimises ``reconstruction(x | z, c) + beta * KL(q(z|x, c) || N(0, I))``.

    The prior of z knows nothing of c, so a code decoded under another condition shows the same style as another class
    or at another operating point. Sohn, Lee & Yan, *Learning Structured Output Representation using Deep Conditional
    Generative Models* (NeurIPS 2015); with the standard normal as prior: Kingma et al., *Semi-supervised Learning with
    Deep Generative Models* (NeurIPS 2014), M2.

    A condition is either a class or a vector of numbers, everywhere in the same two forms: an integer tensor [B] of
    classes in 0..condition_dim - 1, or a real tensor [B, condition_dim]: one-hot or soft classes, or physical numbers
    such as speed and torque, in their own units where ``condition_ranges`` says from where to where they go.

    Parameters
    ----------
    condition_dim : how many classes, or how many numbers.
    condition_ranges : (low, high) of each number in its unit; they reach the networks as -1..1, so that a speed in
        thousands does not drown a torque in tens. None: the numbers are taken as they come.
    settings : those of :class:`VariationalAutoEncoder`, under the same names.

    Raises
    ------
    SettingError
        for a condition that is missing, of another length, or a class out of range.
    """

    low: Tensor
    high: Tensor

    def __init__(
        self,
        input_shape: Sequence[int],
        *,
        condition_dim: int,
        condition_ranges: Sequence[tuple[float, float]] | None = None,
        **settings: Any,
    ) -> None:
        _check(condition_dim, condition_ranges)
        self.condition_dim = condition_dim  # before the networks are made: it is part of their width
        super().__init__(input_shape, **settings)
        self.config["condition_dim"] = condition_dim
        self.scaled = condition_ranges is not None
        if condition_ranges is not None:
            self.config["condition_ranges"] = [list(limits) for limits in condition_ranges]
        low, high = zip(*(condition_ranges or [(-1.0, 1.0)] * condition_dim), strict=True)
        self.register_buffer("low", torch.tensor(low, dtype=torch.float32), persistent=False)
        self.register_buffer("high", torch.tensor(high, dtype=torch.float32), persistent=False)

    @property
    def _given(self) -> int:
        return self.condition_dim

    def posterior(self, x: Tensor, condition: Tensor | None = None) -> Posterior:
        """``[B, *input_shape]`` and its condition -> mean and log-variance of the code."""
        given = self._vector(condition, len(x))
        mu, logvar = self.encoder(torch.cat([x.flatten(1), given], 1)).float().chunk(2, -1)  # (B, d), (B, d)
        return Posterior(mu, logvar)

    def encode(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Mean of the code: ``[B, *input_shape]`` and its condition ``-> [B, latent_dim]``."""
        return self.posterior(x, condition).mu

    def decode(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """``[B, latent_dim]`` and the condition to show it under ``-> [B, *input_shape]``, in the data's range."""
        return super().decode(torch.cat([z, self._vector(condition, len(z))], 1))

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Reconstruct ``[B, *input_shape]`` under its own condition."""
        return self.decode(self.encode(x, condition), condition)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Scalars ``total`` (the negative conditional ELBO at beta = 1), ``reconstruction`` and ``kl``.

        A batch is (x, condition), or (input, condition, target).
        """
        if isinstance(batch, Tensor):
            raise SettingError("a conditional VAE trains on (x, condition), got x alone")
        x, condition, *rest = batch
        given = self._vector(condition, len(x))
        posterior = self.posterior(x, condition)
        raw = self.decoder(torch.cat([self.sample(posterior), given], 1))
        return self._negative_elbo(posterior, raw, rest[0] if rest else x)

    def _vector(self, condition: Tensor | None, rows: int) -> Tensor:
        """Bring a condition to what the networks see, [B, condition_dim]; one row serves all of a batch."""
        if condition is None:
            raise SettingError("a conditional VAE needs a condition beside each datum and each code, got none")
        if not condition.is_floating_point():
            if condition.ndim != 1 or not 0 <= int(condition.min()) <= int(condition.max()) < self.condition_dim:
                raise SettingError(f"classes must be one row of integers in 0..{self.condition_dim - 1}")
            condition = F.one_hot(condition.long(), self.condition_dim).to(self.low.dtype)
        if condition.ndim != 2 or condition.shape[1] != self.condition_dim or len(condition) not in (1, rows):
            raise SettingError(
                f"a condition must be [{rows}, {self.condition_dim}] numbers, got {list(condition.shape)}"
            )
        if self.scaled:
            condition = 2 * (condition - self.low) / (self.high - self.low) - 1
        return condition.expand(rows, -1)


def _check(condition_dim: int, ranges: Sequence[tuple[float, float]] | None) -> None:
    if condition_dim < 1:
        raise SettingError(f"condition_dim must be at least 1, got {condition_dim}")
    if ranges is not None and (len(ranges) != condition_dim or any(not low < high for low, high in ranges)):
        raise SettingError(f"condition_ranges must be {condition_dim} pairs of low < high, got {list(ranges)}")
