"""The detector: an autoencoder over sliding windows, with PyOD's contract (higher = more anomalous)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from aecore import store
from aecore.anomaly import diagnostics, serialization, thresholds
from aecore.anomaly.events import find_events
from aecore.anomaly.fitted import CONSTANT_CHANNEL_SCORE, FittedDetector
from aecore.anomaly.hyperparameters import choose, choose_window, recipe_of
from aecore.anomaly.network import train
from aecore.anomaly.scaling import Scaling, Signal, rows_like, rows_of
from aecore.anomaly.scoring import over_channels
from aecore.anomaly.thresholds import DEFAULT_SIGMAS, Threshold, log_score_threshold
from aecore.anomaly.windows import contiguous_folds, sample_starts, sliding
from aecore.errors import TooFewRows
from aecore.numerics.pca import decompose
from aecore.numerics.threads import one_thread

Array = NDArray[np.floating[Any]]

# Fewer normal rows leave nothing to hold out.
MIN_ROWS = 50
# The normal rows are cut into so many contiguous parts; each is scored by a network that has not seen it.
FOLDS = 4
# More windows, evenly drawn, do not change the result.
MAX_TRAINING_WINDOWS = 8192


class FitProgress(NamedTuple):
    """Where a fit stands: ``part`` 0 is the training, 1..FOLDS the held-out scores that set the threshold.

    ``epoch`` 0, without a loss, is what comes before the training.
    """

    part: int
    epoch: int
    epochs: int
    loss: float
    progress: float


class AnomalyDetector(FittedDetector):
    """Scores each row of a signal by how badly an autoencoder that knows only normal rows rebuilds it.

    Windows of the standardised signal pass an autoencoder that starts at PCA's solution and is trained by gradient
    descent: a linear one on the absolute error for several channels, a denoising one with a non-linear correction for
    a single channel. A channel's score is its mean error in the windows that cover a row, smoothed over time; a row's
    is the root mean square over channels of how many times their usual normal error they show, so 1 is usual. The
    threshold is set from scores of normal rows that their network had not seen.

    Parameters
    ----------
    window : rows in a window; None reads it off channels and period.
    latent_dim : size of the bottleneck; None reads it off the variance of normal windows.
    sample_rate : rows a second (Hz), for alarms an hour and for reports; None where unknown.
    seed : order of the training batches and their noise.

    Attributes
    ----------
    threshold_ : score above which a row is flagged.
    decision_scores_ : float32 [T], held-out scores of the normal rows.
    labels_ : int [T], 1 where such a score passes the threshold.
    choices_ : what was read off the data, and why.
    notes_ : sentences on channels left out, and on what in the normal stretch may not be normal.
    """

    # ------------------------------------------------------------------ fitting
    def fit(self, normal: Signal) -> Self:
        """Learn from normal rows [T, C], in time order."""
        with one_thread(openmp=True):
            for _ in self.fitting(normal):
                pass
        return self

    def fitting(self, normal: Signal) -> Iterator[FitProgress]:
        """Do the work of :meth:`fit` and report often; to cancel, stop iterating."""
        values, self.channels_ = rows_of(normal)
        if len(values) < MIN_ROWS:
            count = "1 normal row is" if len(values) == 1 else f"{len(values)} normal rows are"
            raise TooFewRows(
                f"{count} too few to learn from; at least {MIN_ROWS} are needed, so take a longer normal stretch."
            )
        self.scaling_ = Scaling.of(values)
        x = self.scaling_.apply(values)
        window = choose_window(x, asked=self.window)
        starts = sample_starts(len(x) - window.value + 1, at_most=MAX_TRAINING_WINDOWS, seed=self.seed)
        windows = sliding(x, window.value, starts)
        known = decompose(windows)
        self.adopt_choices({"window": window, **choose(x, known.variances.astype(np.float32), asked=self.latent_dim)})
        recipe = recipe_of(self.choices_)
        folds = contiguous_folds(len(x), FOLDS)
        apart = [np.flatnonzero((starts + self.window_ <= a) | (starts >= b)) for a, b in folds]
        for trained in train(windows, [np.arange(len(starts)), *apart], recipe, seed=self.seed, first=known):
            yield FitProgress(0, trained.epoch, recipe.epochs, trained.loss, trained.epoch / (recipe.epochs + 1))
        self.model_ = trained.networks.single(0)
        held_out = np.empty(x.shape)  # [T, C]
        for part, (a, b) in enumerate(folds, 1):
            low, high = max(0, a - self.window_ + 1), min(len(x), b + self.window_ - 1)
            held_out[a:b] = self.measure_.errors(trained.networks.single(part), x[low:high])[a - low : b - low]
            done = (recipe.epochs + part / FOLDS) / (recipe.epochs + 1)
            yield FitProgress(part, recipe.epochs, recipe.epochs, trained.loss, done)
        self._calibrate(held_out)

    def _calibrate(self, held_out: Array) -> None:
        channel_scores = self.measure_.scores(held_out)  # [T, A]
        self.channel_levels_ = np.maximum(channel_scores.mean(0), 1e-6).astype(np.float32)
        self.decision_scores_ = over_channels(channel_scores / self.channel_levels_)
        self.threshold_ = self.threshold_at(DEFAULT_SIGMAS)
        self.labels_ = (self.decision_scores_ > self.threshold_).astype(np.int64)
        still = [name for name, active in zip(self.channels_, self.active_, strict=True) if not active]
        self.notes_ = diagnostics.constant_channels(still)
        self.notes_ += diagnostics.not_all_normal(self.decision_scores_, self.threshold_, self.window_)

    # ------------------------------------------------------------------ thresholds
    def threshold_at(self, sigmas: float) -> float:
        """Return the threshold so many standard deviations above the mean of the log scores of held-out normal rows."""
        return log_score_threshold(self.decision_scores_, sigmas, memory=self.memory_)

    def threshold_for(
        self, *, sigmas: float | None = None, alarms_per_hour: float | None = None, risk: float | None = None
    ) -> Threshold:
        """Return a threshold by one of three rules, with the sentence that says what it rests on; nothing is trained.

        ``sigmas`` of the log scores, false ``alarms_per_hour`` (needs the sample rate), or the ``risk`` that a normal
        row passes, by peaks over threshold.
        """
        return thresholds.by_rule(
            self.decision_scores_, sigmas=sigmas, alarms_per_hour=alarms_per_hour, risk=risk,
            memory=self.memory_, sample_rate=self.sample_rate, gap=self.window_,
        )  # fmt: skip

    # ------------------------------------------------------------------ scoring
    def decision_function(self, signal: Signal) -> NDArray[np.float32]:
        """Return the score of each row, higher = more anomalous: [T, C] -> float32 [T]."""
        return self.row_scores(self.channel_scores(signal))

    def predict(self, signal: Signal) -> NDArray[np.int64]:
        """Return 1 where the score passes ``threshold_``: [T, C] -> [T]."""
        return (self.decision_function(signal) > self.threshold_).astype(np.int64)

    def channel_scores(self, signal: Signal) -> NDArray[np.float32]:
        """Return each channel's own part of the score: [T, C] -> float32 [T, C].

        A channel that was constant scores 0 where it still is, and far beyond the threshold where it moves.
        """
        values = self._check_rows(signal)
        scores = np.zeros(values.shape, np.float32)
        scores[:, self.active_] = self.measure_.scores(self.measure_.errors(self.model_, self.scaling_.apply(values)))
        scores[:, ~self.active_] = CONSTANT_CHANNEL_SCORE * self.threshold_ * self.scaling_.measure_departure(values)
        return scores

    def row_scores(self, channel_scores: Array) -> NDArray[np.float32]:
        """Return the score of each row from its channels' scores: [T, C] -> float32 [T]."""
        scores = over_channels(self.channel_excess(channel_scores)[:, self.active_])
        return np.maximum(scores, channel_scores[:, ~self.active_].max(1, initial=0.0)).astype(np.float32)

    def channel_excess(self, channel_scores: Array) -> NDArray[np.float32]:
        """Return how many times its usual normal error each channel shows: [T, C] -> [T, C]."""
        levels = np.ones(len(self.channels_), np.float32)  # a constant channel counts in thresholds already
        levels[self.active_] = self.channel_levels_
        return (channel_scores / levels).astype(np.float32)

    def reconstruct(self, signal: Signal) -> NDArray[np.float32]:
        """Rebuild the signal through the code, in the signal's units: [T, C] -> float32 [T, C]."""
        x = self.scaling_.apply(self._check_rows(signal))
        return self.scaling_.undo(self.measure_.rebuild(self.model_, x))

    def codes(self, signal: Signal, starts: NDArray[np.int64]) -> NDArray[np.float32]:
        """Encode the windows that start at these rows: [T, C], [N] -> float32 [N, latent_dim]."""
        windows = sliding(self.scaling_.apply(self._check_rows(signal)), self.window_, starts)
        with torch.inference_mode():
            return self.model_.encode(torch.from_numpy(windows)).numpy()

    def events(self, signal: Signal, *, threshold: float | None = None) -> pd.DataFrame:
        """Return events as a table: start, end (rows, inclusive), peak_score, severity, leading_channel."""
        scores = self.channel_scores(signal)
        return find_events(
            self.row_scores(scores),
            self.channel_excess(scores),
            self.threshold_ if threshold is None else threshold,
            channels=self.channels_,
            merge_gap=self.window_,
        )

    def _check_rows(self, signal: Signal) -> Array:
        return rows_like(signal, self.channels_, at_least=self.window_)

    # ------------------------------------------------------------------ files
    def to_tree(self) -> dict[str, Any]:
        """Return everything fitted, as plain values and arrays."""
        return serialization.to_tree(self)

    @classmethod
    def from_tree(cls, tree: dict[str, Any]) -> Self:
        """Rebuild a fitted detector; raises StoreError for anything else."""
        return serialization.from_tree(cls, tree)

    def save(self, path: str | Path) -> None:
        """Write weights, settings, scaling, threshold and channel names to one safetensors file."""
        store.write(path, self.to_tree())

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what :meth:`save` wrote; nothing is unpickled."""
        return cls.from_tree(store.read(path))

    def to_onnx(self, path: str | Path) -> None:
        """Write one ONNX file that takes raw rows to scores; :mod:`aecore.anomaly.onnx_export` says what is in it."""
        from aecore.anomaly import onnx_export  # slow to import, and seldom needed

        onnx_export.to_onnx(self, path)
