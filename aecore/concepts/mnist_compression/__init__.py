"""MNIST compression: choose a network and its training, watch ten pictures come back, go on, and look at the film."""

import logging
from collections.abc import Generator
from dataclasses import replace

from aecore.concepts.mnist_compression import pictures
from aecore.concepts.mnist_compression.settings import (
    CONVOLUTIONAL,
    DENSE,
    EPOCHS_RANGE,
    KINDS,
    LATENT_RANGE,
    LOG2_RULE,
    LOSSES,
    PIXELS,
    WIDTHS,
    CompressionNetwork,
    CompressionTraining,
    Progress,
    Tree,
    build,
    cost,
)
from aecore.errors import DatasetMissing, StoreError
from aecore.jobs import Cancelled

# Test pictures for a cancelled training, which has seconds to end.
JUDGED_IN_HASTE = 1000
# Pictures in a batch of the built-in ones, of which there are too few for larger batches.
MOST_BATCH_OF_FEW = 32

__all__ = [
    "CONVOLUTIONAL",
    "CompressionNetwork",
    "CompressionTraining",
    "DENSE",
    "EPOCHS_RANGE",
    "KEPT",
    "KINDS",
    "LATENT_RANGE",
    "LOG2_RULE",
    "LOSSES",
    "PIXELS",
    "Progress",
    "Tree",
    "WIDTHS",
    "build",
    "cost",
    "start_of",
    "train",
]

_log = logging.getLogger(__name__)

KEPT = ("model", "film", "at", "errors", "history", "seen", "source")


def start_of(result: Tree) -> Tree:
    """Return what of a training's result another training goes on from."""
    return {name: result[name] for name in KEPT}


def train(
    network: CompressionNetwork, training: CompressionTraining, start: Tree | None = None
) -> Generator[Progress, None, Tree]:
    """Train, on from ``start`` (`start_of` an earlier result) where given; a job's task.

    Pictures that are not on this machine are fetched first, which yields {file, bytes, total, progress}; where they
    cannot be had, the built-in digits take their place. Then yields {epoch, epochs, progress, seen,
    images_per_second, loss, validation, mse, frame, error}: ``validation`` and ``mse`` (of the validation pictures)
    after an epoch only, ``frame`` uint8 [10, 28, 28] and its ``error`` after every epoch and several times within the
    first. The first of these also holds ``watched`` (the originals of ``frame``), ``source`` and ``offline``.

    Returns {model, film, at, errors, history, seen, watched, judged, source, offline, complete}: ``source`` is where
    the pictures came from, ``offline`` says that it is not the one asked for, ``complete`` that the training ran to
    its end. A cancelled training returns what there is by then, judged by fewer pictures; before the first batch there
    is nothing, and it ends without a result.
    """
    from aecore.concepts.mnist_compression.training import CompressionRun

    asked = training
    training = yield from _with_pictures(training)
    run = CompressionRun(network, training, start)
    said = {"source": training.source, "offline": training.source != asked.source}
    try:
        steps = run.epochs()
        yield next(steps) | {"watched": run.watched} | said
        yield from steps
    except Cancelled:
        if not run.seen:
            raise
        return run.result(judged=JUDGED_IN_HASTE) | said | {"complete": False}
    return run.result() | said | {"complete": True}


def _with_pictures(training: CompressionTraining) -> Generator[Progress, None, CompressionTraining]:
    """Fetch the pictures where they are missing; where they cannot be had, take the built-in ones."""
    if pictures.available(training.source):
        return training
    from aecore.data.datasets import mnist_download

    try:
        yield from mnist_download.download(training.source)
    except (DatasetMissing, StoreError) as error:
        _log.warning("Training goes on with the built-in digits: %s", error)
        batch = min(training.batch_size, MOST_BATCH_OF_FEW)
        return replace(training, source=pictures.SHIPPED, batch_size=batch)
    return training
