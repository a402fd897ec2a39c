"""Where a score becomes an alarm: three ways to read a threshold off scores of normal rows, each with its grounds."""

from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.anomaly.events import merged, runs
from aecore.errors import SettingError, TooFewRows

Array = NDArray[np.floating[Any]]

DEFAULT_SIGMAS = 4.0  # of the logarithm; see log_score_threshold
# A short normal stretch says little of how much scores wander between one hour and the next. What it says is weighed
# against this much prior knowledge: errors of real machines wander by 12 %, known as well as from three stretches.
PRIOR_SPREAD, PRIOR_STRETCHES = 0.12, 3.0
TAIL_SHARE = 0.1  # of the scores, the highest, shape the tail of peaks over threshold
MIN_EXCESSES = 10  # fewer shape no tail
CONFIDENCE = 0.95
ENOUGH_ALARMS = 3.0  # expected within the normal stretch; below, a rate is guessed from the tail rather than counted
# The search for a tail's shape ends within this share of the interval that it begins with.
RATIO_ACCURACY = 1e-6
_SMALLEST = 1e-12  # a score of exactly 0 still has a logarithm


class Threshold(NamedTuple):
    """A threshold, what it rests on in a sentence, and whether it reaches beyond what the normal rows have shown."""

    value: float
    sentence: str
    extrapolated: bool = False


class LogScores(NamedTuple):
    """The logarithm of scores of normal rows, as far as a threshold in standard deviations rests on it."""

    mean: float
    deviation: float
    bound: float  # the highest, less what is expected of as many normal values, in deviations of the prior
    tail: float  # 0 where there is none, 1 where it is a normal distribution's

    @classmethod
    def of(cls, normal_scores: Array, memory: int = 1) -> "LogScores":
        """Of scores [T] that average over ``memory`` rows each.

        T scores are then worth T / memory independent ones, and their variance is pooled with the prior's in that
        proportion (the mean of the scaled inverse chi-squared posterior: Gelman et al., *Bayesian Data Analysis*,
        section 2.6). The highest of n normal values is expected at their quantile (n - 3/8) / (n + 1/4): Blom,
        *Statistical Estimates and Transformed Beta-Variables* (1958).
        """
        logs = np.log(np.maximum(normal_scores, _SMALLEST), dtype=np.float64)
        stretches = len(logs) / memory
        variance = (stretches * logs.var() + PRIOR_STRETCHES * PRIOR_SPREAD**2) / (stretches + PRIOR_STRETCHES)
        n = max(stretches, 1.0)
        reached = NormalDist().inv_cdf((n - 0.375) / (n + 0.25))
        bound = float(logs.max()) - reached * PRIOR_SPREAD
        return cls(float(logs.mean()), float(np.sqrt(variance)), bound, _tail(logs))

    def threshold(self, sigmas: float) -> float:
        """Score that lies so many standard deviations above the mean."""
        fitted, bound = self._fitted_and_bound(sigmas)
        return float(np.exp(self.tail * fitted + (1 - self.tail) * min(fitted, bound)))

    def bounded(self, sigmas: float) -> bool:
        """Whether the highest score bounds that threshold."""
        fitted, bound = self._fitted_and_bound(sigmas)
        return self.tail < 1 and bound < fitted

    def _fitted_and_bound(self, sigmas: float) -> tuple[float, float]:
        bound = self.bound + sigmas * PRIOR_SPREAD
        few = self.mean + sigmas * min(self.deviation, PRIOR_SPREAD)  # the highest of a few says little
        return self.mean + sigmas * self.deviation, max(bound, few)


def log_score_threshold(normal_scores: Array, sigmas: float = DEFAULT_SIGMAS, *, memory: int = 1) -> float:
    """``exp(mean + sigmas * sd)`` of the logarithm of scores of normal rows that the model has not seen in training.

    Errors are positive and skewed; their logarithm is closer to a normal distribution, so a few large ones do not
    push the threshold out of reach. ``memory`` is the number of rows that a score averages over.

    Where the logarithm has no tail (a room whose scores are low by night and high by day), its deviation says nothing
    of what lies beyond the highest score, which then bounds the threshold: the more, the less of a tail there is.
    """
    return LogScores.of(normal_scores, memory).threshold(sigmas)


