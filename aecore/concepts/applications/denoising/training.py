"""How the denoising section's networks are trained and the filters beside them tuned: on draws that no test lies in."""

from collections.abc import Generator, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aecore import store
from aecore.concepts.applications import asset
from aecore.concepts.applications.denoising import (
    BASE,
    BUTTERWORTH,
    LENGTH,
    LEVELS,
    MODES,
    SAVITZKY,
    SIGNALS,
    TEST_LOAD,
    TEST_SPEED,
    Cleaners,
    Denoiser,
    Filter,
    Mode,
    Record,
    Scene,
    Signal,
    gain,
    record,
    to_tree,
)
from aecore.data.simulators.disturbances import KINDS, Kind
from aecore.data.simulators.traces import SAMPLE_RATE
from aecore.numerics.dense import decoder_of, encoder_of

Array = NDArray[np.float64]
Progress = dict[str, Any]

SPEEDS, LOADS = (600.0, 6_000.0), (0.1, 1.1)
RECORDS, WINDOWS = 240, 48  # records to learn from, windows of each
VALIDATION = 8  # records of a kind and level that the filters are tuned on
HIDDEN, CODE = (128,), 32
STAGES = ((2e-3, 0.5), (5e-4, 0.3), (1e-4, 0.2))  # learning rates, and their shares of the epochs
EPOCHS, BATCH = 20, 256
TAPS = 256  # of a Butterworth's impulse response
CUTOFFS = np.geomspace(250.0, 12_000.0, 18)  # Hz
ORDERS = (1, 2, 3, 4)
SAVITZKY_LENGTHS, SAVITZKY_ORDERS = (5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129), (0, 1, 2, 3)


def drawn(signal: Signal, rng: np.random.Generator, kind: Kind | None = None, level: float | None = None) -> Scene:
    """Draw a scene to learn from, outside the speeds and loads of the tests; kind and level too where not given."""
    before, after = (_outside(rng, LOADS, TEST_LOAD) for _ in range(2))
    return Scene(
        signal=signal, kind=kind or KINDS[rng.integers(len(KINDS))],
        level=level or float(np.exp(rng.uniform(np.log(0.5), np.log(30.0)))),
        speed_rpm=_outside(rng, SPEEDS, TEST_SPEED), load=before,
        load_after=after if rng.random() < 0.5 else before, seed=int(rng.integers(1 << 30)),
    )  # fmt: skip


def unseen(signal: Signal, kind: Kind, level: float, rng: np.random.Generator, *, steady: bool = False) -> Scene:
    """Draw a scene at a speed and loads that nothing was trained or tuned at; half of them with a step of load."""
    before, after = rng.uniform(*TEST_LOAD, 2)
    return Scene(
        signal=signal, kind=kind, level=level, speed_rpm=rng.uniform(*TEST_SPEED), load=before,
        load_after=before if steady or rng.random() < 0.5 else after, seed=int(rng.integers(1 << 30)),
    )  # fmt: skip


def _outside(rng: np.random.Generator, wide: tuple[float, float], hole: tuple[float, float]) -> float:
    """Draw evenly from a range less a hole in it."""
    value = rng.uniform(wide[0], wide[1] - (hole[1] - hole[0]))
    return float(value if value < hole[0] else value + hole[1] - hole[0])


def windows(signal: Signal, seed: int, records: int = RECORDS) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Noisy and clean windows [N, 128] of as many drawn records, in the network's units."""
    rng = np.random.default_rng((seed, SIGNALS.index(signal)))
    zero, scale = BASE[signal]
    pairs = []
    for _ in range(records):
        made = record(drawn(signal, rng))
        starts = rng.integers(0, len(made.clean) - LENGTH, WINDOWS)
        rows = starts[:, None] + np.arange(LENGTH)  # (W, L)
        pairs.append(np.stack([made.noisy[rows], made.clean[rows]]))
    both = ((np.concatenate(pairs, axis=1) - zero) / scale).astype(np.float32)  # (2, N, L)
    return both[0], both[1]


