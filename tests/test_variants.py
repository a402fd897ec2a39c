"""The Variants page's core: its measures against independent oracles, what ships against a run anew."""

import base64
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.linalg import sqrtm

from aecore import latent, store
from aecore.concepts import variants as core
from aecore.concepts.mnist_compression.own_digit import from_photo
from aecore.concepts.variants import KINDS, NAMES, PCA, VariantNetwork, VariantSettings, networks, own, training
from aecore.concepts.variants import measure as measures
from aecore.concepts.variants import tables as views
from aecore.data.datasets import digits
from aecore.errors import DataError, SettingError
from aecore.figures import ink
from aecore.figures import variants as figures
from aecore.figures.palette import LIGHT
from aecore.jobs import Cancelled
from aecore.numerics.progress import finish

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def data():
    return training.load("digits")


@pytest.fixture(scope="module")
def made():
    return core.load_pretrained()


def ended(task):
    steps = []
    return steps, finish(task, steps.append)


# ---------------------------------------------------------------------- measures
def test_the_frechet_distance_agrees_with_scipy_s_matrix_root():
    a = RNG.normal(size=(500, 6)) @ RNG.normal(size=(6, 6))
    b = RNG.normal(size=(400, 6)) @ RNG.normal(size=(6, 6)) + 1
    one, two, mean = np.cov(a.T), np.cov(b.T), a.mean(0) - b.mean(0)
    expected = mean @ mean + np.trace(one + two - 2 * np.real(sqrtm(one @ two)))
    assert measures.frechet(a, b) == pytest.approx(expected, rel=1e-6)
    assert measures.frechet(a, a) == pytest.approx(0, abs=1e-6)
    assert measures.frechet(a, a + 2) == pytest.approx(6 * 4)


def test_selectivity_is_one_for_a_unit_of_one_digit_and_none_for_a_constant():
    labels = np.repeat(np.arange(5), [10, 20, 30, 10, 10])
    codes = np.stack([(labels == 2) * -3.0, np.ones(80), 1.0 + (labels == 1)], 1)
    np.testing.assert_allclose(measures.selectivity(codes, labels), [1, 0, 1 / 3], atol=1e-6)


def test_units_in_use_and_active_are_counted():
    codes = np.zeros((100, 4), np.float32)
    codes[:, 0] = RNG.normal(size=100)
    codes[:10, 1] = 5
    codes[:, 2] = 3  # always on, never varies
    codes[:, 3] = 1e-3 * RNG.normal(size=100)
    assert measures.in_use(codes).tolist() == [True, True, False, False]
    assert measures.in_use(codes, 100.0).tolist() == [False] * 4  # a code that has collapsed against its prior
    assert measures.active(codes)[:, 1].sum() == 10


def test_a_jolt_moves_a_linear_code_as_far_as_its_jacobian_says(data):
    row = training.make_pca(data, core.load_pretrained().classifier, 0).row
    assert row["sensitivity"] == pytest.approx(row["jacobian"], rel=0.02)
    assert row["norm"] == pytest.approx(4)  # sixteen orthonormal directions
    x = data.test - data.x.mean(0)
    assert row["mse"] == pytest.approx(float(((x - x @ _directions(data.x, 16)) ** 2).mean()), rel=1e-4)


def _directions(x, k):
    axes = np.linalg.svd(x - x.mean(0), full_matrices=False)[2][:k]
    return axes.T @ axes


def test_samples_have_the_moments_of_the_codes_that_they_stand_for(data):
    pca = latent.Principal.fit(data.x, 4)
    drawn = measures.samples(VariantNetwork(pca, pca, 4), data.corrupt_test(0), 4000, prior=False)
    np.testing.assert_allclose(drawn.mean(0), np.clip(data.x.mean(0), 0, 1), atol=0.06)


# ---------------------------------------------------------------------- networks
@pytest.mark.parametrize("kind", [core.CONVOLUTIONAL, core.TOP, core.KL, core.VAE, core.CONDITIONAL])
def test_a_network_in_numpy_is_the_one_in_torch(kind, data):
    settings = VariantSettings(kind=kind)
    model = networks.build(settings).model.eval()
    x, told = data.test[:20], data.test_labels[:20]
    pictures, labels = torch.from_numpy(x).reshape(-1, 1, 8, 8), torch.from_numpy(told)
    given = (labels,) if kind == core.CONDITIONAL else ()
    network = networks.to_network(model, settings)
    with torch.no_grad():
        z = model.encode(pictures, *given)
        rebuilt = model.decode(z, *given).flatten(1)
    codes = network.encode(x, told)
    np.testing.assert_allclose(codes, z, atol=1e-5)
    np.testing.assert_allclose(network.decode(codes, told), rebuilt, atol=1e-5)
    twin = VariantNetwork.from_tree(store.loads(store.dumps(network.to_tree())))
    np.testing.assert_allclose(twin.decode(twin.encode(x, told), told), rebuilt, atol=1e-2)


