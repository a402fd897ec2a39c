"""One network for every code size: nested dropout orders the code's numbers by how much they matter."""

from collections.abc import Sequence

import torch
from torch import Tensor

from aecore.models.autoencoder import AutoEncoder, Batch, reconstruction_loss


class NestedAutoEncoder(AutoEncoder):
    """Dense autoencoder whose first k code numbers are a code of size k, for every k in 0..latent_dim.

    While training, each datum keeps only its first k numbers, k drawn uniformly, the others set to zero: what matters
    most must move to the front. Rippel, Gelbart & Adams, *Learning Ordered Representations with Nested Dropout*
    (ICML 2014); drawn uniformly here instead of geometrically because codes are short.
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
    ) -> None:
        super().__init__(
            input_shape, hidden=hidden, latent_dim=latent_dim,
            reconstruction=reconstruction, activation=activation, seed=seed,
        )  # fmt: skip
        self.noise = torch.Generator().manual_seed(seed)

    def keep(self, z: Tensor, k: int | Tensor) -> Tensor:
        """Zero all but the first ``k`` numbers of each code [B, latent_dim]; ``k`` may be one a datum, [B, 1]."""
        return z * (torch.arange(self.latent_dim) < k)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Scalars ``total`` and ``reconstruction``, each datum through its own random number of code numbers."""
        x, target = (batch, batch) if isinstance(batch, Tensor) else batch
        k = torch.randint(0, self.latent_dim + 1, (len(x), 1), generator=self.noise)  # (B, 1)
        loss = reconstruction_loss(self.reconstruction, self.decoder(self.keep(self.encode(x), k)), target)
        return {"total": loss, "reconstruction": loss}
