"""Practical decisions, each measured before and after on small simulated drives.

Where nothing else is said, the model is a linear autoencoder over windows, which is PCA (see *Just PCA?*): its solution
is closed, so that an item takes milliseconds and its number is the decision's, not a training's.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.data.simulators.powertrain import InverterSettings, simulate
from aecore.latent import Principal
from aecore.numerics.ranking import roc_auc

Array = NDArray[np.floating[Any]]
Pair = tuple[float, float]

SEEDS = 5
# Recordings that a noisy ratio is averaged over.
PLACES = 40
WINDOW, CODE = 20, 6
# False alarm rate that a threshold at the 99th percentile promises.
FALSE_ALARMS = 0.01


class Item(NamedTuple):
    """One decision: its name, what is measured, what was done before and after, and how it is written."""

    name: str
    measure: str
    before: str
    after: str
    run: Callable[[int], Pair]
    form: str = ".0%"
    ideal: float | None = None  # the best value, where it is neither 0 nor 1


class Measured(NamedTuple):
    """An item's values before and after: [seeds] each."""

    item: Item
    before: NDArray[np.float64]
    after: NDArray[np.float64]


def measure(seeds: int = SEEDS, first: int = 0) -> Generator[dict[str, Any], None, dict[str, Any]]:
    """Measure every item; a job's task. Returns what `from_tree` reads."""
    found = {}
    for i, item in enumerate(ITEMS):
        yield {"part": item.name, "progress": i / len(ITEMS)}
        found[item.name] = np.array([item.run(seed) for seed in range(first, first + seeds)])
    return found


def from_tree(tree: dict[str, Any]) -> list[Measured]:
    """Read what `measure` returns."""
    return [Measured(item, *np.asarray(tree[item.name], np.float64).T) for item in ITEMS]


# ---------------------------------------------------------------------- what the items share
def _inverter(seed: int, seconds: float = 0.6) -> Array:
    return np.asarray(simulate(InverterSettings(seconds=seconds, seed=seed)).values, np.float64)


def _standardise(x: Array, by: Array) -> Array:
    return (x - by.mean(0)) / by.std(0)


def _make_windows(x: Array, window: int = WINDOW, hop: int = 1) -> NDArray[np.float32]:
    """Windows [N, window * C] of rows [T, C] or [T]."""
    x = x.reshape(len(x), -1)
    view = np.lib.stride_tricks.sliding_window_view(x, window, axis=0)[::hop]
    return np.asarray(view.reshape(len(view), -1), np.float32)


def _errors(principal: Principal, windows: NDArray[np.float32]) -> Array:
    return np.asarray(((principal.decode(principal.encode(windows)) - windows) ** 2).mean(1), np.float64)


def _auc(normal: Array, strange: Array) -> float:
    """Return how often a strange one scores higher than a normal one."""
    return roc_auc(np.repeat([0, 1], [len(normal), len(strange)]), np.concatenate([normal, strange]))


def _tone(rng: np.random.Generator, rows: int, period: float | Array, noise: float = 0.2) -> Array:
    """One channel: a tone whose pitch and loudness wander slowly, in noise; its mean period in rows may change [T]."""
    time, (slow, slower) = np.arange(rows), rng.uniform(0, 2 * np.pi, 2)
    phase = rng.uniform(0, 2 * np.pi) + np.cumsum(2 * np.pi / period * (1 + 0.1 * np.sin(time / 50 + slow)))
    return (1 + 0.2 * np.sin(time / 70 + slower)) * np.sin(phase) + noise * rng.normal(size=rows)


# ---------------------------------------------------------------------- the items
def scaling(seed: int) -> Pair:
    """Find a dip of three deviations in the quietest channel, the link's voltage."""
    learn, normal, strange = (_inverter(3 * seed + i) for i in range(3))
    strange[:, 3] -= 3 * learn[:, 3].std()
    found = []
    for prepare in (lambda x: x, lambda x: _standardise(x, learn)):
        model = Principal.fit(_make_windows(prepare(learn)), CODE)
        found.append(_auc(*(_errors(model, _make_windows(prepare(x))) for x in (normal, strange))))
    return found[0], found[1]


def windowing(seed: int) -> Pair:
    """Find a tone that runs a third faster: every single row of it is a normal one."""
    rng = np.random.default_rng(seed)
    learn, normal, strange = _tone(rng, 3000, 24), _tone(rng, 1500, 24), _tone(rng, 1500, 16)
    found = []
    for window, code in ((2, 1), (48, 6)):
        model = Principal.fit(_make_windows(learn, window), code)
        found.append(_auc(*(_errors(model, _make_windows(x, window)) for x in (normal, strange))))
    return found[0], found[1]


def overlap(seed: int) -> Pair:
    """Share of later windows' variance that is lost, learning from windows end to end, or one at every row."""
    rng = np.random.default_rng(seed)
    learn, later = _tone(rng, 1500, 24), _make_windows(_tone(rng, 1500, 24), 48)
    lost = [
        float(_errors(Principal.fit(_make_windows(learn, 48, hop), 8), later).mean() / later.var(0).mean())
        for hop in (48, 1)
    ]
    return lost[0], lost[1]


def splits(seed: int) -> Pair:
    """Divide the error that held-out windows promise by the error that came, where the speed changes every 200 rows."""
    rng = np.random.default_rng(seed)
    promised, came = np.zeros(2), 0.0
    for _ in range(PLACES):
        whole = _tone(rng, 6000, np.repeat(rng.uniform(12, 48, 30), 200))
        known, later = _make_windows(whole[:2000], 48), _make_windows(whole[2000:], 48)
        came += float(
            _errors(Principal.fit(known, CODE), later).mean()
        )  # the deployed model is trained on all known rows
        picked = rng.permutation(len(known)) < len(known) // 5
        last = np.arange(len(known)) >= len(known) * 4 // 5
        for i, (held_out, gap) in enumerate(((picked, 0), (last, 48))):
            learn = ~held_out
            if gap:  # a window's length between the parts: no row lies in both
                learn[np.flatnonzero(held_out)[0] - gap :] = False
            promised[i] += float(_errors(Principal.fit(known[learn], CODE), known[held_out]).mean())
    return float(promised[0] / came), float(promised[1] / came)


