"""Denoising: a noisy current or link voltage, cleaned by a small network and by filters tuned for the task.

Everything is measured twice: *live* (causal: sample t may rest on samples up to t only) and *afterwards* (offline: the
whole record is there). Networks are trained and filters tuned on draws outside the operating points of the tests.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aecore.concepts.applications import Work, draw_outside, read_pretrained, train_each, write_pretrained
from aecore.data.readers import uploads
from aecore.data.simulators.disturbances import KINDS, Kind, disturbed
from aecore.data.simulators.inverter import DC_LINK, RATED_CURRENT
from aecore.data.simulators.recording import one_of, within
from aecore.data.simulators.traces import SAMPLE_RATE, TraceSettings, trace
from aecore.errors import TooFewRows
from aecore.numerics.dense import DenseAutoencoder

Array = NDArray[np.float64]
Windows = NDArray[np.float32]
SignalName = Literal["current", "link"]
Mode = Literal["live", "afterwards"]
SIGNALS: tuple[SignalName, ...] = get_args(SignalName)
MODES: tuple[Mode, ...] = get_args(Mode)
UNITS = {"current": "A", "link": "V"}
# What is 0 and what is 1 inside the network, in A and V.
BASE = {"current": (0.0, RATED_CURRENT), "link": (DC_LINK, 20.0)}
# Samples of a visitor's trace that are drawn.
SHOWN = 3_000
# Rms of the disturbance, % of the rated current, or of 20 V on the link.
LEVELS = (1, 2, 5, 10, 20)
# Samples of a window: 3.2 ms.
LENGTH = 128
# Samples before and after what is measured: no filter is still settling there, or misses what follows.
LEAD = 320
MEASURED = slice(LEAD, -LEAD)
NETWORK, BUTTERWORTH, SAVITZKY = "Autoencoder", "Butterworth", "Savitzky-Golay"
# Speeds in rpm and shares of the rated load that no training draw lies in.
TEST_SPEED, TEST_LOAD = (2_800.0, 3_600.0), (0.55, 0.7)

SPEEDS, LOADS = (600.0, 6_000.0), (0.1, 1.1)
# Training records, windows of each, and records of a kind and level that the filters are tuned on.
RECORDS, WINDOWS, VALIDATION = 240, 48, 8
HIDDEN, CODE = (128,), 32
# Learning rates, and their shares of the epochs.
STAGES = ((2e-3, 0.5), (5e-4, 0.3), (1e-4, 0.2))
EPOCHS, BATCH = 20, 256
# Samples of a Butterworth's impulse response.
TAPS = 256
CUTOFFS = np.geomspace(250.0, 12_000.0, 18)  # Hz
ORDERS = (1, 2, 3, 4)
SAVITZKY_LENGTHS, SAVITZKY_ORDERS = (5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129), (0, 1, 2, 3)
# Samples of a visitor's file that are cleaned, and how many at a time.
MAX_SAMPLES, CHUNK = 200_000, 10_000
# Of the network's own scale: an amplitude that it has seen much of.
PEAK = 0.6


@dataclass(frozen=True, kw_only=True)
class NoisyScene:
    """The signal that is measured, its disturbance and level (% of the base, rms), and the operating point."""

    signal: SignalName = "current"
    kind: Kind = "white"
    level: float = 5.0  # 0..50
    speed_rpm: float = 3_200.0
    load: float = 0.6
    load_after: float = 0.6
    seed: int = 0

    def __post_init__(self) -> None:
        one_of("signal", self.signal, SIGNALS)
        one_of("kind", self.kind, KINDS)
        within("level", self.level, 0, 50)


class NoisyRecord(NamedTuple):
    """A signal as it is and as it is measured, [LEAD + T + LEAD] each, in its unit."""

    time: Array  # s, 0 where what is measured begins
    clean: Array
    noisy: Array


def record(scene: NoisyScene, *, seconds: float = 0.025) -> NoisyRecord:
    """Simulate a signal and add a disturbance; the step of load, if there is one, lies in the middle."""
    lead = LEAD / SAMPLE_RATE
    made = trace(TraceSettings(
        speed_rpm=scene.speed_rpm, load=scene.load, load_after=scene.load_after, step_at=lead + seconds / 2,
        seconds=2 * lead + seconds, seed=scene.seed,
    ))  # fmt: skip
    clean = made.current if scene.signal == "current" else made.link
    rms = scene.level / 100 * BASE[scene.signal][1]
    rng = np.random.default_rng((scene.seed, 1))
    noisy = disturbed(clean, scene.kind, rms, sample_rate=SAMPLE_RATE, rng=rng)
    return NoisyRecord(made.time - lead, clean, noisy)


# ---------------------------------------------------------------------- the network
class Denoiser(DenseAutoencoder):
    """A denoising autoencoder over windows of 128 samples."""

    def __call__(self, noisy: Array, base: tuple[float, float], mode: Mode) -> Array:
        """Clean a signal [T] whose ``base`` (zero, scale) brings it to about -1..1.

        *live*: the newest sample of the window that ends there. *afterwards*: the mean of all windows that cover it.
        """
        if len(noisy) < LENGTH:
            raise TooFewRows(f"{len(noisy)} samples are fewer than one window of {LENGTH}; give a longer signal.")
        x = ((noisy - base[0]) / base[1]).astype(np.float32)
        padded = np.concatenate([np.full(LENGTH - 1, x[0]), x])
        windows = np.lib.stride_tricks.sliding_window_view(padded, LENGTH)  # (T, L)
        rebuilt = self.reconstruct(np.ascontiguousarray(windows))
        if mode == "live":
            return np.asarray(rebuilt[:, -1] * base[1] + base[0], np.float64)
        total, count = np.zeros(len(padded)), np.zeros(len(padded))
        for i in range(LENGTH):
            total[i : i + len(x)] += rebuilt[:, i]
            count[i : i + len(x)] += 1
        return (total / count)[LENGTH - 1 :] * base[1] + base[0]


# ---------------------------------------------------------------------- the filters
class Filter(NamedTuple):
    """A tuned filter as its impulse response, and what it is in words."""

    taps: Array
    words: str

    def __call__(self, noisy: Array, mode: Mode) -> Array:
        """Filter a signal [T]; *afterwards* the taps reach to both sides."""
        reach = len(self.taps) - 1
        before = reach if mode == "live" else reach // 2
        padded = np.concatenate([np.full(before, noisy[0]), noisy, np.full(reach - before, noisy[-1])])
        return np.convolve(padded, self.taps, mode="valid")


class Cleaners(NamedTuple):
    """A network for each signal, and filters by (signal, mode, kind, level)."""

    networks: Mapping[str, Denoiser]
    filters: Mapping[tuple[str, str, str, int], Mapping[str, Filter]]


def clean(made: NoisyRecord, scene: NoisyScene, mode: Mode, cleaners: Cleaners) -> dict[str, Array]:
    """Return what each contestant makes of a record, by name; filters are those tuned for the nearest level."""
    level = min(LEVELS, key=lambda known: abs(np.log(known / max(scene.level, 0.1))))
    filters = cleaners.filters[scene.signal, mode, scene.kind, level]
    network = cleaners.networks[scene.signal](made.noisy, BASE[scene.signal], mode)
    return {NETWORK: network} | {name: filtering(made.noisy, mode) for name, filtering in filters.items()}


# ---------------------------------------------------------------------- measures
def gain(made: Sequence[NoisyRecord], outputs: Sequence[Array]) -> float:
    """Return the SNR after, less the SNR before, in dB, over all records: one without a burst must not decide.

    ``10 log10(sum (noisy - clean)^2 / sum (output - clean)^2)``; 0 where there is nothing to remove.
    """
    before = sum(float(((one.noisy - one.clean)[MEASURED] ** 2).sum()) for one in made)
    after = sum(float(((out - one.clean)[MEASURED] ** 2).sum()) for one, out in zip(made, outputs, strict=True))
    return float(10 * np.log10(before / max(after, 1e-12))) if before else 0.0


def delay(made: NoisyRecord, output: Array, frequency: float) -> float:
    """Return the phase delay at the fundamental in microseconds, over whole periods at the end of a steady record."""
    period = SAMPLE_RATE / frequency
    count = round(np.floor((len(output) - LEAD) / period) * period)
    wave = np.exp(-2j * np.pi * frequency * np.arange(count) / SAMPLE_RATE)
    turned = np.angle(np.vdot(output[-count:] @ wave, made.clean[-count:] @ wave))
    return float(turned / (2 * np.pi * frequency) * 1e6)


# ---------------------------------------------------------------------- what ships
def load_pretrained() -> Cleaners:
    """Read the built-in networks and the tuned filters."""
    return cleaners_from_tree(read_pretrained("denoising"))


def cleaners_to_tree(cleaners: Cleaners) -> dict[str, Any]:
    """Plain values and arrays, at half precision."""
    filters = [
        {"of": list(key), "name": name, "taps": f.taps.astype(np.float32), "words": f.words}
        for key, by_name in cleaners.filters.items()
        for name, f in by_name.items()
    ]
    return {"networks": {name: network.to_tree() for name, network in cleaners.networks.items()}, "filters": filters}


def cleaners_from_tree(tree: dict[str, Any]) -> Cleaners:
    """Read what `to_tree` wrote."""
    filters: dict[tuple[str, str, str, int], dict[str, Filter]] = {}
    for entry in tree["filters"]:
        signal, mode, kind, level = entry["of"]
        of = filters.setdefault((signal, mode, kind, level), {})
        of[entry["name"]] = Filter(entry["taps"].astype(np.float64), entry["words"])
    return Cleaners({name: Denoiser.from_tree(network) for name, network in tree["networks"].items()}, filters)


# ---------------------------------------------------------------------- training
def draw_scene(
    signal: SignalName, rng: np.random.Generator, kind: Kind | None = None, level: float | None = None
) -> NoisyScene:
    """Draw a scene for training, outside the speeds and loads of the tests; kind and level too where not given."""
    before, after = (draw_outside(rng, LOADS, TEST_LOAD) for _ in range(2))
    return NoisyScene(
        signal=signal, kind=kind or KINDS[rng.integers(len(KINDS))],
        level=level or float(np.exp(rng.uniform(np.log(0.5), np.log(30.0)))),
        speed_rpm=draw_outside(rng, SPEEDS, TEST_SPEED), load=before,
        load_after=after if rng.random() < 0.5 else before, seed=int(rng.integers(1 << 30)),
    )  # fmt: skip


def draw_unseen(
    signal: SignalName, kind: Kind, level: float, rng: np.random.Generator, *, steady: bool = False
) -> NoisyScene:
    """Draw a scene at a speed and loads that nothing was trained or tuned at; half of them with a step of load."""
    before, after = rng.uniform(*TEST_LOAD, 2)
    return NoisyScene(
        signal=signal, kind=kind, level=level, speed_rpm=rng.uniform(*TEST_SPEED), load=before,
        load_after=before if steady or rng.random() < 0.5 else after, seed=int(rng.integers(1 << 30)),
    )  # fmt: skip


def draw_windows(signal: SignalName, seed: int, records: int = RECORDS) -> tuple[Windows, Windows]:
    """Draw noisy and clean windows [N, 128] of as many drawn records, in the network's units."""
    rng = np.random.default_rng((seed, SIGNALS.index(signal)))
    zero, scale = BASE[signal]
    pairs = []
    for _ in range(records):
        made = record(draw_scene(signal, rng))
        starts = rng.integers(0, len(made.clean) - LENGTH, WINDOWS)
        rows = starts[:, None] + np.arange(LENGTH)  # (W, L)
        pairs.append(np.stack([made.noisy[rows], made.clean[rows]]))
    both = ((np.concatenate(pairs, axis=1) - zero) / scale).astype(np.float32)  # (2, N, L)
    return both[0], both[1]


