"""Anomalies in sensor signals: learn what normal looks like, score everything else against it.

``AnomalyDetector`` is imported when it is first asked for: thresholds and events need no torch.
"""

from typing import TYPE_CHECKING, Any

from aecore.anomaly.events import find_events
from aecore.anomaly.thresholds import DEFAULT_SIGMAS, Threshold, log_score_threshold

if TYPE_CHECKING:
    from aecore.anomaly.detector import AnomalyDetector, FitProgress

__all__ = ["DEFAULT_SIGMAS", "AnomalyDetector", "FitProgress", "Threshold", "find_events", "log_score_threshold"]


def __getattr__(name: str) -> Any:
    if name in {"AnomalyDetector", "FitProgress"}:
        from aecore.anomaly import detector

        return getattr(detector, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
