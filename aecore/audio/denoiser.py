"""The speech denoiser: spectrum in, a gain for every bin, spectrum out; any rate, any channels, any length."""

from collections.abc import Iterator
from os import PathLike
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from aecore import store
from aecore.audio.network import MaskNetwork
from aecore.audio.resampling import resample, seam, whole_rate
from aecore.audio.spectrum import BINS, HOP, SAMPLE_RATE, istft, stft
from aecore.errors import DataError, SettingError, StoreError
from aecore.paths import MODELS

ASSET = MODELS / "denoiser.safetensors"
PIECE = 20.0  # s of sound worked off at once: the network's intermediate values of one piece stay below 100 MB
MARGIN = 16  # frames beyond the network's reach that a piece is given, for the windows and the resampling filter
LARGEST = 1024  # of the network's width, its depth, and how many frames one layer reaches
FROM = BINS * 5 // 8  # first bin, 5 kHz, of those whose mean gain steers what lies above the network's band


class SpeechDenoiser:
    """Removes noise from speech with a network that predicts a gain in 0..1 for each bin of the spectrogram.

    Parameters
    ----------
    network : what predicts the gains.
    card : what it learnt from, plain values; kept with the weights.
    """

    def __init__(self, network: MaskNetwork, *, card: dict[str, Any] | None = None) -> None:
        self.network, self.card = network.eval(), card or {}

    # ------------------------------------------------------------------ on disk
    @classmethod
    def load(cls, path: str | PathLike[str] = ASSET) -> "SpeechDenoiser":
        """Read a denoiser; without a path the one that ships. Raises StoreError where the file holds none."""
        return cls.from_tree(store.read(path))

    def save(self, path: str | PathLike[str]) -> None:
        """Write it as safetensors, half precision: the gains change by less than a thousandth."""
        store.write(path, self.to_tree())

    @classmethod
    def from_tree(cls, tree: Any) -> "SpeechDenoiser":
        """Rebuild what `to_tree` gave."""
        try:
            config = tree["denoiser"]
            _within(config["width"], config["dilations"])
            network = MaskNetwork(width=config["width"], dilations=tuple(config["dilations"]), seed=config["seed"])
            network.load_state_dict({k: torch.from_numpy(v.astype(np.float32)) for k, v in tree["weights"].items()})
        except (KeyError, TypeError, AttributeError, RuntimeError) as error:
            raise StoreError("This file does not hold a denoiser of this version; choose another one.") from error
        return cls(network, card=tree.get("card"))

    def to_tree(self) -> dict[str, Any]:
        """Plain values and float16 arrays for the store."""
        weights = {k: v.detach().numpy().astype(np.float16) for k, v in self.network.state_dict().items()}
        return {"denoiser": {**self.network.config, "dilations": list(self.network.dilations)},
                "weights": weights, "card": self.card}  # fmt: skip

    # ------------------------------------------------------------------ use
    def denoise(
        self, noisy: NDArray[Any], sample_rate: float, *, strength: float = 1.0, piece: float = PIECE
    ) -> NDArray[np.float32]:
        """Clean a recording; same shape and rate out.

        Parameters
        ----------
        noisy : float [T], or [T, C]: every channel is cleaned by itself.
        sample_rate : Hz.
        strength : 1 gives the cleaned sound, 0 the noisy one, between them a blend.
        piece : seconds worked off at once; the result does not depend on it.

        Raises
        ------
        DataError
            Where the recording is no finite float array of that shape.
        SettingError
            Where rate or strength lie outside their range.
        """
        pieces = list(self.denoising(noisy, sample_rate, strength=strength, piece=piece))
        return np.concatenate(pieces) if len(pieces) > 1 else pieces[0]

    def denoising(
        self, noisy: NDArray[Any], sample_rate: float, *, strength: float = 1.0, piece: float = PIECE
    ) -> Iterator[NDArray[np.float32]]:
        """Clean like `denoise`, yielding piece after piece [t] or [t, C]: for progress, or to stop early."""
        check_recording(noisy)
        for first, last, before, after in self.cuts(len(noisy), sample_rate, piece):
            yield self.clean_piece(noisy[before:after], sample_rate, strength)[first - before : last - before]

    def cuts(self, length: int, sample_rate: float, piece: float = PIECE) -> Iterator[tuple[int, int, int, int]]:
        """Rows ``first, last, before, after`` of each piece, which needs the rows ``before..after`` to be cleaned."""
        rate = whole_rate(sample_rate)
        unit = seam(rate, SAMPLE_RATE)
        step = max(1, round(piece * rate / unit)) * unit
        context = -(-(self.network.reach + MARGIN) * HOP * rate // (SAMPLE_RATE * unit)) * unit
        for first in range(0, length, step):
            last = min(length, first + step)
            yield first, last, max(0, first - context), min(length, last + context)

    def clean_piece(self, noisy: NDArray[Any], sample_rate: float, strength: float = 1.0) -> NDArray[np.float32]:
        """Clean rows [t] or [t, C] that are a whole recording, or one of its `cuts`."""
        if not 0 <= strength <= 1:
            raise SettingError(f"strength must be in 0..1, got {strength:g}; 1 is the cleaned sound.")
        rate = whole_rate(sample_rate)
        x = np.ascontiguousarray(noisy.T if noisy.ndim == 2 else noisy[None], np.float32)  # [C, t]
        low = resample(x, rate, SAMPLE_RATE)
        cleaned, gain = self._clean(low)
        if rate != SAMPLE_RATE:
            cleaned = _fit_length(resample(cleaned, SAMPLE_RATE, rate), x.shape[1])
        if rate > SAMPLE_RATE:
            cleaned = cleaned + (x - _fit_length(resample(low, SAMPLE_RATE, rate), x.shape[1])) * _above(gain, x, rate)
        mixed = cleaned if strength == 1 else x + np.float32(strength) * (cleaned - x)
        return mixed.T if noisy.ndim == 2 else mixed[0]

    def gains(self, noisy: NDArray[Any], sample_rate: float) -> NDArray[np.float32]:
        """Return the gain in 0..1 at each frame (every 16 ms) and bin (31.25 Hz) of a mono recording [T]."""
        check_recording(noisy)
        return self._clean(resample(noisy[None], whole_rate(sample_rate), SAMPLE_RATE))[1][0]

    def _clean(self, x: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return cleaned waveforms [C, t] at the network's rate, and its gains [C, frames, BINS]."""
        with torch.inference_mode():
            spectrum = stft(torch.from_numpy(x))  # (C, frames, BINS)
            gain = self.network(spectrum.real.square() + spectrum.imag.square())
            return istft(spectrum * gain, x.shape[1]).numpy(), gain.numpy()


def _within(width: int, dilations: list[int]) -> None:
    """Raise StoreError for sizes that no denoiser has; a forged file would ask for all memory before it is refused."""
    if not 1 <= width <= LARGEST or len(dilations) > LARGEST or not all(1 <= each <= LARGEST for each in dilations):
        raise StoreError("This file does not hold a denoiser of this version; choose another one.")


def check_recording(noisy: NDArray[Any]) -> None:
    """Refuse what is no recording."""
    if not isinstance(noisy, np.ndarray) or noisy.ndim not in (1, 2) or not np.issubdtype(noisy.dtype, np.floating):
        kind = f"{noisy.dtype} {list(noisy.shape)}" if isinstance(noisy, np.ndarray) else type(noisy).__name__
        raise DataError(f"A recording is a float array [T] or [T, channels] with full scale at 1, got {kind}.")
    if not noisy.size:
        raise DataError("The recording is empty; record or export it again.")
    if not np.isfinite(noisy).all():
        raise DataError("The recording holds values that are not finite numbers; export it again.")


def _above(gain: NDArray[np.float32], x: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Gain [C, t] for what lies above 8 kHz, where the network sees nothing: its mean gain from 5 kHz on."""
    mean = gain[:, :, FROM:].mean(-1)  # (C, frames)
    frames = np.arange(mean.shape[1])
    at = np.arange(x.shape[1]) * (SAMPLE_RATE / (rate * HOP))  # samples in frames
    return np.stack([np.interp(at, frames, row) for row in mean]).astype(np.float32)


def _fit_length(x: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """Cut or fill up [C, n] to ``length``: resampling there and back may differ by a sample."""
    return x[:, :length] if x.shape[1] >= length else np.pad(x, ((0, 0), (0, length - x.shape[1])))
