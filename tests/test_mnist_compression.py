"""The compression page's core: against torch, NumPy, Pillow and ONNX Runtime; its film, its files, its digits."""

import io
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from aecore import jobs, store
from aecore.concepts import mnist_compression as page
from aecore.concepts.mnist_compression import budget, files, pictures
from aecore.concepts.mnist_compression import own_digit as own
from aecore.concepts.mnist_compression import pretrained as shipped
from aecore.concepts.mnist_compression.quality import quality, ssim
from aecore.data.datasets import drawn_digits, mnist, mnist_download
from aecore.errors import DataError, DatasetMissing, SettingError, StoreError, UnreadableFile
from aecore.numerics.progress import finish

NETWORK = page.CompressionNetwork(width=64, latent_dim=16)
COUNT = 1295  # digits to learn from, of 1,797
TRAINING = page.CompressionTraining(source=pictures.SHIPPED, epochs=3, batch_size=16)


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AECORE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def run(task):
    """Run a task to its end: its progress and its result."""
    steps = []
    return steps, finish(task, steps.append)


@pytest.fixture(scope="module")
def trained(cache):
    return run(page.train(NETWORK, TRAINING))


# ---------------------------------------------------------------------- settings
@pytest.mark.parametrize("kind", page.KINDS)
@pytest.mark.parametrize(("width", "k"), [(64, 2), (256, 33)])
def test_parameters_are_counted_as_torch_counts_them(kind, width, k):
    network = page.CompressionNetwork(kind=kind, width=width, latent_dim=k)
    model = page.build(network)
    assert page.cost(network).parameters == model.num_parameters == sum(p.numel() for p in model.parameters())
    assert model(torch.rand(3, 1, 28, 28)).shape == (3, 1, 28, 28)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 31, 20), (2, 9, 8)])
def test_the_convolutional_network_gives_back_any_size(shape):
    from aecore.models import ConvAutoEncoder2d, from_tree, to_tree

    model = ConvAutoEncoder2d(shape, hidden=(4, 8), latent_dim=3).eval()
    x = torch.rand(2, *shape)
    assert model(x).shape == x.shape
    assert torch.equal(from_tree(to_tree(model))(x), model(x))


def test_the_log2_rule_is_the_logarithm_of_the_pixels():
    assert round(np.log2(28 * 28)) == page.LOG2_RULE


@pytest.mark.parametrize(
    "wrong", [{"latent_dim": 1}, {"latent_dim": 129}, {"width": 100}, {"kind": "magic"}, {"loss": "mae"}]
)
def test_a_network_outside_the_ranges_is_refused_with_what_came(wrong):
    with pytest.raises(SettingError, match=str(next(iter(wrong.values())))):
        page.CompressionNetwork(**wrong)


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"epochs": 51}, {"batch_size": 1}, {"learning_rate": float("nan")}])
def test_a_training_outside_the_ranges_is_refused(wrong):
    with pytest.raises(SettingError, match=next(iter(wrong))):
        page.CompressionTraining(**wrong)


# ---------------------------------------------------------------------- drawn digits
def test_drawn_digits_are_framed_as_mnist_frames_its_own():
    digits = drawn_digits.load()
    assert digits.shape == (10, 28, 28) and digits.dtype == np.uint8 and digits.max() == 255
    y, x = np.indices((28, 28))
    for digit in digits / 255:
        rows, columns = np.flatnonzero((digit > 0.1).any(1)), np.flatnonzero((digit > 0.1).any(0))
        assert 18 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 22
        assert (y * digit).sum() / digit.sum() == pytest.approx(13.5, abs=0.05)
        assert (x * digit).sum() / digit.sum() == pytest.approx(13.5, abs=0.05)
    assert 0.09 < digits.mean() / 255 < 0.17  # MNIST's mean is 0.13


def test_the_shipped_digits_are_enlarged_into_three_parts_that_share_none():
    data = pictures.load(pictures.SHIPPED)
    parts = [data.train, data.validation, data.test]
    assert sum(map(len, parts)) == 1797 and len(data.labels) == len(data.test)
    assert all(part.shape[1:] == (28, 28) for part in parts)
    everything = np.concatenate(parts).reshape(1797, -1)
    assert len(np.unique(everything, axis=0)) == len(everything)


