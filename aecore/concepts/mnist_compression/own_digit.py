"""A digit from a visitor's hand or camera, brought into MNIST's frame step by step, and through the networks."""

import warnings
from collections.abc import Generator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from aecore.data.datasets.drawn_digits import BOX, SIDE, centre_of_mass
from aecore.data.readers.edges import parser_edge
from aecore.data.readers.messages import shown
from aecore.data.readers.pictures import DAMAGED, open_picture
from aecore.errors import DataError, SettingError, UnreadableFile

SMALLEST = 8  # pixels of a side
WORKING = 400  # pixels, longest side while the digit is looked for: it ends up with 20
CONTRAST = 0.12  # of full scale between paper and ink: below, noise would be taken for writing
SPECK = 0.05  # of the largest piece's area: smaller pieces are dirt
MOST = 0.6  # of the photo: more ink than this is no digit on a page

ORIENTATION = 0x0112  # the EXIF tag
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip

Ink = NDArray[np.float32]
Tree = dict[str, Any]


class DigitStep(NamedTuple):
    """What was done, and the picture after it, float32 [H, W] in 0..1 with 1 being ink."""

    title: str
    image: Ink


def from_photo(name: str, data: bytes) -> list[DigitStep]:
    """Bring a photo of one digit into MNIST's frame; the last step is 28 x 28.

    Raises
    ------
    UnreadableFile
        where the file is no picture that can be opened.
    DataError
        where no digit stands out in it.
    """
    with parser_edge(name):
        grey = _grey(name, data)
    bright = float(np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])))
    inverted = grey if bright < 0.5 else 1 - grey  # 1 is ink now, whichever way round the photo was
    return [DigitStep("The photo, grey", 1 - grey), *_find_digit(_remove_paper(inverted, name))]


def read_photo(name: str, data: bytes) -> Generator[Tree, None, list[Tree]]:
    """Bring a photo of one digit into MNIST's frame; a private task. Returns ``[{title, image}]`` for `steps_of`."""
    yield {"progress": 0.0}
    return [step._asdict() for step in from_photo(name, data)]


def steps_of(trees: list[Tree]) -> list[DigitStep]:
    """Return the steps of `read_photo`."""
    return [DigitStep(**tree) for tree in trees]


def from_sketch(drawn: NDArray[np.floating]) -> list[DigitStep]:
    """Bring a drawing [28, 28], 1 being ink, into MNIST's frame: size and place as there."""
    drawn = np.clip(np.asarray(drawn, np.float32), 0, 1)
    if drawn.ndim != 2 or min(drawn.shape) < SMALLEST:
        raise SettingError(f"a drawing is [H, W] of at least {SMALLEST} pixels a side, got {drawn.shape}")
    if drawn.max() < 0.5:
        raise DataError("Nothing is drawn yet: draw one digit.")
    return [DigitStep("As drawn", drawn), *_frame(drawn)]


def _grey(name: str, data: bytes) -> Ink:
    """Decode into brightness [H, W] in 0..1, upright, transparent parts white, an animation's first picture."""
    try:
        with warnings.catch_warnings(), open_picture(name, data, side=2 * WORKING) as picture:
            warnings.simplefilter("ignore")  # of odd metadata
            if min(picture.size) < SMALLEST:
                raise DataError(
                    f"{shown(name)} has {picture.width} x {picture.height} pixels; a digit needs at least "
                    f"{SMALLEST} x {SMALLEST}."
                )
            small = _eight_bits(picture)
            small.thumbnail((WORKING, WORKING))  # before anything else: what follows makes copies
            turned = picture.getexif().get(ORIENTATION)
            layered = _turn(small, turned).convert("RGBA")
            paper = Image.new("RGBA", layered.size, "white")
            paper.alpha_composite(layered)
            return np.asarray(paper.convert("L"), np.float32) / np.float32(255)
    except DataError:
        raise  # a sentence already, and a ValueError too
    except DAMAGED as error:
        raise UnreadableFile(f"{shown(name)} breaks off or is damaged; save it again.") from error


def _turn(picture: Image.Image, orientation: int | None) -> Image.Image:
    """Turn a picture upright, as its metadata say how the camera was held."""
    method = TURNS.get(orientation or 1)
    return picture if method is None else picture.transpose(method)


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Bring a scanner's wide grey values to one byte; Pillow would cut them off."""
    if picture.mode[0] not in "IF":
        return picture
    if picture.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    values = np.nan_to_num(np.asarray(picture, np.float32))
    most = max(float(values.max(initial=0)), 1e-6)
    return Image.fromarray(np.clip(values * (255 / most), 0, 255).astype(np.uint8))


