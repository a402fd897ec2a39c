"""The field guide: its rules and measures against other implementations, its trials, its diagnosis, what ships."""

import numpy as np
import pytest
from scipy.stats import chi2, multivariate_normal
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from streamlit.testing.v1 import AppTest

from aecore import store
from aecore.concepts import CONCEPTS
from aecore.concepts.field_guide import checklist, curved, diagnosis, generation, glossary, latent_size, trials
from aecore.concepts.field_guide import pretrained as shipped
from aecore.concepts.field_guide.diagnosis import UNCLEAR, Diagnosis
from aecore.concepts.field_guide.own_history import read
from aecore.concepts.field_guide.trials import FAULTS, HEALTHY, KINDS, History, Trial
from aecore.data.datasets.digits import load
from aecore.errors import SettingError, TooFewRows, UnreadableFile
from aecore.figures import field_guide as figures
from aecore.figures.palette import DARK, LIGHT
from aecore.latent import Reference
from aecore.numerics.progress import finish
from pages.ui.field_guide import checklist as checklist_page
from pages.ui.field_guide import pca
from pages.ui.field_guide import wrong as wrong_page
from pages.ui.frame import links
from pages.ui.frame.page import existing
from tests.test_pages import opened, words

PAGE = "pages/9_Field_Guide.py"
SECTIONS = ["size", "pca", "wrong", "generate", "checklist", "glossary"]


def ended(task):
    result = finish(task)
    return store.loads(store.dumps(result)) if isinstance(result, dict) else result


@pytest.fixture(autouse=True)
def inline(monkeypatch, tmp_path):
    monkeypatch.setenv("AECORE_JOBS", "inline")
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path))


# ---------------------------------------------------------------------- choosing a size
def test_the_rules_on_curves_whose_answer_is_known():
    assert [latent_size.log2_rule(n) for n in (1, 2, 64, 65, 784)] == [1, 1, 6, 7, 10]
    kept = np.minimum(np.arange(1, 21) * 0.3, 0.9 + np.arange(1, 21) * 0.005)
    assert latent_size.elbow(kept / kept[-1]) == 3
    sizes = (1, 2, 4, 8, 16)
    assert sizes[latent_size.no_more_by_doubling(np.array([0.8, 0.4, 0.1, 0.095, 0.094]), sizes)] == 4
    assert sizes[latent_size.no_more_by_doubling(np.array([0.8, 0.4, 0.2, 0.1, 0.05]), sizes)] == 16


def test_kept_variance_is_pca_s():
    x = np.random.default_rng(0).normal(size=(50, 7)).astype(np.float32) @ np.diag(np.arange(1, 8)).astype(np.float32)
    np.testing.assert_allclose(
        latent_size.kept_by_components(x), PCA().fit(x).explained_variance_ratio_.cumsum(), rtol=1e-4
    )


def test_sizes_ship_and_one_network_is_trained_again_to_the_same_error():
    for data in latent_size.DATA:
        sizing = shipped.load_sizing(data)
        sample = latent_size.draw(data)
        for k, lost in zip(sizing.sizes, sizing.lost_by_pca, strict=True):
            fitted = PCA(k, svd_solver="full").fit(sample.learn)
            again = fitted.inverse_transform(fitted.transform(sample.test))
            assert lost == pytest.approx(latent_size.lost_share(again, sample.test), rel=1e-3)
        assert set(sizing.chosen) == set(latent_size.RULES)
        assert all(str(n) in latent_size.verdict(sizing) for n in sizing.chosen.values())
    sample, sizing = latent_size.draw("digits"), shipped.load_sizing("digits")
    again = ended(latent_size._train(sample, 1, 0, 0.0))
    assert latent_size.lost_share(again, sample.test) == pytest.approx(sizing.lost[0, 0], rel=0.03)


