"""Dense networks in plain numpy: what a page runs under the pointer, and what it hands to the browser; no torch."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from aecore.errors import StoreError

Array = NDArray[np.float32]
Activation = Literal["relu", "silu", "tanh"]
Output = Literal["sigmoid", "identity"]


class DenseNetwork(NamedTuple):
    """Linear layers with an activation between them, none after the last but the output's own."""

    layers: tuple[tuple[Array, Array], ...]  # (weights [out, in], biases [out]) of each, float32
    activation: Activation = "relu"
    output: Output = "identity"

    @property
    def inputs(self) -> int:
        """Numbers that go in."""
        return self.layers[0][0].shape[1]

    @property
    def outputs(self) -> int:
        """Numbers that come out."""
        return len(self.layers[-1][1])

    def __call__(self, x: Array) -> Array:
        """``[N, inputs] -> [N, outputs]``, float32."""
        x = np.asarray(x, dtype=np.float32)
        activate = _ACTIVATIONS[self.activation]
        for n, (weights, biases) in enumerate(self.layers):
            x = (activate(x) if n else x) @ weights.T
            x += biases
        return _sigmoid(x) if self.output == "sigmoid" else x

    def to_tree(self, kind: type[np.floating[Any]] = np.float32) -> dict[str, Any]:
        """Plain values and arrays for the store; float16 halves the file."""
        layers = [{"weights": w.astype(kind), "biases": b.astype(kind)} for w, b in self.layers]
        return {"layers": layers, "activation": self.activation, "output": self.output}

    @classmethod
    def from_tree(cls, tree: dict[str, Any]) -> "DenseNetwork":
        """Read what `to_tree` wrote; raises StoreError where the layers do not follow upon one another."""
        try:
            layers = tuple((_single(layer["weights"]), _single(layer["biases"])) for layer in tree["layers"])
            network = cls(layers, tree["activation"], tree["output"])
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError("This file does not hold a dense network; train it again.") from error
        return _check_layers(network)


class DenseAutoencoder(NamedTuple):
    """An encoder [N, D] -> [N, d] (of a VAE: mean and log-variance [N, 2 d]) and its decoder [N, d] -> [N, D]."""

    encoder: DenseNetwork
    decoder: DenseNetwork

    def reconstruct(self, x: Array) -> Array:
        """``[N, D] -> [N, D]``, through the code."""
        return self.decoder(self.encoder(x))

    def to_tree(self) -> dict[str, Any]:
        """Plain values and arrays for the store, at half precision."""
        return {"encoder": self.encoder.to_tree(np.float16), "decoder": self.decoder.to_tree(np.float16)}

    @classmethod
    def from_tree(cls, tree: dict[str, Any]) -> Self:
        """Read what `to_tree` wrote; raises StoreError where a part is no dense network."""
        return cls(DenseNetwork.from_tree(tree["encoder"]), DenseNetwork.from_tree(tree["decoder"]))

    @classmethod
    def of_model(cls, model: dict[str, Any]) -> Self:
        """Return both parts of a model's tree (`aecore.models.to_tree`)."""
        return cls(encoder_of(model), decoder_of(model))


def encoder_of(model: dict[str, Any]) -> DenseNetwork:
    """Return the encoder of a model's tree (`aecore.models.to_tree`): codes, or mean and log-variance of a VAE."""
    return _part(model, "encoder", "identity")


def decoder_of(model: dict[str, Any]) -> DenseNetwork:
    """Return the decoder of a model's tree, in the data's range."""
    bernoulli = model["config"].get("reconstruction") == "bce"
    return _part(model, "decoder", "sigmoid" if bernoulli else "identity")


def _part(model: dict[str, Any], part: str, output: Output) -> DenseNetwork:
    weights = model["weights"]
    names = [n.removesuffix(".weight") for n in weights if n.startswith(f"{part}.") and n.endswith(".weight")]
    names.sort(key=lambda name: [int(number) for number in name.split(".")[1:]])
    layers = tuple((_single(weights[f"{n}.weight"]), _single(weights[f"{n}.bias"])) for n in names)
    return _check_layers(DenseNetwork(layers, model["config"]["activation"], output))


def _check_layers(network: DenseNetwork) -> DenseNetwork:
    width = network.layers[0][0].shape[-1] if network.layers else 0
    for weights, biases in network.layers:
        if weights.ndim != 2 or weights.shape[1] != width or biases.shape != (len(weights),):
            raise StoreError(
                f"A layer of weights {weights.shape} and biases {biases.shape} does not take {width} numbers."
            )
        width = len(biases)
    if not width or network.activation not in _ACTIVATIONS or network.output not in ("sigmoid", "identity"):
        raise StoreError(f"No dense network has {network.activation!r} and then {network.output!r}; train it again.")
    return network


def _single(array: Any) -> Array:
    return np.ascontiguousarray(array, dtype=np.float32)


def _sigmoid(x: Array) -> Array:
    """Logistic function as (1 + tanh(x / 2)) / 2, which cannot overflow; in place."""
    x *= np.float32(0.5)
    np.tanh(x, out=x)
    x += 1
    x *= np.float32(0.5)
    return x


def _silu(x: Array) -> Array:
    """``x * sigmoid(x)`` (Elfwing et al., 2018)."""
    return x * _sigmoid(x.copy())


def _relu(x: Array) -> Array:
    return np.maximum(x, 0)


_ACTIVATIONS: dict[str, Callable[[Array], Array]] = {"relu": _relu, "silu": _silu, "tanh": np.tanh}
