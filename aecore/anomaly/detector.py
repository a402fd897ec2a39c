"""The detector: an autoencoder over sliding windows, with PyOD's contract (higher = stranger)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from aecore import __version__, store
from aecore.anomaly.choices import Choice, choose_latent_dim, choose_smoothing, choose_window
from aecore.anomaly.events import find_events
from aecore.anomaly.thresholds import DEFAULT_SIGMAS, log_score_threshold
from aecore.anomaly.windows import chunks, mean_over_covering, sliding, smooth
from aecore.errors import DataError, SettingError, StoreError, TooFewRows
from aecore.models import AutoEncoder, from_tree, to_tree
from aecore.training import fit

Array = NDArray[np.floating[Any]]
Signal = Array | pd.DataFrame

MIN_ROWS = 50  # fewer normal rows leave nothing to hold out
FOLDS = 4  # contiguous parts of the normal rows; each is scored by a model that has not seen it
EPOCHS = 20
LEARNING_RATE = 1e-3
STEPS_PER_EPOCH = 32  # the batch grows with the data, so that an epoch costs about the same
MAX_TRAINING_WINDOWS = 8192  # more, evenly drawn, do not change the subspace that is found
LARGEST_VALUE = 1e30  # its square still fits float64, and no sensor reads more
CHUNK = 8192  # windows scored at once; bounds memory at any length


class FitProgress(NamedTuple):
    """Where a fit stands: ``part`` 0 is the detector itself, 1..FOLDS the models that calibrate its threshold."""

    part: int
    epoch: int
    epochs: int
    loss: float
    progress: float


class AnomalyDetector:
    """Scores each row of a signal by how badly an autoencoder that knows only normal rows rebuilds it.

    Windows of the standardised signal pass a linear autoencoder that starts at PCA's solution and is trained by
    gradient descent on the absolute error; a row's score is the mean absolute error of the windows that cover it,
    smoothed over time. The threshold is learnt from scores of normal rows that their model had not seen.

    Parameters
    ----------
    window : rows in a window; None reads it off the signal's period.
    latent_dim : numbers in the code; None keeps 90 % of the variance of normal windows.
    sample_rate : rows a second (Hz), kept for reports; None where unknown.
    seed : order of the training batches.

    Attributes
    ----------
    threshold_ : score above which a row is flagged.
    decision_scores_ : float32 [T], held-out scores of the normal rows.
    labels_ : int [T], 1 where such a score passes the threshold.
    choices_ : what was read off the data, and why.
    """

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

    # ------------------------------------------------------------------ fitting
    def fit(self, normal: Signal) -> Self:
        """Learn from normal rows [T, C], in time order."""
        for _ in self.fitting(normal):
            pass
        return self

    def fitting(self, normal: Signal) -> Iterator[FitProgress]:
        """Do the work of :meth:`fit` and report after every epoch; to cancel, stop iterating."""
        values, self.channels_ = _rows(normal)
        if len(values) < MIN_ROWS:
            raise TooFewRows(
                f"{len(values)} normal rows are too few to learn from; at least {MIN_ROWS} are needed, "
                "so take a longer normal stretch."
            )
        self._standardise(values)
        x = self._scaled(values)
        window = choose_window(x, asked=self.window)
        self.window_, self.smoothing_ = window.value, choose_smoothing(len(x))
        rows = _sample(sliding(x, self.window_), self.seed)
        mean, eigenvalues, components = _principal(rows)
        latent = choose_latent_dim(eigenvalues, asked=self.latent_dim)
        self.latent_dim_ = latent.value
        self.choices_: dict[str, Choice] = {"window": window, "latent_dim": latent, "smoothing": self.smoothing_}
        self.model_ = self._started(mean, components)
        yield from self._train(self.model_, rows, part=0)
        held_out = np.empty_like(x, dtype=np.float32)  # [T, C]
        for part, (first, last) in enumerate(_folds(len(x)), 1):
            yield from self._held_out(x, first, last, part, held_out)
        self._calibrate(held_out)

    def _standardise(self, values: Array) -> None:
        self.mean_, scale = values.mean(0), values.std(0)
        # a channel that only carries rounding noise around its level is constant too
        self.active_ = scale > 1e-6 * np.maximum(np.abs(self.mean_), np.finfo(np.float32).tiny)
        if not self.active_.any():
            raise DataError(
                "Every channel is constant in the normal stretch, so there is nothing to learn; choose another."
            )
        self.scale_ = np.where(self.active_, scale, 1.0)

    def _started(self, mean: Array, components: Array) -> AutoEncoder:
        size = self.window_ * int(self.active_.sum())
        model = AutoEncoder((size,), hidden=(), latent_dim=self.latent_dim_, reconstruction="mae", seed=self.seed)
        model.start_at(torch.from_numpy(mean), torch.from_numpy(components[: self.latent_dim_].copy()))
        return model

    def _train(self, model: AutoEncoder, rows: Array, *, part: int) -> Iterator[FitProgress]:
        batch = int(np.clip(len(rows) // STEPS_PER_EPOCH, 16, 512))
        steps = fit(
            model, torch.from_numpy(rows), epochs=EPOCHS, batch_size=batch, learning_rate=LEARNING_RATE, seed=self.seed
        )
        for report in steps:
            progress = (part + report.number / EPOCHS) / (FOLDS + 1)
            yield FitProgress(part, report.number, EPOCHS, report.losses["total"], progress)

    def _held_out(self, x: Array, first: int, last: int, part: int, out: Array) -> Iterator[FitProgress]:
        """Score rows first..last - 1 of ``x`` with a model trained on all others, into ``out``."""
        sides = [side for side in (x[:first], x[last:]) if len(side) >= self.window_]
        rows = _sample(np.concatenate([sliding(side, self.window_) for side in sides]), self.seed)
        mean, _, components = _principal(rows)
        model = self._started(mean, components)
        yield from self._train(model, rows, part=part)
        low, high = max(0, first - self.window_ + 1), min(len(x), last + self.window_ - 1)
        out[first:last] = self._errors(x[low:high], model)[first - low : last - low]

    def _calibrate(self, held_out: Array) -> None:
        channel_scores = smooth(held_out, self.smoothing_.value)  # [T, C]
        self.channel_levels_ = np.maximum(channel_scores.mean(0), 1e-6).astype(np.float32)
        self.decision_scores_ = channel_scores.mean(1).astype(np.float32)
        self.threshold_ = self.threshold_at(DEFAULT_SIGMAS)
        self.labels_ = (self.decision_scores_ > self.threshold_).astype(np.int64)

    def threshold_at(self, sigmas: float) -> float:
        """Threshold so many standard deviations above the mean of the log scores of held-out normal rows."""
        return log_score_threshold(self.decision_scores_, sigmas)

    # ------------------------------------------------------------------ scoring
    def decision_function(self, signal: Signal) -> NDArray[np.float32]:
        """Score of every row, higher = stranger: [T, C] -> float32 [T]."""
        return self.channel_scores(signal)[:, self.active_].mean(1, dtype=np.float32)

    def predict(self, signal: Signal) -> NDArray[np.int64]:
        """1 where the score passes ``threshold_``: [T, C] -> [T]."""
        return (self.decision_function(signal) > self.threshold_).astype(np.int64)

    def channel_scores(self, signal: Signal) -> NDArray[np.float32]:
        """Each channel's own part of the score: [T, C] -> float32 [T, C]; 0 where a channel stayed out of the model."""
        x = self._checked(signal)
        scores = np.zeros((len(x), len(self.channels_)), np.float32)
        scores[:, self.active_] = smooth(self._errors(x, self.model_), self.smoothing_.value)
        return scores

    def channel_excess(self, channel_scores: Array) -> NDArray[np.float32]:
        """How many times its usual normal error each channel shows: [T, C] -> [T, C]."""
        levels = np.ones(len(self.channels_), np.float32)
        levels[self.active_] = self.channel_levels_
        return (channel_scores / levels).astype(np.float32)

    def reconstruct(self, signal: Signal) -> NDArray[np.float32]:
        """Rebuild the signal through the code, in the signal's units: [T, C] -> float32 [T, C]."""
        x = self._checked(signal)
        total, count = np.zeros_like(x), np.zeros((len(x), 1), np.float32)
        for first, last in chunks(len(x), self.window_, size=CHUNK):
            rebuilt = self._rebuild(sliding(x[first:last], self.window_), self.model_)  # [N, window, C]
            for i in range(self.window_):
                total[first + i : first + i + len(rebuilt)] += rebuilt[:, i]
                count[first + i : first + i + len(rebuilt)] += 1
        out = np.tile(self.mean_.astype(np.float32), (len(x), 1))
        out[:, self.active_] += (total / count) * self.scale_[self.active_].astype(np.float32)
        return out

    def events(self, signal: Signal, *, threshold: float | None = None) -> pd.DataFrame:
        """Events as a table: start, end (rows, inclusive), peak_score, severity, leading_channel."""
        scores = self.channel_scores(signal)
        return find_events(
            scores[:, self.active_].mean(1, dtype=np.float32),
            self.channel_excess(scores),
            self.threshold_ if threshold is None else threshold,
            channels=self.channels_,
            merge_gap=self.window_,
        )

    def _errors(self, x: Array, model: AutoEncoder) -> Array:
        """Mean absolute error of the windows that cover each row, by channel: [T, C] -> float64 [T, C]."""
        parts = []
        for first, last in chunks(len(x), self.window_, size=CHUNK):
            rows = sliding(x[first:last], self.window_)
            error = np.abs(self._rebuild(rows, model) - rows.reshape(len(rows), self.window_, -1))  # [N, window, C]
            parts.append(error.mean(1, dtype=np.float32))
        return mean_over_covering(np.concatenate(parts), len(x), self.window_)

    def _rebuild(self, rows: Array, model: AutoEncoder) -> Array:
        with torch.inference_mode():
            return model(torch.from_numpy(rows)).numpy().reshape(len(rows), self.window_, -1)

    def _checked(self, signal: Signal) -> Array:
        values, channels = _rows(signal)
        if values.shape[1] != len(self.channels_):
            raise DataError(
                f"This signal has {values.shape[1]} channels ({', '.join(channels[:4])} ...), the detector learnt "
                f"{len(self.channels_)}; give it the same channels in the same order."
            )
        if len(values) < self.window_:
            raise TooFewRows(f"{len(values)} rows are fewer than one window of {self.window_}; give a longer signal.")
        return self._scaled(values)

    def _scaled(self, values: Array) -> Array:
        """Standardised active channels, float32; bounded so that an absurd value stays finite when rebuilt."""
        x = (values[:, self.active_] - self.mean_[self.active_]) / self.scale_[self.active_]
        return np.clip(x, -1e6, 1e6).astype(np.float32)

    # ------------------------------------------------------------------ keeping
    def to_tree(self) -> dict[str, Any]:
        """Everything fitted, as plain values and arrays."""
        return {
            "format": "aecore.anomaly/1", "version": __version__, "seed": self.seed,
            "asked": {"window": self.window, "latent_dim": self.latent_dim, "sample_rate": self.sample_rate},
            "choices": {name: list(choice) for name, choice in self.choices_.items()},
            "channels": list(self.channels_), "mean": self.mean_, "scale": self.scale_,
            "active": self.active_.astype(np.uint8), "channel_levels": self.channel_levels_,
            "decision_scores": self.decision_scores_, "threshold": self.threshold_, "model": to_tree(self.model_),
        }  # fmt: skip

    @classmethod
    def from_tree(cls, tree: dict[str, Any]) -> Self:
        """Rebuild a fitted detector; raises StoreError for anything else."""
        try:
            if tree["format"] != "aecore.anomaly/1":
                raise StoreError(f"This file is of the kind {tree['format']!r}, not a detector of this version.")
            self = cls(**tree["asked"], seed=tree["seed"])
            self.choices_ = {name: Choice(*pair) for name, pair in tree["choices"].items()}
            self.window_, self.latent_dim_ = self.choices_["window"].value, self.choices_["latent_dim"].value
            self.smoothing_, self.channels_ = self.choices_["smoothing"], tuple(tree["channels"])
            self.mean_, self.scale_, self.active_ = tree["mean"], tree["scale"], tree["active"].astype(bool)
            self.channel_levels_, self.decision_scores_ = tree["channel_levels"], tree["decision_scores"]
            self.threshold_, self.model_ = float(tree["threshold"]), from_tree(tree["model"])
            self.labels_ = (self.decision_scores_ > self.threshold_).astype(np.int64)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StoreError("This file does not hold an anomaly detector.") from error
        return self

    def save(self, path: str | Path) -> None:
        """Write weights, settings, scaling, threshold and channel names to one safetensors file."""
        store.write(path, self.to_tree())

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what :meth:`save` wrote; nothing is unpickled."""
        return cls.from_tree(store.read(path))


def _rows(signal: Signal) -> tuple[Array, tuple[str, ...]]:
    """Values [T, C] and channel names; raises DataError for what is no finite table of numbers."""
    try:
        values = np.asarray(signal, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError("The signal holds something that is not a number; keep its numeric columns only.") from error
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or not values.size:
        raise DataError(f"A signal is a table of rows and channels, got an array of shape {values.shape}.")
    if not (np.abs(values) < LARGEST_VALUE).all():  # False for NaN too
        raise DataError(
            f"The signal holds missing, infinite or absurdly large values (over {LARGEST_VALUE:g}); fill or cut them."
        )
    names = signal.columns if isinstance(signal, pd.DataFrame) else [f"channel {i + 1}" for i in range(values.shape[1])]
    return values, tuple(str(name) for name in names)


def _sample(rows: Array, seed: int) -> Array:
    if len(rows) <= MAX_TRAINING_WINDOWS:
        return rows
    keep = np.random.default_rng(seed).choice(len(rows), MAX_TRAINING_WINDOWS, replace=False)
    return rows[np.sort(keep)]


def _folds(length: int) -> list[tuple[int, int]]:
    edges = np.linspace(0, length, FOLDS + 1).astype(int).tolist()
    return list(zip(edges, edges[1:], strict=False))


def _principal(rows: Array) -> tuple[Array, Array, Array]:
    """Mean [D], eigenvalues [D] in falling order and components [D, D] (rows) of the windows' covariance."""
    mean = rows.mean(0, dtype=np.float64)
    centred = rows - mean
    eigenvalues, vectors = np.linalg.eigh(centred.T @ centred / len(rows))
    order = np.argsort(eigenvalues)[::-1]
    return mean.astype(np.float32), np.maximum(eigenvalues[order], 0), vectors.T[order].astype(np.float32)
