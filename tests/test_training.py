"""The training loop: determinism, resuming, stopping early, divergence."""

import copy
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from aecore.anomaly.network import FitRecipe, SideBySide, WindowNetwork
from aecore.errors import SettingError, TooFewRows, TrainingDiverged
from aecore.models import AutoEncoder, ConvAutoEncoder1d, NestedAutoEncoder, VariationalAutoEncoder
from aecore.training import evaluate, fit, hardware, rows
from aecore.training.schedules import FLOOR, WARM_UP, Rate


def data(n=300, d=12, seed=0):
    g = torch.Generator().manual_seed(seed)
    return torch.rand(n, 3, generator=g) @ torch.rand(3, d, generator=g) / 3


def vae():
    return VariationalAutoEncoder((12,), hidden=(16,), latent_dim=3, seed=1)


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_the_loss_falls_and_reports_are_complete():
    x = data()
    reports = list(fit(vae(), x[:250], epochs=8, batch_size=50, validation=x[250:], learning_rate=3e-3))
    assert [r.number for r in reports] == list(range(1, 9))
    assert reports[-1].losses["total"] < reports[0].losses["total"]
    assert reports[-1].validation.keys() == {"total", "reconstruction", "kl"}
    assert reports[-1].progress == 1 and all(r.finished and r.seconds > 0 for r in reports)


def test_a_report_is_the_mean_over_the_epoch():
    """With next to no learning rate the epoch's mean is the loss over all rows, the last short batch included."""
    x, model = data(250), AutoEncoder((12,), latent_dim=2)
    expected = model.losses(x)["total"].item()
    (report,) = fit(model, x, epochs=1, batch_size=64, learning_rate=1e-12)
    assert report.losses["total"] == pytest.approx(expected, rel=1e-5)


def test_the_same_seed_gives_the_same_weights():
    x = data()
    trained = []
    for seed in (4, 4, 5):
        model = vae()
        for _ in fit(model, x, epochs=3, seed=seed):
            pass
        trained.append(weights(model))
    assert torch.equal(trained[0], trained[1])
    assert not torch.equal(trained[0], trained[2])


def test_validation_does_not_change_the_training():
    x = data()
    with_it, without = vae(), vae()
    for _ in fit(with_it, x, epochs=3, validation=x[:50]):
        pass
    for _ in fit(without, x, epochs=3):
        pass
    assert torch.equal(weights(with_it), weights(without))


@pytest.mark.parametrize(("patience", "schedule"), [(None, None), (4, None), (None, "cosine")])
def test_a_resumed_training_equals_an_uninterrupted_one(patience, schedule):
    x = data()
    settings = {"epochs": 6, "seed": 2, "validation": x[:40], "patience": patience, "schedule": schedule}
    whole = vae()
    for _ in fit(whole, x, **settings):
        pass
    first = vae()
    for report in fit(first, x, **settings):
        if report.number == 3:
            saved = report.checkpoint()
            break
    resumed = VariationalAutoEncoder((12,), hidden=(16,), latent_dim=3, seed=99)
    numbers = [r.number for r in fit(resumed, x, resume=saved, **settings)]
    assert numbers == [4, 5, 6]
    assert torch.equal(weights(resumed), weights(whole))


def test_a_checkpoint_taken_within_an_epoch_resumes_from_the_epoch_s_start():
    x = data(2000)
    whole, broken, resumed = vae(), vae(), vae()
    for _ in fit(whole, x, epochs=3, batch_size=10):
        pass
    for report in fit(broken, x, epochs=3, batch_size=10, report_every=0.0):
        if report.number == 2 and not report.finished:
            saved = report.checkpoint()
            break
    assert [r.number for r in fit(resumed, x, epochs=3, batch_size=10, resume=saved)] == [2, 3]
    assert torch.equal(weights(resumed), weights(whole))


def test_partial_reports_come_within_an_epoch():
    reports = list(fit(vae(), data(2000), epochs=1, batch_size=10, report_every=0.0))
    assert len(reports) > 10
    assert all(r.validation is None for r in reports)
    assert [r.finished for r in reports] == [False] * (len(reports) - 1) + [True]
    assert all(a.progress < b.progress for a, b in zip(reports, reports[1:], strict=False))