def threshold(seed: int) -> Pair:
    """Count false alarms of a threshold that promises 1 %: off the scores of the rows learnt, or of others."""
    rng = np.random.default_rng(seed)
    learn, others, new = (_make_windows(_tone(rng, rows, 24, noise=0.5), 48) for rows in (500, 1000, 3000))
    model = Principal.fit(learn, 24)
    cuts = [np.percentile(_errors(model, part), 100 * (1 - FALSE_ALARMS)) for part in (learn, others)]
    rates = [float((_errors(model, new) > cut).mean()) for cut in cuts]
    return rates[0], rates[1]


def drift(seed: int) -> Pair:
    """Count false alarms once wear has slowed a tone by a third: of the old model, or of one fitted since."""
    rng = np.random.default_rng(seed)
    learn, checked = (_make_windows(_tone(rng, 2000, 24), 48) for _ in range(2))
    worn, worn_checked, now = (_make_windows(_tone(rng, 2000, 32), 48) for _ in range(3))
    rates = []
    for fitted, held_out in ((learn, checked), (worn, worn_checked)):
        model = Principal.fit(fitted, 6)
        cut = np.percentile(_errors(model, held_out), 100 * (1 - FALSE_ALARMS))
        rates.append(float((_errors(model, now) > cut).mean()))
    return rates[0], rates[1]


def dirty(seed: int) -> Pair:
    """Find a fault of which a twentieth of the normal rows held some already: learnt as they are, or cleaned once."""
    rng = np.random.default_rng(seed)
    clean, normal, fault = (_make_windows(_tone(rng, rows, 24), 48) for rows in (3000, 1500, 1500))
    fault = fault + _make_windows(0.8 * _tone(rng, 1500, 9, noise=0.0), 48)
    share = len(clean) // 20
    learn = np.concatenate([clean[:-share], fault[:share]])
    model = Principal.fit(learn, 10)
    scores = _errors(Principal.fit(learn, 4), learn)  # a narrow code: the few faults do not get a number of their own
    cleaned = Principal.fit(learn[scores <= np.percentile(scores, 90)], 10)
    found = [_auc(_errors(m, normal), _errors(m, fault[share + 48 :])) for m in (model, cleaned)]
    return found[0], found[1]


def deployment(seed: int) -> Pair:
    """Find an offset that lasts for the whole of a new file: scaled by the file itself, or as in training."""
    learn, normal, strange = (_inverter(3 * seed + i)[:, :3] for i in range(3))
    strange[:, 0] += 0.1 * learn[:, 0].std()
    model = Principal.fit(_make_windows(_standardise(learn, learn)), CODE)
    found = []
    for by in (None, learn):
        scores = [_errors(model, _make_windows(_standardise(x, x if by is None else by))) for x in (normal, strange)]
        found.append(_auc(*scores))
    return found[0], found[1]


def stopping(seed: int) -> Pair:
    """Held-out loss of a wide network on 120 digits: after 60 epochs, or at its best epoch (found by patience)."""
    import torch

    from aecore.data.datasets import digits
    from aecore.models import AutoEncoder
    from aecore.training import evaluate, fit

    pixels = digits.load().images.reshape(-1, 64)[np.random.default_rng(seed).permutation(1797)]
    learn, checked, test = (torch.from_numpy(pixels[a:b]) for a, b in ((0, 120), (120, 320), (320, 720)))
    lost = []
    for patience in (None, 8):
        model = AutoEncoder((64,), hidden=(128,), latent_dim=32, reconstruction="bce", seed=seed)
        for _ in fit(model, learn, epochs=60, batch_size=20, learning_rate=1e-2, validation=checked, seed=seed,
                     patience=patience):  # fmt: skip
            pass
        lost.append(evaluate(model, test)["total"])
    return lost[0], lost[1]


ITEMS = (
    Item("Scaling", "a dip in the quietest channel, found (ROC AUC)", "as logged: amperes, volts, rpm",
         "each channel in its standard deviations", scaling, ".2f"),
    Item("Windowing", "a tone a third too fast, found (ROC AUC)", "windows of 2 rows", "windows of two periods",
         windowing, ".2f"),
    Item("Overlap", "variance lost on later windows", "windows end to end", "a window at every row", overlap, ".1%"),
    Item("Splits in time order", "promised error / error that came", "overlapping windows, split at random",
         "the last fifth, a window's gap before it", splits, ".2f", 1.0),
    Item("Thresholds", "false alarms where 1 % was promised", "off the rows it learnt from", "off rows held out",
         threshold, ".1%", FALSE_ALARMS),
    Item("Normal rows that were not", "a fault that was in 5 % of them, found (ROC AUC)", "learnt as they came",
         "the worst tenth left out, fitted again", dirty, ".2f"),
    Item("Drift, and when to retrain", "false alarms after wear, 1 % promised", "the model of the first day",
         "fitted anew to rows that somebody vouched for", drift, ".1%", FALSE_ALARMS),
    Item("When to stop", "held-out loss, nats a digit", "after 60 epochs", "at the best epoch, by patience", stopping,
         ".2f"),
    Item("Deployment", "an offset through a whole file, found (ROC AUC)", "scaled by the new file's own mean",
         "scaled as in training: the scaler ships with the weights", deployment, ".2f"),
)  # fmt: skip
