"""Small pictures as PNGs of one colour: their ink is the opacity, so that they stand on light and on dark pages."""

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def png(ink: NDArray[np.uint8], colour: str) -> bytes:
    """Ink [H, W] as the opacity of one colour (#rrggbb)."""
    rgba = np.empty((*ink.shape, 4), np.uint8)
    rgba[..., :3] = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    rgba[..., 3] = ink
    file = io.BytesIO()
    Image.fromarray(rgba).save(file, "PNG")
    return file.getvalue()


def url(ink: NDArray[np.uint8], colour: str) -> str:
    """Return the same as a data URL."""
    return "data:image/png;base64," + base64.b64encode(png(ink, colour)).decode()


def tile(pictures: NDArray[Any], per_row: int) -> NDArray[Any]:
    """Pictures [n, H, W] in rows, a pixel of nothing between them."""
    count, height, width = pictures.shape
    rows = max(1, -(-count // per_row))
    sheet = np.zeros((rows * per_row, height + 1, width + 1), pictures.dtype)
    sheet[:count, :height, :width] = pictures
    laid = sheet.reshape(rows, per_row, height + 1, width + 1).transpose(0, 2, 1, 3)
    return laid.reshape(rows * (height + 1), per_row * (width + 1))[:-1, :-1]
