"""Links to the Field guide as they were written before its settings had ids: each opens what it opened."""

import pytest

from pages.ui.field_guide import checklist, wrong
from pages.ui.frame import links
from tests.test_field_guide import PAGE, SECTIONS, address, inline  # noqa: F401
from tests.test_pages import opened

NAMES = ["Latent size", "Just PCA?", "Blurry or wrong?", "Can it generate?", "Checklist", "Glossary"]
OLD = [
    *({"section": name} for name in NAMES),
    *({"section": "Latent size", "sample": name} for name in ("Digits", "Sinusoids", "Your own file")),
    *({"section": "Blurry or wrong?", "trial": name}
      for name in ("Digits", "Sinusoids", "Drawn shapes", "Inverter currents")),
    *({"section": "Blurry or wrong?", "wrong": name} for name in wrong.FAULTS.values()),
    *({"section": "Checklist", "items": name} for name in checklist.NAMES.values()),
]  # fmt: skip


@pytest.mark.parametrize("link", OLD, ids=lambda link: list(link.values())[-1])
def test_an_old_link_opens_the_same_settings_without_a_note(link):
    app = opened(PAGE, **link)
    assert not app.exception and not app.error
    assert not [note.value for note in app.info if "The link" in note.value]
    for key, text in link.items():
        shown = app.session_state[key]
        now = links.OLD["field_guide"][key].values[text]
        assert shown == ([now] if isinstance(shown, list) else now)
    assert app.session_state["section"] == SECTIONS[NAMES.index(link["section"])]
    assert not set(link.values()) & {text for texts in address(app).values() for text in texts}


def test_several_old_faults_open_as_several():
    app = opened(PAGE, section="Blurry or wrong?", wrong=["latent too small", "learning rate too high"])
    assert not app.info and app.session_state["wrong"] == ["latent_size", "learning_rate"]


def test_every_old_value_is_tried():
    tried = {(key, text) for link in OLD for key, text in link.items()}
    assert {(key, text) for key, old in links.OLD["field_guide"].items() for text in old.values} == tried
