"""Present the denoiser to the training loop: a model whose every batch is mixed when it is asked for."""

import copy

import numpy as np
import torch
from torch import Tensor, nn

from aecore.audio import objective
from aecore.audio.mixing import Mix, Mixer
from aecore.audio.network import MaskNetwork
from aecore.audio.spectrum import istft, stft

WAVEFORM_WEIGHT = 0.02  # a dB of SI-SDR against the compressed error: their gradients then weigh about alike


class DenoisingTask(nn.Module):
    """A network and where its noisy speech comes from.

    ``fit`` hands over rows that only say how many examples are wanted; what they are depends on ``noise``, the
    generator that ``fit`` seeds before every epoch. So no epoch repeats another, and a resumed one repeats itself.

    ``averaged`` is the network's running mean over the last steps: with mixes this different from one another it is
    ahead of any single step's weights (Polyak & Juditsky, 1992).
    """

    def __init__(self, network: MaskNetwork, mixer: Mixer, *, horizon: int = 400) -> None:
        super().__init__()
        self.network, self.noise = network, torch.Generator()
        self.averaged = copy.deepcopy(network).requires_grad_(False)
        self.mixer, self.horizon = mixer, horizon  # steps

    def losses(self, batch: Tensor) -> dict[str, Tensor]:
        """Losses of ``len(batch)`` fresh mixes; the step before counts into the average."""
        if self.training:
            self._average()
        seed = int(torch.randint(2**62, (), generator=self.noise, device=self.noise.device))
        mix = self.mixer.batch(len(batch), np.random.default_rng(seed))
        return mix_losses(self.network, Mix(*(waves.to(batch.device) for waves in mix)))

    @torch.no_grad()
    def _average(self) -> None:
        for mean, value in zip(self.averaged.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(value, 1 / self.horizon)


def mix_losses(network: MaskNetwork, mix: Mix) -> dict[str, Tensor]:
    """``total``, ``spectral`` (compressed error) and ``si_sdr`` in dB, of the network on a batch of mixes."""
    scale = mix.clean.square().mean(-1, keepdim=True).sqrt() + 1e-6  # so that loud clips count no more than soft ones
    noisy, clean = stft(mix.noisy), stft(mix.clean / scale)  # (B, frames, BINS)
    gains = network(noisy.real.square() + noisy.imag.square())
    noisy = noisy / scale[..., None]
    spectral = objective.compressed_error(gains, noisy, clean)
    si_sdr = objective.si_sdr(istft(gains * noisy, mix.clean.shape[-1]), mix.clean).mean()
    return {"total": spectral - WAVEFORM_WEIGHT * si_sdr, "spectral": spectral, "si_sdr": si_sdr}
