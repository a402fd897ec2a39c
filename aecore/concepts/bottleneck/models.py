"""Models that compress a signal to k numbers, for every k at once, in plain numpy: no torch on a page.

A model turns ``x`` [L] into a code of up to K numbers, the most useful one first, and rebuilds ``x`` from the first k
of them, for k = 0..K.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from aecore.errors import StoreError, TooFewRows
from aecore.numerics.pca import decompose

Array = NDArray[np.float32]
Layers = tuple[tuple[Array, Array], ...]  # (weights [out, in], biases [out]) of each


# Signals in a block: their units at every size (65 x 32 x 128 numbers) stay in a core's own cache.
BLOCK = 32
# numpy releases the interpreter lock; more than two cores hardly help.
_CORES = ThreadPoolExecutor(2, "bottleneck")


class SignalModel(Protocol):
    """What the figures ask of a model."""

    def frames(self, x: Array) -> Array:
        """Rebuild one signal [L] from its first 0..K code numbers: [K + 1, L]."""
        ...

    def errors(self, x: Array, sizes: Sequence[int]) -> NDArray[np.float64]:
        """Return the mean over signals [N, L] of the squared error, summed over samples, at each code size."""
        ...

    def waveforms(self) -> Array:
        """Draw what each code number adds: [K, L], of length 1 each."""
        ...


class LinearModel(NamedTuple):
    """A linear encoder and decoder: PCA, or a linear autoencoder, whose numbers were ordered while it was trained."""

    into: Array  # [K, L]
    offsets: Array  # [K]
    out: Array  # [K, L]
    mean: Array  # [L], its output for k = 0

    def encode(self, x: Array) -> Array:
        """Codes [..., K] of signals [..., L]."""
        return x @ self.into.T + self.offsets

    def frames(self, x: Array) -> Array:
        """Rebuild one signal [L] from its first 0..K code numbers: [K + 1, L]."""
        parts = self.encode(x)[:, None] * self.out  # (K, L)
        return np.cumsum(np.concatenate([self.mean[None], parts]), axis=0, dtype=np.float32)

    def errors(self, x: Array, sizes: Sequence[int]) -> NDArray[np.float64]:
        """Return the mean over signals [N, L] of the squared error, summed over samples, at each code size.

        |r - sum_i z_i d_i|^2 = |r|^2 - 2 sum_i z_i (d_i . r) + sum_ij z_i z_j (d_i . d_j), whose means over the signals
        are running sums of one vector and one matrix: no size needs a reconstruction.
        """
        rest, codes = (x - self.mean).astype(np.float64), self.encode(x).astype(np.float64)  # (N, L), (N, K)
        out = self.out.astype(np.float64)
        single = (codes * (rest @ out.T)).mean(0)  # (K,)
        double = (codes.T @ codes / len(x)) * (out @ out.T)  # (K, K)
        squares = np.array([double[:k, :k].sum() for k in range(len(out) + 1)])
        singles = np.concatenate([[0.0], np.cumsum(single)])
        errors = (rest**2).sum(1).mean() - 2 * singles + squares
        return np.maximum(errors, 0.0)[list(sizes)]

    def waveforms(self) -> Array:
        """Draw what each code number adds: [K, L], of length 1 each."""
        return _unit(self.out)


class FittedPca(NamedTuple):
    """Principal component analysis of a set of signals."""

    machine: LinearModel
    variances: NDArray[np.float64]  # [L], of all components, falling

    @classmethod
    def fit(cls, x: Array, largest: int) -> "FittedPca":
        """Fit to signals [N, L]; ``largest`` components are kept, fewer where the signals do not have as many."""
        if len(x) < 2:
            raise TooFewRows(f"PCA needs at least 2 signals, got {len(x)}; bring a longer recording.")
        found = decompose(x, precision=np.float32)
        mean = found.mean.astype(np.float32)
        components = np.ascontiguousarray(found.components[:largest], dtype=np.float32)  # (K, L)
        return cls(LinearModel(components, -components @ mean, components, mean), found.variances)


class NonlinearModel(NamedTuple):
    """A dense autoencoder with SiLU between its layers, x * sigmoid(x) (Elfwing et al., 2018)."""

    encoder: Layers
    decoder: Layers
    centre: Array  # [K], the mean code of what it was trained on
    spread: Array  # [K], its standard deviation

    def encode(self, x: Array) -> Array:
        """Codes [..., K] of signals [..., L]."""
        return _through(self.encoder, x)

    def decode(self, codes: Array, sizes: Sequence[int]) -> Array:
        """Rebuild from the first k numbers of each code [N, K], for each k of ``sizes``: [S, N, L]."""
        return _through(self.decoder[1:], _silu(self._entering(codes, sizes)))

    def _entering(self, codes: Array, sizes: Sequence[int]) -> Array:
        """Sum up what enters the decoder's first units, [S, N, H]: each code number adds its column to those before."""
        weights, biases = self.decoder[0]
        columns = np.ascontiguousarray(weights.T)  # (K, H)
        sums = np.empty((len(columns) + 1, len(codes), len(biases)), dtype=np.float32)  # (K + 1, N, H)
        sums[0] = biases
        for k, column in enumerate(columns):  # faster than a running sum over an inner axis
            np.multiply(codes[:, k, None], column, out=sums[k + 1])
            sums[k + 1] += sums[k]
        return sums if list(sizes) == list(range(len(sums))) else sums[list(sizes)]

    def frames(self, x: Array) -> Array:
        """Rebuild one signal [L] from its first 0..K code numbers: [K + 1, L]."""
        codes = self.encode(x[None])  # (1, K)
        return self.decode(codes, range(codes.shape[1] + 1))[:, 0]

    def errors(self, x: Array, sizes: Sequence[int]) -> NDArray[np.float64]:
        """Return the mean over signals [N, L] of the squared error, summed over samples, at each code size.

        The last layer draws in the space of its H columns, so what lies beyond them is lost at every size, and the rest
        is measured in H coordinates instead of L: half the work, and a control waits for it.
        """
        weights, biases = self.decoder[-1]  # (L, H), (L,)
        basis, triangle = np.linalg.qr(weights)  # (L, H), (H, H)
        wanted = x - biases
        within = wanted @ basis  # (N, H)
        beyond = (wanted**2).sum(1).mean() - (within**2).sum(1).mean()
        last = ((triangle, np.zeros(len(triangle), dtype=np.float32)),)
        codes = self.encode(x)

        def measure_block(start: int) -> NDArray[np.float64]:
            block = slice(start, start + BLOCK)
            entering = self._entering(codes[block], sizes)
            hidden = _silu(_through(self.decoder[1:-1], _silu(entering)) if len(self.decoder) > 2 else entering)
            rest = _through(last, hidden)  # (S, n, H)
            rest -= within[block]
            return np.einsum("snh,snh->s", rest, rest)

        total = sum(_CORES.map(measure_block, range(0, len(x), BLOCK)), np.zeros(len(sizes)))
        return total / len(x) + max(float(beyond), 0.0)

    def waveforms(self) -> Array:
        """Draw what each code number changes around the mean code: [K, L], of length 1 each.

        A nonlinear decoder has no basis; these are its directions at one place, and elsewhere it has others.
        """
        steps = np.diag(self.spread)  # (K, K)
        drawn = [self.decode(self.centre + step, [len(self.centre)])[0] for step in (steps, -steps)]  # (K, L) each
        return _unit(drawn[0] - drawn[1])


