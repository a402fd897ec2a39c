"""The latent pad's Python half: what travels, what is refused, what a link may say; sketch and pictures likewise."""

import base64
import io
import json
import re
import struct

import numpy as np
import pytest
from PIL import Image

from aecore import export
from aecore.errors import DataError, SettingError
from aecore.figures.palette import DARK, LIGHT
from aecore.figures.vae_morphing import inked, mosaic
from aecore.numerics.dense import DenseNetwork
from pages.ui.components import cloud, sketch
from pages.ui.components.latent_pad import Pad, Position, describe, from_text, to_text
from pages.ui.components.modules import COMPONENTS, module
from pages.ui.components.networks import name_of, pack
from pages.ui.figures.message import Packer
from pages.ui.frame.settings import Unfit


def network(seed: int = 0, sizes: tuple[int, ...] = (2, 5, 9)) -> DenseNetwork:
    rng = np.random.default_rng(seed)
    layers = tuple(
        (rng.standard_normal((m, n)).astype(np.float32), rng.standard_normal(m).astype(np.float32))
        for n, m in zip(sizes[:-1], sizes[1:], strict=True)
    )
    return DenseNetwork(layers, "silu", "sigmoid")


def pad(**changes):
    made = {"title": "m", "decoder": network(), "codes": np.zeros((3, 2)), "labels": np.arange(3), "names": "abc"}
    return Pad(**(made | changes))


def unpack(message):
    (length,) = struct.unpack_from("<I", message)
    return json.loads(message[4 : 4 + length]), message[4 + length :]


def test_weights_arrive_as_they_are():
    net = network()
    header, payload = unpack(pack([net, network(1)]))
    first, second = header["networks"]
    assert first["name"] == name_of(net) != second["name"]
    for (weights, biases), layer in zip(net.layers, first["layers"], strict=True):
        for sent, kept in ((layer["weights"], weights), (layer["biases"], biases)):
            assert sent["at"] % 8 == 0 and sent["type"] == "float32"
            read = np.frombuffer(payload, "<f4", int(np.prod(sent["shape"])), sent["at"]).reshape(sent["shape"])
            np.testing.assert_array_equal(read, kept)


def test_a_change_of_one_weight_is_another_network():
    net = network()
    weights = net.layers[0][0].copy()
    weights[0, 0] += 1e-3
    assert name_of(net) == name_of(network())
    assert name_of(net._replace(layers=((weights, net.layers[0][1]), net.layers[1]))) != name_of(net)
    assert name_of(net._replace(activation="relu")) != name_of(net)


def test_codes_and_holes_travel_below_a_pixel():
    rng = np.random.default_rng(0)
    codes, holes = rng.uniform(-3, 3, (50, 2)), rng.uniform(0, 2, (8, 8))
    packer = Packer()
    sent = describe(pad(codes=codes, labels=np.zeros(50, int), holes=holes), packer, 3.5)
    for name, kind, expected, least, steps, atol in (
        ("codes", "<i2", codes, -32768, 65535, 2e-4),
        ("holes", "u1", holes, 0, 255, 0.005),
    ):
        part = sent[name]
        read = np.frombuffer(bytes(packer.payload), kind, expected.size, part["at"]).reshape(expected.shape)
        values = part["low"] + (read.astype(float) - least) * (part["high"] - part["low"]) / steps
        np.testing.assert_allclose(values, expected, atol=atol)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"codes": np.zeros((3, 3))}, DataError, r"\(3, 3\)"),
        ({"labels": np.arange(2)}, DataError, r"\(2,\)"),
        ({"labels": np.array([0, 1, 3])}, DataError, "labels up to 3"),
        ({"codes": np.full((3, 2), np.nan)}, DataError, "NaN"),
        ({"role": "red"}, SettingError, "'red'"),
        ({"axes": (0, 2)}, SettingError, r"\(0, 2\)"),
        ({"fixed": [1.0]}, SettingError, "got 1"),
    ],
)
def test_a_map_that_cannot_be_drawn_is_refused(changes, error, words):
    with pytest.raises(error, match=words):
        pad(**changes)