def test_pictures_that_are_not_here_are_said():
    with pytest.raises(DatasetMissing):
        pictures.load(pictures.MNIST)


# ---------------------------------------------------------------------- training
def test_a_training_learns_and_films_itself(trained):
    steps, result = trained
    frames = [step for step in steps if step["frame"] is not None]
    within_the_first = [step for step in frames if step["epoch"] == 1]
    assert len(within_the_first) >= 2
    assert len(frames) == len(result["film"]) == len(result["at"]) == len(result["errors"])
    assert result["at"][0] == 0.0 and result["at"][-1] == 3.0 and sorted(result["at"]) == result["at"]
    assert result["errors"][-1] < 0.8 * result["errors"][0]  # it starts at the mean picture
    assert result["history"]["epoch"] == [1, 2, 3]
    assert result["history"]["mse"][-1] < result["history"]["mse"][0]
    assert [step["progress"] for step in steps] == sorted(step["progress"] for step in steps)
    assert steps[-1]["progress"] == 1.0 and steps[-1]["seen"] == result["seen"] == 3 * COUNT


def test_the_judgement_is_what_torch_gives(trained):
    from aecore.models import from_tree

    result, data = trained[1], pictures.load(pictures.SHIPPED)
    model = from_tree(result["model"])
    x = torch.from_numpy(data.test / 255.0).float()[:, None]
    with torch.inference_mode():
        errors = ((model(x).clamp(0, 1) - x) ** 2).mean((1, 2, 3)).numpy()
    judged = result["judged"]
    assert judged["mse"] == pytest.approx(errors.mean(), rel=1e-4)
    assert judged["by_class"][7] == pytest.approx(errors[data.labels == 7].mean(), rel=1e-4)
    assert judged["worst_errors"] == pytest.approx(sorted(errors, reverse=True)[:10], rel=1e-4)
    assert judged["row"]["quality"]["mse"] == pytest.approx(errors.mean(), rel=0.05)  # codes in bytes cost little


def test_going_on_starts_where_the_training_ended(trained):
    first = trained[1]
    start = store.loads(store.dumps(page.start_of(first)))  # as it travels, and as a plain tree
    steps, result = run(
        page.train(NETWORK, page.CompressionTraining(source=pictures.SHIPPED, epochs=1, batch_size=16), start)
    )
    assert np.array_equal(result["film"][: len(first["film"])], first["film"])
    assert result["at"][-1] == 4.0 and result["history"]["epoch"] == [1, 2, 3, 4]
    assert result["seen"] == first["seen"] + COUNT
    assert result["errors"][-1] < first["errors"][-1]
    assert steps[0]["epochs"] == 4


def test_going_on_from_a_tree_that_is_no_training_is_refused():
    blank = {"film": [], "at": [], "errors": [], "history": {}, "seen": 1, "source": pictures.SHIPPED, "model": {}}
    with pytest.raises(StoreError, match="train it again"):
        next(page.train(NETWORK, TRAINING, blank))


def cancelled(task):
    """Throw into a task what a worker throws, and return what it has."""
    with pytest.raises(StopIteration) as end:
        task.throw(jobs.Cancelled())
    return end.value.value


@pytest.mark.parametrize("kind", page.KINDS)
def test_a_cancelled_training_returns_what_there_is(kind, tmp_path, monkeypatch):
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path))
    task = page.train(page.CompressionNetwork(kind=kind, width=64, latent_dim=5), TRAINING)
    seen = 0
    while not seen:
        seen = next(task)["seen"]
    left = cancelled(task)
    assert left["seen"] == seen and len(left["film"]) == len(left["at"]) == 2
    assert not left["complete"] and left["source"] == pictures.SHIPPED and not left["offline"]
    assert left["judged"]["count"] == 359
    assert list(tmp_path.iterdir()) == []  # the result is what it returns, and lies on no disk
    assert run(page.train(page.CompressionNetwork(kind=kind, width=64, latent_dim=5), TRAINING, page.start_of(left)))[
        1
    ]["complete"]


