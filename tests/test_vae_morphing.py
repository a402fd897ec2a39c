"""VAE morphing's core: training, standard units, walks, gradients; held against torch and the formulas."""

import subprocess
import sys
from pathlib import Path

import altair as alt
import numpy as np
import pytest
import torch
from scipy.interpolate import RegularGridInterpolator
from scipy.stats import chi2
from torch.distributions import Normal, kl_divergence

from aecore import latent, store
from aecore.concepts import vae_morphing as morphing
from aecore.concepts.latent_training import Plan, checkpoint, place_codes, resumable, train_by
from aecore.concepts.vae_morphing import pictures, training
from aecore.concepts.vae_morphing import reparameterisation as moved
from aecore.concepts.vae_morphing.beta import load_pretrained
from aecore.concepts.vae_morphing.training import MorphingSettings, train
from aecore.data.datasets import digits
from aecore.errors import SettingError
from aecore.figures import vae_morphing as figures
from aecore.figures.palette import LIGHT
from aecore.jobs import Cancelled
from aecore.models import AutoEncoder, VariationalAutoEncoder, to_tree
from aecore.numerics.dense import decoder_of, encoder_of
from aecore.numerics.progress import finish
from aecore.training import fit

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def trained():
    """A few epochs on the digits that ship: the steps and the finished tree."""
    task, steps = train(MorphingSettings(kind="digits", epochs=12, width=64)), []
    return steps, store.loads(store.dumps(finish(task, steps.append)))


@pytest.fixture(scope="module")
def made(trained):
    return morphing.from_tree(trained[1])


def test_training_reports_both_networks_and_their_codes_every_epoch(trained):
    steps, _ = trained
    assert [step["part"] for step in steps] == [morphing.PLAIN] * 12 + [morphing.VAE] * 12
    assert [step["progress"] for step in steps] == sorted(step["progress"] for step in steps)
    for part in (steps[:12], steps[12:]):
        assert part[-1]["reconstruction"] < part[0]["reconstruction"]
        assert part[-1]["codes"].shape == (1000, 2)
    assert steps[0]["kl"] == steps[0]["spread"] == 0
    assert 0 < steps[-1]["spread"] < 2
    last = steps[-1]
    assert last["loss"] == pytest.approx(last["reconstruction"] + last["kl"], rel=1e-5)


def test_the_maps_measure_what_torch_does(made):
    test = pictures.flat(pictures.digits_data().test)
    told = torch.from_numpy(made.vae.encoder(test))
    mu, logvar = told.chunk(2, -1)
    kl = kl_divergence(Normal(mu, (0.5 * logvar).exp()), Normal(0.0, 1.0)).sum(1).mean()
    assert made.vae.kl == pytest.approx(float(kl), rel=1e-2)  # the weights were stored at half precision
    decoded = made.plain.decoder(made.plain.encoder(test))
    nats = torch.nn.functional.binary_cross_entropy(torch.from_numpy(decoded), torch.from_numpy(test.copy()))
    assert made.plain.reconstruction == pytest.approx(float(nats) * 64, rel=1e-2)
    assert made.shape == (8, 8)
    assert len(made.examples) == 50


def test_the_plain_autoencoder_s_codes_are_in_standard_units(made):
    codes = made.plain.encoder(pictures.flat(pictures.digits_data().train))
    np.testing.assert_allclose(codes.mean(0), 0, atol=0.02)
    np.testing.assert_allclose(np.cov(codes.T), np.eye(2), atol=0.03)


def test_folding_leaves_the_reconstruction_as_it_was():
    tree = to_tree(AutoEncoder((8, 8), hidden=(16,), latent_dim=2, activation="silu"))
    x = pictures.flat(digits.load().images[:100])
    encoder, decoder = encoder_of(tree), decoder_of(tree)
    into, out, codes = morphing.fold_whitening(encoder, decoder, encoder(x))
    np.testing.assert_allclose(out(into(x)), decoder(encoder(x)), atol=1e-4)
    np.testing.assert_allclose(into(x), codes, atol=1e-3)


def test_hole_map_and_share_are_recounted_from_the_weights(made):
    data = pictures.digits_data()
    reference = pictures.references(data)
    assert made.reference == pytest.approx(reference.limit)
    for plane in (made.plain, made.vae):
        corner = plane.decoder(np.array([[-made.span, -made.span]], np.float32))
        expected = np.linalg.norm(pictures.flat(data.train) - corner, axis=1).min() / reference.limit
        assert plane.holes[0, 0] == pytest.approx(expected, rel=0.02)
        assert plane.hole_share == pytest.approx(latent.hole_share(plane.decoder, reference), abs=0.02)