def test_places_in_links():
    assert from_text(to_text(Position(0.5, -1.25))) == (0.5, -1.25)
    assert from_text("1,2,3,4", 4) == (1, 2, 3, 4)
    assert all(from_text(text) is None for text in ("", "1", "1,2,3", "a,b", "nan,1", "1,inf"))


def test_modules_are_joined_into_one():
    joined = module("shared/message.js", "shared/shelf.js", "shared/decoder.js", "shared/networks.js")
    lines = joined.splitlines()
    assert not any(line.startswith("import ") for line in lines)
    assert [line for line in lines if line.startswith("export ")] == ["export default function ({ data }) {"]
    assert "class Network" in joined and "function readMessage" in joined


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_the_canvas_has_its_colours_from_the_palette(palette):
    name = "light" if palette is LIGHT else "dark"
    inks = module("shared/inks.js")
    told = json.loads(re.search(r"^const PALETTES = (.*);$", inks, flags=re.MULTILINE).group(1))
    assert told[name]["classes"] == list(palette.classes) and told[name]["latent"] == palette.latent
    own = (COMPONENTS / "shared/inks.js").read_text()
    assert not re.findall(r"#[0-9a-f]{6}", own, flags=re.IGNORECASE)  # none of its own
    assert len(set(palette.classes)) == 10 and palette.of_class(12) == palette.classes[2]


def test_a_drawing_s_pixels_are_read_only_if_they_are_ones():
    pixels = np.arange(784) % 256
    answer = {"turn": 2, "centred": True, "strokes": "AB"}
    assert sketch._read(answer, True) == "AB"
    for wrong in ({"centred": False}, {"strokes": "A" * 9000}, {"strokes": 7}):
        assert sketch._read(answer | wrong, True) is None
    image = sketch._values({"pixels": base64.b64encode(pixels.astype("u1")).decode()})
    np.testing.assert_allclose(image, pixels.reshape(28, 28) / 255, atol=1e-6)
    for wrong in ("AA", "!", None, base64.b64encode(bytes(784)).decode()):
        assert sketch._values({"pixels": wrong}) is None


STROKES = "eHh4gP__gIB4gA"  # two strokes of two points


def test_a_link_s_strokes_are_read_only_if_they_are_strokes():
    setting = sketch._setting("drawing", "Draw")
    assert setting.read([STROKES]) == STROKES
    for wrong in ("%%", "é", STROKES[:-1], "_" * 5, "-vr6", "A" * 9000):
        with pytest.raises(Unfit, match="damaged"):
            setting.read([wrong])
    with pytest.raises(Unfit):
        setting.read([STROKES, STROKES])


def test_a_cloud_has_a_place_and_a_spread():
    assert cloud._within((1, 2, 0.5, 0.25), 3.5) == cloud.Gaussian((1, 2), (0.5, 0.25))
    assert cloud._within((1, 4, 0.5, 0.25), 3.5) is None
    assert cloud._within((1, 2, 0, 0.25), 3.5) is None
    assert cloud._within(None, 3.5) is None


def test_pictures_survive_the_files():
    images = np.random.default_rng(0).uniform(size=(6, 7, 7))
    sheet = mosaic(images, 3)
    assert sheet.shape == (2 * 9 - 2, 3 * 9 - 2)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(export.png(sheet)))), sheet)
    np.testing.assert_allclose(sheet[9:16, 9:16], 255 * (1 - images[4]), atol=0.51)
    ink = inked(sheet, "#0E9F86")
    assert tuple(ink[0, 0, :3]) == (0x0E, 0x9F, 0x86) and ink[0, 7, 3] == 0  # nothing between the pictures
    film = Image.open(io.BytesIO(export.gif(np.stack([sheet, sheet[::-1]]), seconds=1)))
    assert film.n_frames == 2 and film.info["duration"] == 500 and film.info["loop"] == 0