# ---------------------------------------------------------------------- networks
def train(
    signal: SignalName, code: int = CODE, epochs: int = EPOCHS, *, seed: int = 0, records: int = RECORDS
) -> Work[dict[str, Any]]:
    """Train one signal's network; a job's task. Yields once an epoch, returns the tree of a `Denoiser`."""
    from aecore.concepts.applications.training import fit_stages
    from aecore.models import AutoEncoder, to_tree

    yield {"part": "Drawing signals", "progress": 0.0}
    pairs = draw_windows(signal, seed, records)
    model = AutoEncoder((LENGTH,), hidden=HIDDEN, latent_dim=code, activation="silu", seed=seed)
    yield from fit_stages(model, pairs, stages=STAGES, epochs=epochs, batch=BATCH, seed=seed)
    return Denoiser.of_model(to_tree(model)).to_tree()


# ---------------------------------------------------------------------- filters
def design_butterworths(mode: Mode) -> Iterator[Filter]:
    """Yield the Butterworth low-passes that are tried; *afterwards* they run there and back, without a delay."""
    from scipy.signal import butter, lfilter

    impulse = np.zeros(TAPS)
    impulse[0] = 1.0
    for order in ORDERS:
        for cutoff in CUTOFFS:
            taps = lfilter(*butter(order, cutoff, fs=SAMPLE_RATE), impulse)
            if mode == "afterwards":
                taps = np.convolve(taps, taps[::-1])
            yield Filter(taps / taps.sum(), f"order {order}, {cutoff:,.0f} Hz")


