"""The denoiser against filters tuned for each disturbance and level, on operating points that nothing has learnt from.

    python -m tests.benchmarks.applications_denoising        writes assets/tables/applications_denoising.json

Every seed draws its own training signals, weights, validation and test signals. SNR gain in dB over 16 test records a
condition; phase delay at the fundamental of steady records in microseconds.
"""

import functools

import numpy as np

from aecore.concepts.applications import comparisons
from aecore.concepts.applications import denoising as core
from aecore.data.simulators.disturbances import KINDS
from aecore.numerics.progress import finish

SCRIPT = "tests/benchmarks/applications_denoising.py"
SEEDS = (0, 1, 2, 3, 4)
RECORDS = 16
NAMES = {"white": "white noise", "ripple": "switching ripple", "quantisation": "quantisation", "bursts": "EMI bursts"}
SIGNALS = {"current": "current", "link": "link voltage"}
LEVEL = 5  # %


@functools.cache
def network(signal: str, seed: int, epochs: int = core.EPOCHS, records: int = core.RECORDS) -> core.Denoiser:
    return core.Denoiser.from_tree(finish(core.train(signal, epochs=epochs, seed=seed, records=records)))


@functools.cache
def filters(signal: str, mode: str, kind: str, level: int, seed: int) -> dict[str, core.Filter]:
    return core.tune_filters(signal, mode, kind, level, seed)


def contestants(signal: str, mode: str, kind: str, level: int, seed: int, network: core.Denoiser) -> core.Cleaners:
    return core.Cleaners({signal: network}, {(signal, mode, kind, level): filters(signal, mode, kind, level, seed)})


def gains(signal: str, mode: str, kind: str, level: int, seed: int, network: core.Denoiser) -> dict[str, float]:
    """SNR gain of every contestant over fresh test records."""
    cleaners = contestants(signal, mode, kind, level, seed, network)
    rng = np.random.default_rng((seed, 99, level))
    scenes = [core.draw_unseen(signal, kind, level, rng) for _ in range(RECORDS)]
    made = [core.record(scene) for scene in scenes]
    outputs = [core.clean(one, scene, mode, cleaners) for one, scene in zip(made, scenes, strict=True)]
    return {name: core.gain(made, [of[name] for of in outputs]) for name in outputs[0]}


def delays(signal: str, kind: str, seed: int, network: core.Denoiser) -> dict[str, float]:
    """Mean phase delay of every contestant, as it comes."""
    cleaners = contestants(signal, "live", kind, LEVEL, seed, network)
    rng = np.random.default_rng((seed, 98))
    of: dict[str, list[float]] = {}
    for _ in range(RECORDS):
        scene = core.draw_unseen(signal, kind, LEVEL, rng, steady=True)
        made = core.record(scene)
        for name, output in core.clean(made, scene, "live", cleaners).items():
            of.setdefault(name, []).append(core.delay(made, output, 4 * scene.speed_rpm / 60))
    return {name: float(np.mean(values)) for name, values in of.items()}


def main() -> None:
    conditions = {f"{SIGNALS[s]}, {NAMES[k]}": (s, k) for s in core.SIGNALS for k in KINDS}

    def of_mode(mode: str):
        return lambda condition, seed: gains(
            conditions[condition][0], mode, conditions[condition][1], LEVEL, seed,
            network(conditions[condition][0], seed),
        )  # fmt: skip

    def of_delay(condition: str, seed: int):
        return delays("current", conditions[condition][1], seed, network("current", seed))

    levels = {f"current, white noise, {level} %": level for level in core.LEVELS}

    def of_level(condition: str, seed: int):
        return gains("current", "live", "white", levels[condition], seed, network("current", seed))

    steady = [c for c, (s, _) in conditions.items() if s == "current"]
    at = f"{LEVEL} % rms"
    tables = {
        "live": comparisons.measure(
            f"SNR gain as it comes, dB, {at}", list(conditions), of_mode("live"), SEEDS, SCRIPT
        ),
        "afterwards": comparisons.measure(
            f"SNR gain afterwards, dB, {at}", list(conditions), of_mode("afterwards"), SEEDS, SCRIPT
        ),
        "delay": comparisons.measure(f"Phase delay as it comes, µs, {at}", steady, of_delay, SEEDS, SCRIPT, best=""),
        "levels": comparisons.measure("SNR gain as it comes, dB, by level", list(levels), of_level, SEEDS, SCRIPT),
    }
    comparisons.write("denoising", tables)
    for table in tables.values():
        print(table.what)
        for condition, mean, spread in zip(table.conditions, table.mean, table.spread, strict=True):
            print(
                f"  {condition:34s}",
                *(f"{n} {m:.1f} ± {s:.1f};" for n, m, s in zip(table.contestants, mean, spread, strict=True)),
            )


if __name__ == "__main__":
    main()
