"""What a history's curves say: features of their shape, and the kind of training whose features they resemble.

Each kind is a Gaussian over the features of trials that went wrong in that way; where a history resembles two kinds
alike, or none, the answer is ``unclear``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.concepts.field_guide.trials import KINDS, History
from aecore.errors import TooFewRows

Numbers = NDArray[np.float64]

UNCLEAR = "unclear"
FEATURES = ("scale", "level", "still falling", "gap", "roughness", "below zero", "silent units")
FEWEST = 4  # epochs: fewer have no shape
SURE = 0.8  # posterior probability of an answer; below, two kinds explain the curves about as well
OWN_SHARE = 0.8  # of a kind's own covariance, the rest is the mean of all: Friedman (1989)
FLOOR = 0.05  # standard deviation that every feature has at least, in its units
LEAST_LIKE = 1e-4  # of a kind's own histories are as far from its middle as one that it does not explain
DEEPEST = 4.0  # decades: beyond, a level or a scale says nothing more


class CurveVerdict(NamedTuple):
    """The kind that the curves resemble, or ``unclear``; the probability of each, and the features they rest on."""

    kind: str
    probabilities: dict[str, float]
    features: dict[str, float]
    strange: bool  # no kind explains them
    why: str


class Diagnosis(NamedTuple):
    """Mean [K, F] and covariance [K, F, F] of the features of each kind."""

    means: Numbers
    covariances: Numbers

    @classmethod
    def fit(cls, histories: Sequence[History], kinds: Sequence[str]) -> Diagnosis:
        """Learn each kind's Gaussian, its covariance shrunk to the mean of all.

        Friedman, *Regularized Discriminant Analysis*, JASA 84 (1989), with one fixed share instead of a search.
        """
        rows, names = np.stack([features(h) for h in histories]), np.array(kinds)
        means = np.stack([rows[names == kind].mean(0) for kind in KINDS])
        own = np.stack([np.cov(rows[names == kind].T, bias=True) for kind in KINDS])
        shared = own.mean(0)
        return cls(means, OWN_SHARE * own + (1 - OWN_SHARE) * shared + FLOOR**2 * np.eye(len(FEATURES)))

    def __call__(self, history: History) -> CurveVerdict:
        """Say which kind a history resembles; features that it lacks are left out of the comparison."""
        found = features(history)
        known = np.isfinite(found)
        logs, far = np.empty(len(KINDS)), np.empty(len(KINDS))
        for i, (mean, covariance) in enumerate(zip(self.means, self.covariances, strict=True)):
            part = covariance[np.ix_(known, known)]
            away = found[known] - mean[known]
            far[i] = away @ np.linalg.solve(part, away)
            logs[i] = -0.5 * (far[i] + np.linalg.slogdet(part)[1])
        shares = np.exp(logs - logs.max())
        shares /= shares.sum()
        best = int(np.argmax(shares))
        still = len(history.train) > 1 and float(np.ptp(history.train)) == 0  # nothing was trained, or logged
        strange = still or _chi_squared_tail(float(far[best]), int(known.sum())) < LEAST_LIKE
        kind = UNCLEAR if strange or shares[best] < SURE else KINDS[best]
        probabilities = dict(zip(KINDS, shares.tolist(), strict=True))
        return CurveVerdict(
            kind, probabilities, dict(zip(FEATURES, found.tolist(), strict=True)), strange,
            _why(kind, probabilities, strange, history),
        )  # fmt: skip

    def to_tree(self) -> dict[str, Any]:
        """Plain arrays."""
        return {"means": self.means, "covariances": self.covariances}

    @classmethod
    def from_tree(cls, tree: dict[str, Any]) -> Diagnosis:
        """Read what `to_tree` wrote."""
        return cls(np.asarray(tree["means"], np.float64), np.asarray(tree["covariances"], np.float64))


def features(history: History) -> Numbers:
    """Seven numbers about the curves' shape [F], none of them in the loss's units but the first; NaN where unknown.

    scale: decades of the first loss. level: decades from the first to the last. still falling: share of the fall that
    the last fifth of the epochs brought. gap: decades from the training loss to the held-out one, at the end.
    roughness: how much of the way the curve went was up and down again. below zero: whether it fell below. silent
    units: share that never fires.

    Raises TooFewRows below four epochs.
    """
    train = np.asarray(history.train, np.float64)
    if len(train) < FEWEST and not history.diverged:
        raise TooFewRows(f"The history has {len(train)} epochs, and a curve's shape needs at least {FEWEST}.")
    validation = None if history.validation is None else np.asarray(history.validation, np.float64)[: len(train)]
    below = bool(len(train)) and bool(train.min() < 0)
    if not len(train) or (below and train[0] <= 0):
        return np.array([0, -DEEPEST, 1, 0, 1.0 if history.diverged else 0, float(below), _silent(history)])
    last = max(1, len(train) // 5)
    end = float(np.median(train[-last:]))
    fall = train[0] - end
    late = float(np.median(train[-2 * last : -last]) if len(train) > 2 * last else train[0]) - end
    return np.array([
        _decades(train[0]), max(-DEEPEST, _decades(end) - _decades(train[0])) if end > 0 else -DEEPEST,
        float(np.clip(late / fall, -1, 1)) if fall > 0 else 0.0,
        _gap(train, validation, last), 1.0 if history.diverged else _roughness(train, validation), float(below),
        _silent(history),
    ])  # fmt: skip


def _gap(train: Numbers, validation: Numbers | None, last: int) -> float:
    if validation is None:
        return math.nan
    a, b = float(np.median(train[-last:])), float(np.median(validation[-last:]))
    return float(np.clip(_decades(b) - _decades(a), -1, 1)) if a > 0 and b > 0 else 0.0


def _roughness(train: Numbers, validation: Numbers | None) -> float:
    """1 - |way from first to last| / length of the way, of the loss in decades: 0 for a curve that only falls."""
    curve = train if validation is None else validation
    if curve.min() <= 0:
        return 0.0
    steps = np.diff(np.log10(curve))
    length = float(np.abs(steps).sum())
    return 1 - abs(float(steps.sum())) / length if length > 0 else 1.0


def _silent(history: History) -> float:
    return math.nan if history.active is None or not len(history.active) else 1 - float(history.active[-1])


def _decades(value: float) -> float:
    return float(np.clip(np.log10(max(value, 1e-12)), -6, 2 * DEEPEST))


def _chi_squared_tail(value: float, degrees: int) -> float:
    """Return the probability that chi squared with so many degrees of freedom exceeds ``value``."""
    from scipy.special import gammaincc  # not on the way to a page's first paint

    return float(gammaincc(degrees / 2, value / 2))


def _why(kind: str, probabilities: dict[str, float], strange: bool, history: History) -> str:
    ranked = sorted(probabilities, key=lambda name: -probabilities[name])
    if strange:
        return f"No kind of trial looks like this; the nearest is *{ranked[0]}*."
    if kind != UNCLEAR:
        return f"{probabilities[kind]:.0%} of trials with curves like these were *{kind}*."
    both = [name for name in ranked if probabilities[name] > 0.05][:3]
    words = " or ".join(f"*{name}* ({probabilities[name]:.0%})" for name in both)
    missing = " The share of units that ever fire would tell more." if history.active is None else ""
    return f"These curves look like {words}: they cannot be told apart with confidence.{missing}"


def confusion(diagnosis: Diagnosis, histories: Sequence[History], kinds: Sequence[str]) -> NDArray[np.int64]:
    """Count answers: row the truth, column the answer, the last one unclear: [K, K + 1]."""
    answers = [*KINDS, UNCLEAR]
    table = np.zeros((len(KINDS), len(answers)), np.int64)
    for history, kind in zip(histories, kinds, strict=True):
        table[KINDS.index(kind), answers.index(diagnosis(history).kind)] += 1
    return table
