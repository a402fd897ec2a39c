"""A fitted detector as one ONNX file: raw rows in, scores out, for runtimes without Python."""

import json
import warnings
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from aecore import __version__
from aecore.anomaly.fitted import CONSTANT_CHANNEL_SCORE, FittedDetector
from aecore.anomaly.scaling import FARTHEST, STILL
from aecore.anomaly.streaming import reach
from aecore.errors import StoreError
from aecore.store.trees import replace

OPSET = 20
Dtype = Literal["float64", "float32"]


def to_onnx(detector: FittedDetector, path: str | Path, *, dtype: Dtype = "float64") -> None:
    """Write a fitted detector to an ONNX file; see :func:`dumps`. Raises StoreError where it cannot be written."""
    data = dumps(detector, dtype=dtype)
    try:
        replace(Path(path), data)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise StoreError(f"Could not write {path}: {reason}; choose another place.") from error


def dumps(detector: FittedDetector, *, dtype: Dtype = "float64") -> bytes:
    """Turn a fitted detector into the bytes of an ONNX file.

    Input ``rows`` [T, C] in the signal's units, of type ``dtype``, at least a window of them; outputs ``scores`` [T]
    and ``channel_scores`` [T, C], float32, as :meth:`decision_function` and :meth:`channel_scores` give them.
    Scaling, windows, network, errors, their mean over covering windows and the smoothing are inside; memory grows
    with T times the window. The metadata hold ``threshold``, ``channels`` (JSON), ``sample_rate`` (Hz, empty where
    unknown), ``window``, ``lookahead`` and ``step`` (rows): a score is final once ``lookahead`` rows have followed it,
    and a block cut out of a signal scores as the whole does if it begins that early, at a multiple of ``step``.
    """
    import onnx

    model = _export(ScoringGraph(detector).eval(), detector.window_, len(detector.channels_), dtype)
    for part in (model.graph, *model.graph.node, *model.graph.value_info, *model.graph.initializer):
        del part.metadata_props[:]  # where in whose source tree each operation came from
    model.producer_name, model.producer_version = "aecore", __version__
    facts = {
        "threshold": repr(detector.threshold_),
        "channels": json.dumps(list(detector.channels_)),
        "sample_rate": "" if detector.sample_rate is None else repr(float(detector.sample_rate)),
        "window": str(detector.window_),
        "step": str(detector.measure_.step),
        "lookahead": str(reach(detector)),
    }
    onnx.helper.set_model_props(model, facts)
    onnx.checker.check_model(model, full_check=True)
    data: bytes = model.SerializeToString()
    return data


def _export(graph: "ScoringGraph", window: int, channels: int, dtype: Dtype) -> Any:
    """Trace the graph for any number of rows from a window upwards."""
    example = torch.zeros(4 * window + 3, channels, dtype=getattr(torch, dtype))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter speaks of its own deprecated parts
        program = torch.onnx.export(
            graph, (example,), dynamo=True, verbose=False, opset_version=OPSET, external_data=False,
            input_names=["rows"], output_names=["scores", "channel_scores"],
            dynamic_shapes=({0: torch.export.Dim("T", min=window)},),
        )  # fmt: skip
    assert program is not None  # as no file name was given
    return program.model_proto


class ScoringGraph(nn.Module):
    """What the detector does to raw rows, in torch from end to end: ``[T, C] -> [T]`` and ``[T, C]``."""

    mean: Tensor
    scale: Tensor
    active: Tensor
    levels: Tensor
    level: Tensor
    rounding: Tensor
    still: Tensor
    order: Tensor

    def __init__(self, detector: FittedDetector) -> None:
        super().__init__()
        self.network, self.measure = detector.model_, detector.measure_
        self.moved_score = CONSTANT_CHANNEL_SCORE * detector.threshold_
        mean, scale, active = detector.scaling_
        still = np.flatnonzero(~active)
        on = np.flatnonzero(active)
        fixed = {
            "mean": mean[on], "scale": scale[on], "active": on,
            "levels": detector.channel_levels_, "still": still, "level": mean[still],
            "rounding": 10 * STILL * np.maximum(np.abs(mean[still]), np.finfo(np.float32).tiny),
            "order": np.argsort(np.concatenate([on, still])),  # from active then still back to the signal's order
        }  # fmt: skip
        for name, array in fixed.items():
            self.register_buffer(name, torch.from_numpy(array))

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Scores [T] and channel scores [T, C], float32."""
        rows = rows.double()
        x = ((rows[:, self.active] - self.mean) / self.scale).clamp(-FARTHEST, FARTHEST).float()  # [T, A]
        smoothed = self._smooth(self._errors(x)).clamp(min=0)
        scores = (smoothed if self.measure.absolute else smoothed.sqrt()).float()  # [T, A]
        excess = (scores / self.levels).float()
        total = excess.double().square().mean(1).sqrt().float()  # [T]
        if not len(self.still):
            return total, scores
        away = ((rows[:, self.still] - self.level).abs() / self.rounding).clamp(min=1)
        moved = (self.moved_score * away.log10()).float()  # [T, C - A]
        return torch.maximum(total, moved.amax(1)), torch.cat([scores, moved], 1)[:, self.order]

    def _errors(self, x: Tensor) -> Tensor:
        """Mean error of the windows that cover each row, [T, A] -> float64 [T, A]."""
        window, step = self.measure.window, self.measure.step
        t = torch.arange(x.shape[0])
        span = t[-1] - window + 1
        starts = t[: x.shape[0] - window + step : step].minimum(span)  # [N], the last window included
        first = (t - window + step).clamp(min=0) // step  # of the windows that cover row t, by number
        last = torch.where(t < span, t // step, (span + step - 1) // step)
        windows = x[starts[:, None] + torch.arange(window)]  # [N, window, A]
        error = self.network(windows.flatten(1)).reshape(windows.shape) - windows
        error = error.abs() if self.measure.absolute else error.square()
        count = (last - first + 1)[:, None]
        errors = self._sums(error.mean(1), first, last) / count
        if not self.measure.own_row:
            return errors
        # row t is row t - starts[n] of window n
        over = first[:, None] + torch.arange(-(-window // step) + 1)  # [T, windows that may cover a row]
        inside = over <= last[:, None]
        over = over.minimum(last[:, None])
        own = (error.flatten(0, 1)[over * window + t[:, None] - starts[over]].double() * inside[:, :, None]).sum(1)
        return errors + self.measure.own_row * own / count

    def _smooth(self, errors: Tensor) -> Tensor:
        """Centred moving average over time; beyond the ends their outermost value counts."""
        t = torch.arange(errors.shape[0])
        half = t[-1:].clamp(max=self.measure.smoothing // 2)  # no more than the rows there are
        first, last = (t - half).clamp(min=0), torch.minimum(t + half, t[-1:])
        before, after = (half - t).clamp(min=0)[:, None], (t + half - t[-1:]).clamp(min=0)[:, None]
        total = self._sums(errors, first, last) + before * errors[:1] + after * errors[-1:]
        return total / (2 * half + 1)

    @staticmethod
    def _sums(values: Tensor, first: Tensor, last: Tensor) -> Tensor:
        """Sum of ``values`` [N, A] from ``first`` to ``last``, both inclusive: float64 [T, A]."""
        running = values.double().cumsum(0)
        return running[last] - running[first] + values[first]
