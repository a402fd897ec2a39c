"""Denoising: a small network, filters tuned beside it, and what each makes of a spoilt current or link voltage.

Everything is judged twice: *as it comes*, where sample t may rest on samples up to t only, and *afterwards*, where the
whole record is there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from aecore import store
from aecore.concepts.applications import asset
from aecore.data.simulators.disturbances import KINDS, Kind, disturb
from aecore.data.simulators.inverter import DC_LINK, RATED_CURRENT
from aecore.data.simulators.recording import one_of, within
from aecore.data.simulators.traces import SAMPLE_RATE, TraceSettings, trace
from aecore.errors import TooFewRows
from aecore.numerics.dense import DenseNetwork

Array = NDArray[np.float64]
Signal = Literal["current", "link"]
Mode = Literal["live", "afterwards"]
SIGNALS: tuple[Signal, ...] = get_args(Signal)
MODES: tuple[Mode, ...] = get_args(Mode)
UNITS = {"current": "A", "link": "V"}
BASE = {"current": (0.0, RATED_CURRENT), "link": (DC_LINK, 20.0)}  # what is 0 and 1 inside the network: A, V
SHOWN = 3_000  # samples of a visitor's trace that are drawn
LEVELS = (1, 2, 5, 10, 20)  # rms of the disturbance, % of the rated current, or of 20 V on the link
LENGTH = 128  # samples of a window: 3.2 ms
LEAD = 320  # samples before and after what is judged: no filter is still settling there, or misses what follows
JUDGED = slice(LEAD, -LEAD)
NETWORK, BUTTERWORTH, SAVITZKY = "Autoencoder", "Butterworth", "Savitzky-Golay"
TEST_SPEED, TEST_LOAD = (2_800.0, 3_600.0), (0.55, 0.7)  # rpm and share of rated load that no training draw lies in


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What is measured, spoilt by what and how much (% of the base, rms), at which point of operation."""

    signal: Signal = "current"
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


class Record(NamedTuple):
    """A signal as it is and as it is measured, [LEAD + T + LEAD] each, in its unit."""

    time: Array  # s, 0 where what is judged begins
    clean: Array
    noisy: Array


def record(scene: Scene, *, seconds: float = 0.025) -> Record:
    """Simulate and spoil; the step of load, if there is one, lies in the middle."""
    lead = LEAD / SAMPLE_RATE
    made = trace(TraceSettings(
        speed_rpm=scene.speed_rpm, load=scene.load, load_after=scene.load_after, step_at=lead + seconds / 2,
        seconds=2 * lead + seconds, seed=scene.seed,
    ))  # fmt: skip
    clean = made.current if scene.signal == "current" else made.link
    rms = scene.level / 100 * BASE[scene.signal][1]
    rng = np.random.default_rng((scene.seed, 1))
    noisy = disturb(clean, scene.kind, rms, sample_rate=SAMPLE_RATE, rng=rng)
    return Record(made.time - lead, clean, noisy)


