"""Any sample rate to the network's and back, so that neighbouring pieces of a long file fit without a seam."""

from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aecore.audio.spectrum import HOP
from aecore.errors import SettingError

LOWEST, HIGHEST = 4_000, 768_000  # Hz; below there is no speech, above no recorder


def resample(x: NDArray[Any], source: int, target: int) -> NDArray[np.float32]:
    """Waveforms [C, T] at another rate, float32 [C, ceil(T * target / source)], aligned in time."""
    if source == target:
        return x.astype(np.float32, copy=False)
    import librosa  # loads within seconds once, and only where a rate differs

    return np.asarray(librosa.resample(x.astype(np.float32), orig_sr=source, target_sr=target, res_type="soxr_hq"))


def whole_rate(sample_rate: float) -> int:
    """Check a rate in Hz."""
    if not LOWEST <= sample_rate <= HIGHEST or sample_rate != round(sample_rate):
        raise SettingError(
            f"sample_rate must be a whole number of {LOWEST:,}..{HIGHEST:,} Hz, got {sample_rate:g}; resample it."
        )
    return round(sample_rate)


def seam(source: int, target: int) -> int:
    """Count samples at ``source`` Hz after which samples at ``target`` Hz and the frames over them meet again.

    A piece that begins at a multiple of it is cut into the same frames as the whole.
    """
    together = source // gcd(source, target)  # samples at source that last as long as target/gcd at target
    per = target // gcd(source, target)
    return together * (HOP // gcd(HOP, per))
