"""Latent clusters, VAE morphing and Variants: what their links open, and what their prompts and trainings leave."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from aecore.concepts import latent_clusters as clusters
from aecore.concepts import variants as core
from aecore.concepts.vae_morphing import training as morphing_training
from aecore.concepts.variants.measure import MEASURES
from aecore.data.datasets import drawn_digits
from aecore.paths import MODELS
from pages.ui.frame import links
from pages.ui.training import LINKED

ROOT = Path(__file__).parents[1]
PAGES = {
    "latent_clusters": "pages/2_Latent_Clusters.py",
    "vae_morphing": "pages/3_VAE_Morphing.py",
    "variants": "pages/4_Variants.py",
}
BUILT_IN, OWN = "both maps show the **built-in** networks", "Both maps show **your own** networks"


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    monkeypatch.setenv("AECORE_JOBS", "inline")
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path))
    monkeypatch.delenv("AECORE_DATASETS", raising=False)


def opened(page: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "Home.py"), default_timeout=180)
    app.query_params.update(query)
    return right(app.switch_page(PAGES[page]).run())


def right(app: AppTest) -> AppTest:
    assert not app.exception
    assert not app.error
    return app


def shown(app: AppTest, page: str) -> dict:
    """Return the settings that a page shows, with their values."""
    state = app.session_state["settings:pages"][page]
    return {key: state.values[key] for key in state.shown}


def address(app: AppTest) -> dict[str, str]:
    """Return the address once the browser has put an older one right, as it does after a page is opened."""
    return dict(right(app.run()).query_params)


def notes(app: AppTest) -> str:
    return " ".join(info.value for info in app.info if "The link" in info.value)


def words(app: AppTest) -> str:
    return " ".join(element.value for kind in (app.markdown, app.caption, app.info) for element in kind)


def press(app: AppTest, label: str) -> AppTest:
    return right(next(button for button in app.button if button.label.startswith(label)).click().run())


# ---------------------------------------------------------------------- older links
OPENERS = [  # settings that show the rest, as older links said them; the keys whose old values are then tried
    ("latent_clusters", {}, ["machine", "without"]),
    ("latent_clusters", {"size": "8"}, ["projection"]),
    ("latent_clusters", {}, ["data"]),
    ("vae_morphing", {}, ["pictures", "networks", "closer"]),
    ("vae_morphing", {"closer": "Walk"}, ["walk_from", "walk_to"]),
    ("vae_morphing", {"closer": "Draw your own"}, ["taken"]),
    ("variants", {}, ["var_input", "var_measure", "var_closer"]),
    ("variants", {"var_closer": "One at a time"}, ["var_variant"]),
    ("variants", {"var_closer": "Two under the same input"}, ["var_how", "var_pair_one", "var_pair_other"]),
    ("variants", {"var_closer": "Train one yourself"}, ["var_kind", "var_on"]),
]
ABSENT = {("projection", "UMAP"), ("var_variant", "PCA"), ("var_kind", "PCA")}  # no options here


def old_links():
    for page, opener, keys in OPENERS:
        values = [[v for v in links.OLD[page][key].values if (key, v) not in ABSENT] for key in keys]
        for turn in range(max(map(len, values))):
            yield page, opener | {key: each[turn % len(each)] for key, each in zip(keys, values, strict=True)}


@pytest.mark.parametrize(
    ("page", "query"), list(old_links()), ids=lambda value: "" if isinstance(value, str) else str(value)
)
def test_an_older_link_opens_the_same_setting_without_a_note(page, query):
    app = opened(page, **query)
    expected = {links.OLD[page][k].key: links.OLD[page][k].values[v] for k, v in query.items() if k in links.OLD[page]}
    assert expected.items() <= shown(app, page).items()
    assert notes(app) == ""
    assert set(address(app)) <= {*expected, *query} - (query.keys() - links.KEYS[page])


def test_older_names_of_keys_still_open_what_they_did():
    app = opened("latent_clusters", epochs="5", brush="PCA:-0.5:0.5:-0.5:0.5")
    assert shown(app, "latent_clusters")["cluster_epochs"] == 5
    assert "brushed" in words(app)
    assert address(app) == {"cluster_epochs": "5", "brush": "pca:-0.5:0.5:-0.5:0.5"}


def test_every_value_that_had_a_label_has_an_id_in_the_table_of_older_links():
    """Old labels stand in links for good; these were all there were."""
    from pages.ui import variants as ui

    old = links.OLD["variants"]
    assert list(old["var_kind"].values.items()) == [(label, name) for name, label in ui.WITH_PCA.items()]
    assert set(ui.IDS.values()) == set(core.KINDS)
    assert set(old["var_measure"].values.values()) == {m.key for m in MEASURES} - {"parameters", "norm"}
    assert set(clusters.IDS) == set(links.OLD["latent_clusters"]["machine"].values.values())


# ---------------------------------------------------------------------- links that are wrong
@pytest.mark.parametrize(
    ("page", "query", "label"),
    [
        ("latent_clusters", {"size": "5"}, "Numbers in the code"),
        ("latent_clusters", {"pull": "9"}, "β, the VAE's pull to the middle"),
        ("latent_clusters", {"without": "eleven"}, "Never show the networks"),
        ("latent_clusters", {"epoch": "1000"}, "Epoch"),
        ("latent_clusters", {"cluster_epochs": "7"}, "Epochs"),
        ("latent_clusters", {"brush": "PCA:nan:0:0:1"}, "the brush"),
        ("vae_morphing", {"z": "9,9"}, "the pointer"),
        ("vae_morphing", {"pin_a": "there"}, "Pin A"),
        ("vae_morphing", {"walk_from": "hexagon"}, "From"),
        ("vae_morphing", {"look": "draw", "drawing": "%%"}, "Draw a filled or outlined figure"),
        ("vae_morphing", {"look": "draw", "drawing": "A"}, "Draw a filled or outlined figure"),
        ("vae_morphing", {"look": "noise", "cloud": "1,1,1"}, "the posterior"),
        ("variants", {"var_variant": "Transformer"}, "Variant"),
        ("variants", {"var_weight1": "0.77"}, "λ"),
        ("variants", {"var_closer": "Nothing"}, "Look closer"),
        ("variants", {"var_sigma": "lots"}, "Noise σ"),
        ("variants", {"var_closer": "pair", "var_how": "draw", "var_pen": "zz"}, "Draw one digit"),
    ],
)
def test_what_a_link_says_wrongly_gets_one_note_and_leaves_the_address(page, query, label):
    app = opened(page, **query)
    assert notes(app).count("The link asks for") == 1
    assert f"asks for {label} = " in notes(app).replace("\\", "")
    *_, wrong = query
    assert address(app).get(wrong) in (None, "5")  # epochs go to the nearest step


# ---------------------------------------------------------------------- prompts
def test_a_prompt_names_all_that_its_title_tells_and_its_link_shows_the_same():
    app = opened("variants", var_closer="pair", var_how="draw", var_masked="0.4", var_pair_other="vae")
    press(app, "A noisy 3")
    link = address(app)
    assert link == {"var_closer": "pair", "var_sigma": "0.5", "var_pair_other": "pca"}
    again = opened("variants", **link)
    assert shown(again, "variants") == shown(app, "variants")
    assert words(again) == words(app)
    assert "squared error to the clean picture" in words(app)


def test_a_prompt_sets_what_is_on_another_section():
    app = opened("vae_morphing", images="digits", look="noise", walk_to="pin_a")
    press(app, "Walk from a circle to a star")
    link = address(app)
    assert link == {"walk_to": "star"} or link == {}  # the last of the shapes is the default
    assert {"images": "shapes", "look": "walk", "walk_from": "circle", "walk_to": "star"}.items() <= shown(
        app, "vae_morphing"
    ).items()


# ---------------------------------------------------------------------- what is not shown leaves the address
def test_ends_of_a_walk_that_another_set_of_pictures_has_not_leave_the_address():
    app = opened("vae_morphing", walk_from="star", walk_to="heart")
    app.button_group(key="images").set_value("digits")
    link = address(app)
    assert not {"walk_from", "walk_to"} & set(link)
    assert link["images"] == "digits"
    assert notes(opened("vae_morphing", **link)) == ""


def test_a_class_that_own_data_have_not_leaves_the_address():
    app = opened("latent_clusters", without="4", cluster_epochs="5")
    app.button_group(key="data").set_value("own").run()
    upload_table(app)
    link = address(app)
    assert "without" not in link
    assert app.selectbox(key="without").value == ""
    assert notes(app) == ""


def test_pins_travel_with_the_link():
    app = opened("vae_morphing", walk_from="pin_a", walk_to="pointer", pin_a="-1,0.5", z="1,1")
    app.button(key="pin_b:put").click().run()
    assert address(app) == {"walk_from": "pin_a", "walk_to": "pointer", "pin_a": "-1,0.5", "pin_b": "1,1", "z": "1,1"}


def test_the_fold_is_open_where_a_setting_in_it_is_not_as_it_comes():
    assert not opened("latent_clusters").expander[0].proto.expanded
    assert not opened("latent_clusters", size="8").expander[0].proto.expanded
    app = opened("latent_clusters", cluster_epochs="5")
    assert app.expander[0].proto.expanded
    app.slider(key="cluster_epochs").set_value(60).run()
    assert right(app).expander[0].proto.expanded  # it does not close under the pointer


# ---------------------------------------------------------------------- a visitor's own data
def table(kinds: tuple[str, ...] = ("a", "b")) -> bytes:
    rng = np.random.default_rng(0)
    rows = [
        ",".join([*(f"{v:.3f}" for v in rng.normal(size=4)), kinds[i % len(kinds)], "xyz"[i % 3]]) for i in range(90)
    ]
    return "\n".join(["p,q,r,s,kind,other", *rows]).encode()


def upload_table(app: AppTest, data: bytes = table(), name: str = "mine.csv") -> AppTest:
    app.file_uploader(key="vectors:upload").upload(name, data)
    return right(app.run())


def test_labels_of_own_data_are_chosen_among_the_file_s_columns():
    app = upload_table(opened("latent_clusters", data="own", epochs="5"))
    assert app.selectbox(key="labels").value == "kind"
    app.selectbox(key="labels").set_value("other").run()
    assert list(app.selectbox(key="without").options) == ["nobody", "x", "y", "z"]
    assert address(app)["labels"] == "other"
    app.selectbox(key="labels").set_value("").run()
    assert list(app.selectbox(key="without").options) == ["nobody"]
    link = address(app)
    assert link["labels"] == ""
    app = upload_table(opened("latent_clusters", **link))
    assert app.selectbox(key="labels").value == ""
    app = upload_table(opened("latent_clusters", data="Your own", epochs="5", labels="(no labels)"))
    assert app.selectbox(key="labels").value == ""


def test_another_column_of_labels_does_not_read_the_file_again(monkeypatch):
    from aecore.data.readers import vectors

    read = []
    parse = vectors.parse
    monkeypatch.setattr(vectors, "parse", lambda *file: read.append(file) or parse(*file))
    app = upload_table(opened("latent_clusters", data="own", cluster_epochs="5", labels="other"))
    assert app.selectbox(key="labels").value == "other"
    app.selectbox(key="labels").set_value("").run()
    assert not right(app).selectbox(key="labels").value
    assert len(read) == 1


def test_data_that_a_worker_holds_no_more_are_read_again_unasked():
    from aecore import jobs

    app = upload_table(opened("latent_clusters", data="own", cluster_epochs="5"))
    jobs.release(app.session_state["work"].all_of("latent_clusters:read")[0].job.handle)
    app.selectbox(key="labels").set_value("other").run()
    assert list(right(app).selectbox(key="without").options) == ["nobody", "x", "y", "z"]


def test_a_label_column_that_another_file_has_not_is_no_error():
    app = upload_table(opened("latent_clusters", data="own", cluster_epochs="5"))
    app.selectbox(key="labels").set_value("other").run()
    upload_table(app, table().replace(b"other", b"colour"), "second.csv")
    assert app.selectbox(key="labels").value == "kind"


def test_names_in_a_visitor_s_file_are_no_markdown():
    app = upload_table(
        opened("latent_clusters", data="own", cluster_epochs="5"), table(("[a](http://x)", "b", "c", "d"))
    )
    app.selectbox(key="without").set_value("[a](http://x)").run()
    said = next(element.value for element in right(app).markdown if "ROC AUC" in element.value)
    assert "[a](http" not in said
    assert "http" in said


def test_a_visitor_s_picture_is_read_by_a_private_job_in_the_short_lane(monkeypatch):
    from aecore import jobs

    sent = []

    def note(task, *args, **how):
        sent.append((task.__name__, how))
        return submit(task, *args, **how)

    submit = jobs.submit
    monkeypatch.setattr(jobs, "submit", note)
    file = io.BytesIO()
    Image.fromarray(255 - np.kron(drawn_digits.load()[7], np.ones((6, 6), np.uint8))).save(file, "PNG")
    app = opened("variants", var_how="file", var_pair_other="conditional")
    app.file_uploader(key="var_picture:upload").upload("seven.png", file.getvalue())
    right(app.run())
    assert "was told it is a 7" in words(app)
    assert sent == [("read_photo", {"lane": "short", "private": True, "isolated": True})]


# ---------------------------------------------------------------------- training
class Running:
    """A job that goes on until it is told how it ends."""

    def __init__(self, value):
        self.value, self.state, self.settled = value, "running", False
        self.latest, self.progress, self.seconds = None, [], 1.0
        self.cached, self.kept, self.restarts, self.ahead, self.partial = False, True, 0, 0, None

    def end(self):
        self.state, self.settled = "done", True

    def result(self, timeout=None):
        return self.value

    def cancel(self):
        self.state, self.settled = "cancelled", True


@pytest.fixture
def job(monkeypatch):
    """Stand for every training: the built-in networks of the shapes come of it."""
    from aecore import jobs, store

    tree = store.read(MODELS / "morphing_shapes.safetensors")
    running = Running(tree)
    monkeypatch.setattr(jobs, "submit", lambda *_, **__: running)
    return running


def test_a_setting_that_changes_while_it_trains_does_not_lose_the_result(job):
    app = opened("vae_morphing", networks="own")
    assert BUILT_IN in words(app)
    press(app, "Train")
    assert "weight of the KL term 1" in words(app)
    app.slider(key="own_beta").set_value(4.0).run()
    assert "weight of the KL term 1" in words(app)  # the panel names what it trains
    assert BUILT_IN in words(app)
    job.end()
    right(app.run())
    assert "Trained in this visit" in words(app)
    assert address(app) == {"networks": "own", "own_beta": "4"}
    press(app, "Show it")
    assert OWN in words(app)
    assert app.slider(key="own_beta").value == 1.0
    assert address(app) == {"networks": "own"}


def test_settings_trained_before_in_this_visit_give_their_result_back(job):
    job.end()
    app = opened("vae_morphing", networks="own")
    press(app, "Train")
    assert OWN in words(app)
    for beta, expected in ((4.0, BUILT_IN), (1.0, OWN), (0.25, BUILT_IN)):
        app.slider(key="own_beta").set_value(beta).run()
        assert expected in words(right(app))
        assert app.query_params.get("own_beta", "1") == f"{beta:g}"  # the link follows the controls
    app.button_group(key="networks").set_value("builtin").run()
    assert BUILT_IN not in words(app)
    assert OWN not in words(app)


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("vae_morphing", {"networks": "own"}),
        ("variants", {"var_closer": "train", "var_kind": "gaussian", "var_trained": "yes"}),
    ],
)
def test_a_link_to_something_trained_says_so_and_offers_the_same_training(page, query):
    app = opened(page, **query)
    assert LINKED in words(app)
    assert "Train" in {button.label for button in app.button}


def test_own_networks_are_trained_to_the_end(monkeypatch):
    brief = {name: plan._replace(epochs=2, placing=0) for name, plan in morphing_training.LIVE["digits"].items()}
    monkeypatch.setitem(morphing_training.LIVE, "digits", brief)
    app = opened("vae_morphing", images="digits", networks="own", own_width="32")
    press(app, "Train")
    assert OWN in words(app)
    assert "stopped early" not in words(app)


def test_the_sheet_s_column_is_named_by_what_it_shows():
    for condition, title in (("clean", "Test MSE"), ("noise", "MSE, noise"), ("mask", "MSE, masked")):
        app = opened("variants", var_input=condition)
        sheet = app.get("html")[0].proto.body
        assert f">{title}<" in sheet