def test_every_kind_costs_about_the_same_and_has_its_own_objective(data):
    sizes, losses = {}, {}
    x = torch.from_numpy(data.x[:64]).reshape(-1, 1, 8, 8)
    labels = torch.from_numpy(data.labels[:64])
    for kind in KINDS:
        parts = networks.build(VariantSettings(kind=kind))
        sizes[kind] = parts.model.num_parameters
        batch = (x, labels) if kind == core.CONDITIONAL else x
        losses[kind] = parts.trained.losses(batch)["total"].item()
    assert max(sizes.values()) < 2 * min(sizes.values())
    assert len(set(losses.values())) == len(KINDS)


def test_a_conditional_network_must_be_told(made, data):
    with pytest.raises(SettingError, match="must be told"):
        made.networks[core.CONDITIONAL].encode(data.test[:2])


# ---------------------------------------------------------------------- what ships
def test_every_variant_ships_with_five_seeds_and_every_measure(made):
    for name in NAMES:
        rows = [row for row in made.rows if row["variant"] == name]
        assert sorted(row["seed"] for row in rows) == list(range(5))
        assert all(np.isfinite(row[m.key]) for row in rows for m in measures.MEASURES)
    assert set(made.sweeps) == {kind.name for kind in KINDS.values() if kind.varies}
    for name, sweep in made.sweeps.items():
        assert sweep.weights == KINDS[name].weights
        assert [row["weight"] for row in sweep.rows] == list(sweep.weights)


def test_the_networks_that_ship_are_those_of_the_table(made, data):
    for name in NAMES:
        network = made.networks[name]
        row = next(row for row in made.rows if row["variant"] == name and row["seed"] == 0)
        back = network.decode(network.encode(data.test, data.test_labels), data.test_labels)
        assert ((back - data.test) ** 2).mean() == pytest.approx(row["mse"], rel=0.02)


def test_a_row_trained_anew_is_the_row_that_ships(made, data):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as it was made
    try:
        _, again = ended(training.make(VariantSettings(kind=core.MASKING), data, made.classifier))
    finally:
        torch.set_num_threads(threads)
    row = next(row for row in made.rows if row["variant"] == core.MASKING and row["seed"] == 0)
    for measure in measures.MEASURES:
        if measure.key != "seconds":  # another processor rounds differently, and 920 steps make more of it
            assert again.row[measure.key] == pytest.approx(row[measure.key], rel=0.06, abs=0.02), measure.key


def test_what_is_claimed_of_the_variants_is_so(made):
    mean = {
        m.key: {name: np.mean(v) for name, v in views.by_variant(made.rows, m.key).items()} for m in measures.MEASURES
    }
    assert mean["noise"][core.GAUSSIAN] == min(mean["noise"].values())
    assert mean["mask"][core.MASKING] == min(mean["mask"].values())
    assert mean["mse"][core.PLAIN] == min(mean["mse"].values())
    assert mean["sensitivity"][core.CONTRACTIVE] < mean["sensitivity"][core.PLAIN]
    assert mean["active"][core.L1] < 0.5 * mean["active"][core.PLAIN]
    assert mean["used"][core.BETA] < mean["used"][core.VAE]
    assert mean["sensitivity"][core.GAUSSIAN] < mean["sensitivity"][core.CONTRACTIVE]
    assert mean["noise"][core.PLAIN] > mean["noise"][PCA]
    assert mean["noise"][core.MASKING] > mean["noise"][core.PLAIN]
    assert mean["selectivity"][core.L1] > 1.8 * mean["selectivity"][core.PLAIN]
    assert mean["frechet"][core.PLAIN] < mean["frechet"][core.CONDITIONAL] < mean["frechet"][core.VAE]
    assert mean["knn"][core.CONDITIONAL] == min(mean["knn"].values())
    assert mean["parameters"][core.CONVOLUTIONAL] == min(mean["parameters"][name] for name in KINDS)
    for sweep, key in ((core.L1, "active"), (core.CONTRACTIVE, "sensitivity"), (core.BETA, "used")):
        rows = made.sweeps[sweep].rows
        assert rows[-1][key] < rows[0][key]


