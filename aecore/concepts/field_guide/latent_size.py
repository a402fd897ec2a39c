"""Choosing a latent size: a rule of thumb, the bend of PCA's curve, and what networks rebuild of data held out."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.concepts.bottleneck.recording import ChannelWindows
from aecore.data.datasets import digits
from aecore.data.datasets.signals import SinusoidFamily
from aecore.numerics.pca import Principal, decompose

Array = NDArray[np.float32]
Numbers = NDArray[np.float64]

SIZES = (1, 2, 4, 6, 8, 10, 12, 16, 24, 32)
SEEDS = 3
WORTH = 0.1  # of the held-out error: what doubling the code has to take off
KEPT = 0.95  # share of variance: the usual cut where somebody has to name one
LEARN, TEST = 500, 300  # data at most: enough for the curve to bend where more would bend it
EPOCHS, BATCH, RATE = 40, 32, 5e-3
HIDDEN = (96,)
SHOWN = 10  # held-out data, rebuilt at every size
COMPONENTS, LENGTH, NOISE = 5, 64, 0.2  # sinusoids, a sine and a cosine each: at this length, some share a dimension
DATA = ("digits", "sinusoids")

LOG2, ELBOW, SHARE, HELD_OUT = "log2 rule", "elbow", "95 % of variance", "held-out error"
RULES = (LOG2, ELBOW, SHARE, HELD_OUT)


class SizingData(NamedTuple):
    """Training data [N, D], test data [M, D], and the test data without their noise [M, D], where known."""

    learn: Array
    test: Array
    clean: Array | None = None


class Sizing(NamedTuple):
    """What each rule says of one data set, and what it rests on."""

    values: int  # numbers in a datum, D
    sizes: tuple[int, ...]  # [K]
    lost: Numbers  # [seeds, K], share of held-out variance that a network of each size loses
    lost_by_pca: Numbers  # [K]
    from_clean: Numbers | None  # [seeds, K], the same against what was there before the noise
    truth: int | None  # numbers that hold 99.9 % of what was there before the noise
    kept: Numbers  # [D], share of variance that PCA's first 1..D components keep of what is learnt
    chosen: dict[str, int]  # by each rule
    inputs: Array  # [n, D], held-out
    rebuilt: Array  # [K, n, D], by the first seed


def draw(data: str) -> SizingData:
    """Draw the digits that ship, or noisy sums of five sinusoids."""
    if data == "digits":
        parts = digits.split(seed=0)
        learn, test = (part.images.reshape(len(part.images), -1) for part in (parts.train, parts.test))
        picks = [int(np.flatnonzero(parts.test.labels == d)[0]) for d in range(10)]
        rest = np.setdiff1d(np.arange(len(test)), picks)
        return SizingData(learn[:LEARN], np.concatenate([test[picks], test[rest]])[:TEST])
    family = SinusoidFamily(complexity=COMPONENTS, length=LENGTH, noise=NOISE)
    clean, noisy = family.draw_noisy(TEST, seed=1)
    return SizingData(family.draw_noisy(LEARN, seed=0).noisy, noisy, clean)


def of_recording(recording: ChannelWindows) -> SizingData:
    """Take a visitor's windows, evenly spread."""
    return SizingData(_spread(recording.learn, LEARN), _spread(recording.test, TEST))


def size(sample: SizingData, seeds: int = SEEDS) -> Generator[dict[str, Any], None, dict[str, Any]]:
    """Ask every rule; a job's task. Returns what `from_tree` reads."""
    sizes = [k for k in SIZES if k < sample.learn.shape[1]]
    found = np.zeros((2, seeds, len(sizes)))
    rebuilt = []
    for seed in range(seeds):
        for i, k in enumerate(sizes):
            outputs = yield from _train(sample, k, seed, (seed * len(sizes) + i) / (seeds * len(sizes)))
            found[0, seed, i] = lost_share(outputs, sample.test)
            if sample.clean is not None:
                found[1, seed, i] = lost_share(outputs, sample.clean)
            if seed == 0:
                rebuilt.append(outputs[:SHOWN])
    by_pca = [lost_share(p.decode(p.encode(sample.test)), sample.test) for p in _principals(sample.learn, sizes)]
    return {
        "values": sample.learn.shape[1], "sizes": sizes, "lost": found[0], "lost_by_pca": np.array(by_pca),
        "from_clean": None if sample.clean is None else found[1], "kept": kept_by_components(sample.learn),
        "truth": None if sample.clean is None else int(np.searchsorted(kept_by_components(sample.clean), 0.999) + 1),
        "inputs": sample.test[:SHOWN].astype(np.float16), "rebuilt": np.stack(rebuilt).astype(np.float16),
    }  # fmt: skip


