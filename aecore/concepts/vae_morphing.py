"""VAE morphing: a plain autoencoder's latent plane and a VAE's under one pointer; numpy only, for the page.

Both planes are in *standard units* u. A VAE's prior is the standard normal, so u = z; a plain autoencoder's codes have
any scale, so they are moved and scaled to mean 0 and covariance 1, and that map is folded into its weights.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore import latent, store
from aecore.concepts.dense import Array, DenseNetwork
from aecore.data import digits
from aecore.data.shapes import ShapeFamily
from aecore.errors import SettingError

PLAIN, VAE = "Plain autoencoder", "VAE"
KINDS = ("shapes", "digits")
SPAN = 3.5  # standard units from the middle to the edge of a map: of a standard normal, one code in 1,000 lies beyond
EXAMPLES = 5  # of each kind, to start a walk from
PAPER, CONTRAST = 0.3, 1.8  # what enlarging blurs is made sharp again: with these, there is as much ink as in MNIST
ASSETS = Path(__file__).parents[2] / "assets" / "models"


class Map(NamedTuple):
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
    plain: Map
    vae: Map
    examples: Array  # [n, H, W], real data to start a walk from
    example_labels: NDArray[np.uint8]  # [n]
    reference: float  # distance to the nearest real datum beyond which a decoded one is implausible


class Encoded(NamedTuple):
    """What a network makes of pictures."""

    mu: Array  # [n, 2]
    sigma: Array  # [n, 2], zeros for the plain autoencoder
    reconstruction: Array  # [n, H, W]


class Walk(NamedTuple):
    """From one code to another, straight, spherical, and by fading the pictures into each other."""

    straight: Array  # [S, 2]
    spherical: Array  # [S, 2]
    straight_images: Array  # [S, H, W]
    spherical_images: Array
    crossfade: Array
    strangeness: Array | None  # [3, S], of the three rows: distance to the nearest real datum over the reference


def deepest_hole(plane: Map, span: float) -> tuple[float, float]:
    """Where, in the central mass, what is decoded lies farthest from every real datum."""
    places = np.linspace(-span, span, len(plane.holes))
    y, x = np.meshgrid(places, places, indexing="ij")
    central = x**2 + y**2 <= -2 * np.log(1 - latent.CENTRAL)  # in two dimensions, the quantile of the squared radius
    row, column = np.unravel_index(np.argmax(np.where(central, plane.holes, 0)), plane.holes.shape)
    return float(places[column]), float(places[row])


def shipped(kind: str) -> Morphing:
    """Read what ships; milliseconds and no torch."""
    if kind not in KINDS:
        raise SettingError(f"The data must be one of {', '.join(KINDS)}, got {kind!r}.")
    return from_tree(store.read(ASSETS / f"morphing_{kind}.safetensors"))


def from_tree(tree: dict[str, Any]) -> Morphing:
    """Read what `to_tree` wrote."""
    maps = [
        Map(
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


# ---------------------------------------------------------------------- real data
class Data(NamedTuple):
    """Pictures to learn from, others to judge by, and what their labels mean."""

    train: Array  # [N, H, W], 0..1
    train_labels: NDArray[np.uint8]
    test: Array  # [M, H, W]
    test_labels: NDArray[np.uint8]
    names: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        height, width = self.train.shape[1:]
        return height, width


SHAPES_TO_LEARN, SHAPES_TO_TEST = 600, 600
HELD_OUT = 3000  # enough for a 99th percentile, and MNIST's take a minute
LEARN_SEED, TEST_SEED = 1_000_000, 2_000_000


def shapes_data() -> Data:
    """Draw figures of six kinds."""
    family = ShapeFamily()
    train, test = family.draw(SHAPES_TO_LEARN, seed=LEARN_SEED), family.draw(SHAPES_TO_TEST, seed=TEST_SEED)
    return Data(train.images, train.labels, test.images, test.labels, family.kinds)


def digits_data() -> Data:
    """Return the digits that ship, 8 x 8, four fifths of them to learn from."""
    train, test = digits.split(seed=0)
    names = tuple(str(d) for d in range(10))
    return Data(train.images, train.labels.astype(np.uint8), test.images, test.labels.astype(np.uint8), names)


def examples_of(data: Data) -> tuple[Array, NDArray[np.uint8]]:
    """Take the first few held-out pictures of each kind, [n, H, W] and their labels [n]."""
    rows = np.concatenate([np.flatnonzero(data.test_labels == k)[:EXAMPLES] for k in range(len(data.names))])
    return data.test[rows], data.test_labels[rows]


def as_mnist(images: Array) -> Array:
    """Bring pictures [n, h, w] to 28 x 28 as MNIST was made: 20 x 20 inside, the centre of mass in the middle."""
    from scipy.ndimage import shift, zoom

    made = np.zeros((len(images), 28, 28), np.float32)
    for i, image in enumerate(images):
        ink = np.argwhere(image > 0.05)
        if not len(ink):
            continue
        (top, left), (bottom, right) = ink.min(0), ink.max(0) + 1
        cut = image[top:bottom, left:right]
        factor = 20 / max(cut.shape)
        inside = np.clip(zoom(cut, factor, order=1 if factor < 1 else 3, grid_mode=True, mode="grid-constant"), 0, 1)
        h, w = inside.shape
        made[i, 14 - h // 2 : 14 - h // 2 + h, 14 - w // 2 : 14 - w // 2 + w] = inside
        grid = np.indices((28, 28)) - 13.5
        off = (grid * made[i]).sum((1, 2)) / made[i].sum()
        made[i] = np.clip((shift(made[i], -off, order=1) - PAPER) * CONTRAST, 0, 1)
    return made


def resized(images: Array, shape: tuple[int, int]) -> Array:
    """Bring pictures [n, h, w] to another size, averaging where they shrink."""
    if images.shape[1:] == shape:
        return images
    rows, columns = (_averaging(old, new) for old, new in zip(images.shape[1:], shape, strict=True))
    return np.asarray(rows @ images @ columns.T, np.float32)


def _averaging(old: int, new: int) -> Array:
    """Matrix [new, old] that averages ``old`` pixels into ``new`` equal stretches."""
    edges = np.linspace(0, old, new + 1)
    pixels = np.arange(old)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    weights = np.maximum(overlap, 0)
    return np.asarray(weights / weights.sum(1, keepdims=True), np.float32)


# ---------------------------------------------------------------------- on the plane
def encode(plane: Map, images: Array) -> Encoded:
    """Encode pictures [n, h, w] of any size: mean, spread, and what is rebuilt from the mean."""
    shape = shape_of(plane)
    told = plane.encoder(resized(images, shape).reshape(len(images), -1))  # (n, 2) or (n, 4)
    mu = told[:, :2]
    sigma = np.exp(0.5 * told[:, 2:]) if told.shape[1] == 4 else np.zeros_like(mu)
    return Encoded(mu, sigma, decode(plane, mu))


def decode(plane: Map, codes: Array) -> Array:
    """Decode codes [n, 2]: [n, H, W]."""
    return plane.decoder(codes).reshape(len(codes), *shape_of(plane))


def grid(plane: Map, side: int) -> Array:
    """Decode side x side codes at equal steps of the prior's probability: [n, n, H, W], row 0 at the top."""
    return decode(plane, latent.quantile_grid(side)).reshape(side, side, *shape_of(plane))


