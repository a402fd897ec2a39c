"""Knobs for flux maps: an autoencoder beside PCA and splines of as many parameters; and a model fed codes or raw maps.

    python -m tests.benchmarks.applications_dimensions        writes assets/tables/applications_dimensions.json

Every seed draws its own machines to learn from and to test on, and its own weights. Tests are 300 machines whose
saliency lies where no learnt one does; splines are shaped on 200 validation machines. The downstream model is gradient
boosting that reads the angle of most torque off a map: 500 machines to learn from, 300 to test; its time is of the
processor, for training and prediction.
"""

import functools
import time
from typing import Any

import numpy as np

from aecore import latent
from aecore.concepts.applications import comparisons
from aecore.concepts.applications import dimensions as core
from aecore.numerics.progress import finish

SCRIPT = "tests/benchmarks/applications_dimensions.py"
SEEDS = (0, 1, 2, 3, 4)
AUTOENCODER, PCA, SPLINE = "Autoencoder", "PCA", "Spline"
RAW, CODES, SCORES = "256 raw values", "6 codes", "6 PCA scores"
SIZES = (2, 4, 6)
TESTS, VALIDATION, FED = 300, 200, 500


@functools.cache
def mapper(size: int, seed: int, epochs: int = core.EPOCHS, machines: int = core.MACHINES) -> core.Mapper:
    return core.Mapper.from_tree(finish(core.train(size, epochs=epochs, seed=seed, machines=machines)))


@functools.cache
def machines(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Machines to learn from, to validate with and to test on."""
    return (
        core.draw_machines(core.TRAINING_FAMILY, core.MACHINES, seed),
        core.draw_machines(core.TRAINING_FAMILY, VALIDATION, seed + 1000),
        core.draw_machines(core.TEST, TESTS, seed + 2000),
    )  # fmt: skip


@functools.cache
def rebuilt(size: int, seed: int) -> dict[str, np.ndarray]:
    """Every contestant's test maps."""
    learnt, validation, test = machines(seed)
    pca = latent.Principal.fit(learnt, size)
    return {
        AUTOENCODER: mapper(size, seed).reconstruct(test),
        PCA: pca.decode(pca.encode(test)),
        SPLINE: core.fit_spline(test, core.choose_shapes(validation, size)),
    }


def needed(seed: int) -> dict[str, float]:
    """How many numbers each needs for the mean flux error of six codes."""
    learnt, validation, test = machines(seed)
    wanted = float(core.flux_error(test, rebuilt(6, seed)[AUTOENCODER]).mean())

    def enough(error: Any) -> float:
        return float(next((k for k in range(6, 55, 6) if error(k) <= wanted), np.nan))

    def of_pca(k: int) -> float:
        pca = latent.Principal.fit(learnt, k)
        return float(core.flux_error(test, pca.decode(pca.encode(test))).mean())

    def of_spline(k: int) -> float:
        return float(core.flux_error(test, core.fit_spline(test, core.choose_shapes(validation, k))).mean())

    return {AUTOENCODER: 6.0, PCA: enough(of_pca), SPLINE: enough(of_spline)}


@functools.cache
def downstream(seed: int) -> dict[str, tuple[float, float]]:
    """Mean absolute error in degrees and processor seconds of gradient boosting, by what it is fed."""
    from sklearn.ensemble import GradientBoostingRegressor

    learnt, _, test = machines(seed)
    fed, pca = learnt[:FED], latent.Principal.fit(learnt, 6)
    inputs = {
        RAW: (fed, test), CODES: (mapper(6, seed).encoder(fed), mapper(6, seed).encoder(test)),
        SCORES: (pca.encode(fed), pca.encode(test)),
    }  # fmt: skip
    angles, truth, of = core.find_best_angle(fed), core.find_best_angle(test), {}
    for name, (x, unseen) in inputs.items():
        started = time.process_time()
        said = GradientBoostingRegressor(n_estimators=100, random_state=seed).fit(x, angles).predict(unseen)
        of[name] = float(np.abs(said - truth).mean()), time.process_time() - started
    return of


def main() -> None:
    sizes = {f"{size} numbers": size for size in SIZES}

    def test(seed: int) -> np.ndarray:
        return machines(seed)[2]

    def flux(condition: str, seed: int) -> dict[str, float]:
        return {n: float(core.flux_error(test(seed), x).mean()) for n, x in rebuilt(sizes[condition], seed).items()}

    def torque(condition: str, seed: int) -> dict[str, float]:
        return {n: float(core.torque_error(test(seed), x).mean()) for n, x in rebuilt(sizes[condition], seed).items()}

    fed = ("error, degrees", "time, s")
    tables = {
        "flux": comparisons.measure(
            "Flux error, % of the largest", list(sizes), flux, SEEDS, SCRIPT, best="low", decimals=2
        ),
        "torque": comparisons.measure(
            "Torque error, % of the largest", list(sizes), torque, SEEDS, SCRIPT, best="low", decimals=2
        ),
        "needed": comparisons.measure(
            "Numbers needed for that error", ["flux error of 6 codes"], lambda _, seed: needed(seed), SEEDS, SCRIPT,
            best="low", decimals=0,
        ),
        "downstream": comparisons.measure(
            "Gradient boosting for the angle of most torque", list(fed),
            lambda condition, seed: {n: pair[fed.index(condition)] for n, pair in downstream(seed).items()},
            SEEDS, SCRIPT, best="low", decimals=2,
        ),
    }  # fmt: skip
    comparisons.write("dimensions", tables)
    for table in tables.values():
        print(table.what)
        for condition, mean, spread in zip(table.conditions, table.mean, table.spread, strict=True):
            cells = zip(table.contestants, mean, spread, strict=True)
            print(f"  {condition:34s}", *(f"{n} {m:.2f} ± {s:.2f};" for n, m, s in cells))


if __name__ == "__main__":
    main()
