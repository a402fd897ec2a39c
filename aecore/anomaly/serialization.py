"""A fitted detector as a tree of plain values and arrays, and back."""

from typing import Any, TypeVar

import numpy as np

from aecore import __version__
from aecore.anomaly import validation
from aecore.anomaly.fitted import FittedDetector
from aecore.anomaly.hyperparameters import Choice
from aecore.anomaly.network import WindowNetwork
from aecore.anomaly.scaling import Scaling
from aecore.data.readers.messages import one_line, quote
from aecore.errors import StoreError

Detector = TypeVar("Detector", bound=FittedDetector)

FORMAT = "aecore.anomaly/2"
CHOICES = ("window", "latent_dim", "hidden", "noise", "own_row", "smoothing", "step")
LONGEST, MOST_NOTES = 400, 20  # characters of a note or reason, and notes, that are read from a file


def to_tree(detector: FittedDetector) -> dict[str, Any]:
    """Return everything fitted, as plain values and arrays."""
    mean, scale, active = detector.scaling_
    asked = {"window": detector.window, "latent_dim": detector.latent_dim, "sample_rate": detector.sample_rate}
    return {
        "format": FORMAT, "version": __version__, "seed": detector.seed, "asked": asked,
        "choices": {name: list(choice) for name, choice in detector.choices_.items()}, "notes": list(detector.notes_),
        "channels": list(detector.channels_), "mean": mean, "scale": scale, "active": active.astype(np.uint8),
        "channel_levels": detector.channel_levels_, "decision_scores": detector.decision_scores_,
        "threshold": detector.threshold_, "model": detector.model_.to_tree(),
    }  # fmt: skip


def from_tree(kind: type[Detector], tree: dict[str, Any]) -> Detector:
    """Rebuild a fitted detector; raises StoreError for anything else."""
    try:
        if tree["format"] != FORMAT:
            raise StoreError(f"This file is of the kind {quote(str(tree['format']))}, not a detector of this version.")
        detector = kind(**tree["asked"], seed=tree["seed"])
        detector.adopt_choices(_read_choices(tree["choices"]))
        detector.channels_ = tuple(tree["channels"])
        detector.notes_ = [one_line(note, LONGEST) for note in tree["notes"][:MOST_NOTES]]
        detector.scaling_ = Scaling(tree["mean"], tree["scale"], tree["active"].astype(bool))
        detector.channel_levels_, detector.decision_scores_ = tree["channel_levels"], tree["decision_scores"]
        detector.threshold_, detector.model_ = float(tree["threshold"]), WindowNetwork.from_tree(tree["model"])
        validation.check(detector)
        detector.labels_ = (detector.decision_scores_ > detector.threshold_).astype(np.int64)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError, RuntimeError) as error:
        raise StoreError("This file does not hold an anomaly detector.") from error
    return detector


def _read_choices(tree: dict[str, Any]) -> dict[str, Choice[Any]]:
    """Read what was chosen and why; the reasons are text from a file, and stay on one line each."""
    return {name: Choice(tree[name][0], one_line(tree[name][1], LONGEST)) for name in CHOICES if name in tree}