def test_a_finished_training_and_a_cancelled_one_return_the_same_kind_of_tree(trained):
    task = page.train(NETWORK, TRAINING)
    while not next(task)["seen"]:
        pass
    left = cancelled(task)
    assert set(left) == set(trained[1])
    assert set(left["judged"]) == set(trained[1]["judged"])


def test_a_training_cancelled_before_it_began_has_nothing_to_return():
    task = page.train(page.CompressionNetwork(width=64, latent_dim=6), TRAINING)
    next(task)
    with pytest.raises(jobs.Cancelled):
        task.throw(jobs.Cancelled())


def test_the_first_report_holds_what_the_page_shows_beside_it(trained):
    first, *others = trained[0]
    np.testing.assert_array_equal(first["watched"], drawn_digits.load())
    assert first["source"] == pictures.SHIPPED and first["offline"] is False
    assert all("watched" not in step for step in others)


def test_pictures_that_cannot_be_had_are_replaced_by_the_built_in_ones(tmp_path, monkeypatch):
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path))
    monkeypatch.delenv("AECORE_DATASETS", raising=False)
    monkeypatch.setenv("AECORE_MNIST_MIRROR", "http://127.0.0.1:9/")  # nobody listens there
    network = page.CompressionNetwork(width=64, latent_dim=8)
    steps, result = run(page.train(network, page.CompressionTraining(source=pictures.MNIST, epochs=1)))
    assert set(steps[0]) == {"file", "bytes", "total", "progress"}
    assert result["source"] == pictures.SHIPPED and result["offline"] and result["complete"]
    assert next(step for step in steps if "epoch" in step)["offline"]


def test_a_worker_of_its_own_fetches_the_pictures_that_it_lacks(tmp_path, monkeypatch):
    def fetched(name):  # the download itself is tested in test_mnist_download.py
        yield {"file": "train-images", "bytes": 1, "total": 2, "progress": 0.5}
        for part, shape in (("train", (5_100, 28, 28)), ("t10k", (400, 28, 28))):
            folder = tmp_path / "datasets" / "MNIST" / "raw"
            folder.mkdir(parents=True, exist_ok=True)
            ink = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
            for kind, values in (("images-idx3", ink), ("labels-idx1", (np.arange(shape[0]) % 10).astype(np.uint8))):
                head = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes()
                (folder / f"{part}-{kind}-ubyte").write_bytes(head + values.tobytes())
        return str(tmp_path)

    monkeypatch.setenv("AECORE_CACHE", str(tmp_path))
    monkeypatch.delenv("AECORE_DATASETS", raising=False)
    monkeypatch.setattr(mnist_download, "download", fetched)
    monkeypatch.setattr(mnist, "COUNTS", {True: 5_100, False: 400})
    steps, result = run(page.train(page.CompressionNetwork(width=64, latent_dim=8), page.CompressionTraining(epochs=1)))
    assert steps[0]["file"] == "train-images"
    assert result["source"] == pictures.MNIST and not result["offline"]
    assert result["seen"] == 100 and result["judged"]["count"] == 400


# ---------------------------------------------------------------------- the same bytes
def naive_ssim(x, y):
    """The definition, a window at a time."""
    values = []
    for i in range(x.shape[0] - 6):
        for j in range(x.shape[1] - 6):
            a, b = x[i : i + 7, j : j + 7].ravel(), y[i : i + 7, j : j + 7].ravel()
            covariance = np.cov(a, b)
            top = (2 * a.mean() * b.mean() + 1e-4) * (2 * covariance[0, 1] + 9e-4)
            low = (a.mean() ** 2 + b.mean() ** 2 + 1e-4) * (covariance[0, 0] + covariance[1, 1] + 9e-4)
            values.append(top / low)
    return np.mean(values)


def test_ssim_is_its_definition_window_by_window():
    x = drawn_digits.load()[:3] / 255
    y = np.clip(x + np.random.default_rng(0).normal(0, 0.2, x.shape), 0, 1)
    assert ssim(x, y) == pytest.approx([naive_ssim(a, b) for a, b in zip(x, y, strict=True)], rel=1e-9)
    assert ssim(x, x) == pytest.approx(1)