# ---------------------------------------------------------------------- just PCA?
def test_the_line_turns_by_as_much_as_it_says():
    points = curved.draw(180, 3)
    away = np.hypot(points[:, 0], points[:, 1] - 2 / np.pi)  # half a turn of length 2 has radius 2 / pi
    assert away.mean() == pytest.approx(2 / np.pi, abs=0.01)
    assert away.std() == pytest.approx(curved.NOISE, rel=0.25)
    assert np.ptp(curved.draw(0, 3)[:, 1]) < 10 * curved.NOISE


def test_bent_ships_a_case_that_is_pca_and_one_that_is_not():
    bent = shipped.load_bends()
    for i, turn in enumerate(bent.turns):
        learn, test = curved.draw(turn, 0), curved.draw(turn, 1)
        fitted = PCA(1).fit(learn)
        again = fitted.inverse_transform(fitted.transform(test))
        assert bent.lost[curved.PCA][i] == pytest.approx(latent_size.lost_share(again, test), rel=1e-3)
        assert bent.lost[curved.LINEAR][i] == pytest.approx(bent.lost[curved.PCA][i], rel=0.08)
    assert bent.lost[curved.NONLINEAR][0] == pytest.approx(bent.lost[curved.PCA][0], rel=0.15)
    assert (bent.lost[curved.NONLINEAR][3:] < bent.lost[curved.PCA][3:] / 5).all()
    assert "just PCA" in curved.verdict(bent, 0)
    assert "it is not" in curved.verdict(bent, 5)


def test_a_bend_is_trained_again_to_the_same_error():
    again, bent = curved.from_tree(ended(curved.bend((90,)))), shipped.load_bends()
    at = bent.turns.index(90)
    assert again.lost[curved.NONLINEAR][0] == pytest.approx(bent.lost[curved.NONLINEAR][at], rel=0.1)


# ---------------------------------------------------------------------- trials
def test_each_switch_does_what_it_says():
    def made(fault):
        trial = Trial(data="digits", faults=(fault,) if fault else (), seed=3)
        return trials.draw_plan(trial), *trials.split(trial, trials.draw_plan(trial))

    plan, learn, test = made(None)
    assert abs(learn.mean(0)).max() < 1e-4
    assert learn.std(0).max() == pytest.approx(1, abs=1e-3)
    known = {row.tobytes() for row in learn}
    assert not any(row.tobytes() in known for row in test)
    _, learnt, leaked = made("leak into the test")
    known = {row.tobytes() for row in learnt}
    assert all(row.tobytes() in known for row in leaked)
    assert made("unscaled inputs")[1].std() > 10
    small, short, fast = (made(f)[0] for f in ("latent too small", "too few epochs", "learning rate too high"))
    assert small == plan._replace(latent=small.latent) and small.latent <= 2
    assert short == plan._replace(epochs=short.epochs) and short.epochs < 10
    assert fast.rate > 5 * plan.rate


@pytest.mark.parametrize("wrong", [{"data": "faces"}, {"faults": ("gremlins",)}, {"seed": -1}])
def test_a_trial_says_what_it_does_not_take(wrong):
    (value,) = wrong.values()
    with pytest.raises(SettingError, match=str(value[0] if isinstance(value, tuple) else value)):
        Trial(**wrong)


@pytest.mark.parametrize("kind", [HEALTHY, "dead units"])
def test_a_trial_is_run_again_to_the_same_curves(kind):
    trial = shipped.make_trial("digits", kind, shipped.SHOWN_SEED)
    kept, again = shipped.load_exemplar(trial), trials.read_outcome(ended(trials.run(trial)))
    np.testing.assert_allclose(again.history.train, kept.history.train, rtol=0.02)
    silent = trials.draw_plan(trial).dead
    assert again.history.active[-1] <= 1 - silent + 0.02
    assert again.inputs.shape == again.rebuilt.shape == (trials.SHOWN, 64)


def test_only_what_ships_is_an_exemplar():
    assert shipped.load_exemplar(Trial(seed=shipped.SHOWN_SEED, faults=FAULTS[:2])) is None
    assert shipped.load_exemplar(Trial(seed=0)) is None


