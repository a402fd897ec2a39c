"""Every kind of autoencoder on the same digits: what sets each apart, what was measured, and the networks that ship."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore import latent, store
from aecore.data.datasets import mnist
from aecore.errors import SettingError
from aecore.numerics.dense import Array, DenseNetwork
from aecore.paths import MODELS

ASSET = MODELS / "variants.safetensors"
PCA = "PCA"
HIDDEN = (128,)
# Latent size of a bottleneck, and of a sparse code.
NARROW, MANY = 16, 64
SEEDS = 5
# Corruptions that every network is tested on: Gaussian noise on values of 0..1, and a share set to zero.
NOISE, MASKED = 0.3, 0.3
SOURCES = {"digits": (8, 8), "mnist": (28, 28)}


class Variant(NamedTuple):
    """One variant: its network, and what its training adds; ``id`` is its name in links and its text's section.

    ``code`` and ``penalty`` are names of `aecore.models`; ``weights`` are the strengths that ship trained, from none
    on; ``weight`` the one in the table; ``knob`` what it is called.
    """

    name: str
    id: str
    size: int = NARROW
    code: str | None = None
    penalty: str | None = None
    knob: str = ""
    weights: tuple[float, ...] = ()
    weight: float = 0.0

    @property
    def varies(self) -> bool:
        """Whether it has a strength to turn."""
        return bool(self.weights)


PLAIN, CONVOLUTIONAL, VAE, BETA, CONDITIONAL = "Undercomplete", "Convolutional", "VAE", "β-VAE", "Conditional VAE"
L1, KL, TOP = "Sparse: L1", "Sparse: KL", "Sparse: top-k"
CONTRACTIVE, GAUSSIAN, MASKING = "Contractive", "Denoising: Gaussian", "Denoising: masking"
BETAS = (0.0, 0.1, 0.3, 1.0, 2.0, 4.0)
KINDS = {
    kind.name: kind
    for kind in (
        Variant(PLAIN, "undercomplete", knob="numbers in the code", weights=(2, 4, 8, 16, 32), weight=NARROW),
        Variant(L1, "l1", MANY, "relu", "l1", "λ", (0.0, 0.03, 0.1, 0.3, 0.6), 0.1),
        Variant(KL, "kl", MANY, "sigmoid", "kl", "λ", (0.0, 0.1, 0.3, 1.0, 3.0), 0.3),
        Variant(TOP, "topk", MANY, "top", None, "units kept", (64, 16, 8, 4, 2), 8),
        Variant(CONTRACTIVE, "contractive", NARROW, None, "contraction", "λ", (0.0, 0.01, 0.03, 0.1, 1.0), 0.03),
        Variant(GAUSSIAN, "gaussian", NARROW, None, "gaussian", "σ", (0.0, 0.1, 0.3, 0.5, 0.8), NOISE),
        Variant(MASKING, "masking", NARROW, None, "masking", "share masked", (0.0, 0.1, 0.3, 0.5, 0.7), MASKED),
        Variant(CONVOLUTIONAL, "convolutional"),
        Variant(VAE, "vae", NARROW, None, "beta", "β", BETAS, 1.0),
        Variant(BETA, "beta", NARROW, None, "beta", "β", BETAS, 2.0),
        Variant(CONDITIONAL, "conditional", NARROW, None, "beta", "β", BETAS, 1.0),
    )
}
NAMES = (PCA, *KINDS)
# In the order of the links' numbered settings: a new one comes last.
IDS = {variant.id: variant.name for variant in KINDS.values()}
VARIATIONAL = (VAE, BETA, CONDITIONAL)


@dataclass(frozen=True, kw_only=True)
class VariantSettings:
    """What is trained: a kind, the strength of what sets it apart (None: the table's), and the budget."""

    kind: str = PLAIN
    weight: float | None = None
    epochs: int = 40
    seed: int = 0
    source: str = "digits"
    strength: float = field(init=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SettingError(f"kind must be one of {', '.join(KINDS)}, got {self.kind!r}")
        if self.source not in SOURCES:
            raise SettingError(f"source must be one of {', '.join(SOURCES)}, got {self.source!r}")
        if not 1 <= self.epochs <= 100:
            raise SettingError(f"epochs must be in 1..100, got {self.epochs}; choose some inside.")
        kind = KINDS[self.kind]
        weight = kind.weight if self.weight is None else self.weight
        low, high = (min(kind.weights), max(kind.weights)) if kind.varies else (0.0, 0.0)
        if not low <= weight <= high:
            raise SettingError(f"{kind.knob or 'the weight'} must be in {low:g}..{high:g}, got {weight:g}")
        object.__setattr__(self, "strength", float(weight))

    @property
    def size(self) -> int:
        """Latent size."""
        return int(self.strength) if self.kind == PLAIN else KINDS[self.kind].size


def available(source: str) -> bool:
    """Whether a source's pictures are on this machine."""
    return source != "mnist" or mnist.present()


# ---------------------------------------------------------------------- a network without torch
class VariantNetwork(NamedTuple):
    """A trained variant in plain numpy; ``told`` is the number of classes that it is conditioned on (0: none)."""

    encoder: DenseNetwork | latent.Principal
    decoder: DenseNetwork | latent.Principal
    size: int
    code: str | None = None
    keep: int = 0
    told: int = 0

    def encode(self, x: Array, labels: NDArray[np.integer[Any]] | None = None) -> Array:
        """``[N, 64] -> [N, size]``; the mean, for the variational ones."""
        if isinstance(self.encoder, latent.Principal):
            return self.encoder.encode(x)
        return self.constrain(self.encoder(self._with(x, labels))[:, : self.size])

    def decode(self, z: Array, labels: NDArray[np.integer[Any]] | None = None) -> Array:
        """``[N, size] -> [N, 64]``."""
        if isinstance(self.decoder, latent.Principal):
            return self.decoder.decode(z)
        return self.decoder(self._with(z, labels))

    @property
    def variational(self) -> bool:
        """Whether the encoder gives a variance with each mean."""
        return isinstance(self.encoder, DenseNetwork) and self.encoder.outputs == 2 * self.size

    def constrain(self, z: Array) -> Array:
        """Bring codes [N, size] to what this network's code can be: positive, in 0..1, or few at once."""
        if self.code == "sigmoid":
            return np.asarray(1 / (1 + np.exp(-z)), np.float32)
        return self.clip_codes(z)

    def clip_codes(self, z: Array) -> Array:
        """Cut codes [N, size] that were drawn to those that this network could have made itself."""
        if self.code == "relu":
            return np.maximum(z, 0)
        if self.code == "sigmoid":
            return np.clip(z, 0, 1)
        if self.code == "top":
            return np.where(z >= np.sort(z, 1)[:, -self.keep, None], z, 0)
        return z

    def _with(self, x: Array, labels: NDArray[np.integer[Any]] | None) -> Array:
        if not self.told:
            return x
        if labels is None:
            raise SettingError("This network must be told which digit each picture shows.")
        return np.concatenate([x, np.eye(self.told, dtype=np.float32)[labels]], 1)

    def to_tree(self, kind: type[np.floating[Any]] = np.float16) -> dict[str, Any]:
        """Plain values and arrays for the store."""
        if isinstance(self.encoder, latent.Principal):
            return {name: part.astype(kind) for name, part in self.encoder._asdict().items()}
        assert isinstance(self.decoder, DenseNetwork)
        rest = {"size": self.size, "code": self.code, "keep": self.keep, "told": self.told}
        return {"encoder": self.encoder.to_tree(kind), "decoder": self.decoder.to_tree(kind), **rest}

    @classmethod
    def from_tree(cls, tree: dict[str, Any]) -> "VariantNetwork":
        """Read what `to_tree` wrote."""
        if "components" in tree:
            pca = latent.Principal(tree["mean"].astype(np.float32), tree["components"].astype(np.float32))
            return cls(pca, pca, len(pca.components))
        rest = {name: tree[name] for name in ("size", "code", "keep", "told")}
        return cls(DenseNetwork.from_tree(tree["encoder"]), DenseNetwork.from_tree(tree["decoder"]), **rest)


# ---------------------------------------------------------------------- what ships
class VariantPictures(NamedTuple):
    """One trained network's pictures, uint8 with 255 being ink."""

    rebuilt: NDArray[np.uint8]  # [3, 10, H, W]: the ten clean, with noise, masked
    samples: NDArray[np.uint8]  # [20, H, W]: decoded from drawn codes
    exciting: NDArray[np.uint8]  # [U, H, W]: mean of the ten digits that excite each unit most
    written: NDArray[np.uint8]  # [U, H, W]: the ink that each unit adds as it rises


class StrengthSweep(NamedTuple):
    """One variant at every strength that ships."""

    weights: tuple[float, ...]
    shown: list[VariantPictures]
    rows: list[dict[str, Any]]  # what was measured, of one seed


class Results(NamedTuple):
    """All that the page opens with."""

    rows: list[dict[str, Any]]  # one a variant and seed: see `measure.MEASURES`
    floor: float  # Fréchet distance between two halves of real digits: nothing can be expected below
    inputs: NDArray[np.uint8]  # [3, 10, 8, 8]: clean, with noise, masked
    shown: dict[str, VariantPictures]  # of seed 0
    sweeps: dict[str, StrengthSweep]
    networks: dict[str, VariantNetwork]
    classifier: DenseNetwork  # [N, 64] -> features and then ten logits: see `measure.features`
    accuracy: float  # of the classifier on test digits


def load_pretrained() -> Results:
    """Read what ships."""
    tree = store.read(ASSET)
    sweeps = {
        name: StrengthSweep(tuple(s["weights"]), [VariantPictures(**one) for one in s["shown"]], s["rows"])
        for name, s in tree["sweeps"].items()
    }
    sweeps[BETA] = sweeps[VAE]
    shown = {name: VariantPictures(**pictures) for name, pictures in tree["shown"].items()}
    return Results(
        tree["rows"], tree["floor"], tree["inputs"], shown, sweeps,
        {name: VariantNetwork.from_tree(n) for name, n in tree["networks"].items()},
        DenseNetwork.from_tree(tree["classifier"]), tree["accuracy"],
    )  # fmt: skip
