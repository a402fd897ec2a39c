"""Pre-training: an encoder trained without labels, and the accuracy of classifiers that get a few labels on top."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from aecore.concepts.applications import TESTED, Work, read_pretrained, relay, train_each, write_pretrained
from aecore.data.datasets import digits
from aecore.data.simulators import drive_windows
from aecore.data.simulators.drive_windows import CONDITIONS, Region
from aecore.data.simulators.inverter import LAG
from aecore.data.simulators.recording import one_of
from aecore.errors import SettingError
from aecore.latent import Principal
from aecore.numerics.dense import DenseNetwork, encoder_of

Array = NDArray[np.float32]
Labels = NDArray[np.int64]
PretrainingTask = Literal["digits", "machine faults"]
TASKS: tuple[PretrainingTask, ...] = get_args(PretrainingTask)
RAW, PCA, CODES = "raw values", "PCA", "codes"
SCRATCH, TUNED = "network from scratch", "network, pre-trained"
PROBES = (RAW, PCA, CODES)
# Largest number of labels of a class, and the numbers that are measured.
MOST = 100
LEVELS = (1, 3, 10, 30, 100)
# Components of PCA and latent dimensions.
COMPONENTS: dict[PretrainingTask, int] = {"digits": 32, "machine faults": 16}
# Weights of the ridge penalty, tried on the validation split.
WEIGHTS = (0.01, 0.1, 1.0, 10.0, 100.0)

HIDDEN = (128, 64)
# Share of the values that are set to 0, and how often a sample is shown in an epoch.
HIDDEN_SHARE, COPIES = 0.3, 2
EPOCHS, BATCH, RATE = 20, 64, 2e-3
# Digits of the training split that tune.
HELD_BACK = 288
# Windows of machines.
POOL, TUNE, TEST = 1_000, 250, 500
# A rms on every current.
NOISE = 3.0
SEVERITIES = (0.3, 1.0)
# Of what is left of a turn, in amplitudes, without its ideal sines: most of it then lies within -1..1.
SCALE = 4.0
IDEAL = np.sin(2 * np.pi * np.arange(drive_windows.LENGTH) / drive_windows.LENGTH - LAG[:, None])  # [3, 64]
FINE_EPOCHS, PATIENCE, FINE_RATE, FINE_BATCH = 60, 10, 1e-3, 32


class LabelledData(NamedTuple):
    """Data [N, D] and their classes [N]."""

    x: Array
    y: Labels


class Material(NamedTuple):
    """A training pool, of which labels are drawn; a validation split to tune on; and a test split."""

    pool: LabelledData
    validation: LabelledData
    test: LabelledData
    names: tuple[str, ...]


class Features(NamedTuple):
    """The same data as one method gets them: pool, validation, test, each [N, k]."""

    pool: Array
    validation: Array
    test: Array


@dataclass(frozen=True, kw_only=True)
class Labelling:
    """How many labels each class gets (1..100), and the random seed of which samples get them."""

    task: PretrainingTask = "digits"
    per_class: int = 3
    draw: int = 0

    def __post_init__(self) -> None:
        one_of("task", self.task, TASKS)
        if not 1 <= self.per_class <= MOST:
            raise SettingError(f"per_class must be in 1..{MOST}, got {self.per_class}; choose a number inside.")
        if self.draw < 0:
            raise SettingError(f"draw must be 0 or more, got {self.draw}; choose another.")


def extract_features(material: Material, encoder: DenseNetwork) -> dict[str, Features]:
    """Return the data as they are, their principal components, and the encoder's codes: the latter fitted to no label.

    Components and codes are of the same number.
    """
    parts = material.pool.x, material.validation.x, material.test.x
    principal = Principal.fit(material.pool.x, encoder.outputs)
    return {
        RAW: Features(*parts),
        PCA: Features(*(principal.encode(x) for x in parts)),
        CODES: Features(*(encoder(x) for x in parts)),
    }


def choose_rows(material: Material, labelling: Labelling) -> NDArray[np.int64]:
    """Return the rows of the pool that get a label, as many of each class; a small draw begins a larger one."""
    rng = np.random.default_rng(labelling.draw)
    rows = [rng.permutation(np.flatnonzero(material.pool.y == kind)) for kind in range(len(material.names))]
    return np.concatenate([of[: labelling.per_class] for of in rows])


def predict_by_ridge(seen: Array, labels: Labels, asked: Array, classes: int, weight: float) -> Labels:
    """Return the classes [M] of ``asked`` [M, k] by ridge regression on one-hot labels of ``seen`` [N, k] with a bias.

    ``W = (X'X + weight I)^-1 X'Y`` of centred, commonly scaled data: Hastie, Tibshirani & Friedman, *The Elements of
    Statistical Learning* (2009), sections 3.4.1 and 4.2.
    """
    mean, scale = seen.mean(0), seen.std() + 1e-9
    x, y = ((seen - mean) / scale).astype(np.float64), np.eye(classes)[labels]
    penalty = weight * np.eye(len(x) if len(x) < x.shape[1] else x.shape[1])
    offset = y.mean(0)
    if len(x) < x.shape[1]:  # the same solution, by the smaller of two systems
        solved = x.T @ np.linalg.solve(x @ x.T + penalty, y - offset)
    else:
        solved = np.linalg.solve(x.T @ x + penalty, x.T @ (y - offset))
    return np.asarray((((asked - mean) / scale) @ solved + offset).argmax(1))


class ProbeResult(NamedTuple):
    """Share of the test set that a probe classifies correctly, and the penalty that the validation split chose."""

    accuracy: float
    weight: float


def fit_probe(material: Material, seen: Features, rows: NDArray[np.int64]) -> ProbeResult:
    """Fit a linear probe on the labelled rows, its penalty chosen on the validation split, and test it."""
    labels, classes = material.pool.y[rows], len(material.names)

    def right(asked: Array, truth: Labels, weight: float) -> float:
        return float((predict_by_ridge(seen.pool[rows], labels, asked, classes, weight) == truth).mean())

    weight = max(WEIGHTS, key=lambda w: right(seen.validation, material.validation.y, w))
    return ProbeResult(right(seen.test, material.test.y, weight), weight)


# ---------------------------------------------------------------------- what ships
class PretrainedEncoder(NamedTuple):
    """One task's data and the encoder trained on its pool."""

    material: Material
    encoder: DenseNetwork


def load_pretrained() -> dict[PretrainingTask, PretrainedEncoder]:
    """Read the built-in data and encoders; milliseconds and no torch."""
    tree = read_pretrained("pretraining")
    return {task: _encoder_from_tree(tree[task]) for task in TASKS}


def _encoder_from_tree(tree: dict[str, Any]) -> PretrainedEncoder:
    parts = [
        LabelledData(part["x"].astype(np.float32) / np.float32(part["scale"]), part["y"].astype(np.int64))
        for part in tree["parts"]
    ]
    material = Material(parts[0], parts[1], parts[2], tuple(tree["names"]))
    return PretrainedEncoder(material, DenseNetwork.from_tree(tree["encoder"]))


def encoder_to_tree(ships: PretrainedEncoder) -> dict[str, Any]:
    """Plain values and arrays: data as integers of a common scale, weights at half precision."""
    parts = []
    for part in ships.material[:3]:
        scale = 16.0 if part.x.min() >= 0 and part.x.max() <= 1 else 8_192.0
        kind = np.uint8 if scale == 16.0 else np.int16
        x = np.clip(np.rint(part.x * scale), np.iinfo(kind).min, np.iinfo(kind).max).astype(kind)
        parts.append({"x": x, "y": part.y.astype(np.uint8), "scale": scale})
    names = list(ships.material.names)
    return {"parts": parts, "names": names, "encoder": ships.encoder.to_tree(np.float16)}


# ---------------------------------------------------------------------- training
def load_material(task: PretrainingTask) -> Material:
    """Read or simulate a task's data: the same every time."""
    return _load_digits() if task == "digits" else _simulate_machines()


def _load_digits() -> Material:
    train, test = digits.split(seed=0)
    order = np.random.default_rng(0).permutation(len(train.images))
    tune, pool = order[:HELD_BACK], order[HELD_BACK:]

    def part(of: digits.Digits, rows: NDArray[np.int64] | slice) -> LabelledData:
        return LabelledData(of.images[rows].reshape(-1, 64), of.labels[rows])

    names = tuple(str(digit) for digit in range(10))
    return Material(part(train, pool), part(train, tune), part(test, slice(None)), names)


def _simulate_machines() -> Material:
    def part(count: int, seed: int, inside: Region | None, outside: Region | None) -> LabelledData:
        made = drive_windows.draw(count, seed=seed, noise=NOISE, severities=SEVERITIES, inside=inside, outside=outside)
        off = SCALE * (drive_windows.turns(made) - IDEAL)
        return LabelledData(off.astype(np.float32).reshape(count, -1), made.conditions.astype(np.int64))

    parts = part(POOL, 41, None, TESTED), part(TUNE, 42, None, TESTED), part(TEST, 43, TESTED, None)
    return Material(*parts, CONDITIONS)


def train_encoder(task: PretrainingTask, data: Material, seed: int, epochs: int = EPOCHS) -> Work[DenseNetwork]:
    """Train an autoencoder to fill in what was hidden of the pool's data, without labels; its encoder comes back.

    A denoising autoencoder with masking noise: Vincent, Larochelle, Bengio & Manzagol (2008).
    """
    import torch

    from aecore.concepts.applications.training import fit_cosine
    from aecore.models import AutoEncoder, to_tree

    whole = torch.from_numpy(data.pool.x).repeat(COPIES, 1)
    mask = torch.rand(whole.shape, generator=torch.Generator().manual_seed(seed)) > HIDDEN_SHARE
    model = AutoEncoder(
        whole.shape[1:], hidden=HIDDEN, latent_dim=COMPONENTS[task], seed=seed,
        reconstruction="bce" if task == "digits" else "mse",
    )  # fmt: skip
    part, pairs = "The encoder, without labels", ((whole * mask).numpy(), whole.numpy())
    yield from fit_cosine(model, pairs, part=part, epochs=epochs, rate=RATE, batch=BATCH, seed=seed)
    return encoder_of(to_tree(model))


def score_network(
    data: Material, rows: NDArray[np.int64], start: DenseNetwork, *, pretrained: bool, seed: int
) -> float:
    """Return the test accuracy of a network of the encoder's layers and one more, trained on the labelled rows.

    ``pretrained`` starts it at the encoder's weights, otherwise at random ones; both stop where the validation split
    says so.
    """
    import torch
    from torch import nn

    from aecore.concepts.applications.training import LayersClassifier, as_tensors
    from aecore.models.layers import dense_stack
    from aecore.training import fit

    sizes = [start.inputs, *(len(biases) for _, biases in start.layers), len(data.names)]
    layers = dense_stack(sizes, activate="relu", generator=torch.Generator().manual_seed(seed))
    model = LayersClassifier(layers, nn.functional.cross_entropy)
    if pretrained:
        linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
        with torch.no_grad():
            for layer, (weights, biases) in zip(linear, start.layers, strict=False):
                layer.weight.copy_(torch.from_numpy(weights))
                layer.bias.copy_(torch.from_numpy(biases))
    known = as_tensors((data.pool.x[rows], data.pool.y[rows]))
    held = as_tensors((data.validation.x, data.validation.y))
    for _ in fit(
        model, known, epochs=FINE_EPOCHS, batch_size=FINE_BATCH, learning_rate=FINE_RATE, validation=held, seed=seed,
        patience=PATIENCE,
    ):  # fmt: skip
        pass
    return float((model.classify(data.test.x).argmax(1).numpy() == data.test.y).mean())


def compare(labelling: Labelling, seed: int, epochs: int = EPOCHS) -> Work[dict[str, Any]]:
    """Train an encoder anew, and then on these labels both networks; a job's task.

    Returns ``{encoder, accuracy}``, the latter by SCRATCH and TUNED.
    """
    data = load_pretrained()[labelling.task].material
    encoder = yield from relay(train_encoder(labelling.task, data, seed, epochs), share=0.7)
    rows, accuracy = choose_rows(data, labelling), {}
    for n, name in enumerate((SCRATCH, TUNED)):
        yield {"part": name.capitalize(), "progress": 0.7 + 0.15 * n}
        accuracy[name] = score_network(data, rows, encoder, pretrained=name == TUNED, seed=seed)
    return {"encoder": encoder.to_tree(), "accuracy": accuracy}


def pretrain() -> Work[None]:
    """Train an encoder for each task, without labels, and write the built-in ones."""
    data = {task: load_material(task) for task in TASKS}
    encoders = yield from train_each({task: train_encoder(task, data[task], 0) for task in TASKS})
    trees = {task: encoder_to_tree(PretrainedEncoder(data[task], encoders[task])) for task in TASKS}
    write_pretrained("pretraining", trees)
