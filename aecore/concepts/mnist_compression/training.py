"""A training of the compression page as it runs: its film, its history, and the evaluation of its result."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from aecore.concepts.mnist_compression import pictures
from aecore.concepts.mnist_compression.budget import JUDGED, BudgetRow, Quantizer, as_bytes
from aecore.concepts.mnist_compression.quality import quality, squared_error
from aecore.concepts.mnist_compression.settings import (
    REPORT_EVERY,
    CompressionNetwork,
    CompressionTraining,
    Progress,
    Tree,
    build,
)
from aecore.models import from_tree, to_tree
from aecore.training import Report, fit

# Pictures rebuilt at once.
CHUNK = 1000
WORST = 10
# Factor on the usual first weights.
FIRST_GAIN = 2.0
# Limits of the mean pixels at first, as a logit has none.
DARKEST_LIGHTEST = 0.003, 0.997
HISTORY = ("epoch", "loss", "validation", "mse", "seconds", "images_per_second")


class CompressionRun:
    """One training under way."""

    def __init__(self, network: CompressionNetwork, training: CompressionTraining, before: Tree | None) -> None:
        self.network, self.training = network, training
        self.pictures = pictures.load(training.source)
        self.watched = pictures.load_watched(training.source)
        self.model = initialise(network, self.pictures.train) if before is None else from_tree(before["model"])
        blank: Tree = {
            "film": [],
            "at": [],
            "errors": [],
            "history": {name: [] for name in HISTORY},
            "seen": 0,
        }
        self.past = blank if before is None else before
        same = self.past.get("source", training.source) == training.source  # else the film shows other pictures
        self.film: list[NDArray[np.uint8]] = list(self.past["film"]) if same else []
        self.at, self.errors = (list(self.past[name]) if same else [] for name in ("at", "errors"))
        self.history = {name: list(self.past["history"][name]) for name in HISTORY}
        self.seen = 0
        self.done_before = len(self.history["epoch"])

    def epochs(self) -> Iterator[Progress]:
        """Train to the end, yielding where it stands."""
        x, validation = as_tensor(self.pictures.train), as_tensor(self.pictures.validation)
        self._look(0.0)
        yield self._progress(None, 0.0)
        # another seed for every continuation: the same shuffles again would be learnt by heart sooner
        reports = fit(
            self.model, x, epochs=self.training.epochs, batch_size=self.training.batch_size,
            learning_rate=self.training.learning_rate, validation=validation,
            seed=self.network.seed + self.done_before, report_every=REPORT_EVERY, schedule="cosine",
        )  # fmt: skip
        for report in reports:
            share = report.progress * self.training.epochs
            self.seen = round(share * len(x))
            drawn = report.finished or report.number == 1
            if drawn:
                self._look(share)
            rate = (self.seen - (report.number - 1) * len(x)) / max(report.seconds, 1e-9)
            mse = self._enter(report, rate) if report.finished else None
            yield self._progress(report, rate, drawn=drawn, mse=mse)

    def result(self, *, judged: int | None = None) -> Tree:
        """Return all there is by now, evaluated on so many test pictures (None: all)."""
        seen = int(self.past["seen"]) + self.seen
        film = np.stack(self.film)  # (K, 10, 28, 28)
        return {
            "model": to_tree(self.model), "film": film, "at": self.at, "errors": self.errors, "history": self.history,
            "seen": seen, "watched": self.watched, "judged": evaluate(self.model, self.pictures, judged),
        }  # fmt: skip

    def _look(self, share: float) -> None:
        """Rebuild the watched pictures as one more frame of the film, ``share`` epochs into this training."""
        if self.at and share == 0.0:
            return  # the last frame of the training before
        rebuilt = rebuild(self.model, self.watched)
        self.film.append(as_bytes(rebuilt))
        self.at.append(self.done_before + share)
        self.errors.append(float(squared_error(self.watched / np.float32(255), rebuilt).mean()))

    def _enter(self, report: Report, rate: float) -> float:
        """Write a finished epoch into the history; returns the validation pictures' squared error."""
        truth = self.pictures.validation / np.float32(255)
        mse = float(squared_error(truth, rebuild(self.model, self.pictures.validation)).mean())
        assert report.validation is not None
        entry = (self.done_before + report.number, report.losses["total"], report.validation["total"], mse,
                 report.seconds, rate)  # fmt: skip
        for name, value in zip(HISTORY, entry, strict=True):
            self.history[name].append(value)
        return mse

    def _progress(
        self, report: Report | None, rate: float, *, drawn: bool = True, mse: float | None = None
    ) -> Progress:
        return {
            "epoch": self.done_before + (report.number if report else 1),
            "epochs": self.done_before + self.training.epochs,
            "progress": report.progress if report else 0.0,
            "seen": int(self.past["seen"]) + self.seen, "images_per_second": rate,
            "loss": report.losses["total"] if report else None,
            "validation": report.validation["total"] if report and report.validation else None, "mse": mse,
            "frame": self.film[-1] if drawn else None, "error": self.errors[-1] if drawn else None,
        }  # fmt: skip