class Exploding(AutoEncoder):
    """Its loss turns NaN at a given call."""

    calls = 0

    def losses(self, batch):
        self.calls += 1
        losses = super().losses(batch)
        return {"total": losses["total"] * float("nan" if self.calls > 12 else 1)}


def test_a_nan_loss_stops_with_a_sentence_and_keeps_the_last_good_weights():
    x = data()
    twin = AutoEncoder((12,), latent_dim=2)
    for _ in fit(twin, x, epochs=2, batch_size=50):
        pass
    model = Exploding((12,), latent_dim=2)
    with pytest.raises(TrainingDiverged, match="loss became nan in epoch 3"):
        for _ in fit(model, x, epochs=9, batch_size=50):
            pass
    assert torch.equal(weights(model), weights(twin))


def test_no_report_holds_a_loss_that_is_not_a_number():
    """Losses are read some batches late; a report reads them all first."""
    reports = fit(Exploding((12,), latent_dim=2), data(), batch_size=5, report_every=0.0)
    assert np.isfinite([next(reports).losses["total"] for _ in range(12)]).all()
    with pytest.raises(TrainingDiverged, match="epoch 1"):
        next(reports)


def test_means_weigh_every_row_alike_however_many_batches_wait():
    values, means = np.random.default_rng(0).random(3 * rows.Means.WAITING + 5).astype(np.float32), rows.Means()
    sizes = np.arange(1, len(values) + 1)
    for value, size in zip(values, sizes, strict=True):
        means.add({"total": torch.tensor(value), "twice": torch.tensor(2 * value)}, torch.zeros(size, 3))
    expected = np.average(values, weights=sizes)
    assert means.values() == pytest.approx({"total": expected, "twice": 2 * expected})


def test_an_absurd_learning_rate_diverges_with_a_sentence_not_with_nan_weights():
    model = AutoEncoder((12,), hidden=(8, 8), latent_dim=2)
    with pytest.raises(TrainingDiverged, match="smaller learning rate"):
        for _ in fit(model, data() * 1e18, epochs=50, learning_rate=1e18):
            pass
    assert torch.isfinite(weights(model)).all()


def test_early_stopping_returns_to_the_best_epoch():
    x = data(60)
    model, losses = AutoEncoder((12,), hidden=(64,), latent_dim=8), []
    noise = torch.rand(40, 12, generator=torch.Generator().manual_seed(0))
    for report in fit(model, x, epochs=400, batch_size=10, learning_rate=1e-2, validation=noise, patience=3):
        losses.append(report.validation["total"])
    assert len(losses) < 400
    assert len(losses) - 1 - losses.index(min(losses)) == 3
    assert evaluate(model, noise)["total"] == pytest.approx(min(losses), rel=1e-6)


def test_a_tuple_is_passed_on_as_a_tuple():
    noisy, clean = data(seed=1), data(seed=2)
    model = AutoEncoder((12,), latent_dim=4)
    reports = list(fit(model, (noisy, clean), epochs=40, batch_size=30, learning_rate=1e-2))
    assert reports[-1].losses["total"] < reports[0].losses["total"]
    assert evaluate(model, (noisy, clean))["total"] == pytest.approx(model.losses((noisy, clean))["total"].item())


def test_leaving_the_loop_cancels():
    model, seen = vae(), 0
    for _ in fit(model, data(), epochs=1000):
        seen += 1
        if seen == 2:
            break
    assert seen == 2


@pytest.mark.parametrize(
    ("x", "settings", "error", "message"),
    [
        (torch.empty(0, 12), {}, TooFewRows, "no rows"),
        (data(), {"epochs": 0}, SettingError, "at least 1, got 0"),
        (data(), {"learning_rate": float("nan")}, SettingError, "learning_rate must be positive"),
        (data(), {"precision": "float16"}, SettingError, "one of float32, fastest, got 'float16'"),
        (data(), {"schedule": "linear"}, SettingError, "one of None, 'cosine', got 'linear'"),
        ((data(5), data(6)), {}, SettingError, "same length"),
    ],
)
def test_unusable_settings_say_so(x, settings, error, message):
    with pytest.raises(error, match=message):
        next(fit(vae(), x, **settings))