def test_quality_of_a_known_error():
    x = np.full((2, 28, 28), 0.5)
    assert quality(x, x + 0.1).mse == pytest.approx(0.01)
    assert quality(x, x + 0.1).psnr == pytest.approx(20)


def test_pca_is_scikit_learn_s():
    from sklearn.decomposition import PCA

    data = pictures.load(pictures.SHIPPED)
    x, held_out = (part.reshape(len(part), -1) / 255 for part in (data.train, data.test))
    theirs = PCA(12, svd_solver="full").fit(x)
    expected = theirs.inverse_transform(theirs.transform(held_out)).clip(0, 1).reshape(-1, 28, 28)
    got = budget.rebuild(budget.fit_pca(data.train).keep(12), budget.as_pixels(data.test))
    assert np.abs(got - expected).max() < 1e-3


def test_a_byte_a_number_is_off_by_half_a_step_at_most():
    codes = np.random.default_rng(0).normal(size=(500, 6)).astype(np.float32)
    quantizer = budget.Quantizer.of(codes)
    step = np.ptp(codes, axis=0) / 255
    rounded = quantizer.quantise(codes)
    assert (np.abs(rounded - codes) <= step * 0.501).all()
    assert all(len(np.unique(rounded[:, j])) <= 256 for j in range(6))


@pytest.mark.parametrize("codec", budget.CODECS, ids=lambda c: c.name)
def test_a_payload_is_less_than_its_file_and_grows_with_the_quality(codec):
    digit = drawn_digits.load()[8]
    sizes = []
    for setting in (1, 40, 95):
        file = codec.encode(digit, setting)
        assert Image.open(io.BytesIO(file)).size == (28, 28)
        sizes.append(codec.payload(file))
        assert 0 < sizes[-1] < len(file)
    assert sizes == sorted(sizes) and sizes[0] < sizes[-1]


def test_a_jpeg_s_payload_is_what_lies_between_its_scan_s_header_and_its_end():
    file = budget.CODECS[0].encode(drawn_digits.load()[3], 50)
    at = 2  # walk the segments, as a decoder does: marker, length, content
    while file[at : at + 2] != b"\xff\xda":
        at += 2 + int.from_bytes(file[at + 2 : at + 4], "big")
    start = at + 2 + int.from_bytes(file[at + 2 : at + 4], "big")
    assert budget.jpeg_payload(file) == len(file) - 2 - start


def test_methods_keep_to_the_budget_or_say_that_they_cannot():
    data = pictures.load(pictures.SHIPPED)
    compared = budget.compare(64, budget.fit_pca(data.train), data.train, data.test[:120], drawn_digits.load())
    assert [row.method.split(",")[0] for row in compared.rows] == ["PCA", "JPEG", "JPEG", "WebP", "WebP"]
    for row in compared.rows:
        size = row.whole if "whole" in row.method else row.payload
        assert row.fits == (size <= 1.1 * 64)
        assert compared.shown[row.method].shape == (10, 28, 28)
        assert budget.BudgetRow.from_tree(row.tree()) == row


# ---------------------------------------------------------------------- what ships
def test_what_ships_beats_pca_at_every_size_and_can_be_rebuilt():
    curve = shipped.load_curve()
    assert curve.sizes == list(shipped.SIZES)
    assert all(a < p for a, p in zip(curve.autoencoder, curve.pca, strict=True))
    assert curve.autoencoder == sorted(curve.autoencoder, reverse=True)
    from aecore.concepts.mnist_compression.training import rebuild
    from aecore.models import from_tree

    for k, size in shipped.load_sizes().items():
        again = rebuild(from_tree(shipped.load_model(k)), drawn_digits.load())
        drawn = next(iter(size.shown.values())) / 255
        assert np.abs(again - drawn).max() < 0.02  # half precision
        assert size.rows[0].payload == k


