"""VAE morphing: a plain autoencoder's latent plane and a VAE's under one pointer; numpy only, for the page.

Both planes are in *standard units* u. A VAE's prior is the standard normal, so u = z; a plain autoencoder's codes have
any scale, so they are moved and scaled to mean 0 and covariance 1, and that map is folded into its weights.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore import latent, store
from aecore.concepts.vae_morphing.pictures import KINDS, resize
from aecore.errors import SettingError
from aecore.numerics.dense import Array, DenseNetwork
from aecore.paths import MODELS

PLAIN, VAE = "Plain autoencoder", "VAE"
# Standard units from the middle to the edge of a map; one code in 1,000 of a standard normal lies beyond.
SPAN = 3.5


class LatentPlane(NamedTuple):
    """One network's latent plane, in standard units."""

    name: str  # "Plain autoencoder" or "VAE"
    encoder: DenseNetwork  # [N, H * W] -> [N, 2], or mean and log-variance [N, 4] of a VAE
    decoder: DenseNetwork  # [N, 2] -> [N, H * W] in 0..1
    codes: Array  # [N, 2]
    labels: NDArray[np.uint8]  # [N]
    holes: Array  # [G, G], distance to the nearest real datum over the reference; row 0 at y = -span; > 1: a hole
    hole_share: float  # of the central mass
    reconstruction: float  # nats a datum, on held-out data, by the code's mean
    kl: float  # nats a datum; 0 for the plain autoencoder


class Morphing(NamedTuple):
    """Both networks on the same data."""

    shape: tuple[int, int]
    names: tuple[str, ...]  # of the labels
    span: float
    plain: LatentPlane
    vae: LatentPlane
    examples: Array  # [n, H, W], real data to start a walk from
    example_labels: NDArray[np.uint8]  # [n]
    reference: float  # distance to the nearest real datum beyond which a decoded one is implausible


class Encoded(NamedTuple):
    """What a network makes of pictures."""

    mu: Array  # [n, 2]
    sigma: Array  # [n, 2], zeros for the plain autoencoder
    reconstruction: Array  # [n, H, W]


class Walk(NamedTuple):
    """From one code to another, along a straight and a spherical path."""

    straight: Array  # [S, 2]
    spherical: Array  # [S, 2]
    straight_images: Array  # [S, H, W]
    spherical_images: Array


def deepest_hole(plane: LatentPlane, span: float) -> tuple[float, float]:
    """Where, in the central mass, what is decoded lies farthest from every real datum."""
    places = np.linspace(-span, span, len(plane.holes))
    y, x = np.meshgrid(places, places, indexing="ij")
    central = x**2 + y**2 <= -2 * np.log(1 - latent.CENTRAL)  # in two dimensions, the quantile of the squared radius
    row, column = np.unravel_index(np.argmax(np.where(central, plane.holes, 0)), plane.holes.shape)
    return float(places[column]), float(places[row])


def distance_to_data(plane: LatentPlane, codes: Array, span: float) -> Array:
    """Return how far from the nearest real datum a map decodes codes [n, 2], over the limit of a hole: [n].

    The values lie between those of the hole map's nearest four nodes, bilinearly; beyond ``span`` its edge counts.
    """
    last = len(plane.holes) - 1
    places = np.clip((codes + span) / (2 * span), 0, 1) * last
    low = np.minimum(places.astype(int), last - 1)
    (x, y), (i, j) = (places - low).T, low.T
    holes = plane.holes
    below = holes[j, i] * (1 - x) + holes[j, i + 1] * x
    distances: Array = below * (1 - y) + (holes[j + 1, i] * (1 - x) + holes[j + 1, i + 1] * x) * y
    return distances


def load_pretrained(kind: str) -> Morphing:
    """Read what ships; milliseconds and no torch."""
    if kind not in KINDS:
        raise SettingError(f"The data must be one of {', '.join(KINDS)}, got {kind!r}.")
    return from_tree(store.read(MODELS / f"morphing_{kind}.safetensors"))


