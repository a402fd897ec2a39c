"""Links to MNIST compression and Audio denoising that were made when they held labels: each opens the same settings."""

import pytest

from pages.ui.frame import settings
from tests.test_pages import opened

MNIST, AUDIO = "pages/6_MNIST_Compression.py", "pages/7_Audio_Denoising.py"
OLD = [
    (MNIST, "pictures", {"MNIST": "mnist", "Fashion-MNIST": "fashion", "Shipped": "shipped"}),
    (MNIST, "objective", {"Cross-entropy": "bce", "Squared error": "mse"}),
    (MNIST, "hand", {"Draw one": "draw", "Photo of one": "photo"}),
    (MNIST, "network", {"dense": "dense", "convolutional": "convolutional"}),
    (MNIST, "rate", {"0.0005": "0.0005", "0.1": "0.1"}),
    (AUDIO, "voice", {"The clip that ships": "clip", "Your microphone": "microphone", "A file": "file"}),
    (AUDIO, "spoil", {"Vacuum cleaner": "vacuum", "Babble": "babble", "Your own recording": "own"}),
    (AUDIO, "axis", {"as heard (mel)": "mel", "in even steps": "linear"}),
]


@pytest.fixture(autouse=True)
def inline(monkeypatch, tmp_path):
    monkeypatch.setenv("AECORE_JOBS", "inline")
    monkeypatch.setenv("AECORE_CACHE", str(tmp_path))
    monkeypatch.setattr("aecore.concepts.audio_denoising.methods", lambda: ("network",))


def value(app, page: str, key: str):
    """What the page's setting holds."""
    return app.session_state[settings._PAGES][page].values[key]


@pytest.mark.parametrize(
    ("page", "key", "old", "now"), [(page, key, old, now) for page, key, ids in OLD for old, now in ids.items()]
)
def test_an_old_link_opens_the_same_setting_without_a_note(page, key, old, now):
    app = opened(page, **{key: old})
    assert not app.exception
    assert value(app, "mnist_compression" if page == MNIST else "audio_denoising", key) == now
    assert not [note.value for note in app.info if note.value.startswith("The link")]


@pytest.mark.parametrize(
    ("query", "key", "now"),
    [
        ({"voice": "A file", "add": "Mains hum"}, "add", "hum"),
        ({"spoil": "Your own recording", "noise-from": "A file"}, "noise-from", "file"),
    ],
)
def test_an_old_link_to_a_control_that_comes_up_later_is_understood(query, key, now):
    app = opened(AUDIO, **query)
    state = app.session_state[settings._PAGES]["audio_denoising"]
    assert state.values.get(key, (state.linked.get(key) or [None])[0]) == now
    assert app.run().query_params[key] == now


def test_a_control_that_went_away_takes_its_value_out_of_the_address():
    app = opened(AUDIO, spoil="own", **{"noise-from": "file"})
    assert app.query_params["noise-from"] == "file"
    app.selectbox(key="spoil").set_value("fan").run()
    assert not app.query_params


def test_pages_share_no_key():
    app = opened("pages/2_Latent_Clusters.py")
    app.switch_page(MNIST).run()
    app.slider(key="epochs").set_value(3).run()
    app.switch_page("pages/2_Latent_Clusters.py").run()
    assert not app.exception