def test_encoding_a_drawing_gives_mean_spread_and_reconstruction(made):
    drawing = np.kron(digits.load().images[:3], np.ones((1, 4, 4), np.float32))[:, 2:30, 2:30]  # [3, 28, 28]
    for plane, spread in ((made.vae, True), (made.plain, False)):
        encoded = morphing.encode(plane, drawing)
        assert encoded.mu.shape == encoded.sigma.shape == (3, 2)
        assert (encoded.sigma > 0).all() == spread
        assert encoded.reconstruction.shape == (3, 8, 8)
        np.testing.assert_allclose(encoded.reconstruction, morphing.decode(plane, encoded.mu))


def test_shrinking_a_picture_averages_it():
    picture = np.random.default_rng(0).random((2, 28, 28), dtype=np.float32)
    np.testing.assert_allclose(pictures.resize(picture, (7, 7)), picture.reshape(2, 7, 4, 7, 4).mean((2, 4)), rtol=1e-5)
    assert pictures.resize(picture, (8, 8)).mean() == pytest.approx(picture.mean(), rel=1e-4)


def test_digits_are_brought_to_mnist_s_size_and_place():
    images = pictures.as_mnist(digits.load().images[:20])
    assert images.shape == (20, 28, 28)
    place = np.indices((28, 28)) - 13.5
    for image in images:
        assert np.abs((place * image).sum((1, 2)) / image.sum()).max() < 0.6
        rows, columns = np.flatnonzero(image.max(1) > 0.2), np.flatnonzero(image.max(0) > 0.2)
        assert 18 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 22
    assert pictures.as_mnist(np.zeros((1, 8, 8), np.float32)).max() == 0


def test_a_walk_starts_and_ends_where_it_should(made):
    start, end = np.array([-1.0, 0.5]), np.array([1.0, 1.0])
    walk = morphing.walk(made.vae, start, end, 5)
    for rows in (walk.straight_images, walk.spherical_images):
        np.testing.assert_allclose(rows[0], morphing.decode(made.vae, start[None])[0], atol=1e-5)
        np.testing.assert_allclose(rows[-1], morphing.decode(made.vae, end[None])[0], atol=1e-5)


def test_the_grid_s_first_picture_is_far_left_and_high(made):
    grid = morphing.grid(made.vae, 3)
    assert grid.shape == (3, 3, 8, 8)
    corner = latent.quantile_grid(3)[0]
    assert corner[0] < 0 < corner[1]
    np.testing.assert_allclose(grid[0, 0], morphing.decode(made.vae, corner[None])[0], rtol=1e-4, atol=1e-6)


def test_samples_are_drawn_from_the_standard_normal(made):
    codes, images = morphing.samples(made.vae, 2000, seed=1)
    np.testing.assert_allclose(codes.mean(0), 0, atol=0.1)
    np.testing.assert_allclose(codes.std(0), 1, atol=0.1)
    assert images.shape == (2000, 8, 8)


# ---------------------------------------------------------------------- the noise moved aside
@pytest.mark.parametrize("activation", ["relu", "silu", "tanh"])
def test_the_gradients_are_autograd_s(activation):
    model = VariationalAutoEncoder((4, 4), hidden=(12, 8), latent_dim=2, activation=activation, seed=2).double()
    image = np.random.default_rng(0).random((4, 4)).astype(np.float32)
    mu, sigma = torch.tensor([0.3, -0.8], dtype=torch.float64), torch.tensor([0.5, 0.2], dtype=torch.float64)
    measured = moved.gradients(decoder_of(to_tree(model)), image, mu.numpy(), sigma.numpy(), draws=64, seed=3)
    eps = torch.from_numpy(np.random.default_rng(3).standard_normal((64, 2)))
    mu.requires_grad_(), sigma.requires_grad_()
    x = torch.from_numpy(image).double().expand(64, 4, 4)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(model.decoder(mu + sigma * eps), x, reduction="sum")
    (loss / 64).backward()
    np.testing.assert_allclose(measured.mu[moved.MOVED].mean, mu.grad, rtol=1e-4)
    np.testing.assert_allclose(measured.sigma[moved.MOVED].mean, sigma.grad, rtol=1e-4)


def test_differences_agree_the_score_is_noisier_and_a_drawn_number_knows_nothing(made):
    told = morphing.encode(made.vae, made.examples[:1])
    found = moved.gradients(made.vae.decoder, made.examples[0], told.mu[0], told.sigma[0], draws=4000)
    for by in (found.mu, found.sigma):
        np.testing.assert_allclose(by[moved.DIFFERENCES].mean, by[moved.MOVED].mean, rtol=1e-2, atol=1e-2)
        error = 5 * by[moved.SCORE].spread / np.sqrt(4000)
        assert (np.abs(by[moved.SCORE].mean - by[moved.MOVED].mean) < error).all()
        assert (by[moved.SCORE].spread > by[moved.MOVED].spread).all()
        assert (by[moved.BLOCKED].mean == 0).all()


