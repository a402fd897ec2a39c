"""Pictures and sounds are opened in the offered formats only, whatever a file is called, and within bounds."""

import os
import stat
import struct
import tracemalloc
import warnings
import zipfile
import zlib

import numpy as np
import pytest
import soundfile
from PIL import Image

from aecore.concepts.mnist_compression import own_digit as own
from aecore.data.datasets import drawn_digits
from aecore.data.readers import pictures, sounds, uploads, vectors
from aecore.data.readers.audio import OFFERED
from aecore.errors import AecoreError, UnreadableFile
from tests import files

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 40 40\n%%EndComments\n40 40 scale\nshowpage\n%%EOF\n"
Image.init()
BASE = Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 40), np.uint8))


def saved(kind: str) -> bytes:
    """The same picture in another format; empty where this Pillow cannot write it."""
    for mode in ("L", "RGB", "RGBA", "1", "P"):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of formats that Pillow will give up
                return files.written(lambda file, mode=mode: BASE.convert(mode).save(file, kind))
        except (OSError, ValueError, KeyError, struct.error):
            continue
    return b""


FOREIGN = {kind: data for kind in sorted(set(Image.SAVE) - {*pictures.FORMATS, "MPO", "DIB"}) if (data := saved(kind))}
FOREIGN["EPS"] = EPS