# ---------------------------------------------------------------------- diagnosis
def test_features_read_what_was_drawn():
    falling = History(100 * 0.5 ** np.arange(10.0), 200 * 0.5 ** np.arange(10.0), np.full(10, 0.25))
    found = dict(zip(diagnosis.FEATURES, diagnosis.features(falling), strict=True))
    assert found["scale"] == pytest.approx(2)
    assert found["gap"] == pytest.approx(np.log10(2))
    assert found["roughness"] == pytest.approx(0)
    assert found["silent units"] == 0.75
    zigzag = History(np.array([1, 2, 1, 2, 1, 2, 1.0]), None)
    assert diagnosis.features(zigzag)[4] == pytest.approx(1)
    assert diagnosis.features(History(np.array([5, 1, -10, -100.0]), None))[5] == 1
    with pytest.raises(TooFewRows, match="3 epochs"):
        diagnosis.features(History(np.ones(3), None))


def test_probabilities_are_those_of_the_gaussians_and_a_missing_feature_is_left_out():
    found = shipped.load_diagnosis().diagnosis
    outcome = shipped.load_exemplar(Trial(seed=shipped.SHOWN_SEED))
    for history in (outcome.history, outcome.history._replace(active=None)):
        features = diagnosis.features(history)
        known = np.flatnonzero(np.isfinite(features))
        logs = [
            multivariate_normal(mean[known], cov[np.ix_(known, known)]).logpdf(features[known])
            for mean, cov in zip(found.means, found.covariances, strict=True)
        ]
        expected = np.exp(logs - np.logaddexp.reduce(logs))
        np.testing.assert_allclose(list(found(history).probabilities.values()), expected, atol=1e-9)


@pytest.mark.parametrize(("value", "degrees"), [(3.0, 2), (20.0, 6), (30.0, 7), (60.0, 7)])
def test_the_tail_is_chi_squared(value, degrees):
    assert diagnosis._chi_squared_tail(value, degrees) == pytest.approx(chi2.sf(value, degrees), rel=1e-12)


def test_curves_like_nothing_that_was_tried_are_unclear():
    strange = History(np.array([1, 1e3, 1e-3, 1e3, 1e-3, 1e3]), np.array([1e-3, 1e3, 1e-3, 1e3, 1e-3, 1e-3]), None)
    verdict = shipped.load_diagnosis().diagnosis(strange)
    assert verdict.kind == UNCLEAR
    assert verdict.strange


def test_a_loss_that_never_moves_is_unclear():
    still = History(np.ones(12), np.ones(12))
    assert shipped.load_diagnosis().diagnosis(still).kind == UNCLEAR


def test_a_diagnosis_learns_kinds_that_lie_apart():
    rng = np.random.default_rng(0)
    histories, kinds = [], []
    for i, kind in enumerate(KINDS):
        for _ in range(6):
            histories.append(History(10.0**i * np.exp(-np.arange(12) * rng.uniform(0.1, 0.2)), None, np.ones(12)))
            kinds.append(kind)
    histories = [h._replace(validation=h.train) for h in histories]
    found = Diagnosis.fit(histories, kinds)
    table = diagnosis.confusion(found, histories, kinds)
    assert table.shape == (8, 9)
    assert (table.sum(1) == 6).all()
    assert np.trace(table[:, :-1]) > 0.9 * table.sum()


def test_the_shipped_diagnosis_is_mostly_right_about_what_it_never_saw():
    made = shipped.load_diagnosis()
    seeds = len(shipped.UNSEEN_SEEDS)
    for counts, kinds in ((made.unseen_seeds, 2), (made.other_data, 2), (made.without_units, 4)):
        assert counts.sum(1).tolist() == [kinds * seeds] * len(KINDS)
    answered = made.unseen_seeds[:, :-1]
    assert np.trace(answered) > 0.9 * answered.sum()
    answered = made.other_data[:, :-1]
    assert np.trace(answered) > 0.6 * answered.sum()


# ---------------------------------------------------------------------- a visitor's own history
def own(text: str):
    return ended(read("history.csv", text.encode()))