def test_torch_too_blocks_what_was_drawn_and_passes_what_was_moved_aside():
    mu = torch.zeros(2, requires_grad=True)
    assert not torch.normal(mu, 1.0).detach().requires_grad
    assert (mu + torch.randn(2, generator=torch.Generator().manual_seed(0))).requires_grad


def test_no_library_of_figures_or_tables_stands_before_the_pad():
    seen = "import sys, pages.ui.training, pages.ui.vae_morphing.closer; print({'altair', 'pandas'} & {*sys.modules})"
    told = subprocess.run([sys.executable, "-c", seen], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"


def test_the_figures_of_a_training_exchange_rows_and_keep_their_specification(trained):
    steps = [step for step in trained[0] if step["part"] == morphing.VAE]
    early, late = (figures.falling(steps[:n], LIGHT) for n in (3, 12))
    assert early.spec is late.spec and alt.Chart.from_dict(late.spec).encoding.x.scale.domain == [1, 12]
    rows = late.tables["losses"].to_pandas()
    assert rows[rows["of"] == "KL"]["nats"].tolist() == [step["kl"] for step in steps]
    sweep = figures.forces((0.0, 1.0), np.array([40.0, 45.0]), np.array([20.0, 7.0]), 1, LIGHT)
    whole = alt.Chart.from_dict({"data": {"values": []}} | sweep.spec).to_dict()  # which checks it
    assert whole["layer"][1]["encoding"]["x"]["sort"] == ["0", "1"]
    assert sweep.tables["today"].to_pylist() == [{"beta": "1"}] and sweep.tables["forces"].num_rows == 4
    drawn = figures.codes(np.array([[0.0, 1.0], [9.0, 0.0]]), np.array([3, 4]), morphing.SPAN, LIGHT)
    assert drawn.tables["codes"].to_pylist() == [{"x": 0.0, "y": 1.0, "kind": 3}]
    assert alt.Chart.from_dict(drawn.spec).encoding.color.scale.range == list(LIGHT.classes)


# ---------------------------------------------------------------------- training by a plan
def test_the_kl_term_is_let_in_gradually_and_beta_ends_where_it_was():
    model = VariationalAutoEncoder((8, 8), hidden=(8,), latent_dim=2, beta=4.0)
    x = torch.from_numpy(digits.load().images[:64].copy())
    seen = [model.beta for _ in train_by(Plan(((1e-3, 3), (1e-4, 2)), 32, warm_up=3), model, x)]
    assert seen == [1.0, 2.0, 3.0, 4.0, 4.0]
    assert model.beta == 4.0


@pytest.mark.parametrize("reached", [1, 2, 3])  # 2: between two stages
def test_a_training_that_was_cut_off_ends_as_if_it_had_not_been(monkeypatch, tmp_path, reached):
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path))
    x = torch.from_numpy(digits.load().images[:96].copy())
    plan = Plan(((1e-3, 2), (1e-4, 2)), 32, warm_up=1)

    def fresh():
        return VariationalAutoEncoder((8, 8), hidden=(8,), latent_dim=2)

    whole = fresh()
    steps = list(train_by(plan, whole, x))
    assert [checkpoint(plan, step)["stage"] for step in steps] == [0, 0, 1, 1]
    cut = resumable("cut", plan, fresh(), x)
    for _ in range(reached):
        next(cut)
    cut.close()
    again = fresh()
    assert [step["epoch"] for step in resumable("cut", plan, again, x)] == list(range(reached + 1, 5))
    for name, weights in whole.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], weights)
    kept = fresh()
    assert list(resumable("cut", plan, kept, x)) == []
    torch.testing.assert_close(kept.state_dict(), again.state_dict())


@pytest.mark.parametrize("wrong", [{"kind": "faces"}, {"beta": 9.0}, {"epochs": 0}, {"width": 4}])
def test_settings_say_what_they_do_not_take(wrong):
    (value,) = wrong.values()
    with pytest.raises(SettingError, match=str(value)):
        MorphingSettings(**wrong)
    with pytest.raises(SettingError, match="faces"):
        morphing.load_pretrained("faces")


def test_a_short_training_keeps_its_three_stages_or_as_many_as_fit():
    assert training.Live(130, 32, 1.0).plan().stages == ((1.0, 65), (0.25, 43), (0.0625, 22))
    assert training.Live(1, 32, 1.0).plan().stages == ((1.0, 1),)
    assert training.Live(130, 32, 1.0, "cosine", 0.2).plan() == Plan(((1.0, 130),), 32, 26, "cosine")