@pytest.fixture
def ghostscript(tmp_path, monkeypatch):
    """A stand-in for Ghostscript, first on the path; returns the file that it writes when it is started."""
    marker, program = tmp_path / "started", tmp_path / "gs"
    program.write_text(f'#!/bin/sh\necho started >> "{marker}"\nexit 1\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return marker


def zipped_pictures(data: bytes, count: int = 61) -> bytes:
    return files.zipped(*((f"{i}.png", data) for i in range(count)), compression=zipfile.ZIP_STORED)


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_format_called_a_png_is_not_opened(kind, ghostscript):
    with pytest.raises(UnreadableFile, match=r"'digit\.png' is no picture of a kind that is read here; save it as PNG"):
        own.from_photo("digit.png", FOREIGN[kind])
    with pytest.raises(UnreadableFile, match="is no picture of a kind"):
        vectors.read("a.zip", zipped_pictures(FOREIGN[kind]))
    assert not ghostscript.exists()


def test_there_are_foreign_formats_to_try():
    assert {"EPS", "TIFF", "PPM", "TGA", "ICO"} <= set(FOREIGN)


@pytest.mark.parametrize("kind", pictures.FORMATS)
def test_the_offered_formats_are_opened(kind):
    picture = pictures.open_picture("a", saved(kind), side=40)
    assert picture.format == kind and picture.size == (40, 40)


# --- bounds -------------------------------------------------------------------------------------------------------


def blank_png(side: int, depth: int, colour: int) -> bytes:
    """A PNG of one colour, without ever holding its pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    row = 1 + side * depth // 8 * {0: 1, 2: 3, 6: 4}[colour]
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(bytes(row)) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("depth", "colour"), [(16, 0), (8, 6)], ids=["grey 16 bit", "RGBA"])
def test_a_photo_of_fifty_million_pixels_is_refused_by_its_header(depth, colour):
    data = blank_png(7070, depth, colour)
    tracemalloc.start()
    with pytest.raises(UnreadableFile, match="has 50 million pixels, and at most 12 million are read; make it smaller"):
        own.from_photo("a.png", data)
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


def test_a_phones_jpeg_of_fifty_million_pixels_is_read_small():
    sheet = np.full((7000, 7000), 230, np.uint8)
    digit = Image.fromarray(255 - drawn_digits.load()[4]).resize((5000, 5000))
    sheet[1000:6000, 1000:6000] = np.asarray(digit) // 255 * 190 + 40
    data = files.written(lambda file: Image.fromarray(sheet).save(file, "JPEG"))
    with pictures.open_picture("a.jpg", data, side=800) as picture:
        assert max(picture.size) < 2000  # drafted before anything is decoded
    final = own.from_photo("a.jpg", data)[-1].image
    assert np.square(final - drawn_digits.load()[4] / 255).mean() < 0.05
    progressive = files.written(lambda file: Image.fromarray(sheet).save(file, "JPEG", progressive=True))
    with pytest.raises(UnreadableFile, match="make it smaller"):
        own.from_photo("a.jpg", progressive)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_are_turned_after_they_are_made_small(orientation):
    upright = Image.fromarray(255 - drawn_digits.load()[7]).resize((700, 700))
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    held = upright.transpose(undo[orientation]) if orientation > 1 else upright
    for kind in ("JPEG", "PNG", "WEBP"):
        data = files.written(lambda file, kind=kind: held.save(file, kind, exif=exif))
        assert np.square(own.from_photo("a", data)[-1].image - drawn_digits.load()[7] / 255).mean() < 0.03, kind


def test_reading_a_photo_is_a_task_that_returns_plain_arrays():
    photo = Image.fromarray(255 - drawn_digits.load()[3]).resize((300, 300))
    data = files.written(lambda file: photo.save(file, "PNG"))
    task = own.read_photo("a.png", data)
    assert next(task) == {"progress": 0.0}
    with pytest.raises(StopIteration) as end:
        next(task)
    trees = end.value.value
    assert all(set(tree) == {"title", "image"} and type(tree["image"]) is np.ndarray for tree in trees)
    steps, expected = own.steps_of(trees), own.from_photo("a.png", data)
    assert [step.title for step in steps] == [step.title for step in expected]
    assert all(np.array_equal(a.image, b.image) for a, b in zip(steps, expected, strict=True))


# --- sounds -------------------------------------------------------------------------------------------------------

TONE = np.sin(np.arange(4000) * 0.2) / 3
SOUNDS = {
    kind: files.written(lambda file, kind=kind: soundfile.write(file, TONE, 16_000, format=kind))
    for kind in sorted(soundfile.available_formats())
    if kind not in OFFERED and soundfile.default_subtype(kind) and kind not in ("RAW", "SD2")
}


@pytest.mark.parametrize("kind", SOUNDS)
def test_a_foreign_sound_called_a_wav_is_refused(kind):
    with pytest.raises(UnreadableFile, match=r"'a\.wav'"):
        uploads.read("a.wav", SOUNDS[kind])
    with pytest.raises(UnreadableFile, match=r"'a\.wav'"):
        sounds.read("a.wav", SOUNDS[kind])


def test_a_foreign_sound_is_named():
    with pytest.raises(UnreadableFile, match=r"of a kind that is not read here \(AIFF, PCM_16\); save it as WAV"):
        sounds.read("a.wav", SOUNDS["AIFF"])


def test_packed_in_an_unusual_way_is_foreign_too():
    for subtype in ("GSM610", "G721_32"):
        if subtype not in soundfile.available_subtypes("WAV"):
            continue
        data = files.written(
            lambda file, subtype=subtype: soundfile.write(file, TONE, 8000, format="WAV", subtype=subtype)
        )
        with pytest.raises(UnreadableFile, match=subtype):
            sounds.read("a.wav", data)


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [(kind, subtype) for kind, subtypes in OFFERED.items() for subtype in subtypes
     if subtype in soundfile.available_subtypes(kind) and subtype not in ("MPEG_LAYER_I", "MPEG_LAYER_II")],
)  # fmt: skip
def test_the_offered_sounds_are_read(kind, subtype):
    data = files.written(lambda file: soundfile.write(file, TONE, 16_000, format=kind, subtype=subtype))
    assert len(sounds.read("a", data).samples) >= len(TONE) * 0.9
    if kind == "MP3":
        with pytest.raises(AecoreError):
            uploads.read("a.wav", data)
    else:
        assert uploads.read("a.wav", data).sample_rate == 16_000
