"""Families of sums of sinusoids: signals whose number of components sets how many dimensions they fill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aecore.errors import SettingError, TooFewRows

MAX_COMPLEXITY = 40
LOWEST = 1.0  # cycles per window: below, a component looks like a drift
PHASE_STREAM, FREQUENCY_STREAM = 1, 0  # keep a family's frequencies apart from the signals drawn of it
JITTER = 0.1  # relative sd of each component's amplitude from signal to signal
DECAY = 0.75  # amplitude ~ frequency^-0.75: the first dimensions matter most, yet the 40th can still be seen


class Pair(NamedTuple):
    """The same signals clean and noisy, each float32 [count, length]."""

    clean: NDArray[np.float32]
    noisy: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class SinusoidFamily:
    """Sums of `complexity` sinusoids at frequencies that belong to the family, not to the signal.

    Only so does complexity set the rank: each frequency spans a sine and a cosine, so the signals fill close to
    ``2 * complexity`` dimensions (fewer below 256 samples, where frequencies come closer than a cycle). They are the
    first `complexity` of one rising list drawn from the seed, so that raising complexity adds faster components and
    leaves the others where they are. Phases are free, amplitudes fall as frequency to the power -3/4 and vary by 10 %
    from signal to signal; the family's mean power is 1 (rms 1).

    `length` is in samples; `noise` is the standard deviation of white noise, relative to the clean signals' rms of 1.
    """

    complexity: int
    length: int = 256
    noise: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.complexity <= MAX_COMPLEXITY:
            raise SettingError(f"complexity must be in 1..{MAX_COMPLEXITY}, got {self.complexity}; choose one inside.")
        if not 32 <= self.length <= 4096:
            raise SettingError(f"length must be in 32..4096 samples, got {self.length}; choose one inside.")
        if not 0.0 <= self.noise <= 10.0:
            raise SettingError(f"noise must be in 0..10 times the signal's rms, got {self.noise}; choose one inside.")
        if self.seed < 0:
            raise SettingError(f"seed must be 0 or more, got {self.seed}; any whole number from 0 on will do.")

    @property
    def frequencies(self) -> NDArray[np.float64]:
        """Frequencies in cycles per window, [complexity], rising, as complexity adds them.

        One is drawn from the middle of each of 40 equal bands between 1 and length / 4, so that they stay apart.
        """
        rng = np.random.default_rng([self.seed, FREQUENCY_STREAM])
        edges = np.linspace(LOWEST, self.length / 4, MAX_COMPLEXITY + 1)
        inside = rng.uniform(0.2, 0.8, size=MAX_COMPLEXITY)  # of each band: neighbours never come closer than 0.4 bands
        return np.asarray((edges[:-1] + inside * np.diff(edges))[: self.complexity])

    @property
    def amplitudes(self) -> NDArray[np.float64]:
        """Mean amplitude of each component, [complexity], such that the family's mean power is 1."""
        raw = self.frequencies**-DECAY
        return np.asarray(raw * np.sqrt(2.0 / ((raw**2).sum() * (1.0 + JITTER**2))))

    def draw(self, count: int, *, seed: int) -> NDArray[np.float32]:
        """Draw `count` clean signals, float32 [count, length]; the same seed draws the same signals."""
        return self._draw(count, np.random.default_rng([self.seed, PHASE_STREAM, seed]))

    def draw_noisy(self, count: int, *, seed: int) -> Pair:
        """Draw `count` signals, clean as `draw` draws them, and with white noise of sd `noise`."""
        rng = np.random.default_rng([self.seed, PHASE_STREAM, seed])
        clean = self._draw(count, rng)
        return Pair(clean, clean + np.float32(self.noise) * rng.standard_normal(clean.shape, dtype=np.float32))

    def _draw(self, count: int, rng: np.random.Generator) -> NDArray[np.float32]:
        if count < 1:
            raise SettingError(f"count must be 1 or more, got {count}; ask for at least one signal.")
        # Each signal draws for all 40 components, so that raising complexity keeps the phases of the ones before.
        phases = rng.uniform(0, 2 * np.pi, size=(count, MAX_COMPLEXITY))[:, : self.complexity]
        jitter = rng.standard_normal((count, MAX_COMPLEXITY))[:, : self.complexity]
        size = self.amplitudes * (1.0 + JITTER * jitter)  # [count, complexity]
        turns = 2 * np.pi * np.outer(self.frequencies, np.arange(self.length) / self.length)  # [complexity, length]
        # a sin(wt + p) = a cos(p) sin(wt) + a sin(p) cos(wt): two matrix products instead of a cube of sines
        signals = (size * np.cos(phases)) @ np.sin(turns) + (size * np.sin(phases)) @ np.cos(turns)  # [count, length]
        return np.asarray(signals, dtype=np.float32)


def windows(values: ArrayLike, length: int, hop: int) -> NDArray[np.float32]:
    """Cut a series [T] into windows, float32 [N, length], one every `hop` samples; a rest too short is left out.

    Raises `TooFewRows` where not even one window fits, `SettingError` for a length or hop below 1.
    """
    series = np.asarray(values, dtype=np.float32)
    if series.ndim != 1:
        raise SettingError(f"values must be one channel [T], got shape {series.shape}; choose one channel.")
    if length < 1 or hop < 1:
        raise SettingError(f"length and hop must be 1 or more, got {length} and {hop}; count them in samples.")
    if len(series) < length:
        raise TooFewRows(f"A window of {length} rows does not fit into {len(series)}; take a shorter window.")
    return np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(series, length)[::hop])
