"""Pictures in foreign files: of five formats only, and of bounded size before a pixel is decoded.

Pillow tells formats by content, whatever a file is called, and some of its formats start programs (PostScript) or are
read by code that few people use. So each call here names the formats that are offered.
"""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

from aecore.data.readers.messages import quote
from aecore.errors import UnreadableFile

if TYPE_CHECKING:
    from PIL import Image  # imported where it is used: a page without pictures need not wait for it

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
ENDINGS = ("png", "jpg", "jpeg", "bmp", "gif", "webp")
MAX_PIXELS = 12_000_000  # of one picture; decoded, it takes 4 bytes a pixel, a scanner's wide grey values 8
MAX_JPEG_PIXELS = 64_000_000  # of a JPEG that is decoded at an eighth of its size, row by row, as a phone makes them
DAMAGED = (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, OverflowError)  # what decoders raise


def open_picture(name: str, data: bytes, *, side: int) -> Image.Image:
    """Open a picture that nothing has been decoded of; ``side`` is the longest side that it is wanted for, in pixels.

    What Pillow raises on decoding (`DAMAGED`) is the caller's to catch.

    Raises
    ------
    UnreadableFile
        where the content is none of the five formats, or has too many pixels.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large pictures and odd metadata; what matters is checked here
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except (UnidentifiedImageError, Image.DecompressionBombError, *DAMAGED) as error:
        raise UnreadableFile(
            f"{quote(name)} is no picture of a kind that is read here; save it as PNG, JPEG, WebP or GIF."
        ) from error
    width, height = picture.size
    most = MAX_PIXELS
    if picture.format in ("JPEG", "MPO"):  # MPO: a JPEG with smaller ones behind it, as some phones make them
        picture.draft(None, (side, side))
        if not picture.info.get("progressive"):  # a progressive one is held whole
            most = MAX_JPEG_PIXELS
    if width * height > most:
        raise UnreadableFile(
            f"{quote(name)} has {width * height / 1e6:,.0f} million pixels, and at most {MAX_PIXELS // 10**6} million "
            "are read; make it smaller."
        )
    return picture
