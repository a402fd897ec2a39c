"""Train and measure the Variants page's networks: the whole table by one command, any of them live."""

import time
from collections.abc import Generator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore import latent, store
from aecore.concepts.variants import (
    ASSET,
    BETA,
    KINDS,
    NAMES,
    NARROW,
    PCA,
    SEEDS,
    VARIATIONAL,
    VariantNetwork,
    VariantSettings,
    load_pretrained,
)
from aecore.concepts.variants.measure import (  # fmt: skip
    DRAWN,
    CorruptedDigits,
    corrupt,
    draw_pictures,
    features,
    frechet,
    ink,
    measure_network,
    samples,
)
from aecore.data.datasets import digits, mnist
from aecore.jobs import Cancelled
from aecore.numerics.dense import Array, DenseNetwork
from aecore.numerics.progress import relay

Progress = dict[str, Any]
Tree = dict[str, Any]

# Training and test pictures of MNIST, so that a live training takes seconds.
LEARNT_MNIST, JUDGED_MNIST = 10_000, 500
# Decoded samples that are shown.
SAMPLED = 20


class LabelledPictures(NamedTuple):
    """Flat pictures in 0..1 and their labels, of the training and the test set."""

    x: Array
    labels: NDArray[np.integer[Any]]
    test: Array
    test_labels: NDArray[np.integer[Any]]

    def corrupt_test(self, seed: int) -> CorruptedDigits:
        """Corrupt the test pictures by a seed."""
        return corrupt(self.test, self.test_labels, self.x, self.labels, seed=seed)

    def ten(self) -> NDArray[np.integer[Any]]:
        """Rows of the test pictures: the first of each digit."""
        return np.array([np.flatnonzero(self.test_labels == digit)[0] for digit in range(10)])


def load(source: str) -> LabelledPictures:
    """Read the digits that ship, or MNIST's first; raises `DatasetMissing` where that is not on this machine."""
    if source == "digits":
        parts = digits.split(seed=0)
        return LabelledPictures(
            _flat(parts.train.images), parts.train.labels, _flat(parts.test.images), parts.test.labels
        )
    learn, test = mnist.load(train=True), mnist.load(train=False)
    return LabelledPictures(
        _flat(learn.images[:LEARNT_MNIST] / np.float32(255)), learn.labels[:LEARNT_MNIST],
        _flat(test.images[:JUDGED_MNIST] / np.float32(255)), test.labels[:JUDGED_MNIST],
    )  # fmt: skip


def _flat(images: NDArray[Any]) -> Array:
    return np.asarray(images.reshape(len(images), -1), np.float32)


class TrainedVariant(NamedTuple):
    """One trained network, what was measured of it, and its pictures."""

    network: VariantNetwork
    row: dict[str, Any]
    tree: Tree  # of `variants.VariantPictures`

    def to_tree(self) -> Tree:
        """Plain values and arrays, nothing rounded."""
        return {"network": self.network.to_tree(np.float32), "row": self.row, "tree": self.tree}

    @classmethod
    def from_tree(cls, tree: Tree) -> "TrainedVariant":
        """Read what `to_tree` wrote."""
        return cls(VariantNetwork.from_tree(tree["network"]), tree["row"], tree["tree"])


def train(settings: VariantSettings) -> Generator[Progress, None, Tree]:
    """Train one variant; a job's task.

    Yields {part, epoch, epochs, loss, progress, rebuilt}, ``rebuilt`` uint8 [10, H, W]; returns
    {row, shown, inputs, losses}, also of as many epochs as there were when it is cancelled.
    """
    data = load(settings.source)
    classifier = load_pretrained().classifier if settings.source == "digits" else None
    losses: list[float] = []
    made = yield from make(settings, data, classifier, losses)
    return {"row": made.row, "shown": made.tree, "inputs": inputs(data, settings.seed), "losses": losses}


def make(
    settings: VariantSettings,
    data: LabelledPictures,
    classifier: DenseNetwork | None,
    losses: list[float] | None = None,
) -> Generator[Progress, None, TrainedVariant]:
    """Train, measure and draw one variant, reporting every epoch; ``losses`` takes each epoch's.

    Cancelled, it measures and draws the network as it is.
    """
    from aecore.concepts.variants import networks

    parts, judged, ten = networks.build(settings), data.corrupt_test(settings.seed), data.ten()
    seconds, running = 0.0, networks.fit_parts(parts, settings, data.x, data.labels)
    while True:
        started = time.thread_time()  # of this processor, not of the clock: others may be using it too
        report = next(running, None)
        seconds += time.thread_time() - started
        if report is None:
            break
        now = networks.to_network(parts.model, settings)
        rebuilt = now.decode(now.encode(data.test[ten], np.arange(10)), np.arange(10))
        if losses is not None:
            losses.append(report.losses["total"])
        try:
            yield {
                "part": settings.kind, "epoch": report.number, "epochs": settings.epochs,
                "loss": report.losses["total"], "progress": 0.95 * report.progress,
                "rebuilt": ink(rebuilt, judged.shape),
            }  # fmt: skip
        except Cancelled:
            running.close()
            parts.model.eval()
            break
    norm = networks.mean_jacobian_norm(parts.model, judged.clean, judged.labels)
    row = {"variant": settings.kind, "weight": settings.strength, "seed": settings.seed, "size": settings.size}
    extra = {"parameters": parts.model.num_parameters, "seconds": seconds}
    return _evaluate(networks.to_network(parts.model, settings), row, judged, norm, extra, classifier, ten)