def test_the_cosine_schedule_is_pytorch_s_after_its_rise():
    """Held against torch's own schedulers, step by step in the middle of each step."""
    epochs, batches, rate = 10, 40, 3e-3
    steps, rise = epochs * batches, round(WARM_UP * epochs * batches)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2 * (steps - rise), eta_min=FLOOR * rate)
    halves = []
    for _ in range(2 * (steps - rise)):
        halves.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        theirs.step()
    ours = [Rate("cosine", learning_rate=rate, epochs=epochs, batches=batches).at(n, b)
            for n in range(1, epochs + 1) for b in range(batches)]  # fmt: skip
    assert ours[rise:] == pytest.approx(halves[1::2], rel=1e-9)
    assert ours[:rise] == pytest.approx([rate * (i + 0.5) / rise for i in range(rise)])


def test_the_optimizer_steps_at_the_scheduled_rate():
    """Adam's first step moves every weight by the learning rate: one epoch of one batch shows it."""
    model = AutoEncoder((12,), latent_dim=2)
    before = weights(model)
    next(fit(model, data(50), epochs=4, batch_size=50, learning_rate=1e-2, schedule="cosine"))
    expected = Rate("cosine", learning_rate=1e-2, epochs=4, batches=1).at(1, 0)
    assert (weights(model) - before).abs().max() == pytest.approx(expected, rel=1e-3)
    assert expected < 1e-2


def test_a_falling_rate_settles_at_the_optimum():
    """A linear network set to PCA's solution trembles around it where batches disagree, unless the rate falls."""
    x = data(600) + 0.1 * torch.randn(600, 12, generator=torch.Generator().manual_seed(7))
    _, values, components = torch.linalg.svd(x - x.mean(0), full_matrices=False)
    optimum, excess = values[3:].square().sum().item() / x.numel(), {}
    for schedule in (None, "cosine"):
        model = AutoEncoder((12,), hidden=(), latent_dim=3, seed=0)
        model.start_at(x.mean(0), components[:3])
        for _ in fit(model, x, epochs=10, batch_size=20, learning_rate=1e-2, schedule=schedule):
            pass
        excess[schedule] = evaluate(model, x)["total"] - optimum
    assert 0 < excess["cosine"] < 0.1 * excess[None]


@pytest.mark.parametrize(("there", "chosen"), [("cuda", "cuda"), ("mps", "mps"), ("xpu", "cpu"), (None, "cpu")])
def test_a_graphics_processor_is_used_where_there_is_one(monkeypatch, there, chosen):
    found = None if there is None else torch.device(there)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available: found)
    assert hardware.device().type == chosen


class GeneratorElsewhere(torch.Generator):
    """Says that it lives where it was asked to; this machine need not have such a device."""

    def __new__(cls, device="cpu"):
        made = super().__new__(cls)
        made.where = torch.device(device)
        return made

    device = property(lambda self: self.where)


def side_by_side():
    recipe = FitRecipe(latent_dim=2, hidden=3, noise=0.1, absolute=True, epochs=1, batch=8)
    return SideBySide(WindowNetwork(12, latent_dim=2, hidden=3, copies=2), np.ones((9, 12), np.float32), recipe)


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (vae, (5, 12)),
        (lambda: AutoEncoder((12,), latent_dim=2, reconstruction="bce"), (5, 12)),
        (lambda: NestedAutoEncoder((12,), latent_dim=4), (5, 12)),
        (lambda: NestedAutoEncoder((12,), latent_dim=4, sizes="octaves"), (5, 12)),
        (lambda: ConvAutoEncoder1d((2, 16), hidden=(4,), latent_dim=3), (5, 2, 16)),
        (side_by_side, None),
    ],
)
def test_all_that_a_model_computes_with_goes_to_the_device(monkeypatch, make, shape):
    """PyTorch's meta device computes shapes only, but refuses what lies elsewhere, as a GPU does."""
    monkeypatch.setattr(torch, "Generator", GeneratorElsewhere)
    model = make()
    placed = hardware.place(model, torch.device("meta"))
    batch = torch.empty(shape, device="meta") if shape else torch.zeros(8, 2, dtype=torch.int64, device="meta")
    losses = placed.losses(batch)
    losses["total"].backward()
    assert {value.device.type for value in losses.values()} == {"meta"}
    assert {p.grad.device.type for p in placed.parameters()} == {"meta"}
    assert {p.device.type for p in model.parameters()} == {"cpu"}
    if hasattr(model, "noise"):
        assert placed.noise.device.type == "meta" and model.noise.device.type == "cpu"