def test_a_history_is_read_by_its_names_and_a_loss_that_is_no_number_ends_it():
    rows = "\n".join(f"{i},{2 / (i + 1)},{3 / (i + 1)},0.5" for i in range(8))
    found = own(f"epoch,loss,val_loss,active\n{rows}\n8,nan,nan,0.5")
    assert found.history.diverged
    np.testing.assert_allclose(found.history.train, 2 / np.arange(1, 9))
    np.testing.assert_allclose(found.history.validation, 3 / np.arange(1, 9))
    assert "val_loss" in " ".join(found.notes)
    alone = own("train_loss;step\n" + "\n".join(f"{4 - i / 9:.3f};{i}".replace(".", ",") for i in range(9)))
    assert alone.history.validation is None and alone.history.active is None
    assert alone.history.train[1] == pytest.approx(3.889, abs=1e-3)


def test_a_column_that_nobody_filled_is_left_out_and_words_are_no_loss():
    found = own("loss,val_loss\n" + "\n".join(f"{1 / i}," for i in range(1, 7)))
    assert len(found.history.train) == 6 and found.history.validation is None
    with pytest.raises(UnreadableFile, match="no numbers in its column 'loss'"):
        own("loss\nlow\nlower\nlowest\nleast\n")


@pytest.mark.parametrize(
    ("text", "error"),
    [("", UnreadableFile), ("time,current\n1,2\n2,3\n3,4\n4,5\n", UnreadableFile), ("loss\n1\n2\n3\n", TooFewRows)],
)
def test_a_history_that_is_none_gets_a_sentence(text, error):
    with pytest.raises(error, match="history.csv"):
        own(text)


# ---------------------------------------------------------------------- samples
def test_real_digits_cannot_be_told_and_mean_pictures_always_can():
    x = load().images.reshape(-1, 64)[np.random.default_rng(0).permutation(1797)]
    reference = Reference.fit(x[:1200], x[1200:1500])
    _, told, covered = generation.measure(x[:297], x[1500:], reference)
    assert told == pytest.approx(0.5, abs=0.08)
    assert covered > 0.9
    implausible, told, covered = generation.measure(np.tile(x.mean(0), (297, 1)), x[1500:], reference)
    assert implausible == 0
    assert told > 0.95 and covered < 0.3


def test_samples_ship_and_one_row_is_made_again():
    made = shipped.load_samples()
    assert made.pictures[generation.VAE].shape == (len(made.sizes), generation.SHOWN, 8, 8)
    mean = {way: made.measures[way].mean(1) for way in generation.WAYS}
    assert (mean[generation.MIXTURE][1:, 1] < mean[generation.GAUSSIAN][1:, 1]).all()
    assert mean[generation.REAL][:, 1] == pytest.approx(0.5, abs=0.1)
    again = generation.from_tree(ended(generation.generate((4,), 1)))
    for way in generation.WAYS:
        at = made.sizes.index(4)
        assert again.measures[way][0, 0] == pytest.approx(made.measures[way][at, 0], abs=0.04)


# ---------------------------------------------------------------------- checklist
def test_the_checklist_s_auc_is_the_usual_one():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=80), rng.normal(0.7, 1, size=60)
    assert checklist._auc(a, b) == pytest.approx(roc_auc_score([0] * 80 + [1] * 60, [*a, *b]))


@pytest.mark.parametrize("item", checklist.ITEMS, ids=lambda item: item.name)
def test_every_item_helps_on_every_mean_and_is_measured_again(item):
    measured = next(m for m in shipped.load_checklist() if m.item.name == item.name)
    before, after = measured.before.mean(), measured.after.mean()
    ideal = item.ideal if item.ideal is not None else 1.0 if "AUC" in item.measure else 0.0
    assert abs(after - ideal) < abs(before - ideal)
    if item.name != "When to stop":
        assert item.run(0) == pytest.approx((measured.before[0], measured.after[0]), abs=0.01)