@pytest.mark.parametrize("name", [morphing.PLAIN, morphing.VAE])
def test_codes_are_brought_to_their_places_and_read_there(name):
    x = torch.from_numpy(pictures.shapes_data().train[:120].copy())
    places = torch.from_numpy(latent.neighbour_map(x.numpy()))
    model = training.new_model(name, (28, 28), 64, 1.0, 0)
    reports = list(place_codes(model, x, places, epochs=40, batch=30, rate=4e-3))
    assert (model.encode(x) - places).square().mean() < 0.02 * places.square().mean()
    assert reports[-1].losses["reconstruction"] < 0.5 * reports[0].losses["reconstruction"]


def test_a_schedule_is_spread_over_the_stage_while_beta_rises_in_calls_of_an_epoch():
    x = torch.from_numpy(pictures.digits_data().train[:96])
    once, parts = (AutoEncoder((8, 8), hidden=(16,), latent_dim=2, seed=0) for _ in range(2))
    list(fit(once, x, epochs=6, batch_size=32, learning_rate=1e-2, schedule="cosine"))
    list(train_by(Plan(((1e-2, 6),), 32, warm_up=3, schedule="cosine"), parts, x))
    for ours, theirs in zip(parts.parameters(), once.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


# ---------------------------------------------------------------------- what ships
@pytest.mark.parametrize("kind", morphing.KINDS)
def test_what_ships_rebuilds_its_examples_and_has_fewer_holes_in_the_vae(kind):
    made = morphing.load_pretrained(kind)
    assert made.shape == (28, 28)
    assert set(made.example_labels) == set(range(len(made.names)))
    blank = ((made.examples - made.examples.mean(0)) ** 2).mean()
    for plane in (made.plain, made.vae):
        assert len(plane.codes) == len(plane.labels) <= 10_000
        assert ((morphing.encode(plane, made.examples).reconstruction - made.examples) ** 2).mean() < blank
        assert latent.knn_accuracy(plane.codes, plane.labels) > 0.7
    assert (made.vae.holes > 1).mean() <= (made.plain.holes > 1).mean()
    assert made.vae.hole_share <= made.plain.hole_share


@pytest.mark.parametrize("kind", morphing.KINDS)
def test_more_beta_costs_reconstruction_and_saves_kl(kind):
    swept = load_pretrained(kind)
    assert swept.betas[0] == 0
    assert swept.betas[-1] == 8
    assert (np.diff(swept.kl) < 0).all()
    assert swept.reconstruction[-1] > swept.reconstruction[1]
    assert swept.spread[0] < swept.spread[-1] < 1.1
    count = len(swept.betas)
    assert swept.codes.shape == (count, len(swept.labels), 2)
    assert swept.decoded.shape[:2] == (count, 25)
    assert swept.rebuilt.shape == (count, *swept.inputs.shape)
    with pytest.raises(SettingError, match="faces"):
        load_pretrained("faces")


def test_the_deepest_hole_decodes_what_no_real_picture_resembles():
    made = morphing.load_pretrained("shapes")
    place = morphing.deepest_hole(made.plain, made.span)
    assert np.hypot(*place) <= np.sqrt(chi2.ppf(latent.CENTRAL, 2)) + 1e-9
    reference = pictures.references(training.MorphingSettings(kind="shapes").data())
    picture = made.plain.decoder(np.array([place], np.float32))
    assert reference.strangeness(picture)[0] > 1.2


def test_a_cancelled_training_gives_both_networks_once_the_vae_has_begun():
    task = train(MorphingSettings(kind="digits", epochs=2, width=32))
    assert next(task)["part"] == morphing.PLAIN
    with pytest.raises(Cancelled):
        task.throw(Cancelled())
    task = train(MorphingSettings(kind="digits", epochs=2, width=32))
    while next(task)["part"] != morphing.VAE:
        pass
    with pytest.raises(StopIteration) as end:
        task.throw(Cancelled())
    found = morphing.from_tree(end.value.value)
    assert np.isfinite(found.vae.codes).all()
    assert found.vae.codes.shape == found.plain.codes.shape


def test_distances_between_the_nodes_of_a_hole_map_are_bilinear():
    made = morphing.load_pretrained("shapes")
    axis = np.linspace(-made.span, made.span, len(made.plain.holes))
    codes = np.random.default_rng(0).uniform(-made.span, made.span, (200, 2))
    expected = RegularGridInterpolator((axis, axis), made.plain.holes)(codes[:, ::-1])
    np.testing.assert_allclose(morphing.distance_to_data(made.plain, codes, made.span), expected, rtol=1e-5)
    beyond, edge = np.array([[99.0, -99.0]]), np.array([[made.span, -made.span]])
    distances = [morphing.distance_to_data(made.plain, at, made.span)[0] for at in (beyond, edge)]
    assert distances[0] == distances[1] == pytest.approx(made.plain.holes[0, -1])