def design_savitzky_golays(mode: Mode) -> Iterator[Filter]:
    """Yield the Savitzky-Golay filters that are tried; live, the polynomial is read off at its newest sample."""
    from scipy.signal import savgol_coeffs

    for length in SAVITZKY_LENGTHS:
        for order in SAVITZKY_ORDERS:
            if order < length:
                at = length - 1 if mode == "live" else length // 2
                yield Filter(savgol_coeffs(length, order, pos=at), f"{length} samples, order {order}")


def tune_filters(signal: SignalName, mode: Mode, kind: Kind, level: int, seed: int) -> dict[str, Filter]:
    """Choose of each family the filter with the highest SNR gain on validation draws of this kind and level."""
    rng = np.random.default_rng((seed, 7, SIGNALS.index(signal), KINDS.index(kind), level))
    made = [record(draw_scene(signal, rng, kind, level)) for _ in range(VALIDATION)]
    families = {BUTTERWORTH: design_butterworths(mode), SAVITZKY: design_savitzky_golays(mode)}
    return {name: max(tried, key=lambda f: _gain(f, made, mode)) for name, tried in families.items()}


def _gain(filtering: Filter, made: list[NoisyRecord], mode: Mode) -> float:
    return gain(made, [filtering(one.noisy, mode) for one in made])