# ---------------------------------------------------------------------- glossary, figures, page
def test_every_term_leads_to_a_page_that_is_there():
    assert {term.page for term in glossary.TERMS} <= {page.name for page in CONCEPTS}
    assert [t.word for t in glossary.TERMS] == sorted((t.word for t in glossary.TERMS), key=str.lower)
    assert glossary.matching("leak")[0].word == "Leak"
    assert glossary.matching("xyzzy") == []
    assert len(existing()) >= 8


def test_every_fault_and_every_item_has_an_id():
    assert tuple(wrong_page.FAULTS.values()) == FAULTS
    assert list(checklist_page.NAMES.values()) == [item.name for item in checklist.ITEMS]
    assert set(checklist_page.ADVICE) == set(checklist_page.NAMES)


def test_what_ships_is_small():
    assert shipped.ASSET.stat().st_size < 1_000_000


def test_figures_say_what_they_show_and_escape_what_they_are_told():
    curve = np.array([1.0, 0.5, 0.25])
    sized = figures.lost_against_size((1, 2, 4), np.ones((2, 3)), curve, {"log2 rule": 6}, 1, LIGHT)
    assert "log2 rule" in sized and "autoencoder" in sized
    assert "noise across" in figures.lost_against_bend(
        (0, 90, 180), {n: curve for n in curved.MACHINES}, curve, 1, LIGHT
    )
    assert 'aria-label="curves"' in figures.history(-curve, None, LIGHT, "curves")
    assert figures.gallery({HEALTHY: (curve, None), "b": (curve, curve)}, curve, LIGHT).count("<img") == 2
    assert "healthy 100%" in figures.probabilities({HEALTHY: 1.0}, LIGHT)
    assert figures.confusion(np.eye(2, 3, dtype=np.int64), ["a", "b"], ["a", "b", "c"], LIGHT).count("<td") == 1 + 6
    assert "told from real" in figures.told_apart((2, 4, 8), {"VAE": curve}, 0, LIGHT)
    svg = figures.before_and_after(curve, curve / 2, ("<a>", "b"), ".2f", 0.1, LIGHT)
    assert "&lt;a&gt;" in svg and "0.58" in svg and "0.29" in svg


def test_a_trial_s_examples_are_the_pixels_that_went_in():
    trial = Trial(data="digits", faults=("unscaled inputs",), seed=shipped.SHOWN_SEED)
    rows = trials.draw_plan(trial).rows
    held_out = trials.draw_rows("digits", rows + trials.TEST_ROWS, trial.seed)[rows:][: trials.SHOWN]
    shown = trials.pictures(trial, shipped.load_exemplar(trial).inputs)
    np.testing.assert_allclose(shown.reshape(trials.SHOWN, -1), held_out, atol=0.01)
    assert trials.pictures(Trial(data="inverter"), held_out) is None
    html = figures.examples(shown, shown, LIGHT)
    assert html.count("<img") == 2 * trials.SHOWN  # each by itself, with room between


def test_points_are_red_where_they_went_in_and_green_where_they_came_back():
    for palette in (LIGHT, DARK):
        red, green = (
            [int(palette.of_class(group)[i : i + 2], 16) for i in (1, 3, 5)] for group in (pca.INPUT, pca.REBUILT)
        )
        assert np.argmax(red) == 0 and np.argmax(green) == 1


@pytest.mark.parametrize("section", SECTIONS)
def test_a_link_opens_its_section_on_a_finished_result(section):
    app = opened(PAGE, section=section)
    assert not app.exception
    assert not app.error
    assert app.segmented_control(key="section").value == section
    assert not any("cache" in caption.value for caption in app.caption)
    prompt = next(b for b in app.button if b.key is None)
    prompt.click()
    app.run()
    assert not app.exception and not app.error