def from_tree(tree: dict[str, Any]) -> Sizing:
    """Read what `size` returns, and apply the rules."""
    lost, kept, sizes = np.asarray(tree["lost"]), np.asarray(tree["kept"]), tuple(tree["sizes"])
    chosen = {
        LOG2: log2_rule(tree["values"]),
        ELBOW: elbow(kept),
        SHARE: int(np.searchsorted(kept, KEPT) + 1),
        HELD_OUT: sizes[no_more_by_doubling(lost.mean(0), sizes)],
    }
    clean = tree["from_clean"]
    return Sizing(
        tree["values"], sizes, lost, np.asarray(tree["lost_by_pca"]), None if clean is None else np.asarray(clean),
        tree["truth"], kept, chosen, tree["inputs"].astype(np.float32), tree["rebuilt"].astype(np.float32),
    )  # fmt: skip


# ---------------------------------------------------------------------- the rules
def log2_rule(values: int) -> int:
    """Two to the power of the code's size is the input's size: a place to start, which has not seen the data."""
    return max(1, math.ceil(math.log2(values)))


def elbow(kept: Numbers) -> int:
    """Components after which the curve of kept variance [D] turns flat: farthest above the chord from 0 to D.

    Satopää et al., *Finding a "Kneedle" in a Haystack* (2011), without smoothing.
    """
    curve = np.concatenate([[0.0], kept])
    return max(1, int(np.argmax(curve / max(curve[-1], 1e-12) - np.linspace(0, 1, len(curve)))))


def no_more_by_doubling(lost: Numbers, sizes: Sequence[int]) -> int:
    """Index of the smallest size that, doubled, would lose less than a tenth less; the last where there is none.

    Between the sizes tried, what is lost [K] is read off a line over the size's logarithm.
    """
    at = np.log2(sizes)
    doubled = np.interp(at + 1, at, lost)
    enough = (at + 1 <= at[-1]) & (doubled > (1 - WORTH) * lost)
    return int(np.argmax(enough)) if enough.any() else len(lost) - 1


def kept_by_components(x: Array) -> Numbers:
    """Share of variance that the first 1..D principal components of data [N, D] keep: [D]."""
    values = decompose(x).variances
    return np.asarray(np.cumsum(values) / max(float(values.sum()), 1e-12))


def lost_share(rebuilt: Array, x: Array) -> float:
    """Squared error over variance, of data [N, D]."""
    return float(((rebuilt - x) ** 2).sum() / ((x - x.mean(0)) ** 2).sum())


def verdict(sizing: Sizing) -> str:
    """Say what the rules chose, how far apart they are, and which to trust here."""
    chosen, mean = sizing.chosen, sizing.lost.mean(0)
    low, high = min(chosen.values()), max(chosen.values())
    words = ", ".join(f"{rule} **{chosen[rule]}**" for rule in RULES)
    if high <= 1.5 * low:
        return f"{words}: they agree within a half, so take any. {_truth(sizing)}"
    at = {rule: f"{np.interp(chosen[rule], sizing.sizes, mean):.0%}" for rule in RULES}
    words += (
        f": they disagree by a factor of {high / low:.1f}. At the log2 rule's size the network loses {at[LOG2]} of "
        f"held-out variance, at the elbow's {at[ELBOW]}, at the held-out error's {at[HELD_OUT]}. "
    )
    if chosen[HELD_OUT] == sizing.sizes[-1]:
        return words + (
            f"The held-out error still falls at {sizing.sizes[-1]}, the largest code tried: **for rebuilding alone no "
            "code is too large here, so the error cannot choose**. Let the use decide: the elbow where every number "
            f"costs, less for a detector, which must not rebuild what is strange. {_truth(sizing)}"
        )
    return words + (
        "**Trust the held-out error**: it alone has seen what these data and this network can do, and beyond it more "
        f"numbers buy nothing. {_truth(sizing)}"
    )


def _truth(sizing: Sizing) -> str:
    if sizing.from_clean is None:
        return ""
    best = sizing.sizes[no_more_by_doubling(sizing.from_clean.mean(0), sizing.sizes)]
    return (
        f"The truth is known here: {sizing.truth} numbers hold 99.9 % of what was there before the noise, and against "
        f"that, instead of the noisy data, doubling stops to pay at {best}."
    )


def _principals(x: Array, sizes: list[int]) -> list[Principal]:
    whole = Principal.fit(x, max(sizes))
    return [whole.keep(k) for k in sizes]


def _train(sample: SizingData, k: int, seed: int, done: float) -> Generator[dict[str, Any], None, Array]:
    import torch

    from aecore.models import AutoEncoder
    from aecore.training import fit

    model = AutoEncoder((sample.learn.shape[1],), hidden=HIDDEN, latent_dim=k, activation="silu", seed=seed)
    scale = float(sample.learn.std())
    learn, test = (torch.from_numpy((part / scale).astype(np.float32)) for part in (sample.learn, sample.test))
    for report in fit(model, learn, epochs=EPOCHS, batch_size=BATCH, learning_rate=RATE, seed=seed, schedule="cosine"):
        yield {"part": f"A code of {k}, seed {seed}", "epoch": report.number, "epochs": EPOCHS, "progress": done,
               "loss": report.losses["total"]}  # fmt: skip
    with torch.inference_mode():
        return np.asarray(model(test).numpy() * scale, np.float32)


def _spread(x: Array, count: int) -> Array:
    return x if len(x) <= count else x[np.linspace(0, len(x) - 1, count).astype(int)]