def affine_from(weights: dict[str, Any]) -> LinearModel:
    """Read a linear autoencoder from a model's weights by name."""
    (into, offsets), (out, mean) = _layers(weights, "encoder"), _layers(weights, "decoder")
    if len(into) != 1 or len(out) != 1:
        raise StoreError("This file does not hold a linear autoencoder; train it again.")
    return LinearModel(into[0], offsets[0], np.ascontiguousarray(out[0].T), mean[0])


def network_from(tree: dict[str, Any]) -> NonlinearModel:
    """Read a nonlinear autoencoder from ``{"weights", "centre", "spread"}``."""
    encoder, decoder = (
        tuple(zip(*_layers(tree["weights"], part), strict=True)) for part in ("encoder", "decoder")
    )  # fmt: skip
    return NonlinearModel(encoder, decoder, _single(tree["centre"]), _single(tree["spread"]))


def _layers(weights: dict[str, Any], part: str) -> tuple[list[Array], list[Array]]:
    """Weights and biases of a part's layers, in their order."""
    names = [name.removesuffix(".weight") for name in weights if name.startswith(part) and name.endswith(".weight")]
    names.sort(key=lambda name: int(name.rpartition(".")[2]))
    return [_single(weights[f"{n}.weight"]) for n in names], [_single(weights[f"{n}.bias"]) for n in names]


def _single(array: Any) -> Array:
    return np.asarray(array, dtype=np.float32)


def _through(layers: Layers, x: Array) -> Array:
    """Apply layers to [..., I]: one flat product each and no copy but its result, for a control waits for this."""
    flat = x.reshape(-1, x.shape[-1])
    for n, (weights, biases) in enumerate(layers):
        flat = (_silu(flat) if n else flat) @ weights.T
        flat += biases
    return flat.reshape(*x.shape[:-1], -1)


def _silu(x: Array) -> Array:
    """SiLU, x / (1 + exp(-x)); where that overflows, it is 0 as it should be."""
    with np.errstate(over="ignore"):
        gate = np.exp(-x)
    gate += 1
    return np.divide(x, gate, out=gate)


def _unit(rows: Array) -> Array:
    """Rows [n, L] at length 1; a row of zeros stays one."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(length > 0, length, 1), dtype=np.float32)
