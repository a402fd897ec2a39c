"""How the pre-training section's encoder learns without labels, and how networks learn from what is labelled."""

from collections.abc import Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aecore import store
from aecore.concepts.applications import asset
from aecore.concepts.applications.pretraining import (
    COMPONENTS,
    SCRATCH,
    TASKS,
    TUNED,
    Labelled,
    Labelling,
    Material,
    Shipped,
    Task,
    labelled,
    shipped,
    to_tree,
)
from aecore.data.datasets import digits
from aecore.data.simulators import drive_windows
from aecore.data.simulators.drive_windows import CONDITIONS, Region
from aecore.data.simulators.inverter import LAG
from aecore.numerics.dense import DenseNetwork, encoder_of

Progress = dict[str, Any]

HIDDEN = (128, 64)
HIDDEN_SHARE, COPIES = 0.3, 2  # of the values are set to nought; every datum is shown so many times an epoch
EPOCHS, BATCH, RATE = 20, 64, 2e-3
HELD_BACK = 288  # digits of the training split that tune
POOL, TUNE, TEST = 1_000, 250, 500  # windows of machines
NOISE, SEVERITIES = 3.0, (0.3, 1.0)  # A rms on every current
SCALE = 4.0  # of what is left of a turn, in amplitudes, without its ideal sines: most of it then lies within -1..1
IDEAL = np.sin(2 * np.pi * np.arange(drive_windows.LENGTH) / drive_windows.LENGTH - LAG[:, None])  # [3, 64]
TESTED = Region((2_500.0, 3_300.0), (0.45, 0.75))  # operating points that only tests lie in
FINE_EPOCHS, PATIENCE, FINE_RATE, FINE_BATCH = 60, 10, 1e-3, 32


def material(task: Task) -> Material:
    """Read or simulate a task's data: the same every time."""
    return _digits() if task == "digits" else _machines()


def _digits() -> Material:
    train, test = digits.split(seed=0)
    order = np.random.default_rng(0).permutation(len(train.images))
    tune, pool = order[:HELD_BACK], order[HELD_BACK:]

    def part(of: digits.Digits, rows: NDArray[np.int64] | slice) -> Labelled:
        return Labelled(of.images[rows].reshape(-1, 64), of.labels[rows])

    names = tuple(str(digit) for digit in range(10))
    return Material(part(train, pool), part(train, tune), part(test, slice(None)), names)


def _machines() -> Material:
    def part(count: int, seed: int, inside: Region | None, outside: Region | None) -> Labelled:
        made = drive_windows.draw(count, seed=seed, noise=NOISE, severities=SEVERITIES, inside=inside, outside=outside)
        off = SCALE * (drive_windows.turns(made) - IDEAL)
        return Labelled(off.astype(np.float32).reshape(count, -1), made.conditions.astype(np.int64))

    parts = part(POOL, 41, None, TESTED), part(TUNE, 42, None, TESTED), part(TEST, 43, TESTED, None)
    return Material(*parts, CONDITIONS)


def learn(task: Task, data: Material, seed: int, epochs: int = EPOCHS) -> Generator[Progress, None, DenseNetwork]:
    """Train an autoencoder to fill in what was hidden of the pool's data, without labels; its encoder comes back.

    A denoising autoencoder with masking noise: Vincent, Larochelle, Bengio & Manzagol (2008).
    """
    import torch

    from aecore.models import AutoEncoder
    from aecore.models import to_tree as tree_of
    from aecore.training import fit

    whole = torch.from_numpy(data.pool.x).repeat(COPIES, 1)
    mask = torch.rand(whole.shape, generator=torch.Generator().manual_seed(seed)) > HIDDEN_SHARE
    model = AutoEncoder(
        whole.shape[1:], hidden=HIDDEN, latent_dim=COMPONENTS[task], seed=seed,
        reconstruction="bce" if task == "digits" else "mse",
    )  # fmt: skip
    for report in fit(
        model, (whole * mask, whole), epochs=epochs, batch_size=BATCH, learning_rate=RATE, schedule="cosine", seed=seed
    ):
        yield {
            "part": "The encoder, without labels", "epoch": report.number, "epochs": epochs,
            "loss": report.losses["total"], "progress": report.number / epochs,
        }  # fmt: skip
    return encoder_of(tree_of(model))


def fitted(data: Material, rows: NDArray[np.int64], start: DenseNetwork, *, pretrained: bool, seed: int) -> float:
    """Test accuracy of a network of the encoder's layers and one more, trained on the labelled rows.

    ``pretrained`` starts it at the encoder's weights, otherwise at random ones; both stop where the validation split
    says so.
    """
    import torch
    from torch import Tensor, nn

    from aecore.models.layers import dense_stack
    from aecore.training import fit

    sizes = [start.inputs, *(len(biases) for _, biases in start.layers), len(data.names)]

    class Classifier(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = dense_stack(sizes, activate="relu", generator=torch.Generator().manual_seed(seed))

        def losses(self, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
            return {"total": nn.functional.cross_entropy(self.layers(batch[0]), batch[1])}

    model = Classifier()
    if pretrained:
        linear = [layer for layer in model.layers if isinstance(layer, nn.Linear)]
        with torch.no_grad():
            for layer, (weights, biases) in zip(linear, start.layers, strict=False):
                layer.weight.copy_(torch.from_numpy(weights))
                layer.bias.copy_(torch.from_numpy(biases))
    known = (torch.from_numpy(data.pool.x[rows]), torch.from_numpy(data.pool.y[rows]))
    held = (torch.from_numpy(data.validation.x), torch.from_numpy(data.validation.y))
    for _ in fit(
        model, known, epochs=FINE_EPOCHS, batch_size=FINE_BATCH, learning_rate=FINE_RATE, validation=held, seed=seed,
        patience=PATIENCE,
    ):  # fmt: skip
        pass
    with torch.no_grad():
        found = model.layers(torch.from_numpy(data.test.x)).argmax(1).numpy()
    return float((found == data.test.y).mean())


def compare(labelling: Labelling, seed: int, epochs: int = EPOCHS) -> Generator[Progress, None, dict[str, Any]]:
    """Train an encoder anew, and then on these labels both networks; a job's task.

    Returns ``{encoder, accuracy}``, the latter by SCRATCH and TUNED.
    """
    data = shipped()[labelling.task].material
    task = learn(labelling.task, data, seed, epochs)
    while True:
        try:
            progress = next(task)
        except StopIteration as end:
            encoder = end.value
            break
        yield progress | {"progress": 0.7 * progress["progress"]}
    rows, accuracy = labelled(data, labelling), {}
    for n, name in enumerate((SCRATCH, TUNED)):
        yield {"part": name.capitalize(), "progress": 0.7 + 0.15 * n}
        accuracy[name] = fitted(data, rows, encoder, pretrained=name == TUNED, seed=seed)
    return {"encoder": encoder.to_tree(), "accuracy": accuracy}


def pretrain() -> Generator[Progress, None, None]:
    """Train what ships: an encoder for each task, without labels."""
    made = {}
    for n, task in enumerate(TASKS):
        data = material(task)
        learning = learn(task, data, 0)
        while True:
            try:
                progress = next(learning)
            except StopIteration as end:
                made[task] = to_tree(Shipped(data, end.value))
                break
            yield {"progress": (n + progress["progress"]) / len(TASKS), "loss": progress["loss"]}
    store.write(asset("pretraining"), made)
