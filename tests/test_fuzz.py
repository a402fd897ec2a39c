"""Anything at all, into the parsers that no other fuzzing reaches: one sentence, or something sound.

`test_bad_files.py`, `test_uploads.py`, `test_store.py` and `test_detector_any_input.py` do the same for tables, logs,
stored trees and signals.
"""

import copy
import io
import os
import struct
import zlib

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from aecore import store
from aecore.anomaly import AnomalyDetector
from aecore.audio.denoiser import ASSET, SpeechDenoiser
from aecore.cli.sources import Stretch
from aecore.concepts import sensor_anomalies as sensors
from aecore.concepts.mnist_compression.own_digit import from_photo
from aecore.data.readers import sounds, vectors
from aecore.errors import AecoreError, DataError, StoreError, UnreadableFile
from aecore.numerics.progress import finish
from tests import files

MANY = 20 if os.environ.get("AECORE_FUZZ") else 1
ANY_TIME = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))


def sentence(call):
    """What came of a call: its value and no words, or the one sentence that it raised."""
    try:
        return call(), ""
    except AecoreError as error:
        message = str(error)
        assert message.isprintable()
        assert message.endswith(".")
        return None, message


def spoilt(data, draw):
    """A file with some of its bytes changed, and perhaps cut."""
    changed = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(changed) - 1))
        changed[at] = draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF, changed[at] ^ 1]))
    return bytes(changed[: draw(st.one_of(st.none(), st.integers(0, len(changed))))])


# ---- pictures


def picture(kind, side=9):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (side, side), np.uint8))
    return files.written(lambda file: image.save(file, kind))


PICTURES = {kind: picture(kind.upper()) for kind in ("png", "jpeg", "bmp", "gif", "webp")}


@settings(ANY_TIME, max_examples=12 * MANY)
@given(kind=st.sampled_from(sorted(PICTURES)), data=st.data())
def test_zips_of_pictures_that_are_spoilt(kind, data):
    good = [(f"{i % 3}/{i}.{kind}", PICTURES[kind]) for i in range(62)]
    bad = (f"x/bad.{kind}", spoilt(PICTURES[kind], data.draw))
    archive = files.zipped(*good, bad)
    if data.draw(st.booleans()):
        archive = spoilt(archive, data.draw)
    found, words = sentence(lambda: vectors.read("a.zip", archive))
    assert words or np.isfinite(found.x).all() and found.x.min() >= 0 and found.x.max() <= 1


@settings(ANY_TIME, max_examples=25 * MANY)
@given(kind=st.sampled_from(sorted(PICTURES)), data=st.data())
def test_photos_that_are_spoilt(kind, data):
    photo = spoilt(picture(kind.upper(), 40), data.draw)
    steps, words = sentence(lambda: from_photo("a.png", photo))
    assert words or all(np.isfinite(step.image).all() for step in steps)


@settings(ANY_TIME, max_examples=15 * MANY)
@given(data=st.binary(max_size=300), name=st.sampled_from(["a.csv", "a.zip", "a.csv.gz", "a.txt"]))
def test_random_bytes_as_vectors(data, name):
    sentence(lambda: vectors.read(name, data))
    sentence(lambda: vectors.read(name, b"a,b,label\n" + data * 40))