def from_tree(tree: dict[str, Any]) -> Morphing:
    """Read what `to_tree` wrote."""
    maps = [
        LatentPlane(
            part["name"], DenseNetwork.from_tree(part["encoder"]), DenseNetwork.from_tree(part["decoder"]),
            part["codes"].astype(np.float32), part["labels"], part["holes"].astype(np.float32),
            part["hole_share"], part["reconstruction"], part["kl"],
        )
        for part in tree["maps"]
    ]  # fmt: skip
    height, width = tree["shape"]
    examples = tree["examples"].astype(np.float32) / np.float32(255)
    return Morphing(
        (height, width), tuple(tree["names"]), tree["span"], maps[0], maps[1],
        examples, tree["example_labels"], tree["reference"],
    )  # fmt: skip


def to_tree(made: Morphing) -> dict[str, Any]:
    """Plain values and arrays; weights, codes and hole maps at half precision."""
    half = np.float16
    maps = [
        m._asdict() | {
            "encoder": m.encoder.to_tree(half), "decoder": m.decoder.to_tree(half),
            "codes": m.codes.astype(half), "holes": m.holes.astype(half),
        }
        for m in (made.plain, made.vae)
    ]  # fmt: skip
    rest = made._asdict()
    del rest["plain"], rest["vae"]
    return rest | {"maps": maps, "examples": np.rint(made.examples * 255).astype(np.uint8)}


# ---------------------------------------------------------------------- on the plane
def encode(plane: LatentPlane, images: Array) -> Encoded:
    """Encode pictures [n, h, w] of any size: mean, spread, and what is rebuilt from the mean."""
    shape = shape_of(plane)
    encoded = plane.encoder(resize(images, shape).reshape(len(images), -1))  # (n, 2) or (n, 4)
    mu = encoded[:, :2]
    sigma = np.exp(0.5 * encoded[:, 2:]) if encoded.shape[1] == 4 else np.zeros_like(mu)
    return Encoded(mu, sigma, decode(plane, mu))


def decode(plane: LatentPlane, codes: Array) -> Array:
    """Decode codes [n, 2]: [n, H, W]."""
    return plane.decoder(codes).reshape(len(codes), *shape_of(plane))


def grid(plane: LatentPlane, side: int) -> Array:
    """Decode side x side codes at equal steps of the prior's probability: [n, n, H, W], row 0 at the top."""
    return decode(plane, latent.quantile_grid(side)).reshape(side, side, *shape_of(plane))


def samples(plane: LatentPlane, count: int, seed: int) -> tuple[Array, Array]:
    """Codes [n, 2] drawn from the standard normal, and what is decoded there [n, H, W]."""
    codes = np.random.default_rng(seed).standard_normal((count, 2)).astype(np.float32)
    return codes, decode(plane, codes)


def walk(plane: LatentPlane, start: Array, end: Array, steps: int) -> Walk:
    """Walk from code to code [2] and decode every step."""
    straight, spherical = (latent.walk(start, end, steps, spherical=on_sphere) for on_sphere in (False, True))
    return Walk(straight, spherical, decode(plane, straight), decode(plane, spherical))


def shape_of(plane: LatentPlane) -> tuple[int, int]:
    """Height and width of the plane's pictures; all are square."""
    side = round(plane.decoder.outputs**0.5)
    return side, side


# ---------------------------------------------------------------------- standard units
def fold_whitening(
    encoder: DenseNetwork, decoder: DenseNetwork, codes: Array
) -> tuple[DenseNetwork, DenseNetwork, Array]:
    """Fold into the weights what brings codes [N, d] to mean 0 and covariance 1; those codes come back too."""
    white = latent.Whitening.fit(codes)
    weights, biases = encoder.layers[-1]
    last = (white.into @ weights, white.into @ (biases - white.mean))
    weights, biases = decoder.layers[0]
    first = (weights @ white.back, biases + weights @ white.mean)
    return (
        encoder._replace(layers=(*encoder.layers[:-1], last)),
        decoder._replace(layers=(first, *decoder.layers[1:])),
        np.asarray((codes - white.mean) @ white.into, np.float32),
    )