# ---------------------------------------------------------------------- to take away
def test_the_film_shows_every_frame_and_loops(trained):
    result = trained[1]
    with Image.open(io.BytesIO(files.film(result["watched"], result["film"]))) as film:
        assert film.info["loop"] == 0
        assert film.n_frames > 1  # equal neighbours are one longer frame
        total = 0
        for i in range(film.n_frames):
            film.seek(i)
            total += film.info["duration"]
        last = np.asarray(film.convert("L"), int)
    assert total == files.MILLISECONDS * (len(result["film"]) - 1 + files.STILL)
    rebuilt = 255 - last[files.ZOOM * (28 + 2 * files.GAP) :: files.ZOOM, :: files.ZOOM][:28]
    assert np.abs(rebuilt - np.concatenate(list(result["film"][-1]), 1)).mean() < 2


def test_the_history_has_a_line_an_epoch(trained):
    table = files.history(trained[1])
    assert list(table["epoch"]) == [1, 2, 3]
    assert (table["images_per_second"] > 0).all()


@pytest.mark.parametrize("kind", page.KINDS)
@pytest.mark.parametrize("loss", page.LOSSES)
def test_the_snippet_rebuilds_the_model_from_the_weights_file(kind, loss, tmp_path, monkeypatch):
    from aecore.models import to_tree

    network = page.CompressionNetwork(kind=kind, loss=loss, width=64, latent_dim=9, seed=3)
    model = page.build(network).eval()
    (tmp_path / files.WEIGHTS).write_bytes(files.weights(to_tree(model)))
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(compile(files.snippet(network), "snippet.py", "exec"), names)
    with torch.inference_mode():
        expected = model(names["pictures"]).clamp(0, 1)
    assert torch.allclose(names["rebuilt"], expected, atol=1e-6)