def _tail(logs: Array) -> float:
    """0 where values have a uniform distribution's kurtosis, 1.8, and so no tail; 1 from half way to a normal one's on.

    Only half way, because the kurtosis of a few hundred normal values strays from 3 by about as much.
    """
    spread = logs.std()
    kurtosis = float(np.mean(((logs - logs.mean()) / spread) ** 4)) if spread > 0 else 3.0
    way = float(np.clip((kurtosis - 1.8) / (2.4 - 1.8), 0, 1))
    return way**2 * (3 - 2 * way)  # gently at both ends: samples of a uniform distribution stray from 1.8 too


def by_quantile(normal_scores: Array, sigmas: float = DEFAULT_SIGMAS, *, memory: int = 1) -> Threshold:
    """Threshold of :func:`log_score_threshold`, in words."""
    logs = LogScores.of(normal_scores, memory)
    value = logs.threshold(sigmas)
    flagged = 100 * float(np.mean(normal_scores > value))
    if logs.bounded(sigmas):
        place = "is bounded by the highest held-out normal score, as these keep to levels without a tail"
    else:
        spread = "1 standard deviation" if sigmas == 1 else f"{sigmas:g} standard deviations"
        place = f"lies {spread} above the mean of the logarithm of held-out normal scores"
    return Threshold(value, f"{value:.3g} {place}; {flagged:.2g} % of the normal rows pass it.")


def peaks_over_threshold(normal_scores: Array, risk: float = 1e-4) -> Threshold:
    """Threshold that a normal row passes with probability ``risk``, from a generalised Pareto tail.

    The excesses over a high quantile follow a generalised Pareto distribution (Pickands-Balkema-de Haan theorem);
    its fit is carried on beyond the largest score seen: Siffer et al., *Anomaly Detection in Streams with Extreme
    Value Theory* (KDD 2017), equation 1. Raises SettingError for a risk outside 0..0.1, TooFewRows for too few scores.
    """
    if not 0 < risk < TAIL_SHARE:
        raise SettingError(f"risk must lie between 0 and {TAIL_SHARE:g}, got {risk:g}")
    value = _tail_quantile(normal_scores, risk)
    seen = 1 / len(normal_scores)
    sentence = f"A normal row passes {value:.3g} with a probability of {risk:g}, by a generalised Pareto tail"
    if risk >= seen:
        return Threshold(value, f"{sentence} fitted to the highest tenth of {len(normal_scores)} held-out scores.")
    return Threshold(
        value, f"{sentence} carried on beyond the {len(normal_scores)} held-out scores, so this is extrapolated.", True
    )


def false_alarms_per_hour(normal_scores: Array, per_hour: float, *, sample_rate: float, gap: int) -> Threshold:
    """Threshold that normal operation passes so many times an hour.

    Alarms are counted as events: runs above the threshold, joined across ``gap`` rows. Where the normal stretch is too
    short to hold a few alarms at this rate, the threshold follows a generalised Pareto tail and is marked as
    extrapolated. The interval is the exact one for a Poisson count: Garwood, *Biometrika* 28 (1936). ``sample_rate``
    in Hz. Raises SettingError for a rate that is not positive.
    """
    if not per_hour > 0:
        raise SettingError(f"false alarms per hour must be positive, got {per_hour:g}")
    hours = len(normal_scores) / sample_rate / 3600
    allowed = per_hour * hours
    if allowed >= ENOUGH_ALARMS:
        value = _counted(normal_scores, allowed, gap)
    else:
        # an alarm lasts about as long as a score remembers, so this many independent chances an hour
        risk = min(per_hour * (gap + 1) / (sample_rate * 3600), 0.99 * TAIL_SHARE)
        value = max(_tail_quantile(normal_scores, risk), float(normal_scores.max()) if allowed < 1 else 0.0)
    count = _alarms(normal_scores, value, gap)
    low, high = poisson_interval(count)
    alarms = "no alarm" if count == 0 else "1 alarm" if count == 1 else f"{count} alarms"
    grounds = (
        f"At {value:.3g} the {_duration(hours)} of held-out normal rows raise {alarms}, which is compatible with "
        f"{_about(low / hours)} to {_about(high / hours)} an hour ({100 * CONFIDENCE:.0f} % interval)"
    )
    if allowed >= ENOUGH_ALARMS:
        return Threshold(value, f"{grounds}.")
    return Threshold(
        value, f"{grounds}; too short to vouch for {per_hour:g} an hour, so the threshold is extrapolated.", True
    )