def samples(plane: Map, count: int, seed: int) -> tuple[Array, Array]:
    """Codes [n, 2] drawn from the standard normal, and what is decoded there [n, H, W]."""
    codes = np.random.default_rng(seed).standard_normal((count, 2)).astype(np.float32)
    return codes, decode(plane, codes)


def walk(plane: Map, start: Array, end: Array, steps: int, reference: latent.Reference | None = None) -> Walk:
    """Walk from code to code [2]; with ``reference`` every picture on the way is held against the real data."""
    straight = latent.walk(start, end, steps)
    spherical = latent.walk(start, end, steps, spherical=True)
    rows = [decode(plane, straight), decode(plane, spherical)]
    t = np.linspace(0, 1, steps, dtype=np.float32)[:, None, None]
    rows.append(rows[0][0] * (1 - t) + rows[0][-1] * t)
    strangeness = None if reference is None else np.stack([reference.strangeness(flat(row)) for row in rows])
    return Walk(straight, spherical, rows[0], rows[1], rows[2], strangeness)


def shape_of(plane: Map) -> tuple[int, int]:
    """Height and width of the plane's pictures; all are square."""
    side = round(plane.decoder.outputs**0.5)
    return side, side


# ---------------------------------------------------------------------- standard units
def folded(encoder: DenseNetwork, decoder: DenseNetwork, codes: Array) -> tuple[DenseNetwork, DenseNetwork, Array]:
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


def references(data: Data) -> latent.Reference:
    """Real data and the distance beyond which nothing is one of them; seconds for large data."""
    return latent.Reference.fit(flat(data.train), flat(data.test[:HELD_OUT]))


def flat(images: Array) -> Array:
    """``[N, H, W] -> [N, H * W]``."""
    return images.reshape(len(images), -1)
