"""One network for every code size: nested dropout orders the code's numbers by how much they matter."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from aecore.errors import SettingError
from aecore.models.autoencoder import AutoEncoder, Batch, reconstruction_loss

SIZES = ("uniform", "octaves")


class NestedAutoEncoder(AutoEncoder):
    """Dense autoencoder whose first k code numbers are a code of size k, for every k in 0..latent_dim.

    While training, each datum keeps only its first k numbers, the others set to zero: what matters most must move to
    the front. Rippel, Gelbart & Adams, *Learning Ordered Representations with Nested Dropout* (ICML 2014), who draw k
    geometrically.

    Parameters
    ----------
    sizes : how k is drawn: ``"uniform"`` in 0..latent_dim, for short codes; ``"octaves"`` with probability falling
        about as 1 / (k + 1), as much for each doubling: in a long code, too, the narrow waists get their share.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        *,
        hidden: Sequence[int] = (128,),
        latent_dim: int = 16,
        reconstruction: str = "mse",
        activation: str = "relu",
        seed: int = 0,
        sizes: str = "uniform",
    ) -> None:
        if sizes not in SIZES:
            raise SettingError(f"sizes must be one of {', '.join(SIZES)}, got {sizes!r}")
        super().__init__(
            input_shape, hidden=hidden, latent_dim=latent_dim,
            reconstruction=reconstruction, activation=activation, seed=seed,
        )  # fmt: skip
        self.sizes = sizes
        self.config |= {"sizes": sizes}
        self.noise = torch.Generator().manual_seed(seed)

    def keep(self, z: Tensor, k: int | Tensor) -> Tensor:
        """Zero all but the first ``k`` numbers of each code [B, latent_dim]; ``k`` may be one a datum, [B, 1]."""
        return z * (torch.arange(self.latent_dim, device=z.device) < k)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Scalars ``total`` and ``reconstruction``, each datum through its own random number of code numbers."""
        x, target = (batch, batch) if isinstance(batch, Tensor) else batch
        loss = reconstruction_loss(
            self.reconstruction, self.decoder(self.keep(self.encode(x), self._draw(len(x)))), target
        )
        return {"total": loss, "reconstruction": loss}

    def _draw(self, count: int) -> Tensor:
        """Code sizes for ``count`` data, [count, 1]."""
        if self.sizes == "uniform":
            return torch.randint(0, self.latent_dim + 1, (count, 1), generator=self.noise, device=self.noise.device)
        share = torch.rand((count, 1), generator=self.noise, device=self.noise.device)  # (B, 1); log-uniform below
        return ((share * math.log(self.latent_dim + 2)).exp() - 1).long().clamp(max=self.latent_dim)