# ---------------------------------------------------------------------- the network
class Denoiser(NamedTuple):
    """A denoising autoencoder over windows of 128 samples."""

    encoder: DenseNetwork
    decoder: DenseNetwork

    def __call__(self, noisy: Array, base: tuple[float, float], mode: Mode) -> Array:
        """Clean a signal [T] whose ``base`` (zero, scale) brings it to about -1..1.

        *live*: the newest sample of the window that ends there. *afterwards*: the mean of all windows that cover it.
        """
        if len(noisy) < LENGTH:
            raise TooFewRows(f"{len(noisy)} samples are fewer than one window of {LENGTH}; give a longer signal.")
        x = ((noisy - base[0]) / base[1]).astype(np.float32)
        padded = np.concatenate([np.full(LENGTH - 1, x[0]), x])
        windows = np.lib.stride_tricks.sliding_window_view(padded, LENGTH)  # (T, L)
        rebuilt = self.decoder(self.encoder(np.ascontiguousarray(windows)))
        if mode == "live":
            return np.asarray(rebuilt[:, -1] * base[1] + base[0], np.float64)
        total, count = np.zeros(len(padded)), np.zeros(len(padded))
        for i in range(LENGTH):
            total[i : i + len(x)] += rebuilt[:, i]
            count[i : i + len(x)] += 1
        return (total / count)[LENGTH - 1 :] * base[1] + base[0]

    def to_tree(self) -> dict[str, Any]:
        """Plain values and arrays, at half precision."""
        return {"encoder": self.encoder.to_tree(np.float16), "decoder": self.decoder.to_tree(np.float16)}

    @classmethod
    def from_tree(cls, tree: dict[str, Any]) -> "Denoiser":
        """Read what `to_tree` wrote."""
        return cls(DenseNetwork.from_tree(tree["encoder"]), DenseNetwork.from_tree(tree["decoder"]))


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
    """All that is needed to clean: a network for each signal, and filters by (signal, mode, kind, level)."""

    networks: Mapping[str, Denoiser]
    filters: Mapping[tuple[str, str, str, int], Mapping[str, Filter]]


def cleaned(made: Record, scene: Scene, mode: Mode, cleaners: Cleaners) -> dict[str, Array]:
    """Return what each contestant makes of a record, by name; filters are those tuned for the nearest level."""
    level = min(LEVELS, key=lambda known: abs(np.log(known / max(scene.level, 0.1))))
    filters = cleaners.filters[scene.signal, mode, scene.kind, level]
    network = cleaners.networks[scene.signal](made.noisy, BASE[scene.signal], mode)
    return {NETWORK: network} | {name: filtering(made.noisy, mode) for name, filtering in filters.items()}


# ---------------------------------------------------------------------- measures
def gain(made: Sequence[Record], outputs: Sequence[Array]) -> float:
    """SNR after, less SNR before, in dB, over records together: a record without a burst must not decide.

    ``10 log10(sum (noisy - clean)^2 / sum (output - clean)^2)``; 0 where there is nothing to remove.
    """
    before = sum(float(((one.noisy - one.clean)[JUDGED] ** 2).sum()) for one in made)
    after = sum(float(((out - one.clean)[JUDGED] ** 2).sum()) for one, out in zip(made, outputs, strict=True))
    return float(10 * np.log10(before / max(after, 1e-12))) if before else 0.0


def delay(made: Record, output: Array, frequency: float) -> float:
    """Phase delay at the fundamental in microseconds, over whole periods at the end of a steady record."""
    period = SAMPLE_RATE / frequency
    count = round(np.floor((len(output) - LEAD) / period) * period)
    wave = np.exp(-2j * np.pi * frequency * np.arange(count) / SAMPLE_RATE)
    turned = np.angle(np.vdot(output[-count:] @ wave, made.clean[-count:] @ wave))
    return float(turned / (2 * np.pi * frequency) * 1e6)


# ---------------------------------------------------------------------- what ships
def shipped() -> Cleaners:
    """Read the networks and the tuned filters that ship."""
    return from_tree(store.read(asset("denoising")))


def to_tree(cleaners: Cleaners) -> dict[str, Any]:
    """Plain values and arrays, at half precision."""
    filters = [
        {"of": list(key), "name": name, "taps": f.taps.astype(np.float32), "words": f.words}
        for key, by_name in cleaners.filters.items()
        for name, f in by_name.items()
    ]
    return {"networks": {name: network.to_tree() for name, network in cleaners.networks.items()}, "filters": filters}


def from_tree(tree: dict[str, Any]) -> Cleaners:
    """Read what `to_tree` wrote."""
    filters: dict[tuple[str, str, str, int], dict[str, Filter]] = {}
    for entry in tree["filters"]:
        signal, mode, kind, level = entry["of"]
        of = filters.setdefault((signal, mode, kind, level), {})
        of[entry["name"]] = Filter(entry["taps"].astype(np.float64), entry["words"])
    return Cleaners({name: Denoiser.from_tree(network) for name, network in tree["networks"].items()}, filters)
