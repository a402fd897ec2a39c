"""The rows of a training set, and the losses that their batches give."""

from collections.abc import Iterator

import torch
from torch import Tensor

from aecore.errors import SettingError, TooFewRows

Data = Tensor | tuple[Tensor, ...]
RESIDENT = 2**31  # bytes; larger sets stay in main memory and go to a graphics processor batch by batch


class Rows:
    """Tensors of equal length that stay in memory as they are, on the device where they are used.

    A batch is gathered when its turn comes, not a shuffled copy once an epoch: the gathered rows are still in the
    processor's cache when the first layer reads them, and nothing is held twice.
    """

    def __init__(self, data: Data, on: torch.device) -> None:
        tensors = data if isinstance(data, tuple) else (data,)
        lengths = [len(t) for t in tensors]
        if len(set(lengths)) != 1:
            raise SettingError(f"all tensors must have the same length, got {lengths}")
        if lengths[0] < 1:
            raise TooFewRows("There is nothing to train on: the training set holds no rows.")
        fits = sum(t.nbytes for t in tensors) <= RESIDENT
        self._tensors = tuple(t.to(on) for t in tensors) if fits else tensors
        self._alone, self._device, self.count = isinstance(data, Tensor), on, lengths[0]

    def in_order(self, size: int) -> Iterator[Data]:
        """Batches of ``size`` rows as they stand; the last one may be shorter."""
        for start in range(0, self.count, size):
            yield self._batch(tuple(t[start : start + size] for t in self._tensors))

    def shuffle_batches(self, size: int, shuffle: torch.Generator) -> Iterator[Data]:
        """Batches of ``size`` rows in an order drawn on the CPU: the same on every device."""
        order = torch.randperm(self.count, generator=shuffle).to(self._tensors[0].device)
        for rows in order.split(size):
            yield self._batch(tuple(t.index_select(0, rows) for t in self._tensors))

    def _batch(self, tensors: tuple[Tensor, ...]) -> Data:
        there = tuple(t.to(self._device) for t in tensors)
        return there[0] if self._alone else there


class Means:
    """Running means of the losses, weighted by batch length.

    Losses wait as tensors until somebody asks: reading one waits for the device, which could be computing.
    """

    WAITING = 32  # batches; then they are read, to keep few of them

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._count = 0
        self._waiting: list[tuple[dict[str, Tensor], int]] = []

    def add(self, losses: dict[str, Tensor], batch: Data) -> None:
        """Take the losses of a batch."""
        rows = len(batch[0]) if isinstance(batch, tuple) else len(batch)
        self._waiting.append(({name: value.detach() for name, value in losses.items()}, rows))
        if len(self._waiting) >= self.WAITING:
            self._read()

    def values(self) -> dict[str, float]:
        """Means by name over all batches so far."""
        self._read()
        return {name: total / self._count for name, total in self._sums.items()}

    @property
    def total(self) -> float:
        """``total`` so far, as a sum: NaN or infinite as soon as one that was read is."""
        return self._sums.get("total", 0.0)

    def _read(self) -> None:
        if not self._waiting:
            return
        names = list(self._waiting[0][0])
        numbers = torch.stack([losses[name] for losses, _ in self._waiting for name in names]).tolist()
        for i, (_, rows) in enumerate(self._waiting):
            self._count += rows
            for name, number in zip(names, numbers[i * len(names) : (i + 1) * len(names)], strict=True):
                self._sums[name] = self._sums.get(name, 0.0) + number * rows
        self._waiting.clear()
