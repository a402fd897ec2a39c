"""The variational autoencoder: a Gaussian code, and a pull towards the standard normal."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from aecore.errors import SettingError
from aecore.models.autoencoder import AutoEncoder, Batch, reconstruction_loss
from aecore.models.objectives import kl_to_standard_normal


class Posterior(NamedTuple):
    """``q(z|x) = N(mu, diag(exp(logvar)))``; both [B, latent_dim]."""

    mu: Tensor
    logvar: Tensor


class VariationalAutoEncoder(AutoEncoder):
    """Dense VAE: minimises ``reconstruction + beta * KL(q(z|x) || N(0, I))``.

    Kingma & Welling, *Auto-Encoding Variational Bayes* (2014); ``beta`` of Higgins et al. (2017).
    ``noise`` is the generator that samples codes while training; ``training.fit`` seeds it.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        *,
        hidden: Sequence[int] = (400,),
        latent_dim: int = 20,
        reconstruction: str = "bce",
        activation: str = "relu",
        beta: float = 1.0,
        decoder_hidden: Sequence[int] | None = None,
        seed: int = 0,
    ) -> None:
        if not beta >= 0:
            raise SettingError(f"beta must be 0 or more, got {beta}")
        super().__init__(
            input_shape, hidden=hidden, latent_dim=latent_dim,
            reconstruction=reconstruction, activation=activation, decoder_hidden=decoder_hidden, seed=seed,
        )  # fmt: skip
        self.beta = beta
        self.config["beta"] = beta
        self.noise = torch.Generator().manual_seed(seed)

    @property
    def _code_width(self) -> int:
        return 2 * self.latent_dim

    def posterior(self, x: Tensor) -> Posterior:
        """``[B, *input_shape]`` -> mean and log-variance of the code."""
        mu, logvar = self.encoder(x).float().chunk(2, -1)  # (B, d), (B, d); float32 for the KL's exponential and sum
        return Posterior(mu, logvar)

    def encode(self, x: Tensor) -> Tensor:
        """Mean of the code: ``[B, *input_shape] -> [B, latent_dim]``."""
        return self.posterior(x).mu

    def sample(self, posterior: Posterior) -> Tensor:
        """``z = mu + sigma * eps``: the noise moved aside, so that gradients reach mu and sigma; [B, latent_dim]."""
        mu, logvar = posterior
        eps = torch.empty_like(mu).normal_(generator=self.noise)
        return mu + (0.5 * logvar).exp() * eps

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Scalars ``total`` (the negative ELBO at beta = 1), ``reconstruction`` and ``kl``."""
        x, target = (batch, batch) if isinstance(batch, Tensor) else batch
        posterior = self.posterior(x)
        return self._negative_elbo(posterior, self.decoder(self.sample(posterior)), target)

    def _negative_elbo(self, posterior: Posterior, raw: Tensor, target: Tensor) -> dict[str, Tensor]:
        reconstruction = reconstruction_loss(self.reconstruction, raw, target)
        kl = kl_to_standard_normal(*posterior)
        return {"total": reconstruction + self.beta * kl, "reconstruction": reconstruction, "kl": kl}
