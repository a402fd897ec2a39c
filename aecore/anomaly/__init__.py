"""Anomalies in sensor signals: learn what normal looks like, score everything else against it."""

from aecore.anomaly.detector import AnomalyDetector, FitProgress
from aecore.anomaly.events import find_events
from aecore.anomaly.thresholds import DEFAULT_SIGMAS, log_score_threshold

__all__ = ["DEFAULT_SIGMAS", "AnomalyDetector", "FitProgress", "find_events", "log_score_threshold"]
