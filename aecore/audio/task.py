"""The denoiser's lesson, as the one training loop wants it: a model whose every batch is mixed when it is asked for."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from aecore.audio import objective
from aecore.audio.mixing import Mix, Mixer
from aecore.audio.network import MaskNetwork
from aecore.audio.spectrum import istft, stft

WAVEFORM_WEIGHT = 0.02  # a dB of SI-SDR against the compressed error: their gradients then weigh about alike


class Denoising(nn.Module):
    """A network and where its noisy speech comes from.

    ``fit`` hands over rows that only say how many examples are wanted; what they are depends on ``noise``, the
    generator that ``fit`` seeds before every epoch. So no epoch repeats another, and a resumed one repeats itself.
    """

    def __init__(self, network: MaskNetwork, mixer: Mixer | Callable[[int, np.random.Generator], Mix]) -> None:
        super().__init__()
        self.network, self.noise = network, torch.Generator()
        self._draw = mixer.batch if isinstance(mixer, Mixer) else mixer

    def losses(self, batch: Tensor) -> dict[str, Tensor]:
        """Losses of ``len(batch)`` fresh mixes."""
        seed = int(torch.randint(2**62, (), generator=self.noise))
        return mix_losses(self.network, self._draw(len(batch), np.random.default_rng(seed)))


def mix_losses(network: MaskNetwork, mix: Mix) -> dict[str, Tensor]:
    """``total``, ``spectral`` (compressed error) and ``si_sdr`` in dB, of the network on a batch of mixes."""
    scale = mix.clean.square().mean(-1, keepdim=True).sqrt() + 1e-6  # so that loud clips count no more than soft ones
    noisy, clean = stft(mix.noisy), stft(mix.clean / scale)  # (B, frames, BINS)
    gains = network(noisy.real.square() + noisy.imag.square())
    noisy = noisy / scale[..., None]
    spectral = objective.compressed_error(gains, noisy, clean)
    si_sdr = objective.si_sdr(istft(gains * noisy, mix.clean.shape[-1]), mix.clean).mean()
    return {"total": spectral - WAVEFORM_WEIGHT * si_sdr, "spectral": spectral, "si_sdr": si_sdr}
