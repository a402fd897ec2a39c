"""Eight applications of autoencoders, a module each: settings, data, model, training and measures.

`training` holds what their trainings share, `comparisons` the tables of what was measured.
"""

from collections.abc import Generator, Mapping
from typing import Any, TypeVar

import numpy as np

from aecore import store
from aecore.data.simulators.drive_windows import Region
from aecore.numerics import progress
from aecore.paths import MODELS

K = TypeVar("K")
R = TypeVar("R")
Progress = dict[str, Any]
Work = Generator[Progress, None, R]

# Operating points of a drive that only tests lie in: rpm, and shares of the rated torque.
TESTED = Region((2_500.0, 3_300.0), (0.45, 0.75))


def read_pretrained(application: str) -> dict[str, Any]:
    """Read the tree that an application's `pretrain` wrote; milliseconds and no torch."""
    return store.read(MODELS / f"applications_{application}.safetensors")


def write_pretrained(application: str, tree: Mapping[Any, Any]) -> None:
    """Write the tree of an application's built-in model."""
    store.write(MODELS / f"applications_{application}.safetensors", dict(tree))


def draw_outside(rng: np.random.Generator, wide: tuple[float, float], hole: tuple[float, float]) -> float:
    """Draw evenly from a range without the hole in it."""
    value = rng.uniform(wide[0], wide[1] - (hole[1] - hole[0]))
    return float(value if value < hole[0] else value + hole[1] - hole[0])


def relay(work: Work[R], start: float = 0.0, share: float = 1.0) -> Work[R]:
    """Pass on what ``work`` yields as a ``share`` of a longer work, from ``start`` on; returns its result."""
    return (yield from progress.relay(work, lambda done: done | {"progress": start + share * done["progress"]}))


def train_each(works: Mapping[K, Work[R]], start: float = 0.0, share: float = 1.0) -> Work[dict[K, R]]:
    """Run works of equal length one after another; returns their results by key."""
    made = {}
    for n, (key, work) in enumerate(works.items()):
        made[key] = yield from relay(work, start + share * n / len(works), share / len(works))
    return made
