"""Check that what a file says of a detector fits together: a forged or torn one is refused before it is used."""

import numpy as np
from numpy.typing import NDArray

from aecore.anomaly.fitted import FittedDetector

LARGEST = 1 << 16  # rows of a window, a smoothing or a step; scoring sets aside as much at once
MOST_CHANNELS, LONGEST_NAME = 100_000, 1_000


def check(detector: FittedDetector) -> None:
    """Raise ValueError where shapes, sizes or numbers of a detector read from a file contradict each other."""
    channels, scaling, config = detector.channels_, detector.scaling_, detector.model_.config
    named = all(isinstance(name, str) for name in channels) and len(set(channels)) == len(channels) > 0
    said = all(isinstance(note, str) for note in detector.notes_)
    counts = [detector.choices_[name].value for name in ("window", "latent_dim", "smoothing")]
    whole = all(isinstance(count, int | np.integer) and not isinstance(count, bool) for count in counts)
    if not (named and said and whole):
        raise ValueError("names, notes or choices are of another kind")
    if len(channels) > MOST_CHANNELS or any(len(name) > LONGEST_NAME for name in channels):
        raise ValueError("too many channels, or names too long")
    amounts = [detector.choices_[name].value for name in ("hidden", "noise", "own_row") if name in detector.choices_]
    if not all(map(_in_range, amounts)):
        raise ValueError("choices are no numbers, or out of range")
    rate, step = detector.sample_rate, detector.measure_.step
    if not isinstance(detector.seed, int | np.integer) or not (rate is None or _in_range(rate)):
        raise ValueError("seed or sample rate are no numbers")
    if not (detector.window_ <= LARGEST and detector.smoothing_.value <= LARGEST and 1 <= step <= detector.window_):
        raise ValueError("window, smoothing or step are out of range")
    if not all(_numbers(part, len(channels)) for part in (scaling.mean, scaling.scale, scaling.active)):
        raise ValueError("the scaling does not fit the channels")
    active = int(scaling.active.sum())
    if not (active and (scaling.scale > 0).all() and _numbers(detector.channel_levels_, active)):
        raise ValueError("no channel is active, or their levels do not fit")
    if not ((detector.channel_levels_ > 0).all() and _numbers(detector.decision_scores_) and detector.threshold_ >= 0):
        raise ValueError("levels, scores or threshold are no positive numbers")
    if detector.window_ < 2 or detector.smoothing_.value < 1 or not np.isfinite(detector.threshold_):
        raise ValueError("window, smoothing or threshold are out of range")
    if config["size"] != detector.window_ * active or config["latent_dim"] != detector.latent_dim_:
        raise ValueError("the network is of another size")
    if not all(bool(part.isfinite().all()) for part in detector.model_.state_dict().values()):
        raise ValueError("the network holds what is no number")


def _in_range(value: object) -> bool:
    """Whether this is a finite number from 0 on."""
    plain = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    return plain and 0 <= float(value) <= 1e12  # type: ignore[arg-type]  # NaN is not


def _numbers(array: object, length: int | None = None) -> bool:
    """Whether this is a plain array [length] of finite numbers."""
    return (
        isinstance(array, np.ndarray)
        and array.ndim == 1
        and array.dtype.kind in "fiub"
        and len(array) > 0
        and (length is None or len(array) == length)
        and _finite(array)
    )


def _finite(array: NDArray[np.generic]) -> bool:
    return bool(np.isfinite(array).all())