def blank_png(side):
    """A blank picture as PNG, some kilobytes however large it is."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)  # one bit a pixel
    rows = zlib.compress(bytes((side + 7) // 8 + 1) * side, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_a_zip_of_huge_blank_pictures_is_refused_before_it_costs_more_than_seconds(monkeypatch):
    monkeypatch.setattr(vectors, "MAX_ALL_PIXELS", 30_000_000)
    blank = blank_png(2000)
    archive = files.zipped(*((f"{i}.png", blank) for i in range(1000)))
    assert len(archive) < 3_000_000
    with pytest.raises(UnreadableFile, match="more than 30 million pixels together"):
        vectors.read("a.zip", archive)


# ---- recordings

SOUNDS = {
    "a.wav": files.audio(values=np.sin(np.arange(400)) / 2),
    "a.flac": files.audio("FLAC", np.sin(np.arange(400)) / 2),
    "a.ogg": files.audio("OGG", np.sin(np.arange(400)) / 2),
    "a.mp3": files.audio("MP3", np.sin(np.arange(4000)) / 2),
}


@settings(ANY_TIME, max_examples=60 * MANY)
@given(name=st.sampled_from(sorted(SOUNDS)), data=st.data())
def test_recordings_that_are_spoilt(name, data):
    content = data.draw(st.binary(max_size=200)) if data.draw(st.booleans()) else spoilt(SOUNDS[name], data.draw)
    sound, words = sentence(lambda: sounds.read(name, content, max_seconds=180))
    assert words or np.isfinite(sound.samples).all() and sound.sample_rate > 0


def test_silence_that_packs_a_thousandfold_is_refused_by_its_header(monkeypatch):
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros((400_000, 8)), 192_000, format="FLAC")
    assert buffer.tell() < 40_000
    monkeypatch.setattr(sounds, "MAX_SAMPLES", 3_000_000)
    with pytest.raises(DataError, match="at most 3 million"):
        sounds.read("a.flac", buffer.getvalue(), max_seconds=180)


# ---- detectors and denoisers


@pytest.fixture(scope="module")
def learnt():
    t = np.arange(120)[:, None]
    values = np.sin(t / 4 + np.arange(2)) + 0.05 * np.random.default_rng(0).normal(size=(120, 2))
    return AnomalyDetector(window=8, latent_dim=2).fit(values).to_tree(), values


ODD = st.one_of(
    st.none(), st.booleans(), st.sampled_from([0, -1, 1, 3, 10**6, 10**12, -(10**9)]), st.floats(), st.text(max_size=5),
    st.lists(st.integers(-3, 3), max_size=3),
    st.sampled_from([np.zeros(0, np.float32), np.zeros((3, 2)), np.full(2, np.nan), np.array([10**9])]),
)  # fmt: skip


def places(tree, path=()):
    """Every place in a tree that something can be put."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, part in inner:
        yield (*path, key)
        yield from places(part, (*path, key))


def forged(tree, draw):
    tree = copy.deepcopy(tree)
    for _ in range(draw(st.integers(1, 2))):
        *way, last = draw(st.sampled_from(sorted(places(tree), key=repr)))
        node = tree
        for key in way:
            node = node[key]
        if draw(st.booleans()) and isinstance(node, dict):
            del node[last]
        else:
            node[last] = draw(ODD)
    return tree


@settings(ANY_TIME, max_examples=40 * MANY)
@given(data=st.data())
def test_forged_detectors_score_or_are_refused(learnt, data):
    tree, values = learnt
    packed = store.dumps(forged(store.loads(store.dumps(tree)), data.draw))
    steps = sensors.rescore(packed, values, ("channel 1", "channel 2"))

    def scored():
        return finish(steps)

    found, words = sentence(scored)
    assert words or found["scores"].shape == (120,)


@settings(ANY_TIME, max_examples=8 * MANY)
@given(data=st.data())
def test_forged_denoisers_clean_or_are_refused(data):
    tree = data.draw(st.just(DENOISER).map(lambda tree: forged(tree, data.draw)))
    denoiser, words = sentence(lambda: SpeechDenoiser.from_tree(tree))
    if not words:
        cleaned, _ = sentence(lambda: denoiser.denoise(np.ones(1000, np.float32) / 9, 16_000))
        assert cleaned is None or cleaned.shape == (1000,)


DENOISER = store.read(ASSET)


def test_a_denoiser_that_asks_for_all_memory_is_refused_at_once():
    tree = {**DENOISER, "denoiser": {**DENOISER["denoiser"], "width": 10**6}}
    with pytest.raises(StoreError, match="does not hold a denoiser"):
        SpeechDenoiser.from_tree(tree)


# ---- words on the command line and in forms


@settings(ANY_TIME, max_examples=100 * MANY)
@given(text=st.text(st.sampled_from("0123456789:%.-e nаinf"), max_size=12), rows=st.integers(1, 10**6))
def test_any_normal_stretch(text, rows):
    found, words = None, ""
    try:
        found = Stretch.parse(text).within(rows)
    except AecoreError as error:
        words = str(error)
    assert words or 0 <= found[0] < found[1] <= rows
