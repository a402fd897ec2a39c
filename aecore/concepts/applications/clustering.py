"""Clustering: drives cut into windows, encoded, and clustered by k-means, without labels of their driving modes.

Every contestant gets the same windows: 60 points of speed (its logarithm, so that a car park is not one dot beside a
motorway) and of acceleration. The network predicts the *neighbouring* window with its values sorted: what it can know
of that is the mode, and neither where in a trip the window began nor what traffic will do next.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore.concepts.applications import Work, read_pretrained, train_each, write_pretrained
from aecore.concepts.applications.k_means import KMeansClusters, adjusted_rand, k_means
from aecore.data.readers import uploads
from aecore.data.readers.messages import list_names, quote
from aecore.data.simulators.drive_cycles import NAMES, Cycle, CycleSettings, cycle
from aecore.errors import DataError, TooFewRows
from aecore.latent import Principal
from aecore.numerics.dense import DenseNetwork, encoder_of

Array = NDArray[np.floating[Any]]

# Lengths of a window in seconds, and its points, whatever its length.
LENGTHS = (30, 60, 120)
POINTS = 60
CODES, PCA, RAW = "Autoencoder codes", "PCA scores", "Raw windows"
CONTESTANTS = (CODES, PCA, RAW)
# Factors on the speed of the training set and of the tests, which are slower or faster than any of it.
FASTER, TEST_FASTER = (0.95, 1.05), (0.85, 0.9, 1.1, 1.15)

# Drives of the training set, and stretches of each.
DRIVES, STRETCHES = 10, 14
# CycleWindows that begin within one window's length.
OVERLAP = 4
HIDDEN, CODE = (96,), 6
# Learning rates, and their shares of the epochs.
STAGES, BATCH = ((3e-3, 0.7), (6e-4, 0.3)), 64
EPOCHS = 10
# Numbers of components that are tried on validation drives, and how many drives.
PCA_SIZES = (1, 2, 3, 4, 6, 8)
VALIDATION = 4

# A visitor's file: what its column is called, factors to km/h by what the name says (km/h otherwise), bounds.
SPEED = re.compile(r"speed|velocity|\bv\b|km/?h|kph|mph", re.IGNORECASE)
UNITS = {"mph": 1.609344, "m/s": 3.6}
MAX_SECONDS, FEWEST = 8 * 3600, 240
# Beyond so many km/h, it is no car's speed.
FASTEST = 400.0


class CycleWindows(NamedTuple):
    """Windows of a drive: ``speed`` [N, L] in km/h, the mode that made most of each [N], and where they start [N]."""

    speed: Array
    modes: NDArray[np.int64]
    starts: NDArray[np.int64]


def cut_windows(driven: Cycle, length: int, step: int | None = None) -> CycleWindows:
    """Cut a drive into windows of ``length`` seconds, one every ``step`` (None: one after the other)."""
    if len(driven.speed) < 2 * length:
        raise TooFewRows(
            f"{len(driven.speed)} seconds do not make two windows of {length}; cut shorter or bring a longer drive."
        )
    starts = np.arange(0, len(driven.speed) - length + 1, step or length)
    rows = starts[:, None] + np.arange(length)  # (N, L)
    counts = np.stack([(driven.modes[rows] == mode).sum(1) for mode in range(len(NAMES))], axis=1)
    return CycleWindows(driven.speed[rows], counts.argmax(1), starts)


def lay_out(speed: Array) -> NDArray[np.float32]:
    """Lay out windows [N, L] in km/h as contestants get them: [N, 120], 60 points of log speed and of acceleration."""
    length = speed.shape[1]
    at = np.linspace(0, length - 1, POINTS)
    left = np.minimum(at.astype(int), length - 2)
    share = at - left

    def resample(x: Array) -> Array:
        return x[:, left] * (1 - share) + x[:, left + 1] * share

    acceleration = np.gradient(speed / 3.6, axis=1)  # m/s^2
    return np.concatenate([resample(np.log1p(speed)) / 1.5, resample(acceleration)], axis=1).astype(np.float32)


class Coder(NamedTuple):
    """An encoder and a PCA of windows of one length."""

    encoder: DenseNetwork
    pca: Principal

    def codes(self, x: NDArray[np.float32]) -> dict[str, Array]:
        """``[N, 120] -> [N, d]`` of each contestant."""
        return {CODES: self.encoder(x), PCA: self.pca.encode(x), RAW: x}

    def to_tree(self) -> dict[str, Any]:
        """Plain values and arrays, at half precision."""
        return {"encoder": self.encoder.to_tree(np.float16), "pca": [p.astype(np.float16) for p in self.pca]}

    @classmethod
    def from_tree(cls, tree: dict[str, Any]) -> "Coder":
        """Read what `to_tree` wrote."""
        mean, components = (np.asarray(part, np.float32) for part in tree["pca"])
        return cls(DenseNetwork.from_tree(tree["encoder"]), Principal(mean, components))


def cluster_windows(coder: Coder, windows: CycleWindows, clusters: int, *, seed: int = 0) -> dict[str, KMeansClusters]:
    """Cluster windows by k-means on the codes of each contestant."""
    return {name: k_means(codes, clusters, seed=seed) for name, codes in coder.codes(lay_out(windows.speed)).items()}


def measure_agreement(found: Mapping[str, KMeansClusters], windows: CycleWindows) -> dict[str, float]:
    """Return the adjusted Rand index of each contestant's clusters against the hidden modes."""
    return {name: adjusted_rand(clusters.labels, windows.modes) for name, clusters in found.items()}