def test_a_live_training_reports_and_comes_back_from_the_store():
    steps, tree = ended(training.train(VariantSettings(kind=core.CONTRACTIVE, weight=0.1, epochs=3, seed=5)))
    assert [s["epoch"] for s in steps] == [1, 2, 3]
    assert steps[0]["rebuilt"].shape == (10, 8, 8)
    again = store.loads(store.dumps(tree))
    assert again["losses"][-1] < again["losses"][0]
    assert again["row"]["weight"] == 0.1
    assert core.VariantPictures(**again["shown"]).exciting.shape == (16, 8, 8)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "Transformer"}, "kind must be one of"),
        ({"kind": core.L1, "weight": 7.0}, "λ must be in 0..0.6, got 7"),
        ({"epochs": 0}, "epochs must be in 1..100, got 0"),
        ({"source": "letters"}, "source must be one of digits, mnist"),
    ],
)
def test_settings_out_of_range_say_so(settings, message):
    with pytest.raises(SettingError, match=message):
        VariantSettings(**settings)


# ---------------------------------------------------------------------- a visitor's own, tables and figures
def test_a_digit_enlarged_comes_back_as_it_was():
    images = digits.load().images
    wide = next(image for image in images if (image.max(0) > 0).all() and image.mean() > own.INK)
    np.testing.assert_allclose(own.to_eight(np.kron(wide, np.ones((4, 4)))), wide, atol=0.01)


def test_a_picture_too_small_for_a_digit_is_not_called_damaged():
    file = io.BytesIO()
    Image.new("L", (1, 1)).save(file, "PNG")
    with pytest.raises(DataError, match="has 1 x 1 pixels; a digit needs at least"):
        from_photo("dot.png", file.getvalue())


def test_thin_lines_get_the_ink_of_a_digit_and_stay_in_the_middle():
    line = np.zeros((40, 30), np.float32)
    line[:, 14:16] = 1
    small = own.to_eight(line)
    assert small.shape == (8, 8)
    assert 0.1 < small.mean() <= own.INK + 0.01
    assert (small.max(1) > 0).all()
    assert small[:, [0, 7]].max() == 0


def test_spoiling_is_seeded_and_checked():
    x = np.full((8, 8), 0.5, np.float32)
    np.testing.assert_array_equal(own.corrupt(x, 0.3, 0.4), own.corrupt(x, 0.3, 0.4))
    np.testing.assert_array_equal(own.corrupt(x, 0.0, 0.0), x)
    with pytest.raises(SettingError, match="masked in 0..1"):
        own.corrupt(x, 0.1, 1.0)


def test_the_table_s_spread_is_that_of_its_runs(made):
    heads, table, best = views.table(made.rows)
    assert [row[0] for row in table] == list(NAMES)
    values = [row["mse"] for row in made.rows if row["variant"] == core.VAE]
    column = [head for head, _ in heads].index("Test MSE")
    assert table[NAMES.index(core.VAE)][column] == f"{np.mean(values):.4f} ± {np.std(values, ddof=1):.4f}"
    assert [name for name, marks in zip(NAMES, best, strict=True) if marks[column]] == [core.PLAIN]
    assert len(views.flat(made.rows)) == len(made.rows)
    own_row = made.sweeps[core.L1].rows[0]
    assert views.beside(own_row, made.rows)[1][0][1] == f"{own_row['mse']:.4f}"
    assert len(views.beside(own_row, [])[0]) == 2  # MNIST has no table to lie beside


def test_the_figure_holds_every_seed_and_says_who_is_best(made):
    values = views.by_variant(made.rows, "noise")
    figure = figures.dots(values, ("MSE, noise", ".4f", True), LIGHT, floor=0.01)
    assert f"best {core.GAUSSIAN}" in figure and "real digits" in figure
    assert all(f">{name}<" in figure and f">{np.mean(v):.4f}<" in figure for name, v in values.items())
    svg = base64.b64decode(re.search('base64,([^"]+)', figure)[1]).decode()
    assert svg.count("h.001") == 5 * len(NAMES)  # a dot a seed
    assert "right:calc" not in figure  # every number stands beside its dots: to the left it would lie on the bar


def test_pictures_are_laid_in_rows_and_drawn_in_ink():
    laid = ink.tile(np.full((5, 2, 2), 7, np.uint8), 3)
    assert laid.shape == (5, 8)
    assert (laid[2] == 0).all() and laid[3:, :2].min() == 7 and laid[3:, 6:].max() == 0
    row = figures.VariantRow("A & B", np.zeros((10, 8, 8), np.uint8), LIGHT.input, "0.1")
    assert "A &amp; B: ten digits" in figures.sheet([row], ("a", "b", "c"), LIGHT)


def test_a_cancelled_training_gives_the_network_as_it_is():
    task = training.train(VariantSettings(kind=core.L1, epochs=30))
    steps = [next(task) for _ in range(3)]
    with pytest.raises(StopIteration) as end:
        task.throw(Cancelled())
    tree = end.value.value
    assert tree["losses"] == [step["loss"] for step in steps]
    np.testing.assert_array_equal(tree["shown"]["rebuilt"][0], steps[-1]["rebuilt"])
    assert tree["row"]["mse"] > 0