def test_the_snippet_runs_by_itself(tmp_path, trained):
    (tmp_path / files.WEIGHTS).write_bytes(files.weights(trained[1]["model"]))
    (tmp_path / "rebuild.py").write_text(files.snippet(NETWORK))
    done = subprocess.run([sys.executable, "rebuild.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "[5, 16]" in done.stdout and "[5, 1, 28, 28]" in done.stdout


@pytest.mark.parametrize("kind", page.KINDS)
def test_onnx_runtime_gives_what_torch_gives(kind):
    import onnxruntime

    from aecore.models import to_tree

    model = page.build(page.CompressionNetwork(kind=kind, width=64, latent_dim=7)).eval()
    _, exported = run(files.to_onnx(to_tree(model)))
    session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
    for count in (1, 4):
        x = torch.rand(count, 1, 28, 28)
        code, rebuilt = session.run(["code", "rebuilt"], {"pictures": x.numpy()})
        with torch.inference_mode():
            assert np.allclose(code, model.encode(x).numpy(), atol=1e-5)
            assert np.allclose(rebuilt, model(x).clamp(0, 1).numpy(), atol=1e-5)


# ---------------------------------------------------------------------- a digit of one's own
def photo(ink, *, side=300, paper=230, pen=40, kind="PNG", shade=0.0, **options) -> bytes:
    """A digit as a camera might see it: large, off centre, on shaded paper with a little noise."""
    large = np.asarray(Image.fromarray(ink).resize((side // 2, side // 2), Image.Resampling.BICUBIC), float) / 255
    sheet = np.zeros((side, side + 60))
    sheet[30 : 30 + side // 2, 100 : 100 + side // 2] = large
    light = paper * (1 - shade * np.linspace(0, 1, sheet.shape[1]))
    grey = light * (1 - sheet) + pen * sheet + np.random.default_rng(0).normal(0, 2, sheet.shape)
    file = io.BytesIO()
    Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("made", [
    {}, {"paper": 20, "pen": 240}, {"shade": 0.5}, {"kind": "JPEG", "side": 900}, {"kind": "WEBP"}, {"kind": "GIF"},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("digit", [2, 5])
def test_a_photo_of_a_digit_becomes_the_digit(made, digit):
    original = drawn_digits.load()[digit]
    steps = own.from_photo("photo", photo(original, **made))
    assert [step.title for step in steps][-1] == "Centre of mass in the middle"
    final = steps[-1].image
    assert final.shape == (28, 28) and final.min() >= 0 and final.max() <= 1
    distances = [np.square(final - other / 255).mean() for other in drawn_digits.load()]
    assert int(np.argmin(distances)) == digit
    assert distances[digit] < 0.03


def test_a_photo_on_its_side_is_turned_as_its_metadata_say():
    original = Image.open(io.BytesIO(photo(drawn_digits.load()[7])))
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    original.rotate(90, expand=True).save(file, "JPEG", exif=exif, quality=95)
    final = own.from_photo("photo.jpg", file.getvalue())[-1].image
    assert np.square(final - drawn_digits.load()[7] / 255).mean() < 0.03


def saved(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


NOISE = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
BAD = {
    "empty.png": (b"", UnreadableFile), "text.png": (b"not a picture at all" * 20, UnreadableFile),
    "torn.png": (photo(drawn_digits.load()[4])[:900], UnreadableFile),
    "torn.jpg": (photo(drawn_digits.load()[4], kind="JPEG")[:300], UnreadableFile),
    "tiny.png": (saved(Image.new("L", (3, 3))), DataError),
    "huge.png": (saved(Image.new("1", (12_000, 12_000))), DataError),
    "white.png": (saved(Image.new("RGB", (200, 200), "white")), DataError),
    "black.png": (saved(Image.new("L", (200, 200), 0)), DataError),
    "clear.png": (saved(Image.new("RGBA", (80, 80), (0, 0, 0, 0))), DataError),
    "line.png": (saved(Image.new("L", (4000, 9), 255)), DataError),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_holds_no_digit_gets_a_sentence(name):
    data, error = BAD[name]
    with pytest.raises(error, match=name.replace(".", r"\.")) as raised:
        own.from_photo(name, data)
    assert ";" in str(raised.value) and "\n" not in str(raised.value)


def test_an_animation_shows_its_first_picture():
    first, second = (Image.open(io.BytesIO(photo(drawn_digits.load()[i]))) for i in (3, 1))
    data = saved(first, "GIF", save_all=True, append_images=[second])
    final = own.from_photo("moving.gif", data)[-1].image
    assert np.square(final - drawn_digits.load()[3] / 255).mean() < 0.03


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_pictures_of_any_mode_are_read(mode):
    source = Image.open(io.BytesIO(photo(drawn_digits.load()[0])))
    kind = "JPEG" if mode == "CMYK" else "PNG"
    image = Image.fromarray(np.asarray(source).astype(np.uint16) * 257) if mode == "I;16" else source.convert(mode)
    final = own.from_photo("photo", saved(image, kind))[-1].image
    assert np.square(final - drawn_digits.load()[0] / 255).mean() < 0.04


def test_noise_without_a_digit_does_not_crash():
    assert own.from_photo("noise.png", saved(Image.fromarray(NOISE)))[-1].image.shape == (28, 28)


def test_a_sketch_is_framed_and_an_empty_one_refused():
    drawn = np.zeros((28, 28), np.float32)
    drawn[1:8, 2:4] = 1
    final = own.from_sketch(drawn)[-1].image
    rows = np.flatnonzero((final > 0.3).any(1))
    assert np.ptp(rows) + 1 == 20
    with pytest.raises(DataError, match="draw"):
        own.from_sketch(np.zeros((28, 28)))
    with pytest.raises(SettingError, match="3"):
        own.from_sketch(np.zeros((3, 3)))


def test_a_digit_goes_through_what_ships_and_the_visitor_s_own(trained):
    digit = drawn_digits.load()[6]
    steps, out = run(own.rebuild(digit, trained[1]["model"]))
    assert list(out) == [*(f"k = {k}" for k in shipped.SIZES), "yours"]
    assert len(steps) == 7
    for entry in out.values():
        assert entry["rebuilt"].shape == (28, 28)
        assert entry["mse"] == pytest.approx(np.square((entry["rebuilt"] - digit / 1.0) / 255).mean(), abs=2e-3)
    assert list(run(own.rebuild(digit))[1]) == [f"k = {k}" for k in shipped.SIZES]