def test_a_training_on_a_copy_keeps_its_owner_up_to_date(monkeypatch):
    """A GPU trains a copy; with the copy on the CPU it must come to the same as without one, at every report."""
    x, held_out = data(), data(60, seed=3)
    settings = {"epochs": 3, "validation": held_out, "batch_size": 50}
    direct, expected = vae(), []
    for report in fit(direct, x, **settings):
        expected.append((weights(direct), report.losses, report.validation))
    copied, seen, saved = vae(), [], []
    monkeypatch.setattr(hardware, "place", lambda model, on: copy.deepcopy(model, {id(model.noise): torch.Generator()}))
    for report in fit(copied, x, **settings):
        seen.append((weights(copied), report.losses, report.validation))
        saved.append(report.checkpoint())
    assert all(torch.equal(a[0], b[0]) and a[1:] == b[1:] for a, b in zip(seen, expected, strict=True))
    assert torch.equal(weights(copied), weights(direct)) and not copied.training
    resumed = vae()
    assert len(list(fit(resumed, x, resume=saved[1], **settings))) == 1
    assert torch.equal(weights(resumed), weights(direct))


def test_a_diverged_copy_leaves_its_owner_the_last_good_weights(monkeypatch):
    model = Exploding((12,), latent_dim=2)
    monkeypatch.setattr(hardware, "place", lambda model, on: copy.deepcopy(model))
    reports = fit(model, data(), epochs=9, batch_size=50)
    good = [weights(model) for _ in (next(reports), next(reports))][-1]
    with pytest.raises(TrainingDiverged, match="epoch 3"):
        next(reports)
    assert torch.equal(weights(model), good)


def test_large_sets_travel_batch_by_batch(monkeypatch):
    x = data(50)
    whole = torch.cat(list(rows.Rows(x, torch.device("meta")).in_order(20)))
    assert whole.device.type == "meta" and whole.shape == x.shape
    monkeypatch.setattr(rows, "RESIDENT", 100)
    far = rows.Rows((x, x), torch.device("meta"))
    assert far._tensors[0] is x
    assert [tuple(t.device.type for t in batch) for batch in far.in_order(20)] == [("meta", "meta")] * 3


def test_the_processor_is_asked_for_bfloat16():
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        pytest.skip("only Linux says in a file what the processor can do")
    flags = set(cpuinfo.read_text().split())
    assert hardware.has_bfloat16() == bool(flags & {"amx_bf16", "avx512_bf16"})


@pytest.mark.parametrize(
    ("native", "seconds", "chosen"),
    [
        (True, {torch.float32: 3.0, torch.bfloat16: 1.0}, "bfloat16"),
        (True, {torch.float32: 1.1, torch.bfloat16: 1.0}, "float32"),
        (False, {torch.float32: 3.0, torch.bfloat16: 1.0}, "float32"),
    ],
)
def test_bfloat16_is_taken_where_it_is_native_and_measured_faster(monkeypatch, native, seconds, chosen):
    monkeypatch.setattr(hardware, "has_bfloat16", lambda: native)
    monkeypatch.setattr(hardware, "_seconds_a_step", lambda model, batch, dtype: seconds[dtype])
    for setting, expected in (("fastest", chosen), ("float32", "float32")):
        report = next(fit(vae(), data(20), precision=setting))
        assert report.hardware == f"cpu, {expected}" and report.checkpoint()["precision"] == expected


