"""What a detector has fitted: the attributes that scoring, files and the ONNX export share."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from aecore.anomaly.hyperparameters import Choice
from aecore.anomaly.network import WindowNetwork
from aecore.anomaly.scaling import Scaling
from aecore.anomaly.scoring import ErrorMeasure
from aecore.errors import SettingError

# Times the threshold: the score of a row in which a channel moves that was constant in the normal rows.
CONSTANT_CHANNEL_SCORE = 10.0


class FittedDetector:
    """Settings and fitted attributes of a detector; `AnomalyDetector` says what each of them means."""

    channels_: tuple[str, ...]
    scaling_: Scaling
    choices_: dict[str, Choice[Any]]
    window_: int
    latent_dim_: int
    smoothing_: Choice[int]
    measure_: ErrorMeasure
    model_: WindowNetwork
    channel_levels_: NDArray[np.float32]
    decision_scores_: NDArray[np.float32]
    labels_: NDArray[np.int64]
    threshold_: float
    notes_: list[str]

    def __init__(
        self,
        *,
        window: int | None = None,
        latent_dim: int | None = None,
        sample_rate: float | None = None,
        seed: int = 0,
    ) -> None:
        if window is not None and window < 2:
            raise SettingError(f"window must be at least 2 rows, got {window}")
        if latent_dim is not None and latent_dim < 1:
            raise SettingError(f"latent_dim must be at least 1, got {latent_dim}")
        if sample_rate is not None and not sample_rate > 0:
            raise SettingError(f"sample_rate must be positive, in Hz, got {sample_rate}")
        self.window, self.latent_dim, self.sample_rate, self.seed = window, latent_dim, sample_rate, seed

    @property
    def active_(self) -> NDArray[np.bool_]:
        """Channels that take part in the model [C]."""
        return self.scaling_.active

    @property
    def memory_(self) -> int:
        """Rows over which a score averages, about."""
        return self.window_ + int(self.smoothing_.value) - 1

    def adopt_choices(self, choices: dict[str, Choice[Any]]) -> None:
        """Set ``choices_``, and what scoring reads off them: window, latent size, smoothing and measure."""
        self.choices_ = choices
        self.window_, self.latent_dim_ = int(choices["window"].value), int(choices["latent_dim"].value)
        self.smoothing_ = choices["smoothing"]
        # Detectors saved before there was a choice of step have none.
        step = int(choices["step"].value) if "step" in choices else 1
        self.measure_ = ErrorMeasure(
            window=self.window_, step=step, smoothing=int(self.smoothing_.value),
            absolute=not choices["hidden"].value, own_row=float(choices["own_row"].value),
        )  # fmt: skip
