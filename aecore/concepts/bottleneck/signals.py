"""What the Bottleneck page squeezes: signals of one family, sums of sinusoids at frequencies of its own."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aecore.data.datasets.signals import SinusoidFamily
from aecore.errors import SettingError

Array = NDArray[np.float32]

# Samples a signal: 40 components stay apart, and a screen shows each sample.
LENGTH = 256
# Training and test signals: more training signals help little, and each test signal slows every control.
LEARN, TEST = 4096, 256
# Beyond the page's seeds, so that no test signal is a training signal.
LEARN_SEED = 1_000_000
# The loudest noise is as loud as the signal.
MAX_SEED, MAX_NOISE = 999, 1.0


@dataclass(frozen=True, kw_only=True)
class FamilySettings:
    """Test signals of the family: how many sinusoids, how much white noise (relative to rms 1), and which ones."""

    complexity: int = 5
    noise: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0.0 <= self.noise <= MAX_NOISE:
            raise SettingError(f"noise must be in 0..{MAX_NOISE:g}, got {self.noise}; choose one inside.")
        if not 0 <= self.seed <= MAX_SEED:
            raise SettingError(f"seed must be in 0..{MAX_SEED}, got {self.seed}; choose one inside.")
        SinusoidFamily(complexity=self.complexity, length=LENGTH)  # says it where the complexity is out of range

    def signals(self) -> Array:
        """Draw them: [256, 256], the first is the one on screen."""
        family = SinusoidFamily(complexity=self.complexity, length=LENGTH, noise=self.noise)
        return family.draw_noisy(TEST, seed=self.seed).noisy


def family_to_learn(complexity: int) -> Array:
    """Draw the training signals of a family: [4096, 256], noisy to different degrees.

    White noise raises every eigenvalue alike and turns no eigenvector, so one model can serve every noise: each
    signal draws its own level from 0 to 1, low ones more often.
    """
    clean = SinusoidFamily(complexity=complexity, length=LENGTH).draw(LEARN, seed=LEARN_SEED)
    rng = np.random.default_rng([LEARN_SEED, complexity])
    levels = MAX_NOISE * rng.uniform(size=(LEARN, 1)).astype(np.float32) ** 2
    clean += levels * rng.standard_normal(clean.shape, dtype=np.float32)
    return clean


def spectrum(x: NDArray[Any]) -> NDArray[np.float64]:
    """Amplitudes of signals [..., L] at 0..L / 2 cycles a window, [..., L / 2 + 1]; Hann's window keeps lines apart."""
    return np.asarray(np.abs(np.fft.rfft(x * np.hanning(x.shape[-1]))))