# ---------------------------------------------------------------------- networks
def train(
    signal: Signal, code: int = CODE, epochs: int = EPOCHS, *, seed: int = 0, records: int = RECORDS
) -> Generator[Progress, None, dict[str, Any]]:
    """Train one signal's network; a job's task. Yields once an epoch, returns the tree of a `Denoiser`."""
    import torch

    from aecore.concepts.latent_training import Plan, train_by
    from aecore.models import AutoEncoder
    from aecore.models import to_tree as tree_of

    yield {"part": "Drawing signals", "progress": 0.0}
    noisy, clean = windows(signal, seed, records)
    model = AutoEncoder((LENGTH,), hidden=HIDDEN, latent_dim=code, activation="silu", seed=seed)
    first, second = (max(1, round(share * epochs)) for _, share in STAGES[:2])
    counts = (first, second, max(1, epochs - first - second))
    plan = Plan(tuple((rate, count) for (rate, _), count in zip(STAGES, counts, strict=True)), BATCH)
    for step in train_by(plan, model, (torch.from_numpy(noisy), torch.from_numpy(clean)), seed=seed):
        yield {
            "part": "Training the network", "epoch": step.epoch, "epochs": plan.epochs,
            "progress": step.epoch / plan.epochs, "loss": step.report.losses["total"],
        }  # fmt: skip
    tree = tree_of(model)
    return Denoiser(encoder_of(tree), decoder_of(tree)).to_tree()


# ---------------------------------------------------------------------- filters
def butterworths(mode: Mode) -> Iterator[Filter]:
    """All Butterworth low-passes that are tried; *afterwards* they run there and back, without a delay."""
    from scipy.signal import butter, lfilter

    impulse = np.zeros(TAPS)
    impulse[0] = 1.0
    for order in ORDERS:
        for cutoff in CUTOFFS:
            taps = lfilter(*butter(order, cutoff, fs=SAMPLE_RATE), impulse)
            if mode == "afterwards":
                taps = np.convolve(taps, taps[::-1])
            yield Filter(taps / taps.sum(), f"order {order}, {cutoff:,.0f} Hz")


def savitzky_golays(mode: Mode) -> Iterator[Filter]:
    """All Savitzky-Golay filters that are tried; live, the polynomial is read off at its newest sample."""
    from scipy.signal import savgol_coeffs

    for length in SAVITZKY_LENGTHS:
        for order in SAVITZKY_ORDERS:
            if order < length:
                at = length - 1 if mode == "live" else length // 2
                yield Filter(savgol_coeffs(length, order, pos=at), f"{length} samples, order {order}")


def tuned(signal: Signal, mode: Mode, kind: Kind, level: int, seed: int) -> dict[str, Filter]:
    """Of each family, the filter with the highest SNR gain on validation draws of this kind and level."""
    rng = np.random.default_rng((seed, 7, SIGNALS.index(signal), KINDS.index(kind), level))
    made = [record(drawn(signal, rng, kind, level)) for _ in range(VALIDATION)]
    families = {BUTTERWORTH: butterworths(mode), SAVITZKY: savitzky_golays(mode)}
    return {name: max(tried, key=lambda f: _gain(f, made, mode)) for name, tried in families.items()}


def _gain(filtering: Filter, made: list[Record], mode: Mode) -> float:
    return gain(made, [filtering(one.noisy, mode) for one in made])


# ---------------------------------------------------------------------- what ships
def pretrain() -> Generator[Progress, None, None]:
    """Train both networks, tune all filters, and write the file that ships."""
    networks: dict[str, Denoiser] = {}
    for i, signal in enumerate(SIGNALS):
        making = train(signal, epochs=3 * EPOCHS, records=2 * RECORDS)
        while True:
            try:
                progress = next(making)
            except StopIteration as end:
                networks[signal] = Denoiser.from_tree(end.value)
                break
            yield {"progress": 0.4 * (i + progress["progress"]), "loss": progress.get("loss", 0.0)}
    keys = [(s, m, k, v) for s in SIGNALS for m in MODES for k in KINDS for v in LEVELS]
    filters: dict[tuple[str, str, str, int], dict[str, Filter]] = {}
    for i, key in enumerate(keys):
        filters[key] = tuned(*key, seed=0)
        yield {"progress": 0.8 + 0.2 * i / len(keys)}
    store.write(asset("denoising"), to_tree(Cleaners(networks, filters)))