def find_typical(codes: Array, found: KMeansClusters) -> NDArray[np.int64]:
    """Return the row of the window nearest to each cluster's centre [k]; -1 of an empty one."""
    rows = []
    for label, centre in enumerate(found.centres):
        members = np.flatnonzero(found.labels == label)
        distances = ((codes[members] - centre) ** 2).sum(1)
        rows.append(int(members[distances.argmin()]) if len(members) else -1)
    return np.array(rows)


def simulate_unseen(seed: int, stretches: int = 14) -> Cycle:
    """Simulate a drive that is slower or faster than the training set."""
    faster = TEST_FASTER[seed % len(TEST_FASTER)]
    return cycle(CycleSettings(stretches=stretches, faster=faster, seed=1_000_000 + seed))


def load_pretrained() -> dict[int, Coder]:
    """Read the built-in coders, by length of window."""
    tree = read_pretrained("clustering")
    return {int(length): Coder.from_tree(coder) for length, coder in tree.items()}


# ---------------------------------------------------------------------- training
def draw_pairs(length: int, seed: int, drives: int = DRIVES) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Draw windows [N, 120], and the neighbouring window of each, after or before it, with its values sorted."""
    rng = np.random.default_rng((seed, length))
    given, wanted = [], []
    for n in range(drives):
        settings = CycleSettings(stretches=STRETCHES, faster=rng.uniform(*FASTER), seed=1000 * seed + n)
        x = lay_out(cut_windows(cycle(settings), length, max(1, length // OVERLAP)).speed)
        apart = np.concatenate([np.sort(x[:, :POINTS], 1), np.sort(x[:, POINTS:], 1)], axis=1)
        given += [x[:-OVERLAP], x[OVERLAP:]]
        wanted += [apart[OVERLAP:], apart[:-OVERLAP]]
    return np.concatenate(given), np.concatenate(wanted)


def train(
    length: int, code: int = CODE, epochs: int = EPOCHS, *, seed: int = 0, drives: int = DRIVES
) -> Work[dict[str, Any]]:
    """Train a coder for windows of ``length`` seconds; a job's task. Returns the tree of a `Coder`."""
    from aecore.concepts.applications.training import fit_stages
    from aecore.models import AutoEncoder, to_tree

    yield {"part": "Driving", "progress": 0.0}
    given, wanted = draw_pairs(length, seed, drives)
    model = AutoEncoder((2 * POINTS,), hidden=HIDDEN, latent_dim=code, activation="silu", seed=seed)
    yield from fit_stages(model, (given, wanted), stages=STAGES, epochs=epochs, batch=BATCH, seed=seed)
    return Coder(encoder_of(to_tree(model)), tune_pca(given, length, seed)).to_tree()


def tune_pca(learnt: NDArray[np.float32], length: int, seed: int) -> Principal:
    """Fit PCA with the size whose clusters agree best with the modes of validation drives."""
    settings = [CycleSettings(stretches=STRETCHES, seed=500_000 + 100 * seed + n) for n in range(VALIDATION)]
    drives = [cut_windows(cycle(one), length) for one in settings]
    x, modes = np.concatenate([lay_out(d.speed) for d in drives]), np.concatenate([d.modes for d in drives])
    whole = Principal.fit(learnt, max(PCA_SIZES))
    scores = whole.encode(x)
    best = max(PCA_SIZES, key=lambda k: adjusted_rand(k_means(scores[:, :k], len(NAMES)).labels, modes))
    return Principal(whole.mean, whole.components[:best])


def pretrain() -> Work[None]:
    """Train a coder for every length of window, and write the built-in ones."""
    works = {str(length): train(length, epochs=2 * EPOCHS) for length in LENGTHS}
    write_pretrained("clustering", (yield from train_each(works)))


# ---------------------------------------------------------------------- a file of the visitor
def read_drive(name: str, data: bytes) -> Work[dict[str, Any]]:
    """Read a table with a column of speed, and of time where it has one; a job's task.

    Returns ``speed`` [T] in km/h once a second, and notes.
    """
    yield {"part": "Reading", "progress": 0.0}
    signal = uploads.read(name, data)
    named = [i for i, channel in enumerate(signal.channels) if SPEED.search(channel)]
    if not named and len(signal.channels) > 1:
        raise DataError(
            f"{quote(name)} has no column that is called speed, only {list_names(signal.channels)}; "
            "rename one to speed."
        )
    column = named[0] if named else 0
    channel, notes = signal.channels[column], list(signal.notes)
    factor = next((f for unit, f in UNITS.items() if unit in channel.lower()), 1.0)
    speed = signal.values[:, column] * factor
    notes.append(
        f"Speed from the column {quote(channel)}, {f'times {factor:g} to' if factor != 1 else 'taken as'} km/h."
    )
    if not -5 <= speed.min() <= speed.max() <= FASTEST:
        raise DataError(
            f"The column {quote(channel)} runs from {speed.min():g} to {speed.max():g}; a speed in km/h lies in "
            f"0..{FASTEST:g}, so name the column after its unit (m/s, mph) or choose another."
        )
    rate = signal.sample_rate or 1.0
    seconds = int(len(speed) / rate)
    if seconds < FEWEST:
        raise TooFewRows(
            f"{quote(name)} holds {seconds} seconds of driving and {FEWEST} are needed; bring a longer drive."
        )
    if signal.sample_rate is None:
        notes.append("No time was found, so rows are taken as seconds.")
    elif rate != 1.0:
        speed = np.interp(np.arange(seconds), np.arange(len(speed)) / rate, speed)
        notes.append(f"Brought from {rate:g} to one row a second.")
    if seconds > MAX_SECONDS:
        notes.append(f"The first {MAX_SECONDS // 3600} hours are used.")
    return {"speed": np.maximum(speed[:MAX_SECONDS], 0.0), "notes": notes}