def test_measuring_the_precision_does_not_touch_the_training(monkeypatch):
    monkeypatch.setattr(hardware, "has_bfloat16", lambda: True)
    monkeypatch.setattr(hardware, "MARGIN", float("inf"))  # measured, and never good enough
    measured, plain = vae(), vae()
    for model, setting in ((measured, "fastest"), (plain, "float32")):
        for _ in fit(model, data(), epochs=2, precision=setting):
            pass
    assert torch.equal(weights(measured), weights(plain))


def test_bfloat16_learns_as_well_and_keeps_its_sums_in_float32(monkeypatch):
    """Emulated where the processor has none: slower, but with the same digits."""
    x, ends = data(), {}
    monkeypatch.setattr(hardware, "has_bfloat16", lambda: True)
    monkeypatch.setattr(hardware, "MARGIN", 0.0)  # whatever was measured
    for setting in ("fastest", "float32"):
        model = vae()
        reports = list(fit(model, x, epochs=6, batch_size=30, learning_rate=3e-3, precision=setting))
        assert {p.dtype for p in model.parameters()} == {torch.float32}
        ends[setting] = evaluate(model, x)["total"]
    assert ends["fastest"] != ends["float32"]
    assert ends["fastest"] == pytest.approx(ends["float32"], rel=5e-3)
    with hardware.computing_in(torch.bfloat16):
        assert model.encoder(x).dtype is torch.bfloat16
        assert {value.dtype for value in model.losses(x).values()} == {torch.float32}
    assert reports[-1].hardware == "cpu, float32"


def test_a_resumed_training_keeps_its_precision(monkeypatch):
    monkeypatch.setattr(hardware, "has_bfloat16", lambda: True)
    monkeypatch.setattr(hardware, "MARGIN", 0.0)
    whole, first, resumed = vae(), vae(), vae()
    for _ in fit(whole, data(), epochs=3, precision="fastest"):
        pass
    saved = next(fit(first, data(), epochs=3, precision="fastest")).checkpoint()
    reports = list(fit(resumed, data(), epochs=3, resume=saved))
    assert {r.hardware for r in reports} == {"cpu, bfloat16"}
    assert torch.equal(weights(resumed), weights(whole))


class Pictures(torch.nn.Module):
    """One convolution there and one back."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.into, self.out = torch.nn.Conv2d(3, 4, 3, padding=1), torch.nn.ConvTranspose2d(4, 3, 3, padding=1)
        for p in self.parameters():
            torch.nn.init.normal_(p, 0, 0.1, generator=generator)

    def losses(self, batch):
        return {"total": (self.out(self.into(batch).relu()) - batch).square().mean()}


def test_convolutions_over_pictures_are_trained_channels_last_and_given_back_as_they_were(monkeypatch):
    x = torch.rand(40, 3, 6, 5, generator=torch.Generator().manual_seed(0))
    model, plain = Pictures(), Pictures()
    for report in fit(model, x, epochs=2, batch_size=10, learning_rate=1e-2):
        assert model.into.weight.is_contiguous(memory_format=torch.channels_last)
        assert report.checkpoint()["weights"]["into.weight"].flags.c_contiguous
    assert all(p.is_contiguous() for p in model.parameters())
    monkeypatch.setattr(hardware, "place", lambda model, on: model)
    for _ in fit(plain, x, epochs=2, batch_size=10, learning_rate=1e-2):
        pass
    assert torch.allclose(weights(model), weights(plain), rtol=1e-4, atol=1e-6)


FAULTS = """
import resource, torch
from aecore.training import hardware
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        torch.empty(2**19).fill_(1.0)  # 2 MiB, as the gradient of a wide layer
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
trimmed = faults()
hardware.keep_freed_memory()
faults()
print(trimmed, faults())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what glibc does with freed memory")
def test_freed_memory_is_kept_where_the_environment_would_have_it_trimmed():
    """As in Dask's workers, whose environment says so."""
    environment, root = {**os.environ, "MALLOC_TRIM_THRESHOLD_": "65536"}, Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", FAULTS], env=environment, cwd=root, capture_output=True, check=True)
    trimmed, kept = map(int, done.stdout.split())
    assert kept < 50 < 1000 < trimmed