def make_pca(data: LabelledPictures, classifier: DenseNetwork, seed: int) -> TrainedVariant:
    """PCA by the same rules; its seed is that of the noise and of the samples."""
    pca, judged = latent.Principal.fit(data.x, NARROW), data.corrupt_test(seed)
    norm = float((pca.components.astype(np.float64) ** 2).sum())
    row = {"variant": PCA, "weight": 0.0, "seed": seed, "size": NARROW}
    extra = {"parameters": (NARROW + 1) * data.x.shape[1], "seconds": 0.0}
    return _evaluate(VariantNetwork(pca, pca, NARROW), row, judged, norm, extra, classifier, data.ten())


def _evaluate(
    network: VariantNetwork, row: dict[str, Any], judged: CorruptedDigits, norm: float, extra: dict[str, Any],
    classifier: DenseNetwork | None, ten: NDArray[np.integer[Any]],
) -> TrainedVariant:  # fmt: skip
    count = SAMPLED if classifier is None else DRAWN  # more are needed only for their distance
    drawn = samples(network, judged, count, prior=row["variant"] in VARIATIONAL, seed=row["seed"])
    distance = None
    if classifier is not None:
        distance = frechet(features(classifier, drawn), features(classifier, judged.clean))
    row = row | measure_network(network, judged, norm) | {"frechet": distance} | extra
    return TrainedVariant(network, row, draw_pictures(network, judged, ten, drawn[:SAMPLED])._asdict())


def inputs(data: LabelledPictures, seed: int) -> NDArray[np.uint8]:
    """Return the ten digits clean, with noise and masked, uint8 [3, 10, H, W]."""
    judged, ten = data.corrupt_test(seed), data.ten()
    return ink(np.stack([x[ten] for x in (judged.clean, judged.noisy, judged.masked)]), judged.shape)


# ---------------------------------------------------------------------- what ships
def pretrain() -> Generator[Progress, None, None]:
    """Train and measure everything that the page opens with: a minute or two for each seed."""
    from aecore.concepts.variants.networks import FeatureClassifier

    data = load("digits")
    classifier = FeatureClassifier.learn(data.x, data.labels)
    runs = [VariantSettings(kind=kind, seed=seed) for seed in range(SEEDS) for kind in KINDS]
    runs += [VariantSettings(kind=k.name, weight=w) for k in KINDS.values() for w in k.weights
             if w != k.weight and k.name != BETA]  # fmt: skip
    made = {(PCA, 0.0, seed): make_pca(data, classifier, seed) for seed in range(SEEDS)}
    for i, settings in enumerate(runs):
        if (path := _run_path(settings)).is_file():
            made[settings.kind, settings.strength, settings.seed] = TrainedVariant.from_tree(store.read(path))
            continue

        def change(progress: dict[str, Any], i: int = i) -> dict[str, Any]:
            return {"run": i + 1, "of": len(runs), "progress": (i + progress["progress"]) / len(runs)}

        found = yield from relay(make(settings, data, classifier), change)
        made[settings.kind, settings.strength, settings.seed] = found
        path.parent.mkdir(parents=True, exist_ok=True)
        store.write(path, found.to_tree())
    store.write(ASSET, _asset(data, classifier, made))
    for settings in runs:
        _run_path(settings).unlink(missing_ok=True)


def _run_path(settings: VariantSettings) -> Path:
    """Where a finished run waits for the others: a command that was cut off goes on from there."""
    return store.folder() / "pretraining" / f"{store.key('variants', settings)}.safetensors"


def _asset(
    data: LabelledPictures, classifier: DenseNetwork, made: dict[tuple[str, float, int], TrainedVariant]
) -> Tree:
    first = {name: made[name, KINDS[name].weight if name in KINDS else 0.0, 0] for name in NAMES}
    rows = [one.row for (name, weight, _), one in made.items()
            if weight == (KINDS[name].weight if name in KINDS else 0.0)]  # fmt: skip
    sweeps = {}
    for kind in KINDS.values():
        if kind.varies and kind.name != BETA:  # the β-VAE is the VAE at another strength: they share a sweep
            runs = [made[kind.name, w, 0] for w in kind.weights]
            sweeps[kind.name] = {
                "weights": list(kind.weights), "rows": [run.row for run in runs],
                "shown": [run.tree | {"rebuilt": run.tree["rebuilt"][:1]} for run in runs],
            }  # fmt: skip
    told = features(classifier, data.test) @ classifier.layers[-1][0].T + classifier.layers[-1][1]
    return {
        "rows": rows, "sweeps": sweeps, "inputs": inputs(data, 0), "classifier": classifier.to_tree(np.float16),
        "accuracy": float((told.argmax(1) == data.test_labels).mean()),
        "floor": frechet(features(classifier, data.x), features(classifier, data.test)),
        "shown": {name: one.tree for name, one in first.items()},
        "networks": {name: one.network.to_tree() for name, one in first.items()},
    }  # fmt: skip