def initialise(network: CompressionNetwork, learn: NDArray[np.uint8]) -> Any:
    """Make the model that a training begins with, whose first output is about the mean of ``learn`` [N, 28, 28].

    Weights of PyTorch's usual size shrink a signal on its way through six layers, and the first thousand steps go into
    making them larger; doubled, they keep it (the argument of He et al., ICCV 2015, for ReLU: a factor of 2.4).
    Measured on 784-512-256-32: error below 0.03 after 4,200 pictures instead of 30,800; after two epochs 0.0065
    instead of 0.018.
    """
    model = build(network)
    layers = [m for m in model.modules() if isinstance(m, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)]
    mean = torch.from_numpy(learn.mean(0, dtype=np.float64) / 255).float().clamp(*DARKEST_LIGHTEST)  # (28, 28)
    answer = torch.logit(mean) if network.loss == "bce" else mean
    with torch.no_grad():
        for layer in layers:
            layer.weight.mul_(FIRST_GAIN)
            if layer.bias is not None:
                layer.bias.zero_()
        bias = layers[-1].bias
        assert bias is not None
        bias.copy_(answer.flatten() if bias.numel() == answer.numel() else answer.mean())
    return model


def evaluate(model: Any, data: pictures.Pictures, count: int | None = None) -> Tree:
    """Evaluate a model on the first test pictures: errors by class, the worst, a row of the table of methods."""
    test, labels = data.test[:count], data.labels[:count]
    truth = test / np.float32(255)
    rebuilt = rebuild(model, test)
    errors = squared_error(truth, rebuilt)
    worst = np.argsort(errors)[::-1][:WORST]
    quantizer = Quantizer.of(codes(model, data.train[: 5 * len(test[:JUDGED])]))
    rounded = decode(model, quantizer.quantise(codes(model, test[:JUDGED])))
    k = model.latent_dim
    name = f"Autoencoder, {k} numbers"
    return {
        "mse": float(errors.mean()), "count": len(errors),
        "by_class": [float(errors[labels == c].mean()) for c in range(10)],
        "worst": test[worst], "worst_rebuilt": as_bytes(rebuilt[worst]),
        "worst_labels": labels[worst].tolist(), "worst_errors": errors[worst].tolist(),
        "row": BudgetRow(name, k, k, quality(truth[:JUDGED], rounded), True).tree(),
    }  # fmt: skip


# ---------------------------------------------------------------------- arrays through a model
def as_tensor(images: NDArray[np.uint8]) -> Tensor:
    """``uint8 [N, 28, 28] -> float32 [N, 1, 28, 28]`` in 0..1."""
    return torch.from_numpy(images.astype(np.float32)).div_(255)[:, None]


def codes(model: Any, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """``uint8 [N, 28, 28] -> float32 [N, k]``."""
    return _through(model, model.encode, as_tensor(images))


def decode(model: Any, code: NDArray[np.float32]) -> NDArray[np.float32]:
    """``[N, k] -> [N, 28, 28]``: as pictures have no other values, cut to 0..1."""
    return _through(model, model.decode, torch.from_numpy(code))[:, 0].clip(0, 1)


def rebuild(model: Any, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Through the code and back: ``uint8 [N, 28, 28] -> float32 [N, 28, 28]``, cut to 0..1."""
    return _through(model, model, as_tensor(images))[:, 0].clip(0, 1)


def _through(model: Any, call: Any, x: Tensor) -> NDArray[np.float32]:
    training = model.training
    model.eval()
    with torch.inference_mode():
        out = torch.cat([call(part) for part in x.split(CHUNK)]).float().numpy()
    model.train(training)
    return out