def test_a_word_leads_to_its_figure_on_this_page_and_takes_the_address_along():
    app = opened(PAGE, section="wrong", trial="shapes", wrong="dead_units")
    app.segmented_control(key="section").set_value("glossary").run()
    assert address(app) == {"section": ["glossary"]}
    app.button(key="word:Leak").click().run()
    assert not app.exception and "Switched on: leak into the test" in words(app)
    assert address(app) == {"section": ["wrong"], "wrong": ["leak"]}
    app.segmented_control(key="section").set_value("glossary").run()
    app.button(key="word:Manifold").click().run()
    assert not app.exception and "At 180°" in words(app)
    assert address(app) == {"section": ["pca"], "bend": ["180"]}


@pytest.mark.parametrize("term", [term for term in glossary.TERMS if term.settings], ids=lambda term: term.word)
def test_a_word_s_link_is_one_that_its_page_writes_itself(term):
    asked = {key: [text] for key, text in term.settings.items()}
    assert all(links.belongs(key, term.page) for key in asked)
    assert links.translate(term.page, asked) == asked, "an older name of a key or a value"
    app = opened(next(page.file for page in existing() if page.name == term.page), **term.settings)
    assert not app.exception and not app.error
    assert not [note.value for note in app.info if "The link" in note.value]
    assert set(address(app)) <= set(asked) and all(asked[key] == texts for key, texts in address(app).items())
    assert not any(settings_of(app).linked), "a control that the link names did not come up"


def address(app: AppTest) -> dict[str, list[str]]:
    """Return what the address says, or will once the browser has put an opened link right."""
    return settings_of(app).address()


def settings_of(app: AppTest):
    """Return what the visit knows of the page that is open."""
    return app.session_state["settings:pages"][app.session_state["settings:page"]]


@pytest.mark.parametrize("section", SECTIONS)
def test_a_prompt_shows_the_same_whatever_was_there_before(section):
    elsewhere = {"sample": "sinusoids", "tried": "2", "bend": "120", "trial": "shapes", "wrong": "loss",
                 "drawn_by": "16", "items": "overlap", "term": "Loss"}  # fmt: skip
    for prompt in range(3):
        apps = [opened(PAGE, section=section), opened(PAGE, section=section, **elsewhere)]
        for app in apps:
            [button for button in app.button if button.key is None][prompt].click()
            app.run()
            assert not app.exception and not app.error
        mine = set(settings_of(apps[0]).shown)
        assert [{key: texts for key, texts in address(app).items() if key in mine} for app in apps] == [
            address(apps[0])
        ] * 2
        again = opened(PAGE, **address(apps[0]))
        cached = "From the cache: this was trained before, with the same settings, data and code. "
        assert not again.info and words(again).replace(cached, "") == words(apps[0]).replace(cached, "")


def test_two_faults_at_once_are_trained_and_a_link_names_them():
    app = opened(PAGE, section="wrong", wrong="epochs", trial="inverter", trial_seed="7")
    assert not app.exception and not app.error
    assert "Switched on: too few epochs" in words(app)
    app.file_uploader(key="history:upload").upload(
        "mine.csv", b"loss,val_loss\n" + b"1,1\n0.5,0.6\n0.3,0.4\n0.2,0.3\n0.2,0.3\n"
    )
    app.run()
    assert not app.exception and not app.error
    assert "5 epochs of yours" in words(app)
    app.file_uploader(key="history:upload").upload("bad.csv", b"a,b\n1,2\n2,3\n")
    app.run()
    assert not app.exception
    assert "rename" in app.error[0].value


def test_a_visitor_s_own_file_gets_all_rules(monkeypatch):
    monkeypatch.setattr(latent_size, "SIZES", (1, 4))
    monkeypatch.setattr(latent_size, "EPOCHS", 2)
    app: AppTest = opened(PAGE, sample="own")
    t = np.arange(3000)
    log = "a\n" + "\n".join(f"{v:.4f}" for v in np.sin(t / 9) + 0.1 * np.random.default_rng(0).normal(size=3000))
    app.file_uploader(key="sized:upload").upload("mine.csv", log.encode())
    app.run()
    assert not app.exception and not app.error
    assert "log2 rule **8**" in words(app)
