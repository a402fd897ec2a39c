"""Pre-computed results of the samples, so that the sensor page never opens empty."""

from collections.abc import Generator

import numpy as np

from aecore import store
from aecore.concepts.sensor_anomalies import DEFAULT_NORMAL, Array, Progress, Tree, train_sample
from aecore.concepts.sensor_anomalies.samples import BearingSample, InverterSample, RoomSample, SensorSample
from aecore.numerics.progress import relay
from aecore.paths import MODELS

ASSET = MODELS / "sensors.safetensors"
SAMPLES: dict[str, SensorSample] = {"inverter": InverterSample(), "bearing": BearingSample(), "room": RoomSample()}
BULKY = ("rebuilt", "channel_excess")  # [T, C], only drawn and compared: half precision does
LARGEST = 6e4  # that half precision holds, rounded down


def has_pretrained(sample: SensorSample, normal: tuple[float, float]) -> bool:
    """Tell whether there is a built-in result for these settings."""
    return normal == DEFAULT_NORMAL and sample in SAMPLES.values()


def load_pretrained(sample: SensorSample, normal: tuple[float, float]) -> Tree | None:
    """Read the built-in result of a sample; None for other settings."""
    if not has_pretrained(sample, normal):
        return None
    name = next(name for name, known in SAMPLES.items() if known == sample)
    tree: Tree = store.read(ASSET)[name]
    level, scale = _levels(tree)
    tree |= {part: tree[part].astype(np.float32) for part in BULKY}
    return tree | {"rebuilt": tree["rebuilt"] * scale + level}


def pretrain() -> Generator[Progress, None, None]:
    """Compute what `load_pretrained` reads."""
    trees: Tree = {}
    for i, (name, sample) in enumerate(SAMPLES.items()):

        def change(progress: Progress, i: int = i, name: str = name) -> Progress:
            return progress | {"sample": name, "progress": (i + progress["progress"]) / len(SAMPLES)}

        trees[name] = _halve_precision((yield from relay(train_sample(sample, DEFAULT_NORMAL), change)))
    store.write(ASSET, trees)


def _levels(tree: Tree) -> tuple[Array, Array]:
    """Level and spread of each channel, [C]: half precision has three digits, which 3,000 rpm would use up."""
    return tree["detector"]["mean"].astype(np.float32), tree["detector"]["scale"].astype(np.float32)


def _halve_precision(tree: Tree) -> Tree:
    level, scale = _levels(tree)
    tree = tree | {"rebuilt": (tree["rebuilt"] - level) / scale}
    return tree | {part: np.clip(tree[part], -LARGEST, LARGEST).astype(np.float16) for part in BULKY}
