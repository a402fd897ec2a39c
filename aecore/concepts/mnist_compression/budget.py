"""The same bytes spent otherwise: principal components, JPEG and WebP, measured as the autoencoder is.

A code of k numbers is kept as k bytes: each number in 256 steps between the least and the greatest that it took on the
training pictures. What both sides share once and for all (decoder, components, those limits) is not counted, and
neither are JPEG's and WebP's headers where a row says so.
"""

import io
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aecore.concepts.mnist_compression.quality import PictureQuality, quality
from aecore.data.readers.pictures import FORMATS
from aecore.numerics.pca import Principal

STEPS = 255  # of one byte
JUDGED = 2_000  # test pictures behind every row
TRIED = 100  # pictures on which a codec's setting is chosen
LOWEST, HIGHEST = 1, 95  # quality settings of JPEG and WebP (Pillow takes JPEG's 0 for its default)
SCAN, END = b"\xff\xda", b"\xff\xd9"  # JPEG's markers around the coded picture
CONTAINER, FRAME_HEADER = 20, 10  # bytes of RIFF and of its one chunk's header; of a VP8 key frame's (RFC 6386, 9.1)

Pictures = NDArray[np.float32]
Tree = dict[str, Any]


class Quantizer(NamedTuple):
    """Codes to bytes and back; ``low`` and ``high`` [k] are the limits of each number."""

    low: NDArray[np.float32]
    high: NDArray[np.float32]

    @classmethod
    def of(cls, codes: NDArray[np.float32]) -> "Quantizer":
        """Take the limits of codes [N, k]."""
        return cls(codes.min(0), codes.max(0))

    def quantise(self, codes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return codes [N, k] as they come back from one byte a number."""
        step = np.maximum(self.high - self.low, np.float32(1e-12)) / np.float32(STEPS)
        return (np.rint((np.clip(codes, self.low, self.high) - self.low) / step) * step + self.low).astype(np.float32)


def fit_pca(pictures: NDArray[np.uint8]) -> Principal:
    """Fit all components to pictures [N, H, W] in 0..255, in single precision however many they are."""
    flat = as_pixels(pictures.reshape(len(pictures), -1))
    return Principal.fit(flat, flat.shape[1], precision=np.float32)


def rebuild(pca: Principal, x: Pictures, quantizer: Quantizer | None = None) -> Pictures:
    """Rebuild pictures [N, H, W] in 0..1 from their components, each rounded to a byte by a ``quantizer``."""
    codes = pca.encode(x.reshape(len(x), -1))
    rebuilt = pca.decode(quantizer.quantise(codes) if quantizer else codes)
    return np.clip(rebuilt, 0, 1).reshape(x.shape)


class BudgetRow(NamedTuple):
    """One way to spend the bytes: ``whole`` is the file's mean size, ``payload`` without its headers."""

    method: str
    payload: float
    whole: float
    quality: PictureQuality
    fits: bool  # False where even the lowest setting takes more bytes than the budget

    def tree(self) -> Tree:
        """Return it as a plain tree."""
        return self._asdict() | {"quality": self.quality._asdict()}

    @classmethod
    def from_tree(cls, tree: Tree) -> "BudgetRow":
        """Read what `tree` gave."""
        return cls(**(tree | {"quality": PictureQuality(**tree["quality"])}))


class Codec(NamedTuple):
    """A picture format and which of its bytes are the picture."""

    name: str
    options: Tree
    payload: Callable[[bytes], int]

    def encode(self, picture: NDArray[np.uint8], setting: int) -> bytes:
        """One picture [H, W] as a file."""
        file = io.BytesIO()
        Image.fromarray(picture).save(file, self.name, quality=setting, **self.options)
        return file.getvalue()


def jpeg_payload(file: bytes) -> int:
    """Bytes of the coded picture: those between the start of scan's header and the end marker."""
    scan = file.index(SCAN) + 2
    (header,) = struct.unpack(">H", file[scan : scan + 2])
    return file.rindex(END) - (scan + header)


def webp_payload(file: bytes) -> int:
    """Bytes of the coded picture: all but the container's and the frame's headers."""
    return max(len(file) - CONTAINER - FRAME_HEADER, 0)


CODECS = (
    Codec("JPEG", {"optimize": True}, jpeg_payload),
    Codec("WebP", {"method": 6}, webp_payload),
)  # fmt: skip


def encode_pictures(codec: Codec, pictures: NDArray[np.uint8], setting: int) -> tuple[Pictures, float, float]:
    """Encode and decode: rebuilt [N, H, W] in 0..1, mean bytes of the payload and of the whole file."""
    files = [codec.encode(picture, setting) for picture in pictures]
    rebuilt = [
        np.asarray(Image.open(io.BytesIO(file), formats=FORMATS).convert("L"), np.float32) / 255 for file in files
    ]
    sizes = [codec.payload(file) for file in files], [len(file) for file in files]
    return np.stack(rebuilt), float(np.mean(sizes[0])), float(np.mean(sizes[1]))


def best_setting(codec: Codec, pictures: NDArray[np.uint8], budget: int, *, whole: bool) -> int:
    """Highest quality setting whose mean size keeps to ``budget`` bytes; the lowest where none does."""
    low, high = LOWEST, HIGHEST
    while low < high:  # sizes rise with the setting
        middle = (low + high + 1) // 2
        _, payload, file = encode_pictures(codec, pictures, middle)
        low, high = (middle, high) if (file if whole else payload) <= budget else (low, middle - 1)
    return low


class Compared(NamedTuple):
    """Rows of the table, and what each method makes of the ten pictures on screen: uint8 [10, 28, 28] by method."""

    rows: list[BudgetRow]
    shown: dict[str, NDArray[np.uint8]]


def compare(
    k: int, pca: Principal, train: NDArray[np.uint8], test: NDArray[np.uint8], shown: NDArray[np.uint8]
) -> Compared:
    """Spend k bytes a picture by PCA, JPEG and WebP, judged on the first test pictures [N, 28, 28]."""
    test = test[:JUDGED]
    x, ten = as_pixels(test), as_pixels(shown)
    pca, tenth = pca.keep(k), as_pixels(train[::10])  # a tenth shows the limits
    quantizer = Quantizer.of(pca.encode(tenth.reshape(len(tenth), -1)))
    name = f"PCA, {k} components"
    rows = [BudgetRow(name, k, k, quality(x, rebuild(pca, x, quantizer)), True)]
    pictures = {name: as_bytes(rebuild(pca, ten, quantizer))}
    for codec in CODECS:
        for whole in (False, True):
            setting = best_setting(codec, test[:TRIED], k, whole=whole)
            rebuilt, payload, file = encode_pictures(codec, test, setting)
            name = f"{codec.name}, {'whole file' if whole else 'headers not counted'}"
            rows.append(BudgetRow(name, payload, file, quality(x, rebuilt), (file if whole else payload) <= 1.1 * k))
            pictures[name] = as_bytes(encode_pictures(codec, shown, setting)[0])
    return Compared(rows, pictures)


def as_pixels(pictures: NDArray[np.uint8]) -> Pictures:
    """Pixels in 0..255 to 0..1."""
    return pictures.astype(np.float32) / np.float32(255)


def as_bytes(pictures: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Pixels in 0..1 to 0..255."""
    return np.rint(np.clip(pictures, 0, 1) * 255).astype(np.uint8)
