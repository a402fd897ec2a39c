"""What a training holds between its steps: weights, moments, the best so far; and what it says of itself."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from aecore.errors import StoreError, TrainingDiverged
from aecore.training import hardware
from aecore.training.rows import Data, Means, Rows

State = dict[str, Any]


class Report(NamedTuple):
    """Where the training stands.

    ``number`` counts epochs from 1; ``losses`` are means over this epoch so far; ``validation`` has the same names and
    is None until the epoch ends; ``seconds`` are of this epoch, so far; ``progress`` is the share of all work done.
    ``hardware`` names the device and the precision of matrix products: ``"cpu, float32"``.
    """

    number: int
    losses: dict[str, float]
    validation: dict[str, float] | None
    seconds: float
    progress: float
    finished: bool
    checkpoint: Callable[[], State]
    hardware: str


def score(model: Any, rows: Rows, batch_size: int, seed: int) -> dict[str, float]:
    """Mean losses of ``model`` over ``rows``, in float32 and with seeded noise; its weights stay as they are."""
    means, was_training = Means(), model.training
    _seed_noise(model, seed)
    model.eval()
    with torch.inference_mode():
        for batch in rows.in_order(batch_size):
            means.add(model.losses(batch), batch)
    model.train(was_training)
    return means.values()


class TrainingState:
    """Weights, optimizer and the best so far: all that a checkpoint must hold.

    ``owned`` is the model of whoever trains; ``model`` the one that is trained, the same or a copy on a GPU.
    """

    def __init__(self, owned: Any, device: torch.device, *, learning_rate: float, seed: int) -> None:
        self.owned, self.model, self.device, self.seed = owned, hardware.place(owned, device), device, seed
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.Adam(self.parameters, lr=learning_rate, fused=True)
        self.epoch, self.waited, self.best_loss, self.dtype = 0, 0, math.inf, torch.float32
        self.good, self.moments = self._weights(), self._adam()
        self.best: dict[str, Tensor] | None = None

    def _weights(self) -> dict[str, Tensor]:
        return {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}

    def _adam(self) -> list[dict[str, Tensor]]:
        return [{k: v.clone() for k, v in self.optimizer.state.get(p, {}).items()} for p in self.parameters]

    def choose_precision(self, setting: str, batch: Data) -> None:
        """Decide what the layers compute in; ``batch`` is one like those to come."""
        self.dtype = hardware.precision(setting, self.model, batch)

    def begin(self, number: int) -> torch.Generator:
        """Seed the noise of epoch ``number`` and return the generator of its shuffle."""
        self.model.train()
        _seed_noise(self.model, _epoch_seed(self.seed, number))
        return torch.Generator().manual_seed(_epoch_seed(self.seed, number))

    def step(self, batch: Data, means: Means, rate: float) -> None:
        """Go down the gradient of one batch's loss."""
        with hardware.computing_in(self.dtype):
            losses = self.model.losses(batch)
        self.optimizer.zero_grad(set_to_none=True)
        losses["total"].backward()
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        means.add(losses, batch)
        self._must_be_finite(means.total)

    def report(
        self, number: int, means: Means, scores: dict[str, float] | None, seconds: float, progress: float
    ) -> Report:
        """Say where the training stands, and give the owner its weights."""
        losses = means.values()
        self._must_be_finite(losses["total"])
        self._share()
        finished = self.epoch == number
        name = f"{self.device.type}, {str(self.dtype).removeprefix('torch.')}"
        return Report(number, losses, scores, seconds, progress, finished, self.state, name)

    def end(self, number: int, means: Means, scores: dict[str, float] | None, *, keep_best: bool) -> None:
        """Take the epoch's weights as good, where its losses are, and as the best, where they beat those before."""
        self._must_be_finite(means.values()["total"])
        loss = (scores or means.values())["total"]
        self._must_be_finite(loss)
        self.epoch, self.good, self.moments = number, self._weights(), self._adam()
        self.waited = 0 if loss < self.best_loss else self.waited + 1
        if keep_best and loss < self.best_loss:
            self.best = self.good
        self.best_loss = min(loss, self.best_loss)

    def return_to_best(self) -> None:
        """Finish with the best weights, or the last where none were kept."""
        self.model.load_state_dict(self.best or self.good)
        self._share()
        hardware.restore_layout(self.owned)
        self.owned.eval()

    def _share(self) -> None:
        if self.owned is not self.model:
            self.owned.load_state_dict(self.model.state_dict())

    def _must_be_finite(self, loss: float) -> None:
        if math.isfinite(loss):
            return
        self.owned.load_state_dict(self.good)
        raise TrainingDiverged(
            f"The loss became {loss} in epoch {self.epoch + 1}, so training stopped and kept the weights from before "
            f"it; a smaller learning rate or scaled data usually help."
        )

    def state(self) -> State:
        """All that a resumed run needs, as of the end of the last whole epoch; plain values and arrays."""
        return {
            "epoch": self.epoch,
            "waited": self.waited,
            "best_loss": self.best_loss,
            "precision": str(self.dtype).removeprefix("torch."),
            "weights": _arrays(self.good),
            "best": _arrays(self.best) if self.best else None,
            "moments": [_arrays(m) for m in self.moments],
        }

    def restore(self, state: State) -> None:
        """Go on from :meth:`state`; raises StoreError where it is another model's."""
        try:
            self.epoch, self.waited, self.best_loss = state["epoch"], state["waited"], state["best_loss"]
            self.dtype = getattr(torch, state.get("precision", "float32"))
            self.good = _tensors(state["weights"])
            self.best = _tensors(state["best"]) if state["best"] else None
            self.model.load_state_dict(self.good)
            for parameter, moments in zip(self.parameters, state["moments"], strict=True):
                self.optimizer.state[parameter] = _tensors(moments, parameter.device)
            self.moments = self._adam()
        except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise StoreError("This checkpoint does not belong to this model; start the training afresh.") from error


def _epoch_seed(seed: int, number: int) -> int:
    return int(np.random.SeedSequence((seed, number)).generate_state(1, np.uint64)[0] >> 1)


def _seed_noise(model: Any, seed: int) -> None:
    if isinstance(noise := getattr(model, "noise", None), torch.Generator):
        noise.manual_seed(seed)


def _arrays(tensors: dict[str, Tensor]) -> dict[str, np.ndarray[Any, Any]]:
    return {name: tensor.detach().cpu().contiguous().numpy() for name, tensor in tensors.items()}


def _tensors(arrays: dict[str, np.ndarray[Any, Any]], device: torch.device | None = None) -> dict[str, Tensor]:
    return {name: torch.from_numpy(np.array(array)).to(device) for name, array in arrays.items()}