def by_rule(
    normal_scores: Array,
    *,
    sigmas: float | None,
    alarms_per_hour: float | None,
    risk: float | None,
    memory: int,
    sample_rate: float | None,
    gap: int,
) -> Threshold:
    """Threshold by whichever one of the three rules is given; raises SettingError for none or several."""
    if sum(rule is not None for rule in (sigmas, alarms_per_hour, risk)) != 1:
        raise SettingError("a threshold needs exactly one of sigmas, alarms_per_hour and risk")
    if sigmas is not None:
        return by_quantile(normal_scores, sigmas, memory=memory)
    if risk is not None:
        return peaks_over_threshold(normal_scores, risk)
    if sample_rate is None:
        raise SettingError("alarms an hour need a sampling rate; give sample_rate in Hz, or use sigmas or risk")
    return false_alarms_per_hour(normal_scores, float(alarms_per_hour or 0), sample_rate=sample_rate, gap=gap)


def _about(rate: float) -> str:
    """Two digits of it, and zeros instead of an exponent."""
    return f"{float(f'{rate:.2g}'):,.12g}"


def poisson_interval(count: int) -> tuple[float, float]:
    """Exact two-sided interval for the mean of a Poisson distribution of which ``count`` was seen."""
    from scipy import special  # not on the way to a page's first paint

    tail = (1 - CONFIDENCE) / 2
    low = float(special.gammaincinv(count, tail)) if count else 0.0
    return low, float(special.gammaincinv(count + 1, 1 - tail))


def _alarms(scores: Array, threshold: float, gap: int) -> int:
    return len(merged(runs(scores > threshold), gap))


def _counted(scores: Array, allowed: float, gap: int) -> float:
    """Lowest of the scores above which there are at most so many alarms; from there on upwards it stays so."""
    shares = np.geomspace(1 / len(scores), 0.5, 400)  # of the rows above; finest where alarms are rare
    levels = np.quantile(scores, 1 - shares)
    value = float(scores.max())
    for level in levels:
        if _alarms(scores, float(level), gap) > allowed:
            break
        value = float(level)
    return value


def _tail_quantile(scores: Array, risk: float) -> float:
    start = float(np.quantile(scores, 1 - TAIL_SHARE))
    excesses = (scores[scores > start] - start).astype(np.float64)
    if len(excesses) < MIN_EXCESSES:
        raise TooFewRows(
            f"{len(scores)} normal scores leave {len(excesses)} in the tail, and at least {MIN_EXCESSES} are needed to "
            "fit it; take a longer normal stretch or the log-score quantile."
        )
    shape, scale = _pareto(excesses)
    ratio = risk * len(scores) / len(excesses)
    if abs(shape) < 1e-6:
        return start - scale * float(np.log(ratio))
    return start + scale / shape * float(ratio**-shape - 1)


def _pareto(excesses: Array) -> tuple[float, float]:
    """Shape and scale of a generalised Pareto distribution, by maximum likelihood.

    For a given ratio of shape to scale the best shape is known, so the search is along a line: Grimshaw,
    *Technometrics* 35 (1993). Shapes below -1 are left out, where the likelihood has no bound.
    """
    from scipy.optimize import minimize_scalar  # not on the way to a page's first paint

    unit = float(excesses.mean())
    x = excesses / unit

    def cost(ratio: float) -> float:
        shape = float(np.log1p(ratio * x).mean())
        if shape < -1:
            return np.inf
        return float(np.log(shape / ratio)) + shape if abs(ratio) > _SMALLEST else 0.0

    below = -(1 - 0.5 ** np.arange(1, 31)) / float(x.max())  # towards the ratio that ends the tail at the highest
    ratios = np.concatenate([below[::-1], [0.0], np.geomspace(0.01, 100, 30)])
    best = int(np.argmin([cost(ratio) for ratio in ratios]))
    bounds = float(ratios[max(best - 1, 0)]), float(ratios[min(best + 1, len(ratios) - 1)])
    accuracy = RATIO_ACCURACY * (bounds[1] - bounds[0])
    ratio = float(minimize_scalar(cost, bounds=bounds, method="bounded", options={"xatol": accuracy}).x)
    shape = float(np.log1p(ratio * x).mean())
    return shape, unit * (shape / ratio if abs(ratio) > _SMALLEST else 1.0)


def _duration(hours: float) -> str:
    if hours >= 1:
        return f"{hours:.3g} hours"
    return f"{60 * hours:.3g} minutes" if hours >= 1 / 60 else f"{3600 * hours:.3g} seconds"