def _remove_paper(ink: Ink, name: str) -> Ink:
    """Take away the paper's own shade, and what is no part of the digit; [H, W] in 0..1."""
    far = max(3, max(ink.shape) // 3)
    shade = ndimage.gaussian_filter(ndimage.minimum_filter(ink, far), far / 4)  # paper behind every pixel
    ink = np.clip(ink - shade, 0, None)
    least, most = np.percentile(ink, [20, 99.9])
    if most - least < CONTRAST:
        raise DataError(
            f"No digit stands out in {shown(name)}: paper and ink differ by {max(most - least, 0):.0%} of full scale; "
            "take it with more light or a thicker pen."
        )
    ink = np.clip((ink - least) / (most - least), 0, 1)
    solid = ink > _threshold(ink)
    if solid.mean() > MOST:
        raise DataError(f"{shown(name)} is more ink than paper; leave some room around the digit.")
    pieces, count = ndimage.label(solid, structure=np.ones((3, 3)))
    areas = np.bincount(pieces.ravel())[1:]
    keep = np.isin(pieces, 1 + np.flatnonzero(areas >= SPECK * areas.max(initial=1)))
    soft = ndimage.binary_dilation(keep, iterations=2)  # the soft edge of each stroke stays
    cleaned: Ink = np.where(soft, np.clip(ink * 1.3, 0, 1), 0).astype(np.float32)
    if not count or not cleaned.any():
        raise DataError(f"No digit stands out in {shown(name)}; take it with more light or a thicker pen.")
    return cleaned


def _threshold(ink: Ink) -> float:
    """Level that parts ink from paper so that their means lie farthest apart (Otsu, 1979)."""
    counts, edges = np.histogram(ink, 128, (0, 1))
    middle = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * middle)
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = sums / below - (sums[-1] - sums) / above
    apart = np.nan_to_num(below * above * gap**2)
    return float(middle[int(apart.argmax())])


def _find_digit(ink: Ink) -> list[DigitStep]:
    return [DigitStep("Ink on no paper", ink), *_frame(ink)]


def _frame(ink: Ink) -> list[DigitStep]:
    """Crop [H, W], scale the longest side to 20 pixels, put the centre of mass into the middle of 28 x 28."""
    rows, columns = np.flatnonzero((ink > 0.2).any(1)), np.flatnonzero((ink > 0.2).any(0))
    cropped = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = BOX / max(cropped.shape)
    height, width = (max(1, round(side * scale)) for side in cropped.shape)
    picture = Image.fromarray(np.rint(cropped * 255).astype(np.uint8))
    small = np.asarray(picture.resize((width, height), Image.Resampling.LANCZOS), np.float32)
    small = small / np.float32(
        max(float(small.max()), 1.0)
    )  # thin lines pale when they shrink; MNIST's strokes reach full ink
    x, y = centre_of_mass(small.astype(np.float64))
    left = int(np.clip(round((SIDE - 1) / 2 - x), 0, SIDE - width))
    top = int(np.clip(round((SIDE - 1) / 2 - y), 0, SIDE - height))
    centred = np.zeros((SIDE, SIDE), np.float32)
    centred[top : top + height, left : left + width] = small
    return [
        DigitStep("Cropped", cropped),
        DigitStep(f"{BOX} pixels on the longest side", small),
        DigitStep("Centre of mass in the middle", centred),
    ]


def rebuild(image: NDArray[np.uint8], trained: Tree | None = None) -> Generator[Tree, None, Tree]:
    """Send one picture uint8 [28, 28] through the built-in networks and one more, given as a tree; a job's task.

    Yields ``{progress}``; returns ``{name: {rebuilt, code, mse}}``, the given network's name being "yours".
    """
    from aecore.concepts.mnist_compression import pretrained as shipped
    from aecore.concepts.mnist_compression import training as through  # torch: seconds, but in a worker
    from aecore.concepts.mnist_compression.budget import as_bytes
    from aecore.models import from_tree

    models = {f"k = {k}": shipped.load_model(k) for k in shipped.SIZES}
    if trained is not None:
        models["yours"] = trained
    out: Tree = {}
    for name, tree in models.items():
        model = from_tree(tree)
        rebuilt = through.rebuild(model, image[None])
        error = float(np.square(rebuilt[0] - image / np.float32(255)).mean())
        out[name] = {"rebuilt": as_bytes(rebuilt)[0], "code": through.codes(model, image[None])[0], "mse": error}
        yield {"progress": len(out) / len(models)}
    return out