def pretrain() -> Work[None]:
    """Train both networks, tune all filters, and write the built-in ones."""
    works = {signal: train(signal, epochs=3 * EPOCHS, records=2 * RECORDS) for signal in SIGNALS}
    trees = yield from train_each(works, share=0.8)
    networks: dict[str, Denoiser] = {signal: Denoiser.from_tree(tree) for signal, tree in trees.items()}
    keys = [(s, m, k, v) for s in SIGNALS for m in MODES for k in KINDS for v in LEVELS]
    filters: dict[tuple[str, str, str, int], dict[str, Filter]] = {}
    for i, key in enumerate(keys):
        filters[key] = tune_filters(*key, seed=0)
        yield {"progress": 0.8 + 0.2 * i / len(keys)}
    write_pretrained("denoising", cleaners_to_tree(Cleaners(networks, filters)))


# ---------------------------------------------------------------------- a file of the visitor
def clean_own(name: str, data: bytes) -> Work[dict[str, Any]]:
    """Read a file and clean each of its channels; a job's task.

    Returns channels, ``measured``, ``live`` and ``afterwards`` [T, C] in the file's units, ``sample_rate`` and notes.
    """
    yield {"part": "Reading", "progress": 0.0}
    signal = uploads.read(name, data)
    if len(signal.values) < LENGTH:
        raise TooFewRows(f"{len(signal.values)} samples are fewer than one window of {LENGTH}; bring a longer trace.")
    measured, notes = signal.values[:MAX_SAMPLES], list(signal.notes)
    if len(signal.values) > MAX_SAMPLES:
        notes.append(f"Of {len(signal.values):,} samples the first {MAX_SAMPLES:,} were cleaned.")
    denoiser = load_pretrained().networks["current"]
    cleaned: dict[str, NDArray[np.float64]] = {mode: np.empty_like(measured) for mode in MODES}
    for channel in range(measured.shape[1]):
        column = measured[:, channel]
        low, high = np.percentile(column, (0.5, 99.5))
        base = ((low + high) / 2, max((high - low) / 2 / PEAK, 1e-12))
        for first in range(0, len(column), CHUNK):
            before, after = min(first, LENGTH), LENGTH  # whole windows over every sample of the chunk
            part = column[first - before : first + CHUNK + after]
            if len(part) < LENGTH:
                part, before = column[-LENGTH:], LENGTH - (len(column) - first)
            for mode in MODES:
                cleaned[mode][first : first + CHUNK, channel] = denoiser(part, base, mode)[before:][:CHUNK]
            yield {"part": "Cleaning", "progress": (channel + first / len(column)) / measured.shape[1]}
    return {
        "channels": list(signal.channels), "measured": measured, "sample_rate": signal.sample_rate, "notes": notes,
        **cleaned,
    }  # fmt: skip


def cleaned_table(result: dict[str, Any]) -> pd.DataFrame:
    """Bring what `clean_own` gave into a table to take away."""
    columns = {}
    for i, channel in enumerate(result["channels"]):
        columns[channel] = result["measured"][:, i]
        columns[f"{channel} cleaned, as it comes"] = result["live"][:, i]
        columns[f"{channel} cleaned, afterwards"] = result["afterwards"][:, i]
    return pd.DataFrame(columns)
